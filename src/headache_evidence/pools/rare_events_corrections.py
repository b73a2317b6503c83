"""Effect sizes of tables with empty cells: named continuity corrections for the inverse-variance method."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.errors import InputError
from headache_evidence.pools.rare_events_tables import TwoByTwo, check_measure

CORRECTIONS = ("constant", "treatment-arm", "empirical")


def corrected_effects(
    table: TwoByTwo, measure: str = "OR", *, correction: str = "constant", constant: float = 0.5
) -> pd.DataFrame:
    """Effects with something added to every cell of the studies that have an empty one.

    Parameters
    ----------
    measure : OR, RR (both as logarithms) or RD.
    correction : "constant" adds ``constant`` to each cell; "treatment-arm" adds to each arm in proportion to the
        reciprocal of the other arm's size; "empirical" shifts that by the Mantel-Haenszel odds ratio of the studies
        without empty cells. The two latter add up to one over both arms (Sweeting, Sutton & Lambert 2004, Stat Med
        23:1351-1375).

    Returns
    -------
    DataFrame with label, yi, vi, usable, reason, added1 and added2; one row per study. Ratios of studies without any
    event, or with nothing but events, are not usable: they say nothing about a ratio.

    Raises
    ------
    InputError
        for an unknown measure or correction, or an empirical one without a study to learn the odds ratio from.
    """
    check_measure(measure)
    add1, add2 = _added(table, correction, constant)
    yi, vi = effect_and_variance(measure, table.ai + add1, table.bi + add1, table.ci + add2, table.di + add2)
    silent = table.says_nothing_of_ratios & (measure != "RD")
    return pd.DataFrame(
        {
            "label": table.labels,
            "measure": measure,
            "yi": yi,
            "vi": vi,
            "n1": table.n1i,
            "n2": table.n2i,
            "usable": ~silent,
            "reason": np.where(silent, "no events, or nothing but events, in both arms", ""),
            "added1": add1,
            "added2": add2,
        }
    )


def effect_and_variance(
    measure: str, a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """log OR, log RR or RD of tables (a, b; c, d) and its large-sample variance, shapes (k,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "OR":
            return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d
        if measure == "RR":
            return np.log(a / (a + b)) - np.log(c / (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)
        return a / (a + b) - c / (c + d), a * b / (a + b) ** 3 + c * d / (c + d) ** 3


def _added(table: TwoByTwo, correction: str, constant: float) -> tuple[FloatArray, FloatArray]:
    if correction not in CORRECTIONS:
        raise InputError(f"correction = {correction!r}; allowed are {', '.join(CORRECTIONS)}.")
    zero = table.has_zero_cell
    if correction == "constant":
        if not (math.isfinite(constant) and constant > 0):
            raise InputError(f"constant must be a finite number above 0; got {constant}.")
        return np.where(zero, constant, 0.0), np.where(zero, constant, 0.0)
    odds_ratio = 1.0 if correction == "treatment-arm" else _odds_ratio_without_zeros(table.rows(~zero))
    ratio = table.n2i / table.n1i
    return np.where(zero, odds_ratio / (ratio + odds_ratio), 0.0), np.where(zero, ratio / (ratio + odds_ratio), 0.0)


def _odds_ratio_without_zeros(table: TwoByTwo) -> float:
    if table.k == 0:
        raise InputError("The empirical correction needs at least one study without an empty cell; there is none.")
    return float((table.ai * table.di / table.total).sum() / (table.bi * table.ci / table.total).sum())
