"""What a report leaves for other software: effects.csv, results.json and figures, the same bytes for the same input."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from headache_evidence.conclusions.summary_of_findings import conclusions_of
from headache_evidence.pools.answers import Answer
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol

RESULTS_SCHEMA = 1
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def effects_document(answers: Iterable[Answer]) -> pd.DataFrame:
    """One row per effect of every question, usable or not, sorted by question and study."""
    tables = [answer.effects.assign(question_id=answer.question.question_id) for answer in answers]
    if not tables:
        return pd.DataFrame()
    effects = pd.concat(tables, ignore_index=True)
    return effects.sort_values(["question_id", "usable", "study_id"], ascending=[True, False, True], kind="stable")


def results_document(
    headache_type: str, answers: Iterable[Answer], conclusions: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, object]:
    """Every pooled result of a headache type, JSON-ready.

    conclusions : by question_id, what is added to a result: certainty, plain_language, threshold.
    """
    added = conclusions or {}
    return {
        "schema": RESULTS_SCHEMA,
        "headache_type": headache_type,
        "results": [answer.to_dict() | dict(added.get(answer.question.question_id, {})) for answer in answers],
    }


def write_report_data(
    headache_type: str,
    answers: Iterable[Answer],
    output_dir: str | Path,
    evidence: Evidence | None = None,
    protocol: Protocol | None = None,
) -> None:
    """Write effects.csv and results.json into ``output_dir``; nothing when it is empty (exploring in JupyterLab).

    With ``evidence`` and ``protocol`` each result also holds its certainty, a plain sentence and its threshold.
    """
    if not str(output_dir):
        return
    answers = tuple(answers)
    folder = Path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    safe_for_spreadsheets(effects_document(answers)).to_csv(folder / "effects.csv", index=False, lineterminator="\n")
    conclusions = conclusions_of(answers, protocol, evidence) if evidence is not None and protocol is not None else None
    document = results_document(headache_type, answers, conclusions)
    results = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "results.json").write_text(results + "\n", encoding="utf-8")


def safe_for_spreadsheets(table: pd.DataFrame) -> pd.DataFrame:
    """Texts that a spreadsheet would run as a formula get a leading apostrophe; numbers stay numbers."""
    safe = table.copy(deep=False)
    for name, dtype in table.dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype):
            safe[name] = pd.Series([_without_formula(value) for value in table[name].tolist()], index=table.index)
    return safe


def _without_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
