"""Gaps, information sizes, remedies for reporting, and published reviews beside ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import headache_evidence as he
from headache_evidence.conclusions import gaps, published
from headache_evidence.conclusions.grading import certainties
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

    assert "up to 6 weeks" in days(())
    assert "up to 6 weeks" not in days(answers)


def test_information_size_and_next_trial(answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence) -> None:
    needed = gaps.information_needed(answers, protocol, evidence).iloc[0]
    sd = (0.2 * 20 * 20 / 40) ** 0.5
    assert needed["needed"] == pytest.approx(4 * (1.959964 + 0.841621) ** 2 * sd**2 / 4, abs=1)
    assert (needed["missing"], needed["diversity"]) == (0.0, 0.0)
    trial = gaps.next_trials(answers, protocol, evidence).iloc[0]
    assert trial["updated_400"] > 0.9


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


def test_published_pools_name_our_trials_and_say_where_ours_has_none(
    answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence
) -> None:
    table = published.beside_published(answers, evidence, protocol, "migraine")
    days = table.loc[(table["review_id"] == "Shauly2019") & table["ours_k"].gt(0)]
    assert days["verdict"].tolist() == [published.AGREE]
    assert days["our_trials"].iloc[0] == "Synthetic 0, Synthetic 1, Synthetic 2"
    nothing = published.beside_published((), evidence, protocol, "migraine")
    assert set(nothing.loc[nothing["doubt"] == "", "verdict"]) == {published.NONE}


def test_prose_follows_the_results(answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence) -> None:
    ratings = certainties(answers, protocol, evidence).values()
    text = " ".join(overview(evidence, protocol, answers, ratings, "migraine"))
    assert "1 of 1 questions" in text
    assert "0 answers rest" in text
    fewer = replace(evidence, studies=evidence.studies.loc[evidence.studies["headache_type"] != "migraine"])
    assert "The tables hold 0 studies of migraine" in overview(fewer, protocol, (), (), "migraine")[0]
    assert (count(1, "study", "studies"), count(2, "study", "studies")) == ("1 study", "2 studies")
