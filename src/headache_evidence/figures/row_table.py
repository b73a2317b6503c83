"""The row engine of all forests: what a row and a column are, and where everything goes, in points.

Rows are known by their position, never by their label: equal labels are allowed, and no row can get lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from headache_evidence.figures.palette import FONT_SIZE
from headache_evidence.figures.typeset import LINE_HEIGHT, text_width, wrap, wrap_paragraphs

NAN = math.nan
MARGIN = 10.0
GAP = 10.0
CIRCLE = 12.0  # pitch of the risk-of-bias lights
OVERALL_LETTER = "Ov."
OVERALL_GAP = 5.0
DENSITY_HEIGHT = 22.0  # of a row that shows a density
WIDEST_PLOT = 240.0  # the plot grows up to this for the words on what either side favours
BESIDE_AXIS = 130.0  # room left of the plot from which text stands beside the axis, not below it
ROW_PADDING = 3.2
TITLE_SIZE = FONT_SIZE + 2.0
FOOTER_SIZE = FONT_SIZE - 0.5

RowKind = Literal["study", "heading", "pooled", "prediction", "words", "space"]
Align = Literal["left", "right", "center"]


@dataclass(frozen=True)
class Column:
    """A text column; ``group`` is a heading over neighbouring columns, ``gap`` the space to the column on its left."""

    key: str
    heading: str = ""
    align: Align = "left"
    group: str = ""
    right_of_plot: bool = False
    max_width: float = math.inf
    gap: float = GAP
    overhang: bool = False  # the heading may reach over the columns to its left


@dataclass(frozen=True)
class Row:
    """One row. Numbers are axis positions; NaN where nothing is to be drawn.

    ``words`` is text that runs across the columns, from the first column, or from the second when the row has a label.
    """

    kind: RowKind
    cells: Mapping[str, str] = field(default_factory=dict)
    estimate: float = NAN
    low: float = NAN
    high: float = NAN
    weight: float = NAN  # percent
    words: str = ""
    indent: float = 0.0
    overall: bool = False
    shrunk: tuple[float, float, float] = (NAN, NAN, NAN)
    judgements: tuple[str, ...] = ()
    hover: str = ""  # what a viewer shows when the pointer rests on the row
    density: tuple[Sequence[float], Sequence[float]] | None = None  # of a prediction: positions and heights up to 1


@dataclass(frozen=True)
class Placed:
    """A row with its wrapped text and its place: ``top`` and ``height`` in points from the top of the figure."""

    row: Row
    top: float
    height: float
    cells: Mapping[str, list[str]]
    words: list[str]
    words_x: float

    @property
    def middle(self) -> float:
        """Vertical middle of the row."""
        return self.top + self.height / 2

    @property
    def bottom(self) -> float:
        """Lower edge of the row."""
        return self.top + self.height


@dataclass(frozen=True)
class Layout:
    """Where everything goes: sizes and positions in points, the origin at the top left corner."""

    width: float
    height: float
    title: list[str]
    columns: tuple[Column, ...]
    left: Mapping[str, float]
    widths: Mapping[str, float]
    headings_top: float
    headings_height: float
    rows: tuple[Placed, ...]
    plot_left: float
    plot_width: float
    plot_top: float
    plot_bottom: float
    lights_left: float
    lights: tuple[str, ...]
    below_axis: float
    under_axis: tuple[list[str], list[str]]
    over_plot: tuple[list[str], list[str]]
    axis_title: list[str]
    footer: list[str]
    footer_top: float

    @property
    def line(self) -> float:
        """Height of a line of body text."""
        return FONT_SIZE * LINE_HEIGHT

    def light_x(self, place: int) -> float:
        """Middle of a column of lights; the overall judgement stands a little apart."""
        apart = OVERALL_GAP if self.lights[place] == OVERALL_LETTER else 0.0
        return self.lights_left + CIRCLE * (place + 0.5) + apart


def lay_out(
    rows: Sequence[Row],
    columns: Sequence[Column],
    *,
    after: Sequence[Row] = (),
    title: str = "",
    plot_width: float = 175.0,
    over_plot: tuple[str, str] = ("", ""),
    lights: Sequence[str] = (),
    under_axis: tuple[str, str] = ("", ""),
    axis_title: str = "",
    footer: Sequence[str] = (),
    row_padding: float = ROW_PADDING,
    min_width: float = 380.0,
) -> Layout:
    """Measure all text, wrap what is too long, and give every row and column its place.

    Without a ``plot_width`` there are rows only. The rows ``after`` stand below the line that closes the table, beside
    the axis where there is room. The figure is as wide as its columns and as high as its rows. Widths
    come from the text; a cell wider than the ``max_width`` of its column gets more lines and its row more height.
    """
    line, small = FONT_SIZE * LINE_HEIGHT, FOOTER_SIZE * LINE_HEIGHT
    wrapped = [
        {c.key: wrap(row.cells.get(c.key, ""), c.max_width, bold=_bold(row)) for c in columns}
        for row in (*rows, *after)
    ]
    widths = _column_widths([*rows, *after], columns, wrapped)
    left: dict[str, float] = {}
    x = MARGIN
    for column in (c for c in columns if not c.right_of_plot):
        x += column.gap if left else 0.0
        left[column.key] = x
        x += widths[column.key]
    plot_left = x + GAP
    right = [c for c in columns if c.right_of_plot]
    lights_width = CIRCLE * len(lights) + (OVERALL_GAP if OVERALL_LETTER in lights else 0.0)
    taken = sum(widths[c.key] + c.gap for c in right) + (lights_width + GAP if lights else 0.0)
    if plot_width:
        sides_width = 2 * max(
            *(text_width(text, FOOTER_SIZE) for text in under_axis),
            *(text_width(text, bold=True) for text in over_plot),
        )
        plot_width = max(plot_width, min(sides_width + 9.0, WIDEST_PLOT), min_width - MARGIN - taken - plot_left)
    x = plot_left + plot_width
    for column in right:
        x += column.gap
        left[column.key] = x
        x += widths[column.key]
    lights_left = x + GAP
    width = max((lights_left + lights_width if lights else x) + MARGIN, min_width)

    title_lines = wrap_paragraphs(title, width - 2 * MARGIN, TITLE_SIZE, bold=True) if title else []
    headings_top = MARGIN + len(title_lines) * TITLE_SIZE * LINE_HEIGHT + (4.0 if title_lines else 0.0)
    half = (plot_width - 8.0) / 2
    sides = [wrap(text, half, bold=True) if text else [] for text in over_plot]
    heading_lines = max((c.heading.count("\n") + 1 for c in columns if c.heading), default=1)
    heading_lines += any(c.group for c in columns)
    headings_height = max(heading_lines, *(len(lines) for lines in sides)) * line + 4.0
    plot_top = headings_top + headings_height
    second = next((left[c.key] for c in columns[1:] if not c.right_of_plot), plot_left)
    favours = [wrap(text, half, FOOTER_SIZE) if text else [] for text in under_axis]
    axis_lines = wrap(axis_title, plot_width + 2 * MARGIN, FOOTER_SIZE) if axis_title else []
    room = _Room(second, plot_left if plot_width else 0.0, width, row_padding)
    placed = _place(rows, wrapped, plot_top, room)
    table_bottom = placed[-1].bottom if placed else plot_top
    below_axis = table_bottom + (16.0 if plot_width else 0.0)
    axis_bottom = below_axis + small * (max(len(lines) for lines in favours) + len(axis_lines))
    beside = not plot_width or plot_left - second > BESIDE_AXIS
    placed += _place(after, wrapped[len(rows) :], table_bottom if beside else axis_bottom, room)
    top = placed[-1].bottom if placed else table_bottom
    footer_top, footer_lines = _footer_lines(footer, top + 5.0, axis_bottom, plot_left - 2 * MARGIN, width - 2 * MARGIN)
    bottom = max(axis_bottom, footer_top + small * len(footer_lines))
    return Layout(
        width=width,
        height=bottom + MARGIN,
        title=title_lines,
        columns=tuple(columns),
        left=left,
        widths=widths,
        headings_top=headings_top,
        headings_height=headings_height,
        rows=tuple(placed),
        plot_left=plot_left,
        plot_width=plot_width,
        plot_top=plot_top,
        plot_bottom=table_bottom,
        lights_left=lights_left,
        lights=tuple(lights),
        below_axis=below_axis,
        under_axis=(favours[0], favours[1]),
        over_plot=(sides[0], sides[1]),
        axis_title=axis_lines,
        footer=footer_lines,
        footer_top=footer_top,
    )


@dataclass(frozen=True)
class _Room:
    """Where words that run across columns may start and end."""

    second_column: float
    plot_left: float  # 0 when there is no plot
    width: float
    padding: float


def _place(rows: Sequence[Row], wrapped: Sequence[Mapping[str, list[str]]], top: float, room: _Room) -> list[Placed]:
    """Rows below each other from ``top``, each as high as its longest cell."""
    line = FONT_SIZE * LINE_HEIGHT
    placed = []
    for row, cells in zip(rows, wrapped, strict=False):
        words_x = room.second_column if any(row.cells.values()) else MARGIN + row.indent
        beside_plot = room.plot_left - words_x > BESIDE_AXIS
        words_width = room.plot_left - GAP - words_x if beside_plot else room.width - MARGIN - words_x
        words = wrap_paragraphs(row.words, words_width, bold=_bold(row)) if row.words else []
        lines = max([len(words), *(len(cell) for cell in cells.values()), 1])
        height = max(line * lines, DENSITY_HEIGHT if row.density is not None else 0.0) + room.padding
        placed.append(Placed(row, top, height if row.kind != "space" else line * 0.5, cells, words, words_x))
        top = placed[-1].bottom
    return placed


def _footer_lines(
    texts: Sequence[str], top: float, axis_bottom: float, beside_axis: float, full_width: float
) -> tuple[float, list[str]]:
    """The footer starts left of the axis labels where there is room, and uses the full width below them."""
    if beside_axis < 220.0 or axis_bottom <= top:
        return max(top, axis_bottom + 6.0), [line for text in texts for line in wrap(text, full_width, FOOTER_SIZE)]
    lines: list[str] = []
    for text in texts:
        below = top + len(lines) * FOOTER_SIZE * LINE_HEIGHT > axis_bottom
        lines += wrap(text, full_width if below else beside_axis, FOOTER_SIZE)
    return top, lines


def _bold(row: Row) -> bool:
    return row.kind in ("heading", "pooled")


def _column_widths(
    rows: Sequence[Row], columns: Sequence[Column], wrapped: Sequence[Mapping[str, list[str]]]
) -> dict[str, float]:
    """Widest line of each column, indents included; the first column of a group grows until its headings fit."""
    widths = {}
    for place, column in enumerate(columns):
        cell = max(
            (
                max(text_width(text, bold=_bold(row)) for text in cells[column.key])
                + (row.indent if place == 0 else 0.0)
                for row, cells in zip(rows, wrapped, strict=True)
            ),
            default=0.0,
        )
        heading = max(text_width(text, bold=True) for text in column.heading.split("\n"))
        widths[column.key] = cell if column.overhang else max(cell, heading)
    for group in dict.fromkeys(c.group for c in columns if c.group):
        members = [c for c in columns if c.group == group]
        present = sum(widths[c.key] for c in members) + sum(c.gap for c in members[1:])
        over = max((text_width(c.heading, bold=True) for c in members if c.overhang), default=0.0)
        short = max(text_width(group, bold=True), over) - present
        if short > 0:
            widths[members[0].key] += short
    return widths
