"""The frame of a chart: title, axes of a given size in points, axis titles and notes, with room measured for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from headache_evidence.errors import InputError
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, new_figure
from headache_evidence.figures.palette import CATEGORY_COLOURS, CATEGORY_HATCHES, CATEGORY_MARKERS, FONT_SIZE
from headache_evidence.figures.typeset import LINE_HEIGHT, text_width, wrap

MARGIN = 10.0
TITLE_SIZE = FONT_SIZE + 2.0
NOTE_SIZE = FONT_SIZE - 0.5
TICK_ROOM = 14.0  # tick and gap beside a tick label
LEAST_WIDTH = 270.0
LINE = FONT_SIZE * LINE_HEIGHT


@dataclass(frozen=True)
class CategoryStyle:
    """Colour, marker and hatch of one category, used together so that none is needed alone."""

    colour: str
    marker: str
    hatch: str


def category_styles(names: Sequence[str]) -> dict[str, CategoryStyle]:
    """A style per name in the order given; they repeat after eight."""
    size = len(CATEGORY_COLOURS)
    return {
        name: CategoryStyle(CATEGORY_COLOURS[i % size], CATEGORY_MARKERS[i % size], CATEGORY_HATCHES[i % size])
        for i, name in enumerate(dict.fromkeys(names))
    }


def frame(
    width: float,
    height: float,
    *,
    title: str = "",
    x_title: str = "",
    y_title: str = "",
    y_labels: Sequence[str] = ("00.00",),
    x_label_room: float = 0.0,
    legend: Sequence[str] = (),
    left: float = 0.0,
    right: float = 0.0,
    top: float = 0.0,
    notes: Sequence[str] = (),
) -> tuple[EvidenceFigure, tuple[float, float, float, float]]:
    """A figure with room for a plot of ``width`` x ``height`` points, and the box of that room as parts of the figure.

    Parameters
    ----------
    title, x_title, y_title : wrapped to the room there is.
    y_labels : the widest of them sets the room left of the plot.
    x_label_room : height of the tick labels below the plot when they are not one line.
    legend : texts of a legend at the right; the widest sets its room.
    left, right, top : further room beside and above the plot.
    notes : sentences below the chart.
    """
    left = (
        left
        + MARGIN
        + max((text_width(text) for text in y_labels), default=0.0)
        + TICK_ROOM
        + (LINE if y_title else 0.0)
    )
    legend_room = max((text_width(text) for text in legend), default=0.0) + 34.0 if legend else 0.0
    total = max(left + width + legend_room + right + MARGIN, LEAST_WIDTH)
    title_lines = wrap(title, total - 2 * MARGIN, TITLE_SIZE, bold=True) if title else []
    above = MARGIN + len(title_lines) * TITLE_SIZE * LINE_HEIGHT + (6.0 if title_lines else 0.0) + top
    x_lines = wrap(x_title, width + 20.0) if x_title else []
    note_lines = [line for note in notes for line in wrap(note, total - 2 * MARGIN, NOTE_SIZE)]
    ticks = TICK_ROOM + (x_label_room or FONT_SIZE)
    below = (
        ticks + len(x_lines) * LINE + (6.0 + len(note_lines) * NOTE_SIZE * LINE_HEIGHT if note_lines else 0.0) + MARGIN
    )
    figure = new_figure(total, above + height + below)
    h = above + height + below
    for i, text in enumerate(title_lines):
        _place(
            figure,
            MARGIN,
            MARGIN + (i + 0.5) * TITLE_SIZE * LINE_HEIGHT,
            text,
            size=TITLE_SIZE,
            weight="bold",
            gid=f"title-{i}",
        )
    for i, text in enumerate(x_lines):
        _place(
            figure, left + width / 2, above + height + ticks + (i + 0.5) * LINE, text, ha="center", gid=f"x-title-{i}"
        )
    if y_title:
        y_text = " ".join(wrap(y_title, max(height, 60.0)))
        _place(figure, MARGIN + LINE / 2, above + height / 2, y_text, ha="center", rotation=90, gid="y-title")
    for i, text in enumerate(note_lines):
        y = h - MARGIN - (len(note_lines) - i - 0.5) * NOTE_SIZE * LINE_HEIGHT
        _place(figure, MARGIN, y, text, size=NOTE_SIZE, gid=f"note-{i}")
    return figure, (left / total, below / h, width / total, height / h)


def chart(width: float, height: float, **words: Any) -> tuple[EvidenceFigure, Axes]:
    """A figure with one axes of ``width`` x ``height`` points, and the ``words`` of :func:`frame`."""
    figure, box = frame(width, height, **words)
    axes = figure.add_axes(box)
    axes.set_gid("plot")
    return figure, axes


def _place(figure: EvidenceFigure, x: float, y: float, text: str, **properties: object) -> None:
    """Text at ``x``, ``y`` points from the top left corner of the figure."""
    width, height = figure.get_size_inches() * 72.0
    properties.setdefault("va", "center")
    figure.text(x / width, 1 - y / height, text, **properties)  # type: ignore[arg-type]


def add_note(figure: EvidenceFigure, text: str) -> None:
    """One more sentence below a chart: the figure grows, everything else keeps its size and place from the top."""
    width, height = figure.get_size_inches() * 72.0
    lines = wrap(text, width - 2 * MARGIN, NOTE_SIZE)
    more = len(lines) * NOTE_SIZE * LINE_HEIGHT
    for axes in figure.axes:
        box = axes.get_position()
        tall = height + more
        axes.set_position((box.x0, (box.y0 * height + more) / tall, box.width, box.height * height / tall))
    for label in figure.texts:
        label.set_y((label.get_position()[1] * height + more) / (height + more))
    figure.set_size_inches(width / 72.0, (height + more) / 72.0)
    for i, line in enumerate(lines):
        y = height + more - MARGIN - (len(lines) - i - 0.5) * NOTE_SIZE * LINE_HEIGHT
        _place(figure, MARGIN, y, line, size=NOTE_SIZE, gid=f"added-note-{i}")


def needs(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """InputError that names the missing columns of a table."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(
            f"{what} lacks the column(s) {', '.join(missing)}; it has {', '.join(map(str, table.columns))}."
        )


def nothing_to_show(title: str, words: str) -> EvidenceFigure:
    """A figure that says why there is nothing to draw."""
    figure, axes = chart(320.0, 40.0, title=title, y_labels=())
    axes.axis("off")
    _place(figure, MARGIN, figure.get_size_inches()[1] * 36.0 + 8.0, words, gid="nothing")
    return describe(figure, title, words, pd.DataFrame({"words": [words]}))
