"""Maximum likelihood of a binomial-normal model, with the standard error of its mean effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from headache_evidence.pools.glmm_models import LikelihoodModel

FloatArray = npt.NDArray[np.float64]
STEP = 1e-3  # of the central differences; their error is of the order of STEP^2


@dataclass(frozen=True)
class MaximumLikelihood:
    """Parameters (mu, tau, ...) at the maximum, standard error of mu, log likelihood there and at tau = 0."""

    at: FloatArray
    se: float
    log_likelihood: float
    homogeneous: float


def maximise(model: LikelihoodModel, fixed_tau: float | None = None) -> MaximumLikelihood:
    """Maximum likelihood by BFGS and Newton steps; the likelihood is even in tau, so 0 is no hard bound.

    Where Newton's method does not settle (a flat or bent likelihood), the simplex method finishes the search.

    ``fixed_tau`` keeps tau at that value (one study tells nothing of it).
    """
    free = np.ones(model.start.size, dtype=bool)
    start = model.start.copy()
    if fixed_tau is not None:
        free[1], start[1] = False, fixed_tau
    at = _climb(model, start, free)
    homogeneous_start = at.copy()
    homogeneous_start[1] = 0.0
    without_tau = free.copy()
    without_tau[1] = False
    homogeneous = _climb(model, homogeneous_start, without_tau)
    best, at_zero = model.log_likelihood(at), model.log_likelihood(homogeneous)
    if fixed_tau is None and at_zero >= best - 1e-9:
        at, best, free = homogeneous, at_zero, without_tau
    at = np.where(model.non_negative, np.abs(at), at)
    covariance = np.linalg.inv(-_hessian(model, at, free))
    return MaximumLikelihood(at, math.sqrt(float(covariance[0, 0])), best, at_zero)


def _climb(model: LikelihoodModel, start: FloatArray, free: npt.NDArray[np.bool_]) -> FloatArray:
    def loss(values: FloatArray) -> float:
        at = start.copy()
        at[free] = values
        return -model.log_likelihood(at)

    at = start.copy()
    at[free] = optimize.minimize(loss, start[free], method="BFGS", options={"gtol": 1e-2}).x
    for _ in range(6):
        hessian, gradient = _hessian(model, at, free), _gradient(model, at, free)
        if np.linalg.eigvalsh(hessian).max() >= 0:
            break
        step = np.linalg.solve(hessian, gradient)
        if np.abs(step).max() > 0.3:
            break
        at[free] -= step
        if np.abs(step).max() < 1e-7:
            return at
    precise = {"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000}
    at[free] = optimize.minimize(loss, at[free], method="Nelder-Mead", options=precise).x
    return at


def _gradient(model: LikelihoodModel, at: FloatArray, free: npt.NDArray[np.bool_]) -> FloatArray:
    steps = STEP * np.eye(at.size)[free]
    return np.array(
        [
            (
                8 * (model.log_likelihood(at + e) - model.log_likelihood(at - e))
                - (model.log_likelihood(at + 2 * e) - model.log_likelihood(at - 2 * e))
            )
            / (12 * STEP)
            for e in steps
        ]
    )


def _hessian(model: LikelihoodModel, at: FloatArray, free: npt.NDArray[np.bool_]) -> FloatArray:
    steps = STEP * np.eye(at.size)[free]
    f = model.log_likelihood
    hessian = np.empty((len(steps), len(steps)))
    centre = f(at)
    for i, a in enumerate(steps):
        hessian[i, i] = (f(at + a) - 2 * centre + f(at - a)) / STEP**2
        for j, b in enumerate(steps[:i]):
            mixed = f(at + a + b) - f(at + a - b) - f(at - a + b) + f(at - a - b)
            hessian[i, j] = hessian[j, i] = mixed / (4 * STEP**2)
    return hessian
