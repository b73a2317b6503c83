"""Stream `before_after`: change from baseline within the treated arm; no control, low certainty, always labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headache_evidence.effects.combine_arms import combine_means
from headache_evidence.effects.correlation import PrePostCorrelation
from headache_evidence.effects.derive_change import sd_of_change
from headache_evidence.effects.effect_request import (
    EffectRequest,
    Record,
    accepted,
    at_time,
    chosen,
    distinct,
    follow_up,
    join,
    of_interventions,
    outside,
    refused,
    study_record,
    times_by_closeness,
)
from headache_evidence.effects.extraction_tables import ExtractionTables, Rows


@dataclass(frozen=True)
class ArmChange:
    """Mean change of one arm, the rows behind it, or the reason why there is none."""

    arm_id: str
    n: float
    mean: float
    sd: float
    rows: Rows
    derivation: str
    rule: str
    reason: str


def before_after_effects(tables: ExtractionTables, request: EffectRequest) -> list[Record]:
    """One record per study (or per time): mean change over the eligible arms, at the time nearest to the target."""
    records = []
    for study_id, rows in tables.rows_of_study.items():
        later = of_interventions(tables, follow_up(rows, request), request)
        baseline = [row for row in rows if row["is_baseline"]]
        attempts = (
            _at(tables, request, study_id, baseline, at_time(later, time), time)
            for time in times_by_closeness(later, request)
        )
        records += chosen(attempts, request.every_time)
    return records


def _at(
    tables: ExtractionTables,
    request: EffectRequest,
    study_id: str,
    baseline: Rows,
    rows: Rows,
    time: tuple[float, str],
) -> Record:
    eligible = [row for row in rows if row["technique"] in request.techniques]
    if not eligible:
        record = study_record(tables, request, study_id, sorted(distinct(rows, "arm_id")), [], rows, time)
        return outside(record, distinct(rows, "technique"))
    changes = [
        arm_change(_of_arm(baseline, arm), _of_arm(eligible, arm), tables.correlation)
        for arm in sorted(distinct(eligible, "arm_id"))
    ]
    used = [change for change in changes if not change.reason]
    shown = used or changes
    arms = [change.arm_id for change in shown]
    record = study_record(tables, request, study_id, arms, [], [row for change in shown for row in change.rows], time)
    if not used:
        return refused(record, join(change.reason for change in changes))
    n, mean, sd = (np.array([getattr(change, name) for change in used]) for name in ("n", "mean", "sd"))
    total, mean_change, sd_change = combine_means(n, mean, sd)
    derivation = join(change.derivation for change in used)
    if len(used) > 1:
        derivation += f"; {len(used)} arms combined (Cochrane formula)"
    return accepted(
        record,
        mean_change,
        sd_change**2 / total,
        derivation,
        join((change.rule for change in used), "+"),
        n1=total,
        m1=mean_change,
        sd1=sd_change,
    )


def _of_arm(rows: Rows, arm_id: str) -> Rows:
    return [row for row in rows if row["arm_id"] == arm_id]


def arm_change(baseline: Rows, later: Rows, correlation: PrePostCorrelation) -> ArmChange:
    """Mean and SD of the change of one arm.

    A reported change with its SD comes first; else final minus baseline, the SD of the change from the two SDs and
    their correlation (Cochrane Handbook 6.5.2.8).
    """
    rows = sorted(later, key=lambda row: (row["population_subset"], row["row"]))
    arm_id = rows[0]["arm_id"]
    kept = [row for row in rows if row["excluded"] == ""]
    if not kept:
        return _no_change(arm_id, rows, f"excluded: {join(distinct(rows, 'excluded'))}")
    known = [row for row in kept if row["reason_continuous"] == ""]
    reported = [row for row in known if row["kind"] == "change_from_baseline"]
    if reported:
        row = reported[0]
        derivation = join([f"reported change: {row['derivation']}", row["n_note"]])
        n, mean, sd = row["n_used"], row["mean_used"], row["sd_used"]
        return ArmChange(arm_id, n, mean, sd, [row], derivation, f"change_{row['rule']}", "")
    final = [row for row in known if row["kind"] == "endpoint"]
    if not final:
        return _no_change(arm_id, kept, join(distinct(kept, "reason_continuous")) or "not estimable: no final mean")
    kept_start = [row for row in baseline if row["excluded"] == ""]
    usable_start = [row for row in kept_start if row["reason_continuous"] == ""]
    if not usable_start:
        why = join([*distinct(baseline, "excluded"), *distinct(kept_start, "reason_continuous")]) or "no baseline value"
        return _no_change(arm_id, [*final, *baseline], f"baseline: {why}")
    first, last = usable_start[0], final[0]
    sd = float(sd_of_change(first["sd_used"], last["sd_used"], correlation.value))
    words = f"final minus baseline, {correlation.words}"
    derivation = join([words, last["derivation"], first["derivation"], last["n_note"]])
    mean, rule = last["mean_used"] - first["mean_used"], f"final_minus_baseline_{last['rule']}"
    return ArmChange(arm_id, last["n_used"], mean, sd, [last, first], derivation, rule, "")


def _no_change(arm_id: str, rows: Rows, reason: str) -> ArmChange:
    return ArmChange(arm_id, np.nan, np.nan, np.nan, rows, "", "", reason)
