"""Bayesian random-effects meta-analysis for few studies, by numerical integration: no sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import patients_behind, study_data, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.bayes_mixture import NormalMixture
from headache_evidence.pools.bayes_tau import NODES, TauPosterior, tau_posterior
from headache_evidence.pools.priors import HalfNormal, TauPrior
from headache_evidence.pools.result import Interval, json_ready

FloatArray = npt.NDArray[np.float64]
MuPrior = tuple[float, float]
DEFAULT_TAU_PRIOR = HalfNormal(0.5)


@dataclass(frozen=True, eq=False)
class BayesResult:
    """Posterior of the normal-normal model; every interval has posterior probability ``level``."""

    k: int
    n: float  # patients behind the effects, NaN when not known
    measure: str
    mu_prior: MuPrior | None  # mean and SD of the normal prior, None when flat
    tau_prior: TauPrior
    level: float
    interval: str  # "shortest" or "central"
    estimate: float  # posterior median of mu
    mean: float  # NaN when the posterior has none (one study and a heavy-tailed prior)
    sd: float
    ci: Interval
    tau: float  # posterior median of tau
    tau_mean: float
    tau_ci: Interval
    prediction_interval: Interval  # of the true effect in a new setting
    bayes_factor_mu_zero: float  # p(y | mu = 0) / p(y): above 1 speaks for no mean effect; NaN when mu_prior is flat
    bayes_factor_tau_zero: float  # p(y | tau = 0) / p(y): above 1 speaks for homogeneity; NaN when improper
    labels: tuple[str, ...]
    notes: tuple[str, ...]
    yi: FloatArray
    vi: FloatArray
    posterior: TauPosterior
    mu: NormalMixture  # posterior of the mean effect
    prediction: NormalMixture  # posterior predictive distribution of a new true effect

    def prob_beyond(self, x: float, direction: str | None = None) -> float:
        """Posterior probability that the mean effect lies beyond ``x``.

        ``direction`` is "below" or "above"; without it, away from 0 (below a negative x, above a positive one).
        """
        return _prob_beyond(self.mu, x, direction)

    def predictive_prob_beyond(self, x: float, direction: str | None = None) -> float:
        """Probability that the true effect in a new setting lies beyond ``x``; direction as in :meth:`prob_beyond`."""
        return _prob_beyond(self.prediction, x, direction)

    @cached_property
    def shrinkage(self) -> pd.DataFrame:
        """One row per study: what the model believes of its true effect.

        Columns label, yi, vi, median, mean, sd, ci_low, ci_high and own_weight, the share of the study's own result
        in that belief (1 - the shrinkage factor, averaged over tau).
        """
        tau2 = self.posterior.tau**2
        rows = []
        for label, y, v in zip(self.labels, self.yi.tolist(), self.vi.tolist(), strict=True):
            to_mean = v / (v + tau2)
            theta = NormalMixture(
                self.posterior.weights,
                to_mean * self.posterior.effect.mean + (1 - to_mean) * y,
                np.sqrt((1 - to_mean) * v + (to_mean * self.posterior.effect.sd) ** 2),
            )
            low, high = theta.interval(self.level, self.interval)
            own = 1 - float(self.posterior.weights @ to_mean)
            rows.append((label, y, v, theta.quantile(0.5), theta.mean, theta.sd, low, high, own))
        columns = ["label", "yi", "vi", "median", "mean", "sd", "ci_low", "ci_high", "own_weight"]
        return pd.DataFrame(rows, columns=columns)

    def densities(self, points: int = 201) -> pd.DataFrame:
        """Marginal posterior densities on a grid, for figures: columns parameter (mu, prediction, tau), x, density.

        The grid spans the central 99.8 % of each posterior; for tau it starts near 0.
        """
        frames = []
        for name, mixture in (("mu", self.mu), ("prediction", self.prediction)):
            x = np.linspace(mixture.quantile(0.001), mixture.quantile(0.999), points)
            frames.append(pd.DataFrame({"parameter": name, "x": x, "density": mixture.density(x)}))
        tau = np.linspace(self.posterior.tau[0], self.posterior.quantile(0.998), points)
        density = np.interp(tau, self.posterior.tau, self.posterior.density)
        prior = np.exp(self.tau_prior.log_density(tau))
        frames.append(pd.DataFrame({"parameter": "tau", "x": tau, "density": density, "prior_density": prior}))
        return pd.concat(frames, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as JSON-ready values: tuples become lists, NaN and infinities become None."""
        left_out = {"yi", "vi", "posterior", "mu", "prediction", "tau_prior"}
        names = [field.name for field in fields(self) if field.name not in left_out]
        return {name: json_ready(getattr(self, name)) for name in names} | {"tau_prior": str(self.tau_prior)}


