"""Likelihood of the step-function selection model, with its gradient, and its maximum.

Notation: mu the mean of all studies, published or not; tau2 their variance; delta_j the chance of publication of a
study whose p-value lies in interval j, relative to the first interval (delta_1 = 1).

Hedges LV (1992), Statistical Science 7:246-255; Vevea JL, Hedges LV (1995), Psychometrika 60:419-435.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

FloatArray = npt.NDArray[np.float64]
Alternative = Literal["greater", "less", "two.sided"]
DELTA_BOUNDS = (0.0, 100.0)


@dataclass(frozen=True)
class StepLikelihood:
    """Data of a step-function model with J intervals, ready for evaluation.

    yi, vi : shape (k,). cuts : shape (k, J - 1), the effect sizes at which the p-value equals each inner step.
    interval : shape (k,), index of the interval that holds each p-value. alternative : direction of the p-values.
    """

    yi: FloatArray
    vi: FloatArray
    cuts: FloatArray
    interval: npt.NDArray[np.intp]
    alternative: Alternative

    def interval_probabilities(self, mu: float, tau2: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """P(p-value in interval j) for each study, and its derivatives by mu and tau2; each (k, J)."""
        scale = np.sqrt(self.vi + tau2)[:, None]
        upper = (self.cuts - mu) / scale
        if self.alternative == "greater":
            below = special.ndtr(-upper)
            by_mu = _density(upper) / scale
            by_tau2 = _density(upper) * upper / (2 * scale**2)
        elif self.alternative == "less":
            below = special.ndtr(upper)
            by_mu = -_density(upper) / scale
            by_tau2 = -_density(upper) * upper / (2 * scale**2)
        else:
            lower = (-self.cuts - mu) / scale
            below = special.ndtr(-upper) + special.ndtr(lower)
            by_mu = (_density(upper) - _density(lower)) / scale
            by_tau2 = (_density(upper) * upper - _density(lower) * lower) / (2 * scale**2)
        return _steps(below, 1.0), _steps(by_mu, 0.0), _steps(by_tau2, 0.0)

    def value_and_gradient(self, mu: float, tau2: float, delta: FloatArray) -> tuple[float, FloatArray]:
        """Log-likelihood and its gradient by (mu, tau2, delta_1 ... delta_J), shape (2 + J,)."""
        total = self.vi + tau2
        residual = self.yi - mu
        probability, by_mu, by_tau2 = self.interval_probabilities(mu, tau2)
        normaliser = probability @ delta
        value = float(
            np.sum(
                np.log(delta[self.interval])
                - 0.5 * np.log(2 * np.pi * total)
                - residual**2 / (2 * total)
                - np.log(normaliser)
            )
        )
        counts = np.bincount(self.interval, minlength=delta.size)
        gradient = np.concatenate(
            [
                [np.sum(residual / total - (by_mu @ delta) / normaliser)],
                [np.sum(-0.5 / total + residual**2 / (2 * total**2) - (by_tau2 @ delta) / normaliser)],
                counts / delta - np.sum(probability / normaliser[:, None], axis=0),
            ]
        )
        return value, gradient


@dataclass(frozen=True)
class StepMaximum:
    """Where the likelihood is greatest. A tau2 on its boundary, 0, counts as fixed."""

    mu: float
    tau2: float
    delta: FloatArray
    log_likelihood: float
    covariance: FloatArray  # (2 + J, 2 + J), NaN for fixed parameters
    converged: bool


def step_likelihood(yi: FloatArray, vi: FloatArray, steps: FloatArray, alternative: Alternative) -> StepLikelihood:
    """Prepare the likelihood; ``steps`` ends with 1 and rises."""
    z = yi / np.sqrt(vi)
    inner = steps[:-1]
    if alternative == "greater":
        p_values, quantiles = special.ndtr(-z), -special.ndtri(inner)
    elif alternative == "less":
        p_values, quantiles = special.ndtr(z), special.ndtri(inner)
    else:
        p_values, quantiles = 2 * special.ndtr(-np.abs(z)), -special.ndtri(inner / 2)
    interval = np.searchsorted(steps, np.minimum(p_values, 1.0), side="left")
    return StepLikelihood(yi, vi, np.sqrt(vi)[:, None] * quantiles[None, :], interval, alternative)


def maximise(likelihood: StepLikelihood, delta: FloatArray, fixed_tau2: float | None = None) -> StepMaximum:
    """Maximum likelihood; NaN in ``delta`` (shape (J,)) marks the weights to estimate.

    Several starting points guard against the local maxima that these models are known for.
    """
    free_delta = np.isnan(delta)
    free = np.concatenate([[True, fixed_tau2 is None], free_delta])
    full = np.concatenate([[0.0, fixed_tau2 or 0.0], np.where(free_delta, 1.0, delta)])
    scale = float(np.sqrt(np.mean(likelihood.vi)) + np.std(likelihood.yi))

    def assemble(x: FloatArray) -> FloatArray:
        """Natural parameters from (mu / scale, tau2 / scale^2, log delta)."""
        parameters = full.copy()
        parameters[free] = x
        parameters[0] *= scale
        parameters[1] = parameters[1] * scale**2 if free[1] else full[1]
        parameters[2:][free_delta] = np.exp(parameters[2:][free_delta])
        return parameters

    def negative(x: FloatArray) -> tuple[float, FloatArray]:
        parameters = assemble(x)
        value, gradient = likelihood.value_and_gradient(parameters[0], parameters[1], parameters[2:])
        jacobian = np.concatenate([[scale, scale**2], parameters[2:]])
        return -value, -(gradient * jacobian)[free]

    bounds = [(None, None), (0.0, None)][: 1 + int(free[1])] + [(-20.0, np.log(DELTA_BOUNDS[1]))] * int(
        free_delta.sum()
    )
    weights = 1 / likelihood.vi
    centre = float(weights @ likelihood.yi / weights.sum())
    spread = float(np.var(likelihood.yi))
    fits = []
    starts = ((centre, spread, 0.0), (0.5 * centre, 0.3 * spread, -1.0), (0.0, 0.0, -2.0))
    for mu, tau2, log_delta in starts if free_delta.any() else starts[:1]:
        start = np.concatenate(
            [[mu / scale], [tau2 / scale**2] * int(free[1]), np.full(int(free_delta.sum()), log_delta)]
        )
        fits.append(
            optimize.minimize(
                negative,
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9},
            )
        )
    best = min(fits, key=lambda fit: float(fit.fun))
    parameters = _newton(likelihood, assemble(np.asarray(best.x)), free)
    value, gradient = likelihood.value_and_gradient(parameters[0], parameters[1], parameters[2:])
    inside = free.copy()
    inside[1] &= parameters[1] > 1e-8 * scale**2
    converged = bool(np.all(np.abs(gradient * np.maximum(np.abs(parameters), 1e-3))[inside] < 1e-3))
    covariance = _covariance(likelihood, parameters, inside)
    return StepMaximum(float(parameters[0]), float(parameters[1]), parameters[2:], value, covariance, converged)


def _density(z: FloatArray) -> FloatArray:
    """Standard normal density."""
    density: FloatArray = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return density


def _steps(cumulative: FloatArray, last: float) -> FloatArray:
    """Differences of cumulative columns that start at 0 and end at ``last``."""
    ends = np.zeros((cumulative.shape[0], 1))
    return np.diff(np.hstack([ends, cumulative, ends + last]), axis=1)


def _hessian(likelihood: StepLikelihood, parameters: FloatArray) -> FloatArray:
    """Second derivatives of the log-likelihood by central differences of the exact gradient."""
    size = parameters.size
    hessian = np.empty((size, size))
    smallest = float(np.min(likelihood.vi))
    for i in range(size):
        step = 1e-5 * max(abs(parameters[i]), smallest if i == 1 else np.sqrt(smallest) if i == 0 else 1e-3)
        up, down = parameters.copy(), parameters.copy()
        up[i] += step
        down[i] -= step
        upper = likelihood.value_and_gradient(up[0], up[1], up[2:])[1]
        lower = likelihood.value_and_gradient(down[0], down[1], down[2:])[1]
        hessian[i] = (upper - lower) / (2 * step)
    return 0.5 * (hessian + hessian.T)


def _newton(likelihood: StepLikelihood, parameters: FloatArray, free: npt.NDArray[np.bool_]) -> FloatArray:
    """A few Newton steps on the natural scale, kept only while they raise the likelihood and respect the bounds."""
    value, gradient = likelihood.value_and_gradient(parameters[0], parameters[1], parameters[2:])
    for _ in range(10):
        active = free.copy()
        active[1] &= parameters[1] > 0 or gradient[1] > 0
        index = np.flatnonzero(active)
        try:
            step = np.linalg.solve(-_hessian(likelihood, parameters)[np.ix_(index, index)], gradient[index])
        except np.linalg.LinAlgError:
            return parameters
        proposal = parameters.copy()
        proposal[index] += step
        within = proposal[1] >= 0 and np.all((proposal[2:] > 0) & (proposal[2:] <= DELTA_BOUNDS[1]))
        if not within or not np.all(np.isfinite(proposal)):
            return parameters
        new_value, new_gradient = likelihood.value_and_gradient(proposal[0], proposal[1], proposal[2:])
        if not new_value >= value:
            return parameters
        parameters, value, gradient = proposal, new_value, new_gradient
    return parameters


def _covariance(likelihood: StepLikelihood, parameters: FloatArray, free: npt.NDArray[np.bool_]) -> FloatArray:
    """Inverse of the observed information of the free parameters; NaN where it does not exist."""
    covariance = np.full((parameters.size, parameters.size), np.nan)
    index = np.flatnonzero(free)
    information = -_hessian(likelihood, parameters)[np.ix_(index, index)]
    if np.all(np.isfinite(information)) and np.all(np.linalg.eigvalsh(information) > 0):
        covariance[np.ix_(index, index)] = np.linalg.inv(information)
    return covariance
