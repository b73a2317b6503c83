"""A published summary of findings, row by row, from its numbers alone: effects, absolute effects, certainty, words.

Clarke MJ, Broderick C, Hopewell S, Juszczak E, Eisinga A, Compression stockings for preventing deep vein thrombosis in
airline passengers, Cochrane Database of Systematic Reviews, CD004002.pub3 (2016): risks, odds ratios, participants and
certainty (high, moderate, low) as printed there and in the evidence summaries made of it; the Cochrane Handbook 5.1,
figure 11.5.a, shows the first edition. The published pool enters as one effect with its interval.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

import headache_evidence as he
from headache_evidence.conclusions.grading import Z95
from headache_evidence.conclusions.summary_of_findings import absolute_of, finding
from headache_evidence.tables.protocol import Protocol

COUNTED = "migraine.rescue_medication.controlled.injection.inactive.randomised.any"
SCORED = "migraine.pain_intensity.controlled.injection.inactive.randomised.short"


def published(make_answer: Any, per_1000: float, ratio: float, ci: tuple[float, float], patients: float) -> Any:
    """An answer that holds the published odds ratio, with as many patients and the printed risk without stockings."""
    half = patients / 2
    se = (math.log(ci[1]) - math.log(ci[0])) / (2 * Z95)
    return make_answer(
        COUNTED, [math.log(ratio)], [se**2], n1=half, n2=half, events2=per_1000 / 1000 * half, better="lower", unit=""
    )


@pytest.mark.parametrize(
    ("per_1000", "ratio", "ci", "patients", "with_stockings", "level"),
    [
        (30, 0.10, (0.04, 0.25), 2637, (3, 1, 8), "high"),  # deep vein thrombosis without symptoms, high risk
        (10, 0.10, (0.04, 0.25), 2637, (1, 0, 3), "high"),  # the same, low risk
        (13, 0.45, (0.18, 1.13), 1804, (6, 2, 15), "moderate"),  # superficial vein thrombosis
    ],
)
def test_counted_outcomes(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence, per_1000: float, ratio: float,
    ci: tuple[float, float], patients: float, with_stockings: tuple[int, int, int], level: str,
) -> None:  # fmt: skip
    answer = published(make_answer, per_1000, ratio, ci, patients)
    absolute = absolute_of(answer)
    assert absolute is not None
    found = (absolute.intervention, *absolute.intervention_ci)
    assert tuple(round(value) for value in found) == with_stockings
    row = finding(answer, protocol, evidence)
    assert row.rating is not None
    assert row.rating.level == level
    assert row.comparator == f"{per_1000} per 1000"
    assert row.relative == f"OR {ratio:.2f} (95% CI {ci[0]:.2f} to {ci[1]:.2f})"
    assert f"n = {patients}" in row.statement


def test_imprecision_alone_separates_the_two_counted_outcomes(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence
) -> None:
    rating = he.certainty(published(make_answer, 13, 0.45, (0.18, 1.13), 1804), protocol, evidence)
    moved = [(domain.domain, domain.levels) for domain in rating.domains if domain.levels]
    assert moved == [("imprecision", -1)]
    assert "no effect" in rating.domain("imprecision").reason


def test_score_with_the_reviewers_judgement(make_answer: Any, protocol: Protocol, evidence: he.Evidence) -> None:
    """Oedema from 0 to 10: 4.7 lower (4.9 lower to 4.5 lower), 1246 patients; rated low by the review's judgement."""
    answer = make_answer(SCORED, [-4.7], [(0.4 / (2 * Z95)) ** 2], n1=623.0, n2=623.0)
    assert he.certainty(answer, protocol, evidence).level == "high"
    judged = pd.DataFrame(
        [{"question_id": SCORED, "domain": "risk_of_bias", "levels": -2, "reason": "as the published review rates it",
          "judged_by": "the review", "judged_on": "2016"}]
    )  # fmt: skip
    rating = he.certainty(answer, protocol, evidence, judgements=judged)
    assert rating.level == "low"
    assert "the rule gives 0" in rating.footnotes[0]
    assert finding(answer, protocol, evidence).effect == "4.7 lower (95% CI 4.9 lower to 4.5 lower)"
