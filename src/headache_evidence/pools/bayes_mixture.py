"""Mixtures of normal distributions, the form every marginal posterior takes once tau is integrated out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

FloatArray = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True)
class NormalMixture:
    """A distribution sum_j weights[j] N(means[j], sds[j]^2); arrays of shape (J,), weights sum to one."""

    weights: FloatArray
    means: FloatArray
    sds: FloatArray

    @cached_property
    def mean(self) -> float:
        """Expected value."""
        return float(self.weights @ self.means)

    @cached_property
    def sd(self) -> float:
        """Standard deviation."""
        return math.sqrt(float(self.weights @ (self.sds**2 + (self.means - self.mean) ** 2)))

    def cdf(self, x: npt.ArrayLike) -> FloatArray:
        """Probability below x; any shape in, the same shape out."""
        z = (np.asarray(x, dtype=float)[..., None] - self.means) / self.sds
        return np.asarray(special.ndtr(z) @ self.weights)

    def survival(self, x: npt.ArrayLike) -> FloatArray:
        """Probability above x, precise in the far tail."""
        z = (np.asarray(x, dtype=float)[..., None] - self.means) / self.sds
        return np.asarray(special.ndtr(-z) @ self.weights)

    def density(self, x: npt.ArrayLike) -> FloatArray:
        """Density at x; any shape in, the same shape out."""
        z = (np.asarray(x, dtype=float)[..., None] - self.means) / self.sds
        return np.asarray(np.exp(-0.5 * z**2) @ (self.weights / self.sds) / math.sqrt(2 * math.pi))

    def quantile(self, probability: float) -> float:
        """Value with the given probability below it."""
        z = float(special.ndtri(probability))
        start = np.interp(0.5, np.cumsum(self.weights), self.means + z * self.sds)
        step = np.interp(0.5, np.cumsum(self.weights), self.sds)
        return _invert(lambda x: float(self.cdf(x)) - probability, float(start), float(step))

    def interval(self, level: float, kind: str) -> Interval:
        """Credible interval, ``kind`` "shortest" or "central"."""
        half = (1 - level) / 2
        central = (self.quantile(half), self.quantile(1 - half))
        if kind == "central":
            return central
        return self._shortest(level, central)

    def _slope(self, x: FloatArray) -> FloatArray:
        """Derivative of the density."""
        z = (x[..., None] - self.means) / self.sds
        return np.asarray(-(z * np.exp(-0.5 * z**2)) @ (self.weights / self.sds**2) / math.sqrt(2 * math.pi))

    def _shortest(self, level: float, central: Interval) -> Interval:
        """Newton's method for equal densities at both ends; should it fail (several modes), a search by length."""
        ends, width = np.array(central), central[1] - central[0]
        for _ in range(50):
            density, slope, probability = self.density(ends), self._slope(ends), self.cdf(ends)
            jacobian = np.array([[-density[0], density[1]], [slope[0], -slope[1]]])
            residual = np.array([probability[1] - probability[0] - level, density[0] - density[1]])
            if not abs(np.linalg.det(jacobian)) > 0:
                break
            change = np.linalg.solve(jacobian, residual)
            ends = ends - np.clip(change, -0.25 * width, 0.25 * width)
            if np.abs(change).max() < 1e-9 * width:
                if 0 < ends[1] - ends[0] <= width:
                    return float(ends[0]), float(ends[1])
                break
        lower = optimize.minimize_scalar(
            lambda p: self.quantile(p + level) - self.quantile(p), bounds=(1e-12, 1 - level - 1e-12), method="bounded"
        ).x
        return self.quantile(float(lower)), self.quantile(float(lower) + level)


def _invert(function: Callable[[float], float], start: float, step: float) -> float:
    """Root of an increasing function, bracketed outwards from ``start``."""
    step = step if step > 0 else 1.0
    low, high = start - step, start + step
    while function(low) > 0:
        low -= step
        step *= 2
    while function(high) < 0:
        high += step
        step *= 2
    return float(optimize.brentq(function, low, high, xtol=1e-13 * max(1.0, abs(low), abs(high)), rtol=1e-14))
