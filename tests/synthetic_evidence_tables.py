"""A synthetic study base for tests of extraction: a few made-up trials with exactly known numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from headache_evidence.tables.evidence import Evidence, load_evidence

DATA = Path(__file__).parents[1] / "data"


@lru_cache(maxsize=1)
def _real() -> Evidence:
    return load_evidence(DATA)


def _rows(template: pd.DataFrame, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows with the columns and types of a real table; what is not given is empty."""
    blank = {column: _empty(dtype) for column, dtype in template.dtypes.items()}
    complete = [blank | row | {"row": i + 2} for i, row in enumerate(rows)]
    return pd.DataFrame(complete, columns=template.columns).astype(template.dtypes)


def _empty(dtype: Any) -> Any:
    if isinstance(dtype, pd.StringDtype):
        return ""
    if pd.api.types.is_bool_dtype(dtype):
        return False
    return float("nan") if pd.api.types.is_float_dtype(dtype) else pd.NA


def synthetic_evidence(
    *,
    studies: list[dict[str, Any]],
    arms: list[dict[str, Any]],
    outcomes: list[dict[str, Any]] | None = None,
    contrasts: list[dict[str, Any]] | None = None,
    flags: list[dict[str, Any]] | None = None,
) -> Evidence:
    """Evidence with the given rows; sources are made up to match."""
    real = _real()
    defaults = {
        "studies": {"authors": "Synthetic et al.", "year": 2020, "design": "rct_parallel", "headache_type": "migraine"},
        "arms": {"technique": "perineural_block", "guidance": "landmark", "label": "arm"},
        "outcomes": {
            "unit_of_analysis": "patient",
            "better": "lower",
            "kind": "endpoint",
            "sign": "signed",
            "time_value": 4.0,
            "time_unit": "weeks",
            "source_id": "s1",
        },
        "contrasts": {
            "comparison": "between_arms",
            "unit_of_analysis": "patient",
            "sign": "signed",
            "time_value": 4.0,
            "time_unit": "weeks",
            "source_id": "s1",
        },
        "flags": {"table": "outcomes", "rule": "synthetic", "action": "exclude", "doubt": "synthetic doubt"},
        "sources": {"source_id": "s1", "url": "https://example.org/synthetic", "kind": "abstract"},
        "risk_of_bias": {},
    }
    given = {
        "studies": studies,
        "arms": arms,
        "outcomes": outcomes or [],
        "contrasts": contrasts or [],
        "flags": flags or [],
        "sources": [{"study_id": study["study_id"]} for study in studies],
        "risk_of_bias": [],
    }
    tables = {name: _rows(getattr(real, name), [defaults[name] | row for row in rows]) for name, rows in given.items()}
    empty = {
        name: getattr(real, name).iloc[:0]
        for name in ("screening", "second_extraction", "published_pools", "guidelines", "mcid")
    }
    return replace(real, **(tables | empty))


def two_arm_trial(study_id: str = "Synth2020", **study: Any) -> dict[str, list[dict[str, Any]]]:
    """A block of 20 patients against saline of 20; outcomes are added by the test."""
    return {
        "studies": [{"study_id": study_id} | study],
        "arms": [
            {"study_id": study_id, "arm_id": "A", "role": "control", "comparator_kind": "placebo_saline",
             "technique": "sham_injection", "n_analysed": 20},
            {"study_id": study_id, "arm_id": "B", "role": "intervention", "n_analysed": 20},
        ],
    }  # fmt: skip


def outcome(arm_id: str, study_id: str = "Synth2020", name: str = "pain_intensity", **numbers: Any) -> dict[str, Any]:
    """An outcome row of an arm."""
    scale = {"pain_intensity": "nrs_0_10", "headache_days": "days_per_28_days"}.get(name, "")
    return {"study_id": study_id, "arm_id": arm_id, "outcome": name, "outcome_reported": name, "scale": scale} | numbers
