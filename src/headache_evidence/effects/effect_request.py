"""What an extraction is asked for, and the parts every stream shares: rows in the window, times, records."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.extraction_tables import ExtractionTables, Row, Rows
from headache_evidence.tables.protocol import Extraction
from headache_evidence.tables.vocabulary import better_direction, outcome_unit

Record = dict[str, Any]
OUTSIDE = "outside the protocol"
SAME_TIME = 1e-5  # weeks, and share of the weeks: rounding in the conversion of units
RANDOMISED_DESIGNS = ("rct_parallel", "rct_crossover")


@dataclass(frozen=True)
class EffectRequest:
    """One question put to the tables, with every choice that bears on the answer."""

    headache_type: str
    outcome: str
    stream: str
    measure: str
    weeks: tuple[float, float]
    target_weeks: float
    accept_unknown_time: bool
    techniques: tuple[str, ...]
    comparators: tuple[str, ...]
    comparison: str
    design: str  # randomised, nonrandomised or all
    settings: Extraction
    every_time: bool = False  # all usable times of a study instead of the nearest: dependent effects

    def in_window(self, weeks: pd.Series) -> pd.Series:
        """Times in (from, to]; unknown times only when the request accepts them; a start of 0 belongs to the window."""
        return weeks.map(self.covers).astype(bool)

    def covers(self, weeks: float) -> bool:
        """Whether one time lies in the window."""
        low, high = self.weeks
        return self.accept_unknown_time if math.isnan(weeks) else low < weeks <= high or low == 0 == weeks


def follow_up(rows: Rows, request: EffectRequest) -> Rows:
    """Rows inside the time window, baseline left out."""
    return [row for row in rows if not row["is_baseline"] and request.covers(row["weeks"])]


def of_interventions(tables: ExtractionTables, rows: Rows, request: EffectRequest) -> Rows:
    """Rows of arms that are no comparator, or whose technique is asked about; ``technique`` is added."""
    found: Rows = []
    for row in rows:
        arm = tables.arm_facts[row["study_id"], row["arm_id"]]
        if arm["comparator_kind"] == "" or arm["technique"] in request.techniques:
            found.append({**row, "technique": arm["technique"]})
    return found


def times_by_closeness(rows: Rows, request: EffectRequest) -> list[tuple[float, str]]:
    """The (weeks, time label) pairs present, nearest to the target first; unknown times last.

    Of two equally near the later comes first, and a labelled time before one without a label.
    """
    pairs = {(None if math.isnan(row["weeks"]) else row["weeks"], row["time_label"]) for row in rows}

    def closeness(pair: tuple[float | None, str]) -> tuple[float, float, bool, str]:
        weeks, label = pair
        distance, later = (math.inf, 0.0) if weeks is None else (abs(weeks - request.target_weeks), -weeks)
        return distance, later, label == "", label

    return [(math.nan if weeks is None else weeks, label) for weeks, label in sorted(pairs, key=closeness)]


def at_time(rows: Rows, time: tuple[float, str]) -> Rows:
    """Rows at one (weeks, time label)."""
    weeks, label = time
    return [row for row in rows if row["time_label"] == label and _same_weeks(row["weeks"], weeks)]


def _same_weeks(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=SAME_TIME, abs_tol=SAME_TIME)


def chosen(attempts: Iterable[Record], every_time: bool) -> list[Record]:
    """The first usable attempt, or every usable one; the first refusal when none is usable."""
    refusals, kept = [], []
    for attempt in attempts:
        if not attempt["usable"]:
            refusals.append(attempt)
        elif every_time:
            kept.append(attempt)
        else:
            return [attempt]
    return kept or refusals[:1]


def one_row_per_arm(rows: Rows) -> Rows:
    """One row of each arm, by arm: the whole arm before a subset of it, then the first in the table."""
    first: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: (row["population_subset"] != "", row["row"])):
        first.setdefault(row["arm_id"], row)
    return [first[arm] for arm in sorted(first)]


def distinct(rows: Rows, name: str) -> list[Any]:
    """The different values of a column in the order of first appearance."""
    return list(dict.fromkeys(row[name] for row in rows))


def column(rows: Rows, name: str) -> npt.NDArray[np.float64]:
    """The numbers of a column, shape (rows,)."""
    return np.array([row[name] for row in rows], dtype=float)


def join(values: Iterable[object], separator: str = "; ") -> str:
    """Distinct non-empty texts in the order of first appearance."""
    return separator.join(dict.fromkeys(str(v) for v in values if str(v) not in ("", "nan", "<NA>")))


def study_record(
    tables: ExtractionTables,
    request: EffectRequest,
    study_id: str,
    arms_1: list[str],
    arms_2: list[str],
    rows: Rows,
    time: tuple[float, str],
) -> Record:
    """Everything about an effect that is not a number: study, arms, time, sources. ``usable`` is False until set."""
    study = tables.study_facts[study_id]
    first = [tables.arm_facts[study_id, arm] for arm in arms_1]
    second = [tables.arm_facts[study_id, arm] for arm in arms_2]
    weeks, time_label = time
    arms_name = "+".join(arms_1) + (f" vs {'+'.join(arms_2)}" if arms_2 else "")
    when = "time unknown" if math.isnan(weeks) else f"{weeks:.3g} wk"
    return {
        "effect_id": "|".join((study_id, arms_name, request.outcome, when, request.stream)),
        "study_id": study_id,
        "label": study["label"],
        "year": study["year"],
        "headache_type": request.headache_type,
        "design": study["design"],
        "randomised": study["design"] in RANDOMISED_DESIGNS,
        "stream": request.stream,
        "outcome": request.outcome,
        "unit": outcome_unit(request.outcome),
        "better": better_direction(request.outcome),
        "weeks": weeks,
        "time_label": time_label,
        "measure": request.measure,
        "yi": np.nan,
        "vi": np.nan,
        "arm_1": "+".join(arms_1),
        "arm_2": "+".join(arms_2),
        "arm_1_label": _words(first, "label", " + "),
        "arm_2_label": _words(second, "label", " + "),
        "technique": _technique(first),
        "comparator": _words(second, "comparator_kind", "+"),
        "guidance": _words(first, "guidance", "+"),
        "nerves": _words(first, "nerves"),
        "injectate": _words(first, "injectate"),
        "volume_ml": float(np.mean([arm["volume_ml"] for arm in first])) if first else np.nan,
        "steroid": any(arm["steroid"] for arm in first),
        "risk_of_bias": study["risk_of_bias"],
        "flags": join(doubt for row in rows for doubt in row["flags"].split("; ")),
        "doubtful": any(row["doubtful"] for row in rows),
        "derivation": "",
        "derivation_rule": "",
        "source_id": join(distinct(rows, "source_id")),
        "source_url": join(distinct(rows, "source_url"), " ; "),
        "source_rows": join(distinct(rows, "source_row")),
        "usable": False,
        "reason": "",
    }


def _words(arms: Rows, name: str, separator: str = "; ") -> str:
    return join((arm[name] for arm in arms), separator)


def _technique(arms: Rows) -> str:
    """Hydrodissection wherever one of the arms is one, so that it can never hide behind another technique."""
    techniques = sorted({arm["technique"] for arm in arms})
    return "hydrodissection" if "hydrodissection" in techniques else "+".join(techniques)


def outside(record: Record, techniques: Iterable[str]) -> Record:
    """The record of a study whose technique the question does not ask about."""
    return refused(record, f"{OUTSIDE}: technique {join(techniques, ', ')}")


def refused(record: Record, reason: str) -> Record:
    """The record as not usable, with its reason."""
    return record | {"usable": False, "reason": reason}


def accepted(record: Record, yi: float, vi: float, derivation: str, rule: str, **numbers: float) -> Record:
    """The record with its effect; refused when the variance is not a finite number above zero."""
    if not (np.isfinite(yi) and np.isfinite(vi) and vi > 0):
        return refused(record, "not estimable: the numbers give no finite effect with a variance above 0")
    return (
        record
        | numbers
        | {"yi": float(yi), "vi": float(vi), "derivation": derivation, "derivation_rule": rule, "usable": True}
    )
