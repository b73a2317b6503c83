"""SDs and SEs from other statistics: worked examples of the Cochrane Handbook, round trips and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from headache_evidence.effects.derive_spread import (
    sd_from_ci,
    sd_from_ci_of_difference,
    sd_from_p,
    sd_from_se,
    sd_from_se_of_difference,
    sd_from_t,
    se_from_ci,
    se_from_p,
)
from headache_evidence.errors import InputError

sds, sizes = st.floats(0.01, 1000), st.integers(2, 400)


def test_handbook_sd_from_interval_of_a_mean() -> None:
    """Handbook 6.5.2.2: 25 patients, 95 % interval 30.0 to 34.2, divisor 4.128: SD 5.09."""
    assert sd_from_ci(30.0, 34.2, 25) == pytest.approx(5.09, abs=0.005)


def test_handbook_sd_from_p_of_a_difference() -> None:
    """Handbook 6.5.2.3: difference 3.8, P = 0.008, 25 and 22 patients: t 2.78, SE 1.37, SD 4.69."""
    assert se_from_p(3.8, 0.008, 45) == pytest.approx(1.37, abs=0.005)
    assert sd_from_p(3.8, 0.008, 25, 22) == pytest.approx(4.69, abs=0.015)
    assert sd_from_t(3.8, 2.78, 25, 22) == pytest.approx(4.69, abs=0.015)


def test_handbook_se_from_p_of_a_risk_difference() -> None:
    """Handbook 6.3.2: estimate 0.03 with P = 0.008 has z 2.652 and SE 0.011."""
    assert se_from_p(0.03, 0.008) == pytest.approx(0.03 / 2.652, rel=1e-3)


def test_large_groups_use_the_normal_quantile() -> None:
    assert sd_from_ci(0, 3.92, 100) == pytest.approx(10, rel=1e-4)
    assert sd_from_ci(0, 3.92, 100, t_below=200) < 10


def test_one_patient_has_no_spread() -> None:
    assert np.isnan(sd_from_ci(1, 2, 1))


@pytest.mark.parametrize(("estimate", "p"), [(0, 0.4), (2, 1)])
def test_p_that_tells_nothing_gives_nan(estimate: float, p: float) -> None:
    assert np.isnan(se_from_p(estimate, p))


@pytest.mark.parametrize("p", [0, -0.1, 1.2])
def test_impossible_p_is_refused(p: float) -> None:
    with pytest.raises(InputError, match=r"P value .* got p"):
        se_from_p([1, 2], [0.5, p])


def test_impossible_interval_and_se_are_refused() -> None:
    with pytest.raises(InputError, match=r"low = 3, high = 2 \(position 2\)"):
        sd_from_ci([1, 3], [2, 2], 20)
    with pytest.raises(InputError, match="negative"):
        sd_from_se(-1, 20)
    with pytest.raises(InputError, match="negative"):
        sd_from_se_of_difference(-1, 20, 20)


def test_nan_stays_nan() -> None:
    assert np.isnan(sd_from_se([np.nan], [20])).all()
    assert np.isnan(sd_from_ci([np.nan, 1], [2, 2], [20, np.nan])).all()


@given(sd=sds, n=sizes, level=st.sampled_from([0.9, 0.95, 0.99]), mean=st.floats(-100, 100))
def test_round_trip_through_the_interval_of_a_mean(sd: float, n: int, level: float, mean: float) -> None:
    crit = stats.t.ppf((1 + level) / 2, n - 1 if n < 60 else np.inf)
    half = crit * sd / np.sqrt(n)
    assert sd_from_ci(mean - half, mean + half, n, level) == pytest.approx(sd, rel=1e-9, abs=1e-9)


@given(sd=sds, n1=sizes, n2=sizes, d=st.floats(0.05, 3))
def test_round_trip_through_t_p_and_interval_of_a_difference(sd: float, n1: int, n2: int, d: float) -> None:
    difference, df = d * sd, n1 + n2 - 2
    se = sd * np.sqrt(1 / n1 + 1 / n2)
    t = difference / se
    assert sd_from_t(-difference, t, n1, n2) == pytest.approx(sd, rel=1e-9)
    half = stats.t.ppf(0.975, df) * se
    assert sd_from_ci_of_difference(difference - half, difference + half, n1, n2) == pytest.approx(sd, rel=1e-9)
    p = 2 * stats.t.sf(t, df)
    if 1e-8 < p < 1:  # 1 - p/2 keeps fewer digits for smaller P values
        assert sd_from_p(difference, p, n1, n2) == pytest.approx(sd, rel=1e-6)


@given(se=sds, n=sizes, scale=st.floats(0.1, 10))
def test_scale_and_monotonicity(se: float, n: int, scale: float) -> None:
    assert sd_from_se(se * scale, n) == pytest.approx(sd_from_se(se, n) * scale)
    assert sd_from_se(se, n + 1) > sd_from_se(se, n)
    assert se_from_ci(0, se * scale) == pytest.approx(se_from_ci(0, se) * scale)
    assert se_from_p(se, 0.01) < se_from_p(se, 0.02)
