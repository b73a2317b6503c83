"""A clear sheet on a figure for text and marks: the whole page in points, or a part of it with its own scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN
from matplotlib.text import Text
from matplotlib.transforms import Bbox, BboxTransformFrom, BboxTransformTo, TransformedBbox

from headache_evidence.figures.palette import FONT_SIZE, INK

POINTS_PER_INCH = 72.0
AXIS_LINE, TICK, PAD = 0.6, 3.0, 3.5  # points: line and ticks, from there to the label
LABEL_SIZE = FONT_SIZE - 0.5
Mark = TypeVar("Mark", bound=Artist)


class Sheet(Artist):
    """What is put on it is drawn in the order of ``zorder``, in one group of the SVG.

    Axes would do the same at many times the cost: each mark on axes gets a clip path of its own, each tick five
    artists.

    Parameters
    ----------
    figure : what the sheet lies on.
    x_limits, y_limits : values at the left and right, lower and upper edge.
    box : left, bottom, width and height as parts of the figure.

    ``x_point`` and ``y_point`` are the values of one point to the right and down.
    """

    def __init__(
        self, figure: Figure, x_limits: tuple[float, float], y_limits: tuple[float, float],
        box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
    ) -> None:  # fmt: skip
        super().__init__()
        self.x_limits, self.y_limits = x_limits, y_limits
        self._figure = figure
        self._box = TransformedBbox(Bbox.from_bounds(*box), figure.transFigure)
        limits = Bbox([(x_limits[0], y_limits[0]), (x_limits[1], y_limits[1])])
        self._scale = BboxTransformFrom(limits) + BboxTransformTo(self._box)
        width, height = figure.get_size_inches() * POINTS_PER_INCH
        self.x_point = (x_limits[1] - x_limits[0]) / (box[2] * width)
        self.y_point = (y_limits[0] - y_limits[1]) / (box[3] * height)
        self._marks: list[Artist] = []
        figure.add_artist(self)

    def text(self, x: float, y: float, text: str, **properties: Any) -> Text:
        """Text at ``x``, ``y``; it may leave the sheet."""
        return self._put(Text(x, y, text, **properties))

    def plot(self, x: npt.ArrayLike, y: npt.ArrayLike, **properties: Any) -> Line2D:
        """A line through points, or markers at them."""
        return self.add(Line2D(x, y, **properties))

    def add(self, mark: Mark) -> Mark:
        """A mark in the values of the sheet, which ends at its edges."""
        mark.set_clip_box(self._box)
        return self._put(mark)

    def _put(self, mark: Mark) -> Mark:
        mark.set_figure(self._figure)
        mark.set_transform(self._scale)
        mark.stale_callback = self._changed
        self._marks.append(mark)
        self.stale = True
        return mark

    def _changed(self, _: Artist, changed: bool) -> None:
        if changed:
            self.stale = self._figure.stale = True

    def get_children(self) -> list[Artist]:
        """Texts and marks, as they were put."""
        return list(self._marks)

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        """Place in pixels."""
        return self._box.frozen()

    def get_tightbbox(self, renderer: RendererBase | None = None) -> Bbox:
        """Place in pixels of all that is drawn, words outside the sheet included."""
        boxes = [mark.get_tightbbox(renderer) for mark in self._marks]
        return Bbox.union([self._box, *(box for box in boxes if box is not None)])

    def draw(self, renderer: RendererBase) -> None:
        """Draw all."""
        renderer.open_group("axes", gid=self.get_gid())
        for mark in sorted(self._marks, key=Artist.get_zorder):
            mark.draw(renderer)
        renderer.close_group("axes")
        self.stale = False


def axis_below(sheet: Sheet, ticks: Sequence[tuple[float, str]], pad: float = PAD) -> None:
    """A line at the lower edge with ticks and their labels, ``pad`` points below them."""
    (low, high), bottom = sheet.x_limits, sheet.y_limits[0]
    shown = [(at, label) for at, label in ticks if low <= at <= high]
    style: dict[str, Any] = {"color": INK, "clip_on": False, "zorder": 2.5}
    sheet.plot([low, high], [bottom] * 2, lw=AXIS_LINE, solid_capstyle="projecting", gid="axis", **style)
    sheet.plot(
        [at for at, _ in shown], [bottom] * len(shown), ls="none", marker=TICKDOWN, ms=TICK, mew=AXIS_LINE,
        gid="ticks", **style,
    )  # fmt: skip
    y = bottom + (TICK + pad) * sheet.y_point
    for place, (at, label) in enumerate(shown):
        sheet.text(at, y, label, size=LABEL_SIZE, ha="center", va="top", gid=f"tick-{place}")


def names_beside(sheet: Sheet, names: Sequence[tuple[float, str]]) -> None:
    """Names left of a sheet, each at its height."""
    x = sheet.x_limits[0] - PAD * sheet.x_point
    for place, (y, name) in enumerate(names):
        sheet.text(x, y, name, size=LABEL_SIZE, ha="right", va="center_baseline", gid=f"name-{place}")


def names_above(sheet: Sheet, names: Sequence[tuple[float, str]]) -> None:
    """Names above a sheet, written upwards."""
    y = sheet.y_limits[1] - PAD * sheet.y_point
    for place, (x, name) in enumerate(names):
        sheet.text(x, y, name, size=LABEL_SIZE, ha="center", va="bottom", rotation=90, gid=f"heading-{place}")


def page_sheet(figure: Figure, width: float, height: float) -> Sheet:
    """A sheet over a figure of ``width`` x ``height`` points, which are counted from its top left corner."""
    return Sheet(figure, (0.0, width), (height, 0.0))
