"""Stream `before_after`: change from baseline within the treated arm; no control, low certainty, always labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from headache_evidence.effects.combine_arms import combine_means
from headache_evidence.effects.correlation import PrePostCorrelation
from headache_evidence.effects.derive_change import sd_of_change
from headache_evidence.effects.effect_request import (
    EffectRequest,
    Record,
    accepted,
    at_time,
    chosen,
    follow_up,
    join,
    of_interventions,
    outside,
    refused,
    study_record,
    times_by_closeness,
)
from headache_evidence.effects.extraction_tables import ExtractionTables


@dataclass(frozen=True)
class ArmChange:
    """Mean change of one arm, the rows behind it, or the reason why there is none."""

    arm_id: str
    n: float
    mean: float
    sd: float
    rows: pd.DataFrame
    derivation: str
    rule: str
    reason: str


def before_after_effects(tables: ExtractionTables, request: EffectRequest) -> list[Record]:
    """One record per study (or per time): mean change over the eligible arms, at the time nearest to the target."""
    later_rows = of_interventions(tables, follow_up(tables.rows, request), request)
    baselines = tables.rows.loc[tables.rows["is_baseline"]]
    records = []
    for study_id, later in later_rows.groupby("study_id"):
        baseline = baselines.loc[baselines["study_id"] == study_id]
        attempts = (
            _at(tables, request, str(study_id), baseline, at_time(later, time), time)
            for time in times_by_closeness(later, request)
        )
        records += chosen(attempts, request.every_time)
    return records


def _at(
    tables: ExtractionTables,
    request: EffectRequest,
    study_id: str,
    baseline: pd.DataFrame,
    rows: pd.DataFrame,
    time: tuple[float, str],
) -> Record:
    eligible = rows.loc[rows["technique"].isin(request.techniques)]
    if eligible.empty:
        record = study_record(tables, request, study_id, sorted(rows["arm_id"].unique()), [], rows, time)
        return outside(record, rows["technique"].unique())
    changes = [
        arm_change(baseline.loc[baseline["arm_id"] == arm], of_arm, tables.correlation)
        for arm, of_arm in eligible.groupby("arm_id")
    ]
    used = [change for change in changes if not change.reason]
    shown = used or changes
    arms = [change.arm_id for change in shown]
    record = study_record(tables, request, study_id, arms, [], pd.concat([change.rows for change in shown]), time)
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


def arm_change(baseline: pd.DataFrame, later: pd.DataFrame, correlation: PrePostCorrelation) -> ArmChange:
    """Mean and SD of the change of one arm.

    A reported change with its SD comes first; else final minus baseline, the SD of the change from the two SDs and
    their correlation (Cochrane Handbook 6.5.2.8).
    """
    rows = later.sort_values(["population_subset", "row"]) if len(later) > 1 else later
    arm_id = str(rows["arm_id"].iloc[0])
    kept = (rows["excluded"] == "").to_numpy()
    if not kept.any():
        return _no_change(arm_id, rows, f"excluded: {join(rows['excluded'].unique())}")
    known, kinds = kept & (rows["reason_continuous"] == "").to_numpy(), rows["kind"].to_numpy()
    reported = np.flatnonzero(known & (kinds == "change_from_baseline"))
    if len(reported):
        row = rows.iloc[reported[0]]
        derivation = join([f"reported change: {row['derivation']}", row["n_note"]])
        return ArmChange(
            arm_id, row["n_used"], row["mean_used"], row["sd_used"],
            rows.iloc[reported[:1]], derivation, f"change_{row['rule']}", "",
        )  # fmt: skip
    final = np.flatnonzero(known & (kinds == "endpoint"))
    if not len(final):
        why = join(rows["reason_continuous"][kept].unique()) or "not estimable: no final mean"
        return _no_change(arm_id, rows.loc[kept], why)
    kept_start = (baseline["excluded"] == "").to_numpy()
    usable_start = np.flatnonzero(kept_start & (baseline["reason_continuous"] == "").to_numpy())
    if not len(usable_start):
        reasons = baseline["reason_continuous"][kept_start].unique()
        why = join([*baseline["excluded"].unique(), *reasons]) or "no baseline value"
        return _no_change(arm_id, pd.concat([rows.iloc[final], baseline]), f"baseline: {why}")
    first, last = baseline.iloc[usable_start[0]], rows.iloc[final[0]]
    sd = float(sd_of_change(first["sd_used"], last["sd_used"], correlation.value))
    derivation = join(
        [
            f"final minus baseline, {correlation.words}",
            last["derivation"],
            first["derivation"],
            last["n_note"],
        ]
    )
    return ArmChange(
        arm_id, last["n_used"], last["mean_used"] - first["mean_used"], sd,
        pd.concat([rows.iloc[final[:1]], baseline.iloc[usable_start[:1]]]), derivation,
        f"final_minus_baseline_{last['rule']}", "",
    )  # fmt: skip


def _no_change(arm_id: str, rows: pd.DataFrame, reason: str) -> ArmChange:
    return ArmChange(arm_id, np.nan, np.nan, np.nan, rows, "", "", reason)
