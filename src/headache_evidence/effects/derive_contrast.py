"""Effects that a paper reports as a difference or a ratio: generic inverse variance from an interval or a P value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headache_evidence.effects.derive_checks import FloatArray, floats, refuse
from headache_evidence.effects.derive_spread import se_from_ci, se_from_p

Effect = tuple[FloatArray, FloatArray]
BoolArray = npt.NDArray[np.bool_]


def effect_from_interval(
    estimate: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, level: float = 0.95, df: npt.ArrayLike = np.inf
) -> Effect:
    """A difference and its variance from its confidence interval (t with ``df``, normal when infinite).

    Source: Cochrane Handbook 6.3.1. Raises InputError when the estimate lies outside its interval.
    """
    estimate, low, high, df = floats(estimate, low, high, df)
    se = se_from_ci(low, high, level, df)
    refuse(
        (estimate < low) | (estimate > high), "An estimate lies in its interval", estimate=estimate, low=low, high=high
    )
    return estimate, se**2


def log_ratio_from_interval(
    estimate: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, level: float = 0.95
) -> Effect:
    """Log of a ratio (OR, RR, ratio of means) and its variance from the ratio and its confidence interval.

    Source: Cochrane Handbook 6.3.2. Raises InputError when a number is not above 0, or the ratio outside its interval.
    """
    estimate, low, high = floats(estimate, low, high)
    for name, values in (("estimate", estimate), ("low", low), ("high", high)):
        refuse(values <= 0, "A ratio and its limits are above 0", **{name: values})
    return effect_from_interval(np.log(estimate), np.log(low), np.log(high), level)


def interval_asymmetry(estimate: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> FloatArray:
    """Distance of the estimate from the middle of its interval, as a share of half the width (0 to 1).

    For a ratio give logs. Well above what rounding explains, the interval is not a normal or t interval of this
    estimate (a wrong number, a bootstrap, a ratio that was taken for a difference). NaN for a width of 0.
    """
    estimate, low, high = floats(estimate, low, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.abs(low + high - 2 * estimate) / (high - low))


def effect_from_p(
    estimate: npt.ArrayLike, p: npt.ArrayLike, operator: npt.ArrayLike = "=", df: npt.ArrayLike = np.inf
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """A difference (or log ratio), its variance from the two-sided P value, and whether the P value is exact.

    ``operator`` is "=" for an exact P value. For a bound from above ("<", "<=") the variance is the largest that
    fits, a conservative bound: fit for a sensitivity analysis, not for a primary one. Any other operator (">", ">=")
    gives no bound and NaN.

    Source: Cochrane Handbook 6.3.2. Raises InputError for p outside (0, 1].
    """
    estimate, p, df = floats(estimate, p, df)
    sign = np.broadcast_to(np.asarray(operator, dtype=str), estimate.shape)
    exact = np.asarray(sign == "=")
    variance = np.where(exact | np.isin(sign, ("<", "<=")), se_from_p(estimate, p, df) ** 2, np.nan)
    return estimate, variance, exact
