"""The plot of a forest: its axis, and squares, intervals and diamonds at axis positions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.patches import Polygon, Rectangle

from headache_evidence.figures.evidence_figure import EvidenceFigure
from headache_evidence.figures.palette import BLUE, INK, ORANGE, PALE, PAPER, RULE
from headache_evidence.figures.row_table import Layout, Placed, Row
from headache_evidence.figures.sheet import Sheet, axis_below

LARGEST_SQUARE = 9.0  # side in points of the square with the largest weight
SMALLEST_SQUARE = 1.2
DIAMOND = 4.0  # half height in points


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


def plot_sheet(figure: EvidenceFigure, layout: Layout, axis: PlotAxis) -> Sheet:
    """Axis positions across, points of the page down."""
    box = (
        layout.plot_left / layout.width,
        1 - layout.plot_bottom / layout.height,
        layout.plot_width / layout.width,
        (layout.plot_bottom - layout.plot_top) / layout.height,
    )
    plot = Sheet(figure, (axis.low, axis.high), (layout.plot_bottom, layout.plot_top), box)
    plot.set_gid("plot")
    bottom = layout.plot_bottom
    if axis.band is not None:
        start, end = max(axis.band[0], axis.low), min(axis.band[1], axis.high)
        band = Rectangle((start, layout.plot_top), end - start, bottom - layout.plot_top, facecolor="#ececec", zorder=0)
        band.set(gid="important-difference", edgecolor=RULE, linestyle=(0, (1, 2)), linewidth=0.6)
        plot.add(band)
    for at, gid, style in ((axis.null, "null", "-"), (axis.pooled, "pooled-line", (0, (4, 3)))):
        if at is not None and axis.low <= at <= axis.high:
            plot.plot([at, at], [layout.plot_top, bottom], color=INK, lw=0.75, ls=style, zorder=1, gid=gid)
    axis_below(plot, axis.ticks, pad=2.0)
    return plot


def draw_row(
    plot: Sheet, layout: Layout, axis: PlotAxis, placed: Placed, number: int, heaviest: float, marks: Marks
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
            circle = {"marker": "o", "ms": 3.2, "mfc": "white", "mec": ORANGE, "mew": 0.9}
            plot.plot([shrunk], [below], ls="none", zorder=4, gid=f"{name}-shrunk", **circle)
    if axis.low <= row.estimate <= axis.high:
        share = row.weight / heaviest if math.isfinite(row.weight) and heaviest > 0 else 0.3
        side = max(LARGEST_SQUARE * math.sqrt(share), SMALLEST_SQUARE)
        width = side * per_point
        square = Rectangle(
            (row.estimate - width / 2, y - side / 2), width, side, facecolor=marks.square, edgecolor=INK, zorder=3
        )
        square.set(linewidth=0.4, gid=f"{name}-square", clip_on=False)
        plot.add(square)
    else:
        _off_axis(plot, axis, row.estimate, y, per_point, name)


def _interval(
    plot: Sheet, axis: PlotAxis, low: float, high: float, y: float, per_point: float, gid: str, colour: str,
    width: float,
) -> None:  # fmt: skip
    """A line from ``low`` to ``high``, ending in an arrowhead where the axis cuts it."""
    start, end = max(low, axis.low), min(high, axis.high)
    if start < end:
        plot.plot([start, end], [y, y], color=colour, lw=width, solid_capstyle="butt", zorder=2, gid=gid)
    for cut, at, direction in ((low < axis.low, axis.low, 1), (high > axis.high, axis.high, -1)):
        if cut and start <= end:
            _arrowhead(plot, at, y, direction * per_point, f"{gid}-arrow", colour)


def _arrowhead(plot: Sheet, x: float, y: float, per_point: float, gid: str, colour: str = INK) -> None:
    back = x + 5.0 * per_point
    plot.add(
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


def _off_axis(plot: Sheet, axis: PlotAxis, estimate: float, y: float, per_point: float, name: str) -> None:
    """The estimate itself lies outside the limits: a double arrowhead at the edge."""
    edge, direction = (axis.low, per_point) if estimate < axis.low else (axis.high, -per_point)
    _arrowhead(plot, edge, y, direction, f"{name}-outside-arrow")
    _arrowhead(plot, edge + 4.0 * direction, y, direction, f"{name}-outside-arrow")


def _diamond(plot: Sheet, axis: PlotAxis, row: Row, y: float, per_point: float, name: str, fill: str) -> None:
    corners = [(row.low, y), (row.estimate, y - DIAMOND), (row.high, y), (row.estimate, y + DIAMOND)]
    diamond = Polygon(corners, closed=True, facecolor=fill, edgecolor=INK, linewidth=0.7, zorder=3)
    diamond.set_gid(f"{name}-diamond")
    plot.add(diamond)
    for cut, at, direction in ((row.low < axis.low, axis.low, 1), (row.high > axis.high, axis.high, -1)):
        if cut:
            _arrowhead(plot, at, y, direction * per_point, f"{name}-arrow", PAPER)


def _prediction(plot: Sheet, axis: PlotAxis, placed: Placed, per_point: float, name: str, shape: str) -> None:
    """The prediction interval as a hatched bar, a dashed line, or a density with the interval shaded."""
    row, y = placed.row, placed.middle
    start, end = max(row.low, axis.low), min(row.high, axis.high)
    if row.density is not None:
        x, height = np.asarray(row.density[0], float), np.asarray(row.density[1], float)
        base = placed.bottom - 2.0
        curve = base - (placed.height - 4.0) * height
        inside = (x >= row.low) & (x <= row.high)
        shade = [(x[inside][0], base), *zip(x[inside], curve[inside], strict=True), (x[inside][-1], base)]
        plot.add(Polygon(shade, closed=True, facecolor=PALE, edgecolor="none", zorder=2))
        plot.plot(x, curve, color=INK, lw=0.8, zorder=3, gid=f"{name}-density")
        y = base
    if shape == "bar":
        bar = Rectangle((start, y - 2.0), end - start, 4.0, facecolor=PALE, edgecolor=INK, linewidth=0.7, zorder=3)
        bar.set(gid=f"{name}-prediction", hatch="/////")
        plot.add(bar)
    else:
        style = "-" if row.density is not None else (0, (3, 2))
        plot.plot([start, end], [y, y], color=INK, lw=1.2, ls=style, zorder=3, gid=f"{name}-prediction")
    for cut, at, direction in ((row.low < axis.low, axis.low, 1), (row.high > axis.high, axis.high, -1)):
        if cut:
            _arrowhead(plot, at, y, direction * per_point, f"{name}-prediction-arrow")
