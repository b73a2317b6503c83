"""Measures of text in the package's font, taken once for each text and kept: build, SVG and PNG ask for the same."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font, LoadFlags

from headache_evidence.figures.palette import FONT

_MEASURED_AT = 100.0  # points, at 72 per inch: unhinted text scales


def house_font_file(font: FontProperties) -> str:
    """The file of a face of the package's font; empty for other fonts."""
    if font.get_file() or list(font.get_family()) != [FONT]:
        return ""
    return font_file(font.get_weight(), font.get_style(), font.get_stretch())


@lru_cache(maxsize=64)
def font_file(weight: Any = "normal", style: Any = "normal", stretch: Any = "normal") -> str:
    """The file that holds a face of the package's font."""
    return str(findfont(FontProperties(family=FONT, weight=weight, style=style, stretch=stretch)))


def text_extent(text: str, file: str, size: float) -> tuple[float, float, float]:
    """Width, height and descent of the ink of one line, in points."""
    width, height, descent = _extent(text, file)
    scale = size / _MEASURED_AT
    return width * scale, height * scale, descent * scale


@lru_cache(maxsize=20_000)
def _extent(text: str, file: str) -> tuple[float, float, float]:
    font = sized_font(file, _MEASURED_AT, 72.0)
    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    width, height = font.get_width_height()
    return width / 64.0, height / 64.0, font.get_descent() / 64.0


def line_heights(file: str, size: float, dpi: float) -> tuple[float, float, float]:
    """Ascent, descent and line gap that the font recommends, in pixels."""
    units, ascent, descent, gap = _vertical(file)
    scale = 1 / units * size * dpi / 72
    return ascent * scale, -descent * scale, gap * scale


@lru_cache(maxsize=64)
def _vertical(file: str) -> tuple[int, int, int, int]:
    font = get_font(file)
    units = font.get_sfnt_table("head")["unitsPerEm"]  # type: ignore[index]
    table = font.get_sfnt_table("OS/2")
    assert table is not None  # DejaVu Sans has it
    return units, table["sTypoAscender"], table["sTypoDescender"], table["sTypoLineGap"]


@lru_cache(maxsize=256)
def space_width(file: str, size: float, dpi: float) -> float:
    """Advance of the space in pixels."""
    return sized_font(file, size, dpi).load_char(ord(" "), LoadFlags.NO_HINTING).linearHoriAdvance / 0x10000


def sized_font(file: str, size: float, dpi: float) -> FT2Font:
    """The font at a size, without text."""
    font = get_font(file)
    font.clear()
    font.set_size(size, dpi)
    return font
