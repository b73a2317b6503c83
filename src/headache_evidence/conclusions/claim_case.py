"""What the claims about one headache type are judged by, and the rated effects that bear on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from headache_evidence.conclusions.claim_contrasts import Arm, Arms, ArmsOfStudy, arms_by_study
from headache_evidence.conclusions.grading import better, certainty
from headache_evidence.conclusions.summary_of_findings import absolute_of
from headache_evidence.conclusions.thresholds import important_difference
from headache_evidence.conclusions.verdicts import RatedEffect
from headache_evidence.pools.answers import Answer, answer
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol


@dataclass(frozen=True)
class Case:
    """Evidence, answers and reported harms of one headache type."""

    evidence: Evidence
    protocol: Protocol
    answers: tuple[Answer, ...]
    headache_type: str
    reports: pd.DataFrame  # of harms
    arms: Mapping[tuple[str, str], Arm]  # by study_id and arm_id
    studies: tuple[ArmsOfStudy, ...]  # of the headache type


def case_of(
    evidence: Evidence, protocol: Protocol, answers: Iterable[Answer], headache_type: str, reports: pd.DataFrame
) -> Case:
    """Everything about one headache type. ``reports`` of harms may hold other types too."""
    records: list[Arm] = list(evidence.arms.to_dict("records"))
    return Case(
        evidence=evidence,
        protocol=protocol,
        answers=tuple(answers),
        headache_type=headache_type,
        reports=reports.loc[reports["headache_type"] == headache_type],
        arms={(str(arm["study_id"]), str(arm["arm_id"])): arm for arm in records},
        studies=arms_by_study(evidence, headache_type),
    )


def rated_effects(
    case: Case,
    outcomes: Sequence[str],
    comparisons: Sequence[str],
    chosen: Callable[[pd.Series], bool],
    technique: str,
    sign: Callable[[Arms, Arms], int] | None = None,
) -> list[RatedEffect]:
    """Controlled effects on the outcomes, restricted to the chosen rows, pooled again and rated about the technique.

    Parameters
    ----------
    chosen : tells of a row of the effects table whether it counts.
    sign : of the two sides of a row; effects are turned by it.
    """
    found = []
    for item in case.answers:
        question = item.question
        asked = question.outcome in outcomes and question.comparison in comparisons
        if not asked or question.intervention != "injection" or not item.pooled.k:
            continue
        rows = item.usable
        kept = rows.loc[[chosen(row) for _, row in rows.iterrows()]]
        if kept.empty:
            continue
        if sign is not None:
            turn = [sign(*arm_pair(case.arms, row)) for _, row in kept.iterrows()]
            kept = kept.assign(yi=kept["yi"].astype(float) * turn)
        found.append(_rated_effect(answer(question, kept, case.protocol), case, technique))
    return found


def arm_pair(arms: Mapping[tuple[str, str], Arm], row: pd.Series) -> tuple[Arms, Arms]:
    """The arms on the two sides of an effect."""
    first, second = (
        [arms[str(row["study_id"]), arm] for arm in str(row[side]).split("+") if arm] for side in ("arm_1", "arm_2")
    )
    return first, second


def effect_studies(effects: Sequence[RatedEffect]) -> int:
    """Number of studies behind the effects."""
    return len({study for effect in effects for study in effect.study_ids})


def effect_words(effects: Sequence[RatedEffect], protocol: Protocol) -> str:
    """Each effect with its direction, certainty and studies."""
    return "; ".join(
        f"{protocol.outcomes[e.outcome].title}: {e.direction}, {e.level.replace('_', ' ')} certainty (k = {e.k}: "
        f"{', '.join(e.study_ids)})"
        for e in effects
    )


def _rated_effect(own: Answer, case: Case, technique: str) -> RatedEffect:
    threshold = important_difference(own.question.outcome, case.protocol, case.evidence.mcid)
    absolute = absolute_of(own)
    estimate, ci = own.pooled.estimate, own.pooled.ci
    if absolute is not None:
        estimate, ci = absolute.difference, absolute.difference_ci
    usable_threshold = threshold.per_1000 == (absolute is not None)
    if better(own) == "lower":
        estimate, ci = -estimate, (-ci[1], -ci[0])
    return RatedEffect(
        outcome=own.question.outcome,
        study_ids=tuple(own.usable["study_id"]),
        k=own.pooled.k,
        benefit=estimate,
        ci=ci,
        threshold=threshold.size if usable_threshold else math.nan,
        level=certainty(own, case.protocol, case.evidence, about=technique).level,
    )
