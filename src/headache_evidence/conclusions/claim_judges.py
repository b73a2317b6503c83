"""How each kind of claim is judged, as a whole and part by part."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from headache_evidence.conclusions import verdicts
from headache_evidence.conclusions.claim_case import Case, arm_pair, effect_studies, effect_words, rated_effects
from headache_evidence.conclusions.claim_contrasts import (
    GUIDED,
    UNKNOWN,
    Contrast,
    comparing_studies,
    contrasts_of,
    differ_only_in,
    tells_of,
)
from headache_evidence.conclusions.grading import certainty, information_size
from headache_evidence.conclusions.harms import event_title
from headache_evidence.conclusions.number_words import count
from headache_evidence.conclusions.thresholds import important_difference
from headache_evidence.pools.exact_intervals import clopper_pearson
from headache_evidence.pools.mantel_haenszel import mantel_haenszel
from headache_evidence.tables.protocol_certainty import Claim

FREQUENCY = ("headache_days", "migraine_days", "attacks")
BY_PARTS = "by its parts, below"
SUMMARIES = ("any", "serious")  # counts that name no kind of event


@dataclass(frozen=True)
class Judged:
    """A claim, or one part of it, as judged for one technique; the whole has no part."""

    part: str
    verdict: str
    why: str
    k: int  # studies whose numbers decide


Judge = Callable[[Claim, str, Case], tuple[Judged, ...]]


def judge_effect(claim: Claim, technique: str, case: Case) -> tuple[Judged, ...]:
    """Against placebo, sham or no block: frequency and severity apart."""

    def chosen(row: pd.Series) -> bool:
        nerves = set(str(row["nerves"]).replace(" ", "").split(";"))
        return bool(row["technique"] == technique and not nerves.isdisjoint(claim.nerves))

    sides = {
        "headache frequency": [name for name in claim.outcomes if name in FREQUENCY],
        "severity": [name for name in claim.outcomes if name not in FREQUENCY],
    }
    parts = []
    for part, outcomes in sides.items():
        found = rated_effects(case, outcomes, ("inactive",), chosen, technique)
        none = f"no usable comparison {case.protocol.comparisons['inactive'].title}"
        verdict = verdicts.effect_verdict(found)
        parts.append(Judged(part, verdict, effect_words(found, case.protocol) or none, effect_studies(found)))
    return _with_whole(parts)


def judge_contrast(claim: Claim, technique: str, case: Case) -> tuple[Judged, ...]:
    """Between arms of one study that differ in one feature alone."""
    parts = [_contrast(claim, technique, case, part) for name in claim.features for part in contrasts_of(name)]
    if claim.adverse_events:
        parts.append(_precision(claim, technique, case))
    return _with_whole(parts)


def _contrast(claim: Claim, technique: str, case: Case, contrast: Contrast) -> Judged:
    def chosen(row: pd.Series) -> bool:
        first, second = arm_pair(case.arms, row)
        if not tells_of(contrast, str(row["design"])):
            return False
        return contrast.holds(first, second) and technique in {str(arm["technique"]) for arm in (*first, *second)}

    found = rated_effects(case, claim.outcomes, ("active_block", "active_procedure"), chosen, technique, contrast.sign)
    judge = verdicts.difference_verdict if contrast.sign is None else verdicts.effect_verdict
    studies = comparing_studies(case.studies, technique, contrast)
    why = effect_words(found, case.protocol)
    if not why and studies:
        why = (
            f"{count(len(studies), 'study compares', 'studies compare')} {contrast.compares}, all else alike "
            f"({', '.join(studies)}), without usable numbers between the arms on these outcomes"
        )
    why = why or f"no study compares {contrast.compares}, all else alike"
    return Judged(contrast.title, judge(found), why, effect_studies(found))


def _precision(claim: Claim, technique: str, case: Case) -> Judged:
    """Misplaced needles with guidance against none, within studies; Mantel-Haenszel odds ratio."""
    part = "precision of placement"
    named = " or ".join(event_title(event) for event in claim.adverse_events)
    rows = case.reports.loc[case.reports["event"].isin(claim.adverse_events) & (case.reports["technique"] == technique)]
    tables, studies = [], []
    for _, group in rows.loc[rows["events"].notna()].groupby(["study_id", "event"]):
        study = str(group["study_id"].iloc[0])
        arms = [case.arms[study, str(arm)] for arm in group["arm_id"]]
        guided = group.loc[[arm["guidance"] in GUIDED for arm in arms]]
        unguided = group.loc[[arm["guidance"] not in (*GUIDED, *UNKNOWN) for arm in arms]]
        if len(guided) and len(unguided) and differ_only_in("guidance", [arms[0]], [arms[-1]]):
            tables.append([float(side[name].sum()) for side in (guided, unguided) for name in ("events", "total")])
            studies.append(study)
    if not tables:
        why = f"no study counts {named} with guidance and without"
        return Judged(part, verdicts.NOT_ASSESSABLE, why, 0)
    ai, n1i, ci, n2i = np.array(tables).T
    pooled = mantel_haenszel(ai=ai, n1i=n1i, ci=ci, n2i=n2i)
    fewer, more = pooled.ci[1] < 0, pooled.ci[0] > 0
    verdict = verdicts.WEAKLY if fewer else verdicts.CONTRADICTED if more else verdicts.NOT_ASSESSABLE
    why = (
        f"{named} in {ai.sum():.0f} of {n1i.sum():.0f} patients with guidance and {ci.sum():.0f} of {n2i.sum():.0f} "
        f"without ({', '.join(dict.fromkeys(studies))})"
    )
    return Judged(part, verdict, why, len(set(studies)))


def judge_harms(claim: Claim, technique: str, case: Case) -> tuple[Judged, ...]:
    """Each named risk, and whether other harms were counted too."""
    own = case.reports.loc[(case.reports["technique"] == technique) & case.reports["events"].notna()]
    parts = [_risk(event, own.loc[own["event"] == event], case) for event in claim.adverse_events]
    kinds = own.loc[~own["event"].isin((*claim.adverse_events, *SUMMARIES))]
    others = {str(event): float(n) for event, n in kinds.groupby("event")["events"].sum().items() if n > 0}
    told = _told_one_by_one(claim, technique, case)
    complete = _no_other_risk(others, told, kinds.loc[kinds["events"] > 0, "study_id"].nunique())
    verdict = verdicts.harms_verdict([part.verdict for part in parts], others=bool(others or told))
    studies = own["study_id"].nunique()
    patients = int(own.groupby("study_id")["total"].max().sum())
    counts = f"{count(studies, 'study', 'studies')} with counts of {count(patients, 'patient', 'patients')}"
    return (
        Judged("", verdict, f"{BY_PARTS}; {counts if studies else 'no study counts a harm'}", studies),
        *parts,
        complete,
    )


def _told_one_by_one(claim: Claim, technique: str, case: Case) -> list[str]:
    """Reports of harm that the protocol names, but for those that the tables code as risks of the claim alone."""
    outcomes = case.evidence.outcomes
    coded = (
        outcomes.loc[~outcomes["adverse_event"].isin(("", *SUMMARIES))].groupby("study_id")["adverse_event"].agg(set)
    )
    found = []
    for study in case.studies:
        named = study.study_id in case.protocol.harms.case_reports
        if named and technique in {arm["technique"] for arm in study.arms}:
            kinds = coded.get(study.study_id, set())
            found += [] if kinds and kinds <= set(claim.adverse_events) else [study.study_id]
    return found


def _no_other_risk(others: Mapping[str, float], told: Sequence[str], studies: int) -> Judged:
    """Whether the list is complete: one event of another kind, counted or told one by one, shows that it is not."""
    words = (
        [f"also counted: {', '.join(f'{event_title(event)} in {n:.0f}' for event, n in others.items())}"]
        if others
        else []
    )
    words += [f"harms reported one by one: {', '.join(told)}"] if told else []
    verdict = verdicts.CONTRADICTED if words else verdicts.NOT_ASSESSABLE
    none = "no other kind of event was counted or reported, which does not exclude one"
    return Judged("no other risk", verdict, "; ".join(words) or none, studies)


def _risk(event: str, rows: pd.DataFrame, case: Case) -> Judged:
    title = event_title(event)
    events, patients, studies = rows["events"].sum(), rows["total"].sum(), rows["study_id"].nunique()
    if not studies:
        return Judged(title, verdicts.NOT_ASSESSABLE, "no study counts it", 0)
    rule = case.protocol.thresholds.get("adverse_event_any")
    rare = rule.per_1000 / 1000 if rule is not None and rule.per_1000 is not None else math.nan
    _, upper = clopper_pearson(events, patients)
    seen = rows.loc[(rows["events"] > 0) & (rows["total"] > 1), "study_id"].nunique()
    why = f"{events:.0f} of {patients:.0f} patients in {count(studies, 'study', 'studies')}"
    if events == 0:
        why += f", upper limit {1000 * float(upper):.0f} per 1000"
    return Judged(title, verdicts.risk_verdict(float(events), seen, float(upper), rare), why, studies)


def judge_long_term(claim: Claim, technique: str, case: Case) -> tuple[Judged, ...]:
    """Whether any study compares arms at the last time, and with what certainty."""
    studies, levels = set(), []
    for item in case.answers:
        if item.question.window in claim.windows and item.question.stream == "controlled":
            rows = item.usable
            own = set(rows.loc[rows["technique"] == technique, "study_id"])
            studies |= own
            levels += [certainty(item, case.protocol, case.evidence).level] if own else []
    when = " and ".join(case.protocol.windows[name].title for name in claim.windows)
    why = f"no study compares arms {when} with usable numbers"
    if studies:
        why = f"{count(len(studies), 'study compares', 'studies compare')} arms {when} with usable numbers"
        best = max(levels, key=verdicts.LEVELS.index).replace("_", " ")
        why += f" ({', '.join(sorted(studies))}; {best} certainty at best)"
    return (Judged("", verdicts.unknown_verdict(levels), why, len(studies)),)


def judge_larger_trials(claim: Claim, technique: str, case: Case) -> tuple[Judged, ...]:
    """Per outcome: randomised patients of the best informed comparison with no active treatment, and those needed."""
    pairs, parts, studies = [], [], set()
    for outcome in claim.outcomes:
        best = (0.0, math.nan)
        threshold = important_difference(outcome, case.protocol, case.evidence.mcid)
        for item in case.answers:
            question = item.question
            asked = (question.outcome, question.design, question.comparison) == (outcome, "randomised", "inactive")
            if not asked or question.intervention != "injection" or not item.pooled.k:
                continue
            needed = information_size(item, case.protocol, threshold)
            own = item.usable
            own = own.loc[own["technique"] == technique]
            patients = float(own["n1"].sum() + own["n2"].sum())
            studies |= set(own["study_id"])
            if math.isfinite(needed) and (math.isnan(best[1]) or patients / needed > best[0] / best[1]):
                best = patients, needed
        pairs.append(best)
        title = case.protocol.outcomes[outcome].title
        size = "number needed not known" if math.isnan(best[1]) else f"{best[1]:.0f} needed"
        parts.append(f"{title}: {best[0]:.0f} patients randomised, {size}")
    return (Judged("", verdicts.size_verdict(pairs), "; ".join(parts), len(studies)),)


def _with_whole(parts: Sequence[Judged]) -> tuple[Judged, ...]:
    """The parts after the claim as a whole, which is judged by them."""
    if len(parts) == 1:
        return (Judged("", parts[0].verdict, parts[0].why, parts[0].k),)
    whole = verdicts.whole_verdict([part.verdict for part in parts])
    return (Judged("", whole, BY_PARTS, max(part.k for part in parts)), *parts)


JUDGES: dict[str, Judge] = {
    "effect": judge_effect,
    "contrast": judge_contrast,
    "harms": judge_harms,
    "long_term": judge_long_term,
    "larger_trials": judge_larger_trials,
}
