"""Meta-regression and its permutation test against metafor and PyMARE; refusals in words."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymare import Dataset, estimators
from scipy import stats

from headache_evidence.errors import InputError
from headache_evidence.pools.meta_regression import meta_regression
from headache_evidence.pools.meta_regression_model import sums
from headache_evidence.pools.pooling import pool

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "meta_regression.json").read_text())
CI = {"z": "wald", "knha": "knapp-hartung", "adhoc": "knapp-hartung-conservative"}
AGREEMENT = 1e-6  # relative; metafor iterated to 1e-12


def moderators(case: dict) -> pd.DataFrame:
    X = pd.DataFrame(np.array(case["X"], dtype=float))
    return X.rename(columns=lambda i: f"x{i}")


def numbers(value: object) -> np.ndarray:
    return np.array([np.nan if x in (None, "NA") else x for x in np.atleast_1d(np.array(value, dtype=object))], float)


@pytest.mark.parametrize("name", REFERENCE["cases"])
@pytest.mark.parametrize("method", ["FE", "DL", "HE", "ML", "REML", "PM", "SJ", "EB"])
def test_agrees_with_metafor(name: str, method: str) -> None:
    case = REFERENCE["cases"][name]
    for test, ci in CI.items():
        if f"{method} {test}" not in case["fits"]:
            continue
        expected = case["fits"][f"{method} {test}"]
        result = meta_regression(
            yi=case["yi"], vi=case["vi"], X=moderators(case), method=method, ci=ci, allow_small_k=True
        )
        table = result.coefficients
        for ours, theirs in (("estimate", "coefficients"), ("se", "se"), ("p_value", "p"), ("ci_low", "lower")):
            assert table[ours].to_numpy() == pytest.approx(numbers(expected[theirs]), rel=AGREEMENT, abs=1e-10)
        for field in ("tau2", "i2", "h2", "q", "q_p", "qm", "qm_p"):
            assert getattr(result, field) == pytest.approx(expected[field], rel=AGREEMENT, abs=1e-8), field
        if method != "FE" and not math.isnan(result.r2):  # metafor says 0 where there is nothing to explain
            assert result.r2 == pytest.approx(expected["r2"], rel=AGREEMENT, abs=1e-8)


@pytest.mark.parametrize("name", REFERENCE["cases"])
def test_q_profile_interval(name: str) -> None:
    """At each limit the generalised Q is the quantile it should be; metafor stops its search at about 1e-4."""
    case = REFERENCE["cases"][name]
    y, v = np.array(case["yi"]), np.array(case["vi"])
    X = np.column_stack([np.ones(len(y)), moderators(case)])
    result = meta_regression(yi=y, vi=v, X=moderators(case), allow_small_k=True)
    assert result.tau2_ci == pytest.approx(tuple(case["tau2_ci"]), rel=5e-3, abs=1e-4)
    for limit, tail in zip(result.tau2_ci, (0.025, 0.975), strict=True):
        if limit > 0:
            q = sums(y[:, None], v[:, None], X, np.array([limit])).q[0]
            df = len(y) - X.shape[1]
            assert stats.chi2.sf(q, df) == pytest.approx(tail, rel=1e-6)


@pytest.mark.parametrize("name", REFERENCE["permutation"])
def test_exact_permutation_agrees_with_metafor(name: str) -> None:
    case = REFERENCE["permutation"][name]
    result = meta_regression(
        yi=case["yi"],
        vi=case["vi"],
        X=pd.DataFrame({"x": case["x"]}),
        ci=CI[name.split()[1]],
        allow_small_k=True,
        permutations=1000,
    )
    assert result.exact
    assert result.coefficients["p_permutation"].to_numpy() == pytest.approx(case["p"], rel=1e-9)
    assert result.qm_p_permutation == pytest.approx(case["qm_p"], rel=1e-9)


def test_agrees_with_pymare() -> None:
    case = REFERENCE["cases"]["bcg_two"]
    X = moderators(case)
    result = meta_regression(yi=case["yi"], vi=case["vi"], X=X, ci="knapp-hartung", allow_small_k=True)
    data = Dataset(y=np.array(case["yi"]), v=np.array(case["vi"]), X=X.to_numpy(), X_names=list(X.columns))
    fit = estimators.VarianceBasedLikelihoodEstimator(method="REML", small_sample_correction="knapp-hartung")
    found = fit.fit_dataset(data).summary()
    assert result.tau2 == pytest.approx(float(np.ravel(found.tau2)[0]), rel=1e-4)  # PyMARE's own tolerance
    assert result.coefficients["estimate"].to_numpy() == pytest.approx(found.fe_params.ravel(), rel=1e-4)
    assert result.coefficients["se"].to_numpy() == pytest.approx(found.fe_se.ravel(), rel=1e-4)


def effects(k: int = 24) -> pd.DataFrame:
    """Synthetic effects with a slope on volume."""
    rng = np.random.default_rng(3)
    volume = rng.uniform(2, 20, k)
    v = rng.uniform(0.02, 0.1, k)
    return pd.DataFrame(
        {
            "label": [f"Study {i}" for i in range(k)],
            "yi": -0.2 * volume + rng.normal(0, np.sqrt(v)),
            "vi": v,
            "volume_ml": volume,
            "steroid": rng.random(k) < 0.5,
            "guidance": rng.choice(["ultrasound", "landmark", "fluoroscopy"], k),
            "usable": True,
        }
    )


class TestFromAnEffectsTable:
    def test_numeric_boolean_and_text_moderators(self) -> None:
        result = meta_regression(effects(), moderators=["volume_ml", "steroid", "guidance"], allow_small_k=True)
        assert list(result.coefficients["name"]) == [
            "intercept",
            "volume_ml",
            "steroid",
            "guidance[landmark]",
            "guidance[ultrasound]",
        ]
        assert result.coefficients.loc[1, "ci_low"] < -0.2 < result.coefficients.loc[1, "ci_high"]

    def test_reference_level(self) -> None:
        result = meta_regression(effects(), moderators=["guidance"], reference={"guidance": "ultrasound"})
        assert "guidance[fluoroscopy]" in set(result.coefficients["name"])
        with pytest.raises(InputError, match="does not occur"):
            meta_regression(effects(), moderators=["guidance"], reference={"guidance": "magic"})

    def test_unknown_moderators_are_named(self) -> None:
        table = effects()
        table.loc[3, "volume_ml"] = np.nan
        result = meta_regression(table, moderators=["volume_ml"])
        assert result.k == 23
        assert any("Study 3" in note for note in result.notes)


class TestRefusals:
    def test_fewer_than_ten_studies_per_coefficient(self) -> None:
        result = meta_regression(effects(9), moderators=["volume_ml"])
        assert not result.assessable
        assert result.words.startswith("not assessable (k = 9)")
        assert result.coefficients.empty
        assert result.to_dict()["tau2"] is None

    def test_the_refusal_can_be_lifted_and_is_remembered(self) -> None:
        result = meta_regression(effects(9), moderators=["volume_ml"], allow_small_k=True)
        assert result.assessable
        assert any("unreliable" in note for note in result.notes)

    def test_more_coefficients_than_studies_cannot_be_lifted(self) -> None:
        result = meta_regression(effects(3), moderators=["volume_ml", "steroid"], allow_small_k=True)
        assert not result.assessable

    def test_dependent_moderators_are_named(self) -> None:
        table = effects().assign(twice=lambda t: 2 * t["volume_ml"])
        with pytest.raises(InputError, match="twice"):
            meta_regression(table, moderators=["volume_ml", "twice"])

    def test_a_moderator_with_one_value_is_reported_and_not_fitted(self) -> None:
        for value in (1.0, True, "ultrasound"):
            result = meta_regression(effects().assign(constant=value), moderators=["constant"], allow_small_k=True)
            assert not result.assessable
            assert result.words == "not estimable: constant has one value"

    def test_the_other_moderators_are_fitted_as_if_the_constant_one_were_absent(self) -> None:
        table = effects().assign(constant=1.0)
        both = meta_regression(table, moderators=["constant", "volume_ml"], allow_small_k=True)
        alone = meta_regression(table, moderators=["volume_ml"], allow_small_k=True)
        assert "not estimable: constant has one value" in both.notes
        pd.testing.assert_frame_equal(both.coefficients, alone.coefficients)
        assert both.k == alone.k

    def test_a_moderator_that_no_study_reports_is_not_estimable(self) -> None:
        result = meta_regression(effects().assign(unknown=np.nan), moderators=["unknown"])
        assert result.words == "not estimable: unknown is not known for any study"

    def test_a_moderator_constant_where_the_others_are_known_is_reported(self) -> None:
        table = effects()
        table["dose"] = np.where(np.arange(len(table)) == 0, 2.0, 1.0)
        table.loc[table.index[0], "volume_ml"] = np.nan
        result = meta_regression(table, moderators=["dose", "volume_ml"], allow_small_k=True)
        assert "not estimable: dose has one value" in result.notes

    def test_unknown_column(self) -> None:
        with pytest.raises(InputError, match="moon"):
            meta_regression(effects(), moderators=["moon"])


def test_random_permutations_are_seeded_and_find_a_planted_slope() -> None:
    first, second = (
        meta_regression(effects(), moderators=["volume_ml"], permutations=200, seed=5).qm_p_permutation
        for _ in range(2)
    )
    assert first == second == pytest.approx(1 / 200)


def test_group_means_of_a_categorical_moderator_are_common_effect_pools() -> None:
    table = effects()
    result = meta_regression(table, moderators=["guidance"], method="FE", ci="wald")
    one = pool(table[table["guidance"] == "fluoroscopy"], method="FE", ci="wald")
    assert result.coefficients.loc[0, "estimate"] == pytest.approx(one.estimate, rel=1e-10)
    assert result.coefficients.loc[0, "se"] == pytest.approx(one.se, rel=1e-10)
