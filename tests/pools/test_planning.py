"""Required information size, sequential boundaries, trial sequential analysis."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from headache_evidence.errors import InputError
from headache_evidence.pools.planning import diversity, required_information_size
from headache_evidence.pools.sequential_boundaries import (
    efficacy_boundaries,
    exit_probabilities,
    futility_boundaries,
    obrien_fleming_spending,
)
from headache_evidence.pools.trial_sequential import trial_sequential_analysis

PRINTED = 6e-5  # published boundaries have four decimals
TABLE = 6e-4  # published constants have three decimals


def test_information_size_of_a_difference_of_half_a_standard_deviation():
    """Textbook: 63 patients per arm at alpha .05 and power .80."""
    size = required_information_size(1.0, sd=2.0)
    assert size.n == 126
    assert size.information == pytest.approx((1.959964 + 0.841621) ** 2, rel=1e-6)


def test_information_size_of_two_risks():
    """Wetterslev 2008: 4 (1.96 + 1.28)^2 p (1 - p) / d^2 with 20 % against 16 %: 3,878 patients."""
    size = required_information_size(control_risk=0.20, intervention_risk=0.16, power=0.90)
    assert size.n == math.ceil(4 * (1.959964 + 1.281552) ** 2 * 0.18 * 0.82 / 0.04**2)
    assert size.delta == pytest.approx(-0.04)


def test_diversity_divides_patients_and_allocation_costs():
    plain = required_information_size(1.0, sd=3.0)
    assert required_information_size(1.0, sd=3.0, diversity=0.5).n == pytest.approx(2 * plain.n, abs=1)
    assert required_information_size(1.0, sd=3.0, diversity=0.5).n_unadjusted == plain.n
    assert required_information_size(1.0, sd=3.0, ratio=2.0).n == pytest.approx(plain.n * 9 / 8, abs=1)
    assert math.isnan(required_information_size(1.0).n)


def test_diversity_is_zero_without_heterogeneity_and_grows_with_it():
    vi = [0.1, 0.2, 0.15]
    assert diversity(yi=[0.1, 0.1, 0.1], vi=vi) == 0
    assert 0.5 < diversity(yi=[-1.0, 0.1, 1.5], vi=vi) < 1


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"delta": 0.0},
        {"delta": 1.0, "sd": -1},
        {"control_risk": 0.2},
        {"delta": 1, "diversity": 1.0},
        {"delta": 1, "power": 1.0},
    ],
)
def test_wrong_sizes_are_refused(arguments):
    with pytest.raises(InputError):
        required_information_size(**arguments)


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        (2, [2.9626, 1.9686]),
        (3, [3.7103, 2.5114, 1.9930]),
        (4, [4.3326, 2.9631, 2.3590, 2.0141]),
        (5, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
    ],
)
def test_lan_demets_boundaries(looks, published):
    """Two-sided .05, O'Brien-Fleming type spending at equal looks, as printed by the Lan-DeMets program."""
    assert efficacy_boundaries(np.arange(1, looks + 1) / looks) == pytest.approx(published, abs=2 * PRINTED)


@pytest.mark.parametrize(
    ("looks", "obrien_fleming", "pocock"),
    [(2, 1.977, 2.178), (3, 2.004, 2.289), (4, 2.024, 2.361), (5, 2.040, 2.413), (10, 2.087, 2.555)],
)
def test_classical_constants_keep_the_error_at_five_percent(looks, obrien_fleming, pocock):
    """Jennison and Turnbull (2000), tables 2.1 and 2.3."""
    t = np.arange(1, looks + 1) / looks
    for boundary in (obrien_fleming / np.sqrt(t), np.full(looks, pocock)):
        above, below = exit_probabilities(t, boundary)
        assert above.sum() + below.sum() == pytest.approx(0.05, abs=1e-4)
        assert above == pytest.approx(below, rel=1e-9)


def test_one_look_is_the_fixed_test():
    assert efficacy_boundaries([1.0]) == pytest.approx([stats.norm.isf(0.025)])
    assert obrien_fleming_spending(1.0, 0.025) == pytest.approx(0.025)


def test_exit_probabilities_with_drift_are_the_power_of_a_fixed_test():
    above, below = exit_probabilities([1.0], [1.959964], drift=2.801585)
    assert above[0] == pytest.approx(0.80, abs=1e-5)
    assert below[0] == pytest.approx(stats.norm.cdf(-1.959964 - 2.801585), rel=1e-6)


