"""Mean and SD from a median with quartiles and/or range, and the test that says when not to.

McGrath's quantile estimation and Box-Cox methods are not offered: no kept Python library has them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from headache_evidence.effects.derive_checks import FloatArray, floats, refuse

BoolArray = npt.NDArray[np.bool_]
SMALLEST_N = 5  # the formulas were developed for n of 5 and more


def mean_from_quartiles(q1: npt.ArrayLike, median: npt.ArrayLike, q3: npt.ArrayLike, n: npt.ArrayLike) -> FloatArray:
    """Mean = w (q1+q3)/2 + (1−w) median with w = 0.7 + 0.39/n; NaN for n < 5.

    Source: Luo et al. (2018), Stat Methods Med Res 27:1785, equation 11.
    """
    q1, median, q3, n = _ordered(n, q1=q1, median=median, q3=q3)
    weight = 0.7 + 0.39 / n
    return np.asarray(weight * (q1 + q3) / 2 + (1 - weight) * median)


def mean_from_range(low: npt.ArrayLike, median: npt.ArrayLike, high: npt.ArrayLike, n: npt.ArrayLike) -> FloatArray:
    """Mean = w (min+max)/2 + (1−w) median with w = 4/(4 + n^0.75); NaN for n < 5.

    Source: Luo et al. (2018), Stat Methods Med Res 27:1785, equation 7.
    """
    low, median, high, n = _ordered(n, min=low, median=median, max=high)
    weight = 4 / (4 + n**0.75)
    return np.asarray(weight * (low + high) / 2 + (1 - weight) * median)


def mean_from_five_numbers(
    low: npt.ArrayLike,
    q1: npt.ArrayLike,
    median: npt.ArrayLike,
    q3: npt.ArrayLike,
    high: npt.ArrayLike,
    n: npt.ArrayLike,
) -> FloatArray:
    """Mean from minimum, quartiles, median and maximum; NaN for n < 5.

    Source: Luo et al. (2018), Stat Methods Med Res 27:1785, equation 15.
    """
    low, q1, median, q3, high, n = _ordered(n, min=low, q1=q1, median=median, q3=q3, max=high)
    outer, inner = 2.2 / (2.2 + n**0.75), 0.7 - 0.72 / n**0.55
    return np.asarray(outer * (low + high) / 2 + inner * (q1 + q3) / 2 + (1 - outer - inner) * median)


def sd_from_quartiles(q1: npt.ArrayLike, q3: npt.ArrayLike, n: npt.ArrayLike) -> FloatArray:
    """SD = (q3 − q1) / (2 Φ⁻¹((0.75 n − 0.125)/(n + 0.25))); NaN for n < 5.

    Source: Wan et al. (2014), BMC Med Res Methodol 14:135, equation 16.
    """
    q1, q3, n = _ordered(n, q1=q1, q3=q3)
    return np.asarray((q3 - q1) / _expected_interquartile(n))


def sd_from_range(low: npt.ArrayLike, high: npt.ArrayLike, n: npt.ArrayLike) -> FloatArray:
    """SD = (max − min) / (2 Φ⁻¹((n − 0.375)/(n + 0.25))); NaN for n < 5.

    Source: Wan et al. (2014), BMC Med Res Methodol 14:135, equation 9.
    """
    low, high, n = _ordered(n, min=low, max=high)
    return np.asarray((high - low) / _expected_range(n))


def sd_from_five_numbers(
    low: npt.ArrayLike, q1: npt.ArrayLike, q3: npt.ArrayLike, high: npt.ArrayLike, n: npt.ArrayLike
) -> FloatArray:
    """SD from range and quartiles together, weighted 1/(1 + 0.07 n^0.6) for the range; NaN for n < 5.

    Source: Shi et al. (2020), Res Synth Methods 11:641, equation 10.
    """
    low, q1, q3, high, n = _ordered(n, min=low, q1=q1, q3=q3, max=high)
    weight = 1 / (1 + 0.07 * n**0.6)
    range_part, quartile_part = (high - low) / _expected_range(n), (q3 - q1) / _expected_interquartile(n)
    return np.asarray(weight * range_part + (1 - weight) * quartile_part)


def skew_check_quartiles(q1: npt.ArrayLike, median: npt.ArrayLike, q3: npt.ArrayLike, n: npt.ArrayLike) -> BoolArray:
    """True where median and quartiles are too skewed (5 % level) for a mean, or n is unknown or below 5.

    Source: Shi et al. (2023), Stat Methods Med Res 32:1338, test for median and quartiles.
    """
    q1, median, q3, n = _ordered(n, q1=q1, median=median, q3=q3)
    return _skewed(_asymmetry(q1, median, q3), 2.65 / np.sqrt(n) - 6 / n**2)


def skew_check_range(low: npt.ArrayLike, median: npt.ArrayLike, high: npt.ArrayLike, n: npt.ArrayLike) -> BoolArray:
    """True where median and range are too skewed (5 % level) for a mean, or n is unknown or below 5.

    Source: Shi et al. (2023), Stat Methods Med Res 32:1338, test for median and range.
    """
    low, median, high, n = _ordered(n, min=low, median=median, max=high)
    return _skewed(_asymmetry(low, median, high), 1 / np.log(n + 9) + 2.5 / (n + 1))


def skew_check_five_numbers(
    low: npt.ArrayLike,
    q1: npt.ArrayLike,
    median: npt.ArrayLike,
    q3: npt.ArrayLike,
    high: npt.ArrayLike,
    n: npt.ArrayLike,
) -> BoolArray:
    """True where the five numbers are too skewed (5 % level) for a mean, or n is unknown or below 5.

    Source: Shi et al. (2023), Stat Methods Med Res 32:1338, test for all five numbers.
    """
    low, q1, median, q3, high, n = _ordered(n, min=low, q1=q1, median=median, q3=q3, max=high)
    outer = 2.65 * np.log(0.6 * n) / np.sqrt(n) * _asymmetry(low, median, high)
    return _skewed(np.maximum(outer, _asymmetry(q1, median, q3)), 3 / np.sqrt(n) - 40 / n**3)


def _ordered(n: npt.ArrayLike, **quantiles: npt.ArrayLike) -> tuple[FloatArray, ...]:
    """Arrays of one shape, n last and NaN below 5; InputError when a quantile is above the next one."""
    arrays = floats(*quantiles.values(), n)
    named = list(zip(quantiles, arrays, strict=False))
    for (name, lower), (next_name, upper) in pairwise(named):
        refuse(lower > upper, f"{name} is above {next_name}", **{name: lower, next_name: upper})
    return (*arrays[:-1], np.where(arrays[-1] >= SMALLEST_N, arrays[-1], np.nan))


def _expected_range(n: FloatArray) -> FloatArray:
    return np.asarray(2 * ndtri((n - 0.375) / (n + 0.25)))


def _expected_interquartile(n: FloatArray) -> FloatArray:
    return np.asarray(2 * ndtri((0.75 * n - 0.125) / (n + 0.25)))


def _asymmetry(lower: FloatArray, median: FloatArray, upper: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.abs(lower + upper - 2 * median) / (upper - lower))


def _skewed(statistic: FloatArray, critical: FloatArray) -> BoolArray:
    return np.asarray(~(statistic < critical))
