"""Axis limits, ticks and back-transformations; wrapping and printing of text."""

from __future__ import annotations

import math

import numpy as np
import pytest
from figure_geometry import rising
from hypothesis import given, settings
from hypothesis import strategies as st

from headache_evidence.figures.measure_scale import MeasureScale, analysis_ticks, axis_limits
from headache_evidence.figures.number_text import number, p_value
from headache_evidence.figures.typeset import clean, text_width, wrap

finite = st.floats(-50, 50)


@given(low=st.floats(-12, 11), span=st.floats(0.05, 20), measure=st.sampled_from(["MD", "OR", "PLO"]))
@settings(max_examples=60)
def test_ticks_lie_within_the_limits_and_are_distinct(low: float, span: float, measure: str) -> None:
    scale = MeasureScale(measure)
    ticks = analysis_ticks(scale, low, low + span, 6)
    positions = [at for at, _ in ticks]
    assert len(ticks) <= 7
    assert rising(positions)
    assert all(low - 1e-6 <= at <= low + span + 1e-6 for at in positions)
    assert len({text for _, text in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (math.log(0.2), math.log(5), ["0.2", "0.5", "1", "2", "5"]),
        (math.log(0.01), math.log(100), ["0.01", "0.1", "1", "10", "100"]),
    ],
)
def test_ratio_ticks_are_plain_numbers(low: float, high: float, labels: list[str]) -> None:
    ticks = MeasureScale("OR").ticks(low, high, 6)
    assert [text for _, text in ticks] == labels
    np.testing.assert_allclose([math.exp(at) for at, _ in ticks], [float(text) for text in labels])


@given(st.lists(st.tuples(finite, st.floats(0.01, 40)), min_size=1, max_size=12))
@settings(max_examples=60)
def test_limits_hold_every_estimate_and_the_null(rows: list[tuple[float, float]]) -> None:
    estimates = np.array([y for y, _ in rows])
    half = np.array([h for _, h in rows])
    low, high = axis_limits(estimates, estimates - half, estimates + half, 0.0, (-math.inf, math.inf))
    assert low <= min(estimates.min(), 0)
    assert max(estimates.max(), 0) <= high
    assert low < high


def test_one_huge_interval_does_not_squash_the_others() -> None:
    estimates = np.array([0.1, 0.2, 0.3, 0.2])
    half = np.array([0.2, 0.2, 0.2, 100.0])
    low, high = axis_limits(estimates, estimates - half, estimates + half, 0.0, (-math.inf, math.inf))
    assert low > -1
    assert high < 1


@pytest.mark.parametrize(
    ("measure", "value", "printed"),
    [("OR", math.log(2), 2.0), ("PLO", 0.0, 50.0), ("PAS", math.pi / 4, 50.0), ("PR", 0.25, 25.0), ("MD", -1.5, -1.5)],
)
def test_back_transformations(measure: str, value: float, printed: float) -> None:
    assert float(MeasureScale(measure).printed(value)) == pytest.approx(printed, rel=1e-12)


@given(text=st.text(st.characters(max_codepoint=0x17F), max_size=80), width=st.floats(20, 200))
@settings(max_examples=60)
def test_wrapping_keeps_the_text_within_the_width(text: str, width: float) -> None:
    lines = wrap(text, width)
    assert "".join(lines).replace(" ", "") == clean(text).replace(" ", "")
    assert all(text_width(line) <= width or len(line) == 1 for line in lines)


@pytest.mark.parametrize(
    ("value", "text"),
    [(-1.204, "−1.20"), (-0.001, "0.00"), (123.4, "123"), (math.nan, ""), (1.2e6, "1.2e6"), (math.inf, "∞")],
)
def test_numbers_as_printed(value: float, text: str) -> None:
    assert number(value) == text


def test_p_values_as_printed() -> None:
    assert [p_value(p) for p in (0.0004, 0.0312, 0.2345, math.nan)] == ["P < 0.001", "P = 0.031", "P = 0.23", ""]
