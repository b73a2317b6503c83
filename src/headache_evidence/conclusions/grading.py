"""The certainty of one answer: the domains computed from its effects, replaced only by reasoned judgements."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from headache_evidence.conclusions.absolute_effects import AbsoluteEffect, absolute_effect, median_comparator_risk
from headache_evidence.conclusions.downgrading import (
    excludes,
    imprecision,
    imprecision_of_share,
    inconsistency,
    indirectness,
    publication_bias,
    risk_of_bias,
)
from headache_evidence.conclusions.judgement import (
    DOMAINS,
    NO_EVIDENCE,
    Certainty,
    DomainJudgement,
    level_after,
    signed,
)
from headache_evidence.conclusions.thresholds import ImportantDifference, important_difference
from headache_evidence.conclusions.upgrading import dose_response, large_effect, not_applicable, residual_confounding
from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.errors import InputError
from headache_evidence.pools.answers import Answer
from headache_evidence.pools.meta_regression import meta_regression
from headache_evidence.pools.planning import required_information_size
from headache_evidence.pools.result import NOT_ESTIMABLE, Interval
from headache_evidence.pools.small_study_tests import egger
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol

Z95 = 1.959963984540054


def certainty(
    answer: Answer, protocol: Protocol, evidence: Evidence | None = None, *, about: str = "",
    judgements: pd.DataFrame | None = None,
) -> Certainty:  # fmt: skip
    """Rate the certainty of the evidence behind one answer.

    Parameters
    ----------
    answer : from ``answer_questions``.
    evidence : gives mcid.csv and certainty_judgements.csv; without it thresholds from mcid.csv cannot be used and are
        left out, and no judgement replaces a computed one.
    about : technique that the conclusion is about; studies of other techniques then count as indirect.
    judgements : in place of ``evidence.certainty_judgements``.

    Raises
    ------
    InputError
        when a judgement names an unknown domain, is out of range or lacks its reason.
    """
    question = answer.question
    start = getattr(protocol.certainty.start, question.design or question.stream)
    if answer.pooled.k == 0:
        return Certainty(question.question_id, start, NO_EVIDENCE, (), 0)
    if judgements is None and evidence is not None:
        judgements = evidence.certainty_judgements
    threshold = _threshold(answer, protocol, evidence)
    lowered = _lowering(answer, protocol, threshold, about)
    computed = (*lowered, *_raising(answer, protocol, lowered))
    own = _judgements_of(question.question_id, judgements) if judgements is not None else ()
    domains = with_judgements(computed, own)
    level = level_after(start, sum(domain.levels for domain in domains))
    return Certainty(question.question_id, start, level, domains, answer.pooled.k)


def certainties(answers: Iterable[Answer], protocol: Protocol, evidence: Evidence) -> dict[str, Certainty]:
    """The certainty of every answer by question_id.

    Raises
    ------
    InputError
        when a row of certainty_judgements.csv names a question that the protocol does not ask.
    """
    judged = set(evidence.certainty_judgements["question_id"])
    types = {question_id.partition(".")[0] for question_id in judged} & set(protocol.headache_types)
    unknown = sorted(judged - {question.question_id for name in types for question in protocol.questions_for(name)})
    if unknown:
        raise InputError(f"certainty_judgements.csv judges questions that the protocol does not ask: {unknown}.")
    return {answer.question.question_id: certainty(answer, protocol, evidence) for answer in answers}


def _judgements_of(question_id: str, judgements: pd.DataFrame) -> Sequence[Mapping[Hashable, Any]]:
    """The rows of certainty_judgements.csv on one question."""
    own = judgements["question_id"].to_numpy() == question_id
    return judgements.loc[own].to_dict("records") if own.any() else ()


def with_judgements(
    computed: Iterable[DomainJudgement], judgements: Iterable[Mapping[Hashable, Any]]
) -> tuple[DomainJudgement, ...]:
    """The domains with reviewers' judgements in place; each shows its reason and what the rule had given."""
    domains = {domain.domain: domain for domain in computed}
    for row in judgements:
        name, levels = str(row["domain"]), int(row["levels"])
        if name not in domains:
            raise InputError(f"{row['question_id']}: unknown domain {name!r}; known: {', '.join(DOMAINS)}.")
        allowed = range(-3, 1) if name in DOMAINS[:5] else range(3)
        if levels not in allowed or not str(row["reason"]).strip():
            span = f"levels from {allowed[0]} to {allowed[-1]}"
            raise InputError(f"{row['question_id']}, {name}: a judgement needs a reason and {span}.")
        rule = domains[name]
        words = (
            f"{row['reason']} (judged by {row['judged_by']}, {row['judged_on']}; the rule gives "
            f"{signed(rule.levels)}: {rule.reason})"
        )
        domains[name] = DomainJudgement(name, levels, words, overridden=True)
    return tuple(domains.values())


