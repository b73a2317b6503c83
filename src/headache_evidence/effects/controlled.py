"""Stream `controlled`: the difference between an intervention and a comparator arm.

Order of preference for means: a reported adjusted difference with its interval or exact P value; final scores of both
arms, else change scores of both, else (MD) the difference of changes where one arm reports a change and the other
baseline and final scores; the arms' means with the exact P value of their difference. For counts: events and totals of
both arms, then a reported odds ratio with its interval. Of several times in the window the nearest to the target that
can be estimated is taken.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headache_evidence.effects.arm_pair import ArmPair
from headache_evidence.effects.controlled_arms import CONTINUOUS, from_counts, from_means
from headache_evidence.effects.controlled_changes import from_changes
from headache_evidence.effects.controlled_contrasts import from_contrasts, from_means_and_p
from headache_evidence.effects.effect_request import (
    RANDOMISED_DESIGNS,
    EffectRequest,
    Record,
    at_time,
    chosen,
    distinct,
    follow_up,
    join,
    outside,
    refused,
    study_record,
    times_by_closeness,
)
from headache_evidence.effects.extraction_tables import ExtractionTables, Rows


def controlled_effects(tables: ExtractionTables, request: EffectRequest) -> list[Record]:
    """One record per study (per time or arm where asked) with a comparator of the asked class and the outcome."""
    comparators = _comparators_by_study(tables, request)
    return [
        record
        for study_id, comparator_arms in comparators.items()
        for record in _study_records(tables, request, study_id, comparator_arms)
    ]


def _contrasts_in_window(tables: ExtractionTables, request: EffectRequest, study_id: str) -> Rows:
    """Differences between arms inside the time window."""
    contrasts = follow_up(tables.contrasts_of_study.get(study_id, []), request)
    return [contrast for contrast in contrasts if contrast["comparison"] == "between_arms"]


def _comparators_by_study(tables: ExtractionTables, request: EffectRequest) -> dict[str, list[str]]:
    """Comparator arms of the asked class, by study of the asked design that reports the outcome at any time."""
    reporting = sorted({*tables.rows_of_study, *tables.contrasts_of_study})
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
) -> list[Record]:
    rows = follow_up(tables.rows_of_study.get(study_id, []), request)
    contrasts = _contrasts_in_window(tables, request, study_id)
    if not rows and not contrasts:
        return []
    treated = [arm for arm in tables.study_arms[study_id] if arm["comparator_kind"] == ""]
    interventions = [arm["arm_id"] for arm in treated if arm["technique"] in request.techniques]
    if interventions:
        split = request.settings.multi_arm == "split" and len(interventions) > 1
        sides = [[arm] for arm in interventions] if split else [interventions]
        return [
            record
            for side in sides
            for record in _effects_of_side(tables, request, study_id, side, comparators, rows, contrasts, len(sides))
        ]
    arms = [arm["arm_id"] for arm in treated]
    record = study_record(tables, request, study_id, arms, comparators, [*rows, *contrasts], (np.nan, ""))
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
    rows: Rows,
    contrasts: Rows,
    comparisons: int,
) -> list[Record]:
    """Effects of one side of intervention arms; ``comparisons`` is how many sides share the comparator."""
    times = times_by_closeness([*rows, *contrasts], request)
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
        return (from_contrasts, _from_arms, from_changes, from_means_and_p)
    return (_from_arms, from_contrasts, from_changes, from_means_and_p)


def _from_arms(pair: ArmPair) -> Record | None:
    first, second = pair.split(pair.rows)
    if not first and not second:
        return None
    if not first or not second:
        side = "comparator" if first else "intervention"
        return refused(pair.record_of_all(), f"not estimable: no numbers for the {side} arm")
    both = [*first, *second]
    kept = [row for row in both if row["excluded"] == ""]
    if not all(pair.split(kept)):
        return refused(pair.record_of_all(), f"excluded: {join(distinct(both, 'excluded'))}")
    return from_means(pair, kept) if pair.request.measure in CONTINUOUS else from_counts(pair, kept)
