"""Binomial-normal models against metafor::rma.glmm, numerical integration and cases without events."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from headache_evidence.errors import InputError
from headache_evidence.pools.glmm import glmm
from headache_evidence.pools.glmm_likelihood import (
    binomial_family,
    hypergeometric_family,
    marginal_of_arms,
    marginal_of_family,
)
from headache_evidence.pools.rare_events_tables import two_by_two

CASES = json.loads((Path(__file__).parents[1] / "reference" / "glmm.json").read_text())["cases"]
FITTED = [
    (name, model) for name, case in CASES.items() for model, figures in case["fits"].items() if "failed" not in figures
]
ITERATIVE = 1e-4  # relative
# their standard errors come from finite differences of a function that is itself iterated: noisy with large counts
NOISE_OF_REFERENCE_SE = {"UM.RS": 5e-3, "CM.EL": 5e-4}


@pytest.mark.parametrize(("name", "model"), FITTED)
def test_agrees_with_metafor(name: str, model: str) -> None:
    data = {column: np.atleast_1d(values).astype(float) for column, values in CASES[name]["data"].items()}
    expected = CASES[name]["fits"][model]
    if model == "PLO":
        result = glmm(**data)
    else:
        points = 1 if model == "UM.RS" else 21  # metafor can only do the Laplace approximation there
        result = glmm(**data, measure="OR", model=model, quadrature_points=points)
    assert result.estimate == pytest.approx(expected["estimate"], rel=ITERATIVE)
    assert result.tau2 == pytest.approx(expected["tau2"], rel=ITERATIVE, abs=1e-8)
    assert result.se == pytest.approx(expected["se"], rel=NOISE_OF_REFERENCE_SE.get(model, ITERATIVE))
    assert result.i2 == pytest.approx(expected["i2"], rel=ITERATIVE, abs=1e-6)
    assert result.q_df == expected["q_df"]
    if model != "UM.RS":
        assert result.q == pytest.approx(expected["q_lrt"], rel=ITERATIVE)


class TestLikelihood:
    """The quadrature against adaptive integration of the same density."""

    def test_proportions(self) -> None:
        x, n, mu, tau = np.array([0.0, 3.0, 17.0]), np.array([9.0, 20.0, 20.0]), -1.0, 0.8
        ours = marginal_of_family(binomial_family(x, n), mu, tau, 25)
        for i in range(3):
            value = integrate.quad(
                lambda theta, i=i: (
                    stats.binom.pmf(x[i], n[i], 1 / (1 + math.exp(-theta))) * stats.norm.pdf(theta, mu, tau)
                ),
                -12,
                12,
                limit=200,
            )[0]
            assert ours[i] == pytest.approx(math.log(value), abs=1e-7)

    def test_conditional_odds_ratios(self) -> None:
        table = two_by_two(ai=[2, 0], n1i=[15, 20], ci=[6, 3], n2i=[18, 21])
        ours = marginal_of_family(hypergeometric_family(table), -0.5, 0.6, 25)
        for i in range(2):
            value = integrate.quad(
                lambda theta, i=i: (
                    stats.nchypergeom_fisher.pmf(
                        table.ai[i], table.total[i], table.n1i[i], table.ai[i] + table.ci[i], math.exp(theta)
                    )
                    * stats.norm.pdf(theta, -0.5, 0.6)
                ),
                -8,
                8,
                limit=200,
            )[0]
            assert ours[i] == pytest.approx(math.log(value), abs=1e-6)

    def test_two_random_effects(self) -> None:
        table = two_by_two(ai=[2], n1i=[15], ci=[6], n2i=[18])
        tau, sigma = 0.6, 0.9
        eta = np.array([[-1.3, -0.7]])
        loading = np.array([[tau / 2, sigma], [-tau / 2, sigma]])

        node = np.linspace(-7, 7, 141)
        u, s = np.meshgrid(node, node)
        p = 1 / (1 + np.exp(-(eta[0] + np.stack([u, s], axis=-1) @ loading.T)))
        values = stats.binom.pmf(2, 15, p[..., 0]) * stats.binom.pmf(6, 18, p[..., 1])
        values = values * stats.norm.pdf(u) * stats.norm.pdf(s)
        value = integrate.simpson(integrate.simpson(values, x=node), x=node)
        assert marginal_of_arms(table, eta, loading, 15).log_likelihood[0] == pytest.approx(math.log(value), abs=1e-6)


class TestWithoutEvents:
    def test_no_event_gives_the_exact_limit_in_words(self) -> None:
        result = glmm(xi=[0, 0], ni=[100, 200])
        assert not result.estimable
        assert "at most 1.2%" in result.notes[0]
        assert result.to_dict()["estimate"] is None

    def test_nothing_but_events(self) -> None:
        assert "at least" in glmm(xi=[10, 20], ni=[10, 20]).notes[0]

    def test_one_arm_never_has_the_event(self) -> None:
        result = glmm(ai=[0, 0], n1i=[10, 20], ci=[3, 4], n2i=[10, 20], measure="OR", model="CM.EL")
        assert not result.estimable

    def test_studies_without_events_stay_as_rows(self) -> None:
        result = glmm(
            ai=[0, 2, 1], n1i=[9, 30, 25], ci=[0, 7, 4], n2i=[10, 30, 25], measure="OR", labels=["Silent", "B", "C"]
        )
        assert result.k == 3
        assert result.weights[0] == 0
        assert any("Silent" in note for note in result.notes)


class TestSmall:
    def test_single_study_is_its_own_logit(self) -> None:
        result = glmm(xi=[7], ni=[30])
        assert result.estimate == pytest.approx(math.log(7 / 23), rel=1e-6)
        assert result.se == pytest.approx(math.sqrt(1 / 7 + 1 / 23), rel=1e-5)
        assert math.isnan(result.tau2)

    def test_homogeneous_proportions_give_the_crude_one(self) -> None:
        """metafor's optimiser gives up on this one."""
        result = glmm(xi=[5, 10, 4], ni=[20, 40, 16])
        assert result.tau2 == 0
        assert result.estimate == pytest.approx(math.log(0.25 / 0.75), rel=1e-7)
        assert result.se == pytest.approx(math.sqrt(1 / 19 + 1 / 57), rel=1e-5)

    def test_unusable_rows_of_a_table_are_left_out(self) -> None:
        table = pd.DataFrame(
            {"label": list("ABC"), "events1": [3, 1, 8], "n1": [20, 25, 40], "usable": [True, False, True]}
        )
        assert glmm(table).labels == ("A", "C")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"xi": [1]}, "both xi and ni"),
        ({"xi": [5], "ni": [4]}, "study 1: 5 of 4"),
        ({"measure": "RR"}, "PLO, OR"),
        ({"measure": "OR", "model": "UM"}, "UM.FS"),
        ({"xi": [1], "ni": [4], "quadrature_points": 0}, "at least 1"),
    ],
)
def test_refusals(arguments, message) -> None:
    with pytest.raises(InputError, match=message):
        glmm(**arguments)
