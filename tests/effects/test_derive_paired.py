"""Crossover trials and clustered procedures: worked examples of the Cochrane Handbook."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.effects.derive_paired import (
    crossover_mean_difference,
    crossover_standardised_difference,
    design_effect,
    effective_sample_size,
)
from headache_evidence.errors import InputError

EXAMPLE = (7.0, 2.38, 6.5, 2.21, 10, 0.68)


def test_handbook_crossover_mean_difference() -> None:
    """Handbook 5.1, 16.4.6.4: MD 0.5, SE 0.583."""
    yi, vi = crossover_mean_difference(*EXAMPLE)
    assert yi == pytest.approx(0.5)
    assert np.sqrt(vi) == pytest.approx(0.583, abs=0.0005)


def test_handbook_crossover_standardised_difference() -> None:
    """Handbook 5.1, 16.4.6.4: SMD 0.218, SE 0.256."""
    yi, vi = crossover_standardised_difference(*EXAMPLE)
    assert yi == pytest.approx(0.218, abs=0.0005)
    assert np.sqrt(vi) == pytest.approx(0.256, abs=0.0005)


def test_handbook_effective_sample_size() -> None:
    """Handbook 23.1.4: mean cluster size 29.8, ICC 0.02: 63/295 and 84/330 become 40.0/187.2 and 53.3/209.4."""
    assert design_effect(29.8, 0.02) == pytest.approx(1.576)
    got = effective_sample_size([63, 295, 84, 330], 29.8, 0.02)
    np.testing.assert_allclose(got, [40.0, 187.2, 53.3, 209.4], atol=0.05)


def test_no_clustering_changes_nothing() -> None:
    assert effective_sample_size(40, 1, 0.3) == 40
    assert effective_sample_size(40, 2, 0) == 40
    assert effective_sample_size(40, 2, 1) == 20


def test_impossible_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"icc = 1\.5"):
        design_effect(2, 1.5)
    with pytest.raises(InputError, match=r"mean_cluster_size = 0\.5"):
        design_effect(0.5, 0.1)
    with pytest.raises(InputError, match="r = 2"):
        crossover_standardised_difference(1, 1, 1, 1, 10, 2)
    with pytest.raises(InputError, match="sd1 = -1"):
        crossover_standardised_difference(1, -1, 1, 1, 10, 0)


@given(r=st.floats(-0.9, 0.8), scale=st.floats(0.1, 10), n=st.integers(2, 200))
def test_scale_and_monotonicity(r: float, scale: float, n: int) -> None:
    m1, sd1, m2, sd2, *_ = EXAMPLE
    md, md_vi = crossover_mean_difference(m1, sd1, m2, sd2, n, r)
    smd, smd_vi = crossover_standardised_difference(m1, sd1, m2, sd2, n, r)
    scaled = [value * scale for value in (m1, sd1, m2, sd2)]
    np.testing.assert_allclose(crossover_mean_difference(*scaled, n, r), (md * scale, md_vi * scale**2))
    np.testing.assert_allclose(crossover_standardised_difference(*scaled, n, r), (smd, smd_vi))
    assert crossover_mean_difference(m1, sd1, m2, sd2, n, r + 0.1)[1] < md_vi
    assert crossover_standardised_difference(m1, sd1, m2, sd2, n, r + 0.1)[1] < smd_vi
