"""Marginal likelihoods of binomial-normal models by adaptive Gauss-Hermite quadrature.

Every function takes k studies at once. The quadrature is centred at each study's own mode and scaled by the curvature
there (Pinheiro & Bates 1995, J Comput Graph Stat 4:12-35); with one node it is the Laplace approximation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import special

from headache_evidence.pools.rare_events_tables import TwoByTwo

FloatArray = npt.NDArray[np.float64]
Cumulant = Callable[[FloatArray], tuple[FloatArray, FloatArray, FloatArray]]
NEWTON_STEPS = 50


@dataclass(frozen=True)
class OneParameterFamily:
    """k observations x_i with density exp(x_i theta - K_i(theta) + c_i).

    ``cumulant`` maps theta (k, m) to K, its first and its second derivative, each (k, m).
    """

    x: FloatArray
    cumulant: Cumulant
    constant: FloatArray


def binomial_family(events: FloatArray, patients: FloatArray, offset: FloatArray | float = 0.0) -> OneParameterFamily:
    """Binomial counts with logit theta + offset."""
    n = patients[:, None]
    shift = np.broadcast_to(np.asarray(offset, dtype=float), events.shape)[:, None]

    def cumulant(theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        p = special.expit(theta + shift)
        return n * np.logaddexp(0, theta + shift), n * p, n * p * (1 - p)

    return OneParameterFamily(events, cumulant, _log_choose(patients, events) + events * shift[:, 0])


def hypergeometric_family(table: TwoByTwo) -> OneParameterFamily:
    """Events of arm 1 given all events of the study: non-central hypergeometric with log odds ratio theta."""
    events = table.ai + table.ci
    low, high = np.maximum(0, events - table.n2i), np.minimum(events, table.n1i)
    t = low[:, None] + np.arange((high - low).max() + 1)
    inside = t <= high[:, None]
    t = np.where(inside, t, low[:, None])
    log_weight = np.where(
        inside,
        _log_choose(table.n1i[:, None], t) + _log_choose(table.n2i[:, None], events[:, None] - t),
        -np.inf,
    )

    def cumulant(theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        exponent = log_weight[:, None, :] + t[:, None, :] * theta[:, :, None]
        value = special.logsumexp(exponent, axis=-1)
        probability = np.exp(exponent - value[..., None])
        mean = (probability * t[:, None, :]).sum(axis=-1)
        variance = (probability * (t[:, None, :] - mean[..., None]) ** 2).sum(axis=-1)
        return value, mean, variance

    return OneParameterFamily(table.ai, cumulant, _log_choose(table.n1i, table.ai) + _log_choose(table.n2i, table.ci))


def marginal_of_family(family: OneParameterFamily, mu: float, tau: float, points: int) -> FloatArray:
    """Log marginal likelihood (k,) with theta_i ~ N(mu, tau^2)."""

    def log_density(u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        value, mean, variance = family.cumulant(mu + tau * u)
        height = family.x[:, None] * (mu + tau * u) - value - 0.5 * u**2
        return height, tau * (family.x[:, None] - mean) - u, 1 + tau**2 * variance

    u = np.zeros((family.x.size, 1))
    height, slope, curvature = log_density(u)
    for _ in range(NEWTON_STEPS):
        step = slope / curvature
        if np.abs(step).max() < 1e-10:
            break
        tried, slope, curvature = log_density(u + step)
        while (tried < height - 1e-9 * np.abs(height)).any():
            step = np.where(tried < height, 0.5 * step, step)
            tried, slope, curvature = log_density(u + step)
        u, height = u + step, tried
    scale = 1 / np.sqrt(curvature)
    node, weight = _gauss_hermite(points)
    at = u + math.sqrt(2) * scale * node
    theta = mu + tau * at
    log_term = family.x[:, None] * theta - family.cumulant(theta)[0] - 0.5 * at**2 + node**2 + np.log(weight)
    return np.asarray(np.logaddexp.reduce(log_term, axis=1) + np.log(scale[:, 0]) - 0.5 * math.log(math.pi)) + (
        family.constant
    )


@dataclass(frozen=True)
class ArmMarginal:
    """Log marginal likelihood of two-arm studies (k,), with the derivatives by a shift common to both arms."""

    log_likelihood: FloatArray
    slope: FloatArray
    curvature: FloatArray


def marginal_of_arms(table: TwoByTwo, eta: FloatArray, loading: FloatArray, points: int) -> ArmMarginal:
    """Both arms' binomial counts with logits eta + loading @ u, u standard normal.

    ``eta`` (k, 2) fixed part of arm 1 and arm 2; ``loading`` (2, q), q = 1 or 2 random effects.
    """
    x = np.column_stack([table.ai, table.ci])
    n = np.column_stack([table.n1i, table.n2i])
    q = loading.shape[1]

    def log_density_at(u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        logit = eta + u @ loading.T
        p = special.expit(logit)
        height = (x * logit - n * np.logaddexp(0, logit)).sum(axis=1) - 0.5 * (u**2).sum(axis=1)
        information = np.einsum("ka,aq,ar->kqr", n * p * (1 - p), loading, loading) + np.eye(q)
        return height, (x - n * p) @ loading - u, information

    u = np.zeros((table.k, q))
    height, slope, information = log_density_at(u)
    for _ in range(NEWTON_STEPS):
        step = np.linalg.solve(information, slope[..., None])[..., 0]
        if np.abs(step).max() < 1e-10:
            break
        tried, slope, information = log_density_at(u + step)
        while (tried < height - 1e-9 * np.abs(height)).any():
            step = np.where((tried < height)[:, None], 0.5 * step, step)
            tried, slope, information = log_density_at(u + step)
        u, height = u + step, tried
    root = np.linalg.cholesky(np.linalg.inv(information))
    node, weight = _gauss_hermite(points)
    grid = np.array(list(product(node, repeat=q)))
    log_weight = np.array([sum(pair) for pair in product(np.log(weight), repeat=q)])
    at = u[:, None, :] + math.sqrt(2) * np.einsum("kqr,gr->kgq", root, grid)
    logit = eta[:, None, :] + at @ loading.T
    log_density = (x[:, None, :] * logit - n[:, None, :] * np.logaddexp(0, logit)).sum(axis=-1)
    log_term = log_density - 0.5 * (at**2).sum(axis=-1) + (grid**2).sum(axis=-1) + log_weight
    total = special.logsumexp(log_term, axis=1)
    log_determinant = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    posterior = np.exp(log_term - total[:, None])
    p = special.expit(logit)
    score = (x[:, None, :] - n[:, None, :] * p).sum(axis=-1)
    slope = (posterior * score).sum(axis=1)
    variance = (n[:, None, :] * p * (1 - p)).sum(axis=-1)
    curvature = (posterior * (score**2 - variance)).sum(axis=1) - slope**2
    constant = _log_choose(n, x).sum(axis=1)
    return ArmMarginal(total + log_determinant - 0.5 * q * math.log(math.pi) + constant, slope, curvature)


@lru_cache(maxsize=16)
def _gauss_hermite(points: int) -> tuple[FloatArray, FloatArray]:
    node, weight = np.polynomial.hermite.hermgauss(points)
    return node, weight


def _log_choose(n: FloatArray, x: FloatArray) -> FloatArray:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1))
