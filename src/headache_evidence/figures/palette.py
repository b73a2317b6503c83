"""Colours, symbols and type sizes. Colours are Okabe and Ito's colour-blind safe set; none carries meaning alone."""

from __future__ import annotations

FONT = "DejaVu Sans"  # ships with matplotlib: the same glyphs and widths on every machine
FONT_SIZE = 8.0

INK = "#1a1a1a"
QUIET = "#595959"  # contrast 7:1 on white
RULE = "#8c8c8c"
PALE = "#d9d9d9"
PAPER = "white"
BLUE = "#0072b2"
ORANGE = "#e69f00"
GREEN = "#009e73"
VERMILLION = "#d55e00"
PURPLE = "#8f4f7f"
SKY = "#56b4e9"
YELLOW = "#f0e442"

# one colour, marker and hatch per category, always used together
CATEGORY_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK, QUIET)
CATEGORY_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
CATEGORY_HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo", "---")

# judgement -> (fill, symbol, colour of the symbol, words); several tools share one scale
JUDGEMENTS: dict[str, tuple[str, str, str, str]] = {
    "low": ("#7fcdb0", "+", INK, "low"),
    "some_concerns": (YELLOW, "–", INK, "some concerns"),
    "high": (VERMILLION, "×", "white", "high"),
    "critical": ("#5c1a00", "!", "white", "critical"),
    "no_information": (PAPER, "?", INK, "no information"),
}
JUDGEMENT_ALIASES = {
    "yes": "low",
    "moderate": "some_concerns",
    "unclear": "no_information",
    "serious": "high",
    "no": "high",
    "": "no_information",
}
