"""One sentence per result, by effect size and certainty: GRADE's informative statements in our words.

Santesso N et al. (2020), Journal of Clinical Epidemiology 119:126-135 (GRADE guidelines 26).
"""

from __future__ import annotations

import math

import numpy as np

from headache_evidence.conclusions.absolute_effects import AbsoluteEffect
from headache_evidence.conclusions.downgrading import excludes
from headache_evidence.conclusions.judgement import NO_EVIDENCE, Certainty
from headache_evidence.conclusions.number_words import (
    difference_words,
    in_sentence,
    more_or_fewer_words,
    ratio_number,
    span,
)
from headache_evidence.conclusions.thresholds import ImportantDifference
from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.pools.answers import Answer
from headache_evidence.pools.exact_intervals import clopper_pearson
from headache_evidence.pools.result import Interval
from headache_evidence.tables.protocol import Protocol

TECHNIQUES = {"hydrodissection": "hydrodissection", "perineural_block": "nerve block", "topical_block": "topical block"}
NO_COMPARISON = "Without a comparison group this cannot be told from the natural course"
NOT_ESTIMABLE_WORDS = "not estimable"
NOT_STATED = "the comparator's risk is not shown"


def statement(
    answer: Answer, rating: Certainty, threshold: ImportantDifference, absolute: AbsoluteEffect | None,
    protocol: Protocol,
) -> str:  # fmt: skip
    """The result in one or two sentences that say no more than size, interval and certainty allow.

    Parameters
    ----------
    threshold : smallest effect that matters. absolute : patients per 1000; None for differences, or without risk.
    """
    question, pooled = answer.question, answer.pooled
    scale = measure_scale(question.measure)
    title = in_sentence(protocol.outcomes[question.outcome].title)
    outcome = f'the number of patients with the outcome "{title}"' if scale.ratio or scale.percent else title
    if rating.level == NO_EVIDENCE:
        return f"No usable study reports on {title}."
    who, counted = intervention_words(answer), f"k = {pooled.k}, n = {pooled.n:.0f}"
    counted_alone = question.stream == "proportion" and share_words(answer) != NOT_ESTIMABLE_WORDS
    if not pooled.estimable and not counted_alone:
        return f"After {who} the evidence allows no estimate of {outcome} ({counted})."
    if question.stream != "controlled":
        found = _without_comparison(answer, title)
        return f"After {who}, {found} ({counted}). {NO_COMPARISON} ({rating.words} certainty)."
    comparison = protocol.comparisons[str(question.comparison)].title.replace("against", "compared with", 1)
    size, limits = (pooled.estimate, pooled.ci) if absolute is None else (absolute.difference, absolute.difference_ci)
    same_scale = threshold.per_1000 == (absolute is not None)
    detail = _detail(answer, absolute)
    if rating.level == "very_low":
        return (
            f"It is very uncertain whether {who} changes {outcome}; {comparison} the estimate is {detail} ({counted})."
        )
    verb = _verb(rating.level, size_class(size, limits, threshold.size if same_scale else math.nan), size < 0)
    subject = who[0].upper() + who[1:]
    return f"{subject} {verb} {outcome}; {comparison} it is {detail} ({counted}; {rating.words} certainty)."


def _without_comparison(answer: Answer, title: str) -> str:
    pooled = answer.pooled
    if answer.question.stream == "before_after":
        return f"{title} was {difference_words(pooled.estimate, pooled.ci)} than before"
    return f'{share_words(answer)} had the outcome "{title}"'


def share_words(answer: Answer) -> str:
    """'421 of 1000 patients (95% CI 50 to 910)', or that it is not estimable.

    Where none or all of the counted patients had the event, the count with its exact interval: a share that half an
    event was added to would tell of events that nobody had.
    """
    scale, pooled = measure_scale(answer.question.measure), answer.pooled
    rows = answer.usable
    events, total = (float(rows[name].astype(float).sum(skipna=False)) for name in ("events1", "n1"))
    if total > 0 and events in (0.0, total):
        low, high = (1000 * float(limit) for limit in clopper_pearson(events, total))
        return (
            f"{'none' if events == 0 else 'all'} of {total:.0f} patients (exact 95% CI {low:.0f} to {high:.0f} of 1000)"
        )
    if not pooled.estimable:
        return NOT_ESTIMABLE_WORDS
    low, high = 10 * np.asarray(scale.back_transform(pooled.ci), dtype=float)
    share = 10 * float(scale.back_transform(pooled.estimate))
    return f"{share:.0f} of 1000 patients{span(float(low), float(high))}"


def intervention_words(answer: Answer) -> str:
    """The techniques of the usable studies in words."""
    present = answer.usable["technique"].unique()
    return " or ".join(words for name, words in TECHNIQUES.items() if name in present) or "the procedure"


def per_1000_words(absolute: AbsoluteEffect) -> str:
    """'379 more of 1000 patients (95% CI 31 more to 718 more)'."""
    return more_or_fewer_words(absolute.difference, absolute.difference_ci)


def ratio_words(answer: Answer) -> str:
    """'6.92 (95% CI 1.29 to 37.29)'; what cannot be told from 0 or infinity is named so."""
    scale, pooled = measure_scale(answer.question.measure), answer.pooled
    low, high = (float(value) for value in np.asarray(scale.back_transform(pooled.ci), dtype=float))
    limits = (
        f" (95% CI {ratio_number(low)} to {ratio_number(high)})" if math.isfinite(low) and math.isfinite(high) else ""
    )
    return f"{ratio_number(float(scale.back_transform(pooled.estimate)))}{limits}"


def size_class(size: float, ci: Interval, threshold: float) -> str:
    """important, small, trivial, or unclear: by the estimate against the threshold.

    Half the threshold divides small from trivial. Without a threshold an effect is 'present' when its interval
    excludes no effect, else unclear.
    """
    if math.isnan(threshold):
        return "present" if excludes(ci, 0.0) else "unclear"
    share = abs(size) / threshold
    return "important" if share >= 1 else "small" if share >= 0.5 else "trivial"


def _verb(level: str, kind: str, falls: bool) -> str:
    """The verb by certainty (high, moderate, low) and size of the effect."""
    modal = {"high": "", "moderate": "probably ", "low": "may "}[level]
    ending = "" if level == "low" else "s"
    if kind == "trivial":
        return f"{modal}make{ending} little or no difference to"
    if kind == "unclear":
        return f"{modal}lower{ending} or raise{ending}"
    verb = f"{modal}{'lower' if falls else 'raise'}{ending}"
    return f"{verb} slightly" if kind == "small" else verb


def _detail(answer: Answer, absolute: AbsoluteEffect | None) -> str:
    if absolute is not None:
        return per_1000_words(absolute)
    scale, pooled = measure_scale(answer.question.measure), answer.pooled
    if scale.ratio:
        return f"{scale.title.lower()} {ratio_words(answer)}; {NOT_STATED}"
    return difference_words(pooled.estimate, pooled.ci)
