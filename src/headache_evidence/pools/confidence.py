"""Standard errors and intervals of the pooled mean: Wald, Knapp-Hartung and its conservative form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.errors import InputError

CI_METHODS = ("wald", "knapp-hartung", "knapp-hartung-conservative")


class MeanInterval(NamedTuple):
    """Inference on pooled means; arrays of shape (D,)."""

    se: FloatArray
    lower: FloatArray
    upper: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    df: float  # of t, NaN for z


def check_ci_method(ci: str) -> str:
    """Return ``ci`` or say what is allowed."""
    if ci not in CI_METHODS:
        raise InputError(f"ci = {ci!r}; allowed are {', '.join(CI_METHODS)}.")
    return ci


def check_level(level: float) -> float:
    """Return ``level`` or say what is allowed."""
    if not 0 < level < 1:
        raise InputError(f"level = {level!r}; a confidence level lies between 0 and 1, for example 0.95.")
    return float(level)


def critical_value(level: float, df: float) -> float:
    """Two-sided critical value of t with ``df`` degrees of freedom, of the normal distribution when ``df`` is NaN."""
    upper = 0.5 + level / 2
    return float(special.ndtri(upper) if np.isnan(df) else special.stdtrit(df, upper))


def two_sided_p(statistic: FloatArray, df: float) -> FloatArray:
    """Two-sided p-value of a z (``df`` NaN) or t statistic."""
    tail = special.ndtr(-np.abs(statistic)) if np.isnan(df) else special.stdtr(df, -np.abs(statistic))
    return np.asarray(2 * tail)


def knapp_hartung_factor(q: FloatArray, k: int, ci: str) -> FloatArray:
    """Factor on the variance of the mean: generalised Q / (k - 1), floored at 1 in the conservative form.

    Hartung & Knapp (2001), Sidik & Jonkman (2002); floor: Röver, Knapp & Friede (2015), metafor's ``test="adhoc"``.
    Rounding noise of identical effects counts as zero.
    """
    if ci == "wald" or k < 2:
        return np.ones_like(q)
    factor = np.where(q > np.finfo(float).eps, q, 0.0) / (k - 1)
    return np.maximum(factor, 1.0) if ci == "knapp-hartung-conservative" else factor


def mean_interval(
    estimate: FloatArray, total_weight: FloatArray, q: FloatArray, k: int, ci: str, level: float
) -> MeanInterval:
    """Interval of the mean from the sum of weights and generalised Q at the tau2 of the model; shapes (D,)."""
    df = float("nan") if ci == "wald" or k < 2 else float(k - 1)
    se = np.sqrt(knapp_hartung_factor(q, k, ci) / total_weight)
    return interval_from_se(estimate, se, df, level)


def interval_from_se(estimate: FloatArray, se: FloatArray, df: float, level: float) -> MeanInterval:
    """Interval, statistic and p-value of estimates with known standard errors; a zero standard error has no test."""
    half = critical_value(level, df) * se
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(se > 0, estimate / se, np.nan)
    return MeanInterval(se, estimate - half, estimate + half, statistic, two_sided_p(statistic, df), df)
