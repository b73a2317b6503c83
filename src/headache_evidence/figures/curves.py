"""Curves: the P value of every hypothesis (drapery plot) and the posterior of a Bayesian fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from headache_evidence.effects.effect_table import FloatArray, study_data
from headache_evidence.figures.chart import chart, needs, nothing_to_show
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style, new_figure
from headache_evidence.figures.forest_words import axis_title
from headache_evidence.figures.measure_scale import MeasureScale, analysis_ticks
from headache_evidence.figures.number_text import interval_words, number
from headache_evidence.figures.palette import BLUE, INK, PALE, QUIET, RULE
from headache_evidence.figures.result_words import effect_words
from headache_evidence.pools.result import PooledResult

PARAMETERS = {"mu": "mean effect", "prediction": "effect in a new setting", "tau": "τ, between-study SD"}


def drapery_plot(
    effects: pd.DataFrame, result: PooledResult, *, title: str = "P value of every effect"
) -> EvidenceFigure:
    """P-value functions of each study and of the pooled effect (Ruecker and Schwarzer 2021).

    A horizontal cut gives confidence intervals of any level: at P = 0.05 the 95% intervals. The pooled curve uses the
    statistic of the result (t or z).

    Parameters
    ----------
    effects : effects table (usable rows are drawn).
    result : its pooled result.
    title : bold line at the top.
    """
    data = study_data(effects)
    if data.k == 0:
        return nothing_to_show(title, "No usable evidence: nothing to draw.")
    scale = MeasureScale(result.measure)
    se = np.sqrt(data.vi)
    low = float(min((data.yi - 2.2 * np.minimum(se, np.median(se) * 2)).min(), result.ci[0], 0.0))
    high = float(max((data.yi + 2.2 * np.minimum(se, np.median(se) * 2)).max(), result.ci[1], 0.0))
    low, high = low - 0.03 * (high - low), high + 0.03 * (high - low)
    grid = np.unique(np.concatenate([np.linspace(low, high, 301), data.yi, [result.estimate]]))
    thin = float(np.clip(6.0 / data.k, 0.3, 0.8))
    notes = "Thin: studies." if data.k > 1 else "One study: nothing is pooled."
    if data.k > 1:
        notes += " Thick: pooled."
    if np.isfinite(result.prediction_interval[0]):
        notes += " Grey band: prediction interval."
    notes += " Right: confidence level of a cut."
    with house_style():
        figure, axes = chart(
            300.0, 200.0, title=title, x_title=axis_title(scale, effects), y_title="P value",
            right=44.0,
            notes=[notes],
        )  # fmt: skip
        axes.set(xlim=(low, high), ylim=(0, 1.02))
        if np.isfinite(result.prediction_interval[0]):
            start, end = np.clip(result.prediction_interval, low, high).tolist()
            axes.axvspan(start, end, facecolor="#ececec", edgecolor=PALE, zorder=0, gid="prediction")
        for i, (y, s) in enumerate(zip(data.yi.tolist(), se.tolist(), strict=True)):
            axes.plot(grid, 2 * norm.sf(np.abs(grid - y) / s), color=RULE, lw=thin, gid=f"study-{i}")
        if result.k > 1 and result.se > 0:
            axes.plot(grid, _pooled_p(grid, result), color=BLUE, lw=2.0, gid="pooled")
        if scale.null is not None:
            axes.axvline(0, color=INK, lw=0.8, gid="null")
        axes.axhline(0.05, color=INK, lw=0.6, ls=(0, (4, 3)))
        levels = (0.05, 0.1, 0.2, 0.5, 1.0)
        axes.set_yticks(levels, labels=["0.05", "0.1", "0.2", "0.5", "1"])
        for level in levels[:4]:
            axes.annotate(
                f"{100 * (1 - level):.0f}% CI", (1.0, level), (4, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", va="center", annotation_clip=False, gid=f"level-{level}",
            )  # fmt: skip
        ticks = analysis_ticks(scale, low, high)
        axes.set_xticks([at for at, _ in ticks], labels=[text for _, text in ticks])
    pooled = f"pooled {effect_words(result, scale)}" if result.k > 1 else "nothing pooled"
    words = f"P-value functions of {data.k} studies; {pooled}."
    return describe(figure, title, words, pd.DataFrame({"label": data.labels, "yi": data.yi, "se": se}))


def posterior_plot(
    densities: pd.DataFrame,
    *,
    measure: str = "GEN",
    intervals: dict[str, tuple[float, float, float]] | None = None,
    title: str = "Posterior distributions",
) -> EvidenceFigure:
    """Posterior densities of the mean effect, of a new setting, and of tau; one panel each.

    Parameters
    ----------
    densities : ``parameter`` (mu, prediction, tau), ``x``, ``density`` and perhaps ``prior_density`` (dashed), as
        ``BayesResult.densities()`` gives them.
    measure : metafor's code; effects get printed-scale ticks.
    intervals : per parameter: estimate, lower and upper bound of the credible interval; shades the interval.
    title : bold line at the top.
    """
    needs(densities, ("parameter", "x", "density"), "The table of densities")
    names = list(dict.fromkeys(densities["parameter"]))
    scale = MeasureScale(measure)
    width, gap, height, left, top = 190.0, 26.0, 120.0, 14.0, 32.0
    shaded = "Shaded: credible interval; line within it: median. " if intervals else ""
    dashed = "prior_density" in densities.columns and bool(densities["prior_density"].notna().any())
    note = f"{shaded}Vertical line at the null: no effect.{' Dashed: prior.' if dashed else ''}"
    total = left + len(names) * width + (len(names) - 1) * gap + 14.0
    high = top + height + 52.0
    parts = []
    with house_style():
        figure = new_figure(total, high)
        figure.text(10 / total, 1 - 16 / high, title, size=10, weight="bold", va="center", gid="title-0")
        figure.text(10 / total, 14 / high, note, size=7.5, va="center", gid="note-0")
        for place, name in enumerate(names):
            part = densities.loc[densities["parameter"] == name]
            x, density = part["x"].to_numpy(float), part["density"].to_numpy(float)
            axes = figure.add_axes(
                ((left + place * (width + gap)) / total, 1 - (top + height) / high, width / total, height / high)
            )
            axes.fill_between(x, density, facecolor="#eaf3f9", edgecolor="none")
            axes.plot(x, density, color=BLUE, lw=1.4, gid=f"posterior-{name}")
            if "prior_density" in part.columns and part["prior_density"].notna().any():
                axes.plot(x, part["prior_density"], color=QUIET, lw=0.9, ls=(0, (4, 3)), gid=f"prior-{name}")
            top_density = 1.08 * float(np.nanmax(density))
            if intervals is not None and name in intervals:
                estimate, lower, upper = intervals[name]
                inside = (x >= lower) & (x <= upper)
                axes.fill_between(x[inside], density[inside], facecolor="#a6cbe3", edgecolor="none")
                axes.plot([estimate] * 2, [0, float(np.interp(estimate, x, density))], color=INK, lw=0.9)
                shown = np.array(intervals[name]) if name == "tau" else scale.printed(intervals[name])
                middle, lower, upper = shown.tolist()
                parts.append(f"{PARAMETERS.get(name, name)} {number(middle)} ({interval_words((lower, upper))})")
            axes.set(ylim=(0, top_density), yticks=[], xlim=(float(x.min()), float(x.max())))
            axes.spines["left"].set_visible(False)
            axis_name = PARAMETERS.get(name, name)
            if name == "tau":
                axes.set_xlim(0.0, float(x.max()))
                ticks = MeasureScale("GEN").ticks(0.0, float(x.max()), 6)
                axes.set_xticks([at for at, _ in ticks], labels=[text for _, text in ticks])
            else:
                ticks = analysis_ticks(scale, float(x.min()), float(x.max()), 5)
                axes.set_xticks([at for at, _ in ticks], labels=[text for _, text in ticks])
                if scale.null is not None and x.min() <= 0 <= x.max():
                    axes.axvline(0, color=INK, lw=0.8)
                axis_name = f"{scale.name}: {axis_name}"
            axes.set_xlabel(axis_name)
            axes.set_gid(f"plot-{name}")
    words = f"Median and credible interval: {'; '.join(parts)}." if parts else f"Densities of {', '.join(names)}."
    return describe(figure, title, words, densities.reset_index(drop=True))


def _pooled_p(grid: FloatArray, result: PooledResult) -> FloatArray:
    statistic = np.abs(grid - result.estimate) / result.se
    tail = t.sf(statistic, result.df) if np.isfinite(result.df) else norm.sf(statistic)
    return np.asarray(2 * tail, dtype=float)
