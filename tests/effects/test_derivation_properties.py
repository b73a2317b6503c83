"""Laws that derivations must keep whatever the numbers: order, unit, direction and more information."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from headache_evidence.effects.combine_arms import combine_events, split_shared_control
from headache_evidence.effects.derive_change import difference_of_changes, sd_of_final
from headache_evidence.effects.derive_contrast import interval_asymmetry, log_ratio_from_interval
from headache_evidence.effects.derive_from_quantiles import (
    mean_from_five_numbers,
    mean_from_quartiles,
    mean_from_range,
    sd_from_five_numbers,
    sd_from_quartiles,
    sd_from_range,
)
from headache_evidence.effects.derive_paired import (
    crossover_standardised_difference,
    design_effect,
    effective_sample_size,
)
from headache_evidence.effects.derive_spread import sd_from_ci_of_difference, sd_from_se_of_difference

CLOSE = 1e-9  # relative; a handful of floating-point steps
steps = st.tuples(*[st.floats(0.01, 20)] * 4)
sizes = st.integers(5, 2000)


@given(steps=steps, n=sizes, wider=st.floats(1.001, 5))
def test_wider_quartiles_and_ranges_give_a_larger_sd(steps: tuple[float, ...], n: int, wider: float) -> None:
    low, q1, median, q3, high = np.cumsum((0.0, *steps))
    assert sd_from_quartiles(q1, q1 + wider * (q3 - q1), n) > sd_from_quartiles(q1, q3, n)
    assert sd_from_range(low, low + wider * (high - low), n) > sd_from_range(low, high, n)
    assert sd_from_five_numbers(low, q1, median + (q3 - median), high * wider, n) > sd_from_five_numbers(
        low, q1, q3, high, n
    )


@given(steps=steps, n=sizes, up=st.floats(0.01, 10))
def test_a_larger_median_never_lowers_the_mean(steps: tuple[float, ...], n: int, up: float) -> None:
    low, q1, median, q3, high = np.cumsum((0.0, *steps))
    higher = min(median + up, q3)
    assert mean_from_quartiles(q1, higher, q3, n) >= mean_from_quartiles(q1, median, q3, n) - CLOSE
    assert mean_from_range(low, higher, high, n) >= mean_from_range(low, median, high, n) - CLOSE
    assert mean_from_five_numbers(low, q1, higher, q3, high, n) >= (
        mean_from_five_numbers(low, q1, median, q3, high, n) - CLOSE
    )


@given(arms=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=5))
def test_events_are_combined_in_any_order_and_in_steps(arms: list[tuple[int, int]]) -> None:
    events, totals = [e for e, _ in arms], [e + rest for e, rest in arms]
    whole = combine_events(events, totals)
    assert whole == combine_events(events[::-1], totals[::-1])
    first = combine_events(events[:1], totals[:1])
    rest = combine_events(events[1:], totals[1:])
    assert whole == combine_events([first[0], rest[0]], [first[1], rest[1]])


@given(number=st.floats(1, 1e4), comparisons=st.integers(1, 9))
def test_shares_of_a_control_add_up_to_it(number: float, comparisons: int) -> None:
    assert comparisons * split_shared_control(number, comparisons) == pytest.approx(number, rel=CLOSE)


@given(ratio=st.floats(0.05, 20), se=st.floats(0.05, 2))
def test_turning_a_ratio_round_changes_the_sign_alone(ratio: float, se: float) -> None:
    low, high = ratio * np.exp(-1.96 * se), ratio * np.exp(1.96 * se)
    yi, vi = log_ratio_from_interval(ratio, low, high)
    turned, same = log_ratio_from_interval(1 / ratio, 1 / high, 1 / low)
    assert turned == pytest.approx(-yi, rel=CLOSE, abs=CLOSE)
    assert same == pytest.approx(vi, rel=1e-8)


@given(estimate=st.floats(-50, 50), half=st.floats(0.1, 20), scale=st.floats(0.1, 10))
def test_a_symmetric_interval_is_symmetric_in_any_unit(estimate: float, half: float, scale: float) -> None:
    low, high = scale * (estimate - half), scale * (estimate + half)
    assert interval_asymmetry(scale * estimate, low, high) == pytest.approx(0, abs=1e-7)


@given(size=st.floats(1, 50), n=st.floats(50, 1e4), one=st.floats(0, 1), other=st.floats(0, 1))
def test_effective_size_falls_with_correlation_and_lies_between_patients_and_procedures(
    size: float, n: float, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert design_effect(size, high) >= design_effect(size, low) >= 1
    small, large = effective_sample_size(n, size, high), effective_sample_size(n, size, low)
    assert n / size - CLOSE * n <= small <= large <= n


@given(m1=st.floats(-20, 20), m2=st.floats(-20, 20), sd=st.floats(0.1, 10), r=st.floats(-0.9, 0.9))
def test_a_standardised_difference_of_a_crossover_has_no_unit(m1: float, m2: float, sd: float, r: float) -> None:
    yi, vi = crossover_standardised_difference(m1, sd, m2, 2 * sd, 20, r)
    scaled, same = crossover_standardised_difference(10 * m1, 10 * sd, 10 * m2, 20 * sd, 20, r)
    assert scaled == pytest.approx(yi, rel=CLOSE, abs=CLOSE)
    assert same == pytest.approx(vi, rel=1e-7)
    swapped, _ = crossover_standardised_difference(m2, 2 * sd, m1, sd, 20, r)
    assert swapped == pytest.approx(-yi, rel=CLOSE, abs=CLOSE)


@given(change=st.floats(-20, 20), sd=st.floats(0.1, 10), n=st.integers(2, 500))
def test_the_difference_of_equal_changes_is_nothing_with_twice_the_variance(change: float, sd: float, n: int) -> None:
    yi, vi = difference_of_changes(change, sd, n, change, sd, n)
    assert yi == 0
    assert vi == pytest.approx(2 * sd**2 / n, rel=CLOSE)


@given(sd=st.floats(0.1, 10), more=st.floats(1.0, 3), r=st.floats(-0.9, 0.9), scale=st.floats(0.1, 10))
def test_sd_of_final_scales_with_the_unit(sd: float, more: float, r: float, scale: float) -> None:
    final = sd_of_final(sd, more * sd, r)
    assert sd_of_final(scale * sd, scale * more * sd, r) == pytest.approx(float(final) * scale, rel=1e-6, abs=1e-6)


@given(se=st.floats(0.01, 5), n1=st.integers(2, 300), n2=st.integers(2, 300))
def test_an_interval_and_its_standard_error_give_one_sd(se: float, n1: int, n2: int) -> None:
    half = t.ppf(0.975, n1 + n2 - 2) * se
    by_interval = sd_from_ci_of_difference(-half, half, n1, n2)
    assert by_interval == pytest.approx(float(sd_from_se_of_difference(se, n1, n2)), rel=1e-8)
