"""Asking a synthetic trial: what the tests of extraction share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

import headache_evidence as he
from headache_evidence.tables.protocol import load_protocol
from synthetic_evidence_tables import synthetic_evidence, two_arm_trial

DATA = Path(__file__).parents[1] / "data"
PROTOCOL = load_protocol(DATA / "protocol.yml")
CONTRAST: dict[str, Any] = {
    "study_id": "Synth2020",
    "arm_1": "B",
    "arm_2": "A",
    "outcome": "pain_intensity",
    "outcome_reported": "pain_intensity",
    "scale": "nrs_0_10",
    "measure": "MD",
    "estimate": -2.0,
    "ci_low": -3.0,
    "ci_high": -1.0,
}


def extract(evidence: Any, stream: str = "controlled", outcome: str = "pain_intensity", **how: Any) -> pd.DataFrame:
    how.setdefault("weeks", (0.29, 6.1))
    return he.extract_effects(
        evidence, headache_type="migraine", outcome=outcome, stream=stream, protocol=PROTOCOL, **how
    )


def only(effects: pd.DataFrame) -> pd.Series:
    assert len(effects) == 1
    return effects.iloc[0]


def trial(outcomes: list[dict[str, Any]], **tables: Any) -> Any:
    base = two_arm_trial(**tables.pop("study", {}))
    return synthetic_evidence(**(base | {"outcomes": outcomes} | tables))


def with_setting(**settings: Any) -> Any:
    return PROTOCOL.model_copy(update={"extraction": PROTOCOL.extraction.model_copy(update=settings)})
