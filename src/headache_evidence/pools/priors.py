"""Prior distributions of the between-study standard deviation tau, and those published from Cochrane reviews."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import special

from headache_evidence.errors import InputError

FloatArray = npt.NDArray[np.float64]


class TauPrior(Protocol):
    """What the integration over tau needs to know of a prior."""

    @property
    def proper(self) -> bool:
        """True when the density integrates to one."""

    @property
    def upper(self) -> float:
        """Largest possible tau."""

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Log density at each tau > 0."""

    def cdf(self, tau: FloatArray) -> FloatArray:
        """Prior mass below each tau (for an improper prior: the integral of its density)."""


def _above_zero(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"The prior's {name} must be a finite number above 0; got {value:g}.")


class _OnHalfLine:
    """A density that integrates to one over all tau >= 0."""

    @property
    def proper(self) -> bool:
        """Always True."""
        return True

    @property
    def upper(self) -> float:
        """No upper limit."""
        return math.inf


@dataclass(frozen=True)
class HalfNormal(_OnHalfLine):
    """|N(0, scale^2)|; scale 0.5 or 1 is usual for log odds ratios (Roever et al. 2021, doi 10.1002/jrsm.1475)."""

    scale: float

    def __post_init__(self) -> None:
        _above_zero(scale=self.scale)

    def __str__(self) -> str:
        return f"half-normal(scale {self.scale:g})"

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Log density at each tau > 0."""
        return 0.5 * math.log(2 / math.pi) - math.log(self.scale) - 0.5 * (tau / self.scale) ** 2

    def cdf(self, tau: FloatArray) -> FloatArray:
        """Prior mass below each tau."""
        return np.asarray(special.erf(tau / (self.scale * math.sqrt(2))))


@dataclass(frozen=True)
class HalfT(_OnHalfLine):
    """|scale * t(df)|: like the half-normal with a heavier tail (Gelman 2006, doi 10.1214/06-BA117A)."""

    scale: float
    df: float

    def __post_init__(self) -> None:
        _above_zero(scale=self.scale, df=self.df)

    def __str__(self) -> str:
        return f"half-t(scale {self.scale:g}, df {self.df:g})"

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Log density at each tau > 0."""
        return math.log(2) + _log_t_density(tau / self.scale, self.df) - math.log(self.scale)

    def cdf(self, tau: FloatArray) -> FloatArray:
        """Prior mass below each tau."""
        x = tau**2 / (self.df * self.scale**2 + tau**2)
        return np.asarray(special.betainc(0.5, self.df / 2, x))


@dataclass(frozen=True)
class HalfCauchy(HalfT):
    """|scale * Cauchy|: the half-t with one degree of freedom."""

    df: float = 1.0

    def __str__(self) -> str:
        return f"half-Cauchy(scale {self.scale:g})"


@dataclass(frozen=True)
class LogNormal(_OnHalfLine):
    """log tau ~ N(location, sigma^2). For a published log-normal of tau^2 halve both numbers."""

    location: float
    sigma: float
    source: str = ""

    def __post_init__(self) -> None:
        _above_zero(sigma=self.sigma)

    def __str__(self) -> str:
        return f"log-normal(location {self.location:g}, sigma {self.sigma:g}) of tau"

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Log density at each tau > 0."""
        x = np.log(tau)
        z = (x - self.location) / self.sigma
        return np.asarray(-0.5 * z**2 - x - math.log(self.sigma) - 0.5 * math.log(2 * math.pi))

    def cdf(self, tau: FloatArray) -> FloatArray:
        """Prior mass below each tau."""
        return np.asarray(special.ndtr((np.log(tau) - self.location) / self.sigma))


@dataclass(frozen=True)
class LogT(_OnHalfLine):
    """(log tau - location) / sigma ~ t(df). For a published log-t of tau^2 halve location and sigma."""

    location: float
    sigma: float
    df: float = 5.0
    source: str = ""

    def __post_init__(self) -> None:
        _above_zero(sigma=self.sigma, df=self.df)

    def __str__(self) -> str:
        return f"log-t(location {self.location:g}, sigma {self.sigma:g}, df {self.df:g}) of tau"

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Log density at each tau > 0."""
        x = np.log(tau)
        return np.asarray(_log_t_density((x - self.location) / self.sigma, self.df) - math.log(self.sigma) - x)

    def cdf(self, tau: FloatArray) -> FloatArray:
        """Prior mass below each tau."""
        return np.asarray(special.stdtr(self.df, (np.log(tau) - self.location) / self.sigma))


