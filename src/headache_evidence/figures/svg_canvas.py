"""Matplotlib's SVG with text measured once: a text of the package's font has the same extent in every file."""

from __future__ import annotations

from typing import Any, TextIO

from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.font_manager import FontProperties

from headache_evidence.figures.font_measures import house_font_file, line_heights, text_extent


class TextRenderer(RendererSVG):
    """Matplotlib's SVG; measures of text in the package's font are kept from text to text and file to file."""

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        """Extent of a text in points."""
        file = house_font_file(prop)
        if ismath or not file:
            return super().get_text_width_height_descent(s, prop, ismath)  # type: ignore[no-untyped-call, no-any-return]
        return text_extent(s, file, prop.get_size_in_points())

    def _get_font_height_metrics(self, prop: FontProperties) -> tuple[float | None, float | None, float | None]:
        """What matplotlib's text layout asks a renderer for; it reads the font's tables where this is None."""
        file = house_font_file(prop)
        return line_heights(file, prop.get_size_in_points(), 72.0) if file else (None, None, None)


class FigureCanvas(FigureCanvasSVG):
    """Canvas that a figure has while it is written as SVG."""

    def print_svg(
        self, filename: TextIO, *, bbox_inches_restore: Any = None, metadata: Any = None, **_of_other_formats: Any
    ) -> None:
        """Write SVG into an open text file."""
        image_dpi, self.figure.dpi = self.figure.dpi, 72
        width, height = self.figure.get_size_inches()
        svg = TextRenderer(width * 72, height * 72, filename, image_dpi=image_dpi, metadata=metadata)  # type: ignore[no-untyped-call]
        renderer = MixedModeRenderer(  # type: ignore[no-untyped-call]
            self.figure, width, height, image_dpi, svg, bbox_inches_restore=bbox_inches_restore
        )
        self.figure.draw(renderer)  # type: ignore[arg-type]
        renderer.finalize()
