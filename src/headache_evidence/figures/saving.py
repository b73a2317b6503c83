"""Figures as files: the same bytes in every run, real text in the SVG, the text alternative inside the file.

The SVG keeps its text as text, so that it can be searched, copied and read aloud, and carries the glyphs it uses as an
embedded subset of DejaVu Sans, so that columns line up on machines that lack the font. The font comes with
matplotlib: the bytes do not depend on what a machine has installed. PDF embeds the font too (type 42).
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont

from headache_evidence.errors import InputError
from headache_evidence.figures.evidence_figure import HOUSE_STYLE, EvidenceFigure, Hover, alt_text, house_style
from headache_evidence.figures.one_pass import draw_both
from headache_evidence.figures.palette import FONT
from headache_evidence.figures.png_canvas import png_bytes
from headache_evidence.figures.typeset import clean

FORMATS = ("svg", "png", "pdf", "csv")
SVG_METADATA: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
PNG_DPI: float = HOUSE_STYLE["savefig.dpi"]
SVG_BACKEND = "module://headache_evidence.figures.svg_canvas"
#: Embedded together, so that nearly all figures carry the same two fonts, which are made once.
USUAL_CHARACTERS = "".join(map(chr, range(0x20, 0x7F))) + "\xa0–—−×±²τ≤≥·…’‘“”†‡←→●◐○⊕"
_TEXT = re.compile(r"<text[^>]*style=\"([^\"]*)\"[^>]*>(.*?)</text>", re.DOTALL)
_GROUP = re.compile(r"<g id=\"([^\"]+)\">")
_TAG = re.compile(r"<[^>]+>")


def save_figure(figure: Figure, path_without_suffix: str | Path, formats: Sequence[str] = ("svg", "png")) -> list[Path]:
    """Write a figure in the given formats and return the paths.

    Parameters
    ----------
    figure : a figure of this package.
    path_without_suffix : "reports/migraine/figures/forest"; folders are made when missing.
    formats : of "svg", "png", "pdf", and "csv" (the numbers shown).

    Raises
    ------
    InputError
        for an unknown format, or a figure without a text alternative.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise InputError(f"Unknown figure format(s) {', '.join(unknown)}; allowed are {', '.join(FORMATS)}.")
    alt = alt_text(figure)
    assert isinstance(figure, EvidenceFigure)
    target = Path(path_without_suffix)
    target.parent.mkdir(parents=True, exist_ok=True)
    pixels = draw_both_formats(figure) if {"svg", "png"} <= set(formats) else None
    paths = []
    for name in formats:
        path = target.parent / f"{target.name}.{name}"
        if name == "svg":
            path.write_text(svg_text(figure), encoding="utf-8", newline="\n")
        elif name == "csv":
            figure.numbers.to_csv(path, index=False, lineterminator="\n")
        elif name == "png":
            words = {"Title": figure.heading, "Description": alt}
            if pixels is not None:
                path.write_bytes(png_bytes(pixels, PNG_DPI, words))
            else:
                _draw(figure, path, format="png", metadata={"Software": None} | words)
        else:
            words = {"Title": figure.heading, "Subject": alt}
            _draw(
                figure, path, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None} | words
            )
        paths.append(path)
    return paths


def _draw(figure: EvidenceFigure, target: Path | io.StringIO, **options: Any) -> None:
    """Draw in the house style; afterwards matplotlib's ``stale`` tells whether the figure was changed since."""
    if figure.stale:
        figure.drawn_svg = ""
    with house_style():
        figure.savefig(target, **options)
    figure.stale = False


def draw_both_formats(figure: EvidenceFigure) -> npt.NDArray[np.uint8] | None:
    """Draw as for both formats; the figure keeps its SVG. None for a figure that has to be drawn for each."""
    if to_rgba(figure.get_facecolor())[3] < 1:
        return None
    try:
        with house_style():
            svg, pixels = draw_both(figure, PNG_DPI, SVG_METADATA)
    except NotImplementedError:
        return None
    figure.drawn_svg, figure.stale = _tidy(svg), False
    return pixels