def _threshold(answer: Answer, protocol: Protocol, evidence: Evidence | None) -> ImportantDifference:
    outcome = answer.question.outcome
    rule = protocol.thresholds.get(outcome)
    if evidence is None and rule is not None and rule.mcid:
        return ImportantDifference(outcome, math.nan, "", "none", "mcid.csv was not given")
    return important_difference(outcome, protocol, evidence.mcid if evidence is not None else pd.DataFrame())


def _lowering(
    answer: Answer, protocol: Protocol, threshold: ImportantDifference, about: str
) -> tuple[DomainJudgement, ...]:
    rules, question, pooled = protocol.certainty, answer.question, answer.pooled
    randomised = question.design == "randomised"
    rows = answer.usable
    weights = study_weights(answer, rows)
    scale = measure_scale(question.measure)
    yi, half = rows["yi"].to_numpy(float), Z95 * np.sqrt(rows["vi"].to_numpy(float))
    intervals = list(zip((yi - half).tolist(), (yi + half).tolist(), strict=True))
    n1, n2 = (rows[name].to_numpy(float, na_value=np.nan) for name in ("n1", "n2"))
    sizes = (n1 + np.nan_to_num(n2)).tolist()
    asymmetry = egger(rows, min_k=protocol.small_study_effects.min_k) if not math.isnan(scale.null) else None
    egger_p = asymmetry.p_value if asymmetry is not None and asymmetry.assessable else math.nan
    precise = (
        imprecision_of_share(_pair(scale.back_transform(pooled.ci)), pooled.n, rules.imprecision)
        if scale.percent
        else _imprecision(answer, protocol, threshold)
    )
    return (
        risk_of_bias(list(rows["risk_of_bias"]), weights, rules.risk_of_bias, randomised=randomised),
        inconsistency(intervals, pooled.i2, pooled.ci, pooled.prediction_interval, scale.null, rules.inconsistency),
        indirectness(
            question.intervention, list(rows["comparator"]), list(rows["technique"]), question.headache_type, weights,
            rules.indirectness, about,
        ),
        precise,
        publication_bias(sizes, egger_p, is_favourable(answer), rules.publication_bias),
    )  # fmt: skip


def _raising(answer: Answer, protocol: Protocol, lowered: Iterable[DomainJudgement]) -> tuple[DomainJudgement, ...]:
    question = answer.question
    if question.design == "randomised":
        return not_applicable("randomised trials start high")
    if question.stream != "controlled":
        return not_applicable("without a comparison group there is nothing to rate up")
    down = [domain.domain.replace("_", " ") for domain in lowered if domain.levels < 0]
    if down:
        return not_applicable(f"rated down for {', '.join(down)}")
    rows = answer.usable
    stated = rows.loc[rows["volume_ml"].notna()]
    rules = protocol.certainty.upgrading
    p_value = math.nan
    if len(stated) >= rules.dose_response_min_k and stated["volume_ml"].nunique() > 1:
        p_value = meta_regression(stated, moderators=["volume_ml"]).qm_p
    return (
        large_effect(*_risk_ratio(answer), rules),
        dose_response(len(stated), p_value, rules),
        residual_confounding(),
    )


def _risk_ratio(answer: Answer) -> tuple[float, Interval]:
    """Risk ratio with its interval at the median comparator risk; NaN without counts."""
    base = median_comparator_risk(answer.effects) if answer.question.measure in ("OR", "RR") else math.nan
    if not 0 < base < 1:
        return math.nan, NOT_ESTIMABLE
    effect = absolute_effect_of(answer, base)
    return effect.intervention / effect.comparator, (
        effect.intervention_ci[0] / effect.comparator,
        effect.intervention_ci[1] / effect.comparator,
    )


