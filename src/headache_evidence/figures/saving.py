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
from xml.sax.saxutils import escape, quoteattr

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont

from headache_evidence.errors import InputError
from headache_evidence.figures.evidence_figure import EvidenceFigure, alt_text, house_style
from headache_evidence.figures.palette import FONT

FORMATS = ("svg", "png", "pdf", "csv")
_TEXT = re.compile(r"<text[^>]*style=\"([^\"]*)\"[^>]*>(.*?)</text>", re.DOTALL)
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
    paths = []
    for name in formats:
        path = target.parent / f"{target.name}.{name}"
        if name == "svg":
            path.write_text(svg_text(figure), encoding="utf-8", newline="\n")
        elif name == "csv":
            figure.numbers.to_csv(path, index=False, lineterminator="\n")
        elif name == "png":
            with house_style():
                figure.savefig(
                    path, format="png", metadata={"Software": None, "Title": figure.heading, "Description": alt}
                )
        else:
            with house_style():
                metadata = {
                    "CreationDate": None,
                    "Creator": None,
                    "Producer": None,
                    "Title": figure.heading,
                    "Subject": alt,
                }
                figure.savefig(path, format="pdf", metadata=metadata)
        paths.append(path)
    return paths


def svg_text(figure: Figure, embed_font: bool = True) -> str:
    """The figure as SVG with title, description, real text and the embedded glyphs of that text.

    A page that shows many figures holds ``font_faces`` once and leaves the glyphs out of each figure.
    """
    alt = alt_text(figure)
    assert isinstance(figure, EvidenceFigure)
    buffer = io.StringIO()
    with house_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = buffer.getvalue()
    svg = "\n".join(line.rstrip() for line in svg[svg.index("<svg") :].splitlines()) + "\n"
    svg = re.sub(r"'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif", svg)
    end = svg.index(">") + 1
    opening = f'{svg[: end - 1]} role="img" aria-label={quoteattr(figure.heading or alt)}>'
    words = f"\n <title>{escape(figure.heading)}</title>\n <desc>{escape(alt)}</desc>"
    return f"{opening}{words}\n{_own_font_faces(svg) if embed_font else ''}{svg[end:]}"


def _own_font_faces(svg: str) -> str:
    used: dict[str, set[str]] = {"normal": set(), "bold": set()}
    for style, content in _TEXT.findall(svg):
        weight = "bold" if re.search(r"\b(bold|700)\b", style) else "normal"
        used[weight] |= set(_unescape(_TAG.sub("", content)))
    rules = font_faces({weight: "".join(sorted(c)) for weight, c in used.items() if c - {" ", "\n"}})
    return f" <style>{rules}</style>" if rules else ""


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
