"""Means and SDs from medians against metafor's conv.fivenum (tests/reference/fivenum.R), and their properties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.effects import derive_from_quantiles as quantiles
from headache_evidence.errors import InputError

REFERENCE = pd.read_csv(Path(__file__).parents[1] / "reference" / "fivenum.csv")
EXACT = 1e-10


def test_figures_equal_metafor() -> None:
    for _, rows in REFERENCE.groupby(REFERENCE[["min", "q1"]].isna().agg(tuple, axis=1)):
        low, q1, median, q3, high, n = (rows[c] for c in ("min", "q1", "median", "q3", "max", "n"))
        if low.isna().all():
            mean, sd = quantiles.mean_from_quartiles(q1, median, q3, n), quantiles.sd_from_quartiles(q1, q3, n)
            skewed = quantiles.skew_check_quartiles(q1, median, q3, n)
        elif q1.isna().all():
            mean, sd = quantiles.mean_from_range(low, median, high, n), quantiles.sd_from_range(low, high, n)
            skewed = quantiles.skew_check_range(low, median, high, n)
        else:
            mean = quantiles.mean_from_five_numbers(low, q1, median, q3, high, n)
            sd = quantiles.sd_from_five_numbers(low, q1, q3, high, n)
            skewed = quantiles.skew_check_five_numbers(low, q1, median, q3, high, n)
        np.testing.assert_allclose(mean, rows["mean"], rtol=EXACT)
        np.testing.assert_allclose(sd, rows["sd"], rtol=EXACT)
        np.testing.assert_array_equal(skewed, rows["skewed"])


def test_reference_has_skewed_and_unskewed_cases_of_each_layout() -> None:
    seen = REFERENCE.groupby(REFERENCE[["min", "q1"]].isna().agg(tuple, axis=1))["skewed"].nunique()
    assert seen.tolist() == [2, 2, 2]


def test_large_normal_sample_comes_back() -> None:
    """Quartiles of a normal population: mean 10 and SD 4, to the accuracy of a sample of 100000."""
    q1, q3 = 10 - 0.6744898 * 4, 10 + 0.6744898 * 4
    assert quantiles.mean_from_quartiles(q1, 10, q3, 100000) == pytest.approx(10)
    assert quantiles.sd_from_quartiles(q1, q3, 100000) == pytest.approx(4, rel=1e-4)


def test_small_or_unknown_n_is_never_usable() -> None:
    assert np.isnan(quantiles.sd_from_range(1, 9, [4, np.nan])).all()
    assert np.isnan(quantiles.mean_from_quartiles(1, 2, 3, 4))
    assert quantiles.skew_check_quartiles(1, 2, 3, [4, np.nan]).all()
    assert quantiles.skew_check_range(1, 5, 9, 4)


def test_quartiles_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match="median is above q3"):
        quantiles.mean_from_quartiles(1, 5, 3, 20)
    with pytest.raises(InputError, match="min is above max"):
        quantiles.sd_from_range(5, 3, 20)


@given(
    start=st.floats(-50, 50),
    steps=st.tuples(*[st.floats(0.1, 20)] * 4),
    n=st.integers(5, 1000),
    scale=st.floats(0.1, 10),
    shift=st.floats(-20, 20),
)
def test_scale_and_shift(start: float, steps: tuple[float, ...], n: int, scale: float, shift: float) -> None:
    numbers = start + np.concatenate([[0], np.cumsum(steps)])
    moved = numbers * scale + shift
    mean, sd = quantiles.mean_from_five_numbers, quantiles.sd_from_five_numbers
    outer = [0, 1, 3, 4]
    assert mean(*moved, n) == pytest.approx(mean(*numbers, n) * scale + shift, abs=1e-6)
    assert sd(*moved[outer], n) == pytest.approx(sd(*numbers[outer], n) * scale, rel=1e-6)
    assert numbers[0] <= mean(*numbers, n) <= numbers[-1]
    assert numbers[1] <= quantiles.mean_from_quartiles(*numbers[1:4], n) <= numbers[3]
    assert quantiles.sd_from_quartiles(numbers[1], numbers[3] + 1, n) > quantiles.sd_from_quartiles(*numbers[[1, 3]], n)


@given(distance=st.floats(0.1, 10), n=st.integers(5, 1000))
def test_symmetry_is_not_skewed_and_gives_the_median(distance: float, n: int) -> None:
    five = (-2 * distance, -distance, 0, distance, 2 * distance)
    assert quantiles.mean_from_five_numbers(*five, n) == pytest.approx(0, abs=1e-12)
    assert not quantiles.skew_check_quartiles(-distance, 0, distance, n)
    assert not quantiles.skew_check_range(-distance, 0, distance, n)
