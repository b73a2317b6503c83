"""A figure drawn as SVG and as pixels in one pass: its artists are laid out once, each mark is drawn twice."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform, TransformedPath

from headache_evidence.figures.evidence_figure import POINTS_PER_INCH
from headache_evidence.figures.png_canvas import TextRenderer as PixelRenderer
from headache_evidence.figures.svg_canvas import TextRenderer as SvgRenderer


def draw_both(
    figure: Figure, dpi: float, svg_metadata: dict[str, Any] | None = None
) -> tuple[str, npt.NDArray[np.uint8]]:
    """The figure as SVG, the same as matplotlib's, and as pixels (height x width x 4).

    Pixels are matplotlib's but for the snapping of small marks and for texts (:mod:`png_canvas`).

    Parameters
    ----------
    figure : its canvas and resolution stay as they are.
    dpi : resolution of the pixels.
    svg_metadata : as for matplotlib's SVG.

    Raises
    ------
    NotImplementedError
        for a figure with images or meshes.
    """
    own_dpi = figure.dpi
    figure.dpi = POINTS_PER_INCH
    try:
        width, height = figure.get_size_inches()
        text = io.StringIO()
        points = width * POINTS_PER_INCH, height * POINTS_PER_INCH
        svg = SvgRenderer(*points, text, image_dpi=dpi, metadata=svg_metadata)  # type: ignore[no-untyped-call]
        pixels = PixelRenderer(int(width * dpi), int(height * dpi), dpi)  # type: ignore[no-untyped-call]
        figure.draw(_BothRenderer(svg, pixels))
        svg.finalize()  # type: ignore[no-untyped-call]
    finally:
        figure.dpi = own_dpi
    return text.getvalue(), np.asarray(pixels.buffer_rgba())  # type: ignore[no-untyped-call]


class _BothRenderer(RendererBase):
    """Draws what it is given, in points, as SVG, and enlarged as pixels."""

    def __init__(self, svg: SvgRenderer, pixels: PixelRenderer) -> None:
        super().__init__()
        self.svg, self.pixels = svg, pixels
        self.scale = pixels.dpi / POINTS_PER_INCH
        self.enlarged = Affine2D().scale(self.scale)

    def flipy(self) -> bool:
        """Rows are counted from the top."""
        return True

    def get_canvas_width_height(self) -> tuple[float, float]:
        """In points."""
        return self.svg.width, self.svg.height

    def points_to_pixels(self, points: float) -> float:  # type: ignore[override]
        """Artists draw in points."""
        return points

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        """Extent of a text in points."""
        return self.svg.get_text_width_height_descent(s, prop, ismath)

    def _get_font_height_metrics(self, prop: FontProperties) -> tuple[float | None, float | None, float | None]:
        return self.svg._get_font_height_metrics(prop)

    def open_group(self, s: str, gid: str | None = None) -> None:
        """Only SVG has groups."""
        self.svg.open_group(s, gid)  # type: ignore[no-untyped-call]

    def close_group(self, s: str) -> None:
        """Only SVG has groups."""
        self.svg.close_group(s)  # type: ignore[no-untyped-call]

    def draw_path(self, gc: GraphicsContextBase, path: Path, transform: Transform, rgbFace: Any = None) -> None:
        """Draw a path."""
        self.svg.draw_path(gc, path, transform, rgbFace)  # type: ignore[no-untyped-call]
        self.pixels.draw_path(self._large(gc), path, transform + self.enlarged, rgbFace)  # type: ignore[no-untyped-call]

    def draw_markers(
        self, gc: GraphicsContextBase, marker_path: Path, marker_trans: Transform, path: Path, trans: Transform,
        rgbFace: Any = None,
    ) -> None:  # fmt: skip
        """Draw a marker at each point of the path."""
        self.svg.draw_markers(gc, marker_path, marker_trans, path, trans, rgbFace)  # type: ignore[no-untyped-call]
        self.pixels.draw_markers(
            self._large(gc), marker_path, marker_trans + self.enlarged, path, trans + self.enlarged, rgbFace
        )

    def draw_path_collection(
        self, gc: GraphicsContextBase, master_transform: Transform, paths: Any, all_transforms: Any, offsets: Any,
        offset_trans: Transform, *args: Any, **kwargs: Any,
    ) -> None:  # fmt: skip
        """Draw paths, each at its offset."""
        self.svg.draw_path_collection(  # type: ignore[no-untyped-call]
            gc, master_transform, paths, all_transforms, offsets, offset_trans, *args, **kwargs
        )
        self.pixels.draw_path_collection(
            self._large(gc), master_transform + self.enlarged, paths, all_transforms, offsets,
            offset_trans + self.enlarged, *args, **kwargs,
        )  # fmt: skip

    def draw_text(
        self, gc: GraphicsContextBase, x: float, y: float, s: str, prop: FontProperties, angle: float,
        ismath: Any = False, mtext: Text | None = None,
    ) -> None:  # fmt: skip
        """Draw a text from the start of its baseline."""
        self.svg.draw_text(gc, x, y, s, prop, angle, ismath, mtext)  # type: ignore[no-untyped-call]
        from_below = (self.svg.height - y) * self.scale
        y = self.pixels.height - from_below  # both count from below, and a part of a pixel is cut off above
        self.pixels.draw_text(self._large(gc), x * self.scale, y, s, prop, angle, ismath, mtext)

    def draw_image(self, *_: Any, **__: Any) -> None:
        """Refuse what either format draws in its own way: images, meshes, triangles of changing colour."""
        raise NotImplementedError("A figure with images or meshes cannot be drawn in one pass.")

    draw_quad_mesh = draw_gouraud_triangles = draw_image

    def _large(self, gc: GraphicsContextBase) -> GraphicsContextBase:
        """The same context with its clip enlarged; widths are in points anyway."""
        large = self.new_gc()
        large.copy_properties(gc)
        box: Any = gc.get_clip_rectangle()
        path: Any
        path, transform = gc.get_clip_path()
        if box is not None:
            large.set_clip_rectangle(box.transformed(self.enlarged))
        if path is not None and transform is not None:
            large.set_clip_path(TransformedPath(path, transform + self.enlarged))
        return large
