"""GOSH: the cloud of pooled results over all subsets of the studies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from headache_evidence.errors import InputError
from headache_evidence.figures.chart import chart, needs, nothing_to_show
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.measure_scale import MeasureScale, analysis_ticks
from headache_evidence.figures.number_text import interval_words, number
from headache_evidence.figures.palette import BLUE, INK, VERMILLION

BINS = 48


def gosh_plot(
    subsets: pd.DataFrame,
    *,
    measure: str = "GEN",
    highlight: int | None = None,
    title: str = "All subsets of the studies",
) -> EvidenceFigure:
    """Heterogeneity against pooled effect over all subsets (Olkin, Dahabreh and Trikalinos 2012), as a binned cloud.

    Parameters
    ----------
    subsets : ``estimate``, ``i2`` (percent, NaN for single studies) and ``members`` (bit i set: study i is in), as
        ``gosh`` gives them; ``attrs["labels"]`` names the studies.
    measure : metafor's code, for the axis.
    highlight : number of a study (from 0): subsets with it are drawn as crosses, those without as squares.
    title : bold line at the top.
    """
    needs(subsets, ("estimate", "i2", "members"), "The table of subsets")
    table = subsets.loc[np.isfinite(subsets["i2"].to_numpy(float))]
    if table.empty:
        return nothing_to_show(title, "Fewer than two studies: there are no subsets to compare.")
    labels = list(subsets.attrs.get("labels", ()))
    if highlight is not None and not 0 <= highlight < max(len(labels), 62):
        raise InputError(f"highlight counts studies from 0; got {highlight} for {len(labels)} studies.")
    x, y = table["estimate"].to_numpy(float), table["i2"].to_numpy(float)
    scale = MeasureScale(measure)
    margin = 0.05 * max(float(np.ptp(x)), 1e-6)
    low, high = float(x.min()) - margin, float(x.max()) + margin
    groups = [(np.ones(len(x), bool), BLUE, "s", "all subsets")]
    if highlight is not None:
        inside = (table["members"].to_numpy(np.int64) >> highlight & 1).astype(bool)
        name = labels[highlight] if labels else f"study {highlight + 1}"
        groups = [(~inside, BLUE, "s", f"without {name}"), (inside, VERMILLION, "x", f"with {name}")]
    names = [name for *_, name in groups]
    with house_style():
        figure, axes = chart(
            280.0, 210.0, title=title, x_title=f"{scale.name} (log scale)" if scale.is_ratio else scale.name,
            y_title="I² (%)", legend=names if highlight is not None else (), top=38.0,
            notes=["Mark size: number of subsets at that place (square root). Above: their distribution."],
        )  # fmt: skip
        axes.set(xlim=(low, high), ylim=(-4, 104))
        edges_x, edges_y = np.linspace(low, high, BINS + 1), np.linspace(-1, 101, 52)
        for chosen, colour, marker, name in groups:
            counts, _, _ = np.histogram2d(x[chosen], y[chosen], bins=(edges_x, edges_y))
            i, j = np.nonzero(counts)
            size = 1.5 + 22 * np.sqrt(counts[i, j] / max(counts.max(), 1))
            middle_x, middle_y = (edges_x[:-1] + edges_x[1:]) / 2, (edges_y[:-1] + edges_y[1:]) / 2
            axes.scatter(middle_x[i], middle_y[j], s=size, marker=marker, color=colour, lw=0.7, label=name, gid=name)
        box = axes.get_position()
        above = figure.add_axes(
            (box.x0, box.y1 + 4 / 72 / figure.get_figheight(), box.width, 32 / 72 / figure.get_figheight())
        )
        for chosen, colour, marker, _ in groups:
            style = "-" if marker == "s" else "--"
            heights, _ = np.histogram(x[chosen], bins=edges_x)
            above.stairs(heights, edges_x, color=colour, lw=0.9, ls=style)
        above.set(xlim=(low, high), xticks=[], yticks=[])
        above.spines[["left", "bottom"]].set_visible(False)
        ticks = analysis_ticks(scale, low, high)
        axes.set_xticks([at for at, _ in ticks], labels=[text for _, text in ticks])
        if highlight is not None:
            axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
        axes.axhline(0, color=INK, lw=0.4)
    printed = scale.printed(np.quantile(x, [0.025, 0.5, 0.975])).tolist()
    words = f"{len(table)} subsets: pooled effects have median {number(printed[1])} and 95% of them lie between "
    words += f"{interval_words((printed[0], printed[2]))}; I² runs from {y.min():.0f} to {y.max():.0f}%."
    return describe(figure, title, words, table[["members", "estimate", "i2"]].reset_index(drop=True))
