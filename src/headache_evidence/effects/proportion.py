"""Stream `proportion`: the share of the treated who respond, are free of pain, or are harmed; no control."""

from __future__ import annotations

from headache_evidence.effects.effect_request import (
    EffectRequest,
    Record,
    accepted,
    at_time,
    chosen,
    column,
    distinct,
    follow_up,
    join,
    of_interventions,
    one_row_per_arm,
    outside,
    refused,
    study_record,
    times_by_closeness,
)
from headache_evidence.effects.escalc import escalc
from headache_evidence.effects.extraction_tables import ExtractionTables, Rows


def proportion_effects(tables: ExtractionTables, request: EffectRequest) -> list[Record]:
    """One record per study (or per time): events over all eligible arms together, at the time nearest to the target."""
    records = []
    for study_id, rows in tables.rows_of_study.items():
        own = of_interventions(tables, follow_up(rows, request), request)
        times = times_by_closeness(own, request)
        attempts = (_at(tables, request, study_id, at_time(own, time), time) for time in times)
        records += chosen(attempts, request.every_time)
    return records


def _at(tables: ExtractionTables, request: EffectRequest, study_id: str, rows: Rows, time: tuple[float, str]) -> Record:
    eligible = [row for row in rows if row["technique"] in request.techniques]
    if not eligible:
        arms = sorted(distinct(rows, "arm_id"))
        record = study_record(tables, request, study_id, arms, [], rows, time)
        return outside(record, distinct(rows, "technique"))
    arms = sorted(distinct(eligible, "arm_id"))
    record = study_record(tables, request, study_id, arms, [], eligible, time)
    kept = [row for row in eligible if row["excluded"] == ""]
    if not kept:
        return refused(record, f"excluded: {join(distinct(eligible, 'excluded'))}")
    counted = [row for row in kept if row["reason_binary"] == ""]
    if not counted:
        return refused(record, join(distinct(kept, "reason_binary")))
    counted = one_row_per_arm(counted)
    events, total = column(counted, "events_used").sum(), column(counted, "total_used").sum()
    if total < 2:
        return refused(record, "not estimable: a single patient has no sampling variance")
    arms = distinct(counted, "arm_id")
    record = study_record(tables, request, study_id, arms, [], counted, time)
    effect = escalc(request.measure, xi=[events], ni=[total])
    derivation = join([*distinct(counted, "derivation_events"), *distinct(counted, "n_note")])
    if len(counted) > 1:
        derivation += f"; {len(counted)} arms added up"
    return accepted(
        record,
        effect["yi"].iloc[0],
        effect["vi"].iloc[0],
        derivation,
        join(distinct(counted, "rule_events"), "+"),
        n1=total,
        events1=events,
    )
