"""The forest plot: studies, subgroups and the pooled effect, with the numbers beside the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.errors import InputError
from headache_evidence.figures import effect_columns as columns_of
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.measure_scale import MeasureScale, axis_limits
from headache_evidence.figures.number_text import interval_words, number
from headache_evidence.figures.result_words import (
    NO_EVIDENCE,
    footer_lines,
    heterogeneity_words,
    percent,
    printed_interval,
    result_sentence,
)
from headache_evidence.figures.risk_of_bias_lights import Lights, lights_of
from headache_evidence.figures.row_drawing import PlotAxis, draw
from headache_evidence.figures.row_table import Column, Row, lay_out
from headache_evidence.figures.typeset import capitalised, text_width, words
from headache_evidence.pools.result import PooledResult

Preset = Literal["cochrane", "journal", "compact"]
STUDIES_IN_WORDS = 20  # a text alternative names every study up to this many


@dataclass(frozen=True)
class _Forest:
    """What the parts of one forest share."""

    effects: pd.DataFrame  # usable rows, in the order drawn
    positions: pd.DataFrame  # estimate, low, high as axis positions; weight; label; mark
    order: list[int]  # for each row drawn, its place among the usable rows of the table
    scale: MeasureScale
    result: PooledResult


def forest_plot(
    effects: pd.DataFrame,
    result: PooledResult,
    *,
    subgroups: Mapping[str, PooledResult] | None = None,
    subgroup_by: str = "technique",
    title: str = "",
    preset: Preset = "cochrane",
    columns: Sequence[str] | None = None,
    sort_by: str | None = None,
    risk_of_bias: pd.DataFrame | None = None,
    mcid: float | None = None,
    shrinkage: pd.DataFrame | None = None,
    favours: tuple[str, str] | None = None,
    xlim: tuple[float, float] | None = None,
    left_out: bool = True,
) -> EvidenceFigure:
    """Forest plot of an effects table and its pooled result.

    The figure is as high as its rows and as wide as its text; nothing is clipped without an arrow, and no row of the
    table is dropped: rows that are not estimable follow at the end with their reason.

    Parameters
    ----------
    effects : effects table (EFFECT_COLUMNS); only ``yi`` and ``vi`` are required.
    result : the pooled result of its usable rows, in their order (its weights size the squares).
    subgroups : pooled result per value of the column ``subgroup_by``; gives blocks with their own diamonds and a test
        of subgroup differences. One subgroup alone changes nothing.
    title : bold line at the top; the default names outcome and headache type.
    preset : "cochrane" has all numbers left of the plot, as RevMan; "journal" puts effect and weight to its right;
        "compact" has label, n, plot and effect.
    columns : descriptive columns to print; the default is those of technique, guidance, comparator and weeks that
        differ between studies, and a footnote for those that do not.
    sort_by : column to order the studies by ("yi", "year", "label", "vi" ...); ties keep the order of the table.
    risk_of_bias : table with ``study_id``, ``tool``, ``domain``, ``judgement``: traffic lights at the right.
    mcid : minimal important difference in the unit of the analysis scale; draws the band of smaller effects.
    shrinkage : what a Bayesian model believes of each study: ``estimate`` (or ``median``), ``ci_low``, ``ci_high``, one
        row per usable effect; drawn below each study's own result.
    favours : what effects to the left and to the right of the null favour; the default follows the column ``better``.
    xlim : axis limits on the printed scale (ratios as ratios, proportions in percent).
    left_out : False leaves out the rows that are not estimable, and says how many they are.

    Raises
    ------
    InputError
        when the result does not belong to the table (k differs), a column is missing, or a limit is not possible.
    """
    forest = _prepare(effects, result, sort_by)
    blocks = dict(subgroups) if subgroups and len(subgroups) > 1 else {}
    scale = forest.scale
    lights = lights_of(risk_of_bias, forest.effects) if risk_of_bias is not None else Lights((), (), ())
    shrunk = _shrunk_positions(shrinkage, forest)
    refused = effects.loc[~effects.index.isin(usable_effects(effects).index)]
    descriptive, constant = _descriptive(forest, columns, preset, (subgroup_by,) if blocks else ())
    rows = _study_rows(forest, descriptive, lights, shrunk, blocks, subgroup_by)
    rows += _overall_rows(forest, bool(blocks))
    if left_out:
        rows += _refused_rows(refused)
    elif len(refused):
        constant.append(f"not shown: {len(refused)} rows that are not estimable")
    axis = _plot_axis(forest, blocks, mcid, xlim)
    arm_names = _arm_names(forest.effects)
    footer = _footer(forest, blocks, constant, lights, mcid, shrinkage is not None)
    with house_style():
        layout = lay_out(
            rows,
            _columns(forest, descriptive, preset, arm_names),
            title=title or _default_title(effects),
            plot_width=150.0 if preset == "compact" else 180.0,
            lights=lights.letters,
            under_axis=_under_axis(forest, favours, arm_names),
            axis_title=_axis_title(forest),
            footer=footer,
            row_padding=7.0 if shrinkage is not None else 3.2,
        )
        figure = draw(layout, axis)
    heading = f"Forest plot. {title or _default_title(effects)}".rstrip(". ")
    return describe(figure, heading, _description(forest, blocks, refused), _numbers(rows, scale))


def _prepare(effects: pd.DataFrame, result: PooledResult, sort_by: str | None) -> _Forest:
    usable = usable_effects(effects)
    missing = [name for name in ("yi", "vi") if name not in effects.columns]
    if missing:
        raise InputError(f"The effects table lacks the column(s) {', '.join(missing)}.")
    if len(usable) != result.k:
        raise InputError(f"The pooled result is of {result.k} studies, the table has {len(usable)} usable effects.")
    scale = MeasureScale(result.measure)
    weights = result.weights if len(result.weights) == len(usable) else (math.nan,) * len(usable)
    yi, se = usable["yi"].to_numpy(float), np.sqrt(usable["vi"].to_numpy(float))
    z = float(norm.ppf(0.5 + result.level / 2))
    marks, _ = columns_of.dagger_notes(usable)
    positions = pd.DataFrame(
        {
            "estimate": scale.position(yi),
            "low": scale.position(yi - z * se),
            "high": scale.position(yi + z * se),
            "weight": weights,
            "label": columns_of.study_labels(usable),
            "mark": marks,
        }
    )
    order = list(range(len(usable)))
    if sort_by is not None:
        if sort_by not in usable.columns:
            raise InputError(f"Cannot sort by {sort_by!r}: the effects table has no such column.")
        keys = usable[sort_by].reset_index(drop=True)
        order = keys.sort_values(kind="stable", na_position="last").index.to_list()
    return _Forest(usable.iloc[order], positions.iloc[order].reset_index(drop=True), order, scale, result)


def _descriptive(
    forest: _Forest, columns: Sequence[str] | None, preset: Preset, leave_out: Sequence[str]
) -> tuple[list[str], list[str]]:
    if columns is not None:
        return list(columns), []
    shown, constant = columns_of.choose_descriptive(forest.effects, leave_out)
    return ([], []) if preset == "compact" else (shown, constant)


def _columns(forest: _Forest, descriptive: list[str], preset: Preset, arm_names: tuple[str, str]) -> list[Column]:
    result = forest.result
    model = "" if result.k < 2 else "IV, common" if result.method == "FE" else "IV, random"
    name = f"{forest.scale.name}, {model}" if model else forest.scale.name
    arms = columns_of.arm_columns(forest.effects, arm_names)
    if preset == "compact":
        arms = [column for column in arms if column.key.startswith(("n", "count"))]
    return [
        Column("label", "Study", max_width=columns_of.LABEL_WIDTH),
        *columns_of.descriptive_columns(descriptive),
        *arms,
        *columns_of.effect_columns(name, percent(result.level), preset != "cochrane", result.k > 1),
    ]


def _study_rows(
    forest: _Forest,
    descriptive: list[str],
    lights: Lights,
    shrunk: list[tuple[float, float, float]],
    blocks: Mapping[str, PooledResult],
    subgroup_by: str,
) -> list[Row]:
    texts = {name: columns_of.column_values(forest.effects, name) for name in descriptive}
    records = forest.effects.to_dict("records")
    rows = []
    for i, record in enumerate(records):
        place = forest.positions.iloc[i]
        cells = {"label": f"{place['label']} {place['mark']}".strip()}
        cells |= {name: values[i] for name, values in texts.items()}
        cells |= columns_of.arm_cells({str(key): value for key, value in record.items()})
        yi, half = float(record["yi"]), math.sqrt(float(record["vi"])) * float(norm.ppf(0.5 + forest.result.level / 2))
        printed = forest.scale.printed(np.array([yi, yi - half, yi + half])).tolist()
        cells |= columns_of.effect_cells(printed, forest.scale.decimals)
        cells["weight"] = f"{place['weight']:.1f}%" if math.isfinite(place["weight"]) else ""
        rows.append(
            Row(
                "study", cells, float(place["estimate"]), float(place["low"]), float(place["high"]),
                float(place["weight"]), indent=8.0 if blocks else 0.0, shrunk=shrunk[i],
                judgements=lights.rows[i] if lights.rows else (),
            )
        )  # fmt: skip
    if not blocks:
        return rows
    if subgroup_by not in forest.effects.columns:
        raise InputError(f"Subgroups need the column {subgroup_by!r}, which the effects table does not have.")
    members = forest.effects[subgroup_by].astype(str).to_list()
    blocked: list[Row] = []
    for name in [*blocks, *sorted(set(members) - set(blocks))]:
        inside = [i for i, member in enumerate(members) if member == name]
        blocked.append(Row("heading", words=capitalised(words(name)) or "Not stated"))
        blocked += [rows[i] for i in inside]
        if name in blocks:
            blocked += _subtotal_rows(forest, name, blocks[name], inside)
        blocked.append(Row("space"))
    return blocked


def _subtotal_rows(forest: _Forest, name: str, result: PooledResult, inside: list[int]) -> list[Row]:
    if not result.estimable:
        return [Row("words", words="No usable evidence in this subgroup.", indent=8.0)]
    if result.k == 1:
        return []
    weight = float(forest.positions["weight"].iloc[inside].sum())
    cells = {"label": f"Subtotal (k = {result.k})", "weight": f"{weight:.1f}%" if math.isfinite(weight) else ""}
    cells |= columns_of.totals_cells(forest.effects.iloc[inside])
    pooled = _pooled_row(forest.scale, result, cells, indent=8.0, overall=False)
    return [pooled, Row("words", words=heterogeneity_words(result), indent=8.0)]


def _pooled_row(
    scale: MeasureScale, result: PooledResult, cells: dict[str, str], *, indent: float, overall: bool
) -> Row:
    bounds = (result.estimate, *result.ci)
    estimate, low, high = scale.position(np.array(bounds)).tolist()
    cells = cells | columns_of.effect_cells(scale.printed(np.array(bounds)).tolist(), scale.decimals)
    return Row("pooled", cells, estimate, low, high, indent=indent, overall=overall)


def _overall_rows(forest: _Forest, in_blocks: bool) -> list[Row]:
    result, scale = forest.result, forest.scale
    if not result.estimable:
        return [Row("words", words=NO_EVIDENCE)]
    if result.k == 1:
        return []
    cells = {"label": f"{'Overall' if in_blocks else 'Pooled effect'} (k = {result.k})", "weight": "100.0%"}
    cells |= columns_of.totals_cells(forest.effects)
    rows = [Row("space")] if not in_blocks else []
    rows.append(_pooled_row(scale, result, cells, indent=0.0, overall=True))
    if math.isfinite(result.prediction_interval[0]):
        low, high = scale.position(np.array(result.prediction_interval)).tolist()
        printed = printed_interval(result.prediction_interval, scale)
        cells = {"label": "Prediction interval"} | columns_of.effect_cells((math.nan, *printed), scale.decimals)
        rows.append(Row("prediction", cells, low=low, high=high))
    return rows


def _refused_rows(refused: pd.DataFrame) -> list[Row]:
    if refused.empty:
        return []
    labels = columns_of.study_labels(refused)
    reasons = refused["reason"].map(words).to_list() if "reason" in refused.columns else [""] * len(refused)
    rows = [
        Row("words", {"label": label}, words=reason or "not estimable", indent=8.0)
        for label, reason in zip(labels, reasons, strict=True)
    ]
    return [Row("space"), Row("heading", words="Not in the pool"), *rows]


def _shrunk_positions(shrinkage: pd.DataFrame | None, forest: _Forest) -> list[tuple[float, float, float]]:
    k = len(forest.effects)
    if shrinkage is None:
        return [(math.nan,) * 3] * k
    if len(shrinkage) != k:
        raise InputError(f"The shrinkage table has {len(shrinkage)} rows for {k} usable effects.")
    middle = "estimate" if "estimate" in shrinkage.columns else "median"
    ordered = shrinkage[[middle, "ci_low", "ci_high"]].to_numpy(float)[forest.order]
    return [(estimate, low, high) for estimate, low, high in forest.scale.position(ordered).tolist()]


def _plot_axis(
    forest: _Forest, blocks: Mapping[str, PooledResult], mcid: float | None, xlim: tuple[float, float] | None
) -> PlotAxis:
    scale, result = forest.scale, forest.result
    pooled = [r for r in (result, *blocks.values()) if r.estimable]
    estimates = np.append(forest.positions["estimate"], scale.position([r.estimate for r in pooled]))
    lows = np.append(forest.positions["low"], scale.position([r.ci[0] for r in pooled]))
    highs = np.append(forest.positions["high"], scale.position([r.ci[1] for r in pooled]))
    bounded = (0.0, 100.0) if scale.is_proportion else (-math.inf, math.inf)
    low, high = axis_limits(estimates, lows, highs, scale.null, bounded)
    if xlim is not None:
        if not xlim[0] < xlim[1] or (scale.is_ratio and xlim[0] <= 0):
            raise InputError(f"xlim must be (low, high) with low < high, above 0 for ratios; got {xlim}.")
        low, high = (math.log(xlim[0]), math.log(xlim[1])) if scale.is_ratio else xlim
    if mcid is not None and scale.null is not None and xlim is None:
        low, high = min(low, -1.1 * abs(mcid)), max(high, 1.1 * abs(mcid))
    at_most = 7
    ticks = scale.ticks(low, high, at_most)
    while at_most > 2 and sum(text_width(label) + 8.0 for _, label in ticks) > 150.0:
        at_most -= 1
        ticks = scale.ticks(low, high, at_most)
    overall = float(scale.position(result.estimate)) if result.estimable and result.k > 1 else None
    band = None if mcid is None or scale.null is None else (-abs(mcid), abs(mcid))
    return PlotAxis(low, high, ticks, scale.null, overall, band)


def _arm_names(effects: pd.DataFrame) -> tuple[str, str]:
    names = []
    for column, default in (("technique", "intervention"), ("comparator", "comparator")):
        values = set(columns_of.column_values(effects, column)) - {""} if column in effects.columns else set()
        only = values.pop() if len(values) == 1 else default
        names.append(only if len(only) <= 28 else default)
    return capitalised(names[0]), capitalised(names[1])


def _only(effects: pd.DataFrame, column: str) -> str:
    values = set(effects[column].map(words)) - {""} if column in effects.columns else set()
    return values.pop() if len(values) == 1 else ""


def _under_axis(forest: _Forest, favours: tuple[str, str] | None, arm_names: tuple[str, str]) -> tuple[str, str]:
    if forest.scale.null is None:
        return "", ""
    if favours is None:
        better = _only(forest.effects, "better")
        if better not in ("lower", "higher"):
            return "", ""
        if _only(forest.effects, "stream") == "before_after":
            favours = ("better", "worse") if better == "lower" else ("worse", "better")
            return f"← {favours[0]}", f"{favours[1]} →"
        first, second = arm_names[0].lower(), arm_names[1].lower()
        favours = (first, second) if better == "lower" else (second, first)
    return f"← favours {favours[0]}", f"favours {favours[1]} →"


def _axis_title(forest: _Forest) -> str:
    unit = _only(forest.effects, "unit")
    if forest.scale.is_ratio:
        return f"{forest.scale.name} (log scale)"
    if forest.scale.is_proportion or forest.scale.name.startswith("Standardised") or not unit:
        return forest.scale.name
    return f"{forest.scale.name}, {unit}"


def _default_title(effects: pd.DataFrame) -> str:
    outcome, headache = capitalised(_only(effects, "outcome")), _only(effects, "headache_type")
    return ", ".join(text for text in (outcome, headache) if text)


def _footer(
    forest: _Forest,
    blocks: Mapping[str, PooledResult],
    constant: list[str],
    lights: Lights,
    mcid: float | None,
    with_shrinkage: bool,
) -> list[str]:
    lines = [] if not forest.result.estimable else footer_lines(forest.result, blocks)
    if mcid is not None and forest.scale.null is not None:
        size = number(float(forest.scale.printed(abs(mcid))), forest.scale.decimals)
        lines.append(f"Grey band: effects smaller than the minimal important difference ({size}).")
    if with_shrinkage:
        lines.append("Open circle below a study: its effect as the Bayesian model sees it, drawn towards the mean.")
    if constant:
        lines.append(f"Same in all studies: {'; '.join(constant)}.")
    return [*lines, *columns_of.dagger_notes(forest.effects)[1], *lights.legend]


def _description(forest: _Forest, blocks: Mapping[str, PooledResult], refused: pd.DataFrame) -> str:
    scale = forest.scale
    parts = [result_sentence(forest.result, scale)]
    parts += [f"{capitalised(words(name))}: {result_sentence(result, scale)}" for name, result in blocks.items()]
    if 1 < len(forest.effects) <= STUDIES_IN_WORDS:
        z = float(norm.ppf(0.5 + forest.result.level / 2))
        yi, se = forest.effects["yi"].to_numpy(float), np.sqrt(forest.effects["vi"].to_numpy(float))
        printed = scale.printed(np.column_stack([yi, yi - z * se, yi + z * se])).tolist()
        parts.append(
            "Studies: "
            + "; ".join(
                f"{label} {number(y, scale.decimals)} ({interval_words((low, high), scale.decimals)})"
                for label, (y, low, high) in zip(forest.positions["label"], printed, strict=True)
            )
            + "."
        )
    if len(refused):
        parts.append(
            f"{len(refused)} not in the pool: {', '.join(columns_of.study_labels(refused)[:STUDIES_IN_WORDS])}."
        )
    return " ".join(parts)


def _numbers(rows: Sequence[Row], scale: MeasureScale) -> pd.DataFrame:
    """What the figure shows, row by row, as text and as axis positions."""
    records = []
    for row in rows:
        if row.kind == "space":
            continue
        shown = dict(row.cells)
        records.append(
            {"kind": row.kind, **shown, "words": row.words, "x": row.estimate, "x_low": row.low, "x_high": row.high}
        )
    return pd.DataFrame(records).fillna({"words": ""})
