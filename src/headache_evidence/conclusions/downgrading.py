"""The five GRADE domains that lower certainty, as pure functions from numbers and declared rules to a judgement.

Guyatt GH et al. (2011), Journal of Clinical Epidemiology 64:407-415 (risk of bias), 1277-1282 (publication bias),
1283-1293 (imprecision), 1294-1302 (inconsistency), 1303-1310 (indirectness); Zeng L et al. (2022), the same
150:216-224 (imprecision in a target range, three levels).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from headache_evidence.conclusions.judgement import DomainJudgement
from headache_evidence.pools.result import Interval
from headache_evidence.tables.protocol_certainty import (
    ImprecisionRules,
    InconsistencyRules,
    IndirectnessRules,
    PublicationBiasRules,
    RiskOfBiasRules,
)


def risk_of_bias(
    judgements: Sequence[str], weights: Sequence[float], rules: RiskOfBiasRules, *, randomised: bool
) -> DomainJudgement:
    """Risk of bias by share of the pool's weight.

    Parameters
    ----------
    judgements, weights : overall judgement and weight of each of the k studies.
    randomised : evidence that starts low is lowered once at most, and only for studies at high risk.
    """
    high = share(weights, [word in rules.high for word in judgements])
    not_low = share(weights, [word not in rules.low for word in judgements])
    words = f"{'no' if high == 0 else f'{_percent(high)} of the'} weight is at high risk of bias"
    if not randomised:
        return DomainJudgement("risk_of_bias", -1 if high >= rules.serious_share_high else 0, words)
    if round(100 * (not_low - high)) > 0:
        words += f", {_percent(not_low - high)} neither at high nor at low risk"
    levels = -2 if high >= rules.very_serious_share_high else -1 if not_low >= rules.serious_share_not_low else 0
    return DomainJudgement("risk_of_bias", levels, words)


def inconsistency(
    intervals: Sequence[Interval],
    i2: float,
    ci: Interval,
    prediction_interval: Interval,
    null: float,
    rules: InconsistencyRules,
) -> DomainJudgement:
    """Disagreement between studies: I2, overlap of the study intervals, and a prediction interval that turns the sign.

    Parameters
    ----------
    intervals : 95% interval of each of the k studies. i2 : percent.
    ci, prediction_interval : of the pool, NaN when not estimable. null : value of no effect, NaN when there is none.
    """
    if len(intervals) < 2:
        return DomainJudgement("inconsistency", 0, "one study: agreement cannot be judged")
    overlap = overlapping_share(intervals)
    words = f"I2 is {i2:.0f}%, {_percent(overlap)} of the pairs of study intervals overlap"
    if i2 >= rules.i2_very_serious and overlap < rules.overlap_very_serious:
        return DomainJudgement("inconsistency", -2, words)
    turned = (
        excludes(ci, null) and not excludes(prediction_interval, null) and all(map(math.isfinite, prediction_interval))
    )
    if turned:
        words += "; the prediction interval reaches no effect although the interval of the mean does not"
    return DomainJudgement("inconsistency", -1 if i2 >= rules.i2_serious or turned else 0, words)


def indirectness(
    intervention: str,
    comparators: Sequence[str],
    techniques: Sequence[str],
    population: str,
    weights: Sequence[float],
    rules: IndirectnessRules,
    about: str = "",
) -> DomainJudgement:
    """Evidence on another technique, comparator or population than asked; two levels at most.

    Parameters
    ----------
    intervention, population : of the question. comparators, techniques, weights : of each of the k studies.
    about : technique of the conclusion to be drawn; studies of other techniques are then indirect.
    """
    reasons = []
    if intervention in rules.interventions:
        reasons.append(rules.interventions[intervention])
    other = share(weights, [bool(about) and technique != about for technique in techniques])
    if about and other >= rules.share:
        reasons.append(f"{_percent(other)} of the weight comes from another technique than {about.replace('_', ' ')}")
    for kind, why in rules.comparators.items():
        if share(weights, [kind in comparator.split("+") for comparator in comparators]) >= rules.share:
            reasons.append(why)
    if population in rules.populations:
        reasons.append(rules.populations[population])
    words = "; ".join(reasons) or "technique, comparator and patients as asked"
    return DomainJudgement("indirectness", -min(len(reasons), 2), words)


def imprecision(ci: Interval, threshold: float, n: float, information_size: float, unit: str = "") -> DomainJudgement:
    """The interval against no effect and the smallest effect that matters, and n against the information size.

    One level for each of -threshold, 0 and threshold that the interval holds inside, two at most; when it holds none,
    one level if the information size is not shown to be reached; three levels when it holds all three and that size is
    not reached.

    Parameters
    ----------
    ci : effect with 0 as no effect, in the unit of the threshold; NaN when it is not estimable.
    threshold : smallest effect that matters, above 0; NaN when none is declared.
    n, information_size : patients there are and needed; NaN when not known.
    """
    if not all(math.isfinite(limit) for limit in ci):
        return DomainJudgement("imprecision", -2, "the interval is not estimable")
    values = [0.0] if math.isnan(threshold) else [-threshold, 0.0, threshold]
    held = [value for value in values if ci[0] < value < ci[1]]
    short = not n >= information_size
    words = _held_words(held, threshold, unit)
    words += f"; {n:.0f} patients, {_size_words(n, information_size)}"
    levels = -1 if short and not held else -len(held)
    if len(held) == 3:
        levels = -3 if short else -2
    return DomainJudgement("imprecision", levels, words)


def imprecision_of_share(ci: Interval, n: float, rules: ImprecisionRules) -> DomainJudgement:
    """Imprecision of a share of patients (limits in percent): width of its interval and number of patients."""
    width = ci[1] - ci[0]
    if not math.isfinite(width):
        return DomainJudgement("imprecision", -2, "the interval is not estimable")
    words = f"the interval is {width:.0f} percentage points wide; {n:.0f} patients"
    if width > rules.share_width_very_serious:
        return DomainJudgement("imprecision", -2, words)
    serious = width > rules.share_width_serious or n < rules.share_patients
    return DomainJudgement("imprecision", -1 if serious else 0, words)


def publication_bias(
    sizes: Sequence[float], egger_p: float, favourable: bool, rules: PublicationBiasRules
) -> DomainJudgement:
    """Small-study effects where they can be tested, else whether all there is are a few small studies in favour.

    Parameters
    ----------
    sizes : patients of each of the k studies. egger_p : NaN where the test is not assessable.
    favourable : the pooled interval lies wholly on the side that is good for the patient.
    """
    k = len(sizes)
    if math.isfinite(egger_p):
        words = f"Egger's test gives p = {egger_p:.2f} (k = {k})"
        return DomainJudgement("publication_bias", -1 if egger_p < rules.p_value else 0, words)
    known = [size for size in sizes if math.isfinite(size)]
    small = len(known) == k and k >= rules.min_k_small and max(known) < rules.small_study
    if small and favourable:
        words = f"all {k} studies have fewer than {rules.small_study:.0f} patients and together favour the intervention"
        return DomainJudgement("publication_bias", -1, words)
    return DomainJudgement("publication_bias", 0, f"too few studies to test (k = {k})")


def share(weights: Sequence[float], chosen: Sequence[bool]) -> float:
    """Share of the weight of the chosen studies, between 0 and 1; 0 without studies."""
    total = sum(weights)
    return sum(w for w, is_chosen in zip(weights, chosen, strict=True) if is_chosen) / total if total > 0 else 0.0


def overlapping_share(intervals: Sequence[Interval]) -> float:
    """Share of the pairs of intervals that overlap."""
    pairs = list(combinations(intervals, 2))
    return sum(a[0] <= b[1] and b[0] <= a[1] for a, b in pairs) / len(pairs)


def excludes(ci: Interval, value: float) -> bool:
    """Whether an interval lies wholly on one side of a value; False when either is NaN."""
    return ci[0] > value or ci[1] < value


def _held_words(held: Sequence[float], threshold: float, unit: str) -> str:
    named = f"{threshold:g} {unit}".strip()
    if not held:
        beyond = "no effect" if math.isnan(threshold) else f"no effect and of a difference of {named}"
        return f"the interval lies on one side of {beyond}"
    if len(held) == 3:
        return f"the interval includes an important benefit and an important harm, {named} each"
    parts = ["no effect" if value == 0 else f"a difference of {named}" for value in held]
    return f"the interval includes {' and '.join(dict.fromkeys(parts))}"


def _size_words(n: float, information_size: float) -> str:
    if math.isnan(information_size):
        return "the number needed is not known"
    return f"{information_size:.0f} needed" + (", reached" if n >= information_size else "")


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"
