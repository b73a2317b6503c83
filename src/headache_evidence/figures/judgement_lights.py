"""Traffic lights of risk of bias as marks: a colour and a sign for each judgement."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from headache_evidence.figures.palette import FONT, INK, JUDGEMENT_ALIASES, JUDGEMENTS
from headache_evidence.figures.sheet import Sheet
from headache_evidence.figures.typeset import clean

LINE_SIGNS = {"+": "+", "–": "_", "×": "x"}  # markers of lines; other signs are drawn as glyphs


def plain_judgement(judgement: object) -> str:
    """The judgement on the scale that all tools share; unknown words are no information."""
    key = clean(judgement).lower().replace(" ", "_")
    key = JUDGEMENT_ALIASES.get(key, key)
    return key if key in JUDGEMENTS else "no_information"


def draw_lights(canvas: Sheet, key: str, places: Sequence[tuple[float, float]], diameter: float) -> None:
    """All lights of one judgement as two sets of marks: a file with hundreds of lights stays small."""
    fill, symbol, colour, _ = JUDGEMENTS[key]
    x, y = zip(*places, strict=True)
    canvas.plot(x, y, ls="none", marker="o", ms=diameter, mfc=fill, mec=INK, mew=0.5, gid=f"lights-{key}")
    marker = LINE_SIGNS.get(symbol) or _glyph(symbol)
    width = 0.115 * diameter if symbol in LINE_SIGNS else 0.0
    size = (0.44 if width else 0.52) * diameter
    canvas.plot(x, y, ls="none", marker=marker, ms=size, mfc=colour, mec=colour, mew=width, gid=f"signs-{key}")


def _glyph(symbol: str) -> Path:
    """A bold character as a marker, centred on its point."""
    outline = TextPath((0, 0), symbol, prop=FontProperties(family=FONT, weight="bold"), size=10)
    box = outline.get_extents()
    middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    return Path(outline.vertices - middle, outline.codes)
