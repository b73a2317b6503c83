"""Three-level models and cluster-robust errors against metafor, clubSandwich and PyMARE; thin clusters."""

from __future__ import annotations

import importlib.resources
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymare import stats as pymare_stats

from headache_evidence.effects.dependence import covariance_matrix
from headache_evidence.errors import InputError
from headache_evidence.pools.cluster_robust import cluster_robust, robust_coefficients
from headache_evidence.pools.multilevel import three_level
from headache_evidence.pools.multilevel_model import ThreeLevelModel
from headache_evidence.pools.pooling import pool

CASES = json.loads((Path(__file__).parents[1] / "reference" / "multilevel.json").read_text())["cases"]
ITERATIVE = 1e-4  # relative
CLOSED_FORM = 1e-9
LARGE = {"assink2016", "curtis1998"}  # about 100 effects: slow, so fitted once only
FITS = [(name, V) for name in CASES for V in ("diagonal", "rho_0.5") if not (name in LARGE and V == "diagonal")]


def read(name: str, V: str = "diagonal") -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    y, v, cluster = (np.array(CASES[name][column]) for column in ("yi", "vi", "cluster"))
    if V == "diagonal":
        return y, v, cluster, None
    table = pd.DataFrame({"yi": y, "vi": v, "study_id": cluster.astype(str)})
    return y, v, cluster, covariance_matrix(table, 0.5)


@pytest.mark.parametrize(("name", "V"), FITS)
def test_three_level_agrees_with_rma_mv(name: str, V: str) -> None:
    y, v, cluster, sampling = read(name, V)
    expected = CASES[name][V]
    result = three_level(yi=y, vi=v, cluster=cluster, V=sampling, ci="t-contain")
    pooled = result.pooled
    assert pooled.estimate == pytest.approx(expected["estimate"], rel=ITERATIVE)
    assert pooled.se == pytest.approx(expected["se"], rel=ITERATIVE)
    assert pooled.ci[0] == pytest.approx(expected["t_lower"], rel=ITERATIVE)
    assert pooled.df == expected["t_df"]
    assert pooled.p_value == pytest.approx(expected["p_t"], rel=10 * ITERATIVE)
    assert pooled.q == pytest.approx(expected["q"], rel=CLOSED_FORM)
    assert result.sigma2_between == pytest.approx(expected["sigma2"][0], rel=ITERATIVE, abs=1e-8)
    assert result.sigma2_within == pytest.approx(expected["sigma2"][1], rel=ITERATIVE, abs=1e-8)
    assert result.log_likelihood == pytest.approx(expected["loglik"], abs=1e-7)
    assert result.i2_between + result.i2_within == pytest.approx(pooled.i2)


