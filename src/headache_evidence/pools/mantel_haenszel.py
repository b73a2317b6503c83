"""Mantel-Haenszel pooling of two-by-two tables, without corrections, and its tests."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.pools.rare_events_corrections import corrected_effects
from headache_evidence.pools.rare_events_tables import TwoByTwo, check_measure, common_effect_result, two_by_two
from headache_evidence.pools.result import PooledResult


class ChiSquareTest(NamedTuple):
    """A chi-square statistic, its degrees of freedom and p-value; NaN when it cannot be computed."""

    statistic: float
    df: int
    p_value: float


def mantel_haenszel(
    effects: pd.DataFrame | None = None,
    *,
    ai: npt.ArrayLike | None = None,
    n1i: npt.ArrayLike | None = None,
    ci: npt.ArrayLike | None = None,
    n2i: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    measure: str = "OR",
    level: float = 0.95,
) -> PooledResult:
    """Pool two-by-two tables by the Mantel-Haenszel method; nothing is added to empty cells.

    Parameters
    ----------
    effects : effects table with events1, n1, events2, n2, or
    ai, n1i, ci, n2i : events and patients of arm 1 and arm 2, shape (k,).
    measure : OR, RR (estimate and interval on the log scale) or RD.

    Returns
    -------
    PooledResult with method "MH". Q and I2 come from the studies' own effects (0.5 added to empty cells), as in
    metafor. Without a single event the result is not estimable and its notes say so.

    Raises
    ------
    InputError
        for counts that are not counts (the message names the study) or an unknown measure.

    References
    ----------
    Variances: Robins, Breslow & Greenland 1986 (OR); Greenland & Robins 1985 (RR); Sato, Greenland & Robins 1989 (RD).
    """
    check_measure(measure)
    table = two_by_two(effects, ai=ai, n1i=n1i, ci=ci, n2i=n2i, labels=labels)
    estimate, se, weights = _ESTIMATORS[measure](table)
    own = corrected_effects(table, measure)
    used = own["usable"].to_numpy() & ~table.says_nothing_of_ratios
    return common_effect_result(
        table,
        measure=measure,
        method="MH",
        estimate=estimate,
        se=se,
        weights=weights,
        yi=own["yi"].to_numpy()[used],
        vi=own["vi"].to_numpy()[used],
        level=level,
        notes=_notes(table, measure, estimate),
    )


def _odds_ratio(table: TwoByTwo) -> tuple[float, float, FloatArray]:
    n = table.total
    r, s = table.ai * table.di / n, table.bi * table.ci / n
    p, q = (table.ai + table.di) / n, (table.bi + table.ci) / n
    R, S = float(r.sum()), float(s.sum())
    if R == 0 or S == 0:
        return math.nan, math.nan, s
    variance = 0.5 * ((p @ r) / R**2 + (p @ s + q @ r) / (R * S) + (q @ s) / S**2)
    return math.log(R / S), math.sqrt(variance), s


def _risk_ratio(table: TwoByTwo) -> tuple[float, float, FloatArray]:
    n = table.total
    r, s = table.ai * table.n2i / n, table.ci * table.n1i / n
    R, S = float(r.sum()), float(s.sum())
    if R == 0 or S == 0:
        return math.nan, math.nan, s
    d = (table.n1i * table.n2i * (table.ai + table.ci) - table.ai * table.ci * n) / n**2
    return math.log(R / S), math.sqrt(float(d.sum()) / (R * S)), s


def _risk_difference(table: TwoByTwo) -> tuple[float, float, FloatArray]:
    n, n1, n2 = table.total, table.n1i, table.n2i
    weights = n1 * n2 / n
    total = float(weights.sum())
    estimate = float((table.ai * n2 / n - table.ci * n1 / n).sum()) / total
    p = table.ci * (n1 / n) ** 2 - table.ai * (n2 / n) ** 2 + (n1 / n) * (n2 / n) * (n2 - n1) / 2
    q = (table.ai * (n2 - table.ci) + table.ci * (n1 - table.ai)) / (2 * n)
    variance = (estimate * float(p.sum()) + float(q.sum())) / total**2
    return (estimate, math.sqrt(variance), weights) if variance > 0 else (math.nan, math.nan, weights)


_ESTIMATORS = {"OR": _odds_ratio, "RR": _risk_ratio, "RD": _risk_difference}


def _notes(table: TwoByTwo, measure: str, estimate: float) -> list[str]:
    notes = []
    silent = table.says_nothing_of_ratios
    if measure != "RD" and silent.any():
        names = ", ".join(label for label, skip in zip(table.labels, silent.tolist(), strict=True) if skip)
        notes.append(f"no events, or nothing but events, in both arms, hence no weight: {names}")
    if math.isnan(estimate):
        notes.append("not estimable: an arm has no events in any study, or nothing but events" if table.k else "k = 0")
    return notes


def cochran_mantel_haenszel(table: TwoByTwo, *, correct: bool = True) -> ChiSquareTest:
    """Test of no association in any study (Mantel & Haenszel 1959), with the continuity correction by default."""
    n, events = table.total, table.ai + table.ci
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = table.n1i * table.n2i * events * (n - events) / (n**2 * (n - 1))
    total = float(variance.sum())
    if not total > 0:
        return ChiSquareTest(math.nan, 1, math.nan)
    difference = abs(float((table.ai - table.n1i * events / n).sum()))
    statistic = max(difference - (0.5 if correct else 0.0), 0.0) ** 2 / total
    return ChiSquareTest(statistic, 1, float(special.chdtrc(1, statistic)))


def breslow_day(table: TwoByTwo, *, tarone: bool = True) -> ChiSquareTest:
    """Test of one odds ratio for all studies, at the Mantel-Haenszel estimate (Breslow & Day 1980; Tarone 1985).

    The expected cell solves a quadratic; studies that say nothing of ratios are left out.
    """
    used = table.rows(~table.says_nothing_of_ratios)
    log_odds_ratio = _odds_ratio(used)[0]
    if math.isnan(log_odds_ratio):
        return ChiSquareTest(math.nan, max(used.k - 1, 0), math.nan)
    expected = np.array([_expected(used, i, math.exp(log_odds_ratio)) for i in range(used.k)])
    events = used.ai + used.ci
    variance = 1 / (
        1 / expected + 1 / (events - expected) + 1 / (used.n1i - expected) + 1 / (used.n2i - events + expected)
    )
    difference = used.ai - expected
    statistic = float((difference**2 / variance).sum())
    if tarone:
        statistic -= float(difference.sum()) ** 2 / float(variance.sum())
    df = used.k - 1
    return ChiSquareTest(statistic, df, float(special.chdtrc(df, statistic)) if df else math.nan)


def _expected(table: TwoByTwo, i: int, odds_ratio: float) -> float:
    """Events expected in arm 1 under the odds ratio, margins given."""
    events, n1, n2 = float(table.ai[i] + table.ci[i]), float(table.n1i[i]), float(table.n2i[i])
    low, high = max(0.0, events - n2), min(events, n1)

    def excess(x: float) -> float:
        return x * (n2 - events + x) - odds_ratio * (events - x) * (n1 - x)

    return float(optimize.brentq(excess, low, high, xtol=1e-13))
