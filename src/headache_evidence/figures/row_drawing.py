"""Draws laid-out rows: text on a sheet in points of the page, marks on a sheet with an axis."""

from __future__ import annotations

import math

from headache_evidence.figures.evidence_figure import EvidenceFigure, Hover, new_figure
from headache_evidence.figures.judgement_lights import draw_lights, plain_judgement
from headache_evidence.figures.palette import INK, QUIET, RULE
from headache_evidence.figures.row_marks import Marks, PlotAxis, draw_row, plot_sheet
from headache_evidence.figures.row_table import FOOTER_SIZE, MARGIN, TITLE_SIZE, Layout, Placed
from headache_evidence.figures.sheet import Sheet, page_sheet
from headache_evidence.figures.typeset import LINE_HEIGHT

LIGHT = 9.2  # diameter of a traffic light


def draw(layout: Layout, axis: PlotAxis, marks: Marks | None = None) -> EvidenceFigure:
    """A figure of the layout. Every artist that shows a number has a gid: 'row-3-square', 'row-3-interval' ..."""
    figure = new_figure(layout.width, layout.height)
    canvas = page_sheet(figure, layout.width, layout.height)
    canvas.set_gid("text")
    _headings(canvas, layout)
    if not layout.plot_width:
        for number, placed in enumerate(layout.rows):
            _row_text(canvas, layout, placed, number)
        _under_axis(canvas, layout)
        return figure
    plot = plot_sheet(figure, layout, axis)
    heaviest = max(
        (p.row.weight for p in layout.rows if math.isfinite(p.row.weight) and p.row.kind == "study"), default=1.0
    )
    for number, placed in enumerate(layout.rows):
        _row_text(canvas, layout, placed, number)
        if math.isfinite(placed.row.estimate) or math.isfinite(placed.row.low):
            draw_row(plot, layout, axis, placed, number, heaviest, marks or Marks())
    _lights(canvas, layout)
    figure.hovers = tuple(
        Hover(
            p.row.hover, (layout.plot_left, p.top, layout.plot_width, p.height), (f"row-{i}-label", f"row-{i}-estimate")
        )
        for i, p in enumerate(layout.rows)
        if p.row.hover
    )
    _under_axis(canvas, layout)
    return figure


def _headings(canvas: Sheet, layout: Layout) -> None:
    for place, text in enumerate(layout.title):
        y = MARGIN + (place + 0.5) * TITLE_SIZE * LINE_HEIGHT
        canvas.text(MARGIN, y, text, size=TITLE_SIZE, weight="bold", va="center", gid=f"title-{place}")
    bottom = layout.headings_top + layout.headings_height - 4.0
    for column in layout.columns:
        lines = column.heading.split("\n")
        for place, text in enumerate(lines):
            y = bottom - (len(lines) - place - 0.5) * layout.line
            _cell(canvas, layout, column.key, column.align, text, y, f"heading-{column.key}-{place}", bold=True)
    for group in dict.fromkeys(c.group for c in layout.columns if c.group):
        members = [c.key for c in layout.columns if c.group == group]
        start, end = layout.left[members[0]], layout.left[members[-1]] + layout.widths[members[-1]]
        y = layout.headings_top + 0.5 * layout.line
        canvas.text((start + end) / 2, y, group, weight="bold", ha="center", va="center", gid=f"group-{group}")
        canvas.plot([start, end], [y + 0.55 * layout.line] * 2, color=RULE, lw=0.5)
    end = layout.plot_left + layout.plot_width
    for lines, x, align in ((layout.over_plot[0], layout.plot_left, "left"), (layout.over_plot[1], end, "right")):
        for place, text in enumerate(lines):
            y = bottom - (len(lines) - place - 0.5) * layout.line
            canvas.text(x, y, text, weight="bold", ha=align, va="center", gid=f"side-{align}-{place}")
    for place, letter in enumerate(layout.lights):
        y = bottom - 0.5 * layout.line
        canvas.text(layout.light_x(place), y, letter, weight="bold", ha="center", va="center", gid=f"light-{place}")
    for y in (layout.plot_top - 2.0, layout.plot_bottom):
        canvas.plot([MARGIN, layout.width - MARGIN], [y, y], color=INK, lw=0.6)


def _cell(
    canvas: Sheet,
    layout: Layout,
    key: str,
    align: str,
    text: str,
    y: float,
    gid: str,
    bold: bool = False,
    shift: float = 0,
) -> None:
    if not text:
        return
    start, width = layout.left[key], layout.widths[key]
    x = {"left": start + shift, "right": start + width, "center": start + width / 2}[align]
    canvas.text(x, y, text, ha=align, va="center_baseline", weight="bold" if bold else "normal", gid=gid)


def _row_text(canvas: Sheet, layout: Layout, placed: Placed, number: int) -> None:
    row = placed.row
    bold = row.kind in ("heading", "pooled")
    for place, column in enumerate(layout.columns):
        lines = placed.cells[column.key]
        shift = row.indent if place == 0 else 0.0
        for i, text in enumerate(lines):
            y = placed.middle + (i - (len(lines) - 1) / 2) * layout.line
            gid = f"row-{number}-{column.key}" + (f"-{i}" if i else "")
            _cell(canvas, layout, column.key, column.align, text, y, gid, bold, shift)
    for i, text in enumerate(placed.words):
        y = placed.middle + (i - (len(placed.words) - 1) / 2) * layout.line
        style = "normal" if bold else "italic"
        weight = "bold" if bold else "normal"
        canvas.text(
            placed.words_x, y, text, va="center_baseline", weight=weight, style="normal",
            color=INK if style == "normal" else QUIET, gid=f"row-{number}-words-{i}",
        )  # fmt: skip


def _lights(canvas: Sheet, layout: Layout) -> None:
    """The traffic lights of all rows."""
    places: dict[str, list[tuple[float, float]]] = {}
    for placed in layout.rows:
        for place, judgement in enumerate(placed.row.judgements):
            if judgement:
                places.setdefault(plain_judgement(judgement), []).append((layout.light_x(place), placed.middle))
    for key, at_points in sorted(places.items()):
        draw_lights(canvas, key, at_points, LIGHT)


def _under_axis(canvas: Sheet, layout: Layout) -> None:
    small = FOOTER_SIZE * LINE_HEIGHT
    left_lines, right_lines = layout.under_axis
    start, end = layout.plot_left, layout.plot_left + layout.plot_width
    for lines, x, align in ((left_lines, start, "left"), (right_lines, end, "right")):
        for i, text in enumerate(lines):
            y = layout.below_axis + (i + 0.5) * small
            canvas.text(x, y, text, size=FOOTER_SIZE, ha=align, va="center", gid=f"favours-{align}-{i}")
    y = layout.below_axis + max(len(left_lines), len(right_lines)) * small
    for i, text in enumerate(layout.axis_title):
        x = (start + end) / 2
        canvas.text(x, y + (i + 0.5) * small, text, size=FOOTER_SIZE, ha="center", va="center", gid=f"axis-title-{i}")
    for i, text in enumerate(layout.footer):
        y = layout.footer_top + (i + 0.5) * small
        canvas.text(MARGIN, y, text, size=FOOTER_SIZE, va="center", gid=f"footer-{i}")
