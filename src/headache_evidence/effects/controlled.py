"""Stream `controlled`: the difference between an intervention and a comparator arm.

Order of preference for means: a reported adjusted difference with its interval, final or change scores of both arms
with mean and SD (however derived). For counts: events and totals of both arms, then a reported odds ratio with its
interval. Of several times in the window the nearest to the target that can be estimated is taken.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from headache_evidence.effects.combine_arms import combine_means
from headache_evidence.effects.derive_contrast import effect_from_interval, log_ratio_from_interval
from headache_evidence.effects.effect_request import (
    RANDOMISED_DESIGNS,
    EffectRequest,
    Record,
    accepted,
    at_time,
    follow_up,
    join,
    refused,
    rows_of,
    study_record,
    times_by_closeness,
)
from headache_evidence.effects.escalc import escalc
from headache_evidence.effects.extraction_tables import ExtractionTables

CONTINUOUS = ("MD", "SMD", "SMDH", "ROM")
RATIO_CONTRASTS = {"OR": "OR"}
SHARED_COMPARATOR_CORRELATION = 0.5


def controlled_effects(tables: ExtractionTables, request: EffectRequest) -> list[Record]:
    """One record per study that has an arm of the asked comparator class and reports the outcome in the window."""
    rows = follow_up(rows_of(tables, request), request)
    contrasts = tables.contrasts
    contrasts = contrasts.loc[
        (contrasts["headache_type"] == request.headache_type)
        & request.selects_outcome(contrasts)
        & request.in_window(contrasts["weeks"])
        & (contrasts["arm_2"] != "")
        & ~contrasts["is_baseline"]
    ]
    study_ids = [
        s for s in sorted(set(rows["study_id"]) | set(contrasts["study_id"])) if _of_design(tables, request, s)
    ]
    records = []
    for study_id in study_ids:
        arms = tables.arms.loc[[study_id]]
        comparators = sorted(arms.loc[arms["comparator_kind"].isin(request.comparators), "arm_id"])
        if not comparators:
            continue
        of_study = rows.loc[rows["study_id"] == study_id]
        its_contrasts = contrasts.loc[contrasts["study_id"] == study_id]
        candidates = arms.loc[(arms["comparator_kind"] == "")]
        interventions = sorted(candidates.loc[candidates["technique"].isin(request.techniques), "arm_id"])
        records.append(
            _study_effect(tables, request, study_id, interventions, comparators, of_study, its_contrasts)
            if interventions
            else _outside(tables, request, study_id, sorted(candidates["arm_id"]), comparators, of_study, its_contrasts)
        )
    return records


def _of_design(tables: ExtractionTables, request: EffectRequest, study_id: str) -> bool:
    randomised = tables.studies.at[study_id, "design"] in RANDOMISED_DESIGNS
    return request.design == "all" or randomised == (request.design == "randomised")


def _outside(
    tables: ExtractionTables,
    request: EffectRequest,
    study_id: str,
    candidates: list[str],
    comparators: list[str],
    rows: pd.DataFrame,
    contrasts: pd.DataFrame,
) -> Record:
    shown = pd.concat([rows, contrasts])
    record = study_record(tables, request, study_id, candidates, comparators, shown, (np.nan, ""))
    techniques = tables.arms.loc[[study_id]].query("comparator_kind == ''")["technique"].unique()
    return refused(record, f"outside the protocol: technique {join(techniques, ', ')}")


def _study_effect(
    tables: ExtractionTables,
    request: EffectRequest,
    study_id: str,
    interventions: list[str],
    comparators: list[str],
    rows: pd.DataFrame,
    contrasts: pd.DataFrame,
) -> Record:
    times = times_by_closeness(pd.concat([rows, contrasts])[["weeks", "time_label"]], request)
    attempts = []
    for time in times:
        here, contrasts_here = at_time(rows, time), at_time(contrasts, time)
        shown = pd.concat([part for part in (here, contrasts_here) if len(part)])
        record = study_record(tables, request, study_id, interventions, comparators, shown, time)
        attempts.append(_effect_at(tables, request, record, interventions, comparators, here, contrasts_here, time))
    return next((attempt for attempt in attempts if attempt["usable"]), attempts[0])


def _effect_at(
    tables: ExtractionTables,
    request: EffectRequest,
    record: Record,
    interventions: list[str],
    comparators: list[str],
    rows: pd.DataFrame,
    contrasts: pd.DataFrame,
    time: tuple[float, str],
) -> Record:
    relevant = contrasts.loc[contrasts["arm_1"].isin(interventions) & contrasts["arm_2"].isin(comparators)]
    from_contrast = _from_contrasts(tables, request, record, relevant, time)
    from_arms = _from_arms(tables, request, record, interventions, comparators, rows, time)
    continuous = request.measure in CONTINUOUS
    contrast_first = continuous and request.settings.prefer_adjusted_contrasts
    ordered = (from_contrast, from_arms) if contrast_first else (from_arms, from_contrast)
    usable = next((option for option in ordered if option is not None and option["usable"]), None)
    if usable is not None:
        return usable
    reasons = [option["reason"] for option in (from_arms, from_contrast) if option is not None]
    return refused(record, join(reasons) or "not estimable: no numbers for both arms")


def _from_contrasts(
    tables: ExtractionTables, request: EffectRequest, record: Record, contrasts: pd.DataFrame, time: tuple[float, str]
) -> Record | None:
    """Effect from reported differences (MD) or odds ratios (OR) with an interval; several share the comparator."""
    if contrasts.empty:
        return None
    kept = contrasts.loc[contrasts["excluded"] == ""]
    if kept.empty:
        return refused(record, f"excluded: {join(contrasts['excluded'].unique())}")
    fitting = kept.loc[(kept["measure"] == request.measure) & kept["ci_low"].notna() & kept["ci_high"].notna()]
    if fitting.empty:
        reported = join(kept["measure"].unique(), ", ")
        if reported == "p_only":
            return refused(record, "not estimable: only a P value between arms")
        return refused(record, f"not estimable: difference reported as {reported}, no interval for {request.measure}")
    convert = log_ratio_from_interval if request.measure in RATIO_CONTRASTS else effect_from_interval
    pairs = [
        convert(estimate, low, high)
        for estimate, low, high in fitting[["estimate", "ci_low", "ci_high"]].itertuples(index=False, name=None)
    ]
    yi, vi = np.array([p[0] for p in pairs], float), np.array([p[1] for p in pairs], float)
    arms_1, arms_2 = sorted(fitting["arm_1"].unique()), sorted(fitting["arm_2"].unique())
    record = study_record(tables, request, record["study_id"], arms_1, arms_2, fitting, time)
    se = np.sqrt(vi)
    pooled_vi = float(se.sum() ** 2 * SHARED_COMPARATOR_CORRELATION + vi.sum() * (1 - SHARED_COMPARATOR_CORRELATION))
    derivation = "reported difference with its confidence interval (generic inverse variance)"
    if len(fitting) > 1:
        derivation += f"; mean of {len(fitting)} contrasts that share the comparator, correlation 0.5"
    sizes = _arm_sizes(tables, record["study_id"], arms_1, arms_2)
    return accepted(record, float(yi.mean()), pooled_vi / len(fitting) ** 2, derivation, "reported_contrast", **sizes)


def _arm_sizes(tables: ExtractionTables, study_id: str, arms_1: list[str], arms_2: list[str]) -> dict[str, float]:
    sizes = {}
    for name, arm_ids in (("n1", arms_1), ("n2", arms_2)):
        arms = tables.arms.loc[[(study_id, arm) for arm in arm_ids]]
        n = arms["n_analysed"].fillna(arms["n_randomised"]).astype(float)
        sizes[name] = float(n.sum()) if n.notna().all() else np.nan
    return sizes


def _from_arms(
    tables: ExtractionTables,
    request: EffectRequest,
    record: Record,
    interventions: list[str],
    comparators: list[str],
    rows: pd.DataFrame,
    time: tuple[float, str],
) -> Record | None:
    first, second = rows.loc[rows["arm_id"].isin(interventions)], rows.loc[rows["arm_id"].isin(comparators)]
    if first.empty and second.empty:
        return None
    if first.empty or second.empty:
        missing = "intervention" if first.empty else "comparator"
        return refused(record, f"not estimable: no numbers for the {missing} arm")
    both = pd.concat([first, second])
    kept = both.loc[both["excluded"] == ""]
    if not set(kept["arm_id"]) & set(interventions) or not set(kept["arm_id"]) & set(comparators):
        return refused(record, f"excluded: {join(both['excluded'].unique())}")
    if (kept["unit_of_analysis"] != "patient").any():
        units = join(kept.loc[kept["unit_of_analysis"] != "patient", "unit_of_analysis"].unique(), ", ")
        return refused(record, f"the unit is the {units}, not the patient")
    if request.measure in CONTINUOUS:
        return _from_means(tables, request, record, interventions, comparators, kept, time)
    return _from_counts(tables, request, record, interventions, comparators, kept, time)


def _from_means(
    tables: ExtractionTables,
    request: EffectRequest,
    record: Record,
    interventions: list[str],
    comparators: list[str],
    rows: pd.DataFrame,
    time: tuple[float, str],
) -> Record:
    """Final scores of both arms, else change scores of both; never one against the other."""
    usable = rows.loc[rows["reason_continuous"] == ""]
    for kind, words in (("endpoint", "final scores"), ("change_from_baseline", "change scores")):
        of_kind = usable.loc[usable["kind"] == kind].sort_values("row").drop_duplicates("arm_id")
        first, second = (of_kind.loc[of_kind["arm_id"].isin(arms)] for arms in (interventions, comparators))
        if first.empty or second.empty:
            continue
        n1, m1, sd1 = combine_means(*(first[c].to_numpy(float) for c in ("n_used", "mean_used", "sd_used")))
        n2, m2, sd2 = combine_means(*(second[c].to_numpy(float) for c in ("n_used", "mean_used", "sd_used")))
        effect = escalc(request.measure, m1i=[m1], sd1i=[sd1], n1i=[n1], m2i=[m2], sd2i=[sd2], n2i=[n2])
        used = pd.concat([first, second])
        arms_1, arms_2 = list(first["arm_id"]), list(second["arm_id"])
        record = study_record(tables, request, record["study_id"], arms_1, arms_2, used, time)
        derivation = join([f"{words}: {join(used['derivation'].unique())}", *used["n_note"].unique()])
        if max(len(first), len(second)) > 1:
            derivation += f"; {len(first)} against {len(second)} arms, combined (Cochrane formula)"
        return accepted(
            record, effect["yi"].iloc[0], effect["vi"].iloc[0], derivation, join(used["rule"].unique(), "+"),
            n1=n1, m1=m1, sd1=sd1, n2=n2, m2=m2, sd2=sd2,
        )  # fmt: skip
    return refused(record, join(rows["reason_continuous"].unique()) or "not estimable: scores of different kinds")


def _from_counts(
    tables: ExtractionTables,
    request: EffectRequest,
    record: Record,
    interventions: list[str],
    comparators: list[str],
    rows: pd.DataFrame,
    time: tuple[float, str],
) -> Record:
    usable = rows.loc[rows["reason_binary"] == ""].sort_values("row").drop_duplicates("arm_id")
    first, second = (usable.loc[usable["arm_id"].isin(arms)] for arms in (interventions, comparators))
    if first.empty or second.empty:
        return refused(record, join(rows["reason_binary"].unique()) or "not estimable: counts of one arm only")
    events1, total1 = first["events_used"].sum(), first["total_used"].sum()
    events2, total2 = second["events_used"].sum(), second["total_used"].sum()
    effect = escalc(request.measure, ai=[events1], n1i=[total1], ci=[events2], n2i=[total2])
    used = pd.concat([first, second])
    arms_1, arms_2 = list(first["arm_id"]), list(second["arm_id"])
    record = study_record(tables, request, record["study_id"], arms_1, arms_2, used, time)
    derivation = join([*used["derivation_events"].unique(), *used["n_note"].unique()])
    if events1 + events2 == 0 or (events1 == total1 and events2 == total2):
        return refused(record, f"not estimable: {'no events' if events1 + events2 == 0 else 'all events'} in both arms")
    if min(events1, events2, total1 - events1, total2 - events2) == 0:
        derivation += "; 0.5 added to each cell because one is zero"
    return accepted(
        record, effect["yi"].iloc[0], effect["vi"].iloc[0], derivation, join(used["rule_events"].unique(), "+"),
        n1=total1, events1=events1, n2=total2, events2=events2,
    )  # fmt: skip
