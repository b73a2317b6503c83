"""A clear sheet on a figure for text and marks: the whole page in points, or a part of it with its own scale."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox, BboxTransformFrom, BboxTransformTo, TransformedBbox

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
            self.stale = True

    def get_children(self) -> list[Artist]:
        """Texts and marks, as they were put."""
        return list(self._marks)

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        """Place in pixels."""
        return self._box.frozen()

    def draw(self, renderer: RendererBase) -> None:
        """Draw all."""
        renderer.open_group("axes", gid=self.get_gid())
        for mark in sorted(self._marks, key=Artist.get_zorder):
            mark.draw(renderer)
        renderer.close_group("axes")
        self.stale = False


def page_sheet(figure: Figure, width: float, height: float) -> Sheet:
    """A sheet over a figure of ``width`` x ``height`` points, which are counted from its top left corner."""
    return Sheet(figure, (0.0, width), (height, 0.0))
