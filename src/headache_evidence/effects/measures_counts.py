"""Effect sizes from counts: 2x2 tables (OR, RR, RD, AS, PETO) and single proportions (PR, PLN, PLO, PAS, PFT)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Effect = tuple[FloatArray, FloatArray]

TO = ("all", "only0", "if0all", "none")


def add_to_cells(cells: tuple[FloatArray, ...], add: float, to: str) -> tuple[FloatArray, ...]:
    """Add ``add`` to the cells of each table.

    to : "only0", tables with a zero cell; "if0all", all tables if any has one; "all", all tables; "none".
    """
    zero = np.any([cell == 0 for cell in cells], axis=0)
    chosen = {
        "only0": zero,
        "if0all": np.full_like(zero, bool(zero.any())),
        "all": np.full_like(zero, True),
        "none": np.full_like(zero, False),
    }[to]
    return tuple(np.where(chosen, cell + add, cell) for cell in cells)


def log_odds_ratio(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> Effect:
    """OR = ln(ad / bc), variance 1/a + 1/b + 1/c + 1/d (Woolf 1955)."""
    return np.log(a / b) - np.log(c / d), 1 / a + 1 / b + 1 / c + 1 / d


def log_risk_ratio(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> Effect:
    """RR = ln of the ratio of risks a/(a+b) and c/(c+d), delta-method variance."""
    n1, n2 = a + b, c + d
    return np.log(a / n1) - np.log(c / n2), 1 / a - 1 / n1 + 1 / c - 1 / n2


def risk_difference(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray, vtype: str = "LS") -> Effect:
    """RD = difference of risks; binomial variance over n (LS) or n−1 (UB)."""
    n1, n2 = a + b, c + d
    p1, p2 = a / n1, c / n2
    lost = 1 if vtype == "UB" else 0
    return p1 - p2, p1 * (1 - p1) / (n1 - lost) + p2 * (1 - p2) / (n2 - lost)


def arcsine_difference(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> Effect:
    """AS = difference of arcsine square-root risks, variance 1/(4 n1) + 1/(4 n2) (Rücker et al. 2009)."""
    n1, n2 = a + b, c + d
    return np.arcsin(np.sqrt(a / n1)) - np.arcsin(np.sqrt(c / n2)), 1 / (4 * n1) + 1 / (4 * n2)


def peto_log_odds_ratio(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> Effect:
    """PETO = (observed − expected) / V with the hypergeometric variance V; variance 1/V (Yusuf et al. 1985)."""
    n1, n2 = a + b, c + d
    n = n1 + n2
    expected = (a + c) * n1 / n
    hypergeometric = (a + c) * (b + d) * (n1 / n) * (n2 / n) / (n - 1)
    return (a - expected) / hypergeometric, 1 / hypergeometric


def proportion(x: FloatArray, m: FloatArray, vtype: str = "LS") -> Effect:
    """PR = x/n with n = x+m; variance p(1−p)/n (LS) or p(1−p)/(n−1) (UB)."""
    n = x + m
    p = x / n
    return p, p * (1 - p) / (n - (1 if vtype == "UB" else 0))


def log_proportion(x: FloatArray, m: FloatArray) -> Effect:
    """PLN = ln(x/n), variance 1/x − 1/n."""
    n = x + m
    return np.log(x / n), 1 / x - 1 / n


def logit_proportion(x: FloatArray, m: FloatArray) -> Effect:
    """PLO = ln(x/(n−x)), variance 1/x + 1/(n−x)."""
    return np.log(x / m), 1 / x + 1 / m


def arcsine_proportion(x: FloatArray, m: FloatArray) -> Effect:
    """PAS = arcsin √(x/n), variance 1/(4n)."""
    n = x + m
    return np.arcsin(np.sqrt(x / n)), 1 / (4 * n)


def freeman_tukey_proportion(x: FloatArray, m: FloatArray) -> Effect:
    """PFT = ½ (arcsin √(x/(n+1)) + arcsin √((x+1)/(n+1))), variance 1/(4n+2) (Freeman and Tukey 1950)."""
    n = x + m
    return (np.arcsin(np.sqrt(x / (n + 1))) + np.arcsin(np.sqrt((x + 1) / (n + 1)))) / 2, 1 / (4 * n + 2)
