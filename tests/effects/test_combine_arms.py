"""Several arms as one, one control for several arms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.effects.combine_arms import combine_events, combine_means, split_shared_control
from headache_evidence.errors import InputError


def cochrane_two_groups(n1: float, m1: float, s1: float, n2: float, m2: float, s2: float) -> tuple[float, float, float]:
    """Handbook table 6.5.a as printed."""
    n = n1 + n2
    mean = (n1 * m1 + n2 * m2) / n
    inner = (n1 - 1) * s1**2 + (n2 - 1) * s2**2 + n1 * n2 / n * (m1**2 + m2**2 - 2 * m1 * m2)
    return n, mean, math.sqrt(inner / (n - 1))


def test_cochrane_table_for_two_arms() -> None:
    assert combine_means([20, 35], [5.1, 7.4], [1.8, 2.2]) == pytest.approx(
        cochrane_two_groups(20, 5.1, 1.8, 35, 7.4, 2.2)
    )


def test_single_arm_comes_back() -> None:
    assert combine_means([1], [5.1], [0.0]) == (1, 5.1, 0)


def test_missing_sd_makes_the_sd_missing() -> None:
    n, mean, sd = combine_means([10, 10], [1, 3], [1, np.nan])
    assert (n, mean) == (20, 2)
    assert math.isnan(sd)


def test_events_add_up() -> None:
    assert combine_events([3, 5], [20, 25]) == (8, 45)
    with pytest.raises(InputError, match="events = 30, total = 25"):
        combine_events([3, 30], [20, 25])


def test_shared_control_keeps_its_patients() -> None:
    assert split_shared_control([41, 9], 3).tolist() == [41 / 3, 3]
    with pytest.raises(InputError, match="at least one"):
        split_shared_control(40, 0)


@pytest.mark.parametrize(
    ("arms", "words"), [(([], [], []), "No arm"), (([0], [1], [1]), "n = 0"), (([5], [1], [-1]), "sd = -1")]
)
def test_impossible_arms_are_refused(arms: tuple[list[float], list[float], list[float]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        combine_means(*arms)


arm = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


@given(arms=st.lists(arm, min_size=2, max_size=5))
def test_equals_the_statistics_of_all_patients(arms: list[list[float]]) -> None:
    n, mean, sd = combine_means([len(a) for a in arms], [np.mean(a) for a in arms], [np.std(a, ddof=1) for a in arms])
    everybody = np.concatenate(arms)
    assert n == everybody.size
    assert mean == pytest.approx(everybody.mean(), abs=1e-9)
    assert sd == pytest.approx(everybody.std(ddof=1), rel=1e-6, abs=1e-9)


groups = st.lists(st.tuples(st.integers(2, 200), st.floats(-50, 50), st.floats(0.1, 30)), min_size=3, max_size=3)


@given(three=groups, scale=st.floats(0.1, 10))
def test_order_steps_and_unit_do_not_matter(three: list[tuple[int, float, float]], scale: float) -> None:
    n, mean, sd = (np.array(values, float) for values in zip(*three, strict=True))
    together = combine_means(n, mean, sd)
    assert combine_means(n[::-1], mean[::-1], sd[::-1]) == pytest.approx(together)
    first = combine_means(n[:2], mean[:2], sd[:2])
    stepwise = combine_means(*([a, b] for a, b in zip(first, (n[2], mean[2], sd[2]), strict=True)))
    assert stepwise == pytest.approx(together, abs=1e-9)
    scaled = combine_means(n, mean * scale, sd * scale)
    assert scaled == pytest.approx((together[0], together[1] * scale, together[2] * scale), abs=1e-9)
