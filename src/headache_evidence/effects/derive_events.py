"""Counts of patients from percentages, with a check that the percentage fits a whole number."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt

from headache_evidence.effects.derive_checks import FloatArray, floats

BoolArray = npt.NDArray[np.bool_]
ROUNDING_NOISE = 1e-9


def events_from_percent(
    percent: npt.ArrayLike, total: npt.ArrayLike, decimals: npt.ArrayLike | None = None
) -> tuple[FloatArray, BoolArray]:
    """Events behind a percentage of ``total`` patients, and whether any whole number gives that percentage.

    Events are the whole number nearest to percent × total / 100; NaN where no whole number rounds to the percentage,
    where a number is missing, or where the total is not a whole number above 0.

    Source: the idea of the GRIM test, Brown and Heathers (2017), Soc Psychol Personal Sci 8:363.
    """
    lowest, highest = counts_that_fit(percent, total, decimals)
    consistent = np.asarray(lowest <= highest)
    percent, total = floats(percent, total)
    nearest = np.clip(np.rint(percent * total / 100), lowest, highest)
    return np.asarray(np.where(consistent, nearest, np.nan)), consistent


def counts_that_fit(
    percent: npt.ArrayLike, total: npt.ArrayLike, decimals: npt.ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest whole number of ``total`` that rounds to ``percent``; equal when the count is unique.

    ``decimals`` printed after the point; those that the number itself shows when not given (33.3 has one). Lowest is
    above highest when nothing fits; both are NaN when a number is missing or the total is no whole number above 0.
    """
    percent, total = floats(percent, total)
    shown = decimals_shown(percent) if decimals is None else np.broadcast_to(np.asarray(decimals, float), percent.shape)
    half_unit = 0.5 * 10.0**-shown
    total = np.where((total > 0) & (total == np.rint(total)), total, np.nan)
    lowest = np.ceil((percent - half_unit) * total / 100 - ROUNDING_NOISE)
    highest = np.floor((percent + half_unit) * total / 100 + ROUNDING_NOISE)
    return np.asarray(np.maximum(lowest, 0)), np.asarray(np.minimum(highest, total))


def decimals_shown(values: npt.ArrayLike) -> FloatArray:
    """Decimals of the shortest way to write each number: 33.3 has 1, 45.0 has 0; NaN for NaN."""
    array = np.asarray(values, dtype=float)
    counts = [_decimals(value) for value in array.ravel().tolist()]
    return np.array(counts, dtype=float).reshape(array.shape)


def _decimals(value: float) -> float:
    if not np.isfinite(value):
        return np.nan
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return float(max(0, -int(exponent)))
