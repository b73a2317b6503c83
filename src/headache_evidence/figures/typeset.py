"""Text on a figure: cleaned, measured and wrapped before it is placed, so that nothing can overlap."""

from __future__ import annotations

import math
import re
import unicodedata

from headache_evidence.figures.font_measures import font_file, text_extent
from headache_evidence.figures.palette import FONT_SIZE

_SPACES = re.compile(r"[^\S\u00a0]+")  # no-break spaces stay
LINE_HEIGHT = 1.3  # times the type size
SPELLINGS = {  # codes whose words need more than spaces
    "co interventions": "co-interventions",
    "follow up": "follow-up",
    "alopecia atrophy": "alopecia or atrophy",
    "nausea vomiting": "nausea or vomiting",
    "tau2 method": "estimator of τ²",
    "ci method": "kind of interval",
    "sample size": "patients counted",
    "doubtful": "doubtful numbers",
    "window": "time after the procedure",
    "pre post correlation": "correlation of baseline and final values",
}


def clean(value: object) -> str:
    """A label as one printable line: line breaks and tabs become spaces, control characters go, missing is empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or str(value) in ("<NA>", "NaT"):
        return ""
    if str(value).isascii() and str(value).isprintable():
        return " ".join(str(value).split())
    spaced = " ".join(piece for piece in _SPACES.split(str(value)) if piece)
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cs", "Cn", "Co"))


def words(code: object) -> str:
    """A code of a closed list as words: 'perineural_block' -> 'perineural block'; lists are joined by commas."""
    text = clean(code).replace("_", " ").replace(";", ", ")
    return SPELLINGS.get(text, text)


def capitalised(text: str) -> str:
    """First letter large, the rest as it is (so that HIT-6 stays HIT-6)."""
    return text[:1].upper() + text[1:]


def text_width(text: str, size: float = FONT_SIZE, bold: bool = False) -> float:
    """Width in points of one line of text in the package's font."""
    return text_extent(text, font_file("bold" if bold else "normal"), size)[0] if text else 0.0


def wrap(text: str, width: float, size: float = FONT_SIZE, bold: bool = False) -> list[str]:
    """Lines no wider than ``width`` points; a word that alone is wider is cut into pieces. Never empty.

    Words are measured one by one: they recur, and the font does not kern across a space.
    """
    lines, filled, space = [""], 0.0, text_width(" ", size, bold)
    for word in clean(text).split(" "):
        for piece in _pieces(word, width, size, bold):
            own = text_width(piece, size, bold)
            longer = filled + space + own if lines[-1] else own
            if longer <= width:
                lines[-1], filled = (f"{lines[-1]} {piece}" if lines[-1] else piece), longer
            else:
                lines.append(piece)
                filled = own
    return lines if lines[0] or len(lines) == 1 else lines[1:]


def wrap_paragraphs(text: str, width: float, size: float = FONT_SIZE, bold: bool = False) -> list[str]:
    """As :func:`wrap`, keeping the line breaks that the text has."""
    return [line for paragraph in str(text).split("\n") for line in wrap(paragraph, width, size, bold)]


def _pieces(word: str, width: float, size: float, bold: bool) -> list[str]:
    if text_width(word, size, bold) <= width:
        return [word]
    pieces = [""]
    for character in word:
        if pieces[-1] and text_width(pieces[-1] + character, size, bold) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
