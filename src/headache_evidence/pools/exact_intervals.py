"""Intervals of single proportions: Clopper-Pearson and Wilson."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import check_level


def clopper_pearson(
    events: npt.ArrayLike, patients: npt.ArrayLike, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Exact interval of proportions (Clopper & Pearson 1934); arrays of shape (k,), lower and upper limits returned.

    With no event the lower limit is 0, with nothing but events the upper one is 1.
    """
    x, n = _counts(events, patients)
    tail = (1 - check_level(level)) / 2
    with np.errstate(invalid="ignore"):
        lower = np.where(x > 0, special.betaincinv(np.maximum(x, 1e-300), n - x + 1, tail), 0.0)
        upper = np.where(x < n, special.betaincinv(x + 1, np.maximum(n - x, 1e-300), 1 - tail), 1.0)
    return lower, upper


def wilson(events: npt.ArrayLike, patients: npt.ArrayLike, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Score interval of proportions (Wilson 1927); arrays of shape (k,), lower and upper limits returned."""
    x, n = _counts(events, patients)
    z = float(special.ndtri(0.5 + check_level(level) / 2))
    centre = (x + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(x * (n - x) / n + z**2 / 4)
    return np.where(x > 0, centre - half, 0.0), np.where(x < n, centre + half, 1.0)


def _counts(events: npt.ArrayLike, patients: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, n = np.broadcast_arrays(np.asarray(events, dtype=float), np.asarray(patients, dtype=float))
    bad = ~(np.isfinite(x) & np.isfinite(n) & (x >= 0) & (n > 0) & (x <= n))
    if bad.any():
        where = ", ".join(str(i) for i in np.flatnonzero(np.atleast_1d(bad)))
        raise InputError(
            f"Events must lie between 0 and the patients, who must be above 0; not so at position {where}."
        )
    return x, n
