"""Specification curve: the result under every defensible set of choices, and which choices gave it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from headache_evidence.figures.chart import LINE, MARGIN, chart, needs, nothing_to_show
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.forest_variants import bound_columns
from headache_evidence.figures.measure_scale import MeasureScale, analysis_ticks
from headache_evidence.figures.number_text import interval_words, number
from headache_evidence.figures.palette import BLUE, INK, PALE, RULE, VERMILLION
from headache_evidence.figures.typeset import capitalised, text_width, words


def specification_curve_plot(
    table: pd.DataFrame,
    choices: Sequence[str],
    *,
    measure: str = "GEN",
    main: int | None = None,
    title: str = "The result under every set of choices",
) -> EvidenceFigure:
    """Pooled effects sorted by size, and below them the choices behind each (Simonsohn, Simmons and Nelson 2020).

    Parameters
    ----------
    table : one row per specification: ``estimate``, ``ci_lower``, ``ci_upper`` (or ``ci_low``, ``ci_high``) on the
        analysis scale, and one column per choice. Rows without an estimate are counted in a note.
    choices : the columns that hold the choices.
    measure : metafor's code, for the axis.
    main : position of the protocol's specification in the table, drawn as a diamond.
    title : bold line at the top.
    """
    low_name, high_name = bound_columns(table)
    needs(table, ("estimate", *choices), "The table of specifications")
    finite = np.isfinite(table["estimate"].to_numpy(float))
    if not finite.any():
        return nothing_to_show(title, f"None of the {len(table)} specifications gives an estimate.")
    scale = MeasureScale(measure)
    places = np.flatnonzero(finite)
    order = places[np.argsort(table["estimate"].to_numpy(float)[places], kind="stable")]
    shown = table.iloc[order]
    estimate, low, high = (shown[name].to_numpy(float) for name in ("estimate", low_name, high_name))
    options = [
        (choice, option) for choice in choices for option in sorted(set(shown[choice].map(words)), key=str.casefold)
    ]
    names = [option or "not stated" for _, option in options]
    headings = [capitalised(words(choice)) for choice in choices]
    widest = [*names, *(f"{heading} " for heading in headings)]
    width, curve, matrix = min(max(4.0 * len(shown), 300.0), 640.0), 130.0, LINE * (len(options) + len(choices))
    clipped_low, clipped_high = _limits(estimate, low, high)
    with house_style():
        notes = ["Diamond: the protocol's choices." if main is not None else "", f"Specifications: {len(shown)}."]
        notes += [f"{int((~finite).sum())} specifications gave no estimate."] if not finite.all() else []
        beyond = int(((low < clipped_low) | (high > clipped_high)).sum())
        notes += [f"Intervals that reach beyond the axis and end at its edge: {beyond}."] if beyond else []
        left_room = max(text_width(text, bold=True) for text in widest)
        figure, below = chart(
            width, matrix, title=title, y_labels=["n" * int(1 + left_room / text_width("n"))],
            top=curve + 12.0, x_label_room=0.1, notes=[note for note in notes if note],
        )  # fmt: skip
        x = np.arange(len(shown))
        below.set(xlim=(-1, len(shown)), ylim=(len(options) + len(choices), 0), xticks=[], yticks=[])
        below.spines[["left", "bottom"]].set_visible(False)
        y, row = {}, 0
        for choice, heading in zip(choices, headings, strict=True):
            below.annotate(
                heading, (0, row + 0.5), (-left_room - 8, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", weight="bold", va="center", annotation_clip=False, gid=f"choice-{choice}",
            )  # fmt: skip
            row += 1
            for option in (option for name, option in options if name == choice):
                y[choice, option] = row + 0.5
                below.annotate(
                    option or "not stated", (0, row + 0.5), (-8, 0), xycoords=("axes fraction", "data"),
                    textcoords="offset points", ha="right", va="center", annotation_clip=False, gid=f"option-{row}",
                )  # fmt: skip
                row += 1
        below.hlines(list(y.values()), -1, len(shown), colors=PALE, linewidths=0.5, zorder=0)
        for choice in choices:
            heights = [y[choice, words(value)] for value in shown[choice]]
            below.plot(x, heights, "|", ms=6.0, mew=1.1, color=INK, gid=f"marks-{choice}")
        box, tall = below.get_position(), figure.get_figheight() * 72
        axes = figure.add_axes((box.x0, box.y1 + 8 / tall, box.width, curve / tall))
        axes.set_gid("plot-curve")
        axes.set(xlim=(-1, len(shown)), ylim=(clipped_low, clipped_high), xticks=[])
        axes.vlines(x, np.maximum(low, clipped_low), np.minimum(high, clipped_high), color=RULE, lw=0.8)
        axes.plot(x, estimate, "o", ms=2.8, color=BLUE, gid="estimates")
        if main is not None and finite[main]:
            at = int(np.flatnonzero(order == main)[0])
            axes.plot([at], [estimate[at]], "D", ms=6, mfc=VERMILLION, mec=INK, mew=0.7, gid="main")
        if scale.null is not None:
            axes.axhline(0, color=INK, lw=0.8, gid="null")
        ticks = analysis_ticks(scale, clipped_low, clipped_high, 8)
        axes.set_yticks([at for at, _ in ticks], labels=[text for _, text in ticks])
        figure.text(
            MARGIN / (72 * figure.get_figwidth()), box.y1 + (8 + curve / 2) / tall, scale.name, rotation=90,
            ha="left", va="center", gid="y-title",
        )  # fmt: skip
    excluding = int(((low > 0) | (high < 0)).sum()) if scale.null is not None else 0
    printed = scale.printed(np.quantile(estimate, [0, 0.5, 1])).tolist()
    text = f"{len(shown)} specifications: median {scale.name.lower()} {number(printed[1])}, "
    text += f"range {interval_words((printed[0], printed[2]))}."
    text += f" {excluding} intervals exclude no effect." if scale.null is not None else ""
    return describe(figure, title, text, shown.reset_index(drop=True))


def _limits(estimate: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Limits that hold all estimates, the null and nine tenths of the interval ends."""
    bottom = min(float(estimate.min()), float(np.nanquantile(low, 0.05)), 0.0)
    top = max(float(estimate.max()), float(np.nanquantile(high, 0.95)), 0.0)
    margin = 0.05 * max(top - bottom, 1e-9)
    return bottom - margin, top + margin
