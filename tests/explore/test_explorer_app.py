"""The widgets follow the settings, show errors in words, and never pass text from data on as markup."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from headache_evidence.errors import ParameterError
from headache_evidence.explore import explorer_app
from headache_evidence.explore.controls import GROUPS
from headache_evidence.explore.copying import as_parameters
from headache_evidence.explore.exploration import Explorer
from headache_evidence.explore.explorer_app import TABS, ExplorerApp, open_explorer
from headache_evidence.explore.explorer_settings import ExplorerSettings, read_settings_file
from headache_evidence.explore.page_parts import copy_html, fault_html, keep_html, words_html
from headache_evidence.explore.study_card import study_card

ROOT = Path(__file__).parents[2]
SHARES = ExplorerSettings(outcome="responder_any", stream="proportion", window="any")
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>"


@pytest.fixture
def app(explorer: Explorer) -> ExplorerApp:
    return ExplorerApp(explorer, SHARES, "data")


def test_every_setting_but_the_ticks_has_a_control() -> None:
    controls = {name for group in GROUPS.values() for name in group}
    assert controls == {item.name for item in fields(ExplorerSettings)} - {"taken_out"}


def test_controls_and_figure_follow(app: ExplorerApp) -> None:
    first = app._pages["Forest plot"].value
    app._controls["method"].value = "DL"
    assert app.settings.method == "DL"
    assert "τ² by DL" in app._pages["Forest plot"].value != first
    app.show(replace(app.settings, headache_type="cluster", outcome="headache_days"))
    assert app._controls["stream"].value == "controlled"
    assert not app._controls["design"].disabled


def test_ticks_take_studies_out_and_in_and_keep_their_place(app: ExplorerApp) -> None:
    k, order = app.exploration.pooled.k, list(app._rows._study_ids)
    tick = app._rows._rows[0][1]
    tick.value = False
    assert (app.exploration.pooled.k, app.settings.taken_out) == (k - 1, (order[0],))
    assert app._rows._study_ids == order
    tick.value = True
    assert (app.exploration.pooled.k, app.settings.taken_out) == (k, ())


def test_a_click_opens_the_card_of_the_study(app: ExplorerApp, explorer: Explorer) -> None:
    app._rows._rows[0][2].click()
    card = app._card.value
    assert f'aria-label="{app._rows._study_ids[0]}"' in card
    for part in (
        "Arms",
        "Source rows, as reported",
        "How it came about",
        "Doubts",
        "Risk of bias",
        "Sources",
        'href="http',
    ):
        assert part in card
    assert study_card(app.exploration, explorer.evidence, "Nobody1900") == ""


def test_every_page_is_drawn_when_it_is_opened(app: ExplorerApp) -> None:
    for position, name in enumerate(TABS):
        app._tabs.selected_index = position
        assert app._pages[name].value, name
    assert "headache_type: migraine" in app._pages["Keep and copy"].value


def test_a_word_the_protocol_does_not_know_is_told_on_the_screen(app: ExplorerApp) -> None:
    app.show(replace(app.settings, window="tomorrow"))
    assert "Unknown window" in app._words.value
    assert app.settings == SHARES, "the last good view stays"


@pytest.mark.parametrize(
    "made",
    [
        words_html([HOSTILE, HOSTILE]),
        fault_html(HOSTILE),
        copy_html(HOSTILE, HOSTILE),
        keep_html(replace(ExplorerSettings(), taken_out=(HOSTILE,))),
    ],
)
def test_texts_are_escaped(made: str) -> None:
    assert "<script" not in made
    assert "<img" not in made


def test_a_hostile_study_is_shown_as_text(explorer: Explorer) -> None:
    evidence = explorer.evidence
    study_id = explorer.look(SHARES).effects["study_id"].iloc[0]
    hostile = {
        name: table.assign(
            **{c: HOSTILE for c in table.columns if c in ("title", "doubt", "reason", "label", "locator")}
        )
        for name in ("studies", "flags", "arms", "sources", "risk_of_bias")
        for table in [getattr(evidence, name)]
    }
    card = study_card(explorer.look(SHARES), replace(evidence, **hostile), str(study_id))
    assert "&lt;script&gt;" in card
    assert "<script" not in card
    assert "<img" not in card


def test_the_address_of_the_app_is_used_unless_settings_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERY_STRING", "headache_type=cluster&unknown=1")
    monkeypatch.setattr(explorer_app, "ExplorerApp", lambda explorer, settings, data_dir: settings)
    assert open_explorer(ROOT / "data").headache_type == "cluster"  # type: ignore[attr-defined]
    assert open_explorer(ROOT / "data", {"headache_type": "other"}).headache_type == "other"  # type: ignore[attr-defined]
    with pytest.raises(ParameterError, match="no_such"):
        open_explorer(ROOT / "data", {"no_such": 1})


def test_a_notebook_shows_the_figure_where_widgets_cannot_be_shown(app: ExplorerApp) -> None:
    shown = app._repr_mimebundle_()
    assert "<svg" in shown["image/svg+xml"]
    assert shown["text/plain"].startswith("Migraine: ")


@pytest.mark.pipeline
def test_papermill_runs_the_copied_parameters(app: ExplorerApp, tmp_path: Path) -> None:
    settings = replace(SHARES, headache_type="cluster", method="DL")
    copied = as_parameters(settings)
    place = tmp_path / "notebooks"
    place.mkdir()
    (tmp_path / "data").symlink_to(ROOT / "data")
    shutil.copy(ROOT / "notebooks" / "explore.ipynb", place)
    (place / "explored.yml").write_text(copied, encoding="utf-8")
    _, program, *words = next(line for line in copied.splitlines() if "papermill explore" in line).split()
    subprocess.run(
        [Path(sys.executable).with_name(Path(program).name), *words], cwd=place, check=True, capture_output=True
    )
    written = json.loads((place / "explored" / "results.json").read_text(encoding="utf-8"))["results"][0]["pooled"]
    seen = app.explorer.look(settings).pooled
    assert (written["method"], written["k"], written["estimate"], tuple(written["ci"])) == (
        "DL", seen.k, seen.estimate, seen.ci,
    )  # fmt: skip
    assert read_settings_file(place / "explored" / "settings.json") == settings
    assert (place / "explored" / "forest.svg").is_file()
