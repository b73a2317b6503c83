"""Effect sizes from two measurements of the same patients: MC, SMCC, SMCR, ROMC."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headache_evidence.effects.measures_means import bias_correction

FloatArray = npt.NDArray[np.float64]
Effect = tuple[FloatArray, FloatArray]


def mean_change(
    m1: FloatArray, sd1: FloatArray, m2: FloatArray, sd2: FloatArray, r: FloatArray, n: FloatArray
) -> Effect:
    """MC = m1 − m2, variance (sd1² + sd2² − 2 r sd1 sd2) / n."""
    return m1 - m2, (sd1**2 + sd2**2 - 2 * r * sd1 * sd2) / n


def standardised_change(d: FloatArray, n: FloatArray, vtype: str = "LS", correct: bool = True) -> Effect:
    """SMCC: mean change over the SD of the change, times J(n−1); variance 1/n + g²/(2n) (LS).

    Source: Gibbons, Hedeker and Davis (1993), J Educ Stat 18:271; LS2 scales the uncorrected variance by J².
    """
    j = bias_correction(n - 1) if correct else np.ones_like(n)
    g = j * d
    if vtype == "LS2":
        return g, j**2 * (1 / n + d**2 / (2 * n))
    return g, 1 / n + g**2 / (2 * n)


def standardised_change_raw(
    d: FloatArray, r: FloatArray, n: FloatArray, vtype: str = "LS", correct: bool = True
) -> Effect:
    """SMCR: mean change over the SD sd1, times J(n−1); variance 2(1−r)/n + g²/(2n) (LS).

    Source: Becker (1988), Br J Math Stat Psychol 41:257; LS2 scales the uncorrected variance by J².
    """
    j = bias_correction(n - 1) if correct else np.ones_like(n)
    g = j * d
    if vtype == "LS2":
        return g, j**2 * (2 * (1 - r) / n + d**2 / (2 * n))
    return g, 2 * (1 - r) / n + g**2 / (2 * n)


def log_ratio_of_paired_means(
    m1: FloatArray, sd1: FloatArray, m2: FloatArray, sd2: FloatArray, r: FloatArray, n: FloatArray
) -> Effect:
    """ROMC = ln(m1/m2) of the same patients, variance by the delta method.

    Source: Lajeunesse (2011), Ecology 92:2049.
    """
    variance = sd1**2 / (n * m1**2) + sd2**2 / (n * m2**2) - 2 * r * sd1 * sd2 / (m1 * m2 * n)
    return np.log(m1 / m2), variance
