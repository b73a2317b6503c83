"""Gaps, information sizes, remedies for reporting, and published reviews beside ours."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import headache_evidence as he
from headache_evidence.conclusions import gaps, published
from headache_evidence.conclusions.grading import certainties
from headache_evidence.conclusions.guidelines import NO_COMPARISON, beside_guidelines
from headache_evidence.conclusions.prose import count, overview
from headache_evidence.tables.protocol import Protocol

DAYS = "migraine.headache_days.controlled.injection.inactive.randomised.short"


@pytest.fixture(scope="module")
def answers(make_answer: Any) -> tuple[Any, ...]:
    return (make_answer(DAYS, [-4.0, -4.2, -3.9], [0.2, 0.2, 0.2], n1=20.0, n2=20.0),)


def test_map_holds_every_question_and_fills_only_what_has_evidence(
    answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence
) -> None:
    table = gaps.evidence_gaps(answers, certainties(answers, protocol, evidence), protocol, "migraine")
    assert not table.duplicated(["headache_type", "outcome", "follow_up"]).any()
    filled = table.loc[table["k"] > 0]
    assert filled[["headache_type", "k", "n"]].to_numpy().tolist() == [
        ["randomised trials against placebo, sham or no block", 3, 120.0]
    ]
    assert filled["certainty"].iloc[0] in ("high", "moderate")
    assert (table.loc[table["k"] == 0, "certainty"] == "").all()


def test_planted_evidence_closes_a_gap(answers: tuple[Any, ...], protocol: Protocol) -> None:
    def days(found: tuple[Any, ...]) -> str:
        table = gaps.missing_comparisons(found, protocol, "migraine")
        rows = table.loc[table["outcome"].str.startswith("Headache days") & table["comparison"].str.contains("sham")]
        return str(rows["follow_up"].iloc[0])

    assert days(()) == "at any time"
    assert "beyond 16 weeks" in days(answers)
    assert "up to 6 weeks" not in days(answers)


def test_information_size_and_next_trial(answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence) -> None:
    needed = gaps.information_needed(answers, protocol, evidence).iloc[0]
    sd = (0.2 * 20 * 20 / 40) ** 0.5
    assert needed["needed"] == pytest.approx(4 * (1.959964 + 0.841621) ** 2 * sd**2 / 4, abs=1)
    assert (needed["missing"], needed["diversity"]) == (0.0, 0.0)
    trial = gaps.next_trials(answers, protocol, evidence).iloc[0]
    assert trial["updated_400"] > 0.9


def test_a_first_trial_is_planned_where_there_is_none(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence
) -> None:
    nothing = gaps.next_trials((), protocol, evidence).set_index("question")
    assert nothing["k"].eq(0).all()
    assert len(nothing) == 3
    days = nothing.loc["Headache days per 28 days, no randomised trial yet"]
    assert (days["per_arm_alone"], days["planned_from"]) == (
        63,
        "half an SD: no SD is known",
    )  # 2 (1.96 + 0.84)^2 / 0.25
    responders = nothing.loc["Responders (at least half fewer or milder), no randomised trial yet"]
    assert responders["per_arm_alone"] == 393  # risks 0.45 and 0.55 at their mean: 4 (1.96 + 0.84)^2 0.25 / 0.01 / 2
    series = make_answer("migraine.headache_days.before_after.injection.short", [-3.0], [0.2], sd1=6.0, n2=math.nan)
    known = gaps.next_trials((series,), protocol, evidence).set_index("question").loc[days.name]
    assert known["per_arm_alone"] == 142  # 2 (1.96 + 0.84)^2 6^2 / 2^2
    assert "median SD 6.0 of 1 study" in known["planned_from"]


def test_a_comparison_missing_at_all_times_says_so(protocol: Protocol) -> None:
    table = gaps.missing_comparisons((), protocol, "migraine")
    assert set(table["follow_up"]) == {"at any time"}


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("not estimable: of the difference only a P value is reported", "difference with its 95% interval"),
        ("not estimable: no SD", "the SD"),
        ("excluded: denominators are injections, not patients", "one result per patient"),
        ("excluded: reductions do not fit one baseline", "baseline"),
        ("something new", "correction by the authors"),
    ],
)
def test_remedies(reason: str, words: str) -> None:
    assert any(words in remedy for remedy in gaps.remedies(reason))


@pytest.mark.parametrize(
    ("theirs", "ours", "same_scale", "verdict"),
    [
        ((-3.6, (-5.8, -1.4)), (-4.0, (-6.3, -1.8)), True, published.AGREE),
        ((-1.0, (-1.5, -0.5)), (-4.0, (-5.0, -3.0)), True, published.SIZE),
        ((1.0, (0.5, 1.5)), (-4.0, (-5.0, -3.0)), True, published.DIRECTION),
        ((-0.5, (-0.8, -0.2)), (-4.0, (-5.0, -3.0)), False, published.SIDE),
    ],
)
def test_comparison_with_a_published_pool(theirs: Any, ours: Any, same_scale: bool, verdict: str) -> None:
    assert published.compare(theirs, ours, 0.0, same_scale=same_scale) == verdict


@pytest.mark.parametrize(
    ("words", "weeks"),
    [
        ("30 minutes", 30 / 10080),
        ("0 to 15 minutes", 15 / 10080),
        ("30 min, 1 h, 2 h, 4 h", 4 / 168),
        ("24 hours", 1 / 7),
        ("12 to 24 weeks", 24.0),
        ("end of first month", 52.18 / 12),
        ("months 1 and 2", 52.18 / 6),
        ("within 3 months", 52.18 / 4),
        ("per four weeks", float("nan")),
        ("", float("nan")),
    ],
)
def test_times_of_reviews_are_read(words: str, weeks: float) -> None:
    assert published.weeks_of(words) == pytest.approx(weeks, nan_ok=True)


def pools(evidence: he.Evidence, **values: Any) -> he.Evidence:
    """One synthetic published pool of headache days."""
    row = dict.fromkeys(evidence.published_pools.columns, "") | {
        "review_id": "SyntheticReview", "year": 2019, "headache_type": "migraine", "outcome": "headache_days",
        "measure": "MD", "k": pd.NA, "estimate": -4.0, "ci_low": -5.0, "ci_high": -3.0,
    }  # fmt: skip
    years = pd.DataFrame({"study_id": [f"Synthetic{i}" for i in range(4)], "year": [2015, 2018, 2022, 2023]})
    return replace(evidence, published_pools=pd.DataFrame([row | values]), studies=years)


def beside(answers: Any, protocol: Protocol, evidence: he.Evidence) -> Any:
    return published.beside_published(answers, evidence, protocol, "migraine").iloc[0]


def test_our_trials_are_told_apart_by_the_year_of_the_review(
    answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence
) -> None:
    row = beside(answers, protocol, pools(evidence, k=7))
    assert (row["verdict"], row["ours_k"]) == (published.AGREE, 3)
    assert "ours up to its year: Synthetic 0, Synthetic 1" in row["explanation"]
    assert "later than the review: Synthetic 2" in row["explanation"]
    assert "the review pools 7: at least 5 of its trials are not among these" in row["explanation"]


@pytest.mark.parametrize(
    ("yi", "verdict", "words"),
    [
        ([-4.0, -4.1, -14.0, -14.2], published.AGREE, ""),
        ([-0.5, -0.6, -0.5, -0.5], published.SIZE, "leaving out any one of 4 trials does not make ours agree"),
    ],
)
def test_differences_name_the_trials_they_hang_on(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence, yi: list[float], verdict: str, words: str
) -> None:
    ours = (make_answer(DAYS, yi, [0.01] * 4),)
    row = beside(ours, protocol, pools(evidence))
    assert row["verdict"] == verdict
    assert words in row["explanation"]


def test_one_odd_trial_is_found(make_answer: Any, protocol: Protocol, evidence: he.Evidence) -> None:
    ours = (make_answer(DAYS, [4.0, -2.0], [0.01, 0.01], study_id=["Synthetic0", "Synthetic1"]),)
    row = beside(ours, protocol, pools(evidence, estimate=-2.0, ci_low=-2.5, ci_high=-1.5))
    assert row["verdict"].startswith(published.DIRECTION)
    assert "without Synthetic 0 ours would agree" in row["explanation"]


def test_other_times_treatments_and_outcomes_are_not_compared(
    answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence
) -> None:
    def verdict(**values: Any) -> str:
        return str(beside(answers, protocol, pools(evidence, **values))["verdict"])

    assert verdict(timepoint="4 weeks") == published.AGREE
    assert verdict(timepoint="second month") == published.NONE
    assert verdict(timepoint="30 minutes") == published.NONE
    assert verdict(doubt="another drug: context only") == published.CONTEXT
    assert verdict(outcome="analgesic_use") == published.NOT_ASKED
    assert verdict(estimate=float("nan")) == published.NO_ESTIMATE
    assert verdict(measure="other") == published.NO_ESTIMATE
    assert "outside its interval" in verdict(estimate=-9.0)
    assert "no interval" in verdict(ci_low=float("nan"), ci_high=float("nan"))


def test_no_published_row_of_a_headache_type_is_dropped(
    answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence
) -> None:
    table = published.beside_published(answers, evidence, protocol, "migraine")
    assert len(table) == (evidence.published_pools["headache_type"] == "migraine").sum()
    assert table["verdict"].ne("").all()


def test_guidelines_stand_beside_our_results(
    answers: tuple[Any, ...], make_answer: Any, protocol: Protocol, evidence: he.Evidence
) -> None:
    table = beside_guidelines(answers, evidence, protocol, "migraine")
    assert table["body"].str.contains("Headache Society, 2025").any()
    assert not table["body"].str.contains("cluster headache").any()
    assert table["ours"].str.contains(r"Nerve block (?:may |probably )?lowers? headache days").all()
    assert table["ours"].str.contains("k = 3, n = 120").all()
    other = make_answer("cluster.pain_free.controlled.injection.inactive.randomised.any", [2.0], [0.5], better="higher")
    assert beside_guidelines((other,), evidence, protocol, "cluster")["ours"].str.contains("free of headache").all()
    alone = beside_guidelines((), evidence, protocol, "cluster")
    assert set(alone["ours"]) == {NO_COMPARISON}
    assert {"seen", "to confirm"} >= set(alone["wording"])
    assert beside_guidelines((), evidence, protocol, "other").empty
    everywhere = (beside_guidelines((), evidence, protocol, name)["body"] for name in protocol.headache_types)
    assert set(evidence.guidelines["body"]) == set().union(*everywhere), "a position stands beside no headache type"


def test_prose_follows_the_results(answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence) -> None:
    ratings = certainties(answers, protocol, evidence).values()
    text = " ".join(overview(evidence, protocol, answers, ratings, "migraine"))
    assert "1 of 1 questions" in text
    assert "0 answers rest" in text
    fewer = replace(evidence, studies=evidence.studies.loc[evidence.studies["headache_type"] != "migraine"])
    assert "The tables hold 0 studies of migraine" in overview(fewer, protocol, (), (), "migraine")[0]
    assert (count(1, "study", "studies"), count(2, "study", "studies")) == ("1 study", "2 studies")
