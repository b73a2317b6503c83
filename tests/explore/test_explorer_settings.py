"""Settings survive every way of keeping them, and refuse what they do not know."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.errors import ParameterError
from headache_evidence.explore.explorer_settings import (
    ExplorerSettings,
    read_settings_file,
    settings_from,
    settings_from_json,
    settings_from_query,
)

WORDS = st.text("abcdefghijklmnopqrstuvwxyz_&=?+ %é", min_size=1, max_size=12)
STUDIES = st.lists(st.text("ABCdef0123456789_", min_size=1, max_size=8), unique=True, max_size=4).map(tuple)
STATES = st.builds(
    ExplorerSettings,
    headache_type=WORDS,
    outcome=WORDS,
    pre_post_correlation=st.floats(-0.9, 0.9),
    leave_out_doubtful=st.booleans(),
    lights=st.booleans(),
    taken_out=STUDIES,
)


@given(STATES)
def test_json_gives_the_same_settings_back(settings: ExplorerSettings) -> None:
    assert settings_from_json(settings.to_json()) == settings


@given(STATES)
def test_a_web_address_gives_the_same_settings_back(settings: ExplorerSettings) -> None:
    assert settings_from_query("?" + settings.to_query()) == settings


def test_a_web_address_holds_only_what_differs() -> None:
    assert ExplorerSettings().to_query() == ""
    assert replace(ExplorerSettings(), method="DL", taken_out=("A1", "B2")).to_query() == "method=DL&taken_out=A1%2CB2"


def test_other_names_in_a_web_address_are_ignored() -> None:
    assert settings_from_query("token=secret&method=DL") == replace(ExplorerSettings(), method="DL")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colour": "red"}, "Unknown setting.*colour.*known: headache_type"),
        ({"lights": "maybe"}, "lights is yes or no"),
        ({"lights": 3}, "lights is yes or no"),
        ({"pre_post_correlation": "much"}, "pre_post_correlation is a number"),
        ({"taken_out": 5}, "taken_out is a list"),
        ({"taken_out": [5]}, "taken_out is a list"),
        ({"outcome": ["a"]}, "outcome is a word"),
    ],
)
def test_wrong_values_are_refused_by_name(values: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        settings_from(values)


@pytest.mark.parametrize("text", ["", "[1]", "{", '"x"', "[" * 100_000])
def test_a_file_that_holds_no_settings_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="Not a file of settings"):
        settings_from_json(text)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(ParameterError, match=r"none\.json: cannot be read"):
        read_settings_file(tmp_path / "none.json")


def test_every_setting_has_a_default_that_can_be_kept() -> None:
    assert settings_from({item.name: getattr(ExplorerSettings(), item.name) for item in fields(ExplorerSettings)})
