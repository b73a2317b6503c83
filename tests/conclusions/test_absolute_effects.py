"""Absolute effects against two published summary-of-findings tables, and their properties.

Compression stockings for long flights: Cochrane Handbook 5.1, figure 11.5.a (from Clarke M et al. 2006). Anticoagulants
for hospital patients: Kahn SR et al. (2012), Chest 141(2 Suppl):e195S-e226S, table 4 (PMC3278052); of that table only
rows whose printed baseline risk is not itself a rounded small number.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.conclusions.absolute_effects import absolute_effect
from headache_evidence.errors import InputError


@pytest.mark.parametrize(
    ("per_1000", "ratio", "ci", "with_stockings"),
    [
        (10, 0.10, (0.04, 0.26), (1, 0, 3)),
        (30, 0.10, (0.04, 0.26), (3, 1, 8)),
        (13, 0.45, (0.18, 1.13), (6, 2, 15)),
    ],
)
def test_published_table_of_compression_stockings(
    per_1000: float, ratio: float, ci: tuple[float, float], with_stockings: tuple[int, int, int]
) -> None:
    found = absolute_effect(per_1000 / 1000, ratio, ci, "RR")
    assert tuple(round(value) for value in (found.intervention, *found.intervention_ci)) == with_stockings


@pytest.mark.parametrize(
    ("per_1000", "ratio", "ci", "measure", "difference"),
    [
        (39, 0.61, (0.23, 1.67), "RR", (-15, -30, 26)),
        (45, 0.97, (0.79, 1.19), "OR", (-1, -9, 8)),
        (13, 0.91, (0.54, 1.53), "OR", (-1, -6, 7)),
    ],
)
def test_published_table_of_anticoagulants(
    per_1000: float, ratio: float, ci: tuple[float, float], measure: str, difference: tuple[int, int, int]
) -> None:
    found = absolute_effect(per_1000 / 1000, ratio, ci, measure)
    assert tuple(round(value) for value in (found.difference, *found.difference_ci)) == difference


@given(st.floats(0.001, 0.999), st.floats(0.01, 100))
def test_odds_ratio_is_recovered_from_the_risks(risk: float, ratio: float) -> None:
    found = absolute_effect(risk, ratio, (ratio, ratio)).intervention / 1000
    assert math.isclose(found / (1 - found) * (1 - risk) / risk, ratio, rel_tol=1e-6)


def test_risks_stay_between_none_and_all() -> None:
    assert absolute_effect(0.5, 1e9, (0.0, math.inf)).intervention_ci == (0.0, 1000.0)
    assert absolute_effect(0.9, 2.0, (1.5, 3.0), "RR").intervention == 1000.0


def test_other_measures_and_impossible_risks_are_refused() -> None:
    with pytest.raises(InputError, match="OR or RR"):
        absolute_effect(0.1, 2.0, (1.0, 3.0), "RD")
    with pytest.raises(InputError, match="between 0 and 1"):
        absolute_effect(10.0, 2.0, (1.0, 3.0))
