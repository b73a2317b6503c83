from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from headache_evidence.tables import integrity_numbers as inum

ANSWERS = st.lists(st.integers(0, 10), min_size=2, max_size=60)


def test_decimals_are_those_of_the_shortest_text() -> None:
    assert inum.decimals([9.47, 9.0, 0.3979, 120, np.nan, 1e-05]).tolist() == [2, 0, 4, 0, 0, 5]


def test_grim_example_of_brown_and_heathers() -> None:
    """Their example: 28 whole-number answers cannot have the mean 5.19; 5.18 and 5.21 they can."""
    assert inum.grim_possible([5.18, 5.19, 5.21], 28).tolist() == [True, False, True]


@given(ANSWERS, st.integers(0, 3))
def test_numbers_of_real_answers_are_never_called_impossible(answers: list[int], places: int) -> None:
    n, mean, sd = len(answers), np.mean(answers), np.std(answers, ddof=1)
    printed_mean, printed_sd = round(float(mean), places), round(float(sd), places)
    assert inum.grim_possible(printed_mean, n).all()
    assert inum.grimmer_possible(printed_mean, printed_sd, n).all()
    room = inum.half_unit(printed_sd)[0] + 1e-9
    assert inum.largest_sd(printed_mean, 0, 10, n)[0] >= printed_sd - room
    share = np.mean(np.asarray(answers) >= 6)
    if 0 < share < 1:
        assert inum.smallest_sd(mean, share, 6, n)[0] <= sd + 1e-9
    percent = round(float(100 * share), places)
    assert inum.percent_possible(percent, n).all()


def test_grimmer_rejects_what_no_four_answers_give() -> None:
    """Against all vectors of four answers from 0 to 6: what occurs is possible, and about half of the rest is not."""
    seen = {
        (round(float(np.mean(v)), 2), round(float(np.std(v, ddof=1)), 2))
        for v in itertools.combinations_with_replacement(range(7), 4)
    }
    mean, sd = np.array(sorted(seen)).T
    assert inum.grimmer_possible(mean, sd, 4).all()
    impossible = [(2.25, 1.22), (2.5, 1.28), (3.0, 0.9)]
    assert not set(impossible) & seen
    assert not inum.grimmer_possible(*np.array(impossible).T, 4).any()


def test_percent_of_the_evidence_notes() -> None:
    assert not inum.percent_possible(55.4, 119)[0]
    assert inum.percent_truncated(55.4, 119)[0]
    assert inum.percent_possible(62.5, 40)[0]
    assert not (inum.percent_possible(62.4, 40) | inum.percent_truncated(62.4, 40))[0]


def test_largest_sd_is_reached_by_answers_at_the_two_ends() -> None:
    answers = np.array([0.0] * 3 + [10.0] * 5)
    assert inum.largest_sd(answers.mean(), 0, 10, 8)[0] == pytest.approx(answers.std(ddof=1), rel=1e-3)


def test_smallest_sd_is_reached_by_two_points() -> None:
    answers = np.array([0.2] * 6 + [6.0] * 2)
    found = inum.smallest_sd(answers.mean(), 0.25, 6.0, 8)[0]
    assert found == pytest.approx(answers.std(ddof=1), rel=1e-12)
    assert inum.smallest_sd(7.0, 0.25, 6.0, 8)[0] == 0


def test_welch_is_that_of_scipy() -> None:
    rows = [(3.1, 1.2, 20, 2.2, 2.4, 31), (0.0, 5.0, 4, 9.0, 1.0, 90)]
    for row in rows:
        expected = stats.ttest_ind_from_stats(*row, equal_var=False).pvalue
        assert inum.welch_p(*row)[0] == pytest.approx(expected, rel=1e-12)


def test_p_from_an_interval_as_altman_and_bland_do() -> None:
    """Their worked example: difference 3.8 % with interval 0.4 to 7.2 gives z 2.19 and p 0.028."""
    assert inum.interval_p(3.8, 0.4, 7.2, 0)[0] == pytest.approx(0.028, abs=0.001)
    ratio = np.log([0.81, 0.70, 0.94])
    assert inum.interval_p(ratio[0], ratio[1], ratio[2], 0)[0] == pytest.approx(0.005, abs=0.001)


@pytest.mark.parametrize(
    ("operator", "printed", "contradicts"),
    [
        ("=", 0.2, True),
        ("=", 0.02, False),
        ("<", 0.001, True),
        ("<", 0.05, False),
        (">", 0.05, False),
        (">", 0.4, True),
    ],
)
def test_p_is_read_with_its_operator(operator: str, printed: float, contradicts: bool) -> None:
    found = inum.p_contradicts(0.01, 0.03, printed, np.array([operator], dtype=object), factor=3)
    assert found.tolist() == [contradicts]


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.sampled_from(["=", "<", ">"]))
@settings(max_examples=50)
def test_the_true_p_never_contradicts_itself(p: float, other: float, operator: str) -> None:
    printed = round(p, 3)
    if operator != "=":
        printed = round(max(p, other) if operator == "<" else min(p, other), 3)
    assert not inum.p_contradicts(p, p, printed, np.array([operator], dtype=object), factor=2).any()


def test_robust_z_of_constant_values_is_zero() -> None:
    assert inum.robust_z([2, 2, 2, 9]).tolist() == [0, 0, 0, 0]
    assert abs(inum.robust_z([1, 2, 3, 4, 50])[-1]) > 10
