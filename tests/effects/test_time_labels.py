"""A contrast printed with a bare number of weeks belongs to the arm rows whose time has words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import headache_evidence as he
from headache_evidence.effects.time_labels import with_shared_labels
from headache_evidence.tables.protocol import load_protocol
from synthetic_evidence_tables import outcome, synthetic_evidence, two_arm_trial

DATA = Path(__file__).parents[2] / "data"
PROTOCOL = load_protocol(DATA / "protocol.yml")
CONTRAST = {"study_id": "Synth2020", "arm_1": "B", "arm_2": "A"}


def extract(outcomes: list[dict[str, Any]], contrasts: list[dict[str, Any]], **asked: Any) -> pd.DataFrame:
    evidence = synthetic_evidence(**two_arm_trial(), outcomes=outcomes, contrasts=contrasts)
    return he.extract_effects(evidence, headache_type="migraine", protocol=PROTOCOL, **asked)


def counts(**time: Any) -> list[dict[str, Any]]:
    return [
        outcome(arm, name="responder_any", kind="event_count", events=events, total=20, **time)
        for arm, events in (("A", 8), ("B", 15))
    ]


RATIO = CONTRAST | {"outcome": "responder_any", "measure": "OR", "estimate": 14.5, "ci_low": 1.8, "ci_high": 116.9}


@pytest.mark.parametrize("time", [{"time_value": 4.0}, {"time_value": np.nan}], ids=["known weeks", "unknown time"])
def test_counts_come_before_a_printed_odds_ratio_without_a_label(time: dict[str, float]) -> None:
    effects = extract(
        counts(time_label="after the third injection", **time), [RATIO | time], outcome="responder_any",
        accept_unknown_time=True, every_time=True,
    )  # fmt: skip
    assert len(effects) == 1
    effect = effects.iloc[0]
    assert effect.derivation_rule == "events"
    assert effect.yi == pytest.approx(np.log((15 / 5) / (8 / 12)))
    assert effect.time_label == "after the third injection"


def test_a_p_value_without_a_label_meets_the_means_of_its_arms() -> None:
    means = [outcome(arm, mean=mean, time_label="week 4") for arm, mean in (("A", 6), ("B", 4))]
    tested = CONTRAST | {"outcome": "pain_intensity", "measure": "p_only", "p": 0.01, "p_operator": "="}
    effect = extract(means, [tested], outcome="pain_intensity", weeks=(0.29, 6.1)).iloc[0]
    assert effect.derivation_rule == "means_and_p"


def test_arms_labelled_unequally_are_set_against_each_other() -> None:
    means = [outcome("A", mean=6, sd=2, time_label="week 4"), outcome("B", mean=4, sd=1)]
    effect = extract(means, [], outcome="pain_intensity", weeks=(0.29, 6.1)).iloc[0]
    assert (effect.usable, effect.yi) == (True, -2)


def table(*times: tuple[float, str], outcome_name: str = "pain_intensity") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "study_id": "S",
            "outcome": outcome_name,
            "adverse_event": "",
            "is_baseline": False,
            "weeks": [weeks for weeks, _ in times],
            "time_label": [label for _, label in times],
        }
    )


def test_of_several_labels_none_is_guessed() -> None:
    rows, contrasts = with_shared_labels(table((1.0, "sitting"), (1.0, "supine")), table((1.0, "")))
    assert list(contrasts["time_label"]) == [""]
    assert list(rows["time_label"]) == ["sitting", "supine"]


def test_a_label_goes_to_no_other_time_outcome_or_study() -> None:
    rows = table((4.0, "week 4"))
    others = pd.concat([
        table((5.0, ""), (np.nan, "")), table((4.0, ""), outcome_name="hit6"), table((4.0, "")).assign(study_id="T"),
    ])  # fmt: skip
    assert set(with_shared_labels(rows, others)[1]["time_label"]) == {""}


def test_leroux_2011_enters_by_its_counts() -> None:
    effects = he.extract_effects(
        he.load_evidence(DATA), headache_type="cluster", outcome="responder_any", protocol=PROTOCOL
    )
    effect = effects.set_index("study_id").loc["Leroux2011"]
    assert (effect.events1, effect.n1, effect.events2, effect.n2) == (20, 21, 12, 22)
    assert effect.yi == pytest.approx(np.log((20 / 1) / (12 / 10)))
