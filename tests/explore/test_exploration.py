"""The explorer gives the protocol's results, and says of every study whether and why it is left out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from headache_evidence.errors import ParameterError
from headache_evidence.explore.choices import answered, choices, fitting, settings_of
from headache_evidence.explore.copying import as_parameters, as_python
from headache_evidence.explore.exploration import Explorer, left_out
from headache_evidence.explore.explorer_settings import ExplorerSettings, settings_from
from headache_evidence.explore.plain_words import plain_words
from headache_evidence.pools.answers import answer_questions
from headache_evidence.pools.pooling import pool

ROOT = Path(__file__).parents[2]
SHARES = ExplorerSettings(outcome="responder_any", stream="proportion", window="any")


def test_a_question_of_the_protocol_gives_the_answer_of_the_report(explorer: Explorer) -> None:
    for item in answer_questions(explorer.evidence, explorer.protocol, "cluster"):
        seen = explorer.look(settings_of(item.question))
        assert seen.answer.question == item.question
        pd.testing.assert_frame_equal(seen.effects, item.effects)
        assert str(seen.pooled) == str(item.pooled)  # text: NaN equals NaN there


def test_a_chosen_estimator_is_plain_pooling(explorer: Explorer) -> None:
    seen = explorer.look(replace(SHARES, method="DL", ci="wald"))
    expected = pool(seen.effects, method="DL", ci="wald", measure="PLO")
    assert (seen.pooled.estimate, seen.pooled.ci, seen.pooled.tau2) == (expected.estimate, expected.ci, expected.tau2)


def test_a_study_taken_out_stays_in_the_table_with_the_reason(explorer: Explorer) -> None:
    whole = explorer.look(SHARES)
    gone = str(whole.effects.loc[whole.effects["usable"], "study_id"].iloc[0])
    seen = explorer.look(replace(SHARES, taken_out=(gone,)))
    assert seen.pooled.k == whole.pooled.k - 1
    assert set(seen.effects["study_id"]) == set(whole.effects["study_id"])
    row = seen.effects.set_index("study_id").loc[gone]
    assert not row["usable"]
    assert row["reason"] == "left out here: taken out by hand"


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"technique": "hydrodissection"}, [0, 2]),
        ({"guidance": "ultrasound"}, [0, 1]),
        ({"guidance": "landmark"}, [1, 2]),
        ({"injectate": "lidocaine"}, [1, 2]),
        ({"injectate": "steroid"}, [1]),
        ({"injectate": "no_steroid"}, [0, 2]),
        ({"leave_out_doubtful": True}, [0, 1]),
        ({"leave_out_high_risk": True}, [1]),
        ({"taken_out": ("A", "Z")}, [1, 2]),
        ({}, [0, 1, 2]),
    ],
)
def test_each_filter_keeps_what_it_names(settings: dict[str, Any], kept: list[int]) -> None:
    effects = pd.DataFrame(
        {
            "study_id": ["A", "B", "C"],
            "technique": ["hydrodissection", "perineural_block", "hydrodissection"],
            "guidance": ["ultrasound", "landmark+ultrasound", "landmark"],
            "injectate": ["dextrose_5", "lidocaine;dexamethasone", "saline; lidocaine"],
            "steroid": [False, True, False],
            "doubtful": [False, False, True],
            "flags": ["", "", "unit unclear"],
            "risk_of_bias": ["serious", "some_concerns", "high"],
            "usable": [True, True, True],
            "reason": ["", "", ""],
        }
    )
    seen = left_out(effects, settings_from(settings))
    assert sorted(seen.loc[seen["usable"], "study_id"]) == ["ABC"[i] for i in kept]
    assert (seen.loc[~seen["usable"], "reason"].str.startswith("left out here: ")).all()
    assert effects["usable"].all(), "the kept table must not change"


def test_another_correlation_changes_the_variance_of_changes(explorer: Explorer) -> None:
    settings = ExplorerSettings(outcome="pain_intensity", stream="before_after", window="short")
    some = explorer.look(settings).effects
    other = explorer.look(replace(settings, pre_post_correlation=0.9)).effects
    assert list(some["yi"].dropna()) == list(other["yi"].dropna())
    assert not np.allclose(some["vi"].dropna().astype(float), other["vi"].dropna().astype(float))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"headache_type": "toothache"}, "Unknown headache_type 'toothache'; known: migraine"),
        ({"method": "magic"}, "Unknown method 'magic'; known: protocol, FE"),
        ({"ci": "narrow"}, "Unknown ci"),
        ({"measure": "OR"}, "measure OR does not fit; possible: MD, SMD, ROM"),
        ({"stream": "proportion"}, "headache_days has no stream proportion"),
        ({"pre_post_correlation": 1.0}, "between -1 and 1"),
    ],
)
def test_unknown_words_are_refused_with_the_known_ones(
    explorer: Explorer, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        explorer.look(replace(ExplorerSettings(), **change))


def test_settings_that_do_not_fit_an_outcome_are_made_to_fit(explorer: Explorer) -> None:
    settings = replace(ExplorerSettings(), stream="proportion", measure="RR")
    fitted = fitting(explorer, settings)
    assert (fitted.stream, fitted.measure) == ("controlled", "protocol")
    assert fitting(explorer, SHARES) == SHARES


def test_choices_hold_the_current_settings_and_lead_to_results(explorer: Explorer) -> None:
    settings = replace(SHARES, guidance="ct")
    offered = choices(explorer, settings, explorer.look_up(settings))
    for name, pairs in offered.items():
        assert getattr(settings, name) in [word for _, word in pairs], name
    for name in ("outcome", "stream", "comparison", "window", "design", "method", "ci", "technique", "injectate"):
        for _, word in offered[name]:
            explorer.look(fitting(explorer, replace(settings, **{name: word})))


def test_questions_with_an_answer_have_one(explorer: Explorer) -> None:
    found = answered(explorer, "tension_type")
    assert found
    for title, settings in found:
        seen = explorer.look(settings)
        assert title.startswith(f"k = {seen.pooled.k}: ")


@pytest.mark.parametrize(
    "settings",
    [
        ExplorerSettings(),
        replace(SHARES, method="SJ", leave_out_high_risk=True, headache_type="cluster"),
        ExplorerSettings(outcome="pain_intensity", stream="before_after", window="short", pre_post_correlation=0.7),
        ExplorerSettings(outcome="headache_days", window="short", measure="SMD", ci="wald", design="all", lights=True),
        ExplorerSettings(headache_type="cervicogenic", outcome="pain_intensity", comparison="active_block"),
    ],
    ids=["defaults", "shares", "correlation", "measure", "another type"],
)
def test_copied_python_gives_the_same_result(explorer: Explorer, settings: ExplorerSettings) -> None:
    seen = explorer.look(settings)
    names: dict[str, Any] = {}
    exec(as_python(seen, explorer.protocol, os.fspath(ROOT / "data")), names)
    result = names["result"]
    assert result.k == seen.pooled.k
    np.testing.assert_array_equal(
        [result.estimate, *result.ci, result.tau2], [seen.pooled.estimate, *seen.pooled.ci, seen.pooled.tau2]
    )


def test_copied_parameters_are_yaml_with_the_same_settings() -> None:
    settings = replace(SHARES, taken_out=("A1",), lights=True)
    assert settings_from(yaml.safe_load(as_parameters(settings))["settings"]) == settings


def test_words_tell_the_number_of_studies_and_no_verdict_below_three(explorer: Explorer) -> None:
    for headache_type in ("tension_type", "cluster"):
        for _, settings in answered(explorer, headache_type)[:6]:
            seen = explorer.look(settings)
            text = " ".join(plain_words(seen, explorer.protocol))
            assert ("One study" if seen.pooled.k == 1 else f"{seen.pooled.k} studies") in text
            if seen.pooled.k < 3:
                assert "no effect" not in text
            if settings.stream != "controlled":
                assert "no control group" in text


def test_words_name_the_direction_of_a_difference(explorer: Explorer) -> None:
    seen = explorer.look(ExplorerSettings())
    sign = "lower" if seen.pooled.estimate < 0 else "higher"
    assert f"{abs(seen.pooled.estimate):.2f} days per 28 days {sign} than with placebo" in " ".join(
        plain_words(seen, explorer.protocol)
    )
