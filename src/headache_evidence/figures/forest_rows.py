"""The rows of a forest: studies in blocks, subtotals, pooled effects, the prediction, and what is not in the pool."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from headache_evidence.errors import InputError
from headache_evidence.figures import effect_columns as columns_of
from headache_evidence.figures.forest_data import Forest
from headache_evidence.figures.forest_layout import ForestLayout
from headache_evidence.figures.hover_words import effect_hover
from headache_evidence.figures.result_words import NO_EVIDENCE, heterogeneity_words, model_name
from headache_evidence.figures.risk_of_bias_lights import Lights
from headache_evidence.figures.row_table import Row
from headache_evidence.figures.typeset import capitalised, clean, words
from headache_evidence.pools.result import PooledResult

INDENT = 8.0
Blocks = Mapping[str, PooledResult]


def study_rows(
    forest: Forest,
    layout: ForestLayout,
    descriptive: Sequence[str],
    lights: Lights,
    shrunk: Sequence[tuple[float, float, float]],
    *,
    in_blocks: bool,
) -> list[Row]:
    """One row per usable effect, in the order drawn."""
    texts = {name: columns_of.column_values(forest.effects, name) for name in descriptive}
    z = float(norm.ppf(0.5 + forest.result.level / 2))
    rows = []
    records: list[dict[str, Any]] = [
        {str(key): value for key, value in row.items()} for row in forest.effects.to_dict("records")
    ]
    for i, record in enumerate(records):
        place = forest.positions.iloc[i]
        cells = {"label": f"{place['label']} {place['mark']}".strip()}
        cells |= {name: values[i] for name, values in texts.items()}
        cells |= columns_of.arm_cells(record)
        yi, half = float(record["yi"]), z * math.sqrt(float(record["vi"]))
        effect = effect_cells(forest, layout, (yi, yi - half, yi + half))
        weight = f"{place['weight']:.1f}%" if math.isfinite(place["weight"]) else ""
        printed = f"{forest.scale.name} {' '.join(effect.values())}"
        rows.append(
            Row(
                "study", cells | effect | {"weight": weight},
                float(place["estimate"]), float(place["low"]), float(place["high"]), float(place["weight"]),
                indent=INDENT if in_blocks else 0.0, shrunk=shrunk[i],
                judgements=lights.rows[i] if lights.rows else (),
                hover=effect_hover(place["label"], printed + (f", weight {weight}" if weight else ""), record),
            )
        )  # fmt: skip
    return rows


def blocked_rows(forest: Forest, layout: ForestLayout, rows: list[Row], blocks: Blocks, subgroup_by: str) -> list[Row]:
    """The rows of the studies under the headings of their subgroups, each block with its own diamond."""
    blocked: list[Row] = []
    for name, inside in block_members(forest, blocks, subgroup_by).items():
        blocked.append(Row("heading", words=_block_name(name)))
        blocked += [rows[i] for i in inside]
        if name in blocks:
            blocked += _subtotal_rows(forest, layout, blocks[name], inside)
        blocked.append(Row("space"))
    return blocked


def subgroup_rows(forest: Forest, layout: ForestLayout, blocks: Blocks, subgroup_by: str) -> list[Row]:
    """One row per subgroup, without its studies: a diamond, or the own interval of a single study."""
    rows = []
    for name, inside in block_members(forest, blocks, subgroup_by).items():
        label = f"{_block_name(name)} (k = {len(inside)})"
        result = blocks.get(name)
        if result is None or not result.estimable:
            rows.append(Row("words", {"label": f"{label}: not estimable"}))
        elif result.k == 1:
            cells = {"label": label} | columns_of.totals_cells(forest.effects.iloc[inside])
            rows.append(_result_row("study", forest, layout, result, cells))
        else:
            rows.append(_subtotal_row(forest, layout, result, inside, label, 0.0))
    return rows


def overall_rows(forest: Forest, layout: ForestLayout, second: PooledResult | None, *, in_blocks: bool) -> list[Row]:
    """The pooled effect, a second one beside it, and the prediction interval; words where nothing is pooled."""
    result = forest.result
    if not result.estimable:
        return [Row("words", words=NO_EVIDENCE)]
    if result.k == 1:
        return []
    name = "Overall" if in_blocks else "Pooled effect"
    cells = {"label": f"{name if second is None else model_name(result)} (k = {result.k})", "weight": "100.0%"}
    cells |= columns_of.totals_cells(forest.effects)
    rows = [Row("space")] if not in_blocks or not layout.studies else []
    rows.append(_result_row("pooled", forest, layout, result, cells, overall=True))
    if second is not None and second.estimable:
        rows.append(_result_row("pooled", forest, layout, second, {"label": f"{model_name(second)} (k = {second.k})"}))
    if math.isfinite(result.prediction_interval[0]):
        low, high = forest.scale.position(np.array(result.prediction_interval)).tolist()
        cells = {"label": "Prediction interval"} | effect_cells(forest, layout, (math.nan, *result.prediction_interval))
        shown = prediction_density(forest) if layout.prediction == "density" else None
        rows.append(Row("prediction", cells, low=low, high=high, density=shown))
    return rows


def refused_rows(refused: pd.DataFrame) -> list[Row]:
    """What is not in the pool, with the reason of each."""
    if refused.empty:
        return []
    labels = columns_of.study_labels(refused)
    reasons = (
        [clean(reason).replace("_", " ") for reason in refused["reason"]]
        if "reason" in refused.columns
        else [""] * len(refused)
    )
    rows = [
        Row("words", {"label": label}, words=reason or "not estimable", indent=INDENT)
        for label, reason in zip(labels, reasons, strict=True)
    ]
    return [Row("space"), Row("heading", words="Not in the pool"), *rows]


def block_members(forest: Forest, blocks: Blocks, subgroup_by: str) -> dict[str, list[int]]:
    """For each subgroup the places of its effects; subgroups without a pooled result come last."""
    if subgroup_by not in forest.effects.columns:
        raise InputError(f"Subgroups need the column {subgroup_by!r}, which the effects table does not have.")
    members = forest.effects[subgroup_by].astype(str).to_list()
    names = [*blocks, *sorted(set(members) - set(blocks))]
    return {name: [i for i, member in enumerate(members) if member == name] for name in names}


def prediction_density(forest: Forest) -> tuple[list[float], list[float]]:
    """Axis positions and heights (up to 1) of the distribution behind the prediction interval."""
    result, scale = forest.result, forest.scale
    law: Any = t(result.prediction_df) if math.isfinite(result.prediction_df) else norm()
    middle = sum(result.prediction_interval) / 2
    spread = (result.prediction_interval[1] - middle) / float(law.ppf(0.5 + result.level / 2))
    grid = np.linspace(middle - 4 * spread, middle + 4 * spread, 241)
    positions = scale.position(grid)
    heights = law.pdf((grid - middle) / spread) / np.gradient(positions, grid)
    return positions.tolist(), (heights / heights.max()).tolist()


def effect_cells(forest: Forest, layout: ForestLayout, bounds: tuple[float, float, float]) -> dict[str, str]:
    """Texts of an estimate and its bounds, given on the analysis scale."""
    printed = forest.scale.printed(np.array(bounds)).tolist()
    return columns_of.effect_cells(printed, forest.scale.decimals, layout.brackets)


def _block_name(name: str) -> str:
    return capitalised(words(name)) or "Not stated"


def _subtotal_rows(forest: Forest, layout: ForestLayout, result: PooledResult, inside: list[int]) -> list[Row]:
    if not result.estimable:
        return [Row("words", words="No usable evidence in this subgroup.", indent=INDENT)]
    if result.k == 1:
        return []
    heterogeneity = layout.printed(heterogeneity_words(result, with_tau2=layout.tau2))
    return [
        _subtotal_row(forest, layout, result, inside, f"Subtotal (k = {result.k})", INDENT),
        Row("words", words=heterogeneity, indent=INDENT),
    ]


def _subtotal_row(
    forest: Forest, layout: ForestLayout, result: PooledResult, inside: list[int], label: str, indent: float
) -> Row:
    weight = float(forest.positions["weight"].iloc[inside].sum())
    cells = {"label": label, "weight": f"{weight:.1f}%" if math.isfinite(weight) else ""}
    cells |= columns_of.totals_cells(forest.effects.iloc[inside])
    return _result_row("pooled", forest, layout, result, cells, indent=indent)


def _result_row(
    kind: Any, forest: Forest, layout: ForestLayout, result: PooledResult, cells: dict[str, str], **more: Any
) -> Row:
    bounds = (result.estimate, *result.ci)
    estimate, low, high = forest.scale.position(np.array(bounds)).tolist()
    return Row(kind, cells | effect_cells(forest, layout, bounds), estimate, low, high, **more)
