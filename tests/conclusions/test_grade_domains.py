"""Every level of every GRADE domain, reached by a constructed case under the committed rules."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import headache_evidence as he
from headache_evidence.conclusions import downgrading, upgrading
from headache_evidence.conclusions.judgement import LEVELS, level_after

RULES = he.load_protocol(Path(__file__).parents[2] / "data" / "protocol.yml").certainty
NAN = math.nan


@pytest.mark.parametrize(
    ("judgements", "weights", "randomised", "levels"),
    [
        (["low", "low"], [50, 50], True, 0),
        (["low", "some_concerns"], [60, 40], True, 0),
        (["low", "some_concerns"], [40, 60], True, -1),
        (["low", "no_information"], [40, 60], True, -1),
        (["high", "some_concerns"], [70, 30], True, -1),
        (["high", "some_concerns"], [80, 20], True, -2),
        (["some_concerns"], [100], False, 0),
        (["high", "some_concerns"], [90, 10], False, -1),
        (["critical"], [100], False, -1),
    ],
)
def test_risk_of_bias_goes_by_weight(
    judgements: list[str], weights: list[float], randomised: bool, levels: int
) -> None:
    found = downgrading.risk_of_bias(judgements, weights, RULES.risk_of_bias, randomised=randomised)
    assert found.levels == levels


@pytest.mark.parametrize(
    ("intervals", "i2", "ci", "prediction", "levels"),
    [
        ([(-3, -1)], NAN, (-3, -1), (NAN, NAN), 0),
        ([(-3, -1), (-2, 0)], 10, (-3, -1), (-3.5, -0.5), 0),
        ([(-3, -1), (-2, 0)], 60, (-3, -1), (NAN, NAN), -1),
        ([(-3, -1), (-2, 0), (-3, 0)], 20, (-2, -1), (-4, 1), -1),
        ([(-9, -8), (-1, 0), (4, 5)], 90, (-8, 6), (NAN, NAN), -2),
        ([(-9, 0), (-1, 0), (-2, 5)], 90, (-8, 6), (NAN, NAN), -1),
    ],
)
def test_inconsistency(
    intervals: list[tuple[float, float]],
    i2: float,
    ci: tuple[float, float],
    prediction: tuple[float, float],
    levels: int,
) -> None:
    assert downgrading.inconsistency(intervals, i2, ci, prediction, 0.0, RULES.inconsistency).levels == levels


def test_one_study_cannot_disagree_and_says_so() -> None:
    found = downgrading.inconsistency([(-1, 1)], NAN, (-1, 1), (NAN, NAN), 0.0, RULES.inconsistency)
    assert "one study" in found.reason


@pytest.mark.parametrize(
    ("intervention", "comparators", "techniques", "population", "about", "levels"),
    [
        ("injection", ["placebo_saline"], ["perineural_block"], "migraine", "", 0),
        ("topical", ["placebo_saline"], ["topical_block"], "migraine", "", -1),
        ("injection", ["placebo_with_anaesthetic"], ["perineural_block"], "migraine", "", -1),
        ("injection", ["placebo_saline"], ["perineural_block"], "mixed", "", -1),
        ("injection", ["placebo_saline"], ["perineural_block"], "migraine", "hydrodissection", -1),
        ("injection", ["placebo_saline"], ["hydrodissection"], "migraine", "hydrodissection", 0),
        ("topical", ["placebo_with_anaesthetic"], ["topical_block"], "mixed", "hydrodissection", -2),
    ],
)
def test_indirectness(
    intervention: str, comparators: list[str], techniques: list[str], population: str, about: str, levels: int
) -> None:
    found = downgrading.indirectness(
        intervention, comparators, techniques, population, [100.0], RULES.indirectness, about
    )
    assert found.levels == levels


@pytest.mark.parametrize(
    ("ci", "threshold", "n", "needed", "levels"),
    [
        ((-5, -3), 2, 400, 300, 0),
        ((-5, -3), 2, 100, 300, -1),
        ((-5, -3), 2, 100, NAN, -1),
        ((-5, -1), 2, 400, 300, -1),
        ((-5, 1), 2, 400, 300, -2),
        ((-5, 5), 2, 400, 300, -2),
        ((-5, 5), 2, 100, 300, -3),
        ((-1, 1), 2, 400, 300, -1),
        ((-1, 1), NAN, 400, 300, -1),
        ((NAN, NAN), 2, 10, 300, -2),
    ],
)
def test_imprecision(ci: tuple[float, float], threshold: float, n: float, needed: float, levels: int) -> None:
    assert downgrading.imprecision(ci, threshold, n, needed).levels == levels


@pytest.mark.parametrize(
    ("ci", "n", "levels"),
    [((40, 55), 300, 0), ((40, 55), 60, -1), ((30, 60), 300, -1), ((10, 90), 300, -2), ((NAN, NAN), 300, -2)],
)
def test_imprecision_of_a_share(ci: tuple[float, float], n: float, levels: int) -> None:
    assert downgrading.imprecision_of_share(ci, n, RULES.imprecision).levels == levels


@pytest.mark.parametrize(
    ("sizes", "egger_p", "favourable", "levels"),
    [
        ([100.0] * 10, 0.50, True, 0),
        ([100.0] * 10, 0.01, True, -1),
        ([20.0] * 4, NAN, True, -1),
        ([20.0] * 4, NAN, False, 0),
        ([20.0, 20.0, 200.0], NAN, True, 0),
        ([20.0], NAN, True, 0),
        ([20.0, 20.0, NAN], NAN, True, 0),
    ],
)
def test_publication_bias(sizes: list[float], egger_p: float, favourable: bool, levels: int) -> None:
    assert downgrading.publication_bias(sizes, egger_p, favourable, RULES.publication_bias).levels == levels


@pytest.mark.parametrize(
    ("ratio", "ci", "levels"),
    [
        (1.5, (1.1, 2.0), 0),
        (2.5, (1.1, 5.0), 1),
        (2.5, (0.9, 7.0), 0),
        (6.0, (2.0, 18.0), 2),
        (0.4, (0.2, 0.8), 1),
        (0.1, (0.02, 0.5), 2),
        (NAN, (NAN, NAN), 0),
    ],
)
def test_large_effect(ratio: float, ci: tuple[float, float], levels: int) -> None:
    assert upgrading.large_effect(ratio, ci, RULES.upgrading).levels == levels


@pytest.mark.parametrize(("k", "p_value", "levels"), [(12, 0.01, 1), (12, 0.20, 0), (5, 0.01, 0), (12, NAN, 0)])
def test_dose_response(k: int, p_value: float, levels: int) -> None:
    assert upgrading.dose_response(k, p_value, RULES.upgrading).levels == levels


def test_residual_confounding_is_left_to_people() -> None:
    found = upgrading.residual_confounding()
    assert found.levels == 0
    assert "reviewer" in found.reason


@given(st.sampled_from(LEVELS), st.integers(-12, 5), st.integers(0, 3))
def test_level_stays_on_the_scale_and_falls_with_levels(start: str, levels: int, more: int) -> None:
    assert LEVELS.index(level_after(start, levels - more)) <= LEVELS.index(level_after(start, levels))
    assert level_after(start, 0) == start


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 5)), min_size=2, max_size=8))
def test_widening_intervals_never_lowers_their_overlap(pairs: list[tuple[float, float]]) -> None:
    narrow = [(low, low + width) for low, width in pairs]
    wide = [(low - 1, high + 1) for low, high in narrow]
    assert downgrading.overlapping_share(wide) >= downgrading.overlapping_share(narrow)


@pytest.mark.parametrize(
    ("judgements", "words"),
    [
        (["high", "high"], "100% of the weight is at high risk of bias"),
        (["low", "low"], "no weight is at high risk of bias"),
        (["high", "some_concerns"], "50% of the weight is at high risk of bias, 50% neither at high nor at low risk"),
        (["some_concerns", "low"], "no weight is at high risk of bias, 50% neither at high nor at low risk"),
    ],
)
def test_the_reason_for_risk_of_bias_says_each_share_once(judgements: list[str], words: str) -> None:
    found = downgrading.risk_of_bias(judgements, [1.0, 1.0], RULES.risk_of_bias, randomised=True)
    assert found.reason == words
