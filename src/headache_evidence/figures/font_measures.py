"""Measures of text in the package's font, added up from its characters: build, SVG and PNG ask for the same."""

from __future__ import annotations

import io
import re
import threading
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font, Kerning, LoadFlags

from headache_evidence.figures.palette import FONT

_MEASURED_AT = 100.0  # points, at 72 per inch: unhinted text scales
#: Scripts in which a character has the same shape beside any other: Latin, Greek, Cyrillic, signs. No joined marks.
_SIDE_BY_SIDE = re.compile(
    r"[\u0020-\u007e\u00a0-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u20cf\u2100-\u27bf]*"
)
_BEGINS_LIGATURES = "f"  # ff, fi, fl


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
    """Width, height and descent of one line, in points: its advance and the height of its ink."""
    width, low, high = _extent(text, file)
    scale = size / _MEASURED_AT / 64.0
    return width * scale, (high - low) * scale, -low * scale


@lru_cache(maxsize=20_000)
def _extent(text: str, file: str) -> tuple[int, int, int]:
    """Advance, lowest and highest ink of a line at 100 points, in sixty-fourths of a point."""
    if len(text) < 2 or not _SIDE_BY_SIDE.fullmatch(text):
        return _laid_out(text, file)
    widths, lows, highs = zip(*(_laid_out(character, file) for character in text), strict=True)
    kerning = sum(_kerning(left, right, file) for left, right in pairwise(text))
    return sum(widths) + kerning, min(lows), max(highs)


@lru_cache(maxsize=20_000)
def _kerning(left: str, right: str, file: str) -> int:
    """By how much a pair of characters is wider than both apart."""
    if left == _BEGINS_LIGATURES or not _characters(file).issuperset((left, right)):
        return _laid_out(left + right, file)[0] - _laid_out(left, file)[0] - _laid_out(right, file)[0]
    font = sized_font(left + right, file, _MEASURED_AT, 72.0)
    return font.get_kerning(font.get_char_index(ord(left)), font.get_char_index(ord(right)), Kerning.UNFITTED)


@lru_cache(maxsize=20_000)
def _laid_out(text: str, file: str) -> tuple[int, int, int]:
    """As :func:`_extent`, from FreeType's layout of the whole text."""
    font = sized_font(text, file, _MEASURED_AT, 72.0)
    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    (width, height), low = font.get_width_height(), -font.get_descent()
    return width, low, low + height


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
    return sized_font(" ", file, size, dpi).load_char(ord(" "), LoadFlags.NO_HINTING).linearHoriAdvance / 0x10000


def sized_font(text: str, file: str, size: float, dpi: float) -> FT2Font:
    """The font at a size, ready for ``text``."""
    known = _characters(file).issuperset(text)
    font = _in_memory(file, threading.get_ident()) if known else get_font(file)  # matplotlib's has a sign for the rest
    font.clear()
    font.set_size(size, dpi)
    return font


@lru_cache(maxsize=64)
def _characters(file: str) -> frozenset[str]:
    """The characters that a font has."""
    return frozenset(map(chr, get_font(file).get_charmap()))


@lru_cache(maxsize=64)
def _in_memory(file: str, thread: int) -> FT2Font:
    """A font of one thread. Glyphs are read again for every text: from memory three times as fast as from a file."""
    return FT2Font(io.BytesIO(Path(file).read_bytes()))