def svg_text(figure: Figure, embed_font: bool = True) -> str:
    """The figure as SVG with title, description, real text and the embedded glyphs of that text.

    A page that shows many figures holds ``font_faces`` once and leaves the glyphs out of each figure.
    """
    alt = alt_text(figure)
    assert isinstance(figure, EvidenceFigure)
    if figure.stale or not figure.drawn_svg:
        figure.drawn_svg = _drawn(figure)
    svg = figure.drawn_svg
    end = svg.index(">") + 1
    opening = f'{svg[: end - 1]} role="img" aria-label={quoteattr(figure.heading or alt)}>'
    svg = _with_hovers(svg, figure.hovers)
    words = f"\n <title>{escape(figure.heading)}</title>\n <desc>{escape(alt)}</desc>"
    return f"{opening}{words}\n{_own_font_faces(svg) if embed_font else ''}{svg[end:]}"


def _drawn(figure: EvidenceFigure) -> str:
    buffer = io.StringIO()
    _draw(figure, buffer, format="svg", backend=SVG_BACKEND, metadata=SVG_METADATA)
    return _tidy(buffer.getvalue())


def _tidy(svg: str) -> str:
    """The element alone, without blanks at the ends of lines, with fonts for readers that lack the first."""
    svg = "\n".join(line.rstrip() for line in svg[svg.index("<svg") :].splitlines()) + "\n"
    return re.sub(r"'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif", svg)


def _with_hovers(svg: str, hovers: Sequence[Hover]) -> str:
    """The SVG with titles, which browsers show beside a resting pointer, on the named groups and on clear boxes."""
    if not hovers:
        return svg
    titles = {gid: f"<title>{_title(hover.words)}</title>" for hover in hovers for gid in hover.gids}
    svg = _GROUP.sub(lambda found: found[0] + titles.get(found[1], ""), svg)
    boxes = "".join(
        '  <rect x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>'.format(*hover.box)
        + f"{_title(hover.words)}</title></rect>\n"
        for hover in hovers
    )
    return svg.replace("</svg>", f' <g id="hovers" fill="none" pointer-events="all">\n{boxes} </g>\n</svg>')


def _title(words: str) -> str:
    return escape("\n".join(clean(line) for line in words.splitlines()))


def _own_font_faces(svg: str) -> str:
    used: dict[str, set[str]] = {"normal": set(), "bold": set()}
    for style, content in _TEXT.findall(svg):
        weight = "bold" if re.search(r"\b(bold|700)\b", style) else "normal"
        used[weight] |= set(_unescape(_TAG.sub("", content)))
    rules = font_faces({weight: _with_usual(found) for weight, found in used.items() if found - {" ", "\n"}})
    return f" <style>{rules}</style>" if rules else ""


def _with_usual(characters: set[str]) -> str:
    return USUAL_CHARACTERS + "".join(sorted(characters - set(USUAL_CHARACTERS) - {"\n"}))


def font_faces(characters: Mapping[str, str]) -> str:
    """CSS with the glyphs that are needed, by font weight ("normal", "bold")."""
    return " ".join(
        f"@font-face {{ font-family: '{FONT}'; font-weight: {weight}; "
        f"src: url(data:font/ttf;base64,{_subset(weight, text)}); }}"
        for weight, text in characters.items()
    )


@lru_cache(maxsize=64)
def _subset(weight: str, characters: str) -> str:
    """The glyphs of ``characters`` as a base64 TrueType font."""
    from fontTools import subset  # type: ignore[import-untyped]

    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = []
    options.notdef_outline = True
    options.drop_tables += ["GDEF", "GPOS", "GSUB", "FFTM", "kern", "DSIG"]
    options.recalc_timestamp = False
    font = subset.load_font(findfont(FontProperties(family=FONT, weight=weight)), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    buffer = io.BytesIO()
    font.save(buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
