"""What a hit of the integrity screen is, and the facts about scales, times and sizes that the rules share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

FloatArray = npt.NDArray[np.float64]

ERROR, DOUBT, INFORMATION = "error", "doubt", "information"
SEVERITIES: dict[str, str] = {
    ERROR: "cannot be true as printed",
    DOUBT: "contradicts something else; an explanation is possible and should be sought",
    INFORMATION: "worth knowing, no fault by itself",
}

HIT_COLUMNS = ("study_id", "table", "row", "column", "rule", "severity", "found", "expected", "why")

SCALE_LIMITS: dict[str, tuple[float, float]] = {
    "vas_0_10": (0, 10),
    "nrs_0_10": (0, 10),
    "vrs_0_10": (0, 10),
    "pain_0_10": (0, 10),
    "pain_0_10_presumed": (0, 10),
    "vas_0_100": (0, 100),
    "days_per_month": (0, 31),
    "days_per_28_days": (0, 28),
    "days_per_week": (0, 7),
    "hit6_36_78": (36, 78),
    "midas_grade": (1, 4),
}
"""Smallest and largest value of a scale; scales without an upper limit are not listed."""

SCALE_STEPS: dict[str, float] = {
    "vas_0_10": 0.1,
    "nrs_0_10": 1,
    "vrs_0_10": 1,
    "vas_0_100": 1,
    "days_per_28_days": 1,
    "hit6_36_78": 1,
    "midas_grade": 1,
    "midas_score": 1,
}
"""Step between two answers of one patient; scales that patients answer with any fraction are not listed.

Days and attacks per month are left out: many papers average them over several months.
"""

PAIN_SCALES: dict[str, float] = {
    "vas_0_10": 1,
    "nrs_0_10": 1,
    "vrs_0_10": 1,
    "pain_0_10": 1,
    "pain_0_10_presumed": 1,
    "vas_0_100": 0.1,
}
"""Scales that can be set beside each other as pain from 0 to 10, and the factor that does it."""

DAYS_PER_UNIT: dict[str, float] = {"minutes": 1 / 1440, "hours": 1 / 24, "days": 1, "weeks": 7, "months": 30.4375}


def make_hits(
    rows: pd.DataFrame,
    table: str,
    column: str,
    rule: str,
    severity: str | Iterable[str],
    found: Iterable[str],
    expected: Iterable[str],
    why: str | Iterable[str],
) -> pd.DataFrame:
    """A table of hits, one per row of ``rows`` (which needs ``study_id`` and ``row``)."""
    columns: Mapping[str, object] = {
        "study_id": rows["study_id"].to_numpy(),
        "table": table,
        "row": rows["row"].to_numpy(),
        "column": column,
        "rule": rule,
        "severity": severity if isinstance(severity, str) else [str(word) for word in severity],
        "found": list(found),
        "expected": list(expected),
        "why": why if isinstance(why, str) else [str(text) for text in why],
    }
    return pd.DataFrame(columns, index=range(len(rows)), columns=list(HIT_COLUMNS))


def numbers(frame: pd.DataFrame, column: str) -> FloatArray:
    """A number column as floats, NaN where the source shows none."""
    return frame[column].to_numpy(dtype=float, na_value=np.nan)


def show(value: float, places: int = 4) -> str:
    """A number as a reader would write it."""
    return f"{value:.{places}g}" if np.isfinite(value) else "-"


def days(frame: pd.DataFrame) -> FloatArray:
    """Time of each row in days, NaN when the source gives none."""
    return numbers(frame, "time_value") * frame["time_unit"].map(DAYS_PER_UNIT).to_numpy(dtype=float)


def with_arm_sizes(outcomes: pd.DataFrame, ev: Evidence) -> pd.DataFrame:
    """Outcome rows with ``arm_n`` (analysed, else randomised) and ``size`` (the row's own n, else ``arm_n``)."""
    arms = ev.arms[["study_id", "arm_id"]].assign(arm_n=ev.arms["n_analysed"].fillna(ev.arms["n_randomised"]))
    joined = outcomes.merge(arms, on=["study_id", "arm_id"], how="left", validate="many_to_one")
    joined["arm_n"] = numbers(joined, "arm_n")
    joined["size"] = np.where(joined["n"].notna(), numbers(joined, "n"), joined["arm_n"])
    return joined
