"""Diagnostics beyond the reference figures: edges, errors, sampling, and what single fits say."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from headache_evidence.errors import InputError
from headache_evidence.pools.gosh import gosh, gosh_members
from headache_evidence.pools.influence import baujat, influence
from headache_evidence.pools.leave_one_out import cumulative, leave_one_out, others
from headache_evidence.pools.permutation import permutation_test
from headache_evidence.pools.pooling import pool

YI = np.array([-0.9, -1.6, -0.2, 0.4, 0.1, -0.5])
VI = np.array([0.30, 0.20, 0.05, 0.50, 0.02, 0.10])


def test_leave_one_out_is_pooling_of_the_others() -> None:
    table = leave_one_out(yi=YI, vi=VI, labels=list("abcdef"), method="PM")
    for i in range(6):
        one = pool(yi=np.delete(YI, i), vi=np.delete(VI, i), method="PM")
        row = table.iloc[i]
        assert (row["label"], row["k"]) == ("abcdef"[i], 5)
        assert (row["estimate"], row["ci_upper"], row["q_p"]) == pytest.approx((one.estimate, one.ci[1], one.q_p))


def test_leave_one_out_of_few_studies() -> None:
    pair = leave_one_out(yi=[0.1, 0.9], vi=[0.04, 0.09])
    assert pair["estimate"].tolist() == [0.9, 0.1]
    assert pair[["tau2", "q", "q_p", "df"]].isna().all(axis=None)
    alone = leave_one_out(yi=[0.1], vi=[0.04])
    assert (len(alone), alone["k"][0]) == (1, 0)
    assert math.isnan(alone["estimate"][0])
    assert leave_one_out(yi=[], vi=[]).empty
    assert cumulative(yi=[], vi=[]).empty


def test_others_leaves_exactly_one_out() -> None:
    assert others(4).T.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]


def test_cumulative_sorts_by_year_and_keeps_ties() -> None:
    table = pd.DataFrame({"label": list("abcd"), "yi": YI[:4], "vi": VI[:4], "year": [2010, math.nan, 2001, 2010]})
    steps = cumulative(table)
    assert steps["label"].tolist() == ["c", "a", "d", "b"]
    assert steps["k"].tolist() == [1, 2, 3, 4]
    assert steps["estimate"].iloc[-1] == pytest.approx(pool(table).estimate)
    with pytest.raises(InputError, match="pages"):
        cumulative(table, order="pages")
    with pytest.raises(InputError, match="4 studies"):
        cumulative(table, order=[1, 2])


def test_planted_outlier_is_flagged() -> None:
    rng = np.random.default_rng(5)
    yi = np.append(rng.normal(0.2, 0.1, 9), 4.0)
    table = influence(yi=yi, vi=np.full(10, 0.01))
    assert table["flag"].tolist() == [False] * 9 + [True]
    assert table["rstudent"].iloc[-1] > 10
    assert baujat(yi=yi, vi=np.full(10, 0.01), method="FE")["x"].idxmax() == 9


def test_baujat_shares_add_up_to_q() -> None:
    assert baujat(yi=YI, vi=VI, method="FE")["x"].sum() == pytest.approx(pool(yi=YI, vi=VI).q)


@pytest.mark.parametrize("diagnose", [influence, baujat, permutation_test])
def test_one_study_cannot_be_diagnosed(diagnose: object) -> None:
    with pytest.raises(InputError, match="at least 2"):
        diagnose(yi=[0.1], vi=[0.1])  # type: ignore[operator]


def test_influence_of_two_studies_is_finite_where_it_exists() -> None:
    table = influence(yi=[0.1, 0.9], vi=[0.04, 0.09])
    assert np.isfinite(table[["rstudent", "cook_d", "hat", "tau2_del"]]).all(axis=None)


def test_gosh_holds_every_subset_once() -> None:
    table = gosh(yi=YI, vi=VI, method="DL")
    members = gosh_members(table)
    assert len(table) == 63 == table.attrs["subsets"]
    assert not table.attrs["sampled"]
    assert (members.sum(axis=1) == table["k"]).all()
    for row in (0, 6, 37, 62):
        one = pool(yi=YI[members[row]], vi=VI[members[row]], method="DL")
        assert (table["estimate"][row], table["tau2"][row]) == pytest.approx((one.estimate, one.tau2), nan_ok=True)


def test_gosh_draws_above_the_limit_and_says_so() -> None:
    yi, vi = np.tile(YI, 4), np.tile(VI, 4)
    first, again = (gosh(yi=yi, vi=vi, method="FE", max_subsets=500, seed=3) for _ in range(2))
    other = gosh(yi=yi, vi=vi, method="FE", max_subsets=500, seed=4)
    pd.testing.assert_frame_equal(first, again)
    assert first.attrs["sampled"]
    assert first.attrs["subsets"] == 2**24 - 1
    assert first["members"].is_unique
    assert len(first) == 500
    assert not first["members"].equals(other["members"])
    assert first["k"].mean() == pytest.approx(12, abs=0.5)  # fair coins: SD of the mean is 0.11


def test_gosh_refuses_what_it_cannot_hold() -> None:
    with pytest.raises(InputError, match="62"):
        gosh(yi=np.zeros(63), vi=np.ones(63))
    with pytest.raises(InputError, match="max_subsets"):
        gosh(yi=YI, vi=VI, max_subsets=0)
    assert gosh(yi=[], vi=[]).empty


def test_exact_permutation_by_hand() -> None:
    result = permutation_test(yi=[1.0, 1.2, 0.9], vi=[0.1, 0.1, 0.1], method="FE")
    assert (result.p_value, result.permutations) == (0.25, 8)  # all three positive or all three negative
    assert result.notes == ("3 studies: p cannot fall below 0.25",)


def test_random_permutation_follows_the_exact_one() -> None:
    exact = permutation_test(yi=YI, vi=VI, method="DL")
    drawn = permutation_test(yi=YI, vi=VI, method="DL", exact=False, n_permutations=4000, seed=2)
    assert drawn == permutation_test(yi=YI, vi=VI, method="DL", exact=False, n_permutations=4000, seed=2)
    assert not drawn.exact
    assert drawn.permutations == 4001
    assert drawn.p_value == pytest.approx(exact.p_value, abs=4 * math.sqrt(0.25 / 4000))


def test_permutation_refuses_the_impossible() -> None:
    with pytest.raises(InputError, match="sign patterns"):
        permutation_test(yi=np.zeros(25), vi=np.ones(25), exact=True)
    with pytest.raises(InputError, match="n_permutations"):
        permutation_test(yi=YI, vi=VI, exact=False, n_permutations=0)
    same = permutation_test(yi=[0.3, 0.3], vi=[0.1, 0.2], ci="knapp-hartung")
    assert math.isnan(same.p_value)
