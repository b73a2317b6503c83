"""Stream `controlled`: the difference between an intervention and a comparator arm.

Order of preference for means: a reported adjusted difference with its interval or exact P value; final scores of both
arms, else change scores; the arms' means with the exact P value of their difference. For counts: events and totals of
both arms, then a reported odds ratio with its interval. Of several times in the window the nearest to the target that
can be estimated is taken.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from headache_evidence.effects.arm_pair import ArmPair
from headache_evidence.effects.controlled_arms import CONTINUOUS, from_counts, from_means
from headache_evidence.effects.controlled_contrasts import from_contrasts, from_means_and_p
from headache_evidence.effects.effect_request import (
    RANDOMISED_DESIGNS,
    EffectRequest,
    Record,
    at_time,
    chosen,
    follow_up,
    join,
    outside,
    refused,
    study_record,
    times_by_closeness,
)
from headache_evidence.effects.extraction_tables import ExtractionTables


def controlled_effects(tables: ExtractionTables, request: EffectRequest) -> list[Record]:
    """One record per study (per time or arm where asked) with a comparator of the asked class and the outcome."""
    comparators = _comparators_by_study(tables, request)
    if not comparators:
        return []
    rows = follow_up(tables.rows, request)
    contrasts = tables.contrasts
    contrasts = contrasts.loc[
        request.in_window(contrasts["weeks"])
        & (contrasts["comparison"] == "between_arms")
        & ~contrasts["is_baseline"].astype(bool)
    ]
    reporting = set(rows["study_id"]) | set(contrasts["study_id"])
    return [
        record
        for study_id, comparator_arms in comparators.items()
        if study_id in reporting
        for record in _study_records(tables, request, study_id, comparator_arms, rows, contrasts)
    ]


def _comparators_by_study(tables: ExtractionTables, request: EffectRequest) -> dict[str, list[str]]:
    """Comparator arms of the asked class, by study of the asked design that reports the outcome at any time."""
    reporting = sorted(set(tables.rows["study_id"]) | set(tables.contrasts["study_id"]))
    found = {
        study_id: [
            arm["arm_id"] for arm in tables.study_arms[study_id] if arm["comparator_kind"] in request.comparators
        ]
        for study_id in reporting
        if _of_design(tables, request, study_id)
    }
    return {study_id: arms for study_id, arms in found.items() if arms}


def _study_records(
    tables: ExtractionTables,
    request: EffectRequest,
    study_id: str,
    comparators: list[str],
    rows: pd.DataFrame,
    contrasts: pd.DataFrame,
) -> list[Record]:
    own_rows = rows.loc[rows["study_id"] == study_id]
    own_contrasts = contrasts.loc[contrasts["study_id"] == study_id]
    treated = [arm for arm in tables.study_arms[study_id] if arm["comparator_kind"] == ""]
    interventions = [arm["arm_id"] for arm in treated if arm["technique"] in request.techniques]
    if interventions:
        split = request.settings.multi_arm == "split" and len(interventions) > 1
        sides = [[arm] for arm in interventions] if split else [interventions]
        return [
            record
            for side in sides
            for record in _effects_of_side(
                tables, request, study_id, side, comparators, own_rows, own_contrasts, len(sides)
            )
        ]
    arms = [arm["arm_id"] for arm in treated]
    shown = pd.concat([own_rows, own_contrasts])
    record = study_record(tables, request, study_id, arms, comparators, shown, (np.nan, ""))
    return [outside(record, [arm["technique"] for arm in treated])]


def _of_design(tables: ExtractionTables, request: EffectRequest, study_id: str) -> bool:
    randomised = tables.study_facts[study_id]["design"] in RANDOMISED_DESIGNS
    return request.design == "all" or randomised == (request.design == "randomised")


def _effects_of_side(
    tables: ExtractionTables,
    request: EffectRequest,
    study_id: str,
    interventions: list[str],
    comparators: list[str],
    rows: pd.DataFrame,
    contrasts: pd.DataFrame,
    comparisons: int,
) -> list[Record]:
    """Effects of one side of intervention arms; ``comparisons`` is how many sides share the comparator."""
    times = times_by_closeness(pd.concat([rows, contrasts])[["weeks", "time_label"]], request)
    pairs = (
        ArmPair(
            tables,
            request,
            study_id,
            tuple(interventions),
            tuple(comparators),
            at_time(rows, time),
            at_time(contrasts, time),
            time,
            comparisons,
        )
        for time in times
    )
    return chosen((_effect_at(pair) for pair in pairs), request.every_time)


def _effect_at(pair: ArmPair) -> Record:
    reasons = []
    for attempt in _in_order_of_preference(pair.request):
        option = attempt(pair)
        if option is not None and option["usable"]:
            return option
        if option is not None:
            reasons.append(option["reason"])
    return refused(pair.record_of_all(), join(reasons) or "not estimable: no numbers for both arms")


def _in_order_of_preference(request: EffectRequest) -> tuple[Callable[[ArmPair], Record | None], ...]:
    if request.measure not in CONTINUOUS:
        return (_from_arms, from_contrasts)
    if request.settings.prefer_adjusted_contrasts:
        return (from_contrasts, _from_arms, from_means_and_p)
    return (_from_arms, from_contrasts, from_means_and_p)


def _from_arms(pair: ArmPair) -> Record | None:
    first, second = pair.split(pair.rows)
    if first.empty and second.empty:
        return None
    if first.empty or second.empty:
        side = "intervention" if first.empty else "comparator"
        return refused(pair.record_of_all(), f"not estimable: no numbers for the {side} arm")
    both = pd.concat([first, second])
    kept = both.loc[both["excluded"] == ""]
    if any(part.empty for part in pair.split(kept)):
        return refused(pair.record_of_all(), f"excluded: {join(both['excluded'].unique())}")
    return from_means(pair, kept) if pair.request.measure in CONTINUOUS else from_counts(pair, kept)
