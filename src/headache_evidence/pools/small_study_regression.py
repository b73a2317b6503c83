"""Regression of effects on a measure of study size: weighted least squares, or a mixed-effects model with tau2."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from headache_evidence.errors import InputError
from headache_evidence.pools.result import Interval

FloatArray = npt.NDArray[np.float64]
MIXED_METHODS = ("FE", "DL", "HE", "ML", "REML", "PM", "EB")
SCAN_POINTS = 60


@dataclass(frozen=True)
class LineFit:
    """Intercept and slope, arrays of shape (2,), with their covariance (2, 2) and the reference distribution."""

    coefficients: FloatArray
    covariance: FloatArray
    df: float  # of t, NaN for z
    tau2: float

    @property
    def se(self) -> FloatArray:
        """Standard errors of intercept and slope."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def statistic(self) -> FloatArray:
        """Coefficients over standard errors: t, or z when ``df`` is NaN."""
        return np.asarray(self.coefficients / self.se)

    @property
    def p_value(self) -> FloatArray:
        """Two-sided."""
        below = -np.abs(self.statistic)
        return np.asarray(2 * (special.ndtr(below) if math.isnan(self.df) else special.stdtr(self.df, below)))

    def interval(self, index: int, level: float) -> Interval:
        """Confidence interval of a coefficient."""
        upper = 0.5 + level / 2
        half = float(special.ndtri(upper) if math.isnan(self.df) else special.stdtrit(self.df, upper)) * self.se[index]
        return float(self.coefficients[index] - half), float(self.coefficients[index] + half)


def least_squares_line(y: FloatArray, x: FloatArray, weights: FloatArray) -> LineFit:
    """Weighted least squares with the residual variance estimated: a multiplicative model, t with k - 2 df."""
    design = np.column_stack([np.ones_like(x), x])
    covariance, beta = _weighted(y, _varying(design), weights)
    df = y.size - 2
    residual = float(weights @ (y - design @ beta) ** 2)
    return LineFit(beta, covariance * residual / df, float(df), math.nan)


def mixed_effects_line(y: FloatArray, vi: FloatArray, x: FloatArray, method: str) -> LineFit:
    """Additive model: variance vi + tau2, tau2 by ``method``; z statistics, as metafor's default.

    Raises
    ------
    InputError
        for a method without a regression form here, or a predictor that does not vary.
    """
    if method not in MIXED_METHODS:
        raise InputError(f"method = {method!r}; a regression on study size knows {', '.join(MIXED_METHODS)}.")
    design = _varying(np.column_stack([np.ones_like(x), x]))
    tau2 = residual_tau2(y, vi, design, method)
    covariance, beta = _weighted(y, design, 1 / (vi + tau2))
    return LineFit(beta, covariance, math.nan, tau2)


def residual_tau2(y: FloatArray, vi: FloatArray, design: FloatArray, method: str) -> float:
    """Heterogeneity left by the regression; ``design`` has shape (k, p).

    ML and REML take the highest local maximum of the likelihood, found on a grid and refined on its derivative.
    """
    k, p = int(y.size), int(design.shape[1])
    if method == "FE" or k <= p:
        return 0.0
    if method == "HE":
        hat = design @ np.linalg.pinv(design)
        left = np.eye(k) - hat
        return max(0.0, (float(y @ left @ y) - float(np.sum(np.diag(left) * vi))) / (k - p))
    projection = _projection(design, 1 / vi)
    q = float(y @ projection @ y)
    if method == "DL":
        return max(0.0, (q - (k - p)) / float(np.trace(projection)))
    ceiling = 10 * (float(np.var(y)) + float(vi.max()))
    if method in ("PM", "EB"):
        if q <= k - p:
            return 0.0

        def excess(heterogeneity: float) -> float:
            return float(y @ _projection(design, 1 / (vi + heterogeneity)) @ y) - (k - p)

        return float(optimize.brentq(excess, 0, ceiling, xtol=1e-15))
    grid = np.concatenate([[0.0], np.geomspace(1e-4 * float(vi.min()), ceiling, SCAN_POINTS)])
    heights = [_log_likelihood(y, vi, design, t, method) for t in grid]
    best = int(np.argmax(heights))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, SCAN_POINTS)]
    if _score(y, vi, design, low, method) <= 0:
        return float(low)
    return float(optimize.brentq(lambda t: _score(y, vi, design, t, method), low, high, xtol=1e-15, rtol=1e-13))


def _varying(design: FloatArray) -> FloatArray:
    if np.ptp(design[:, 1]) <= 1e-10 * np.abs(design[:, 1]).max():
        raise InputError("All studies are of the same size: nothing to regress on.")
    return design


def _weighted(y: FloatArray, design: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    covariance = np.asarray(np.linalg.inv(design.T @ (weights[:, None] * design)), dtype=np.float64)
    return covariance, np.asarray(covariance @ design.T @ (weights * y))


def _projection(design: FloatArray, weights: FloatArray) -> FloatArray:
    weighted = weights[:, None] * design
    inverse = np.asarray(np.linalg.inv(design.T @ weighted), dtype=np.float64)
    return np.asarray(np.diag(weights) - weighted @ inverse @ weighted.T)


def _log_likelihood(y: FloatArray, vi: FloatArray, design: FloatArray, tau2: float, method: str) -> float:
    weights = 1 / (vi + tau2)
    value = float(np.sum(np.log(weights)) - y @ _projection(design, weights) @ y)
    if method == "REML":
        value -= float(np.linalg.slogdet(design.T @ (weights[:, None] * design))[1])
    return 0.5 * value


def _score(y: FloatArray, vi: FloatArray, design: FloatArray, tau2: float, method: str) -> float:
    weights = 1 / (vi + tau2)
    projection = _projection(design, weights)
    spread = float(np.sum(np.square(projection @ y)))
    return 0.5 * (spread - (float(np.trace(projection)) if method == "REML" else float(weights.sum())))
