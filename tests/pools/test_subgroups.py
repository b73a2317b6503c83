"""Subgroup pools and the test of interaction against metafor, and levels without evidence."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from headache_evidence.errors import InputError
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.subgroups import subgroup_pools

CASE = json.loads((Path(__file__).parents[1] / "reference" / "meta_regression.json").read_text())["cases"]["bcg_alloc"]
CI = {"z": "wald", "knha": "knapp-hartung", "adhoc": "knapp-hartung-conservative"}


def bcg() -> pd.DataFrame:
    """The BCG trials with their kind of allocation (metafor's dummies: alternate is the reference)."""
    X = np.array(CASE["X"], dtype=float)
    kind = np.where(X[:, 0] == 1, "random", np.where(X[:, 1] == 1, "systematic", "alternate"))
    return pd.DataFrame({"label": [f"Trial {i}" for i in range(13)], "yi": CASE["yi"], "vi": CASE["vi"], "kind": kind})


@pytest.mark.parametrize("method", ["FE", "DL", "REML", "PM"])
@pytest.mark.parametrize("test", CI)
def test_common_tau2_is_metafors_moderator_model(method: str, test: str) -> None:
    expected = CASE["fits"][f"{method} {test}"]
    result = subgroup_pools(bcg(), by="kind", tau2="common", method=method, ci=CI[test], min_k=1)
    intercept, random, systematic = expected["coefficients"]
    assert result.pools["alternate"].estimate == pytest.approx(intercept, rel=1e-6)
    assert result.pools["random"].estimate == pytest.approx(intercept + random, rel=1e-6)
    assert result.pools["systematic"].estimate == pytest.approx(intercept + systematic, rel=1e-6)
    assert result.pools["alternate"].se == pytest.approx(expected["se"][0], rel=1e-6)
    assert result.pools["alternate"].ci[0] == pytest.approx(expected["lower"][0], rel=1e-6)
    assert result.q_between == pytest.approx(expected["qm"], rel=1e-6)
    assert result.p_value == pytest.approx(expected["qm_p"], rel=1e-6)
    assert result.statistic_name == ("chi-square" if test == "z" else "F")


def test_separate_tau2_compares_independent_pools() -> None:
    result = subgroup_pools(bcg(), by="kind", method="DL", ci="wald", min_k=2)
    estimates, variances = [], []
    for name, own in result.pools.items():
        rows = bcg()
        alone = pool(rows[rows["kind"] == name], method="DL", ci="wald")
        assert own.to_dict() == alone.to_dict()
        estimates.append(alone.estimate)
        variances.append(alone.se**2)
    between = pool(yi=estimates, vi=variances, method="FE", ci="wald")
    assert result.q_between == pytest.approx(between.q, rel=1e-12)
    assert result.p_value == pytest.approx(stats.chi2.sf(between.q, 2), rel=1e-12)


class TestThinEvidence:
    def test_levels_below_three_studies_are_shown_but_not_tested(self) -> None:
        result = subgroup_pools(bcg(), by="kind")
        assert set(result.pools) == {"alternate", "random", "systematic"}
        assert result.pools["alternate"].k == 2
        assert "alternate (k = 2)" in result.words
        assert result.df[0] == 1

    def test_one_testable_level_gives_no_p_value(self) -> None:
        table = bcg().assign(kind=["random"] * 11 + ["systematic"] * 2)
        result = subgroup_pools(table, by="kind")
        assert not result.assessable
        assert "no test" in result.words
        assert "p =" not in result.words
        assert result.to_dict()["p_value"] is None

    def test_levels_without_usable_rows_stay(self) -> None:
        table = bcg().assign(usable=lambda t: t["kind"] != "systematic")
        for tau2 in ("separate", "common"):
            result = subgroup_pools(table, by="kind", tau2=tau2)
            assert result.pools["systematic"].k == 0
            assert not result.pools["systematic"].estimable

    def test_missing_levels_are_named(self) -> None:
        table = bcg()
        table.loc[[0, 1], "kind"] = [None, ""]
        assert subgroup_pools(table, by="kind").pools["not reported"].k == 2

    def test_too_few_studies_for_a_common_tau2(self) -> None:
        result = subgroup_pools(bcg().iloc[[0, 4]].assign(kind=["a", "b"]), by="kind", tau2="common")
        assert not result.assessable
        assert math.isnan(result.q_between)


def test_refusals() -> None:
    with pytest.raises(InputError, match="lacks the column 'moon'"):
        subgroup_pools(bcg(), by="moon")
    with pytest.raises(InputError, match="'separate' or 'common'"):
        subgroup_pools(bcg(), by="kind", tau2="both")
