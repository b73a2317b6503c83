"""results.json as rows for a reader: each pooled result in words, on the scale on which it is read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headache_evidence.conclusions.number_words import ratio_number
from headache_evidence.effects.measure_scales import MEASURE_SCALES

NO_EVIDENCE = "not estimable: no usable study"


@dataclass(frozen=True)
class ResultRow:
    """One pooled result as text."""

    question_id: str
    title: str
    outcome: str
    k: int
    n: str
    measure: str
    estimate: str
    prediction: str
    certainty: str
    plain_language: str
    left_out: int


def read_results(path: Path) -> list[dict[str, Any]]:
    """The pooled results of a report; empty when it has none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return []
    results = document.get("results", []) if isinstance(document, dict) else []
    return [result for result in results if isinstance(result, dict)]


def result_rows(results: Sequence[Mapping[str, Any]]) -> list[ResultRow]:
    """Every result as text, those with evidence first, in the protocol's order."""
    rows = [_row(result) for result in results]
    return [row for row in rows if row.k] + [row for row in rows if not row.k]


def _row(result: Mapping[str, Any]) -> ResultRow:
    pooled = result.get("pooled", {})
    measure = str(result.get("measure", ""))
    k = int(pooled.get("k") or 0)
    return ResultRow(
        question_id=str(result.get("question_id", "")),
        title=str(result.get("title", "")),
        outcome=str(result.get("outcome", "")),
        k=k,
        n=number(pooled.get("n"), digits=0),
        measure=MEASURE_SCALES[measure].title if measure in MEASURE_SCALES else measure,
        estimate=estimate_text(pooled, measure) if k else NO_EVIDENCE,
        prediction=interval(pooled.get("prediction_interval"), measure),
        certainty=_certainty(result.get("certainty")),
        plain_language=str(result.get("plain_language", "")),
        left_out=len(result.get("left_out", [])),
    )


def estimate_text(pooled: Mapping[str, Any], measure: str) -> str:
    """'-1.20 [-2.00 to -0.40]' on the display scale."""
    value = _read(pooled.get("estimate"), measure)
    span = interval(pooled.get("ci"), measure)
    return f"{value} [{span}]" if span else value


def displayed(value: float | None, measure: str) -> float | None:
    """A number of the analysis scale on the scale on which the measure is read."""
    if value is None or measure not in MEASURE_SCALES:
        return value
    return float(MEASURE_SCALES[measure].back_transform(value))


def interval(limits: Sequence[float | None] | None, measure: str) -> str:
    """'low to high' on the display scale; empty when a limit does not exist."""
    if not limits or any(limit is None for limit in limits):
        return ""
    low, high = (_read(limit, measure) for limit in limits)
    return f"{low} to {high}"


def _read(value: float | None, measure: str) -> str:
    """A number of the analysis scale in words; ratios beyond 0.01 and 1000 only as beyond."""
    shown = displayed(value, measure)
    if shown is not None and measure in MEASURE_SCALES and MEASURE_SCALES[measure].ratio and not math.isnan(shown):
        return ratio_number(shown)
    return number(shown)


def number(value: float | None, digits: int = 2) -> str:
    """A number with a true minus sign; empty when missing."""
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _certainty(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("level") or value.get("certainty") or ""
    return str(value or "").replace("_", " ")
