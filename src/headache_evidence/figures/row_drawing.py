"""Draws laid-out rows: text on a canvas in points, squares, intervals and diamonds on an axis in data units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from headache_evidence.figures.evidence_figure import EvidenceFigure, Hover, new_figure
from headache_evidence.figures.judgement_lights import draw_lights, plain_judgement
from headache_evidence.figures.palette import BLUE, INK, ORANGE, PALE, PAPER, QUIET, RULE
from headache_evidence.figures.row_table import FOOTER_SIZE, MARGIN, TITLE_SIZE, Layout, Placed, Row
from headache_evidence.figures.sheet import Sheet, new_sheet
from headache_evidence.figures.typeset import LINE_HEIGHT

LARGEST_SQUARE = 9.0  # side in points of the square with the largest weight
SMALLEST_SQUARE = 1.2
DIAMOND = 4.0  # half height in points
LIGHT = 9.2  # diameter of a traffic light


@dataclass(frozen=True)
class PlotAxis:
    """The axis of a forest: limits and ticks as axis positions, the lines to draw, the band of small effects."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]] = ()
    null: float | None = None
    pooled: float | None = None
    band: tuple[float, float] | None = None


@dataclass(frozen=True)
class Marks:
    """Colours of the marks and the shape of the prediction interval."""

    square: str = BLUE
    overall: str = INK
    subtotal: str = "#9ecae1"
    prediction: Literal["bar", "line", "density"] = "bar"


def draw(layout: Layout, axis: PlotAxis, marks: Marks | None = None) -> EvidenceFigure:
    """A figure of the layout. Every artist that shows a number has a gid: 'row-3-square', 'row-3-interval' ..."""
    figure = new_figure(layout.width, layout.height)
    canvas = new_sheet(figure, layout.width, layout.height)
    canvas.set_gid("text")
    _headings(canvas, layout)
    if not layout.plot_width:
        for number, placed in enumerate(layout.rows):
            _row_text(canvas, layout, placed, number)
        _under_axis(canvas, layout)
        return figure
    plot = _plot_axes(figure, layout, axis)
    heaviest = max(
        (p.row.weight for p in layout.rows if math.isfinite(p.row.weight) and p.row.kind == "study"), default=1.0
    )
    for number, placed in enumerate(layout.rows):
        _row_text(canvas, layout, placed, number)
        if math.isfinite(placed.row.estimate) or math.isfinite(placed.row.low):
            _row_marks(plot, layout, axis, placed, number, heaviest, marks or Marks())
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


def _plot_axes(figure: EvidenceFigure, layout: Layout, axis: PlotAxis) -> Axes:
    height = layout.plot_bottom - layout.plot_top
    plot = figure.add_axes(
        (
            layout.plot_left / layout.width,
            1 - layout.plot_bottom / layout.height,
            layout.plot_width / layout.width,
            height / layout.height,
        ),
        facecolor="none",
    )
    plot.set(xlim=(axis.low, axis.high), ylim=(layout.plot_bottom, layout.plot_top), yticks=[])
    plot.set_gid("plot")
    plot.spines[["left", "right", "top"]].set_visible(False)
    plot.set_xticks([position for position, _ in axis.ticks], labels=[label for _, label in axis.ticks])
    plot.tick_params(axis="x", pad=2.0)
    bottom = layout.plot_bottom
    if axis.band is not None:
        start, end = max(axis.band[0], axis.low), min(axis.band[1], axis.high)
        band = Rectangle((start, layout.plot_top), end - start, bottom - layout.plot_top, facecolor="#ececec", zorder=0)
        band.set(gid="important-difference", edgecolor=RULE, linestyle=(0, (1, 2)), linewidth=0.6)
        plot.add_artist(band)
    for at, gid, style in ((axis.null, "null", "-"), (axis.pooled, "pooled-line", (0, (4, 3)))):
        if at is not None and axis.low <= at <= axis.high:
            plot.plot([at, at], [layout.plot_top, bottom], color=INK, lw=0.75, ls=style, zorder=1, gid=gid)
    return plot


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


