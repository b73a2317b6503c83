"""SDs of one group, and of two groups together, from the other ways in which papers report spread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from headache_evidence.effects.derive_checks import FloatArray, floats, refuse

SMALL_GROUP = 60  # Cochrane Handbook 6.5.2.2: below about 60 patients an interval of a mean is taken as t-based


def sd_from_se(se: npt.ArrayLike, n: npt.ArrayLike) -> FloatArray:
    """SD = SE √n of a group of n patients.

    Source: Cochrane Handbook 6.5.2.2. Raises InputError for a negative SE.
    """
    se, n = floats(se, n)
    refuse(se < 0, "A standard error cannot be negative", se=se)
    return np.asarray(se * np.sqrt(n))


def sd_from_ci(
    low: npt.ArrayLike, high: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95, t_below: int = SMALL_GROUP
) -> FloatArray:
    """SD from the confidence interval of a group's mean: √n (high − low) / (2 c).

    c is the t quantile with n − 1 degrees of freedom when n < ``t_below``, else the normal quantile. NaN for n < 2.

    Source: Cochrane Handbook 6.5.2.2. Raises InputError when low > high.
    """
    low, high, n = floats(low, high, n)
    degrees = np.where(n >= t_below, np.inf, n - 1)
    return np.asarray(np.sqrt(n) * se_from_ci(low, high, level, degrees))


def se_from_ci(low: npt.ArrayLike, high: npt.ArrayLike, level: float = 0.95, df: npt.ArrayLike = np.inf) -> FloatArray:
    """SE = (high − low) / (2 c), c the t quantile with ``df`` degrees of freedom (normal when infinite).

    For a ratio give the logs of both limits. Source: Cochrane Handbook 6.3.1. Raises InputError when low > high.
    """
    low, high, df = floats(low, high, df)
    refuse(low > high, "The lower limit of an interval is above the upper", low=low, high=high)
    return np.asarray((high - low) / (2 * _quantile((1 + level) / 2, df)))


def se_from_p(estimate: npt.ArrayLike, p: npt.ArrayLike, df: npt.ArrayLike = np.inf) -> FloatArray:
    """SE = |estimate| / c, c the quantile that gives the two-sided P value p (t with ``df``, normal when infinite).

    For a ratio give its log. NaN when the estimate is 0 or p is 1: then p tells nothing about the spread.
    A bound such as p < 0.001, used as if exact, gives an upper bound of the SE.

    Source: Cochrane Handbook 6.3.2 and 6.5.2.3. Raises InputError for p outside (0, 1].
    """
    estimate, p, df = floats(estimate, p, df)
    refuse((p <= 0) | (p > 1), "A P value lies above 0 and up to 1", p=p)
    silent = (p == 1) | (estimate == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(silent, np.nan, np.abs(estimate) / _quantile(1 - p / 2, df)))


def sd_from_t(difference: npt.ArrayLike, t: npt.ArrayLike, n1: npt.ArrayLike, n2: npt.ArrayLike) -> FloatArray:
    """Common SD of two groups from their mean difference and its t: |difference / t| / √(1/n1 + 1/n2).

    NaN when t or the difference is 0. Source: Cochrane Handbook 6.5.2.3.
    """
    difference, t, n1, n2 = floats(difference, t, n1, n2)
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.where((t == 0) | (difference == 0), np.nan, np.abs(difference / t))
    return sd_from_se_of_difference(se, n1, n2)


def sd_from_p(difference: npt.ArrayLike, p: npt.ArrayLike, n1: npt.ArrayLike, n2: npt.ArrayLike) -> FloatArray:
    """Common SD of two groups from their mean difference and the exact P value of its t test (n1 + n2 − 2 df).

    Source: Cochrane Handbook 6.5.2.3. Raises InputError for p outside (0, 1].
    """
    difference, p, n1, n2 = floats(difference, p, n1, n2)
    return sd_from_se_of_difference(se_from_p(difference, p, n1 + n2 - 2), n1, n2)


def sd_from_ci_of_difference(
    low: npt.ArrayLike, high: npt.ArrayLike, n1: npt.ArrayLike, n2: npt.ArrayLike, level: float = 0.95
) -> FloatArray:
    """Common SD of two groups from the t-based confidence interval of their mean difference.

    Source: Cochrane Handbook 6.5.2.3. Raises InputError when low > high.
    """
    low, high, n1, n2 = floats(low, high, n1, n2)
    return sd_from_se_of_difference(se_from_ci(low, high, level, n1 + n2 - 2), n1, n2)


def sd_from_se_of_difference(se: npt.ArrayLike, n1: npt.ArrayLike, n2: npt.ArrayLike) -> FloatArray:
    """Common SD of two groups from the SE of their mean difference: SE / √(1/n1 + 1/n2).

    Source: Cochrane Handbook 6.5.2.3. Raises InputError for a negative SE.
    """
    se, n1, n2 = floats(se, n1, n2)
    refuse(se < 0, "A standard error cannot be negative", se=se)
    return np.asarray(se / np.sqrt(1 / n1 + 1 / n2))


def _quantile(probability: npt.ArrayLike, df: FloatArray) -> FloatArray:
    return np.asarray(stats.t.ppf(probability, np.where(df > 0, df, np.nan)))
