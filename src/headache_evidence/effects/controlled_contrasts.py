"""Controlled effects from what a paper prints about the difference itself: an interval or an exact P value."""

from __future__ import annotations

import math

import numpy as np

from headache_evidence.effects.arm_pair import ArmPair
from headache_evidence.effects.controlled_arms import KINDS
from headache_evidence.effects.derive_contrast import effect_from_interval, effect_from_p, log_ratio_from_interval
from headache_evidence.effects.derive_spread import sd_from_p
from headache_evidence.effects.effect_request import Record, accepted, column, distinct, join, one_row_per_arm, refused
from headache_evidence.effects.escalc import escalc
from headache_evidence.effects.extraction_tables import Row, Rows
from headache_evidence.effects.interconvert import log_odds_ratio_to_smd
from headache_evidence.errors import InputError

LOG_RATIOS = ("OR", "RR", "ROM")
SHARED_COMPARATOR_CORRELATION = 0.5  # equal arms: half of a contrast's variance is the comparator's
INTERVAL_WORDS = "reported difference with its confidence interval (generic inverse variance)"
P_WORDS = "reported difference with its exact P value (generic inverse variance)"


def from_contrasts(pair: ArmPair) -> Record | None:
    """Reported differences in the asked measure; several that share the comparator are averaged."""
    contrasts = _towards_intervention(pair)
    if not contrasts:
        return None
    kept = [contrast for contrast in contrasts if contrast["excluded"] == ""]
    if not kept:
        return refused(pair.record_of_all(), f"excluded: {join(distinct(contrasts, 'excluded'))}")
    measure = _reported_measure(pair)
    fitting = [c for c in kept if c["measure"] == measure and not math.isnan(c["estimate"])]
    if pair.request.measure == "MD" and fitting and all(contrast["unit"] == "" for contrast in fitting):
        return refused(pair.record_of_all(), f"not estimable: {join(distinct(fitting, 'conversion'))}")
    with_interval = [c for c in fitting if not math.isnan(c["ci_low"] + c["ci_high"])]
    if with_interval:
        return _averaged(pair, with_interval, "reported_interval", INTERVAL_WORDS)
    with_p = [contrast for contrast in fitting if _has_exact_p(contrast)]
    if with_p:
        return _averaged(pair, with_p, "reported_p", P_WORDS)
    return refused(pair.record_of_all(), _why_not(kept, pair.request.measure))


def _has_exact_p(contrast: Row) -> bool:
    return contrast["p_operator"] == "=" and not math.isnan(contrast["p"])


def _reported_measure(pair: ArmPair) -> str:
    """The measure of the contrasts to look for: an odds ratio also serves an SMD where the protocol allows it."""
    convert = pair.request.measure == "SMD" and pair.request.settings.smd_or_conversion
    return "OR" if convert else pair.request.measure


def _why_not(contrasts: Rows, measure: str) -> str:
    reported = join(sorted(distinct(contrasts, "measure")), ", ")
    if reported == "p_only":
        return "not estimable: of the difference only a P value is reported"
    return f"not estimable: the difference is reported as {reported}, without what {measure} needs"


def _towards_intervention(pair: ArmPair) -> Rows:
    """Contrasts between the two sides, turned so that they read intervention against comparator."""
    forward, backward = [], []
    for contrast in pair.contrasts:
        one, other = contrast["arm_1"], contrast["arm_2"]
        if one in pair.interventions and other in pair.comparators:
            forward.append(contrast)
        elif other in pair.interventions and one in pair.comparators:
            backward.append(_turned(contrast))
    return forward + backward


def _turned(contrast: Row) -> Row:
    estimate, low, high = (
        _other_way_round(contrast[name], contrast["measure"]) for name in ("estimate", "ci_high", "ci_low")
    )
    arms = {"arm_1": contrast["arm_2"], "arm_2": contrast["arm_1"]}
    return {**contrast, **arms, "estimate": estimate, "ci_low": low, "ci_high": high}


def _other_way_round(value: float, measure: str) -> float:
    if measure not in LOG_RATIOS:
        return -value
    return 1 / value if value else math.inf


def _averaged(pair: ArmPair, contrasts: Rows, rule: str, words: str) -> Record:
    arms_1, arms_2 = sorted(distinct(contrasts, "arm_1")), sorted(distinct(contrasts, "arm_2"))
    record = pair.record(arms_1, arms_2, contrasts)
    estimate, low, high, p = (column(contrasts, name) for name in ("estimate", "ci_low", "ci_high", "p"))
    log_scale = _reported_measure(pair) in LOG_RATIOS
    try:
        if rule == "reported_p":
            yi, vi, _ = effect_from_p(np.log(estimate) if log_scale else estimate, p)
        else:
            convert = log_ratio_from_interval if log_scale else effect_from_interval
            yi, vi = convert(estimate, low, high)
    except InputError as error:
        return refused(record, f"not estimable: {error}")
    if _reported_measure(pair) != pair.request.measure:
        yi, vi = log_odds_ratio_to_smd(yi, vi)
        words += "; odds ratio turned into an SMD (Chinn 2000)"
    k = len(contrasts)
    rho = SHARED_COMPARATOR_CORRELATION
    mean_vi = (np.sqrt(vi).sum() ** 2 * rho + vi.sum() * (1 - rho)) / k**2
    if k > 1:
        words += f"; mean of {k} contrasts that share the comparator, correlation {rho:g}"
    return accepted(record, float(yi.mean()), float(mean_vi), words, rule, **pair.arm_sizes(arms_1, arms_2))


def from_means_and_p(pair: ArmPair) -> Record | None:
    """Means of one arm on each side without a spread, and the exact P value of their difference (t test assumed).

    The P value gives the SD that both arms share, which serves MD and SMD alike. A crossover trial's test is paired:
    its P value says nothing on the SD of an SMD.
    """
    measures = ("MD",) if pair.is_crossover else ("MD", "SMD")
    if pair.request.measure not in measures or not pair.contrasts or not pair.rows:
        return None
    exact = [c for c in _towards_intervention(pair) if c["excluded"] == "" and _has_exact_p(c)]
    rows = [row for row in pair.rows if row["excluded"] == "" and row["unit"] and not math.isnan(row["mean"])]
    for kind, words in KINDS:
        first, second = pair.split(one_row_per_arm([row for row in rows if row["kind"] == kind]))
        if len(first) != 1 or len(second) != 1:
            continue
        one, other = first[0], second[0]
        tested = [c for c in exact if (c["arm_1"], c["arm_2"]) == (one["arm_id"], other["arm_id"])]
        n1, n2, difference = one["n_used"], other["n_used"], one["mean"] - other["mean"]
        if not tested or not math.isfinite(n1 + n2) or n1 + n2 <= 2:
            continue
        sd = float(sd_from_p(difference, tested[0]["p"], n1, n2))
        if not sd > 0:
            continue
        m1, m2 = one["mean"], other["mean"]
        effect = escalc(pair.request.measure, m1i=[m1], sd1i=[sd], n1i=[n1], m2i=[m2], sd2i=[sd], n2i=[n2])
        record = pair.record([one["arm_id"]], [other["arm_id"]], [one, other, tested[0]])
        derivation = join([f"{words}: means, and the exact P value of their difference", one["n_note"]])
        numbers = {"n1": n1, "m1": m1, "n2": n2, "m2": m2}
        yi, vi = (float(effect[name].iloc[0]) for name in ("yi", "vi"))
        return accepted(record, yi, vi, derivation, "means_and_p", **numbers)
    return None
