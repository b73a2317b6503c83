"""Answers: what is pooled, what is kept apart, what is listed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import headache_evidence as he
from headache_evidence.pools.answers import Answer
from synthetic_evidence_tables import outcome, synthetic_evidence, two_arm_trial

DATA = Path(__file__).parents[2] / "data"
PROTOCOL = he.load_protocol(DATA / "protocol.yml")


def answers_of(trials: list[dict[str, object]], outcomes: list[dict[str, object]]) -> tuple[Answer, ...]:
    tables = {name: [row for trial in trials for row in trial[name]] for name in ("studies", "arms")}
    return he.answer_questions(synthetic_evidence(**tables, outcomes=outcomes), PROTOCOL, "migraine")


def by_id(answers: tuple[Answer, ...], name: str) -> Answer:
    return next(item for item in answers if item.question.question_id == f"migraine.{name}")


MAIN = "pain_intensity.controlled.injection.inactive.randomised.short"


def two_trials() -> tuple[Answer, ...]:
    trials = [two_arm_trial("Synth1"), two_arm_trial("Synth2")]
    trials[1]["arms"][1]["technique"] = "hydrodissection"
    rows = [
        outcome(arm, study, mean=mean, sd=2)
        for study, shift in (("Synth1", 0), ("Synth2", 1))
        for arm, mean in (("A", 6 + shift), ("B", 4))
    ]
    return answers_of(trials, rows)


def test_the_pool_is_that_of_its_usable_effects() -> None:
    item = by_id(two_trials(), MAIN)
    alone = he.pool(yi=[-2, -3], vi=[0.4, 0.4], ci="knapp-hartung-conservative")
    assert item.pooled.k == 2
    assert item.pooled.n == 80
    assert item.pooled.estimate == pytest.approx(alone.estimate)
    assert item.pooled.ci == pytest.approx(alone.ci)


def test_a_changed_cell_is_answered_anew_and_what_was_handed_out_may_be_changed() -> None:
    trial = two_arm_trial("Synth1")
    rows = [outcome(arm, "Synth1", mean=mean, sd=2) for arm, mean in (("A", 6), ("B", 4))]
    evidence = synthetic_evidence(studies=trial["studies"], arms=trial["arms"], outcomes=rows)
    first = by_id(he.answer_questions(evidence, PROTOCOL, "migraine"), MAIN)
    estimate = first.pooled.estimate
    first.effects["yi"] = 99.0
    first.subgroups.clear()
    again = by_id(he.answer_questions(evidence, PROTOCOL, "migraine"), MAIN)
    assert again.effects["yi"].tolist() == pytest.approx([estimate])
    assert again.subgroups
    evidence.outcomes["mean"] = evidence.outcomes["mean"].replace(4.0, 1.0)
    changed = by_id(he.answer_questions(evidence, PROTOCOL, "migraine"), MAIN)
    assert changed.pooled.estimate == pytest.approx(estimate - 3.0)


def test_hydrodissection_and_block_stand_apart() -> None:
    item = by_id(two_trials(), MAIN)
    assert {name: result.k for name, result in item.subgroups.items()} == {"hydrodissection": 1, "perineural_block": 1}


def test_shares_without_events_are_not_estimable_and_give_the_exact_limit() -> None:
    trials = [two_arm_trial("Synth1"), two_arm_trial("Synth2")]
    rows = [
        outcome("B", study, "adverse_event", adverse_event="serious", events=0, total=20)
        for study in ("Synth1", "Synth2")
    ]
    item = by_id(answers_of(trials, rows), "adverse_event_serious.proportion.injection.any")
    assert item.pooled.k == 2
    assert not item.pooled.estimable
    assert any("exact" in note for note in item.pooled.notes)


def test_a_single_share_carries_its_exact_interval() -> None:
    rows = [outcome("B", "Synth2020", "responder_50", events=20, total=20)]
    item = by_id(answers_of([two_arm_trial()], rows), "responder_50.proportion.injection.any")
    assert any("20 of 20 patients; exact 95% interval 83.2% to 100.0%" in note for note in item.pooled.notes)


def test_rare_events_name_their_method() -> None:
    trials = [two_arm_trial("Synth1"), two_arm_trial("Synth2")]
    rows = [
        outcome(arm, study, "pain_free", events=events, total=20)
        for study in ("Synth1", "Synth2")
        for arm, events in (("A", 0), ("B", 3))
    ]
    item = by_id(answers_of(trials, rows), "pain_free.controlled.injection.inactive.randomised.any")
    assert item.pooled.method != "REML"
    assert any("empty cell" in note for note in item.pooled.notes)


def test_left_out_studies_are_listed_with_their_reason() -> None:
    item = by_id(answers_of([two_arm_trial()], [outcome("A", mean=6), outcome("B", mean=4)]), MAIN)
    assert item.pooled.k == 0
    assert not item.pooled.estimable
    assert item.to_dict()["left_out"] == [{"study_id": "Synth2020", "reason": "not estimable: no SD"}]


def test_every_study_of_the_type_is_accounted_for() -> None:
    evidence = he.load_evidence(DATA)
    answers = he.answer_questions(evidence, PROTOCOL, "tension_type")
    usage = he.study_usage(evidence, answers, "tension_type")
    of_type = evidence.studies.loc[evidence.studies["headache_type"] == "tension_type", "study_id"]
    assert set(of_type) <= set(usage["study_id"])
    assert ((usage["results_used_in"] > 0) | (usage["why_in_none"] != "")).all()


def test_results_are_json_without_nan() -> None:
    document = by_id(two_trials(), MAIN).to_dict()
    assert document["pooled"]["prediction_interval"] == [None, None]
    assert not any(isinstance(value, float) and np.isnan(value) for value in document["pooled"].values())
