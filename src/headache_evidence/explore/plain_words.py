"""A result in plain language: what was found, in how many people, how sure, and what the reader must not overlook."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.explore.exploration import Exploration
from headache_evidence.figures.measure_scale import MeasureScale
from headache_evidence.figures.number_text import interval_words, number
from headache_evidence.figures.result_words import percent, printed_interval
from headache_evidence.pools.result import PooledResult
from headache_evidence.tables.protocol import Protocol

MIN_K_FOR_A_VERDICT = 3
DIFFERENCES: dict[str, tuple[str, str, int, float]] = {
    "MD": ("lower", "higher", 2, 1.0),
    "SMD": ("lower", "higher", 2, 1.0),
    "MC": ("less than before the treatment", "more than before the treatment", 2, 1.0),
    "RD": ("fewer", "more", 1, 100.0),
}
"""Measures whose sign a reader is not asked to interpret: words below and above 0, decimals, factor."""
UNITS = {"SMD": " standard deviations", "RD": " of 100 patients"}
NO_CONTROL = {
    "before_after": "There is no control group: patients also improve by time and chance, so this is no proof of an "
    "effect.",
    "proportion": "There is no control group: how many would have done as well without the treatment is not known.",
}


def plain_words(exploration: Exploration, protocol: Protocol) -> tuple[str, ...]:
    """Sentences on the result, most important first; plain text, to be escaped where it is shown as HTML."""
    result, question = exploration.pooled, exploration.answer.question
    where = f"{protocol.headache_types[question.headache_type]}: {question.title}."
    if not result.estimable:
        return (where, _nothing(exploration))
    sentences = [where, _found(exploration), *_how_sure(result, MeasureScale(result.measure))]
    if question.stream in NO_CONTROL:
        sentences.append(NO_CONTROL[question.stream])
    return (*sentences, *_doubts(exploration))


def _nothing(exploration: Exploration) -> str:
    reporting = len(exploration.effects)
    if not reporting:
        return "No study of the evidence reports this."
    studies = "One study reports" if reporting == 1 else f"{reporting} studies report"
    return f"{studies} this, but none gives a usable effect. The reasons are listed under Left out."


def _found(exploration: Exploration) -> str:
    result, usable = exploration.pooled, usable_effects(exploration.effects)
    patients = f" with {result.n:.0f} patients" if math.isfinite(result.n) else ""
    lead = f"One study ({usable['label'].iloc[0]})" if result.k == 1 else f"{result.k} studies"
    unit = str(usable["unit"].iloc[0])
    ending = f" than with {_comparators(usable)}" if exploration.settings.stream == "controlled" else ""
    level = percent(result.level)
    if result.measure in DIFFERENCES:
        less, more, decimals, factor = DIFFERENCES[result.measure]
        values = [factor * value for value in (result.estimate, *result.ci)]
        estimate, low, high = (number(abs(value), decimals) for value in values)
        way, low_way, high_way = (less if value < 0 else more for value in values)
        size = f"{estimate}{UNITS.get(result.measure, f' {unit}' if unit else '')}"
        interval = f"from {low} {low_way} to {high} {high_way}"
        return f"{lead}{patients}: on average {size} {way}{ending} ({level} confidence interval {interval})."
    scale = MeasureScale(result.measure)
    estimate = number(float(scale.printed(result.estimate)), scale.decimals)
    ci = interval_words(printed_interval(result.ci, scale), scale.decimals)
    found = f"{estimate} of 100 patients" if result.measure == "PLO" else f"{scale.name.lower()} {estimate}"
    against = f", treatment against {_comparators(usable)}" if ending else ""
    return f"{lead}{patients}: {found}{against} ({level} confidence interval {ci})."


def _comparators(usable: pd.DataFrame) -> str:
    kinds = usable["comparator"].str.split("+").explode()
    return " or ".join(dict.fromkeys(str(kind).replace("_", " ") for kind in kinds if kind)) or "the comparison"


def _how_sure(result: PooledResult, scale: MeasureScale) -> list[str]:
    if result.k == 1:
        return ["Nothing is pooled, and one study cannot show how much results vary."]
    if result.k < MIN_K_FOR_A_VERDICT:
        return ["Two studies are too few to say how much results vary; a verdict is not given."]
    sentences = []
    if scale.null is not None:
        low, high = result.ci
        excludes = low > 0 or high < 0
        sentences.append(f"The interval {'leaves out' if excludes else 'includes'} no effect.")
    low, high = result.prediction_interval
    if math.isfinite(low):
        bounds = interval_words(printed_interval((low, high), scale), scale.decimals)
        sentences.append(f"A new study of the same kind may find anything from {bounds}.")
    return sentences


def _doubts(exploration: Exploration) -> list[str]:
    effects = exploration.effects
    usable = usable_effects(effects)
    sentences = []
    hydrodissection = int((usable["technique"] == "hydrodissection").sum())
    if 0 < hydrodissection < len(usable):
        sentences.append(
            f"Hydrodissection and nerve block are mixed here ({hydrodissection} and {len(usable) - hydrodissection}); "
            "the figure shows them apart."
        )
    high = int(np.isin(usable["risk_of_bias"], ("high", "serious", "critical")).sum())
    if high:
        sentences.append(f"{high} of {len(usable)} {'has' if high == 1 else 'have'} a high risk of bias.")
    missing = len(effects) - len(usable)
    if missing:
        sentences.append(
            f"{missing} more {'study is' if missing == 1 else 'studies are'} left out, each with its reason."
        )
    return sentences
