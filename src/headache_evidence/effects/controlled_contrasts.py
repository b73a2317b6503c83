"""Controlled effects from what a paper prints about the difference itself: an interval or an exact P value."""

from __future__ import annotations

import numpy as np
import pandas as pd

from headache_evidence.effects.arm_pair import ArmPair
from headache_evidence.effects.controlled_arms import KINDS
from headache_evidence.effects.derive_contrast import effect_from_interval, effect_from_p, log_ratio_from_interval
from headache_evidence.effects.effect_request import Record, accepted, join, one_row_per_arm, refused
from headache_evidence.effects.interconvert import log_odds_ratio_to_smd
from headache_evidence.errors import InputError

LOG_RATIOS = ("OR", "RR", "ROM")
SHARED_COMPARATOR_CORRELATION = 0.5  # equal arms: half of a contrast's variance is the comparator's
INTERVAL_WORDS = "reported difference with its confidence interval (generic inverse variance)"
P_WORDS = "reported difference with its exact P value (generic inverse variance)"


def from_contrasts(pair: ArmPair) -> Record | None:
    """Reported differences in the asked measure; several that share the comparator are averaged."""
    if pair.contrasts.empty:
        return None
    contrasts = _towards_intervention(pair)
    if contrasts.empty:
        return None
    kept = contrasts.loc[contrasts["excluded"] == ""]
    if kept.empty:
        return refused(pair.record_of_all(), f"excluded: {join(contrasts['excluded'].unique())}")
    fitting = kept.loc[(kept["measure"] == _reported_measure(pair)) & kept["estimate"].notna()]
    if pair.request.measure == "MD" and len(fitting) and (fitting["unit"] == "").all():
        return refused(pair.record_of_all(), f"not estimable: {join(fitting['conversion'].unique())}")
    with_interval = fitting.loc[fitting["ci_low"].notna() & fitting["ci_high"].notna()]
    with_p = fitting.loc[fitting["p"].notna() & (fitting["p_operator"] == "=")]
    if len(with_interval):
        return _averaged(pair, with_interval, "reported_interval", INTERVAL_WORDS)
    if len(with_p):
        return _averaged(pair, with_p, "reported_p", P_WORDS)
    return refused(pair.record_of_all(), _why_not(kept, pair.request.measure))


def _reported_measure(pair: ArmPair) -> str:
    """The measure of the contrasts to look for: an odds ratio also serves an SMD where the protocol allows it."""
    convert = pair.request.measure == "SMD" and pair.request.settings.smd_or_conversion
    return "OR" if convert else pair.request.measure


def _why_not(contrasts: pd.DataFrame, measure: str) -> str:
    reported = join(sorted(contrasts["measure"].unique()), ", ")
    if reported == "p_only":
        return "not estimable: of the difference only a P value is reported"
    return f"not estimable: the difference is reported as {reported}, without what {measure} needs"


def _towards_intervention(pair: ArmPair) -> pd.DataFrame:
    """Contrasts between the two sides, turned so that they read intervention against comparator."""
    contrasts = pair.contrasts
    forward = contrasts.loc[contrasts["arm_1"].isin(pair.interventions) & contrasts["arm_2"].isin(pair.comparators)]
    backward = contrasts.loc[contrasts["arm_2"].isin(pair.interventions) & contrasts["arm_1"].isin(pair.comparators)]
    if backward.empty:
        return forward
    ratio = backward["measure"].isin(LOG_RATIOS)

    def turned(values: pd.Series) -> pd.Series:
        return (1 / values).where(ratio, -values)

    backward = backward.assign(
        arm_1=backward["arm_2"],
        arm_2=backward["arm_1"],
        estimate=turned(backward["estimate"]),
        ci_low=turned(backward["ci_high"]),
        ci_high=turned(backward["ci_low"]),
    )
    return pd.concat([forward, backward])


def _averaged(pair: ArmPair, contrasts: pd.DataFrame, rule: str, words: str) -> Record:
    arms_1, arms_2 = sorted(contrasts["arm_1"].unique()), sorted(contrasts["arm_2"].unique())
    record = pair.record(arms_1, arms_2, contrasts)
    estimate, low, high, p = contrasts[["estimate", "ci_low", "ci_high", "p"]].to_numpy(dtype=float).T
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
    """Means of one arm on each side without a spread, and the exact P value of their difference (t test assumed)."""
    if pair.request.measure != "MD" or pair.contrasts.empty or pair.rows.empty:
        return None
    exact = _towards_intervention(pair)
    exact = exact.loc[(exact["excluded"] == "") & exact["p"].notna() & (exact["p_operator"] == "=")]
    rows = pair.rows.loc[(pair.rows["excluded"] == "") & pair.rows["mean"].notna() & pair.rows["unit"].ne("")]
    for kind, words in KINDS:
        first, second = pair.split(one_row_per_arm(rows.loc[rows["kind"] == kind]))
        if len(first) != 1 or len(second) != 1:
            continue
        arm_1, arm_2 = first["arm_id"].iloc[0], second["arm_id"].iloc[0]
        tested = exact.loc[(exact["arm_1"] == arm_1) & (exact["arm_2"] == arm_2)]
        n1, n2 = float(first["n_used"].iloc[0]), float(second["n_used"].iloc[0])
        difference = float(first["mean"].iloc[0] - second["mean"].iloc[0])
        if tested.empty or difference == 0 or not np.isfinite(n1 + n2):
            continue
        yi, vi, _ = effect_from_p(difference, float(tested["p"].iloc[0]), df=n1 + n2 - 2)
        record = pair.record([arm_1], [arm_2], pd.concat([first, second, tested.iloc[:1]]))
        derivation = join([f"{words}: means, and the exact P value of their difference", *first["n_note"]])
        m1, m2 = float(first["mean"].iloc[0]), float(second["mean"].iloc[0])
        return accepted(record, float(yi), float(vi), derivation, "means_and_p", n1=n1, m1=m1, n2=n2, m2=m2)
    return None
