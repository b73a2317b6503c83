"""What an extraction is asked for, and the parts every stream shares: rows in the window, times, records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from headache_evidence.effects.extraction_tables import ExtractionTables
from headache_evidence.tables.protocol import Extraction
from headache_evidence.tables.vocabulary import holds_steroid, outcome_unit

Record = dict[str, Any]
RANDOMISED_DESIGNS = ("rct_parallel", "rct_crossover")
MAIN_PREFIX = "adverse_event_"


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

    def selects_outcome(self, table: pd.DataFrame) -> pd.Series:
        """Rows of the outcome; ``adverse_event_any`` means outcome adverse_event of the kind any."""
        if self.outcome.startswith(MAIN_PREFIX):
            event = table["adverse_event"] if "adverse_event" in table.columns else pd.Series("", index=table.index)
            return (table["outcome"] == "adverse_event") & (event == self.outcome.removeprefix(MAIN_PREFIX))
        return table["outcome"] == self.outcome

    def in_window(self, weeks: pd.Series) -> pd.Series:
        """Times in (from, to]; unknown times only when the request accepts them; a start of 0 belongs to the window."""
        low, high = self.weeks
        inside = (weeks > low) & (weeks <= high) | ((low == 0) & (weeks == 0))
        return inside | (weeks.isna() & self.accept_unknown_time)


def rows_of(tables: ExtractionTables, request: EffectRequest) -> pd.DataFrame:
    """Outcome rows of the headache type and outcome, at any time, baseline included."""
    rows = tables.rows
    return rows.loc[(rows["headache_type"] == request.headache_type) & request.selects_outcome(rows)]


def follow_up(rows: pd.DataFrame, request: EffectRequest) -> pd.DataFrame:
    """Rows inside the time window, baseline left out."""
    return rows.loc[request.in_window(rows["weeks"]) & ~rows["is_baseline"]]


def times_by_closeness(rows: pd.DataFrame, request: EffectRequest) -> list[tuple[float, str]]:
    """The (weeks, time label) pairs present, nearest to the target first; unknown times last; ties: the later."""
    pairs = rows[["weeks", "time_label"]].drop_duplicates()
    distance = (pairs["weeks"] - request.target_weeks).abs().fillna(np.inf)
    order = pairs.assign(distance=distance).sort_values(
        ["distance", "weeks", "time_label"], ascending=[True, False, True]
    )
    return list(order[["weeks", "time_label"]].itertuples(index=False, name=None))


def at_time(rows: pd.DataFrame, time: tuple[float, str]) -> pd.DataFrame:
    """Rows at one (weeks, time label)."""
    weeks, label = time
    same = rows["weeks"].isna() if pd.isna(weeks) else np.isclose(rows["weeks"].astype(float), weeks)
    return rows.loc[same & (rows["time_label"] == label)]


def join(values: Iterable[object], separator: str = "; ") -> str:
    """Distinct non-empty texts in the order of first appearance."""
    return separator.join(dict.fromkeys(str(v) for v in values if str(v) not in ("", "nan", "<NA>")))


def study_record(
    tables: ExtractionTables,
    request: EffectRequest,
    study_id: str,
    arms_1: list[str],
    arms_2: list[str],
    rows: pd.DataFrame,
    time: tuple[float, str],
) -> Record:
    """Everything about an effect that is not a number: study, arms, time, sources. ``usable`` is False until set."""
    study = tables.studies.loc[study_id]
    first = tables.arms.loc[[(study_id, arm) for arm in arms_1]] if arms_1 else tables.arms.iloc[:0]
    second = tables.arms.loc[[(study_id, arm) for arm in arms_2]] if arms_2 else tables.arms.iloc[:0]
    weeks, time_label = time
    arms_name = "+".join(arms_1) + (f" vs {'+'.join(arms_2)}" if arms_2 else "")
    when = "time unknown" if pd.isna(weeks) else f"{weeks:.3g} wk"
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
        "better": join(rows["better"].unique(), "/") if "better" in rows.columns else "",
        "weeks": weeks,
        "time_label": time_label,
        "measure": request.measure,
        "yi": np.nan,
        "vi": np.nan,
        "arm_1": "+".join(arms_1),
        "arm_2": "+".join(arms_2),
        "arm_1_label": join(first["label"], " + "),
        "arm_2_label": join(second["label"], " + "),
        "technique": "hydrodissection"
        if "hydrodissection" in set(first["technique"])
        else join(first["technique"].unique(), "+"),
        "comparator": join(second["comparator_kind"].unique(), "+"),
        "guidance": join(first["guidance"].unique(), "+"),
        "nerves": join(first["nerves"].unique()),
        "injectate": join(first["injectate"].unique()),
        "volume_ml": first["volume_ml"].mean() if len(first) else np.nan,
        "steroid": bool(holds_steroid(first["injectate"]).any()) if len(first) else False,
        "risk_of_bias": study["risk_of_bias"],
        "flags": join(rows["flags"].unique()),
        "derivation": "",
        "derivation_rule": "",
        "source_id": join(rows["source_id"].unique()),
        "source_url": join(rows["source_url"].unique(), " ; "),
        "source_rows": join(rows["source_row"]),
        "usable": False,
        "reason": "",
    }


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
