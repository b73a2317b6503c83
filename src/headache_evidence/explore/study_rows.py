"""One row per study: a tick to take it in or out, a button that opens its card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pandas as pd


def in_order_of(asked: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """The first effect of each study in the order of ``asked``, so that a study taken out keeps its place."""
    return effects.drop_duplicates("study_id").set_index("study_id", drop=False).loc[asked["study_id"].unique()]


class StudyRows:
    """Rows that are used again for the next question, so that nothing flickers.

    Parameters
    ----------
    ticked : called with a study_id and whether it shall be in.
    opened : called with a study_id.
    """

    def __init__(self, ticked: Callable[[str, bool], None], opened: Callable[[str], None]) -> None:
        self.widget = widgets.VBox(layout=widgets.Layout(width="300px", flex="0 0 auto"))
        self._ticked, self._opened = ticked, opened
        self._rows: list[tuple[Any, Any, Any]] = []
        self._study_ids: list[str] = []
        self._quiet = False

    def show(self, effects: pd.DataFrame, taken_out: tuple[str, ...]) -> None:
        """One row per row of ``effects``, which holds one per study."""
        self._quiet = True
        studies = effects.to_dict("records")
        self._study_ids = [str(record["study_id"]) for record in studies]
        while len(self._rows) < len(studies):
            self._rows.append(self._new_row(len(self._rows)))
        for (_, tick, button), record in zip(self._rows, studies, strict=False):
            by_hand = record["study_id"] in taken_out
            tick.value = bool(record["usable"])
            tick.disabled = not (record["usable"] or by_hand)
            tick.tooltip = f"{record['label']}: in or out"
            button.description = str(record["label"])
            button.tooltip = str(record["derivation"] if record["usable"] else record["reason"])
        self.widget.children = [row for row, _, _ in self._rows[: len(studies)]]
        self._quiet = False

    def _new_row(self, position: int) -> tuple[Any, Any, Any]:
        tick = widgets.Checkbox(indent=False, layout=widgets.Layout(width="22px", margin="4px 4px 0 0"))
        button = widgets.Button(layout=widgets.Layout(width="255px"))
        button.add_class("study-button")

        def on_tick(change: dict[str, Any]) -> None:
            if not self._quiet:
                self._ticked(self._study_ids[position], bool(change["new"]))

        tick.observe(on_tick, "value")
        button.on_click(lambda _: self._opened(self._study_ids[position]))
        return widgets.HBox([tick, button]), tick, button
