"""Limit meta-analysis: the mean effect as precision grows without bound, under a model with small-study effects.

The model is y_i = beta + sqrt(v_i + tau2) (alpha + e_i), a regression line in the generalised radial plot. A study
without sampling error is expected at beta + tau alpha.

Ruecker G, Schwarzer G, Carpenter JR, Binder H, Schumacher M (2011), Biostatistics 12:122-142.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from headache_evidence.effects.effect_table import study_data
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.result import NOT_ESTIMABLE, Interval
from headache_evidence.pools.small_study import DEFAULT_MIN_K, SmallStudyResult, override_note, refusal

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LimitMetaAnalysis(SmallStudyResult):
    """Adjusted mean beside the unadjusted one, and how much of Q the small-study effects take."""

    estimate: float = math.nan  # beta + tau alpha
    se: float = math.nan
    ci: Interval = NOT_ESTIMABLE
    p_value: float = math.nan
    alpha: float = math.nan  # bias: expected standardised effect as precision goes to zero
    beta: float = math.nan
    tau2: float = math.nan
    unadjusted: float = math.nan
    q: float = math.nan
    q_small: float = math.nan  # part of Q due to small-study effects, chi-square with 1 df
    q_small_p: float = math.nan
    q_residual: float = math.nan
    g2: float = math.nan  # percent: heterogeneity unexplained by small-study effects
    level: float = 0.95


def limit_meta_analysis(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    method: str = "REML",
    min_k: int = DEFAULT_MIN_K,
    override: bool = False,
    level: float = 0.95,
) -> LimitMetaAnalysis:
    """Limit meta-analysis with the expectation at infinite precision as adjusted mean.

    Parameters
    ----------
    effects : effects table, or give ``yi`` and ``vi``, shape (k,).
    method : estimator of tau2, as in ``pool``.
    min_k, override : below ``min_k`` effects the result is "not assessable" unless ``override``.

    Notes
    -----
    Standard errors take the residual variance of the radial plot as 1, as the authors do.
    """
    data = study_data(effects, yi=yi, vi=vi)
    words = refusal(data.k, min_k, override)
    if not words and np.ptp(data.vi) <= 1e-10 * data.vi.max():
        words = f"not assessable (k = {data.k}): all studies are equally precise"
    if words:
        return LimitMetaAnalysis(k=data.k, min_k=min_k, assessable=False, words=words, level=level)
    pooled = pool(yi=data.yi, vi=data.vi, method=method, ci="wald")
    tau = math.sqrt(pooled.tau2)
    total = np.sqrt(data.vi + pooled.tau2)
    line, unscaled, _ = _radial_line(data.yi, total)
    alpha, beta = float(line[0]), float(line[1])
    direction = np.array([tau, 1.0])
    estimate, se = beta + tau * alpha, float(np.sqrt(direction @ unscaled @ direction))
    half = float(special.ndtri(0.5 + level / 2)) * se
    error = np.sqrt(data.vi)
    q_residual = _radial_line(data.yi, error)[2][0]
    left, spread = _radial_line(beta + tau / total * (data.yi - beta), error)[2]
    q_small = pooled.q - q_residual
    return LimitMetaAnalysis(
        k=data.k,
        min_k=min_k,
        assessable=True,
        words=f"Limit meta-analysis: {estimate:.3g} adjusted for small-study effects, {pooled.estimate:.3g} before "
        f"(k = {data.k})." + override_note(data.k, min_k),
        estimate=estimate,
        se=se,
        ci=(estimate - half, estimate + half),
        p_value=float(2 * special.ndtr(-abs(estimate / se))),
        alpha=alpha,
        beta=beta,
        tau2=pooled.tau2,
        unadjusted=pooled.estimate,
        q=pooled.q,
        q_small=q_small,
        q_small_p=float(stats.chi2.sf(q_small, 1)),
        q_residual=q_residual,
        g2=100 * left / spread,
        level=level,
    )


def _radial_line(y: FloatArray, error: FloatArray) -> tuple[FloatArray, FloatArray, tuple[float, float]]:
    """Least squares of y / error on 1 / error: coefficients, unscaled covariance, residual and total sum of squares."""
    precision = 1 / error
    design = np.column_stack([np.ones_like(precision), precision])
    unscaled = np.asarray(np.linalg.inv(design.T @ design), dtype=np.float64)
    response = y * precision
    coefficients = unscaled @ design.T @ response
    residual = float(np.sum((response - design @ coefficients) ** 2))
    return coefficients, unscaled, (residual, float(np.sum((response - response.mean()) ** 2)))
