"""Stream `proportion`: the share of the treated who respond, are free of pain, or are harmed; no control."""

from __future__ import annotations

import pandas as pd

from headache_evidence.effects.effect_request import (
    EffectRequest,
    Record,
    accepted,
    at_time,
    chosen,
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
from headache_evidence.effects.extraction_tables import ExtractionTables


def proportion_effects(tables: ExtractionTables, request: EffectRequest) -> list[Record]:
    """One record per study (or per time): events over all eligible arms together, at the time nearest to the target."""
    rows = of_interventions(tables, follow_up(tables.rows, request), request)
    records = []
    for study_id, own in rows.groupby("study_id"):
        times = times_by_closeness(own, request)
        attempts = (_at(tables, request, str(study_id), at_time(own, time), time) for time in times)
        records += chosen(attempts, request.every_time)
    return records


def _at(
    tables: ExtractionTables, request: EffectRequest, study_id: str, rows: pd.DataFrame, time: tuple[float, str]
) -> Record:
    eligible = rows.loc[rows["technique"].isin(request.techniques)]
    if eligible.empty:
        arms = sorted(rows["arm_id"].unique())
        record = study_record(tables, request, study_id, arms, [], rows, time)
        return outside(record, rows["technique"].unique())
    arms = sorted(eligible["arm_id"].unique())
    record = study_record(tables, request, study_id, arms, [], eligible, time)
    kept = eligible.loc[eligible["excluded"] == ""]
    if kept.empty:
        return refused(record, f"excluded: {join(eligible['excluded'].unique())}")
    counted = kept.loc[kept["reason_binary"] == ""]
    if counted.empty:
        return refused(record, join(kept["reason_binary"].unique()))
    counted = one_row_per_arm(counted)
    events, total = counted["events_used"].sum(), counted["total_used"].sum()
    if total < 2:
        return refused(record, "not estimable: a single patient has no sampling variance")
    arms = sorted(counted["arm_id"].unique())
    record = study_record(tables, request, study_id, arms, [], counted, time)
    effect = escalc(request.measure, xi=[events], ni=[total])
    derivation = join([*counted["derivation_events"], *counted["n_note"]])
    if len(counted) > 1:
        derivation += f"; {len(counted)} arms added up"
    return accepted(
        record,
        effect["yi"].iloc[0],
        effect["vi"].iloc[0],
        derivation,
        join(counted["rule_events"].unique(), "+"),
        n1=total,
        events1=events,
    )