def bayes(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    mu_prior: MuPrior | None = None,
    tau_prior: TauPrior = DEFAULT_TAU_PRIOR,
    level: float = 0.95,
    interval: str = "shortest",
) -> BayesResult:
    """Bayesian random-effects meta-analysis by integration over tau (the model and intervals of R's bayesmeta).

    Parameters
    ----------
    effects : effects table, or ``yi`` and ``vi`` (k,): effect sizes and sampling variances.
    mu_prior : mean and SD of a normal prior of the mean effect; flat (improper) when not given.
    tau_prior : a prior of :mod:`headache_evidence.pools.priors` on the scale of the effects. The default, half-normal
        with scale 0.5, is meant for log ratios and standardised differences; a mean difference in days needs its own.
    level : posterior probability of every interval.
    interval : "shortest" or "central".

    Raises
    ------
    InputError
        for unusable effects, k = 0, or priors that leave the posterior improper.

    References
    ----------
    Roever 2020, J Stat Softw 93(6), doi 10.18637/jss.v093.i06.
    """
    data = study_data(effects, yi=yi, vi=vi, labels=labels)
    if data.k == 0:
        raise InputError("There are no usable effects (k = 0): a posterior would only repeat the priors.")
    if mu_prior is not None and not (math.isfinite(mu_prior[0]) and 0 < mu_prior[1] < math.inf):
        raise InputError(f"mu_prior must be (mean, SD) with a finite mean and an SD above 0; got {mu_prior}.")
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1; got {level}.")
    if interval not in ("shortest", "central"):
        raise InputError(f"interval must be 'shortest' or 'central'; got {interval!r}.")
    posterior = tau_posterior(data.yi, data.vi, tau_prior, mu_prior)
    mu = NormalMixture(posterior.weights, posterior.effect.mean, posterior.effect.sd)
    prediction = NormalMixture(posterior.weights, mu.means, np.sqrt(mu.sds**2 + posterior.tau**2))
    return BayesResult(
        k=data.k,
        n=patients_behind(effects),
        measure=_measure(effects),
        mu_prior=mu_prior,
        tau_prior=tau_prior,
        level=level,
        interval=interval,
        estimate=mu.quantile(0.5),
        mean=mu.mean if math.isfinite(_expectation(posterior, mu.sds, tau_prior)) else math.nan,
        sd=mu.sd if math.isfinite(_expectation(posterior, mu.sds**2, tau_prior)) else math.inf,
        ci=mu.interval(level, interval),
        tau=posterior.quantile(0.5),
        tau_mean=_expectation(posterior, posterior.tau, tau_prior),
        tau_ci=posterior.interval(level, interval),
        prediction_interval=prediction.interval(level, interval),
        bayes_factor_mu_zero=_bayes_factor_mu_zero(mu, mu_prior),
        bayes_factor_tau_zero=(
            math.exp(posterior.log_likelihood_at_zero - posterior.log_evidence) if tau_prior.proper else math.nan
        ),
        labels=data.labels,
        notes=_notes(data.k),
        yi=data.yi,
        vi=data.vi,
        posterior=posterior,
        mu=mu,
        prediction=prediction,
    )


def _expectation(posterior: TauPosterior, values: FloatArray, prior: TauPrior) -> float:
    """Posterior mean of a function of tau; infinite when its tail does not die out, as with k = 1 and a half-Cauchy."""
    parts = posterior.weights * values
    if not math.isfinite(prior.upper) and parts[-NODES:].sum() > 1e-6 * parts.sum():
        return math.inf
    return float(parts.sum())


def _bayes_factor_mu_zero(mu: NormalMixture, mu_prior: MuPrior | None) -> float:
    """Posterior over prior density at 0, which is the Bayes factor since the priors of mu and tau are independent."""
    if mu_prior is None:
        return math.nan
    mean, sd = mu_prior
    prior_density = math.exp(-0.5 * (mean / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
    return float(mu.density(0.0)) / prior_density


def _prob_beyond(mixture: NormalMixture, x: float, direction: str | None) -> float:
    if direction is None:
        if x == 0:
            raise InputError("Beyond 0 in which direction? Give direction='below' or 'above'.")
        direction = "below" if x < 0 else "above"
    if direction == "below":
        return float(mixture.cdf(x))
    if direction == "above":
        return float(mixture.survival(x))
    raise InputError(f"direction must be 'below' or 'above'; got {direction!r}.")


def _notes(k: int) -> tuple[str, ...]:
    if k == 1:
        return ("Single study: what is believed of tau comes from its prior alone.",)
    if k == 2:
        return ("Two studies: what is believed of tau comes mostly from its prior.",)
    return ()


def _measure(effects: pd.DataFrame | None) -> str:
    if effects is None or "measure" not in effects.columns:
        return ""
    names = sorted(set(usable_effects(effects)["measure"].astype(str)))
    return names[0] if len(names) == 1 else ", ".join(names)
