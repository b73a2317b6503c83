"""Weighted regression of effects on covariates with a between-study variance, for many data sets at once.

``X`` is one design matrix (k, p); ``yi`` and ``vi`` hold D data sets as columns (k, D). Results have shape (D,), or
(p, D) and (D, p, p) for coefficients and their covariance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.errors import InputError

METHODS = ("FE", "DL", "HE", "ML", "REML", "PM", "SJ", "EB")
MAX_ITERATIONS = 500
SMALL_STEP = 1e-11  # of tau2, relative to the typical sampling variance


class Sums(NamedTuple):
    """What the estimators need at one tau2 per column."""

    coefficients: FloatArray  # (p, D)
    covariance: FloatArray  # (D, p, p), inverse of X'WX
    q: FloatArray  # weighted sum of squared residuals
    q_slope: FloatArray  # minus its derivative by tau2
    trace: FloatArray  # of P = W - W X (X'WX)^-1 X'W
    trace_squared: FloatArray  # of P P


def sums(yi: FloatArray, vi: FloatArray, X: FloatArray, tau2: FloatArray) -> Sums:
    """Generalised least squares and the traces of its residual-making matrix."""
    w = 1 / (vi + tau2)

    def moment(weights: FloatArray) -> FloatArray:
        return np.asarray(np.einsum("kd,kp,kq->dpq", weights, X, X), dtype=float)

    covariance: FloatArray = np.asarray(np.linalg.inv(moment(w)), dtype=float)
    coefficients: FloatArray = np.einsum("dpq,kq,kd->pd", covariance, X, w * yi)
    residuals = yi - X @ coefficients
    second = covariance @ moment(w**2)
    third = covariance @ moment(w**3)
    trace = w.sum(axis=0) - np.trace(second, axis1=1, axis2=2)
    trace_squared = (
        (w**2).sum(axis=0) - 2 * np.trace(third, axis1=1, axis2=2) + np.trace(second @ second, axis1=1, axis2=2)
    )
    return Sums(
        coefficients,
        covariance,
        (w * residuals**2).sum(axis=0),
        ((w * residuals) ** 2).sum(axis=0),
        trace,
        trace_squared,
    )


def estimate_tau2(yi: FloatArray, vi: FloatArray, X: FloatArray, method: str) -> FloatArray:
    """Residual between-study variance of each column, k > p.

    Moment estimators in closed form (DL, HE, SJ), by generalised Q (PM; EB has the same root), or Fisher scoring (ML,
    REML), all as in Viechtbauer 2005 and Lopez-Lopez et al. 2014 (Br J Math Stat Psychol 67:30-48).
    """
    k, p = X.shape
    zero = np.zeros(yi.shape[1])
    if method == "FE":
        return zero
    if method == "DL":
        at_zero = sums(yi, vi, X, zero)
        return np.asarray(np.maximum(0, (at_zero.q - (k - p)) / at_zero.trace))
    if method in ("PM", "EB"):
        return solve_q(yi, vi, X, np.full(yi.shape[1], float(k - p)))
    projector = np.eye(k) - X @ np.linalg.pinv(X)
    hedges = ((projector @ yi) ** 2).sum(axis=0) - np.einsum("kk,kd->d", projector, vi)
    hedges = np.maximum(0, hedges / (k - p))
    if method == "HE":
        return np.asarray(hedges)
    if method == "SJ":
        start = yi.var(axis=0)
        safe = np.where(start > 0, start, 1.0)
        return np.where(start > 0, safe * sums(yi, vi, X, safe).q / (k - p), 0.0)
    if method in ("ML", "REML"):
        return _scoring(yi, vi, X, hedges, restricted=method == "REML")
    raise InputError(f"method = {method!r}; allowed are {', '.join(METHODS)}.")


def solve_q(yi: FloatArray, vi: FloatArray, X: FloatArray, target: FloatArray) -> FloatArray:
    """The tau2 >= 0 at which the residual generalised Q equals ``target``; 0 where Q is below it already at 0.

    Q is convex and falls with tau2, so Newton steps from the left never overshoot.
    """
    tau2 = np.zeros(yi.shape[1])
    for _ in range(MAX_ITERATIONS):
        now = sums(yi, vi, X, tau2)
        step = np.where(now.q > target, (now.q - target) / now.q_slope, 0.0)
        step = step * np.maximum(now.q / target, 1.0)  # the root of 1 / Q, nearly a line; it may overshoot a little
        tried = sums(yi, vi, X, tau2 + step).q
        plain = np.where(now.q > target, (now.q - target) / now.q_slope, 0.0)
        step = np.where(tried < target * (1 - 1e-12), plain, step)
        tau2 = tau2 + step
        if (step <= SMALL_STEP * (tau2 + vi.min(axis=0))).all():
            return tau2
    return tau2


def _scoring(yi: FloatArray, vi: FloatArray, X: FloatArray, start: FloatArray, restricted: bool) -> FloatArray:
    """Fisher scoring with halved steps, kept at or above 0."""
    tau2 = start.copy()
    active = np.arange(tau2.size)
    height = log_likelihood(yi, vi, X, tau2, restricted)
    for _ in range(MAX_ITERATIONS):
        y, v, at = yi[:, active], vi[:, active], tau2[active]
        now = sums(y, v, X, at)
        w = 1 / (v + at)
        if restricted:
            step = (now.q_slope - now.trace) / now.trace_squared
        else:
            step = (now.q_slope - w.sum(axis=0)) / (w**2).sum(axis=0)
        tried = np.maximum(0, at + step)
        higher = log_likelihood(y, v, X, tried, restricted)
        for _ in range(30):
            worse = higher < height - 1e-12 * np.abs(height)
            if not worse.any():
                break
            tried = np.where(worse, 0.5 * (at + tried), tried)
            higher = log_likelihood(y, v, X, tried, restricted)
        going = np.abs(tried - at) > SMALL_STEP * (tried + v.min(axis=0))
        tau2[active] = tried
        active, height = active[going], higher[going]
        if not active.size:
            break
    return tau2


def log_likelihood(yi: FloatArray, vi: FloatArray, X: FloatArray, tau2: FloatArray, restricted: bool) -> FloatArray:
    """Profile (or restricted) log likelihood of tau2 up to a constant."""
    w = 1 / (vi + tau2)
    information = np.einsum("kd,kp,kq->dpq", w, X, X)
    score = np.einsum("kp,kd->dp", X, w * yi)
    coefficients = np.linalg.solve(information, score[..., None])[..., 0]
    q = (w * yi**2).sum(axis=0) - (score * coefficients).sum(axis=1)
    value = np.log(w).sum(axis=0) - q
    if restricted:
        value = value - np.linalg.slogdet(information)[1]
    return np.asarray(0.5 * value)
