"""Between-study heterogeneity of one meta-analysis: Q, I2, H2 and the Q-profile interval of tau2."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.pools.result import Interval
from headache_evidence.pools.tau2_moments import solve_generalised_q
from headache_evidence.pools.weighted_sums import typical_variance, weighted_sums


class CochranQ(NamedTuple):
    """Cochran's test of homogeneity."""

    q: float
    df: int
    p_value: float


def cochran_q(yi: FloatArray, vi: FloatArray) -> CochranQ:
    """Cochran's Q and its chi-square p-value; ``yi``, ``vi`` of shape (k,)."""
    df = len(yi) - 1
    q = float(weighted_sums(yi, vi, 0.0).q)
    return CochranQ(q, df, float(special.chdtrc(df, q)) if df else math.nan)


def q_profile(yi: FloatArray, vi: FloatArray, level: float) -> Interval:
    """Q-profile interval of tau2 (Viechtbauer 2007); (0, 0) when even tau2 = 0 is too large for the data."""
    df = len(yi) - 1
    if df < 1:
        return (math.nan, math.nan)
    tail = (1 - level) / 2
    targets = np.array([special.chdtri(df, tail), special.chdtri(df, 1 - tail)])
    lower, upper = solve_generalised_q(yi[:, None], vi[:, None], targets)
    return (float(lower), float(upper))


def i2_from_tau2(tau2: float, vi: FloatArray) -> float:
    """I2 in percent from tau2 and the typical within-study variance (Higgins & Thompson 2002)."""
    return 100.0 * tau2 / (tau2 + float(typical_variance(vi)))


def i2_from_q(q: float, df: int) -> float:
    """I2 in percent from Q (Higgins et al. 2003); NaN for a single study."""
    if df < 1:
        return math.nan
    return max(0.0, 100.0 * (q - df) / q) if q > 0 else 0.0


def h2_from_tau2(tau2: float, vi: FloatArray) -> float:
    """H2: total over sampling variability."""
    return 1.0 + tau2 / float(typical_variance(vi))
