"""Pools by subgroup, and the test whether the subgroups differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from headache_evidence.effects.effect_table import FloatArray, study_data, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import interval_from_se
from headache_evidence.pools.heterogeneity import h2_from_tau2, i2_from_tau2
from headache_evidence.pools.meta_regression_model import estimate_tau2, sums
from headache_evidence.pools.meta_regression_permutation import standard_error_factor
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.result import NOT_ESTIMABLE, PooledResult, json_ready
from headache_evidence.pools.tau2_estimators import check_method

NOT_REPORTED = "not reported"
MIN_K = 3  # studies per level in a test of interaction


@dataclass(frozen=True)
class SubgroupResult:
    """One pooled result per level, those without usable evidence included, and the test of interaction."""

    by: str
    tau2: str  # "separate" or "common"
    pools: dict[str, PooledResult]  # by level, in alphabetical order
    q_between: float  # chi-square; under "common" and Knapp-Hartung an F
    statistic_name: str  # "chi-square", "F", or "" when there is no test
    df: tuple[float, float]  # second one NaN for chi-square
    p_value: float
    words: str  # the test in words, or why there is none

    @property
    def assessable(self) -> bool:
        """True when there is a test of interaction."""
        return math.isfinite(self.p_value)

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON-ready values."""
        values = {name: json_ready(value) for name, value in vars(self).items() if name != "pools"}
        return values | {"pools": {level: result.to_dict() for level, result in self.pools.items()}}


def subgroup_pools(
    effects: pd.DataFrame,
    by: str = "technique",
    *,
    tau2: str = "separate",
    method: str = "REML",
    ci: str = "knapp-hartung-conservative",
    level: float = 0.95,
    prediction: str = "metafor",
    min_k: int = MIN_K,
) -> SubgroupResult:
    """Pool each level of a column of the effects table and test whether the levels differ.

    Parameters
    ----------
    effects : effects table; levels whose rows are all unusable are kept as "no usable evidence".
    by : column with the levels; empty values form the level "not reported".
    tau2 : "separate" estimates one per level; "common" one for all, which is steadier with few studies per level.
    method, ci, level, prediction : as in ``pool``.
    min_k : levels with fewer studies are pooled, but do not enter the test of interaction.

    Notes
    -----
    The test: with separate tau2, weighted squared deviations of the levels' estimates, with the standard errors of
    their own fits (Knapp-Hartung where ``ci`` says so), against chi-square (Borenstein & Higgins 2013); with a common
    tau2, the joint test of the level means in one model: chi-square for wald, F with k - p degrees of freedom for
    Knapp-Hartung, whose factor then comes from all levels together.

    Raises
    ------
    InputError
        for an unknown column or option, or an unusable number.
    """
    if by not in effects.columns:
        raise InputError(f"The effects table lacks the column {by!r}.")
    if tau2 not in ("separate", "common"):
        raise InputError(f"tau2 must be 'separate' or 'common'; got {tau2!r}.")
    levels = _levels(effects[by])
    pools = {
        name: pool(effects[levels == name], method=method, ci=ci, level=level, prediction=prediction)
        for name in sorted(set(levels.tolist()))
    }
    tested = _tested(pools, min_k)
    frame: dict[str, Any] = {"by": by, "tau2": tau2}
    if tau2 == "separate":
        return _separate(frame, pools, tested, ci, min_k)
    return _common(frame, effects, levels, pools, tested, check_method(method), ci, level, min_k)


def difference_of_subgroups(pools: Mapping[str, PooledResult], min_k: int = MIN_K) -> tuple[float, int, float]:
    """Q, degrees of freedom and P of the test that the levels' means differ, each with its own tau2.

    Q is the sum of inverse-variance weighted squared deviations of the estimates from their weighted mean
    (Borenstein et al. 2009, Introduction to Meta-Analysis, chapter 19). Levels with fewer than ``min_k`` studies do
    not enter; NaN when fewer than two do.
    """
    tested = [pools[name] for name in _tested(pools, min_k)]
    if len(tested) < 2:
        return math.nan, 0, math.nan
    estimate = np.array([result.estimate for result in tested])
    weight = np.array([result.se for result in tested]) ** -2.0
    q = float((weight * (estimate - weight @ estimate / weight.sum()) ** 2).sum())
    return q, len(tested) - 1, float(special.chdtrc(len(tested) - 1, q))


def _tested(pools: Mapping[str, PooledResult], min_k: int) -> list[str]:
    return [name for name, result in pools.items() if result.k >= min_k and result.se > 0 and math.isfinite(result.se)]


def _levels(column: pd.Series[Any]) -> pd.Series[Any]:
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    return text.where(text != "", NOT_REPORTED)


def _separate(
    frame: dict[str, Any], pools: dict[str, PooledResult], tested: list[str], ci: str, min_k: int
) -> SubgroupResult:
    if len(tested) < 2:
        return _no_test(frame, pools, tested, min_k)
    q, df, p = difference_of_subgroups(pools, min_k)
    errors = "Wald" if ci == "wald" else f"{ci} (t intervals, chi-square test)"
    words = f"chi-square = {q:.2f}, df = {df}, p = {p:.3f}; separate tau2, standard errors: {errors}"
    return SubgroupResult(
        **frame,
        pools=pools,
        q_between=q,
        statistic_name="chi-square",
        df=(float(df), math.nan),
        p_value=p,
        words=words + _left_out(pools, tested, min_k),
    )