@pytest.mark.parametrize("name", sorted(set(CASES) - LARGE))
def test_maximum_likelihood_is_at_least_as_high_as_metafors(name: str) -> None:
    y, v, cluster, _ = read(name)
    result = three_level(yi=y, vi=v, cluster=cluster, method="ML", ci="wald")
    same = (cluster[:, None] == cluster[None, :]).astype(float)
    model = ThreeLevelModel(y, np.diag(v), same, np.ones((len(y), 1)), restricted=False)
    theirs = np.array(CASES[name]["diagonal"]["ml_sigma2"])
    assert result.log_likelihood >= model.log_likelihood(theirs) - 1e-9
    assert [result.sigma2_between, result.sigma2_within] == pytest.approx(theirs, rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("name", ["konstantopoulos2011", "three_clusters"])
def test_profile_intervals(name: str) -> None:
    """metafor's search stops at about 1e-3 and gives up on some upper limits."""
    y, v, cluster, _ = read(name)
    result = three_level(yi=y, vi=v, cluster=cluster, profile=True)
    for ours, theirs in zip((result.between_ci, result.within_ci), CASES[name]["diagonal"]["profile"], strict=True):
        for own, limit in zip(ours, theirs, strict=True):
            if limit is not None:
                assert own == pytest.approx(limit, rel=2e-3, abs=1e-6)


@pytest.mark.parametrize(("name", "V"), FITS)
def test_cluster_robust_agrees_with_clubsandwich(name: str, V: str) -> None:
    y, v, cluster, sampling = read(name, V)
    expected = CASES[name][V]["robust"]
    result = cluster_robust(yi=y, vi=v, cluster=cluster, V=sampling)
    assert result.se == pytest.approx(expected["se"], rel=ITERATIVE)
    assert result.df == pytest.approx(expected["df"], rel=ITERATIVE)
    assert result.p_value == pytest.approx(expected["p"], rel=10 * ITERATIVE)
    assert result.ci[1] == pytest.approx(expected["upper"], rel=ITERATIVE)


@pytest.mark.parametrize("name", CASES)
def test_random_effects_working_model_and_moderators(name: str) -> None:
    y, v, cluster, _ = read(name)
    expected = CASES[name]["random_effects"]
    result = cluster_robust(yi=y, vi=v, cluster=cluster, working="random-effects")
    assert result.se == pytest.approx(expected["se"], rel=1e-6)
    assert result.df == pytest.approx(expected["df"], rel=1e-6)
    X = np.column_stack([np.ones(len(y)), np.arange(1.0, len(y) + 1)])
    regression = CASES[name]["regression"]
    codes = pd.factorize(cluster)[0]
    ours = robust_coefficients(y, X, np.diag(v + regression["tau2"]), codes)
    assert ours.df == pytest.approx(regression["df"], rel=1e-8)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(regression["se"], rel=1e-8)


def test_agrees_with_pymare() -> None:
    """With one variance per cluster; where they differ within one, PyMARE departs from clubSandwich by 0.4 %."""
    y, v, cluster, _ = read("crede2010")
    v = pd.Series(v).groupby(cluster).transform("mean").to_numpy()
    X = np.column_stack([np.ones(len(y)), np.linspace(0, 1, len(y))])
    weights = 1 / (v + 0.02)
    ours = robust_coefficients(y, X, np.diag(1 / weights), pd.factorize(cluster)[0])
    theirs = pymare_stats.cluster_robust_cov(y[:, None], v[:, None], X, ours.estimate[:, None], cluster, tau2=0.02)
    assert ours.covariance == pytest.approx(theirs[..., 0], rel=1e-9)
    assert ours.df == pytest.approx(pymare_stats.satterthwaite_dof(X, weights[:, None], cluster)[:, 0], rel=1e-9)


def test_clubsandwich_figures_shipped_with_pymare() -> None:
    folder = importlib.resources.files("pymare") / "tests" / "data"
    table = pd.read_csv(str(folder / "robumeta_correlated_effects.csv"))
    for case in json.loads((folder / "clubsandwich_reference.json").read_text())["cases"]:
        if case["model"] != "intercept":
            continue
        working = np.diag(table[case["variances"]].to_numpy() + case["tau2"])
        codes = pd.factorize(table["study"])[0]
        ours = robust_coefficients(table["effect"].to_numpy(), np.ones((len(table), 1)), working, codes)
        assert ours.estimate == pytest.approx(case["beta"], rel=CLOSED_FORM)
        assert np.sqrt(ours.covariance[0, 0]) == pytest.approx(case["se"][0], rel=CLOSED_FORM)
        assert ours.df == pytest.approx(case["dof"], rel=CLOSED_FORM)


class TestThinClusters:
    def test_one_effect_per_cluster_is_the_ordinary_model(self) -> None:
        y, v = np.array([0.1, 0.6, -0.2, 0.4]), np.array([0.02, 0.05, 0.03, 0.04])
        result = three_level(yi=y, vi=v, cluster=list("abcd"), ci="wald")
        ordinary = pool(yi=y, vi=v, ci="wald")
        assert result.pooled.estimate == pytest.approx(ordinary.estimate, rel=1e-7)
        assert result.pooled.tau2 == pytest.approx(ordinary.tau2, rel=1e-6)
        assert result.pooled.i2 == pytest.approx(ordinary.i2, rel=1e-6)
        assert any("one effect per cluster" in note for note in result.pooled.notes)

    def test_one_cluster(self) -> None:
        result = three_level(yi=[0.1, 0.4], vi=[0.02, 0.03], cluster=["a", "a"])
        assert math.isnan(result.sigma2_between)
        robust = cluster_robust(yi=[0.1, 0.4], vi=[0.02, 0.03], cluster=["a", "a"])
        assert math.isnan(robust.se)
        assert any("at least 2 clusters" in note for note in robust.notes)

    def test_few_degrees_of_freedom_are_said(self) -> None:
        y, v, cluster, _ = read("three_clusters")
        assert any("cannot be relied on" in note for note in cluster_robust(yi=y, vi=v, cluster=cluster).notes)

    def test_copying_effects_within_a_cluster_does_not_narrow_the_robust_interval_by_much(self) -> None:
        """Planted fault of the naive model: the same number entered three times."""
        y, v = np.array([0.1, 0.6, -0.2, 0.4, 0.3]), np.full(5, 0.02)
        copies = np.repeat(np.arange(5), 3)
        naive = pool(yi=y[copies], vi=v[copies], ci="wald")
        robust = cluster_robust(yi=y[copies], vi=v[copies], cluster=copies)
        honest = pool(yi=y, vi=v, ci="wald")
        assert naive.se < 0.75 * honest.se
        assert robust.se == pytest.approx(np.std(y, ddof=1) / math.sqrt(5), rel=1e-6)


def test_from_an_effects_table() -> None:
    y, v, cluster, _ = read("crede2010")
    table = pd.DataFrame({"yi": y, "vi": v, "study_id": cluster, "measure": "MD", "usable": True})
    table.loc[0, "usable"] = False
    result = three_level(table)
    assert result.pooled.k == len(y) - 1
    assert result.pooled.measure == "MD"
    assert result.to_dict()["pooled"]["estimable"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cluster": ["a"]}, "1 cluster labels for 3 effects"),
        ({"cluster": ["a", None, "b"]}, "some are missing"),
        ({"cluster": "study_id"}, "give cluster as k labels"),
        ({"V": np.eye(2)}, "need \\(3, 3\\)"),
        ({"V": np.ones((3, 3))}, "covariance matrix"),
        ({"method": "DL"}, "REML, ML"),
        ({"ci": "magic"}, "t-contain"),
    ],
)
def test_refusals(arguments, message) -> None:
    defaults = {"yi": [0.1, 0.2, 0.3], "vi": [0.1, 0.1, 0.1], "cluster": ["a", "a", "b"]}
    with pytest.raises(InputError, match=message):
        three_level(**(defaults | arguments))
