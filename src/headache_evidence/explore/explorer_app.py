"""The explorer on the screen: controls at the left, the result at the right. Only wiring; others do the work."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from headache_evidence.errors import HeadacheEvidenceError
from headache_evidence.explore import page_parts
from headache_evidence.explore.choices import answered, choices, fitting
from headache_evidence.explore.controls import GROUPS, fill, make_control
from headache_evidence.explore.copying import as_parameters, as_python
from headache_evidence.explore.drawing import forest_of, funnel_of, screen_svg
from headache_evidence.explore.exploration import Exploration, Explorer
from headache_evidence.explore.explorer_settings import (
    ExplorerSettings,
    read_settings_file,
    settings_from,
    settings_from_json,
    settings_from_query,
)
from headache_evidence.explore.plain_words import plain_words
from headache_evidence.explore.study_card import study_card
from headache_evidence.explore.study_rows import StudyRows, in_order_of
from headache_evidence.figures.saving import save_figure, svg_text
from headache_evidence.reports.report_data import write_report_data
from headache_evidence.tables.evidence import load_evidence
from headache_evidence.tables.protocol import Question, load_protocol

TABS = ("Forest plot", "Funnel plot", "Numbers", "Left out", "Keep and copy")
NOTHING_OPENED = "<p>Choose a study to see its card; take its tick away to leave it out.</p>"


class ExplorerApp:
    """Widgets over an Explorer. ``show(settings)`` brings everything on the screen to the settings."""

    def __init__(self, explorer: Explorer, settings: ExplorerSettings, data_dir: str) -> None:
        self.explorer = explorer
        self.data_dir = data_dir
        self.exploration: Exploration = explorer.look(fitting(explorer, settings))
        self._quiet = False
        self._opened = ""
        self._shown: tuple[Question | None, pd.DataFrame] = (None, pd.DataFrame())
        self._controls = {name: make_control(name, title) for group in GROUPS.values() for name, title in group.items()}
        self._words = widgets.HTML()
        self._pages = {name: widgets.HTML() for name in TABS}
        self._upload = widgets.FileUpload(accept=".json", description="Open saved settings", multiple=False,
                                          layout=widgets.Layout(width="220px"))  # fmt: skip
        self._rows = StudyRows(self._tick, self._open)
        self._card = widgets.HTML(NOTHING_OPENED, layout=widgets.Layout(flex="1 1 420px", min_width="0"))
        self._find = widgets.Button(description="Find questions with an answer", layout=widgets.Layout(width="300px"))
        self._found = widgets.Dropdown(options=[("", None)], layout=widgets.Layout(width="300px", display="none"))
        self._tabs = widgets.Tab(children=[self._page(name) for name in TABS], titles=TABS)
        self.widget = self._laid_out()
        self._listen()
        self.show(self.exploration.settings)

    @property
    def settings(self) -> ExplorerSettings:
        """What is shown now."""
        return self.exploration.settings

    def show(self, settings: ExplorerSettings) -> None:
        """Look with the settings and bring controls, words, figure, rows and card to them."""
        with garbage_later():
            self._show(settings)

    def _show(self, settings: ExplorerSettings) -> None:
        settings = fitting(self.explorer, settings)
        try:
            self.exploration = self.explorer.look(settings)
        except HeadacheEvidenceError as error:
            self._words.value = page_parts.fault_html(str(error))
            return
        self._words.value = page_parts.words_html(plain_words(self.exploration, self.explorer.protocol))
        self._draw()
        self._quiet = True
        asked = self.explorer.look_up(settings)
        fill(self._controls, choices(self.explorer, settings, asked), settings)
        self._quiet = False
        self._rows.show(in_order_of(asked, self.exploration.effects), settings.taken_out)
        self._show_card()

    def save(self, output_dir: str | Path) -> None:
        """Write effects, results, settings and the forest plot into a folder; nothing when it is empty."""
        if not str(output_dir):
            return
        folder = Path(output_dir)
        write_report_data(self.settings.headache_type, [self.exploration.answer], folder)
        (folder / "settings.json").write_text(self.settings.to_json(), encoding="utf-8")
        save_figure(self._forest(), folder / "forest")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """The widgets; where they cannot be shown, the forest plot; where that cannot, the words."""
        shown: dict[str, Any] = self.widget._repr_mimebundle_()
        words = " ".join(plain_words(self.exploration, self.explorer.protocol))
        return shown | {"image/svg+xml": svg_text(self._forest()), "text/plain": words}

    def _forest(self) -> Any:
        return forest_of(self.exploration, self.explorer.evidence, self.explorer.protocol)

    def _draw(self) -> None:
        """Only the page that is in front; the others follow when they are opened."""
        pages: Mapping[str, Callable[[], str]] = {
            "Forest plot": lambda: screen_svg(self._forest()),
            "Funnel plot": lambda: screen_svg(funnel_of(self.exploration)),
            "Numbers": lambda: page_parts.numbers_html(self.exploration),
            "Left out": lambda: page_parts.left_out_html(self.exploration),
            "Keep and copy": self._keep,
        }
        name = TABS[self._tabs.selected_index or 0]
        self._pages[name].value = pages[name]()

    def _keep(self) -> str:
        return (
            page_parts.keep_html(self.settings)
            + page_parts.copy_html("As papermill parameters", as_parameters(self.settings))
            + page_parts.copy_html("As Python", as_python(self.exploration, self.explorer.protocol, self.data_dir))
        )

    def _show_card(self) -> None:
        effects = self.exploration.effects
        shown = (self.exploration.answer.question, effects.loc[effects["study_id"] == self._opened])
        if shown[0] == self._shown[0] and shown[1].equals(self._shown[1]):
            return
        self._shown = shown
        found = len(shown[1]) > 0
        self._card.value = (
            study_card(self.exploration, self.explorer.evidence, self._opened) if found else NOTHING_OPENED
        )

    def _page(self, name: str) -> widgets.Widget:
        if name != "Keep and copy":
            return self._pages[name]
        return widgets.VBox([self._pages[name], self._upload])

    def _laid_out(self) -> widgets.VBox:
        groups = [
            widgets.VBox([widgets.HTML(f'<h2 class="group">{title}</h2>'), *(self._controls[name] for name in group)])
            for title, group in GROUPS.items()
        ]
        left = widgets.VBox([self._find, self._found, *groups], layout=widgets.Layout(width="320px", flex="0 0 auto"))
        studies = widgets.HBox([self._rows.widget, self._card], layout=widgets.Layout(flex_flow="row wrap"))
        right = widgets.VBox([self._words, self._tabs, studies], layout=widgets.Layout(flex="1 1 420px", min_width="0"))
        both = widgets.HBox([left, right], layout=widgets.Layout(flex_flow="row wrap"))
        whole = widgets.VBox([widgets.HTML(page_parts.page_style()), both])
        whole.add_class("explorer")
        return whole

    def _listen(self) -> None:
        for name, control in self._controls.items():
            control.observe(self._set(name), "value")
        self._tabs.observe(lambda change: self._draw(), "selected_index")
        self._find.on_click(lambda _: self._list_answered())
        self._found.observe(lambda change: self.show(change["new"]) if change["new"] else None, "value")
        self._upload.observe(self._uploaded, "value")

    def _set(self, name: str) -> Callable[[dict[str, Any]], None]:
        def on_change(change: dict[str, Any]) -> None:
            if not self._quiet and change["new"] is not None:
                self.show(replace(self.settings, **{name: change["new"]}))

        return on_change

    def _tick(self, study_id: str, inside: bool) -> None:
        others = tuple(name for name in self.settings.taken_out if name != study_id)
        self.show(replace(self.settings, taken_out=others if inside else (*others, study_id)))

    def _open(self, study_id: str) -> None:
        self._opened = study_id
        self._show_card()

    def _list_answered(self) -> None:
        self._find.description, self._find.disabled = "Looking ...", True
        found = answered(self.explorer, self.settings.headache_type)
        self._found.options = [(f"{len(found)} questions with an answer: choose", None), *found]
        self._found.layout.display = ""
        self._find.description, self._find.disabled = "Find questions with an answer", False

    def _uploaded(self, change: dict[str, Any]) -> None:
        if not change["new"]:
            return
        try:
            self.show(settings_from_json(bytes(change["new"][0]["content"]).decode("utf-8", "replace")))
        except HeadacheEvidenceError as error:
            self._words.value = page_parts.fault_html(str(error))


@contextmanager
def garbage_later() -> Iterator[None]:
    """Look for garbage once the screen is up to date: a figure is many small things, a pause amid it is seen."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
            gc.collect(0)


def open_explorer(data_dir: str | Path = "data", settings: Mapping[str, Any] | str | Path = "") -> ExplorerApp:
    """The explorer over the evidence tables; the last line of a notebook cell shows it.

    Parameters
    ----------
    data_dir : folder with the tables and protocol.yml.
    settings : names and values of ExplorerSettings, or a JSON file of them. When empty, the query part of the app's web
        address is used, if there is one (Voila hands it over as QUERY_STRING), else the defaults.

    Raises
    ------
    ParameterError
        for an unknown setting or a word that the protocol does not know.
    """
    explorer = Explorer(load_evidence(data_dir), load_protocol(Path(data_dir) / "protocol.yml"))
    if not settings:
        chosen = settings_from_query(os.environ.get("QUERY_STRING", ""))
    elif isinstance(settings, str | Path):
        chosen = read_settings_file(settings)
    else:
        chosen = settings_from(settings)
    app = ExplorerApp(explorer, chosen, str(data_dir))
    gc.freeze()  # what is loaded by now stays: nothing in it is garbage
    return app
