"""Scatter plots with a point per study: Baujat, radial (Galbraith) and L'Abbe."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from headache_evidence.effects.effect_table import FloatArray, study_data, usable_effects
from headache_evidence.figures.chart import chart, needs, nothing_to_show
from headache_evidence.figures.effect_columns import study_labels
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.hover_words import point_words
from headache_evidence.figures.measure_scale import MeasureScale, analysis_ticks
from headache_evidence.figures.number_text import number
from headache_evidence.figures.palette import BLUE, INK, PALE, RULE
from headache_evidence.figures.point_labels import hover_points, label_points, say_unlabelled
from headache_evidence.figures.result_words import effect_words
from headache_evidence.pools.result import PooledResult


def baujat_plot(table: pd.DataFrame, *, title: str = "Which studies drive heterogeneity and result") -> EvidenceFigure:
    """Influence on the pooled effect against contribution to heterogeneity (Baujat et al. 2002).

    Parameters
    ----------
    table : ``label``, ``x`` (contribution to heterogeneity), ``y`` (influence), as ``baujat`` gives them.
    title : bold line at the top.
    """
    needs(table, ("label", "x", "y"), "The Baujat table")
    x, y = table["x"].to_numpy(float), table["y"].to_numpy(float)
    if not np.isfinite(x).any():
        return nothing_to_show(title, "Fewer than two studies: heterogeneity and influence do not exist.")
    with house_style():
        figure, axes = chart(
            280.0, 210.0, title=title, x_title="Contribution to heterogeneity", y_title="Influence on the pooled effect"
        )
        axes.set(
            xlim=(-0.04 * x.max() - 1e-9, 1.12 * x.max() + 1e-6), ylim=(-0.04 * y.max() - 1e-9, 1.1 * y.max() + 1e-6)
        )
        _points(axes, x, y)
        labels = table["label"].to_list()
        silent = say_unlabelled(figure, label_points(axes, x, y, labels), len(labels))
        shown = zip(labels, x.tolist(), y.tolist(), strict=True)
        texts = [f"{name}\nheterogeneity {number(at, 3)}, influence {number(up, 3)}" for name, at, up in shown]
        hover_points(figure, axes, x, y, texts)
    most = table["label"].iloc[int(np.nanargmax(x))]
    words = f"{len(table)} studies. {most} contributes most to heterogeneity ({number(float(np.nanmax(x)))}); "
    words += (
        f"{table['label'].iloc[int(np.nanargmax(y))]} moves the pooled effect most ({number(float(np.nanmax(y)))})."
    )
    words += silent
    return describe(figure, title, words, table[["label", "x", "y"]].reset_index(drop=True))


def radial_plot(effects: pd.DataFrame, result: PooledResult, *, title: str = "Radial plot") -> EvidenceFigure:
    """Standardised effects against precision (Galbraith 1988): slopes are effects, read off the axis at the right.

    Points within the band lie within two standard errors of the pooled effect. The precision uses tau2 of the pooled
    result, as the weights do.

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
    tau2 = result.tau2 if np.isfinite(result.tau2) else 0.0
    precision = 1 / np.sqrt(data.vi + tau2)
    standardised = data.yi * precision
    low, high = float(min(data.yi.min(), result.estimate, 0)), float(max(data.yi.max(), result.estimate, 0))
    x_max = 1.1 * float(precision.max())
    y_all = np.concatenate([standardised, [0, 2, -2], [result.estimate * x_max + 2, result.estimate * x_max - 2]])
    y_low, y_high = float(y_all.min()) - 0.5, float(y_all.max()) + 0.5
    with house_style():
        notes = ["Line: pooled effect; band: two standard errors around it. Read a study's effect off the right axis."]
        figure, axes = chart(
            240.0, 220.0, title=title, x_title="Precision (1 / standard error)", y_title="Effect / standard error",
            right=78.0, notes=notes,
        )  # fmt: skip
        axes.set(xlim=(0, x_max), ylim=(y_low, y_high))
        line = result.estimate * np.array([0.0, x_max])
        axes.fill_between([0, x_max], line - 2, line + 2, facecolor="#ececec", edgecolor="none", zorder=0)
        axes.plot([0, x_max], line, color=INK, lw=0.9, ls=(0, (4, 3)), gid="pooled-line")
        axes.plot([0, x_max], [0, 0], color=RULE, lw=0.6)
        _points(axes, precision, standardised)
        silent = say_unlabelled(figure, label_points(axes, precision, standardised, data.labels), data.k)
        hover_points(figure, axes, precision, standardised, point_words(data, scale))
        _arc(axes, scale, low, high, x_max, y_low, y_high)
    outside = int((np.abs(standardised - result.estimate * precision) > 2).sum())
    words = (
        f"{data.k} studies, pooled {effect_words(result, scale)}; {outside} lie more than two standard errors from it."
    )
    words += silent
    numbers = pd.DataFrame({"label": data.labels, "precision": precision, "standardised": standardised})
    return describe(figure, title, words, numbers)