@dataclass(frozen=True)
class Uniform:
    """Flat between 0 and ``upper``; without an upper limit the prior is improper (density 1) and needs k >= 3."""

    upper: float = math.inf

    def __post_init__(self) -> None:
        if not self.upper > 0:
            raise InputError(f"The upper limit of a uniform prior must be above 0; got {self.upper:g}.")

    def __str__(self) -> str:
        return f"uniform(0, {self.upper:g})" if self.proper else "uniform (improper)"

    @property
    def proper(self) -> bool:
        """True when there is an upper limit."""
        return math.isfinite(self.upper)

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Log density at each tau > 0."""
        return np.where(tau <= self.upper, -math.log(self.upper) if self.proper else 0.0, -math.inf)

    def cdf(self, tau: FloatArray) -> FloatArray:
        """Prior mass below each tau; tau itself for the improper prior."""
        return np.minimum(tau, self.upper) / (self.upper if self.proper else 1.0)


def _log_t_density(z: FloatArray, df: float) -> FloatArray:
    constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    return np.asarray(constant - (df + 1) / 2 * np.log1p(z**2 / df))


TURNER_COMPARISONS = (
    "pharmacological_placebo",
    "pharmacological_pharmacological",
    "non_pharmacological_placebo",
    "non_pharmacological_pharmacological",
    "non_pharmacological_non_pharmacological",
)
# Turner 2015, table IV: (location, sigma) of log tau^2 for each comparison, in the order above.
TURNER_TABLE_4: dict[str, tuple[tuple[float, float], ...]] = {
    "withdrawals": ((-2.99, 1.74), (-3.23, 1.79), (-3.21, 1.91), (-1.96, 1.51), (-2.55, 1.68)),
    "adverse_events": ((-1.87, 1.52), (-2.10, 1.58), (-2.10, 1.71), (-0.84, 1.24), (-1.43, 1.45)),
    "signs_or_symptoms": ((-2.06, 1.51), (-2.29, 1.58), (-2.28, 1.71), (-1.03, 1.24), (-1.61, 1.45)),
    "pain": ((-1.83, 1.52), (-2.06, 1.58), (-2.05, 1.71), (-0.80, 1.25), (-1.38, 1.45)),
    "quality_of_life": ((-2.54, 1.54), (-2.78, 1.60), (-2.77, 1.73), (-1.51, 1.27), (-2.10, 1.47)),
    "subjective": ((-2.70, 1.52), (-2.93, 1.58), (-2.92, 1.71), (-1.67, 1.25), (-2.26, 1.45)),
}
RHODES_COMPARISONS = ("pharmacological_placebo", "pharmacological_pharmacological", "non_pharmacological")
# Rhodes 2015, table 3 (areas other than respiratory disease and cancer): (location, sigma) of log tau^2, t with 5 df.
RHODES_TABLE_3: dict[str, tuple[tuple[float, float], ...]] = {
    "pain": ((-3.16, 2.50), (-3.44, 2.44), (-3.02, 2.27)),  # with adverse events, quality of life, physical health
    "signs_or_symptoms": ((-3.00, 2.50), (-3.27, 2.47), (-2.86, 2.33)),
    "subjective": ((-2.76, 2.58), (-3.03, 2.59), (-2.62, 2.41)),
}


def turner_prior(outcome: str = "any", comparison: str = "pharmacological_placebo") -> LogNormal:
    """Log-normal prior of tau for log odds ratios, from 14,886 Cochrane meta-analyses.

    Turner et al. 2015, Stat Med 34:984-998, doi 10.1002/sim.6381, table IV; ``"any"`` is their distribution over all
    settings, log tau^2 ~ N(-2.56, 1.74^2). Only outcomes that occur in headache trials are listed.
    """
    if outcome == "any":
        location, sigma = -2.56, 1.74
    else:
        location, sigma = _table_entry(TURNER_TABLE_4, TURNER_COMPARISONS, outcome, comparison)
    return LogNormal(location / 2, sigma / 2, source=f"Turner 2015, log odds ratio, {outcome}, {comparison}")


def rhodes_prior(outcome: str = "any", comparison: str = "pharmacological_placebo") -> LogT:
    """Log-t(5) prior of tau for standardised mean differences, from 6,492 Cochrane meta-analyses.

    Rhodes et al. 2015, J Clin Epidemiol 68:52-60, PMC4270451, table 3; ``"any"`` is their distribution over all
    settings, location -3.44 and scale 2.59 of log tau^2. It does not fit mean differences in days or points.
    """
    if outcome == "any":
        location, sigma = -3.44, 2.59
    else:
        location, sigma = _table_entry(RHODES_TABLE_3, RHODES_COMPARISONS, outcome, comparison)
    return LogT(location / 2, sigma / 2, 5.0, source=f"Rhodes 2015, SMD, {outcome}, {comparison}")


def _table_entry(
    table: dict[str, tuple[tuple[float, float], ...]], comparisons: tuple[str, ...], outcome: str, comparison: str
) -> tuple[float, float]:
    if outcome not in table:
        raise InputError(f"No published prior for outcome {outcome!r}; allowed: any, {', '.join(table)}.")
    if comparison not in comparisons:
        raise InputError(f"No published prior for comparison {comparison!r}; allowed: {', '.join(comparisons)}.")
    return table[outcome][comparisons.index(comparison)]
