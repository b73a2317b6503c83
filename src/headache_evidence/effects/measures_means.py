"""Effect sizes from the means of two independent groups: MD, SMD, SMDH, ROM."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import poch

FloatArray = npt.NDArray[np.float64]
Effect = tuple[FloatArray, FloatArray]


def bias_correction(df: npt.ArrayLike) -> FloatArray:
    """Exact small-sample factor J(df) = Γ(df/2) / (√(df/2) Γ((df−1)/2)); NaN for df ≤ 1.

    Source: Hedges (1981), J Educ Stat 6:107, equation 6e.
    """
    m = np.asarray(df, dtype=float)
    m = np.where(m > 1, m, np.nan)
    return np.asarray(poch((m - 1) / 2, 0.5) / np.sqrt(m / 2))


def pooled_sd(sd1: FloatArray, n1: FloatArray, sd2: FloatArray, n2: FloatArray) -> FloatArray:
    """SD pooled over two groups, √(((n1−1) sd1² + (n2−1) sd2²) / (n1+n2−2))."""
    return np.asarray(np.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2)))


def mean_difference(
    m1: FloatArray, sd1: FloatArray, n1: FloatArray, m2: FloatArray, sd2: FloatArray, n2: FloatArray, vtype: str = "LS"
) -> Effect:
    """MD = m1 − m2, variance from each group's own SD (LS, UB) or from the pooled SD (HO)."""
    if vtype == "HO":
        return m1 - m2, pooled_sd(sd1, n1, sd2, n2) ** 2 * (1 / n1 + 1 / n2)
    return m1 - m2, sd1**2 / n1 + sd2**2 / n2


def standardised_difference(
    d: FloatArray, n1: FloatArray, n2: FloatArray, vtype: str = "LS", correct: bool = True
) -> Effect:
    """SMD from Cohen's d: Hedges' g = J d when ``correct``.

    Variance: LS, 1/n1 + 1/n2 + g²/(2(n1+n2)), Hedges and Olkin (1985) p. 80 eq. 8 with g in place of δ;
    LS2, J² (1/n1 + 1/n2 + d²/(2(n1+n2))), Borenstein (2009); UB, the unbiased estimate, Hedges (1983) eq. 9.
    """
    df = n1 + n2 - 2
    j = bias_correction(df) if correct else np.where(np.isnan(df), np.nan, 1.0)
    g = j * d
    base = 1 / n1 + 1 / n2
    if vtype == "UB":
        return g, base + (1 - (df - 2) / (df * j**2)) * g**2
    if vtype == "LS2":
        return g, j**2 * (base + d**2 / (2 * (n1 + n2)))
    return g, base + g**2 / (2 * (n1 + n2))


def standardised_difference_unequal_variances(
    m1: FloatArray,
    sd1: FloatArray,
    n1: FloatArray,
    m2: FloatArray,
    sd2: FloatArray,
    n2: FloatArray,
    correct: bool = True,
) -> Effect:
    """SMDH: difference over the root mean square of the two SDs; variance for unequal population variances.

    Source: Bonett (2008), Psychol Methods 13:99, with the factor J² of metafor 3.8.
    """
    j = bias_correction(n1 + n2 - 2) if correct else np.ones_like(n1)
    total = sd1**2 + sd2**2
    g = j * (m1 - m2) / np.sqrt(total / 2)
    spread = sd1**4 / (n1 - 1) + sd2**4 / (n2 - 1)
    return g, j**2 * (g**2 * spread / (2 * total**2) + 2 * (sd1**2 / (n1 - 1) + sd2**2 / (n2 - 1)) / total)


def log_ratio_of_means(
    m1: FloatArray, sd1: FloatArray, n1: FloatArray, m2: FloatArray, sd2: FloatArray, n2: FloatArray, vtype: str = "LS"
) -> Effect:
    """ROM = ln(m1/m2); variance by the delta method (LS) or with the pooled SD (HO).

    Source: Hedges, Gurevitch and Curtis (1999), Ecology 80:1150; Lajeunesse (2011), Ecology 92:2049.
    """
    if vtype == "HO":
        sd1 = sd2 = pooled_sd(sd1, n1, sd2, n2)
    return np.log(m1 / m2), sd1**2 / (n1 * m1**2) + sd2**2 / (n2 * m2**2)
