"""The binomial-normal models of proportions and odds ratios, each as a log likelihood of its few parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headache_evidence.pools.glmm_likelihood import (
    OneParameterFamily,
    binomial_family,
    hypergeometric_family,
    marginal_of_arms,
    marginal_of_family,
)
from headache_evidence.pools.rare_events_tables import TwoByTwo

FloatArray = npt.NDArray[np.float64]
ODDS_RATIO_MODELS = {
    "UM.FS": "unconditional, fixed study effects",
    "UM.RS": "unconditional, random study effects",
    "CM.EL": "conditional, exact likelihood",
    "CM.AL": "conditional, approximate likelihood",
}


@dataclass(frozen=True)
class LikelihoodModel:
    """Log likelihood as a function of (mu, tau, further parameters), where to start, and which are bounded at 0.

    ``saturated`` is the log likelihood with one effect per study and no random effect, for the test of heterogeneity;
    NaN where that model cannot be written down simply.
    """

    log_likelihood: Callable[[FloatArray], float]
    start: FloatArray
    non_negative: tuple[bool, ...]
    saturated: float


def proportion_model(events: FloatArray, patients: FloatArray, points: int) -> LikelihoodModel:
    """Logit of the event probability ~ N(mu, tau^2)."""
    return _family_model(binomial_family(events, patients), _logit(events.sum() / patients.sum()), points)


def odds_ratio_model(table: TwoByTwo, model: str, points: int) -> LikelihoodModel:
    """Log odds ratio ~ N(mu, tau^2) under one of :data:`ODDS_RATIO_MODELS`."""
    crude = _logit(table.ai.sum() / table.n1i.sum()) - _logit(table.ci.sum() / table.n2i.sum())
    if model == "CM.EL":
        return _family_model(hypergeometric_family(table), crude, points)
    if model == "CM.AL":
        family = binomial_family(table.ai, table.ai + table.ci, np.log(table.n1i / table.n2i))
        return _family_model(family, crude, points)
    if model == "UM.FS":
        return _fixed_studies(table, crude, points)
    return _random_studies(table, crude, points)


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def _family_model(family: OneParameterFamily, start: float, points: int) -> LikelihoodModel:
    return LikelihoodModel(
        lambda at: float(marginal_of_family(family, float(at[0]), float(at[1]), points).sum()),
        np.array([start, 0.5]),
        (False, True),
        _saturated(family),
    )


def _saturated(family: OneParameterFamily) -> float:
    """Maximum with one theta per study; studies at the edge of their range reach theirs at infinity."""
    theta = np.zeros((family.x.size, 1))
    for _ in range(200):
        value, mean, variance = family.cumulant(theta)
        step = np.clip((family.x[:, None] - mean) / np.maximum(variance, 1e-12), -1, 1)
        theta = np.clip(theta + step, -35, 35)
        if np.abs(step).max() < 1e-12:
            break
    value = family.cumulant(theta)[0]
    return float((family.x * theta[:, 0] - value[:, 0] + family.constant).sum())


def _fixed_studies(table: TwoByTwo, crude: float, points: int) -> LikelihoodModel:
    """One intercept per study, maximised out for each (mu, tau); the random effect is split between the arms."""
    pooled = (table.ai + table.ci + 0.5) / (table.total + 1)
    memory = [np.log(pooled / (1 - pooled))]

    def log_likelihood(at: FloatArray) -> float:
        mu, tau = at
        loading = np.array([[tau / 2], [-tau / 2]])
        alpha = memory[0]
        for _ in range(100):
            eta = np.column_stack([alpha + mu / 2, alpha - mu / 2])
            part = marginal_of_arms(table, eta, loading, points)
            step = -part.slope / np.minimum(part.curvature, -1e-8)
            if np.abs(step).max() < 1e-9:
                break
            alpha = alpha + np.clip(step, -2, 2)
        memory[0] = alpha
        return float(part.log_likelihood.sum())

    saturated = _saturated(binomial_family(table.ai, table.n1i)) + _saturated(binomial_family(table.ci, table.n2i))
    return LikelihoodModel(log_likelihood, np.array([crude, 0.5]), (False, True), saturated)


def _random_studies(table: TwoByTwo, crude: float, points: int) -> LikelihoodModel:
    """Study intercepts ~ N(alpha, sigma^2), independent of the effects; parameters (mu, tau, alpha, sigma)."""

    def log_likelihood(at: FloatArray) -> float:
        mu, tau, alpha, sigma = at
        eta = np.broadcast_to(np.array([alpha + mu / 2, alpha - mu / 2]), (table.k, 2))
        loading = np.array([[tau / 2, sigma], [-tau / 2, sigma]])
        return float(marginal_of_arms(table, eta, loading, points).log_likelihood.sum())

    start = _logit((table.ai + table.ci).sum() / table.total.sum())
    return LikelihoodModel(log_likelihood, np.array([crude, 0.5, start, 0.7]), (False, True, False, True), float("nan"))
