"""Contour-enhanced funnel plot, with the studies that trim and fill puts in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import norm

from headache_evidence.effects.effect_table import study_data
from headache_evidence.figures.chart import chart, nothing_to_show
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.forest_words import axis_title
from headache_evidence.figures.hover_words import point_words
from headache_evidence.figures.measure_scale import MeasureScale, analysis_ticks
from headache_evidence.figures.palette import BLUE, INK, PAPER
from headache_evidence.figures.point_labels import hover_points, label_points, say_unlabelled
from headache_evidence.figures.result_words import effect_words
from headache_evidence.pools.result import PooledResult

CONTOURS = (0.90, 0.95, 0.99)
SHADES = ("#e6e6e6", "#cfcfcf", "#b5b5b5", "#f4f4f4")


def funnel_plot(
    effects: pd.DataFrame,
    result: PooledResult,
    *,
    filled_yi: npt.ArrayLike = (),
    filled_vi: npt.ArrayLike = (),
    adjusted: PooledResult | None = None,
    contours: Sequence[float] = CONTOURS,
    labels: bool = True,
    title: str = "",
) -> EvidenceFigure:
    """Effects against their standard errors, over the regions of the two-sided P value (Peters et al. 2008).

    The contours stand on the null; the dotted funnel stands on the pooled effect and ignores heterogeneity. For single
    proportions, which have no null, there is the funnel alone.

    Parameters
    ----------
    effects : effects table (usable rows are drawn).
    result : its pooled result.
    filled_yi, filled_vi : imputed effects (``TrimAndFill.filled_yi`` and ``.filled_vi``), drawn open.
    adjusted : pooled result with the imputed effects, a second dashed line.
    contours : confidence levels of the contours, ascending.
    labels : write study labels where there is room.
    title : bold line at the top.
    """
    title = title or "Funnel plot"
    data = study_data(effects)
    if data.k == 0:
        return nothing_to_show(title, "No usable evidence: nothing to draw.")
    scale = MeasureScale(result.measure)
    se, extra_y, extra_se = np.sqrt(data.vi), np.asarray(filled_yi, float), np.sqrt(np.asarray(filled_vi, float))
    top = 1.06 * float(max(se.max(), extra_se.max(initial=0.0)))
    reach = norm.ppf(0.975) * top
    centre = result.estimate if result.k else float(data.yi.mean())
    null = [] if scale.null is None else [-reach / 2, reach / 2]
    everything = np.concatenate([data.yi, extra_y, [centre - reach, centre + reach], null])
    low, high = float(everything.min()), float(everything.max())
    low, high = low - 0.04 * (high - low), high + 0.04 * (high - low)
    notes = [_contour_note(contours)] if scale.null is not None else []
    notes.append("Dotted lines: where 95% of studies lie around the pooled effect (dashed) without heterogeneity.")
    if extra_y.size:
        notes.append(f"Open circles: {extra_y.size} effects imputed by trim and fill; dash-dotted: pooled with them.")
    if data.k < 10:
        notes.append(f"k = {data.k}: the shape says little, asymmetry is not assessed below 10 studies.")
    with house_style():
        x_title = axis_title(scale, effects)
        figure, axes = chart(300.0, 230.0, title=title, x_title=x_title, y_title="Standard error", notes=notes)
        axes.set(xlim=(low, high), ylim=(top, 0.0))
        if scale.null is not None:
            _draw_contours(axes, contours, low, high, top)
            axes.plot([0.0, 0.0], [0.0, top], color=INK, lw=0.8, gid="null")
        for sign in (-1, 1):
            axes.plot([centre, centre + sign * reach], [0.0, top], color=INK, lw=0.8, ls=":", gid=f"funnel-{sign}")
        axes.plot([centre, centre], [0.0, top], color=INK, lw=0.8, ls=(0, (4, 3)), gid="pooled-line")
        if adjusted is not None and adjusted.estimable and extra_y.size:
            axes.plot([adjusted.estimate] * 2, [0.0, top], color=INK, lw=0.8, ls="-.", gid="adjusted-line")
        axes.plot(data.yi, se, "o", ms=4.5, mfc=BLUE, mec=INK, mew=0.5, zorder=3, gid="studies")
        if extra_y.size:
            axes.plot(extra_y, extra_se, "o", ms=4.5, mfc=PAPER, mec=INK, mew=0.8, zorder=3, gid="imputed")
        ticks = analysis_ticks(scale, low, high)
        axes.set_xticks([at for at, _ in ticks], labels=[text for _, text in ticks])
        silent = say_unlabelled(figure, label_points(axes, data.yi, se, data.labels), data.k) if labels else ""
        hover_points(figure, axes, data.yi, se, point_words(data, scale))
    imputed = f" {extra_y.size} effects imputed by trim and fill." if extra_y.size else ""
    words = f"{data.k} studies around the pooled effect {effect_words(result, scale)}; standard errors from "
    words += f"{se.min():.2g} to {se.max():.2g}.{imputed}{silent}"
    numbers = pd.DataFrame(
        {
            "label": [*data.labels, *(f"imputed {i + 1}" for i in range(extra_y.size))],
            "yi": np.append(data.yi, extra_y),
            "se": np.append(se, extra_se),
        }
    )
    return describe(figure, title, words, numbers)


def _draw_contours(axes: Axes, contours: Sequence[float], low: float, high: float, top: float) -> None:
    axes.set_facecolor(SHADES[3])
    edges = [0.0, *(float(norm.ppf(0.5 + level / 2)) for level in contours)]
    for inner, outer, shade in zip(edges[:-1], edges[1:], ("white", *SHADES), strict=False):
        for sign in (-1, 1):
            corners_x = [0.0, sign * inner * top, sign * outer * top]
            axes.fill(corners_x, [0.0, top, top], facecolor=shade, edgecolor="none", zorder=0)


def _contour_note(contours: Sequence[float]) -> str:
    bounds = [f"{1 - level:.3g}" for level in contours]
    return (
        f"Regions from white outwards: P above {bounds[0]}, then down to {', '.join(bounds[1:])}, and below (palest)."
    )
