"""The three-level normal model: effects within clusters (studies), clusters within the evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize, special

FloatArray = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class ThreeLevelModel:
    """y ~ N(X beta, V + between * same_cluster + within * I).

    ``yi`` (k,), ``V`` (k, k) sampling covariance, ``same_cluster`` (k, k) of 0 and 1, ``X`` (k, p).
    """

    yi: FloatArray
    V: FloatArray
    same_cluster: FloatArray
    X: FloatArray
    restricted: bool

    def covariance(self, variances: FloatArray) -> FloatArray:
        """Marginal covariance of the effects at (between, within), shape (k, k)."""
        between, within = variances
        return np.asarray(self.V + between * self.same_cluster + within * np.eye(len(self.yi)))

    def log_likelihood(self, variances: FloatArray) -> float:
        """Log likelihood with beta profiled out, restricted as metafor reports it (plus half log det of X'X)."""
        return self._value_and_projection(variances)[0]

    def _value_and_projection(self, variances: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Log likelihood, P = W - W X (X'WX)^-1 X'W and W."""
        covariance = self.covariance(variances)
        weight = np.linalg.inv(covariance)
        information = self.X.T @ weight @ self.X
        middle = weight @ self.X
        projection = weight - middle @ np.linalg.solve(information, middle.T)
        value = -0.5 * (np.linalg.slogdet(covariance)[1] + float(self.yi @ projection @ self.yi))
        k, p = self.X.shape
        if self.restricted:
            design = np.linalg.slogdet(self.X.T @ self.X)[1]
            value += -0.5 * (np.linalg.slogdet(information)[1] - design + (k - p) * math.log(2 * math.pi))
        else:
            value -= 0.5 * k * math.log(2 * math.pi)
        return float(value), np.asarray(projection, dtype=float), np.asarray(weight, dtype=float)

    def score_and_information(self, variances: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Derivatives of the log likelihood by (between, within), and the expected information (2, 2)."""
        _, projection, weight = self._value_and_projection(variances)
        middle = projection if self.restricted else weight
        parts = (self.same_cluster, np.eye(len(self.yi)))
        projected = projection @ self.yi
        score = np.array([0.5 * (projected @ g @ projected - np.sum(middle * g)) for g in parts])
        moved = [middle @ g for g in parts]
        information = np.array([[0.5 * np.sum(a * b.T) for b in moved] for a in moved])
        return score, information


def maximise(model: ThreeLevelModel, free: tuple[bool, bool] = (True, True)) -> FloatArray:
    """Variances (between, within) at the maximum; those not free stay 0. Fisher scoring polishes a bounded search."""
    spread = max(float(np.var(model.yi)), 1e-8)
    mask = np.array(free)
    best, height = np.zeros(2), model.log_likelihood(np.zeros(2))
    for start in ((0.5, 0.5), (0.9, 0.05), (0.05, 0.9)):
        found = _climb(model, np.where(mask, np.array(start) * spread, 0.0), mask)
        value = model.log_likelihood(found)
        if value > height + 1e-10:
            best, height = found, value
    return best


def _climb(model: ThreeLevelModel, at: FloatArray, free: npt.NDArray[np.bool_]) -> FloatArray:
    """Fisher scoring with halved steps; a variance at 0 stays there while the likelihood falls away from it."""
    height = model.log_likelihood(at)
    for _ in range(500):
        score, information = model.score_and_information(at)
        moving = free & ~((at <= 0) & (score <= 0))
        if not moving.any():
            break
        step = np.zeros(2)
        step[moving] = np.linalg.lstsq(information[np.ix_(moving, moving)], score[moving], rcond=None)[0]
        for _ in range(60):
            tried = np.maximum(at + step, 0.0)
            value = model.log_likelihood(tried)
            if value >= height - 1e-13 * abs(height):
                break
            step = step / 2
        change = float(np.abs(tried - at).max())
        at, height = tried, value
        if change < 1e-12 * (1e-4 + float(at.max())):
            break
    return at


def profile_interval(model: ThreeLevelModel, best: FloatArray, which: int, level: float) -> Interval:
    """Profile-likelihood interval of one variance, the other one maximised out; the lower limit may be 0."""
    drop = float(special.chdtri(1, 1 - level)) / 2
    top = model.log_likelihood(best)

    def deficit(value: float) -> float:
        def loss(other: float) -> float:
            at = np.empty(2)
            at[which], at[1 - which] = value, other
            return -model.log_likelihood(at)

        scale = max(float(best.max()), float(np.var(model.yi)), 1e-8)
        inner = optimize.minimize_scalar(loss, bounds=(0.0, 20 * scale), method="bounded", options={"xatol": 1e-10})
        return top - max(-float(inner.fun), -loss(0.0)) - drop

    lower = 0.0
    if best[which] > 0 and deficit(0.0) > 0:
        lower = float(optimize.brentq(deficit, 0.0, best[which], xtol=1e-12, rtol=1e-9))
    high = max(float(best[which]), 1e-3 * float(np.var(model.yi)), 1e-8)
    for _ in range(60):
        high *= 2
        if deficit(high) > 0:
            return lower, float(optimize.brentq(deficit, best[which], high, xtol=1e-12, rtol=1e-9))
    return lower, math.inf


def generalised_least_squares(yi: FloatArray, X: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients (p,) and their covariance (p, p)."""
    factor = linalg.cho_factor(covariance)
    bread = np.linalg.inv(X.T @ linalg.cho_solve(factor, X))
    return np.asarray(bread @ (X.T @ linalg.cho_solve(factor, yi))), np.asarray(bread)
