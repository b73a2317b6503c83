"""A clear sheet over a whole figure for text and marks that stand at points of the page, not of a scale."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox, BboxTransformFrom, TransformedBbox

Mark = TypeVar("Mark", bound=Artist)


class Sheet(Artist):
    """What is put on it is drawn in the order of ``zorder``, in one group of the SVG.

    Axes without ticks would do the same at many times the cost: each text on axes gets a clip path of its own.
    """

    def __init__(self, figure: Figure, width: float, height: float) -> None:
        super().__init__()
        self._figure = figure
        self._points = BboxTransformFrom(Bbox([(0.0, height), (width, 0.0)])) + figure.transFigure
        self._edge = TransformedBbox(Bbox.unit(), figure.transFigure)
        self._marks: list[Artist] = []

    def text(self, x: float, y: float, text: str, **properties: Any) -> Text:
        """Text at ``x``, ``y`` points."""
        return self._put(Text(x, y, text, **properties))

    def plot(self, x: npt.ArrayLike, y: npt.ArrayLike, **properties: Any) -> Line2D:
        """A line through points, or markers at them."""
        return self.add(Line2D(x, y, **properties))

    def add(self, mark: Mark) -> Mark:
        """A mark in points, which ends at the edge of the sheet."""
        mark.set_clip_box(self._edge)
        return self._put(mark)

    def _put(self, mark: Mark) -> Mark:
        mark.set_figure(self._figure)
        mark.set_transform(self._points)
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

    def draw(self, renderer: RendererBase) -> None:
        """Draw all."""
        renderer.open_group("axes", gid=self.get_gid())
        for mark in sorted(self._marks, key=Artist.get_zorder):
            mark.draw(renderer)
        renderer.close_group("axes")
        self.stale = False


def new_sheet(figure: Figure, width: float, height: float) -> Sheet:
    """A sheet over a figure of ``width`` x ``height`` points, which are counted from its top left corner."""
    sheet = Sheet(figure, width, height)
    figure.add_artist(sheet)
    return sheet
