"""The Bayesian model against published bayesmeta output, brute-force integration, and its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from headache_evidence.errors import InputError
from headache_evidence.pools.bayes import bayes
from headache_evidence.pools.priors import (
    HalfCauchy,
    HalfNormal,
    HalfT,
    LogNormal,
    LogT,
    Uniform,
    rhodes_prior,
    turner_prior,
)

SCHOOLS_Y = np.array([28.39, 7.94, -2.75, 6.82, -0.64, 0.63, 18.01, 12.16])  # Rubin 1981, in bayesmeta's vignette
SCHOOLS_V = np.array([14.9, 10.2, 16.3, 11.0, 9.4, 11.4, 10.4, 17.6]) ** 2
# bayesmeta's default grid leaves errors up to about 0.001 posterior SDs in mu; its tau is exact to the digits printed
GRID_OF_BAYESMETA = 0.002


def crins() -> tuple[np.ndarray, np.ndarray]:
    """Log odds ratios of acute rejection, Crins 2014 (Roever 2020, table 3), 0.5 added where a cell is zero."""
    cells = np.array(
        [[14, 61, 15, 20], [16, 28, 19, 28], [3, 18, 8, 12], [9, 54, 29, 54], [4, 36, 11, 36], [0, 50, 3, 34]], float
    )
    a, b, c, d = cells[:, 0], cells[:, 1] - cells[:, 0], cells[:, 2], cells[:, 3] - cells[:, 2]
    add = np.where((a == 0) | (c == 0), 0.5, 0.0)
    a, b, c, d = a + add, b + add, c + add, d + add
    return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d


class TestPublishedExamples:
    def test_crins_2014_in_roever_2020(self) -> None:
        y, v = crins()
        result = bayes(yi=y, vi=v, mu_prior=(0, 4), tau_prior=HalfNormal(0.5))
        tolerance = GRID_OF_BAYESMETA * result.sd
        assert result.estimate == pytest.approx(-1.5734819, abs=tolerance)
        assert result.mean == pytest.approx(-1.5764365, abs=tolerance)
        assert result.sd == pytest.approx(0.3295301, abs=tolerance)
        assert result.ci == pytest.approx((-2.2311251, -0.9263075), abs=tolerance)
        assert result.tau == pytest.approx(0.3445023, rel=1e-6)
        assert result.tau_mean == pytest.approx(0.3810562, rel=1e-6)
        assert result.tau_ci == pytest.approx((0, 0.8607193), rel=2e-5)
        assert result.prediction_interval == pytest.approx((-2.7661319, -0.4072970), abs=GRID_OF_BAYESMETA)
        assert result.prob_beyond(0, "above") == pytest.approx(6.187343e-05, rel=0.05)
        assert 1 - result.posterior.cdf(1.0) == pytest.approx(0.02097488, rel=1e-6)
        heffron, gibelli = (result.shrinkage.query("label == @name").iloc[0] for name in ("study 1", "study 2"))
        assert heffron["median"] == pytest.approx(-1.7411356, abs=GRID_OF_BAYESMETA)
        assert (heffron["ci_low"], heffron["ci_high"]) == pytest.approx((-2.6561049, -0.9920023), abs=0.003)
        assert (gibelli["ci_low"], gibelli["ci_high"]) == pytest.approx((-2.0455088, -0.3089461), abs=0.003)

    def test_two_randomised_trials_of_crins_2014(self) -> None:
        y, v = crins()
        result = bayes(yi=y[[0, 4]], vi=v[[0, 4]], mu_prior=(0, 4), tau_prior=HalfNormal(0.5))
        assert result.prob_beyond(0, "below") == pytest.approx(0.9974968, abs=1e-4)
        assert result.prediction_interval == pytest.approx((-3.25, -0.28), abs=0.01)

    def test_eight_schools_with_half_cauchy_prior(self) -> None:
        result = bayes(yi=SCHOOLS_Y, vi=SCHOOLS_V, mu_prior=(0, 50), tau_prior=HalfCauchy(25))
        tolerance = GRID_OF_BAYESMETA * result.sd
        assert result.tau == pytest.approx(4.758539, rel=1e-6)
        assert result.tau_mean == pytest.approx(5.884511, rel=1e-6)
        assert result.tau_ci == pytest.approx((0, 15.165894), rel=1e-6)
        assert result.estimate == pytest.approx(7.962961, abs=tolerance)
        assert result.sd == pytest.approx(4.995762, abs=tolerance)
        assert result.ci == pytest.approx((-1.823353, 17.824562), abs=tolerance)
        assert result.prediction_interval == pytest.approx((-10.623526, 26.827377), abs=0.03)
        assert result.prob_beyond(0, "above") == pytest.approx(0.9487521, abs=1e-4)

    def test_eight_schools_with_flat_priors(self) -> None:
        result = bayes(yi=SCHOOLS_Y, vi=SCHOOLS_V, tau_prior=Uniform())
        assert result.tau == pytest.approx(5.227732, rel=1e-6)
        assert result.tau_mean == pytest.approx(6.585992, rel=1e-6)
        assert result.tau_ci == pytest.approx((0, 17.265797), rel=1e-6)
        assert result.ci == pytest.approx((-2.176157, 18.406330), abs=GRID_OF_BAYESMETA * result.sd)

    def test_eight_schools_on_bayesmetas_fine_grid(self) -> None:
        """bayesmeta 3.4 with delta = 0.0003, epsilon = 1e-8."""
        result = bayes(yi=SCHOOLS_Y, vi=SCHOOLS_V, mu_prior=(0, 50), tau_prior=HalfCauchy(25))
        assert result.ci == pytest.approx((-1.8208232, 17.8222184), abs=1e-4)
        assert result.bayes_factor_mu_zero == pytest.approx(2.52036013, rel=1e-6)
        assert result.bayes_factor_tau_zero == pytest.approx(4.464142, rel=1e-6)

    def test_interval_of_tau_away_from_zero(self) -> None:
        """bayesmeta 3.4, log-normal prior of tau, delta = 0.001, epsilon = 1e-7."""
        result = bayes(yi=SCHOOLS_Y, vi=SCHOOLS_V, tau_prior=LogNormal(1.0, 0.5))
        assert result.tau_ci == pytest.approx((0.72464417, 5.74670601), rel=2e-4)
        assert result.ci == pytest.approx((-0.57691482, 16.44687418), abs=0.002)


PRIORS = [
    HalfNormal(0.5),
    HalfT(0.4, 4),
    HalfCauchy(0.3),
    LogNormal(-1.28, 0.87),
    LogT(-1.72, 1.295),
    Uniform(2.0),
]


@pytest.mark.parametrize("prior", PRIORS, ids=str)
@pytest.mark.parametrize("mu_prior", [(0.0, 1.0), (0.5, 3.0)])
def test_agrees_with_brute_force_integration_over_both_parameters(prior, mu_prior) -> None:
    """Independent of the code under test: the joint density of (mu, log tau) summed on a fine rectangle."""
    y, v = np.array([-0.9, -0.2, 0.1]), np.array([0.09, 0.04, 0.16])
    mu = np.sinh(np.linspace(-5, 5, 1001))
    x = np.linspace(-16, 6, 1101)
    tau = np.exp(x)
    joint = prior.log_density(tau)[None, :] + x + stats.norm.logpdf(mu, *mu_prior)[:, None]
    for yi, vi in zip(y, v, strict=True):
        joint = joint + stats.norm.logpdf(yi, mu[:, None], np.sqrt(vi + tau**2)[None, :])
    density = np.where(np.isfinite(joint), np.exp(joint), 0.0)
    evidence = integrate.trapezoid(integrate.trapezoid(density, x), mu)
    of_mu = integrate.trapezoid(density, x) / evidence
    mean = integrate.trapezoid(mu * of_mu, mu)
    at_zero = stats.multivariate_normal(np.full(3, mu_prior[0]), np.diag(v) + mu_prior[1] ** 2).pdf(y)

    result = bayes(yi=y, vi=v, mu_prior=mu_prior, tau_prior=prior)
    tolerance = 2e-3 if isinstance(prior, LogT | Uniform) else 1e-5  # the rectangle cuts a heavy tail, or a jump
    assert result.mean == pytest.approx(mean, abs=tolerance)
    assert result.sd == pytest.approx(math.sqrt(integrate.trapezoid((mu - mean) ** 2 * of_mu, mu)), rel=tolerance)
    below = np.interp(-0.3, mu, integrate.cumulative_trapezoid(of_mu, mu, initial=0))
    assert result.prob_beyond(-0.3) == pytest.approx(below, abs=max(tolerance, 1e-4))
    assert result.bayes_factor_tau_zero == pytest.approx(at_zero / evidence, rel=max(5 * tolerance, 1e-5))
    zero_likelihood = integrate.trapezoid(
        np.exp(
            prior.log_density(tau)
            + x
            + sum(stats.norm.logpdf(yi, 0, np.sqrt(vi + tau**2)) for yi, vi in zip(y, v, strict=True))
        ),
        x,
    )
    assert result.bayes_factor_mu_zero == pytest.approx(zero_likelihood / evidence, rel=max(5 * tolerance, 1e-5))


class TestLimits:
    def test_a_prior_near_zero_gives_the_common_effect(self) -> None:
        y, v = crins()
        result = bayes(yi=y, vi=v, tau_prior=HalfNormal(1e-6), interval="central")
        fixed, se = (y / v).sum() / (1 / v).sum(), (1 / v).sum() ** -0.5
        assert result.estimate == pytest.approx(fixed, abs=1e-9)
        assert result.ci == pytest.approx((fixed - 1.959964 * se, fixed + 1.959964 * se), abs=1e-6)

    def test_flat_priors_and_many_studies_approach_reml(self) -> None:
        rng = np.random.default_rng(1)
        v = rng.uniform(0.01, 0.05, 400)
        y = rng.normal(0.3, np.sqrt(v + 0.09))
        result = bayes(yi=y, vi=v, tau_prior=Uniform(), interval="central")
        assert result.tau == pytest.approx(0.3, abs=0.03)
        weight = 1 / (v + result.tau**2)
        mean, se = (weight @ y) / weight.sum(), weight.sum() ** -0.5
        assert result.estimate == pytest.approx(mean, abs=0.01 * se)
        assert result.ci == pytest.approx((mean - 1.96 * se, mean + 1.96 * se), abs=0.02 * se)

    def test_one_study_learns_nothing_of_tau(self) -> None:
        result = bayes(yi=[0.7], vi=[0.2], tau_prior=HalfNormal(0.5))
        assert result.tau == pytest.approx(0.5 * stats.halfnorm.ppf(0.5), rel=1e-6)
        assert result.bayes_factor_tau_zero == pytest.approx(1, rel=1e-9)
        assert any("prior alone" in note for note in result.notes)

    def test_moments_that_do_not_exist_are_not_invented(self) -> None:
        result = bayes(yi=[0.7], vi=[0.2], tau_prior=HalfCauchy(0.5))
        assert math.isnan(result.mean)
        assert math.isinf(result.sd)
        assert math.isinf(result.tau_mean)
        assert result.to_dict()["sd"] is None
        assert result.estimate == pytest.approx(0.7)

    def test_variances_over_eight_orders_of_magnitude(self) -> None:
        result = bayes(yi=[0.1, 0.4, -0.2], vi=[1e-6, 1e-1, 1e2], tau_prior=HalfNormal(0.5))
        assert result.ci[0] < result.estimate < result.ci[1]
        assert result.posterior.weights.sum() == pytest.approx(1, rel=1e-12)

    def test_identical_effects_put_most_belief_on_homogeneity(self) -> None:
        result = bayes(yi=[0.5, 0.5, 0.5], vi=[0.1, 0.05, 0.2], tau_prior=HalfNormal(0.5))
        assert result.estimate == pytest.approx(0.5)
        assert result.bayes_factor_tau_zero > 1
        assert result.tau_ci[0] == 0


class TestPriors:
    @pytest.mark.parametrize("prior", PRIORS, ids=str)
    def test_density_integrates_to_the_distribution_function(self, prior) -> None:
        x = np.linspace(math.log(1e-8), math.log(1.5), 20001)
        mass = integrate.simpson(np.exp(prior.log_density(np.exp(x)) + x), x=x)
        expected = prior.cdf(np.array([1.5])) - prior.cdf(np.array([1e-8]))
        assert mass == pytest.approx(expected[0], rel=1e-8)

    def test_published_priors_keep_their_medians(self) -> None:
        """The median of tau^2 is exp(location) in both: 0.077 in Turner 2015, 0.032 in Rhodes 2015."""
        assert math.exp(2 * turner_prior().location) == pytest.approx(0.0773, abs=1e-4)
        assert math.exp(2 * rhodes_prior().location) == pytest.approx(0.0321, abs=1e-4)
        pain = turner_prior("pain", "pharmacological_placebo")
        assert (2 * pain.location, 2 * pain.sigma) == pytest.approx((-1.83, 1.52))

    def test_unknown_setting_says_what_is_allowed(self) -> None:
        with pytest.raises(InputError, match="allowed: any, withdrawals"):
            turner_prior("joy")
        with pytest.raises(InputError, match="allowed: pharmacological_placebo"):
            rhodes_prior("pain", "acupuncture")


class TestRefusals:
    def test_improper_posterior(self) -> None:
        with pytest.raises(InputError, match="needs k >= 3"):
            bayes(yi=[0.1, 0.2], vi=[0.1, 0.1], tau_prior=Uniform())

    def test_no_effects(self) -> None:
        with pytest.raises(InputError, match="k = 0"):
            bayes(yi=[], vi=[])

    @pytest.mark.parametrize(
        "arguments",
        [{"mu_prior": (0, 0)}, {"level": 95}, {"interval": "hpd"}],
    )
    def test_bad_arguments(self, arguments) -> None:
        with pytest.raises(InputError, match="must"):
            bayes(yi=[0.1, 0.2], vi=[0.1, 0.1], **arguments)

    def test_direction_must_be_said_at_zero(self) -> None:
        result = bayes(yi=[0.1, 0.2], vi=[0.1, 0.1])
        with pytest.raises(InputError, match="below"):
            result.prob_beyond(0)


@settings(max_examples=25)
@given(
    y=st.lists(st.floats(-3, 3), min_size=2, max_size=6),
    shift=st.floats(-5, 5),
    scale=st.floats(0.1, 10),
)
def test_moving_and_stretching_the_scale_moves_and_stretches_the_posterior(y, shift, scale) -> None:
    v = np.linspace(0.05, 0.4, len(y))
    first = bayes(yi=y, vi=v, tau_prior=HalfNormal(0.5))
    second = bayes(yi=shift + scale * np.array(y), vi=scale**2 * v, tau_prior=HalfNormal(0.5 * scale))
    tolerance = 1e-6 * scale
    assert second.estimate == pytest.approx(shift + scale * first.estimate, abs=tolerance)
    assert second.ci == pytest.approx((shift + scale * first.ci[0], shift + scale * first.ci[1]), abs=tolerance)
    assert second.tau_ci == pytest.approx((scale * first.tau_ci[0], scale * first.tau_ci[1]), abs=tolerance)
    assert second.prediction_interval[0] <= second.ci[0] + tolerance
    assert second.prediction_interval[1] >= second.ci[1] - tolerance


def test_shrinkage_lies_between_the_study_and_the_mean() -> None:
    y, v = crins()
    result = bayes(yi=y, vi=v, mu_prior=(0, 4), tau_prior=HalfNormal(0.5))
    means = result.shrinkage["mean"].to_numpy()
    assert ((means - y) * (means - result.mean) <= 0.02).all()
    assert result.shrinkage["own_weight"].between(0, 1).all()


def test_densities_integrate_to_about_one() -> None:
    y, v = crins()
    table = bayes(yi=y, vi=v, tau_prior=HalfNormal(0.5)).densities(801)
    for _, rows in table.groupby("parameter"):
        assert integrate.trapezoid(rows["density"], rows["x"]) == pytest.approx(0.998, abs=0.002)


def test_an_interval_of_tau_that_all_but_starts_at_zero_starts_there():
    """Simulated data whose posterior density at 0 lies within rounding of the density at the interval's other end."""
    yi = [
        0.19052037727776086,
        0.5721863316312552,
        0.19965422914139075,
        0.32771498102509533,
        0.1203933887255951,
        0.6089853815991122,
        0.7600064966080391,
        -0.07775674347038752,
        0.5216365747152162,
        -0.12255701976933941,
    ]
    vi = [
        0.03184788811247015,
        0.05749852784150707,
        0.11689731247418957,
        0.06894893907253156,
        0.06026871404352984,
        0.03931046864570945,
        0.029758161939987118,
        0.031916396342608844,
        0.04931430167990428,
        0.192354624523114,
    ]
    result = bayes(yi=yi, vi=vi, tau_prior=HalfNormal(0.5))
    assert result.tau_ci[0] < 1e-3
    assert result.posterior.cdf(result.tau_ci[1]) == pytest.approx(0.95, abs=1e-6)