def labbe_plot(
    effects: pd.DataFrame, result: PooledResult | None = None, *, title: str = "L'Abbé plot"
) -> EvidenceFigure:
    """Event rate of the intervention arm against that of the comparator arm (L'Abbe et al. 1987), area by patients.

    Parameters
    ----------
    effects : effects table with ``events1``, ``n1``, ``events2``, ``n2``; usable rows that have all four are drawn.
    result : pooled odds ratio, risk ratio or risk difference: a dashed curve.
    title : bold line at the top.
    """
    needs(effects, ("events1", "n1", "events2", "n2"), "The effects table")
    usable = usable_effects(effects)
    rows = usable.dropna(subset=["events1", "n1", "events2", "n2"])
    if rows.empty:
        return nothing_to_show(title, "No study gives events and totals of both arms.")
    first = 100 * rows["events1"].to_numpy(float) / rows["n1"].to_numpy(float)
    second = 100 * rows["events2"].to_numpy(float) / rows["n2"].to_numpy(float)
    n = rows["n1"].to_numpy(float) + rows["n2"].to_numpy(float)
    left_out = len(usable) - len(rows)
    with house_style():
        notes = ["Area of a circle: patients. Diagonal: no difference."]
        notes += [f"Dashed: pooled {_name_and_effect(result)}, k = {result.k}."] if result is not None else []
        notes += [f"{left_out} studies give no event counts and are not drawn."] if left_out else []
        figure, axes = chart(
            240.0, 240.0, title=title, x_title="Event rate, comparator (%)", y_title="Event rate, intervention (%)",
            notes=notes,
        )  # fmt: skip
        axes.set(xlim=(-3, 103), ylim=(-3, 103), xticks=range(0, 101, 20), yticks=range(0, 101, 20))
        axes.plot([0, 100], [0, 100], color=RULE, lw=0.8, gid="no-difference")
        if result is not None and result.estimable:
            grid = np.linspace(0.1, 99.9, 300)
            axes.plot(grid, _pooled_rate(grid, result), color=INK, lw=0.9, ls=(0, (4, 3)), gid="pooled-line")
        area = 140 * n / n.max()
        axes.scatter(second, first, s=area, facecolor=BLUE, edgecolor=INK, lw=0.5, alpha=0.75, gid="studies")
        labels, radii = study_labels(rows), np.sqrt(area / np.pi).tolist()
        silent = say_unlabelled(figure, label_points(axes, second, first, labels, radii), len(rows))
        counts = rows[["events1", "n1", "events2", "n2"]].to_numpy(float).tolist()
        shown = [
            f"{a}\n{e1:.0f} of {n1:.0f} against {e2:.0f} of {n2:.0f}"
            for a, (e1, n1, e2, n2) in zip(labels, counts, strict=True)
        ]
        hover_points(figure, axes, second, first, shown, radii)
    words = f"{len(rows)} studies, {n.sum():.0f} patients: {int((first > second).sum())} have more events under the "
    words += f"intervention, {int((first < second).sum())} fewer, {int((first == second).sum())} as many.{silent}"
    numbers = pd.DataFrame({"label": study_labels(rows), "rate1": first, "rate2": second, "n": n})
    return describe(figure, title, words, numbers)


def _name_and_effect(result: PooledResult) -> str:
    scale = MeasureScale(result.measure)
    return f"{scale.name.lower()} {effect_words(result, scale)}"


def _pooled_rate(percent: FloatArray, result: PooledResult) -> FloatArray:
    """Rate in the intervention arm (%) that the pooled effect gives for a rate in the comparator arm."""
    p = percent / 100
    if result.measure in ("OR", "PETO"):
        odds = p / (1 - p) * np.exp(result.estimate)
        rate = odds / (1 + odds)
    elif result.measure == "RR":
        rate = p * np.exp(result.estimate)
    else:
        rate = p + result.estimate
    return np.asarray(np.where((rate >= 0) & (rate <= 1), 100 * rate, np.nan), dtype=float)


def _points(axes: Axes, x: FloatArray, y: FloatArray) -> None:
    axes.plot(x, y, "o", ms=4.5, mfc=BLUE, mec=INK, mew=0.5, zorder=3, gid="studies")


def _arc(axes: Axes, scale: MeasureScale, low: float, high: float, x_max: float, y_low: float, y_high: float) -> None:
    """The scale of effects at the right edge: where a line from the origin with that slope leaves the axes."""
    spread = max(high - low, 1e-6)
    for at, text in analysis_ticks(scale, low - 0.1 * spread, high + 0.1 * spread, 6):
        y = at * x_max
        if y_low <= y <= y_high:
            axes.plot([x_max, 1.02 * x_max], [y, y], color=INK, lw=0.6, clip_on=False)
            axes.annotate(
                text, (1.02 * x_max, y), (3, 0), textcoords="offset points", va="center", annotation_clip=False
            )
    axes.spines["right"].set_visible(True)
    axes.spines["right"].set_color(PALE)
    axes.annotate(
        scale.name, (1.0, 0.5), (46, 0), xycoords="axes fraction", textcoords="offset points", rotation=90,
        ha="center", va="center", annotation_clip=False, gid="arc-title",
    )  # fmt: skip
