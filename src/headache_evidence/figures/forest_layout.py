"""The layouts of a forest: which columns stand left and right of the plot, and how numbers and marks look."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from headache_evidence.errors import InputError
from headache_evidence.figures.palette import BLUE, INK

Preset = Literal["cochrane", "meta", "journal", "jama", "bmj", "compact", "subgroups"]
_ZERO = re.compile(r"\b(P [=<>]) 0\.")
LAYOUT_WORDS = frozenset({"label", "descriptive", "arms", "n", "weight", "effect"})  # other words name columns
LIGHT_BLUE = "#9ecae1"


@dataclass(frozen=True)
class ForestLayout:
    """The choices that make a forest look like those of a journal or a program.

    ``left`` and ``right`` name the columns beside the plot: "label"; "descriptive" (the columns chosen for the plot);
    "arms" (mean, SD and n, or events, per arm); "n" (patients or events per arm); "weight"; "effect"; or any column of
    the effects table. Change a layout with ``dataclasses.replace(FOREST_LAYOUTS["meta"], right=("effect", "year"))``.
    """

    left: tuple[str, ...] = ("label", "descriptive", "arms", "weight", "effect")
    right: tuple[str, ...] = ()
    label_heading: str = "Study"
    brackets: tuple[str, str, str] = ("[", ",", "]")  # before, between and after the bounds of an interval
    studies: bool = True  # False: one row per subgroup
    plot_width: float = 180.0  # points, at least
    sides_on_top: bool = False  # what either side favours in bold above the plot, not below its axis
    tau2: bool = True  # print tau2 among the lines on heterogeneity
    leading_zero: bool = True  # "P = 0.03", not "P = .03"
    prediction: Literal["bar", "line", "density"] = "bar"
    square: str = BLUE
    overall: str = INK
    subtotal: str = LIGHT_BLUE

    def printed(self, line: str) -> str:
        """A line of text with P values as this layout prints them."""
        return line if self.leading_zero else _ZERO.sub(r"\1 .", line)

    def with_columns(self, given: bool) -> ForestLayout:
        """The layout with room for descriptive columns when such were ``given`` and it has none."""
        if not given or "descriptive" in self.left + self.right:
            return self
        return replace(self, left=(*self.left[:1], "descriptive", *self.left[1:]))


_META = ForestLayout(left=("label", "descriptive", "arms"), right=("effect", "weight"))
_ROUND = ("(", " to", ")")
FOREST_LAYOUTS: dict[str, ForestLayout] = {
    "cochrane": ForestLayout(),  # RevMan
    "meta": _META,  # meta::forest in R
    "journal": _META,
    "jama": ForestLayout(
        left=("label", "arms", "effect"), right=("weight",), label_heading="Source", brackets=_ROUND, plot_width=200.0,
        sides_on_top=True, tau2=False, leading_zero=False, square="#1f4e79", overall=LIGHT_BLUE,
    ),
    "bmj": ForestLayout(
        ("label", "arms"), ("weight", "effect"), brackets=_ROUND, square=INK, overall=BLUE, subtotal=BLUE
    ),
    "compact": ForestLayout(("label", "n"), ("weight", "effect"), plot_width=150.0),
    "subgroups": ForestLayout(("label", "n"), ("effect",), "Subgroup", studies=False),
}  # fmt: skip


def layout_of(preset: str | ForestLayout) -> ForestLayout:
    """The layout of a name; InputError lists the names."""
    if isinstance(preset, ForestLayout):
        return preset
    if preset not in FOREST_LAYOUTS:
        raise InputError(f"Unknown preset {preset!r}; allowed are {', '.join(FOREST_LAYOUTS)}, or a ForestLayout.")
    return FOREST_LAYOUTS[preset]
