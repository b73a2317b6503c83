"""Reported contrasts as effects: intervals, ratios, exact P values and bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from headache_evidence.effects.derive_contrast import (
    effect_from_interval,
    effect_from_p,
    interval_asymmetry,
    log_ratio_from_interval,
)
from headache_evidence.errors import InputError

Z = stats.norm.ppf(0.975)


def test_ratio_and_its_interval() -> None:
    """First BCG trial: risk ratio 0.4109, log -0.88931133, variance 0.32558477 (metafor's dat.bcg)."""
    se = np.sqrt(0.3255847650)
    low, high = np.exp(-0.8893113339 + np.array([-Z, Z]) * se)
    yi, vi = log_ratio_from_interval(np.exp(-0.8893113339), low, high)
    assert yi == pytest.approx(-0.8893113339)
    assert vi == pytest.approx(0.3255847650)


def test_handbook_se_of_a_ratio_from_its_interval() -> None:
    """Limits 0.54 and 0.80 on the log scale, over 3.92."""
    _, vi = log_ratio_from_interval(0.66, 0.54, 0.80)
    assert np.sqrt(vi) == pytest.approx((np.log(0.80) - np.log(0.54)) / 3.92, rel=1e-4)


def test_estimate_outside_its_interval_is_refused() -> None:
    with pytest.raises(InputError, match="estimate = 5, low = 1, high = 2"):
        effect_from_interval(5, 1, 2)
    with pytest.raises(InputError, match="low = 0"):
        log_ratio_from_interval(1, 0, 2)


def test_asymmetry_tells_a_ratio_from_a_difference() -> None:
    ratio, low, high = 2.0, 1.0, 4.0
    assert interval_asymmetry(ratio, low, high) == pytest.approx(1 / 3)
    assert interval_asymmetry(*np.log([ratio, low, high])) == pytest.approx(0, abs=1e-12)
    assert np.isnan(interval_asymmetry(1, 1, 1))


def test_p_as_a_bound_is_labelled() -> None:
    yi, vi, exact = effect_from_p([-2, -2, -2, -2], [0.01, 0.01, 0.01, np.nan], ["=", "<", ">", ""])
    assert exact.tolist() == [True, False, False, False]
    assert np.isfinite(vi).tolist() == [True, True, False, False]
    assert vi[0] == vi[1]
    assert yi.tolist() == [-2] * 4


@given(estimate=st.floats(-50, 50), se=st.floats(0.01, 20), df=st.integers(2, 500))
def test_round_trip_through_interval_and_p(estimate: float, se: float, df: int) -> None:
    half = stats.t.ppf(0.975, df) * se
    yi, vi = effect_from_interval(estimate, estimate - half, estimate + half, df=df)
    assert yi == estimate
    assert np.sqrt(vi) == pytest.approx(se, rel=1e-6)
    p = 2 * stats.t.sf(abs(estimate) / se, df)
    if 1e-8 < p < 0.999:
        _, vi, exact = effect_from_p(estimate, p, df=df)
        assert exact
        assert np.sqrt(vi) == pytest.approx(se, rel=1e-5)


@given(p=st.floats(1e-6, 0.5), share=st.floats(0.01, 0.99))
def test_a_bound_never_understates_the_variance(p: float, share: float) -> None:
    _, bound, _ = effect_from_p(1.5, p, "<")
    _, true, _ = effect_from_p(1.5, p * share)
    assert bound >= true
