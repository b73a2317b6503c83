"""Sums under inverse-variance weights that every tau2 estimator needs, for many meta-analyses at once.

Arrays have shape (k, D): k studies down, D meta-analyses across, so that one numpy call serves all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headache_evidence.effects.effect_table import FloatArray


class WeightedSums(NamedTuple):
    """Sums for weights 1 / (vi + tau2); each of shape (D,) except the (k, D) weights and residuals."""

    weights: FloatArray
    residuals: FloatArray
    estimate: FloatArray
    total: FloatArray  # sum of weights
    q: FloatArray  # generalised Q: sum of weights x squared residuals
    q_slope: FloatArray  # minus dQ/dtau2: sum of squared weights x squared residuals


def weighted_sums(yi: FloatArray, vi: FloatArray, tau2: FloatArray | float) -> WeightedSums:
    """Weighted mean and Q of each column at a given between-study variance."""
    weights = 1.0 / (vi + tau2)
    total = weights.sum(axis=0)
    estimate = (weights * yi).sum(axis=0) / total
    residuals = yi - estimate
    weighted = weights * residuals
    return WeightedSums(
        weights, residuals, estimate, total, (weighted * residuals).sum(axis=0), np.square(weighted).sum(axis=0)
    )


def typical_variance(vi: FloatArray) -> FloatArray:
    """Typical within-study variance of Higgins & Thompson (2002), eq. 9; shape (D,), inf for a single study."""
    k = vi.shape[0]
    weights = 1.0 / vi
    total = weights.sum(axis=0)
    spread = (weights * (total - weights)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        result: FloatArray = (k - 1) * total / spread
    return result