def _common(
    frame: dict[str, Any],
    effects: pd.DataFrame,
    levels: pd.Series[Any],
    pools: dict[str, PooledResult],
    tested: list[str],
    method: str,
    ci: str,
    level: float,
    min_k: int,
) -> SubgroupResult:
    rows = usable_effects(effects)
    data, groups = study_data(rows), levels.loc[rows.index].to_numpy()
    names = [name for name, result in pools.items() if result.k > 0]
    k, p = data.k, len(names)
    if k <= p:
        words = f"no test: {k} studies in {p} levels leave nothing to estimate a common tau2 from"
        return _no_test(frame, pools, tested, min_k, words)
    X = np.column_stack([groups == name for name in names]).astype(float)
    y, v = data.yi[:, None], data.vi[:, None]
    shared = estimate_tau2(y, v, X, method)
    fit = sums(y, v, X, shared)
    factor = float(standard_error_factor(fit.q, k - p, ci)[0])
    covariance = fit.covariance[0] * factor
    df = math.nan if ci == "wald" else float(k - p)
    pools = {
        name: _with_common_tau2(
            pools[name],
            data.vi[groups == name],
            float(shared[0]),
            float(fit.coefficients[names.index(name), 0]),
            math.sqrt(covariance[names.index(name), names.index(name)]),
            df,
            level,
        )
        if name in names
        else pools[name]
        for name in pools
    }
    if len(tested) < 2:
        return _no_test(frame, pools, tested, min_k)
    return _common_test(frame, pools, tested, names, fit.coefficients[:, 0], covariance, df, min_k)


def _common_test(
    frame: dict[str, Any],
    pools: dict[str, PooledResult],
    tested: list[str],
    names: list[str],
    coefficients: FloatArray,
    covariance: FloatArray,
    df: float,
    min_k: int,
) -> SubgroupResult:
    at = [names.index(name) for name in tested]
    contrast = np.eye(len(at))[1:] - np.eye(len(at))[0]
    difference = contrast @ coefficients[at]
    spread = contrast @ covariance[np.ix_(at, at)] @ contrast.T
    q, m = float(difference @ np.linalg.solve(spread, difference)), len(at) - 1
    if math.isnan(df):
        name, statistic, p = "chi-square", q, float(special.chdtrc(m, q))
    else:
        name, statistic, p = "F", q / m, float(special.fdtrc(m, df, q / m))
    degrees = f"df = {m}" if math.isnan(df) else f"df = {m}, {df:g}"
    return SubgroupResult(
        **frame,
        pools=pools,
        q_between=statistic,
        statistic_name=name,
        df=(float(m), df),
        p_value=p,
        words=f"{name} = {statistic:.2f}, {degrees}, p = {p:.3f}; common tau2" + _left_out(pools, tested, min_k),
    )


def _with_common_tau2(
    own: PooledResult, vi: FloatArray, tau2: float, estimate: float, se: float, df: float, level: float
) -> PooledResult:
    """A level's result under the shared tau2; its Q stays its own."""
    mean = interval_from_se(np.array([estimate]), np.array([se]), df, level)
    wide = interval_from_se(np.array([estimate]), np.array([math.hypot(se, math.sqrt(tau2))]), df, level)
    weights = 1 / (vi + tau2)
    return replace(
        own,
        estimate=estimate,
        se=se,
        ci=(float(mean.lower[0]), float(mean.upper[0])),
        statistic=float(mean.statistic[0]),
        statistic_name="z" if math.isnan(df) else "t",
        df=df,
        p_value=float(mean.p_value[0]),
        tau2=tau2,
        tau2_se=math.nan,
        tau2_ci=NOT_ESTIMABLE,
        i2=i2_from_tau2(tau2, vi) if own.k > 1 else math.nan,
        i2_ci=NOT_ESTIMABLE,
        h2=h2_from_tau2(tau2, vi) if own.k > 1 else math.nan,
        prediction_interval=(float(wide.lower[0]), float(wide.upper[0])),
        prediction_df=df,
        prediction_rule="metafor",
        weights=tuple((100 * weights / weights.sum()).tolist()),
        notes=(*own.notes, "tau2 is shared by all levels of the subgroup"),
    )


def _left_out(pools: dict[str, PooledResult], tested: list[str], min_k: int) -> str:
    rest = [f"{name} (k = {result.k})" for name, result in pools.items() if name not in tested]
    return f"; not in the test, fewer than {min_k} studies: {', '.join(rest)}" if rest else ""


def _no_test(
    frame: dict[str, Any], pools: dict[str, PooledResult], tested: list[str], min_k: int, words: str = ""
) -> SubgroupResult:
    counted = ", ".join(f"{name} (k = {result.k})" for name, result in pools.items())
    words = words or f"no test: it needs two levels with at least {min_k} studies each; there are {counted or 'none'}"
    return SubgroupResult(
        **frame,
        pools=pools,
        q_between=math.nan,
        statistic_name="",
        df=(math.nan, math.nan),
        p_value=math.nan,
        words=words,
    )
