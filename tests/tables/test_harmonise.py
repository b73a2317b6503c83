"""Units, time and sign: known values, and properties that hold for any number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headache_evidence.tables.evidence import load_evidence
from headache_evidence.tables.harmonise import BOUNDS, LOCATIONS, SPREADS, harmonise_contrasts, harmonise_outcomes
from headache_evidence.tables.schema import read_schema
from headache_evidence.tables.vocabulary import (
    CONVERSIONS,
    CORTICOSTEROIDS,
    LOCAL_ANAESTHETICS,
    NOT_CONVERTIBLE,
    WEEKS_PER_TIME_UNIT,
    better_direction,
    conversion,
    holds_local_anaesthetic,
    holds_steroid,
    outcome_unit,
    weeks_after,
)

DATA = Path(__file__).parents[2] / "data"
NUMBERS = [*LOCATIONS, *SPREADS, *(name for pair in BOUNDS for name in pair)]
REL = 1e-12  # a handful of floating-point products
ROUNDING = 1e-6

finite = st.floats(min_value=-1e6, max_value=1e6, allow_subnormal=False)
scales = st.sampled_from(
    [
        ("headache_days", "days_per_month"),
        ("headache_days", "days_per_week"),
        ("attacks", "attacks_per_day"),
        ("attacks", "attacks_per_15_days"),
        ("pain_intensity", "vas_0_100"),
        ("pain_intensity", "nrs_0_10"),
        ("pain_intensity", "pain_range_unknown"),
        ("headache_duration", "days"),
        ("response_duration", "months"),
        ("responder_50", ""),
    ]
)
signs = st.sampled_from(["signed", "reversed", "unclear"])


def outcome_row(outcome: str = "headache_days", scale: str = "days_per_month", sign: str = "signed", **numbers: float):
    """One outcome row as Evidence.outcomes has it."""
    row = {"outcome": outcome, "scale": scale, "sign": sign, "time_value": 4.0, "time_unit": "weeks"}
    return pd.DataFrame([row | dict.fromkeys(NUMBERS, np.nan) | numbers])


def contrast_row(measure: str = "MD", unit: str = "", sign: str = "signed", **numbers: float):
    """One contrast row on a 0-100 pain scale."""
    row = {"outcome": "pain_intensity", "scale": "vas_0_100", "sign": sign, "time_value": 30.0, "time_unit": "minutes"}
    row |= {"measure": measure, "estimate_unit": unit}
    return pd.DataFrame([row | dict.fromkeys(("estimate", "ci_low", "ci_high"), np.nan) | numbers])


@pytest.mark.parametrize(
    ("outcome", "scale", "value", "expected", "unit"),
    [
        ("headache_days", "days_per_month", 30.4375, 28.0, "days per 28 days"),
        ("headache_days", "days_per_week", 6.4, 25.6, "days per 28 days"),
        ("migraine_days", "days_per_28_days", 9.8, 9.8, "days per 28 days"),
        ("attacks", "attacks_per_day", 2.9, 81.2, "attacks per 28 days"),
        ("attacks", "attacks_per_15_days", 30.0, 56.0, "attacks per 28 days"),
        ("pain_intensity", "vas_0_100", 74.3, 7.43, "points (0-10)"),
        ("pain_intensity", "pain_range_unknown", 7.4, 7.4, ""),
        ("headache_duration", "days", 1.5, 36.0, "hours"),
        ("attack_duration", "minutes", 104.9, 104.9 / 60, "hours"),
        ("response_duration", "days", 21.0, 3.0, "weeks"),
        ("response_duration", "months", 12.0, 365.25 / 7, "weeks"),
        ("headache_duration", "unit_not_stated", 8.0, 8.0, ""),
        ("headache_free_days", "days", 13.1, 13.1, ""),
    ],
)
def test_known_conversions(outcome: str, scale: str, value: float, expected: float, unit: str) -> None:
    result = harmonise_outcomes(outcome_row(outcome, scale, mean=value, sd=value)).iloc[0]
    assert result["mean"] == pytest.approx(expected, rel=REL)
    assert result["sd"] == pytest.approx(expected, rel=REL)
    assert result["unit"] == unit
    assert (result["conversion"] != "") == (value != expected or unit == "")


@pytest.mark.parametrize(
    ("value", "unit", "weeks"),
    [(30, "minutes", 30 / 10080), (24, "hours", 1 / 7), (7, "days", 1), (4, "weeks", 4), (12, "months", 365.25 / 7)],
)
def test_time_in_weeks(value: float, unit: str, weeks: float) -> None:
    assert weeks_after(pd.Series([value]), pd.Series([unit]))[0] == pytest.approx(weeks, rel=REL)


def test_unknown_time_stays_unknown() -> None:
    assert weeks_after(pd.Series([np.nan, 3.0]), pd.Series(["weeks", ""])).isna().all()


def test_reduction_printed_as_a_positive_number_becomes_a_fall() -> None:
    row = outcome_row("pain_intensity", "nrs_0_10", "reversed", median=3, q1=2, q3=5, sd=1)
    result = harmonise_outcomes(row).iloc[0]
    assert (result["median"], result["q1"], result["q3"], result["sd"]) == (-3, -5, -2, 1)
    assert result["sign"] == "signed"
    assert "sign turned" in result["conversion"]


def test_contrasts_are_scaled_and_signed() -> None:
    result = harmonise_contrasts(contrast_row(sign="reversed", estimate=11, ci_low=1, ci_high=21)).iloc[0]
    assert (result["estimate"], result["ci_low"], result["ci_high"]) == pytest.approx((-1.1, -2.1, -0.1), rel=REL)
    assert (result["unit"], result["scale"]) == ("points (0-10)", "vas_0_10")


def test_risk_differences_become_proportions_and_ratios_stay() -> None:
    risk = harmonise_contrasts(contrast_row("RD", "percentage_points", estimate=30, ci_low=15.2, ci_high=44.8)).iloc[0]
    assert (risk["estimate"], risk["ci_low"], risk["ci_high"]) == pytest.approx((0.3, 0.152, 0.448), rel=REL)
    assert (risk["unit"], risk["estimate_unit"]) == ("proportion", "proportion")
    ratio = harmonise_contrasts(contrast_row("OR", estimate=3.9, ci_low=1.6, ci_high=9.8)).iloc[0]
    assert (ratio["estimate"], ratio["ci_low"], ratio["ci_high"], ratio["unit"]) == (3.9, 1.6, 9.8, "")


def test_unclear_direction_is_left_as_printed_without_a_unit() -> None:
    result = harmonise_contrasts(contrast_row(sign="unclear", estimate=11, ci_low=1, ci_high=21)).iloc[0]
    assert (result["estimate"], result["unit"], result["scale"]) == (11, "", "vas_0_100")
    assert result["conversion"] == "the direction cannot be told"


@settings(max_examples=25)
@given(scales, signs, finite, st.floats(min_value=1e-3, max_value=1e3))
def test_converting_commutes_with_scaling(pair: tuple[str, str], sign: str, value: float, by: float) -> None:
    once = harmonise_outcomes(outcome_row(*pair, sign, mean=value, sd=abs(value)))
    scaled = harmonise_outcomes(outcome_row(*pair, sign, mean=value * by, sd=abs(value) * by))
    assert scaled["mean"][0] == pytest.approx(once["mean"][0] * by, rel=1e-9, abs=ROUNDING)
    assert scaled["sd"][0] == pytest.approx(once["sd"][0] * by, rel=1e-9, abs=ROUNDING)


@settings(max_examples=25)
@given(scales, signs, st.lists(finite, min_size=3, max_size=3))
def test_order_of_bounds_is_kept_and_spread_stays_positive(
    pair: tuple[str, str], sign: str, values: list[float]
) -> None:
    low, middle, high = sorted(values)
    result = harmonise_outcomes(outcome_row(*pair, sign, q1=low, median=middle, q3=high, sd=high - low)).iloc[0]
    assert result["q1"] <= result["median"] <= result["q3"]
    assert result["sd"] >= 0


@settings(max_examples=25)
@given(scales, signs, finite)
def test_harmonising_twice_changes_no_number(pair: tuple[str, str], sign: str, value: float) -> None:
    once = harmonise_outcomes(outcome_row(*pair, sign, mean=value, ci_low=value - 1, ci_high=value + 1))
    twice = harmonise_outcomes(once)
    pd.testing.assert_frame_equal(once.drop(columns="conversion"), twice.drop(columns="conversion"))


@settings(max_examples=25)
@given(scales, signs)
def test_missing_numbers_stay_missing(pair: tuple[str, str], sign: str) -> None:
    assert harmonise_outcomes(outcome_row(*pair, sign))[NUMBERS].isna().all(axis=None)


@settings(max_examples=25)
@given(st.sampled_from(sorted(CONVERSIONS)), finite)
def test_conversions_can_be_undone(scale: str, value: float) -> None:
    factor = CONVERSIONS[scale].factor
    assert factor > 0
    assert value * factor / factor == pytest.approx(value, rel=REL, abs=ROUNDING)


def test_every_scale_time_unit_and_injectate_of_the_schema_is_known() -> None:
    fields = {field.name: field for table in read_schema(DATA).tables[:4] for field in table.fields}
    durations = {"seconds", "minutes", "hours", "days", "weeks", "months"}
    assert set(fields["scale"].enum) <= set(CONVERSIONS) | set(NOT_CONVERTIBLE) | durations
    assert set(fields["time_unit"].enum) == set(WEEKS_PER_TIME_UNIT)
    assert set(fields["injectate"].list_enum) >= CORTICOSTEROIDS | LOCAL_ANAESTHETICS
    assert all(outcome_unit(name) == "" or name in fields["outcome"].enum for name in fields["outcome"].enum)


def test_every_real_row_with_a_unit_of_its_own_reaches_it_or_says_why() -> None:
    evidence = load_evidence(DATA)
    rows = harmonise_outcomes(evidence.outcomes)
    assert len(rows) == len(evidence.outcomes)
    continuous = rows.loc[rows["outcome"].map(outcome_unit) != ""]
    in_unit = continuous["unit"] == continuous["outcome"].map(outcome_unit)
    assert (in_unit | (continuous["conversion"] != "")).all()
    assert in_unit.mean() > 0.8
    contrasts = harmonise_contrasts(evidence.contrasts)
    assert len(contrasts) == len(evidence.contrasts)
    assert (contrasts["ci_low"] <= contrasts["ci_high"])[contrasts["ci_low"].notna()].all()


def test_conversion_needs_the_right_scale_for_the_outcome() -> None:
    assert conversion("headache_days", "vas_0_10") is None
    assert conversion("responder_50", "days_per_month") is None


def test_classes_of_injectates() -> None:
    injectate = pd.Series(["", "saline", "lidocaine", "saline;triamcinolone", "bupivacaine;cortivazol"])
    assert list(holds_steroid(injectate)) == [False, False, False, True, True]
    assert list(holds_local_anaesthetic(injectate)) == [False, False, True, False, True]


def test_the_direction_of_every_reported_outcome_is_that_of_the_vocabulary() -> None:
    outcomes = load_evidence(Path(__file__).parents[2] / "data").outcomes
    assert (outcomes["outcome"].map(better_direction) == outcomes["better"]).all()
