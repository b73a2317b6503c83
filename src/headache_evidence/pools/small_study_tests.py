"""Tests of funnel asymmetry: Egger's regression, Begg's rank correlation, Peters' and Harbord's for 2 x 2 tables.

Egger M et al. (1997), BMJ 315:629-634; Sterne JAC, Egger M (2005) in Rothstein et al. (mixed-effects form);
Begg CB, Mazumdar M (1994), Biometrics 50:1088-1101; Peters JL et al. (2006), JAMA 295:676-680;
Harbord RM, Egger M, Sterne JAC (2006), Statistics in Medicine 25:3443-3457.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from headache_evidence.effects.effect_table import study_data
from headache_evidence.effects.escalc import escalc
from headache_evidence.errors import InputError
from headache_evidence.pools.result import NOT_ESTIMABLE, Interval
from headache_evidence.pools.small_study import DEFAULT_MIN_K, SmallStudyResult, columns, override_note, refusal
from headache_evidence.pools.small_study_regression import LineFit, least_squares_line, mixed_effects_line

FloatArray = npt.NDArray[np.float64]
Predictor = Literal["sei", "vi"]


@dataclass(frozen=True, kw_only=True)
class AsymmetryTest(SmallStudyResult):
    """A test of funnel asymmetry. ``limit`` is the effect that the regression expects of an infinitely large study."""

    test: str
    statistic: float = math.nan
    statistic_name: str = ""  # t, z or Kendall's tau
    df: float = math.nan  # of t
    p_value: float = math.nan
    limit: float = math.nan
    limit_ci: Interval = NOT_ESTIMABLE
    tau2: float = math.nan  # residual heterogeneity of a mixed-effects regression
    level: float = 0.95


def egger(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    model: Literal["lm", "rma"] = "lm",
    predictor: Predictor = "sei",
    method: str = "REML",
    min_k: int = DEFAULT_MIN_K,
    override: bool = False,
    level: float = 0.95,
) -> AsymmetryTest:
    """Egger's regression test, as metafor's ``regtest``.

    Parameters
    ----------
    effects : effects table, or give ``yi`` and ``vi``, shape (k,).
    model : "lm", weighted regression with a multiplicative dispersion (Egger's own test, t), or "rma", mixed-effects
        meta-regression with tau2 by ``method`` (z).
    predictor : standard error "sei" or sampling variance "vi".
    min_k, override : below ``min_k`` effects the result is "not assessable" unless ``override``.

    Raises
    ------
    InputError
        for an unknown model or predictor, and when all standard errors are equal.
    """
    if model not in ("lm", "rma") or predictor not in ("sei", "vi"):
        raise InputError(f'model is "lm" or "rma", predictor "sei" or "vi"; got {model!r}, {predictor!r}.')
    data = study_data(effects, yi=yi, vi=vi)
    name = "Egger's test" if model == "lm" else f"Egger's test, mixed effects ({method})"
    words = refusal(data.k, min_k, override)
    if words:
        return AsymmetryTest(k=data.k, min_k=min_k, assessable=False, words=words, test=name, level=level)
    x = np.sqrt(data.vi) if predictor == "sei" else data.vi
    if model == "lm":
        fit = least_squares_line(data.yi, x, 1 / data.vi)
    else:
        fit = mixed_effects_line(data.yi, data.vi, x, method)
    return _from_line(fit, name, data.k, min_k, level)


def begg(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    min_k: int = DEFAULT_MIN_K,
    override: bool = False,
) -> AsymmetryTest:
    """Begg and Mazumdar's rank correlation of effects and variances, as metafor's ``ranktest``.

    The p-value is exact without ties and a normal approximation, without continuity correction, with ties.
    """
    data = study_data(effects, yi=yi, vi=vi)
    words = refusal(data.k, min_k, override)
    if words:
        return AsymmetryTest(k=data.k, min_k=min_k, assessable=False, words=words, test="Begg's test")
    weights = 1 / data.vi
    centre = float(weights @ data.yi / weights.sum())
    standardised = (data.yi - centre) / np.sqrt(data.vi - 1 / weights.sum())
    ties = np.unique(standardised).size < data.k or np.unique(data.vi).size < data.k
    found = stats.kendalltau(standardised, data.vi, method="asymptotic" if ties else "exact")
    tau, p_value = float(found.statistic), float(found.pvalue)
    return AsymmetryTest(
        k=data.k,
        min_k=min_k,
        assessable=True,
        words=f"Begg's test: Kendall's tau = {tau:.2f}, p = {p_value:.3f} (k = {data.k})."
        + override_note(data.k, min_k),
        test="Begg's test",
        statistic=tau,
        statistic_name="tau",
        p_value=p_value,
    )


def peters(
    effects: pd.DataFrame | None = None,
    *,
    ai: npt.ArrayLike | None = None,
    n1i: npt.ArrayLike | None = None,
    ci: npt.ArrayLike | None = None,
    n2i: npt.ArrayLike | None = None,
    min_k: int = DEFAULT_MIN_K,
    override: bool = False,
    level: float = 0.95,
) -> AsymmetryTest:
    """Peters' test for odds ratios: log odds ratio on 1 / n, weighted by events x non-events / n.

    Parameters
    ----------
    effects : effects table with ``events1``, ``n1``, ``events2``, ``n2``, or give the counts.
    ai, n1i, ci, n2i : events and patients of both arms, shape (k,). Half an event is added to the cells of a table
        with a zero, as ``escalc`` does. Studies with events in all or no patients say nothing and are left out.
    """
    events1, total1, events2, total2, dropped = _counts(effects, ai, n1i, ci, n2i)
    k = events1.size
    words = refusal(k, min_k, override)
    if words:
        return AsymmetryTest(k=k, min_k=min_k, assessable=False, words=words, test="Peters' test", level=level)
    total = total1 + total2
    events = events1 + events2
    ratios = escalc("OR", ai=events1, n1i=total1, ci=events2, n2i=total2)["yi"].to_numpy(dtype=float)
    fit = least_squares_line(ratios, 1 / total, events * (total - events) / total)
    return _from_line(fit, "Peters' test", k, min_k, level, dropped)


def harbord(
    effects: pd.DataFrame | None = None,
    *,
    ai: npt.ArrayLike | None = None,
    n1i: npt.ArrayLike | None = None,
    ci: npt.ArrayLike | None = None,
    n2i: npt.ArrayLike | None = None,
    min_k: int = DEFAULT_MIN_K,
    override: bool = False,
    level: float = 0.95,
) -> AsymmetryTest:
    """Harbord's test for odds ratios: regression of the efficient score, which avoids the built-in correlation.

    Parameters are those of `peters`.
    """
    events1, total1, events2, total2, dropped = _counts(effects, ai, n1i, ci, n2i)
    k = events1.size
    words = refusal(k, min_k, override)
    if words:
        return AsymmetryTest(k=k, min_k=min_k, assessable=False, words=words, test="Harbord's test", level=level)
    total = total1 + total2
    events = events1 + events2
    score = events1 - total1 * events / total
    information = total1 * total2 * events * (total - events) / (total**2 * (total - 1))
    fit = least_squares_line(score / information, 1 / np.sqrt(information), information)
    return _from_line(fit, "Harbord's test", k, min_k, level, dropped)


def _from_line(fit: LineFit, name: str, k: int, min_k: int, level: float, dropped: int = 0) -> AsymmetryTest:
    letter = "z" if math.isnan(fit.df) else "t"
    statistic, p_value = float(fit.statistic[1]), float(fit.p_value[1])
    words = f"{name}: {letter} = {statistic:.2f}, p = {p_value:.3f} (k = {k})."
    if dropped:
        words += f" Left out {dropped} with events in all or no patients."
    return AsymmetryTest(
        k=k,
        min_k=min_k,
        assessable=True,
        words=words + override_note(k, min_k),
        test=name,
        statistic=statistic,
        statistic_name=letter,
        df=fit.df,
        p_value=p_value,
        limit=float(fit.coefficients[0]),
        limit_ci=fit.interval(0, level),
        tau2=fit.tau2,
        level=level,
    )


def _counts(
    effects: pd.DataFrame | None,
    ai: npt.ArrayLike | None,
    n1i: npt.ArrayLike | None,
    ci: npt.ArrayLike | None,
    n2i: npt.ArrayLike | None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, int]:
    """Counts of the informative studies, and how many were not."""
    given = (ai, n1i, ci, n2i)
    if effects is not None:
        if any(values is not None for values in given):
            raise InputError("Give an effects table or the counts ai, n1i, ci, n2i, not both.")
        counts = columns(effects, ["events1", "n1", "events2", "n2"])
    elif any(values is None for values in given):
        raise InputError("Give an effects table, or all of ai, n1i, ci, n2i.")
    else:
        counts = [np.atleast_1d(np.asarray(values, dtype=float)) for values in given]
    if len({values.shape for values in counts}) != 1:
        raise InputError(f"ai, n1i, ci, n2i differ in length: {[values.size for values in counts]}.")
    events1, total1, events2, total2 = counts
    bad = ~((events1 >= 0) & (events1 <= total1) & (events2 >= 0) & (events2 <= total2) & (total1 > 0) & (total2 > 0))
    if bad.any():
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(bad))
        raise InputError(f"Events must lie between 0 and n; not so in row(s) {rows}.")
    events, total = events1 + events2, total1 + total2
    informative = (events > 0) & (events < total)
    return (
        events1[informative],
        total1[informative],
        events2[informative],
        total2[informative],
        int((~informative).sum()),
    )
