"""One effect per study, and the covariance of several."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.effects.dependence import choose_one_per_study, covariance_matrix, shared_control_covariance
from headache_evidence.errors import InputError


def table(**columns: list[object]) -> pd.DataFrame:
    k = len(columns["study_id"])
    return pd.DataFrame({"yi": [0.1] * k, "vi": [0.04] * k, "usable": [True] * k} | columns)


def test_nearest_time_wins_and_order_stays() -> None:
    effects = table(study_id=["B", "A", "A", "B", "C"], weeks=[1.0, 8.0, 3.0, 5.0, np.nan])
    assert choose_one_per_study(effects, 4).index.tolist() == [2, 3, 4]


def test_ties_take_the_later_time_then_the_first_row() -> None:
    effects = table(study_id=["A", "A", "A"], weeks=[3.0, 5.0, 5.0])
    assert choose_one_per_study(effects, 4).index.tolist() == [1]


def test_unusable_effects_are_never_chosen() -> None:
    effects = table(study_id=["A", "A"], weeks=[4.0, 9.0], usable=[False, True])
    assert choose_one_per_study(effects, 4)["weeks"].tolist() == [9]


def test_repeated_index_labels_do_not_matter() -> None:
    effects = table(study_id=["A", "B"], weeks=[4.0, 9.0]).set_axis([7, 7])
    assert len(choose_one_per_study(effects, 4)) == 2


@given(
    rows=st.lists(st.tuples(st.sampled_from("ABCD"), st.integers(0, 30)), min_size=1, max_size=15),
    target=st.floats(0, 30),
    seed=st.integers(0, 99),
)
def test_every_study_once_whatever_the_order(rows: list[tuple[str, int]], target: float, seed: int) -> None:
    effects = table(study_id=[r[0] for r in rows], weeks=[float(r[1]) for r in rows])
    chosen = choose_one_per_study(effects, target)
    assert sorted(chosen["study_id"]) == sorted(set(effects["study_id"]))
    shuffled = choose_one_per_study(effects.sample(frac=1, random_state=seed), target)
    assert dict(zip(chosen["study_id"], chosen["weeks"], strict=True)) == dict(
        zip(shuffled["study_id"], shuffled["weeks"], strict=True)
    )


def test_covariance_within_studies_only() -> None:
    effects = table(study_id=["A", "B", "A"], vi=[0.04, 0.09, 0.16])
    expected = [[0.04, 0, 0.04], [0, 0.09, 0], [0.04, 0, 0.16]]
    np.testing.assert_allclose(covariance_matrix(effects, 0.5), expected)


def test_half_is_right_for_equal_arms_with_a_shared_control() -> None:
    """Arms of 20, SD 2: variance of each difference 0.4, covariance 0.2."""
    effects = table(study_id=["A", "A"], vi=[0.4, 0.4])
    assert covariance_matrix(effects, 0.5)[0, 1] == pytest.approx(float(shared_control_covariance(2, 20)))


@given(variances=st.lists(st.floats(1e-3, 10), min_size=1, max_size=8), rho=st.floats(0, 1), groups=st.integers(1, 4))
def test_covariance_is_symmetric_and_positive(variances: list[float], rho: float, groups: int) -> None:
    effects = table(study_id=[str(i % groups) for i in range(len(variances))], vi=variances)
    matrix = covariance_matrix(effects, rho)
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_allclose(np.diag(matrix), variances)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9


def test_wrong_input_is_named() -> None:
    effects = table(study_id=["A"])
    with pytest.raises(InputError, match=r"lacks the column.* weeks"):
        choose_one_per_study(effects, 4)
    with pytest.raises(InputError, match="target_weeks"):
        choose_one_per_study(effects.assign(weeks=4), float("nan"))
    with pytest.raises(InputError, match="rho"):
        covariance_matrix(effects, 1.2)
    with pytest.raises(InputError, match="column study_id"):
        covariance_matrix(effects.drop(columns="study_id"), 0.5)
