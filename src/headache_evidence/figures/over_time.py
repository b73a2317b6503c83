"""Figures with time or a moderator along the axis: trajectories, meta-regression bubbles, and the study timeline."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from headache_evidence.effects.effect_table import study_data, usable_effects
from headache_evidence.figures.chart import LINE, category_styles, chart, needs, nothing_to_show
from headache_evidence.figures.effect_columns import study_labels
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.forest_words import axis_title
from headache_evidence.figures.hover_words import point_words
from headache_evidence.figures.measure_scale import MeasureScale, analysis_ticks
from headache_evidence.figures.number_text import number, plain
from headache_evidence.figures.palette import BLUE, INK
from headache_evidence.figures.point_labels import hover_points, label_points, say_unlabelled
from headache_evidence.figures.typeset import capitalised, words
from headache_evidence.pools.result import PooledResult

MOST_LABELLED_LINES = 15  # more lines than this go without study labels
TIME_AXES = {"weeks": ("Weeks", 1.0, (0, 1, 4, 8, 12, 26, 52, 104)), "days": ("Days", 7.0, (0, 1, 2, 3, 5, 7))}
MARK_PITCH = 8.0  # points between stacked marks of the timeline, above the largest mark with its edge
LARGEST_MARK, LEAST_MARK = 42.0, 14.0  # areas in square points


def bubble_plot(
    effects: pd.DataFrame,
    moderator: str,
    line: pd.DataFrame | None = None,
    *,
    result: PooledResult | None = None,
    title: str = "",
) -> EvidenceFigure:
    """Effects against a study characteristic, area by inverse variance, with the meta-regression line.

    Parameters
    ----------
    effects : effects table with the numeric column ``moderator``; usable rows that have it are drawn.
    moderator : column along the axis.
    line : ``x``, ``estimate``, ``ci_low``, ``ci_high`` on the analysis scale: the fitted line and its band.
    result : pooled result; its weights size the bubbles when it belongs to the same studies.
    title : bold line at the top.
    """
    needs(effects, (moderator, "yi", "vi"), "The effects table")
    usable = usable_effects(effects)
    rows = usable.loc[usable[moderator].notna()]
    name = capitalised(words(moderator))
    title = title or f"Effect by {words(moderator)}"
    if rows.empty:
        return nothing_to_show(title, f"No usable study reports {words(moderator)}.")
    data = study_data(rows)
    measures = set(rows["measure"]) if "measure" in rows.columns else set()
    scale = MeasureScale(str(measures.pop()) if len(measures) == 1 else "GEN")
    x = rows[moderator].to_numpy(float)
    weight = 1 / data.vi if result is None or len(result.weights) != data.k else np.array(result.weights)
    area = np.maximum(216 * weight / weight.max(), 4.0)
    notes = ["Area of a circle: weight of the study, with a least size."]
    silent = len(usable) - len(rows)
    notes += [f"Usable studies without it: {silent}."] if silent else []
    notes += ["Line and band: meta-regression with its 95% interval."] if line is not None else []
    with house_style():
        figure, axes = chart(
            300.0,
            200.0,
            title=title,
            x_title=name,
            y_title=axis_title(scale, rows),
            y_labels=["−00.00"],
            right=8.0,
            notes=notes,
        )
        ends = [data.yi.min(), data.yi.max(), *([0.0] if scale.null is not None else [])]
        if line is not None:
            needs(line, ("x", "estimate", "ci_low", "ci_high"), "The regression line")
            ends += [float(line["ci_low"].min()), float(line["ci_high"].max())]
        pad = 0.12 * max(max(ends) - min(ends), 1e-6)
        low, high = float(min(ends)) - pad, float(max(ends)) + pad
        width = float(np.ptp(x)) or 10.0
        axes.set(xlim=(float(x.min()) - 0.1 * width, float(x.max()) + 0.1 * width), ylim=(low, high))
        if line is not None:
            axes.fill_between(
                line["x"], line["ci_low"], line["ci_high"], facecolor="#e6e6e6", edgecolor="none", zorder=0
            )
            axes.plot(line["x"], line["estimate"], color=INK, lw=1.2, gid="regression-line")
        if scale.null is not None:
            axes.axhline(0, color=INK, lw=0.7, gid="null")
        axes.scatter(x, data.yi, s=area, facecolor=BLUE, edgecolor=INK, lw=0.5, alpha=0.75, zorder=2, gid="studies")
        ticks = analysis_ticks(scale, low, high)
        axes.set_yticks([at for at, _ in ticks], labels=[text for _, text in ticks])
        axes.set_xticks(*_moderator_ticks(x, axes.get_xlim()))
        radii = np.sqrt(area / np.pi).tolist()
        unlabelled = say_unlabelled(figure, label_points(axes, x, data.yi, study_labels(rows), radii), len(rows))
        hover_points(figure, axes, x, data.yi, point_words(data, scale), radii)
    described = (
        f"{len(rows)} studies with {words(moderator)} from {number(float(x.min()))} to {number(float(x.max()))}; "
    )
    low_y, high_y = scale.printed(np.array([data.yi.min(), data.yi.max()])).tolist()
    described += f"{scale.name.lower()} from {number(low_y)} to {number(high_y)}.{unlabelled}"
    numbers = pd.DataFrame({"label": study_labels(rows), moderator: x, "yi": data.yi, "vi": data.vi})
    return describe(figure, title, described, numbers)


def _moderator_ticks(x: np.ndarray, limits: tuple[float, float]) -> tuple[list[float], list[str]]:
    """Round values within the limits; whole numbers where the moderator has no others."""
    whole = bool(np.all(x == np.round(x)))
    values = MaxNLocator(nbins=6, integer=whole, steps=[1, 2, 2.5, 5, 10]).tick_values(*limits)
    inside = [float(v) for v in values if limits[0] <= v <= limits[1]]
    return inside, [plain(v) for v in inside]


def trajectory_plot(
    table: pd.DataFrame, *, y_title: str = "Mean", group_by: str = "technique", title: str = "Course over time by study"
) -> EvidenceFigure:
    """Means over time, one line per study and arm, styled by technique.

    Parameters
    ----------
    table : ``label``, ``weeks``, ``mean``, the column ``group_by``, perhaps ``arm`` (a line each) and ``n``.
    y_title : outcome and unit.
    group_by : column that gives colour and marker.
    title : bold line at the top.
    """
    needs(table, ("label", "weeks", "mean", group_by), "The table of means")
    rows = table.dropna(subset=["weeks", "mean"])
    if rows.empty:
        return nothing_to_show(title, "No study reports means over time.")
    lines = ["label", "arm"] if "arm" in rows.columns else ["label"]
    unit, per_week, ticks = TIME_AXES["days" if float(rows["weeks"].max()) <= 1.0 else "weeks"]
    rows = rows.assign(at=per_week * rows["weeks"].astype(float))
    groups = sorted(set(rows[group_by].map(words)))
    styles = category_styles(groups)
    with house_style():
        names = [name or "not stated" for name in groups]
        notes = ["Time axis: square root of time, so that early times do not crowd."]
        notes += (
            [f"{len(table) - len(rows)} rows without time or mean are not drawn."] if len(rows) < len(table) else []
        )
        figure, axes = chart(
            300.0,
            220.0,
            title=title,
            x_title=f"{unit} after the first procedure",
            y_title=y_title,
            legend=names,
            notes=notes,
        )
        times = rows["at"].to_numpy(float)
        last = max(float(times.max()), 1.0)
        axes.set_xscale("function", functions=(_signed_root, _signed_square))
        axes.set_xlim(min(float(times.min()), 0.0) - 0.002 * last, 1.05 * last)
        chosen = [t for t in ticks if t <= last]
        axes.set_xticks(chosen, labels=[f"{t:g}" for t in chosen])
        axes.minorticks_off()
        values = rows["mean"].to_numpy(float)
        top = float(values.max())
        axes.set_ylim(min(0.0, float(values.min())), top + 0.06 * max(abs(top), 1e-6))
        for i, (_, part) in enumerate(rows.groupby(lines, sort=True)):
            part = part.sort_values("weeks", kind="stable")
            style = styles[words(part[group_by].iloc[0])]
            axes.plot(
                part["at"], part["mean"], color=style.colour, lw=0.9, marker=style.marker, ms=3.6, gid=f"line-{i}"
            )
        for name in groups:
            style = styles[name]
            axes.plot([], [], color=style.colour, marker=style.marker, ms=4, lw=0.9, label=name or "not stated")
        axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0)
        ends = rows.sort_values("weeks", kind="stable").groupby(lines).last().reset_index()
        silent = len(ends)
        if len(ends) <= MOST_LABELLED_LINES:
            silent = label_points(axes, ends["at"], ends["mean"], ends["label"].to_list())
        unlabelled = say_unlabelled(figure, silent, len(ends), "lines")
        shown = [
            f"{row['label']}: {number(row['mean'])} at {row['at']:.3g} {unit.lower()}"
            for row in rows.to_dict("records")
        ]
        hover_points(figure, axes, rows["at"], rows["mean"], shown)
    first = rows.sort_values("weeks", kind="stable").groupby(lines)["mean"].first()
    final = rows.sort_values("weeks", kind="stable").groupby(lines)["mean"].last()
    fell = int((final.to_numpy() < first.to_numpy()).sum())
    summary = f"{len(first)} courses from {rows['label'].nunique()} studies over up to {last:.3g} {unit.lower()}; "
    summary += f"{fell} end lower than they started.{unlabelled}"
    return describe(figure, title, summary, rows.drop(columns="at").reset_index(drop=True))


def timeline_plot(
    studies: pd.DataFrame, *, group_by: str = "technique", title: str = "Studies by year and technique"
) -> EvidenceFigure:
    """One mark per study along the years, a row per technique; area by patients, stacked where years coincide.

    Parameters
    ----------
    studies : ``year``, the column ``group_by``, perhaps ``n`` (patients) and ``label`` (for a resting pointer).
    group_by : column that gives the rows.
    title : bold line at the top.
    """
    needs(studies, ("year", group_by), "The table of studies")
    rows = studies.dropna(subset=["year"])
    if rows.empty:
        return nothing_to_show(title, "No study has a year.")
    groups = rows[group_by].map(words).value_counts().sort_index().sort_values(ascending=False, kind="stable")
    n = rows["n"].astype(float) if "n" in rows.columns else pd.Series(np.nan, index=rows.index)
    most = float(n.max()) if n.notna().any() else 1.0
    stack = {g: int(rows.loc[rows[group_by].map(words) == g, "year"].value_counts().max()) for g in groups.index}
    heights = [max(stack[g] * MARK_PITCH + 8.0, LINE + 4.0) for g in groups.index]
    names = [f"{capitalised(str(g)) or 'Not stated'} ({count})" for g, count in groups.items()]
    styles = category_styles(list(groups.index))
    notes = ["One mark per study. Area: patients, with a least size; open: number not known."]
    notes += (
        [f"{len(studies) - len(rows)} studies without a visible year are not drawn."]
        if len(rows) < len(studies)
        else []
    )
    with house_style():
        figure, axes = chart(
            380.0, sum(heights), title=title, x_title="Year of publication", y_labels=names, notes=notes
        )
        years = rows["year"].to_numpy(float)
        axes.set(xlim=(years.min() - 1.5, years.max() + 1.5), ylim=(sum(heights), 0))
        bottoms = np.cumsum(heights)
        axes.set_yticks([b - 8.0 for b in bottoms], labels=names)
        axes.set_xticks(_whole_years(float(years.min()), float(years.max())))
        axes.tick_params(axis="y", length=0)
        for g, bottom in zip(groups.index, bottoms, strict=True):
            axes.axhline(bottom, color="#e0e0e0", lw=0.6, zorder=0)
            part = rows.loc[rows[group_by].map(words) == g].sort_values("year", kind="stable")
            level = part.groupby("year").cumcount().to_numpy(float)
            patients = n.loc[part.index].to_numpy(float)
            area = np.where(
                np.isfinite(patients), np.maximum(LARGEST_MARK * np.nan_to_num(patients) / most, LEAST_MARK), LEAST_MARK
            )
            filled = np.isfinite(patients)
            heights_here = bottom - 6.0 - MARK_PITCH * level
            if "label" in part.columns:
                hover_points(figure, axes, part["year"], heights_here, _study_words(part, patients))
            for chosen, face in ((filled, styles[g].colour), (~filled, "white")):
                axes.scatter(
                    part["year"].to_numpy(float)[chosen], heights_here[chosen], s=area[chosen],
                    marker=styles[g].marker, facecolor=face, edgecolor=styles[g].colour, lw=0.7, clip_on=False,
                )  # fmt: skip
    spans = f"{int(years.min())} to {int(years.max())}"
    text = f"{len(rows)} studies from {spans}: {', '.join(f'{words(g)} {count}' for g, count in groups.items())}."
    return describe(figure, title, text, rows.reset_index(drop=True))


def _study_words(part: pd.DataFrame, patients: np.ndarray) -> list[str]:
    sizes = [f"{n:.0f} patients" if np.isfinite(n) else "number of patients not known" for n in patients.tolist()]
    return [f"{label}\n{size}" for label, size in zip(study_labels(part), sizes, strict=True)]


def _whole_years(first: float, last: float) -> list[int]:
    step = next(step for step in (1, 2, 5, 10, 20, 50) if (last - first) / step <= 8)
    return [year for year in range(int(first), int(last) + 1) if year % step == 0] or [int(first)]


def _signed_root(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.sign(x) * np.sqrt(np.abs(x)))


def _signed_square(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.sign(x) * np.square(x))
