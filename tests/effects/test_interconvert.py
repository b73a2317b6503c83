"""SMD and log odds ratio turned into each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.effects.interconvert import log_odds_ratio_to_smd, smd_to_log_odds_ratio


def test_chinn_factor() -> None:
    """Chinn (2000): ln OR / 1.81 is the standardised difference."""
    yi, vi = log_odds_ratio_to_smd(1.81, 1.81**2)
    assert yi == pytest.approx(1, abs=0.003)
    assert vi == pytest.approx(1, abs=0.006)


@given(yi=st.floats(-10, 10), vi=st.floats(1e-6, 10))
def test_round_trip_keeps_effect_variance_and_z(yi: float, vi: float) -> None:
    log_or, log_or_vi = smd_to_log_odds_ratio(yi, vi)
    np.testing.assert_allclose(log_odds_ratio_to_smd(log_or, log_or_vi), (yi, vi))
    assert log_or / np.sqrt(log_or_vi) == pytest.approx(yi / np.sqrt(vi))
