"""The canvas of a figure: matplotlib's Agg, with each text drawn in one piece and a PNG that is written in one pass.

Matplotlib draws text glyph by glyph in Python, which takes most of the time of a PNG of tables. Here FreeType draws
the whole text, once for all places where it stands; it begins on the whole pixel next to where matplotlib puts it.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import LoadFlags
from matplotlib.text import Text
from PIL.PngImagePlugin import PngInfo, putchunk

from headache_evidence.figures.font_measures import (
    house_font_file,
    line_heights,
    sized_font,
    space_width,
    text_extent,
)  # fmt: skip

COMPRESSION = 1  # rows of text and white: higher levels of zlib take longer and save a twentieth
_UPRIGHT = [[0x10000, 0], [0, 0x10000]]  # no rotation, as FreeType's 16.16 numbers
_QUARTER_TURNS = {0.0: (1, 0), 90.0: (0, 1), 180.0: (-1, 0), 270.0: (0, -1)}  # cosine and sine


@lru_cache(maxsize=2048)
def text_image(text: str, file: str, size: float, dpi: float) -> tuple[npt.NDArray[np.uint8], int, int]:
    """Coverage of the pixels of a text (height x width), and where its left and upper edge are, seen from its start.

    Words and numbers of a table recur, from figure to figure too. A space stands before the text: FreeType's bitmap
    shifts a first glyph that does not begin on a whole pixel.
    """
    space = space_width(file, size, dpi)
    before = math.ceil(space)
    font = sized_font(f" {text}", file, size, dpi)
    font._set_transform(_UPRIGHT, [round(64 * (before - space)), 0])  # type: ignore[attr-defined]
    font.set_text(f" {text}", 0.0, flags=LoadFlags.NO_HINTING)
    font.draw_glyphs_to_bitmap(antialiased=True)
    left = font.get_bitmap_offset()[0] // 64 - before
    top = (font.get_width_height()[1] - font.get_descent()) // 64 + 1
    return np.array(font.get_image()), left, top


class TextRenderer(RendererAgg):
    """Agg that draws a text of the package's font in one piece; everything else is matplotlib's."""

    def draw_text(
        self, gc: GraphicsContextBase, x: float, y: float, s: str, prop: FontProperties, angle: float,
        ismath: Any = False, mtext: Text | None = None,
    ) -> None:  # fmt: skip
        """Draw ``s`` from the start of its baseline at ``x``, ``y`` (pixels, y downwards)."""
        file, turn = house_font_file(prop), _QUARTER_TURNS.get(angle % 360)
        if ismath or not file or turn is None or not gc.get_antialiased():
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)  # type: ignore[no-untyped-call]
            return
        # The text is level, on whole pixels of a frame of its own, and turned with that frame.
        cos, sin = turn
        up = self.height - y
        image, left, top = text_image(s, file, prop.get_size_in_points(), self.dpi)
        left += round(cos * x + sin * up)
        top += round(cos * up - sin * x)
        right, bottom = left + image.shape[1], top - image.shape[0]
        corner_x = min(cos * left - sin * bottom, cos * right - sin * top)
        corner_up = min(sin * left + cos * bottom, sin * right + cos * top)
        turned = np.rot90(image, round(angle / 90))
        self._renderer.draw_text_image(turned, corner_x, self.height - corner_up, 0, gc)

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        """Extent of a text in pixels."""
        file = house_font_file(prop)
        if ismath or not file:
            return super().get_text_width_height_descent(s, prop, ismath)  # type: ignore[no-untyped-call, no-any-return]
        width, height, descent = text_extent(s, file, prop.get_size_in_points())
        scale = self.dpi / 72.0
        return width * scale, height * scale, descent * scale

    def _get_font_height_metrics(self, prop: FontProperties) -> tuple[float | None, float | None, float | None]:
        """What matplotlib's text layout asks a renderer for; it reads the font's tables where this is None."""
        file = house_font_file(prop)
        return line_heights(file, prop.get_size_in_points(), self.dpi) if file else (None, None, None)


class FigureCanvas(FigureCanvasAgg):
    """Canvas of the figures of this package."""

    def get_renderer(self) -> TextRenderer:
        """The renderer, made anew when size or resolution changed."""
        key = (*self.get_width_height(physical=True), self.figure.dpi)
        if self._lastKey != key:
            self._text_renderer = TextRenderer(*key)  # type: ignore[no-untyped-call]
            self._lastKey = key
        return self._text_renderer

    def print_png(
        self, filename_or_obj: str | Path | BinaryIO, *, metadata: Mapping[str, str | None] | None = None,
        pil_kwargs: Mapping[str, Any] | None = None, **_of_other_formats: Any,
    ) -> None:  # fmt: skip
        """Write a PNG; an opaque figure goes without the channel of transparency."""
        if pil_kwargs or self.figure.patch.get_facecolor()[3] < 1:  # type: ignore[operator, misc]
            super().print_png(filename_or_obj, metadata=metadata, pil_kwargs=pil_kwargs)  # type: ignore[no-untyped-call]
            return
        self.draw()  # type: ignore[no-untyped-call]
        words = {key: value for key, value in (metadata or {}).items() if value is not None}
        data = png_bytes(np.asarray(self.buffer_rgba()), self.figure.dpi, words)  # type: ignore[no-untyped-call]
        if isinstance(filename_or_obj, str | Path):
            Path(filename_or_obj).write_bytes(data)
        else:
            filename_or_obj.write(data)


def png_bytes(pixels: npt.NDArray[np.uint8], dpi: float, words: Mapping[str, str]) -> bytes:
    """A PNG of the red, green and blue of ``pixels`` (height x width x 3 or more) with words and resolution.

    Rows are compressed as they are: on flat drawings the filters of PNG cost time and save nothing.
    """
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)  # each row begins with 0: not filtered
    for channel in range(3):
        rows[:, 1 + channel :: 3] = pixels[:, :, channel]
    about = PngInfo()
    for key, value in words.items():
        about.add_text(key, value)
    per_metre = round(dpi / 0.0254)
    file = io.BytesIO()
    file.write(b"\x89PNG\r\n\x1a\n")
    putchunk(file, b"IHDR", _numbers(width, height) + bytes([8, 2, 0, 0, 0]))  # 8 bits, colour
    for name, data, *_ in about.chunks:
        putchunk(file, name, data)
    putchunk(file, b"pHYs", _numbers(per_metre, per_metre) + b"\x01")
    putchunk(file, b"IDAT", zlib.compress(rows.data, COMPRESSION))
    putchunk(file, b"IEND")
    return file.getvalue()


def _numbers(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)
