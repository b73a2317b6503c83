"""The forest plot: studies, subgroups and the pooled effect, with the numbers beside the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from headache_evidence.errors import InputError
from headache_evidence.figures import effect_columns as columns_of
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.forest_data import Forest, plot_axis, prepare, refused_effects
from headache_evidence.figures.forest_words import (
    arm_names,
    axis_title,
    default_title,
    description,
    favours_words,
    footer,
    numbers_shown,
)
from headache_evidence.figures.measure_scale import MeasureScale
from headache_evidence.figures.result_words import (
    NO_EVIDENCE,
    heterogeneity_words,
    percent,
    printed_interval,
    short_model,
)
from headache_evidence.figures.risk_of_bias_lights import Lights, lights_of
from headache_evidence.figures.row_drawing import draw
from headache_evidence.figures.row_table import Column, Row, lay_out
from headache_evidence.figures.typeset import capitalised, clean, words
from headache_evidence.pools.result import PooledResult

Preset = Literal["cochrane", "journal", "compact"]


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
        A change without a control favours nothing: there the words stand alone (improved, worsened).
    xlim : axis limits on the printed scale (ratios as ratios, proportions in percent).
    left_out : False leaves out the rows that are not estimable, and says how many they are.

    Raises
    ------
    InputError
        when the result does not belong to the table (k differs), a column is missing, or a limit is not possible.
    """
    forest = prepare(effects, result, sort_by)
    blocks = dict(subgroups) if subgroups and len(subgroups) > 1 else {}
    scale = forest.scale
    lights = lights_of(risk_of_bias, forest.effects) if risk_of_bias is not None else Lights((), (), ())
    shrunk = _shrunk_positions(shrinkage, forest)
    refused = refused_effects(effects)
    descriptive, constant = _descriptive(forest, columns, preset, (subgroup_by,) if blocks else ())
    rows = _study_rows(forest, descriptive, lights, shrunk, blocks, subgroup_by)
    rows += _overall_rows(forest, bool(blocks))
    if left_out:
        rows += _refused_rows(refused)
    axis = plot_axis(forest, blocks, mcid, xlim)
    arms = arm_names(forest.effects)
    lines = footer(forest, blocks, constant, lights, mcid, shrinkage is not None)
    if len(refused) and not left_out:
        lines.append(f"Not shown: {len(refused)} effects that are not in the pool.")
    with house_style():
        layout = lay_out(
            rows,
            _columns(forest, descriptive, preset, arms),
            title=title or default_title(effects),
            plot_width=0.0 if not forest.result.k else 150.0 if preset == "compact" else 180.0,
            lights=lights.letters,
            under_axis=favours_words(forest, favours, arms),
            axis_title=axis_title(forest) if forest.result.k else "",
            footer=lines,
            row_padding=7.0 if shrinkage is not None else 3.2,
        )
        figure = draw(layout, axis)
    heading = f"Forest plot. {title or default_title(effects)}".rstrip(". ")
    return describe(figure, heading, description(forest, blocks, refused), numbers_shown(rows, scale))


def _descriptive(
    forest: Forest, columns: Sequence[str] | None, preset: Preset, leave_out: Sequence[str]
) -> tuple[list[str], list[str]]:
    if columns is not None:
        return list(columns), []
    shown, constant = columns_of.choose_descriptive(forest.effects, leave_out)
    return ([], []) if preset == "compact" else (shown, constant)


def _columns(forest: Forest, descriptive: list[str], preset: Preset, arms_in_words: tuple[str, str]) -> list[Column]:
    result = forest.result
    model = short_model(result)
    name = f"{forest.scale.name}, {model}" if model else forest.scale.name
    arms = columns_of.arm_columns(forest.effects, arms_in_words)
    if not result.k:
        return [Column("label", "Study", max_width=columns_of.LABEL_WIDTH)]
    if preset == "compact":
        arms = [column for column in arms if column.key.startswith(("n", "count"))]
    return [
        Column("label", "Study", max_width=columns_of.LABEL_WIDTH),
        *columns_of.descriptive_columns(descriptive),
        *arms,
        *columns_of.effect_columns(name, percent(result.level), preset != "cochrane", result.k > 1),
    ]


def _study_rows(
    forest: Forest,
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


def _subtotal_rows(forest: Forest, name: str, result: PooledResult, inside: list[int]) -> list[Row]:
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


def _overall_rows(forest: Forest, in_blocks: bool) -> list[Row]:
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
    reasons = (
        [clean(reason).replace("_", " ") for reason in refused["reason"]]
        if "reason" in refused.columns
        else [""] * len(refused)
    )
    rows = [
        Row("words", {"label": label}, words=reason or "not estimable", indent=8.0)
        for label, reason in zip(labels, reasons, strict=True)
    ]
    return [Row("space"), Row("heading", words="Not in the pool"), *rows]


def _shrunk_positions(shrinkage: pd.DataFrame | None, forest: Forest) -> list[tuple[float, float, float]]:
    k = len(forest.effects)
    if shrinkage is None:
        return [(math.nan,) * 3] * k
    if len(shrinkage) != k:
        raise InputError(f"The shrinkage table has {len(shrinkage)} rows for {k} usable effects.")
    middle = "estimate" if "estimate" in shrinkage.columns else "median"
    ordered = shrinkage[[middle, "ci_low", "ci_high"]].to_numpy(float)[forest.order]
    return [(estimate, low, high) for estimate, low, high in forest.scale.position(ordered).tolist()]
