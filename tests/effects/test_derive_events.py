"""Counts from percentages, with the rounding check."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.effects.derive_events import counts_that_fit, decimals_shown, events_from_percent


@pytest.mark.parametrize(
    ("percent", "total", "events"),
    [(33.3, 30, 10), (66.7, 3, 2), (45, 20, 9), (0, 12, 0), (100, 12, 12), (33, 300, 99), (12.5, 8, 1)],
)
def test_events_of_consistent_percentages(percent: float, total: int, events: int) -> None:
    got, consistent = events_from_percent(percent, total)
    assert consistent
    assert got == events


@pytest.mark.parametrize(
    ("percent", "total"), [(35, 10), (33.4, 30), (101, 20), (-5, 20), (50, 7), (50, 10.5), (50, 0)]
)
def test_percentages_that_no_count_gives(percent: float, total: float) -> None:
    got, consistent = events_from_percent(percent, total)
    assert not consistent
    assert np.isnan(got)


def test_missing_is_not_consistent() -> None:
    got, consistent = events_from_percent([np.nan, 50], [20, np.nan])
    assert not consistent.any()
    assert np.isnan(got).all()


def test_count_may_not_be_unique() -> None:
    lowest, highest = counts_that_fit([33, 33.3], [300, 300])
    assert (lowest.tolist(), highest.tolist()) == ([98, 100], [100, 100])


def test_decimals_as_printed_can_be_given() -> None:
    """45.0 printed with one decimal is stricter than 45."""
    assert events_from_percent(45, 11)[1]
    assert not events_from_percent(45, 11, decimals=1)[1]
    assert decimals_shown([33.3, 45.0, 0.125, 1e-5]).tolist() == [1, 0, 3, 5]


@given(total=st.integers(1, 500), share=st.floats(0, 1), decimals=st.integers(0, 2))
def test_round_trip(total: int, share: float, decimals: int) -> None:
    count = round(share * total)
    printed = round(100 * count / total, decimals)
    lowest, highest = counts_that_fit(printed, total, decimals)
    assert lowest <= count <= highest
    got, consistent = events_from_percent(printed, total, decimals)
    assert consistent
    assert abs(got - count) <= max(0, highest - lowest)
