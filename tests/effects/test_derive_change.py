"""SDs of changes: the worked table of the Cochrane Handbook, round trips and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.effects.derive_change import (
    change_from_baseline,
    correlation_from_sds,
    difference_of_changes,
    sd_of_change,
    sd_of_final,
)
from headache_evidence.errors import InputError

sds, correlations = st.floats(0.1, 50), st.floats(-0.99, 0.99)


def test_handbook_correlation() -> None:
    """Handbook 6.5.2.8: SDs 6.4, 7.1, change 4.5 and 7.0, 6.9, change 4.2 give correlations 0.78 and 0.82."""
    np.testing.assert_allclose(correlation_from_sds([6.4, 7.0], [7.1, 6.9], [4.5, 4.2]), [0.78, 0.82], atol=0.005)
    assert sd_of_change(6.4, 7.1, 0.7826) == pytest.approx(4.5, abs=0.001)


def test_handbook_difference_of_changes() -> None:
    """The same trial: changes 1.0 (4.5), n 129, and 1.5 (4.2), n 135."""
    yi, vi = difference_of_changes(1.0, 4.5, 129, 1.5, 4.2, 135)
    assert yi == pytest.approx(-0.5)
    assert vi == pytest.approx(4.5**2 / 129 + 4.2**2 / 135)


def test_contradicting_sds_give_no_correlation() -> None:
    assert np.isnan(correlation_from_sds(6.4, 7.1, 20))
    assert np.isnan(correlation_from_sds(6.4, 7.1, 0.1))
    assert np.isnan(correlation_from_sds(0, 7.1, 7.1))


def test_two_fitting_sds_of_final_give_none() -> None:
    assert np.isnan(sd_of_final(5, 4, 0.7))


def test_impossible_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"r = 1\.1"):
        sd_of_change(1, 1, 1.1)
    with pytest.raises(InputError, match="sd_final = -1"):
        sd_of_change(1, -1, 0.5)
    with pytest.raises(InputError, match="sd_2 = -1"):
        difference_of_changes(1, 1, 10, 1, -1, 10)


def test_change_is_final_minus_baseline() -> None:
    mean, sd = change_from_baseline(12, 4, 8, 5, 0.5)
    assert mean == -4
    assert sd == pytest.approx(np.sqrt(16 + 25 - 20))


@given(first=sds, second=sds, r=correlations)
def test_round_trips(first: float, second: float, r: float) -> None:
    change = sd_of_change(first, second, r)
    assert correlation_from_sds(first, second, change) == pytest.approx(
        r, abs=1e-6 * max(first, second) / min(first, second)
    )
    if change >= first:
        assert sd_of_final(first, change, r) == pytest.approx(second, rel=1e-5)


@given(first=sds, second=sds, r=st.floats(-0.99, 0.9), scale=st.floats(0.1, 10))
def test_scale_symmetry_and_monotonicity(first: float, second: float, r: float, scale: float) -> None:
    sd = sd_of_change(first, second, r)
    assert sd_of_change(first * scale, second * scale, r) == pytest.approx(sd * scale)
    assert sd_of_change(second, first, r) == pytest.approx(sd)
    assert sd_of_change(first, second, r + 0.05) < sd
