"""Forests of pooled results on the row engine: leave-one-out, cumulative, and one row per question."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from headache_evidence.errors import InputError
from headache_evidence.figures.effect_columns import (
    LABEL_WIDTH,
    column_values,
    descriptive_columns,
    effect_cells,
    effect_columns,
)
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.forest_data import fitting_ticks
from headache_evidence.figures.forest_words import favours_arrows, numbers_shown
from headache_evidence.figures.measure_scale import MeasureScale, axis_limits
from headache_evidence.figures.number_text import count, interval_words, number
from headache_evidence.figures.result_words import effect_words
from headache_evidence.figures.row_drawing import draw
from headache_evidence.figures.row_marks import PlotAxis
from headache_evidence.figures.row_table import Column, Row, lay_out
from headache_evidence.figures.typeset import capitalised, clean, words
from headache_evidence.pools.result import PooledResult


def leave_one_out_plot(table: pd.DataFrame, result: PooledResult, *, title: str = "") -> EvidenceFigure:
    """Pooled effect without each study in turn; the dashed line is the pooled effect of all of them.

    Parameters
    ----------
    table : one row per study left out: ``label``, ``k``, ``estimate``, ``ci_lower``, ``ci_upper`` on the analysis scale
        (as ``leave_one_out`` gives them; ``ci_low`` and ``ci_high`` are understood too), perhaps ``i2`` and ``tau2``.
    result : the pooled result of all studies.
    """
    heading = title or "Pooled effect without each study in turn"
    extra = _present(table, ("tau2", "i2"))
    return estimates_plot(table, result.measure, title=heading, label_heading="Left out", pooled=result, extra=extra)


def cumulative_plot(table: pd.DataFrame, result: PooledResult, *, title: str = "") -> EvidenceFigure:
    """Pooled effect after each added study.

    Parameters
    ----------
    table : one row per step: ``label`` of the study added, ``k``, ``estimate``, ``ci_lower``, ``ci_upper`` on the
        analysis scale (as ``cumulative`` gives them), perhaps ``i2`` and ``tau2``.
    result : the pooled result of all studies.
    """
    heading = title or "Pooled effect after each added study"
    extra = _present(table, ("tau2", "i2"))
    return estimates_plot(table, result.measure, title=heading, label_heading="Added", pooled=result, extra=extra)


def estimates_plot(
    table: pd.DataFrame,
    measure: str,
    *,
    title: str = "",
    label_heading: str = "",
    pooled: PooledResult | None = None,
    extra: Sequence[str] = (),
    block_by: str | None = None,
    favours: tuple[str, str] | None = None,
) -> EvidenceFigure:
    """A forest of results that are pooled already: one row per subgroup, outcome, headache type or model.

    Parameters
    ----------
    table : ``label``, ``estimate``, ``ci_lower``, ``ci_upper`` (or ``ci_low``, ``ci_high``) on the analysis scale;
        ``k`` and ``n`` are printed when there; ``reason`` is printed where the estimate is missing.
    measure : metafor's code, for the axis and the back-transformation.
    title, label_heading : bold line above, heading of the first column.
    pooled : an overall result of two or more studies for the dashed line and the last row.
    extra : further columns to print as text.
    block_by : column whose values become headings.
    favours : what effects left and right of the null favour.

    Raises
    ------
    InputError
        when a column is missing.
    """
    scale = MeasureScale(measure)
    low_name, high_name = bound_columns(table)
    missing = [name for name in ("label", "estimate", *extra) if name not in table.columns]
    if missing:
        raise InputError(f"The table lacks the column(s) {', '.join(missing)}.")
    bounds = scale.position(table[["estimate", low_name, high_name]].to_numpy(float).reshape(-1, 3))
    printed = scale.printed(table[["estimate", low_name, high_name]].to_numpy(float).reshape(-1, 3))
    rows = _rows(table, bounds, printed, scale, extra, block_by)
    if pooled is not None and not (pooled.estimable and pooled.k > 1):
        pooled = None  # one study pools nothing: no diamond
    pooled_at = None if pooled is None else float(scale.position(pooled.estimate))
    if pooled is not None:
        corners = np.array([pooled.estimate, *pooled.ci])
        cells = {"label": "All studies", "k": str(pooled.k), "n": count(pooled.n)}
        cells |= effect_cells(scale.printed(corners).tolist(), scale.decimals)
        estimate, low, high = scale.position(corners).tolist()
        rows += [Row("space"), Row("pooled", cells, estimate, low, high, overall=True)]
        bounds = np.vstack([bounds, scale.position(corners)])
    drawn = bool(np.isfinite(bounds[:, 0]).any())
    bounded = (0.0, 100.0) if scale.is_proportion else (-math.inf, math.inf)
    low, high = axis_limits(bounds[:, 0], bounds[:, 1], bounds[:, 2], scale.null, bounded)
    axis = PlotAxis(low, high, fitting_ticks(scale, low, high, 150.0), scale.null, pooled_at)
    columns = [Column("label", label_heading, max_width=LABEL_WIDTH)]
    columns += [Column(name, name, "right") for name in ("k", "n") if name in table.columns]
    columns += descriptive_columns(extra)
    columns += effect_columns(scale.name, "", "95%", ("[", ",", "]"))
    under_axis = favours_arrows(favours) if favours and scale.null is not None else ("", "")
    with house_style():
        layout = lay_out(
            rows,
            columns,
            title=title,
            plot_width=180.0 if drawn else 0.0,
            under_axis=under_axis if drawn else ("", ""),
            axis_title=(f"{scale.name} (log scale)" if scale.is_ratio else scale.name) if drawn else "",
        )
        figure = draw(layout, axis)
    return describe(figure, title, _words(table, printed, scale, pooled), numbers_shown(rows, scale))


def bound_columns(table: pd.DataFrame) -> tuple[str, str]:
    """The names of the columns with the interval: ci_low, ci_high or ci_lower, ci_upper."""
    for names in (("ci_low", "ci_high"), ("ci_lower", "ci_upper")):
        if set(names) <= set(table.columns):
            return names
    raise InputError("The table needs the columns ci_low and ci_high (or ci_lower and ci_upper).")


def _present(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    return [name for name in names if name in table.columns and table[name].notna().any()]


def _rows(
    table: pd.DataFrame,
    bounds: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    printed: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    scale: MeasureScale,
    extra: Sequence[str],
    block_by: str | None,
) -> list[Row]:
    texts = {name: column_values(table, name) for name in extra}
    for name in ("k", "n"):
        if name in table.columns:
            texts[name] = [count(float(value)) if pd.notna(value) else "" for value in table[name]]
    reasons = table["reason"].map(clean).to_list() if "reason" in table.columns else [""] * len(table)
    rows: list[Row] = []
    block = None
    for i, label in enumerate(table["label"]):
        if block_by is not None and (heading := words(table[block_by].iloc[i])) != block:
            rows += [Row("space")] if rows else []
            rows.append(Row("heading", words=capitalised(heading) or "Not stated"))
            block = heading
        cells = {"label": clean(label)} | {name: values[i] for name, values in texts.items()}
        indent = 8.0 if block_by is not None else 0.0
        if not math.isfinite(bounds[i, 0]):
            rows.append(Row("words", {"label": clean(label)}, words=reasons[i] or "not estimable", indent=indent))
            continue
        cells |= effect_cells(printed[i].tolist(), scale.decimals)
        estimate, low, high = bounds[i].tolist()
        rows.append(Row("study", cells, estimate, low, high, indent=indent))
    return rows


def _words(
    table: pd.DataFrame,
    printed: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    scale: MeasureScale,
    pooled: PooledResult | None,
) -> str:
    finite = np.isfinite(printed[:, 0])
    if not finite.any():
        return "Nothing to show: no row has an estimate."
    parts = [f"{int(finite.sum())} rows, {scale.name.lower()}."]
    if pooled is not None:
        parts.append(f"All {pooled.k} studies: {effect_words(pooled, scale)}.")
    low, high = int(np.nanargmin(printed[:, 0])), int(np.nanargmax(printed[:, 0]))
    for i, what in ((low, "Smallest"), (high, "Largest")):
        estimate, lower, upper = printed[i].tolist()
        text = f"{number(estimate, scale.decimals)} ({interval_words((lower, upper), scale.decimals)})"
        parts.append(f"{what}: {clean(table['label'].iloc[i])}, {text}.")
    return " ".join(parts)