@settings(max_examples=15)
@given(st.lists(st.floats(0.02, 0.4), min_size=1, max_size=8))
def test_spending_never_exceeds_alpha_and_a_completed_sequence_spends_it_all(steps):
    t = np.cumsum(steps)
    t = np.append(t[t < 0.99], 1.0)
    boundaries = efficacy_boundaries(t)
    above, below = exit_probabilities(t, boundaries)
    assert np.cumsum(above) == pytest.approx(obrien_fleming_spending(t, 0.025), abs=1e-7)
    assert above.sum() + below.sum() == pytest.approx(0.05, abs=1e-6)


def test_a_look_that_adds_nothing_does_not_upset_the_rest():
    plain = efficacy_boundaries([0.05, 0.3, 1.0])
    doubled = efficacy_boundaries([0.05, 0.0500001, 0.3, 1.0, 1.5])
    assert doubled[[0, 2, 3]] == pytest.approx(plain, rel=1e-9)
    assert doubled[4] == doubled[3]


def test_futility_boundaries_spend_beta_under_the_effect_sought():
    t = np.arange(1, 6) / 5
    outer = efficacy_boundaries(t)
    inner = futility_boundaries(t, outer, drift=2.801585, beta=0.20)
    assert np.all(np.diff(inner[1:]) > 0)
    assert np.all(inner[1:] <= outer[1:])
    low = np.where(np.isnan(inner), -np.inf, inner)
    _, below = exit_probabilities(t, outer, low, drift=2.801585)
    assert below.sum() == pytest.approx(0.20, abs=1e-6)


def test_fractions_must_rise():
    with pytest.raises(InputError, match="rise"):
        efficacy_boundaries([0.5, 0.5])


def test_sequence_that_crosses_the_boundary():
    effects = pd.DataFrame(
        {"label": list("bacd"), "year": [2002, 2001, 2003, 2004], "yi": [-1.1, -0.9, -1.0, -1.2], "vi": [0.08] * 4}
    )
    result = trial_sequential_analysis(effects, delta=1.0)
    assert result.looks["label"].tolist() == list("abcd")
    assert result.fraction == pytest.approx(50 / 7.8489, rel=1e-4)
    assert result.conclusion == "efficacy"
    assert result.looks["z"].iloc[-1] == pytest.approx(-1.05 * math.sqrt(50), rel=1e-6)
    json.dumps(result.to_dict(), allow_nan=False)


def test_sequence_that_lacks_information_is_inconclusive_though_p_is_small():
    """Three small studies, pooled z = 2.1: significant by the fixed test, not with 7 % of the information."""
    result = trial_sequential_analysis(yi=[2.0, 2.4, 2.2], vi=[3.3, 3.3, 3.3], delta=1.4)
    assert abs(result.looks["z"].iloc[-1]) > 1.96
    assert result.fraction < 0.5
    assert result.conclusion == "inconclusive"
    assert "information is lacking" in result.words
    assert result.adjusted_ci[0] < 0 < result.adjusted_ci[1]


def test_sequence_without_effect_ends_in_futility():
    result = trial_sequential_analysis(yi=[0.05, -0.05, 0.02], vi=[0.2, 0.2, 0.2], delta=1.0)
    assert result.conclusion == "futility"
    assert (
        trial_sequential_analysis(yi=[0.05, -0.05, 0.02], vi=[0.2] * 3, delta=1.0, futility=False).conclusion
        == "inconclusive"
    )


def test_heterogeneity_costs_information():
    vi = [0.1, 0.1, 0.1, 0.1]
    one = trial_sequential_analysis(yi=[0.5, 0.5, 0.5, 0.5], vi=vi, delta=0.5)
    other = trial_sequential_analysis(yi=[-0.5, 1.5, 0.2, 0.8], vi=vi, delta=0.5)
    assert other.fraction == pytest.approx(one.fraction * (1 - other.diversity), rel=1e-9)
    assert other.diversity > 0.5


@pytest.mark.parametrize("k", [1, 2])
def test_one_or_two_studies_allow_no_conclusion(k):
    result = trial_sequential_analysis(yi=[5.0] * k, vi=[0.1] * k, delta=1.0)
    assert result.conclusion == "not assessable"
    assert f"k = {k}" in result.words


def test_missing_years_are_refused():
    with pytest.raises(InputError, match="no column year"):
        trial_sequential_analysis(pd.DataFrame({"yi": [1.0], "vi": [1.0]}), delta=1.0)
    with pytest.raises(InputError, match="no year"):
        trial_sequential_analysis(pd.DataFrame({"yi": [1.0], "vi": [1.0], "year": [np.nan]}), delta=1.0)
