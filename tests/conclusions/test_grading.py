"""The certainty of whole answers: start, override, k = 0 and k = 1, and what it may never do."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import headache_evidence as he
from headache_evidence.conclusions.grading import certainties
from headache_evidence.conclusions.judgement import LEVELS
from headache_evidence.conclusions.thresholds import important_difference
from headache_evidence.errors import InputError, ProtocolError
from headache_evidence.tables.protocol import Protocol

TRIAL = "migraine.headache_days.controlled.injection.inactive.randomised.short"
COHORT = "migraine.responder_50.controlled.injection.inactive.nonrandomised.any"
CHANGE = "migraine.headache_days.before_after.injection.short"
PRECISE = {"yi": [-4.0, -4.2, -3.9], "vi": [0.2, 0.2, 0.2]}


def judgement(**values: Any) -> pd.DataFrame:
    row = {
        "question_id": TRIAL, "domain": "risk_of_bias", "levels": -1, "reason": "allocation was open",
        "judged_by": "reviewer A", "judged_on": "2026-01-01",
    }  # fmt: skip
    return pd.DataFrame([row | values])


def test_faultless_large_trials_stay_high(make_answer: Any, protocol: Protocol, evidence: he.Evidence) -> None:
    rating = he.certainty(make_answer(TRIAL, **PRECISE), protocol, evidence)
    assert (rating.level, rating.sign, rating.footnotes) == ("high", "⊕⊕⊕⊕", ())


def test_change_from_baseline_starts_low_and_is_not_rated_up(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence
) -> None:
    rating = he.certainty(make_answer(CHANGE, **PRECISE, n2=math.nan), protocol, evidence)
    assert rating.level == "low"
    assert "without a comparison group" in rating.domain("large_effect").reason


def test_large_effect_of_cohorts_is_rated_up_unless_rated_down(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence
) -> None:
    counts = {"events1": 160.0, "events2": 40.0, "design": "nonrandomised_controlled", "better": "higher"}
    large = {"yi": [2.7, 2.8], "vi": [0.02, 0.02]}
    wide = {"yi": [2.7, 2.8, 2.75], "vi": [0.02, 0.02, 0.02]}
    rating = he.certainty(make_answer(COHORT, **wide, n1=400.0, n2=400.0, **counts), protocol, evidence)
    assert rating.domain("large_effect").levels == 2
    assert rating.level == "high"
    biased = he.certainty(
        make_answer(COHORT, **large, n1=400.0, n2=400.0, risk_of_bias="serious", **counts), protocol, evidence
    )
    assert biased.domain("large_effect").levels == 0
    assert "rated down for risk of bias" in biased.domain("large_effect").reason


def test_no_study_is_no_rating_and_one_study_is_told(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence
) -> None:
    nothing = he.certainty(make_answer(TRIAL, [-4.0], [0.2], usable=False), protocol, evidence)
    assert (nothing.level, nothing.k, nothing.sign) == ("no_evidence", 0, "")
    single = he.certainty(make_answer(TRIAL, [-4.0], [0.2]), protocol, evidence)
    assert "one study" in single.domain("inconsistency").reason


def test_rating_never_rises_as_studies_get_worse(make_answer: Any, protocol: Protocol, evidence: he.Evidence) -> None:
    levels = [
        LEVELS.index(he.certainty(make_answer(TRIAL, **PRECISE, risk_of_bias=word), protocol, evidence).level)
        for word in ("low", "some_concerns", "high")
    ]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > levels[-1]


def test_block_is_indirect_for_hydrodissection(make_answer: Any, protocol: Protocol, evidence: he.Evidence) -> None:
    blocks = make_answer(TRIAL, **PRECISE)
    assert he.certainty(blocks, protocol, evidence, about="hydrodissection").level == "moderate"
    own = make_answer(TRIAL, **PRECISE, technique="hydrodissection")
    assert he.certainty(own, protocol, evidence, about="hydrodissection").level == "high"


def test_judgement_replaces_the_rule_and_shows_both(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence
) -> None:
    rating = he.certainty(make_answer(TRIAL, **PRECISE), protocol, evidence, judgements=judgement())
    assert rating.level == "moderate"
    note = rating.footnotes[0]
    assert "allocation was open" in note
    assert "reviewer A" in note
    assert "the rule gives 0" in note
    other = judgement(question_id=CHANGE)
    assert he.certainty(make_answer(TRIAL, **PRECISE), protocol, evidence, judgements=other).level == "high"


def test_judgement_that_confirms_the_rule_is_still_shown(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence
) -> None:
    rating = he.certainty(make_answer(TRIAL, **PRECISE), protocol, evidence, judgements=judgement(levels=0))
    assert rating.domain("risk_of_bias").overridden
    assert len(rating.footnotes) == 1


@pytest.mark.parametrize(
    ("domain", "levels", "level"),
    [
        ("residual_confounding", 0, "low"),
        ("residual_confounding", 1, "moderate"),
        ("residual_confounding", 2, "high"),
        ("large_effect", 1, "moderate"),
        ("dose_response", 1, "moderate"),
        ("publication_bias", -1, "very_low"),
    ],
)
def test_judgements_move_cohorts_up_and_down(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence, domain: str, levels: int, level: str
) -> None:
    counts = {"events1": 140.0, "events2": 100.0, "n1": 400.0, "n2": 400.0, "better": "higher"}
    cohort = make_answer(COHORT, [0.8, 0.8, 0.8], [0.001] * 3, design="nonrandomised_controlled", **counts)
    own = judgement(question_id=COHORT, domain=domain, levels=levels)
    rating = he.certainty(cohort, protocol, evidence, judgements=own)
    assert rating.level == level
    assert rating.domain(domain).overridden
    assert len(rating.footnotes) == 1


def test_judgements_are_visible_in_the_report(make_answer: Any, protocol: Protocol, evidence: he.Evidence) -> None:
    judged = replace(evidence, certainty_judgements=judgement().assign(row=2))
    answer = make_answer(TRIAL, **PRECISE)
    findings = he.summary_of_findings([answer], protocol, judged, "migraine")
    shown = (
        he.show_findings(findings)._repr_html_(),
        he.show_certainty([answer], protocol, judged)._repr_html_(),
        he.show_judgements(judged, "migraine")._repr_html_(),
    )
    for html in shown:
        assert "allocation was open" in html
    assert all("reviewer A" in html for html in shown)
    assert "None: every domain stands" in he.show_judgements(judged, "cluster")._repr_html_()


@pytest.mark.parametrize(
    "fault", [{"domain": "luck"}, {"levels": 1}, {"levels": -4}, {"reason": " "}, {"domain": "large_effect"}]
)
def test_faulty_judgements_are_refused(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence, fault: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=r"migraine\.headache_days"):
        he.certainty(make_answer(TRIAL, **PRECISE), protocol, evidence, judgements=judgement(**fault))


def test_judgement_on_a_question_that_nobody_asks_is_refused(protocol: Protocol, evidence: he.Evidence) -> None:
    stray = replace(evidence, certainty_judgements=judgement(question_id="migraine.mood.controlled"))
    with pytest.raises(InputError, match=r"migraine\.mood"):
        certainties((), protocol, stray)


def test_threshold_comes_from_the_table_or_fails(protocol: Protocol, evidence: he.Evidence) -> None:
    pain = important_difference("pain_intensity", protocol, evidence.mcid)
    assert (pain.size, pain.source) == (pytest.approx(1.7), "mcid.csv:vas_olsen2017_pooled")
    days = important_difference("headache_days", protocol, evidence.mcid)
    assert days.source == "choice"
    assert math.isnan(important_difference("midas", protocol, evidence.mcid).size)
    with pytest.raises(ProtocolError, match="vas_olsen2017_pooled"):
        important_difference("pain_intensity", protocol, evidence.mcid.iloc[:0])
