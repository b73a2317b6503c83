"""The posterior of tau in the normal-normal model, by quadrature on log tau.

With y_i ~ N(theta_i, v_i), theta_i ~ N(mu, tau^2) and mu flat or normal, everything but tau integrates out in closed
form (Roever 2020, J Stat Softw 93(6), doi 10.18637/jss.v093.i06, section 2). What is left is one-dimensional.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import optimize

from headache_evidence.errors import InputError
from headache_evidence.pools.priors import TauPrior

FloatArray = npt.NDArray[np.float64]
Interval = tuple[float, float]

PANELS, NODES = 40, 10  # Gauss-Legendre panels over log tau, and nodes in each
NEGLIGIBLE = 36.0  # log of the ratio below which a density is cut off: exp(-36) = 2e-16
_NODE, _WEIGHT = np.polynomial.legendre.leggauss(NODES)
# row i integrates the interpolant through the nodes from -1 to node i
_INTEGRATE_TO_NODE = np.array(
    [
        [np.polynomial.Polynomial.fit(_NODE, row, NODES - 1, domain=[-1, 1]).integ(lbnd=-1)(x) for row in np.eye(NODES)]
        for x in _NODE
    ]
)


@dataclass(frozen=True)
class ConditionalEffect:
    """The effect given tau, for J values of tau: mean and sd of mu (J,), log marginal likelihood (J,)."""

    mean: FloatArray
    sd: FloatArray
    log_likelihood: FloatArray


def conditional_effect(
    yi: FloatArray, vi: FloatArray, tau: FloatArray, mu_prior: tuple[float, float] | None
) -> ConditionalEffect:
    """Posterior of mu given each tau, and the likelihood of tau with mu integrated out.

    ``yi``, ``vi`` (k,), ``tau`` (J,). With a flat prior of mu (density 1) the likelihood is that of k - 1 contrasts.
    """
    variance = vi + tau[:, None] ** 2
    weight = 1 / variance
    precision = weight.sum(axis=1)
    prior_mean, prior_precision = (0.0, 0.0) if mu_prior is None else (mu_prior[0], mu_prior[1] ** -2)
    total = precision + prior_precision
    mean = (weight @ yi + prior_precision * prior_mean) / total
    log_likelihood = -0.5 * (
        np.log(variance).sum(axis=1)
        + (weight * (yi - mean[:, None]) ** 2).sum(axis=1)
        + np.log(total)
        + (yi.size - 1) * math.log(2 * math.pi)
    )
    if mu_prior is not None:
        log_likelihood += 0.5 * (
            math.log(prior_precision) - prior_precision * (mean - prior_mean) ** 2 - math.log(2 * math.pi)
        )
    return ConditionalEffect(mean, total**-0.5, log_likelihood)


@dataclass(frozen=True)
class TauPosterior:
    """tau on J ascending nodes, with the posterior probability each node stands for.

    The first node stands for everything below the first panel, where the likelihood no longer changes; its mass is
    exact, from the prior's distribution function.
    """

    tau: FloatArray  # (J,)
    weights: FloatArray  # (J,), sums to one
    density: FloatArray  # (J,) posterior density of tau
    cumulative: FloatArray  # (J,) posterior probability below each node
    effect: ConditionalEffect
    log_evidence: float  # log of the marginal likelihood, mu and tau integrated out
    log_likelihood_at_zero: float

    @cached_property
    def _log_tau(self) -> FloatArray:
        return np.log(self.tau)

    def cdf(self, tau: float) -> float:
        """Posterior probability of heterogeneity below ``tau``."""
        return self._interpolated(tau)[0]

    def density_at(self, tau: float) -> float:
        """Posterior density, interpolated between the nodes."""
        return self._interpolated(tau)[1]

    def _interpolated(self, tau: float) -> tuple[float, float]:
        """Distribution function and density, by cubic Hermite interpolation in log tau between the nodes."""
        if tau <= self.tau[0]:
            return float(self.cumulative[0] * max(tau, 0.0) / self.tau[0]), float(self.density[0])
        if tau >= self.tau[-1]:
            return 1.0, 0.0
        i = int(self.tau.searchsorted(tau)) - 1
        x0, x1 = self._log_tau[i : i + 2].tolist()
        d0, d1 = (self.density[i : i + 2] * self.tau[i : i + 2]).tolist()
        c0, c1 = self.cumulative[i : i + 2].tolist()
        h, u = x1 - x0, (math.log(tau) - x0) / (x1 - x0)
        value = (
            c0 * (1 + 2 * u) * (1 - u) ** 2
            + c1 * u**2 * (3 - 2 * u)
            + h * (d0 * u * (1 - u) ** 2 - d1 * u**2 * (1 - u))
        )
        slope = 6 * (c1 - c0) / h * u * (1 - u) + d0 * (1 - u) * (1 - 3 * u) + d1 * u * (3 * u - 2)
        return value, slope / tau

    def quantile(self, probability: float) -> float:
        """tau with the given posterior probability below it."""
        if probability <= self.cumulative[0]:
            return float(self.tau[0] * probability / self.cumulative[0])
        i = int(np.searchsorted(self.cumulative, probability))
        if i >= self.tau.size:
            return float(self.tau[-1])
        return float(optimize.brentq(lambda x: self.cdf(x) - probability, self.tau[i - 1], self.tau[i], rtol=1e-12))

    def interval(self, level: float, kind: str) -> Interval:
        """Credible interval, ``kind`` "shortest" or "central"; the shortest one may start at 0."""
        half = (1 - level) / 2
        if kind == "central":
            return self.quantile(half), self.quantile(1 - half)
        mode = int(self.density.argmax())
        from_zero = self.quantile(level)
        if mode == 0 or self.density[0] >= self.density_at(from_zero):
            return 0.0, from_zero
        highest = min(self.cumulative[mode], (1 - level) * (1 - 1e-9))

        def difference_at_ends(below: float) -> float:
            return self.density_at(self.quantile(below)) - self.density_at(self.quantile(below + level))

        if difference_at_ends(self.cumulative[0]) >= 0:
            return 0.0, from_zero
        lower = optimize.brentq(difference_at_ends, self.cumulative[0], highest, xtol=1e-10)
        return self.quantile(lower), self.quantile(lower + level)


def tau_posterior(
    yi: FloatArray, vi: FloatArray, prior: TauPrior, mu_prior: tuple[float, float] | None
) -> TauPosterior:
    """Integrate over tau.

    Raises
    ------
    InputError
        if the posterior cannot be normalised: an improper uniform prior of tau needs k >= 3 (flat mu) or k >= 2.
    """
    _refuse_improper_posterior(yi.size, prior, mu_prior)
    low, high = _limits(yi, vi, prior, mu_prior)
    edges = np.linspace(low, high, PANELS + 1)
    half = (high - low) / (2 * PANELS)
    x = (0.5 * (edges[:-1] + edges[1:])[:, None] + half * _NODE).ravel()
    tau = np.exp(x)
    effect = conditional_effect(yi, vi, np.concatenate([[0.5 * math.exp(low)], tau]), mu_prior)
    log_value = effect.log_likelihood[1:] + prior.log_density(tau) + x
    prior_below = max(float(prior.cdf(np.array([math.exp(low)]))[0]), 1e-300)
    peak = max(float(log_value.max()), effect.log_likelihood[0] + math.log(prior_below))
    value = np.exp(log_value - peak).reshape(PANELS, NODES)
    below = math.exp(effect.log_likelihood[0] + math.log(prior_below) - peak)
    panel_mass = half * value @ _WEIGHT
    total = below + float(panel_mass.sum())
    before = below + np.concatenate([[0.0], np.cumsum(panel_mass)[:-1]])
    cumulative = (before[:, None] + half * value @ _INTEGRATE_TO_NODE.T).ravel() / total
    nodes = np.concatenate([[math.exp(low)], tau])
    density = np.exp(log_value - peak) / tau / total
    first = np.exp(effect.log_likelihood[0] + prior.log_density(nodes[:1]) - peak) / total
    at_zero = conditional_effect(yi, vi, np.zeros(1), mu_prior).log_likelihood[0]
    return TauPosterior(
        tau=nodes,
        weights=np.concatenate([[below], (half * value * _WEIGHT).ravel()]) / total,
        density=np.concatenate([first, density]),
        cumulative=np.concatenate([[below / total], cumulative]),
        effect=effect,
        log_evidence=peak + math.log(total),
        log_likelihood_at_zero=float(at_zero),
    )


def _refuse_improper_posterior(k: int, prior: TauPrior, mu_prior: tuple[float, float] | None) -> None:
    needed = 1 if prior.proper else (3 if mu_prior is None else 2)
    if k < needed:
        raise InputError(
            f"With k = {k} the posterior of tau cannot be normalised under the improper prior {prior}; "
            f"it needs k >= {needed}. Give a proper prior, such as HalfNormal(scale)."
        )


def _limits(
    yi: FloatArray, vi: FloatArray, prior: TauPrior, mu_prior: tuple[float, float] | None
) -> tuple[float, float]:
    """log tau between which the posterior must be integrated, by a search on ever narrower grids.

    The lower end starts where tau^2 is at most 1.5e-8 of the smallest variance, so that below it tau no longer matters,
    and lower still while more than a hundredth of the prior would lie below.
    """
    reference = 0.5 * math.log(float(np.median(vi)))
    highest = min(math.log(prior.upper) if math.isfinite(prior.upper) else math.inf, reference + 80)
    lowest = min(reference, 0.5 * math.log(float(vi.min())), highest) - 9
    while prior.proper and lowest > -200 and prior.cdf(np.array([math.exp(lowest)]))[0] > 0.01:
        lowest -= 5
    for _ in range(3):
        x = np.linspace(lowest, highest, 121)
        tau = np.exp(x)
        log_value = conditional_effect(yi, vi, tau, mu_prior).log_likelihood + prior.log_density(tau) + x
        inside = np.flatnonzero(log_value > log_value.max() - NEGLIGIBLE)
        highest = float(x[min(inside[-1] + 1, x.size - 1)])
        lowest = float(x[max(inside[0] - 1, 0)])
    return lowest, highest
