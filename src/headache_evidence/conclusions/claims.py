"""The claims of the protocol against the results of one headache type: direct evidence first, indirect beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from headache_evidence.conclusions import verdicts
from headache_evidence.conclusions.grading import better, certainty, information_size
from headache_evidence.conclusions.harms import harm_reports
from headache_evidence.conclusions.summary_of_findings import absolute_of
from headache_evidence.conclusions.thresholds import important_difference
from headache_evidence.conclusions.verdicts import RatedEffect
from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.pools.answers import Answer, answer
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol
from headache_evidence.tables.protocol_certainty import Claim

FEATURES = ("technique", "guidance", "nerves", "injectate")
GUIDED = ("ultrasound", "mri", "ct", "fluoroscopy")
UNKNOWN = ("", "not_reported")


@dataclass(frozen=True)
class AuditedClaim:
    """A claim with its verdict, the studies of the technique itself, and what indirect evidence says."""

    name: str
    text: str
    verdict: str
    why: str
    direct_studies: tuple[str, ...]  # studies of the technique in this headache type, of any design
    deciding_k: int  # studies of the technique whose numbers decide the verdict
    indirect_studies: int
    indirect_verdict: str
    indirect_why: str


@dataclass(frozen=True)
class _Case:
    """What every claim of a headache type is judged by."""

    evidence: Evidence
    protocol: Protocol
    answers: tuple[Answer, ...]
    headache_type: str
    reports: pd.DataFrame  # of harms


def audit_claims(
    evidence: Evidence,
    protocol: Protocol,
    answers: Iterable[Answer],
    headache_type: str,
    harms: pd.DataFrame | None = None,
) -> tuple[AuditedClaim, ...]:
    """Every claim that bears on the headache type with its computed verdict.

    Parameters
    ----------
    answers : of the same headache type, from ``answer_questions``.
    harms : from ``harm_reports``; made from the evidence when None.
    """
    reports = harm_reports(evidence, protocol) if harms is None else harms
    reports = reports.loc[reports["headache_type"] == headache_type]
    case = _Case(evidence, protocol, tuple(answers), headache_type, reports)
    asked = {name: claim for name, claim in protocol.claims.items() if claim.headache_type in ("", headache_type)}
    return tuple(_audit(name, claim, case) for name, claim in asked.items())


def studies_of(evidence: Evidence, headache_type: str, technique: str, nerves: Sequence[str] = ()) -> tuple[str, ...]:
    """Studies of the headache type with an arm of the technique (at one of the nerves, when given)."""
    arms = evidence.arms.loc[evidence.arms["technique"] == technique]
    if nerves:
        arms = arms.loc[[not set(names.split(";")).isdisjoint(nerves) for names in arms["nerves"]]]
    of_type = evidence.studies.loc[evidence.studies["headache_type"] == headache_type, "study_id"]
    return tuple(sorted(set(arms["study_id"]) & set(of_type)))


def _audit(name: str, claim: Claim, case: _Case) -> AuditedClaim:
    judge = JUDGES[claim.kind]
    verdict, why, controlled = judge(claim, claim.technique, case)
    indirect, indirect_why, _ = judge(claim, claim.indirect_technique, case)
    indirect_studies = studies_of(case.evidence, case.headache_type, claim.indirect_technique, claim.nerves)
    return AuditedClaim(
        name=name,
        text=claim.text,
        verdict=verdict,
        why=why,
        direct_studies=studies_of(case.evidence, case.headache_type, claim.technique, claim.nerves),
        deciding_k=controlled,
        indirect_studies=len(indirect_studies),
        indirect_verdict=indirect,
        indirect_why=indirect_why,
    )


def _effect(claim: Claim, technique: str, case: _Case) -> tuple[str, str, int]:
    """Against placebo, sham or no block."""

    def chosen(row: pd.Series) -> bool:
        nerves = set(str(row["nerves"]).replace(" ", "").split(";"))
        return bool(row["technique"] == technique and not nerves.isdisjoint(claim.nerves))

    effects = _rated(case, claim.outcomes, "inactive", chosen, technique)
    none = f"no usable comparison {case.protocol.comparisons['inactive'].title}"
    return verdicts.effect_verdict(effects), _words(effects, case.protocol) or none, _studies(effects)


def _contrast(claim: Claim, technique: str, case: _Case) -> tuple[str, str, int]:
    """Between arms of one study that differ in one of the features alone."""
    arms = case.evidence.arms.set_index(["study_id", "arm_id"])
    found = []
    for feature in claim.features:
        sign = _guided_first if feature == "guidance" else None

        def chosen(row: pd.Series, feature: str = feature) -> bool:
            return differ_only_in(feature, *_arm_pair(arms, row)) and technique in _techniques(arms, row)

        found += _rated(case, claim.outcomes, "active_block", chosen, technique, arms, sign)
    judge = verdicts.effect_verdict if claim.features == ("guidance",) else verdicts.difference_verdict
    none = f"no study compares arms that differ in {' or '.join(claim.features)} alone"
    return judge(found), _words(found, case.protocol) or none, _studies(found)


def _harms(claim: Claim, technique: str, case: _Case) -> tuple[str, str, int]:
    reports = case.reports
    own = reports.loc[(reports["technique"] == technique) & reports["events"].notna()]
    counts = own.loc[own["event"] != "any"].groupby("event")["events"].sum()
    named = {event: float(counts.get(event, math.nan)) for event in claim.adverse_events}
    others = {str(event): float(count) for event, count in counts.items() if event not in claim.adverse_events}
    seen = [f"{event.replace('_', ' ')} in {count:.0f}" for event, count in (named | others).items() if count > 0]
    never = [event.replace("_", " ") for event, count in named.items() if math.isnan(count)]
    parts = [f"counted: {', '.join(seen)}" if seen else "no event counted"]
    parts += [f"never counted: {', '.join(never)}"] if never else []
    patients = own.groupby("study_id")["total"].max().sum()
    parts.append(f"{own['study_id'].nunique()} studies with counts, {patients:.0f} patients")
    return verdicts.harms_verdict(named, others), "; ".join(parts), own["study_id"].nunique()


def _long_term(claim: Claim, technique: str, case: _Case) -> tuple[str, str, int]:
    rows = [
        usable_effects(item.effects)
        for item in case.answers
        if item.question.window in claim.windows and item.question.stream == "controlled"
    ]
    studies = {study for table in rows for study in table.loc[table["technique"] == technique, "study_id"]}
    when = " and ".join(case.protocol.windows[name].title for name in claim.windows)
    why = f"{len(studies)} studies compare arms {when}"
    return (verdicts.CONTRADICTED if studies else verdicts.SUPPORTED), why, len(studies)


def _larger_trials(claim: Claim, technique: str, case: _Case) -> tuple[str, str, int]:
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
            own = usable_effects(item.effects)
            own = own.loc[own["technique"] == technique]
            patients = float(own["n1"].sum() + own["n2"].sum())
            studies |= set(own["study_id"])
            if math.isfinite(needed) and (math.isnan(best[1]) or patients / needed > best[0] / best[1]):
                best = patients, needed
        pairs.append(best)
        title = case.protocol.outcomes[outcome].title
        size = "needed not known" if math.isnan(best[1]) else f"{best[1]:.0f} needed"
        parts.append(f"{title}: {best[0]:.0f} patients randomised, {size}")
    return verdicts.size_verdict(pairs), "; ".join(parts), len(studies)


def differ_only_in(feature: str, first: Sequence[pd.Series], second: Sequence[pd.Series]) -> bool:
    """Whether two sets of arms differ in one feature, both known, and in no other known one."""

    def values(arms: Sequence[pd.Series], name: str) -> set[str]:
        return {str(arm[name]) for arm in arms}

    own = values(first, feature), values(second, feature)
    if own[0] & own[1] or any(value in UNKNOWN for value in own[0] | own[1]):
        return False
    return all(values(first, name) == values(second, name) for name in FEATURES if name != feature)


def _rated(
    case: _Case,
    outcomes: Sequence[str],
    comparison: str,
    chosen: Callable[[pd.Series], bool],
    technique: str,
    arms: pd.DataFrame | None = None,
    sign: Callable[[Sequence[pd.Series], Sequence[pd.Series]], int] | None = None,
) -> list[RatedEffect]:
    """Controlled effects on the outcomes, restricted to the chosen rows, pooled again and rated about the technique."""
    found = []
    for item in case.answers:
        question = item.question
        if (
            question.outcome not in outcomes
            or question.comparison != comparison
            or question.intervention != "injection"
        ):
            continue
        rows = usable_effects(item.effects)
        kept = rows.loc[[chosen(row) for _, row in rows.iterrows()]] if len(rows) else rows
        if kept.empty:
            continue
        if sign is not None and arms is not None:
            turn = [sign(*_arm_pair(arms, row)) for _, row in kept.iterrows()]
            kept = kept.assign(yi=kept["yi"].astype(float) * turn)
        own = answer(question, kept, case.protocol)
        found.append(_rated_effect(own, case.protocol, case.evidence, technique))
    return found


def _rated_effect(own: Answer, protocol: Protocol, evidence: Evidence, technique: str) -> RatedEffect:
    threshold = important_difference(own.question.outcome, protocol, evidence.mcid)
    absolute = absolute_of(own)
    estimate, ci = own.pooled.estimate, own.pooled.ci
    if absolute is not None:
        estimate, ci = absolute.difference, absolute.difference_ci
    usable_threshold = threshold.per_1000 == (absolute is not None)
    if better(own) == "lower":
        estimate, ci = -estimate, (-ci[1], -ci[0])
    return RatedEffect(
        outcome=own.question.outcome,
        study_ids=tuple(usable_effects(own.effects)["study_id"]),
        k=own.pooled.k,
        benefit=estimate,
        ci=ci,
        threshold=threshold.size if usable_threshold else math.nan,
        level=certainty(own, protocol, evidence, about=technique).level,
    )


def _arm_pair(arms: pd.DataFrame, row: pd.Series) -> tuple[list[pd.Series], list[pd.Series]]:
    first, second = (
        [arms.loc[(row["study_id"], arm)] for arm in str(row[side]).split("+") if arm] for side in ("arm_1", "arm_2")
    )
    return first, second


def _techniques(arms: pd.DataFrame, row: pd.Series) -> set[str]:
    return {str(arm["technique"]) for side in _arm_pair(arms, row) for arm in side}


def _guided_first(first: Sequence[pd.Series], second: Sequence[pd.Series]) -> int:
    """-1 when the comparator is the guided arm, so that a benefit is one of guidance."""
    guided = all(str(arm["guidance"]) in GUIDED for arm in second)
    return -1 if guided and not all(str(arm["guidance"]) in GUIDED for arm in first) else 1


def _studies(effects: Sequence[RatedEffect]) -> int:
    return len({study for effect in effects for study in effect.study_ids})


def _words(effects: Sequence[RatedEffect], protocol: Protocol) -> str:
    return "; ".join(
        f"{protocol.outcomes[e.outcome].title}: {e.direction}, {e.level.replace('_', ' ')} certainty (k = {e.k}: "
        f"{', '.join(e.study_ids)})"
        for e in effects
    )


JUDGES: dict[str, Callable[[Claim, str, _Case], tuple[str, str, int]]] = {
    "effect": _effect,
    "contrast": _contrast,
    "harms": _harms,
    "long_term": _long_term,
    "larger_trials": _larger_trials,
}
