"""Trials with more than two arms: several arms as one group, or one control shared by several comparisons."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from headache_evidence.effects.derive_checks import floats, refuse
from headache_evidence.errors import InputError


def combine_means(n: npt.ArrayLike, mean: npt.ArrayLike, sd: npt.ArrayLike) -> tuple[float, float, float]:
    """n, mean and SD of several arms taken as one group; arrays of shape (arms,).

    The SD is that of all patients together: it holds the spread within arms and that between their means.
    A single arm comes back as it is. NaN in any arm makes what depends on it NaN.

    Source: Cochrane Handbook 6.5.2.10, table 6.5.a, for any number of arms.
    Raises InputError for no arm, arms of fewer than one patient, or negative SDs.
    """
    n_array, means, sds = floats(n, mean, sd)
    if n_array.size == 0:
        raise InputError("No arm to combine.")
    refuse(n_array < 1, "An arm has at least one patient", n=n_array)
    refuse(sds < 0, "A standard deviation cannot be negative", sd=sds)
    if n_array.size == 1:
        return float(n_array.sum()), float(means.sum()), float(sds.sum())
    total = n_array.sum()
    combined = (n_array * means).sum() / total
    squares = ((n_array - 1) * sds**2).sum() + (n_array * (means - combined) ** 2).sum()
    return float(total), float(combined), math.sqrt(squares / (total - 1)) if total > 1 else math.nan


def combine_events(events: npt.ArrayLike, total: npt.ArrayLike) -> tuple[float, float]:
    """Events and patients of several arms taken as one group: their sums.

    Source: Cochrane Handbook 6.4 and 23.3.4. Raises InputError for no arm or more events than patients.
    """
    events_array, totals = floats(events, total)
    if events_array.size == 0:
        raise InputError("No arm to combine.")
    refuse((events_array < 0) | (events_array > totals), "Events lie between 0 and the patients of their arm",
           events=events_array, total=totals)  # fmt: skip
    return float(events_array.sum()), float(totals.sum())


def split_shared_control(number: npt.ArrayLike, comparisons: int) -> npt.NDArray[np.float64]:
    """Share of a control arm's patients (or events) for each of the comparisons that use it; mean and SD stay.

    The fallback when the arms cannot be combined: it counts each control patient once, but does not remove the
    correlation fully. Shares may be fractions.

    Source: Cochrane Handbook 23.3.4. Raises InputError for fewer than one comparison.
    """
    if comparisons < 1:
        raise InputError(f"A control arm is shared by at least one comparison; got {comparisons}.")
    (array,) = floats(number)
    return np.asarray(array / comparisons)