def absolute_effect_of(answer: Answer, base: float) -> AbsoluteEffect:
    """Patients per 1000 at a comparator risk, from the pooled ratio."""
    pooled, measure = answer.pooled, answer.question.measure
    return absolute_effect(base, math.exp(pooled.estimate), _pair(np.exp(pooled.ci)), measure)


def _imprecision(answer: Answer, protocol: Protocol, threshold: ImportantDifference) -> DomainJudgement:
    """Differences in the outcome's unit; ratios as patients per 1000 where the comparator's risk is known."""
    pooled, needed = answer.pooled, information_size(answer, protocol, threshold)
    if threshold.per_1000:
        base = median_comparator_risk(answer.effects)
        if not 0 < base < 1:
            return imprecision(pooled.ci, math.nan, pooled.n, needed)
        return imprecision(absolute_effect_of(answer, base).difference_ci, threshold.size, pooled.n, needed, "per 1000")
    return imprecision(pooled.ci, threshold.size, pooled.n, needed, threshold.unit)


def information_size(answer: Answer, protocol: Protocol, threshold: ImportantDifference) -> float:
    """Patients that one adequately powered study would need (optimal information size); NaN when not known."""
    rules, rows = protocol.certainty.imprecision, answer.usable
    power = {"alpha": rules.alpha, "power": rules.power}
    if answer.question.measure in ("OR", "RR"):
        base = median_comparator_risk(answer.effects)
        if not 0 < base < 1:
            return math.nan
        target = base + threshold.size / 1000 if threshold.per_1000 else math.nan
        if not 0 < target < 1:
            target = base * rules.ratio / (1 - base + base * rules.ratio)
        return required_information_size(control_risk=base, intervention_risk=target, **power).n
    sd = patient_sd(rows)
    if not math.isfinite(sd):
        return math.nan
    delta = threshold.size if math.isfinite(threshold.size) else rules.standardised_difference * sd
    both = required_information_size(delta, sd=sd, **power).n
    return both if answer.question.stream == "controlled" else math.ceil(both / 4)


def patient_sd(rows: pd.DataFrame) -> float:
    """SD per patient that the sampling variances imply, median over studies; NaN without sample sizes."""
    n1, n2 = (rows[name].astype(float).to_numpy() for name in ("n1", "n2"))
    implied = rows["vi"].to_numpy(float) * np.where(np.isnan(n2), n1, n1 * n2 / (n1 + n2))
    return float(np.sqrt(np.nanmedian(implied))) if np.isfinite(implied).any() else math.nan


def study_weights(answer: Answer, rows: pd.DataFrame) -> list[float]:
    """Weights of the pool; patients where the model gives none."""
    weights = list(answer.pooled.weights)
    if len(weights) == len(rows) and all(map(math.isfinite, weights)):
        return weights
    return (rows["n1"].astype(float).fillna(1) + rows["n2"].astype(float).fillna(0)).tolist()


def is_favourable(answer: Answer) -> bool:
    """Whether the pooled interval lies wholly on the side that is good for the patient."""
    null = measure_scale(answer.question.measure).null
    if math.isnan(null) or not excludes(answer.pooled.ci, null):
        return False
    return (answer.pooled.estimate > null) == (better(answer) == "higher")


def better(answer: Answer) -> Literal["lower", "higher"]:
    """Which direction is good for the patient."""
    return "higher" if answer.effects["better"].iloc[0] == "higher" else "lower"


def _pair(values: object) -> Interval:
    low, high = np.asarray(values, dtype=float)
    return float(low), float(high)


def domain_rows(ratings: Mapping[str, Certainty]) -> pd.DataFrame:
    """One row per question and domain."""
    rows = [
        {"question_id": name, "level": rating.level, "domain": domain.domain, "judgement": domain.words,
         "levels": domain.levels, "reason": domain.reason, "overridden": domain.overridden}
        for name, rating in ratings.items()
        for domain in rating.domains
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["question_id", "level", "domain", "judgement", "levels", "reason", "overridden"])