def _row_marks(
    plot: Axes, layout: Layout, axis: PlotAxis, placed: Placed, number: int, heaviest: float, marks: Marks
) -> None:
    row, y, name = placed.row, placed.middle, f"row-{number}"
    per_point = (axis.high - axis.low) / layout.plot_width
    if row.kind == "pooled":
        _diamond(plot, axis, row, y, per_point, name, marks.overall if row.overall else marks.subtotal)
        return
    if row.kind == "prediction":
        _prediction(plot, axis, placed, per_point, name, marks.prediction)
        return
    if math.isfinite(row.low) and math.isfinite(row.high):
        _interval(plot, axis, row.low, row.high, y, per_point, f"{name}-interval", INK, 0.9)
    shrunk, shrunk_low, shrunk_high = row.shrunk
    if math.isfinite(shrunk):
        below = y + 0.3 * placed.height
        _interval(plot, axis, shrunk_low, shrunk_high, below, per_point, f"{name}-shrunk-interval", ORANGE, 0.8)
        if axis.low <= shrunk <= axis.high:
            plot.plot([shrunk], [below], "o", ms=3.2, mfc="white", mec=ORANGE, mew=0.9, zorder=4, gid=f"{name}-shrunk")
    if axis.low <= row.estimate <= axis.high:
        share = row.weight / heaviest if math.isfinite(row.weight) and heaviest > 0 else 0.3
        side = max(LARGEST_SQUARE * math.sqrt(share), SMALLEST_SQUARE)
        width = side * per_point
        square = Rectangle(
            (row.estimate - width / 2, y - side / 2), width, side, facecolor=marks.square, edgecolor=INK, zorder=3
        )
        square.set(linewidth=0.4, gid=f"{name}-square", clip_on=False)
        plot.add_artist(square)
    else:
        _off_axis(plot, axis, row.estimate, y, per_point, name)


def _interval(
    plot: Axes, axis: PlotAxis, low: float, high: float, y: float, per_point: float, gid: str, colour: str, width: float
) -> None:
    """A line from ``low`` to ``high``, ending in an arrowhead where the axis cuts it."""
    start, end = max(low, axis.low), min(high, axis.high)
    if start < end:
        plot.plot([start, end], [y, y], color=colour, lw=width, solid_capstyle="butt", zorder=2, gid=gid)
    for cut, at, direction in ((low < axis.low, axis.low, 1), (high > axis.high, axis.high, -1)):
        if cut and start <= end:
            _arrowhead(plot, at, y, direction * per_point, f"{gid}-arrow", colour)


def _arrowhead(plot: Axes, x: float, y: float, per_point: float, gid: str, colour: str = INK) -> None:
    back = x + 5.0 * per_point
    plot.add_artist(
        Polygon(
            [(x, y), (back, y - 2.4), (back, y + 2.4)],
            closed=True,
            facecolor=colour,
            edgecolor=INK if colour == PAPER else PAPER,
            linewidth=0.5,
            zorder=4,
            gid=gid,
        )
    )


def _off_axis(plot: Axes, axis: PlotAxis, estimate: float, y: float, per_point: float, name: str) -> None:
    """The estimate itself lies outside the limits: a double arrowhead at the edge."""
    edge, direction = (axis.low, per_point) if estimate < axis.low else (axis.high, -per_point)
    _arrowhead(plot, edge, y, direction, f"{name}-outside-arrow")
    _arrowhead(plot, edge + 4.0 * direction, y, direction, f"{name}-outside-arrow")


def _diamond(plot: Axes, axis: PlotAxis, row: Row, y: float, per_point: float, name: str, fill: str) -> None:
    corners = [(row.low, y), (row.estimate, y - DIAMOND), (row.high, y), (row.estimate, y + DIAMOND)]
    diamond = Polygon(corners, closed=True, facecolor=fill, edgecolor=INK, linewidth=0.7, zorder=3)
    diamond.set_gid(f"{name}-diamond")
    plot.add_artist(diamond)
    for cut, at, direction in ((row.low < axis.low, axis.low, 1), (row.high > axis.high, axis.high, -1)):
        if cut:
            _arrowhead(plot, at, y, direction * per_point, f"{name}-arrow", PAPER)


def _prediction(plot: Axes, axis: PlotAxis, placed: Placed, per_point: float, name: str, shape: str) -> None:
    """The prediction interval as a hatched bar, a dashed line, or a density with the interval shaded."""
    row, y = placed.row, placed.middle
    start, end = max(row.low, axis.low), min(row.high, axis.high)
    if row.density is not None:
        x, height = np.asarray(row.density[0], float), np.asarray(row.density[1], float)
        base = placed.bottom - 2.0
        curve = base - (placed.height - 4.0) * height
        inside = (x >= row.low) & (x <= row.high)
        plot.fill_between(x[inside], base, curve[inside], facecolor=PALE, edgecolor="none", zorder=2)
        plot.plot(x, curve, color=INK, lw=0.8, zorder=3, gid=f"{name}-density")
        y = base
    if shape == "bar":
        bar = Rectangle((start, y - 2.0), end - start, 4.0, facecolor=PALE, edgecolor=INK, linewidth=0.7, zorder=3)
        bar.set(gid=f"{name}-prediction", hatch="/////")
        plot.add_artist(bar)
    else:
        style = "-" if row.density is not None else (0, (3, 2))
        plot.plot([start, end], [y, y], color=INK, lw=1.2, ls=style, zorder=3, gid=f"{name}-prediction")
    for cut, at, direction in ((row.low < axis.low, axis.low, 1), (row.high > axis.high, axis.high, -1)):
        if cut:
            _arrowhead(plot, at, y, direction * per_point, f"{name}-prediction-arrow")


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
