"""What every figure of this package is: a matplotlib Figure that carries its heading, its words and its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

from headache_evidence.errors import InputError
from headache_evidence.figures.palette import FONT, FONT_SIZE, INK
from headache_evidence.figures.png_canvas import FigureCanvas

POINTS_PER_INCH = 72.0
_STYLED: tuple[str, ...] = (
    *("axes.", "figure.", "font.", "grid.", "hatch.", "legend.", "lines.", "mathtext.", "patch.", "path.", "pdf."),
    *("savefig.", "scatter.", "svg.", "text.", "xtick.", "ytick."),
)
HOUSE_STYLE: dict[str, Any] = {
    "font.family": [FONT],
    "font.size": FONT_SIZE,
    "axes.titlesize": FONT_SIZE + 1,
    "axes.labelsize": FONT_SIZE,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "text.hinting": "none",  # hinted glyphs are up to a sixth wider than they were measured
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": FONT_SIZE - 0.5,
    "ytick.labelsize": FONT_SIZE - 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "legend.frameon": False,
    "legend.fontsize": FONT_SIZE - 0.5,
    "hatch.linewidth": 0.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "headache-evidence",
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}

_IN_HOUSE_STYLE: ContextVar[bool] = ContextVar("in_house_style", default=False)


@contextmanager
def house_style() -> Iterator[None]:
    """The look of every figure, whatever the caller's rcParams say; they are as before afterwards."""
    if _IN_HOUSE_STYLE.get():
        yield
        return
    changes = {key: value for key, value in _house_settings().items() if mpl.rcParams[key] != value}
    inside = _IN_HOUSE_STYLE.set(True)
    try:
        with mpl.rc_context(changes) if changes else nullcontext():
            yield
    finally:
        _IN_HOUSE_STYLE.reset(inside)


@lru_cache(maxsize=1)
def _house_settings() -> dict[Any, Any]:
    return {key: value for key, value in mpl.rcParamsDefault.items() if key.startswith(_STYLED)} | HOUSE_STYLE


@dataclass(frozen=True)
class Hover:
    """Words that a viewer of the SVG shows when the pointer rests on a box, or on the artists with these gids.

    ``box`` is left, top, width and height in points from the top left corner of the figure.
    """

    words: str
    box: tuple[float, float, float, float]
    gids: tuple[str, ...] = ()


class EvidenceFigure(Figure):
    """A figure with a heading, a text alternative made from its numbers, and those numbers as a table."""

    heading: str = ""
    description: str = ""
    numbers: pd.DataFrame = pd.DataFrame()
    hovers: tuple[Hover, ...] = ()
    drawn_svg: str = ""  # as last drawn; outdated while the figure is stale

    def draw(self, renderer: RendererBase) -> None:
        """Draw in the house style, whoever asks and whatever the rcParams are then."""
        with house_style():
            super().draw(renderer)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Notebooks show the SVG, and the text alternative where graphics cannot be shown."""
        from headache_evidence.figures.saving import svg_text

        return {"image/svg+xml": svg_text(self), "text/plain": alt_text(self)}


def new_figure(width: float, height: float) -> EvidenceFigure:
    """An empty white figure of ``width`` x ``height`` points with a canvas of its own, unknown to pyplot."""
    figure = EvidenceFigure(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH), dpi=100, facecolor="white")
    FigureCanvas(figure)
    return figure


def describe(figure: EvidenceFigure, heading: str, description: str, numbers: pd.DataFrame) -> EvidenceFigure:
    """Attach heading, text alternative and the table of numbers; return the figure."""
    figure.heading = heading
    figure.description = " ".join(description.split())
    figure.numbers = numbers
    return figure


def alt_text(figure: Figure) -> str:
    """The text alternative of a figure: what it shows, in words and numbers.

    Raises
    ------
    InputError
        if the figure was not made by this package.
    """
    if not isinstance(figure, EvidenceFigure):
        raise InputError("alt_text needs a figure made by this package; other figures carry no description.")
    return f"{figure.heading}. {figure.description}" if figure.heading else figure.description
