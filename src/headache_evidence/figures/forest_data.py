"""What the parts of one forest share: the usable effects in the order drawn, their axis positions and the axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.errors import InputError
from headache_evidence.figures import effect_columns as columns_of
from headache_evidence.figures.measure_scale import MeasureScale, axis_limits
from headache_evidence.figures.row_marks import PlotAxis
from headache_evidence.figures.typeset import text_width
from headache_evidence.pools.result import PooledResult


@dataclass(frozen=True)
class Forest:
    """Usable effects with their axis positions, and what they are drawn with."""

    effects: pd.DataFrame  # usable rows, in the order drawn
    positions: pd.DataFrame  # estimate, low, high as axis positions; weight; label; mark
    order: list[int]  # for each row drawn, its place among the usable rows of the table
    scale: MeasureScale
    result: PooledResult


def prepare(effects: pd.DataFrame, result: PooledResult, sort_by: str | None) -> Forest:
    """Usable effects in the order drawn; InputError when the result is not theirs or the column is missing."""
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
    return Forest(usable.iloc[order], positions.iloc[order].reset_index(drop=True), order, scale, result)


def refused_effects(effects: pd.DataFrame) -> pd.DataFrame:
    """The rows that are not usable."""
    if "usable" not in effects.columns:
        return effects.iloc[:0]
    return effects.loc[~effects["usable"].astype(bool)]


def plot_axis(
    forest: Forest, blocks: Mapping[str, PooledResult], mcid: float | None, xlim: tuple[float, float] | None
) -> PlotAxis:
    """Limits that hold the data, the pooled results and the band, unless ``xlim`` (printed scale) sets them."""
    scale, result = forest.scale, forest.result
    pooled = [r for r in (result, *blocks.values()) if r.estimable]
    estimates = np.append(forest.positions["estimate"], scale.position([r.estimate for r in pooled]))
    lows = np.append(forest.positions["low"], scale.position([r.ci[0] for r in pooled]))
    highs = np.append(forest.positions["high"], scale.position([r.ci[1] for r in pooled]))
    if math.isfinite(result.prediction_interval[0]):
        prediction = scale.position(np.array(result.prediction_interval))
        lows, highs = np.append(lows, prediction[0]), np.append(highs, prediction[1])
    bounded = (0.0, 100.0) if scale.is_proportion else (-math.inf, math.inf)
    low, high = axis_limits(estimates, lows, highs, scale.null, bounded)
    if xlim is not None:
        if not xlim[0] < xlim[1] or (scale.is_ratio and xlim[0] <= 0):
            raise InputError(f"xlim must be (low, high) with low < high, above 0 for ratios; got {xlim}.")
        low, high = (math.log(xlim[0]), math.log(xlim[1])) if scale.is_ratio else xlim
    if mcid is not None and scale.null is not None and xlim is None:
        low, high = min(low, -1.1 * abs(mcid)), max(high, 1.1 * abs(mcid))
    ticks = fitting_ticks(scale, low, high, 150.0)
    overall = float(scale.position(result.estimate)) if result.estimable and result.k > 1 else None
    band = None if mcid is None or scale.null is None else (-abs(mcid), abs(mcid))
    return PlotAxis(low, high, ticks, scale.null, overall, band)


def fitting_ticks(scale: MeasureScale, low: float, high: float, width: float) -> list[tuple[float, str]]:
    """As many round ticks as find room for their labels on an axis of ``width`` points, at most seven."""
    ticks = scale.ticks(low, high, 7)
    for at_most in (6, 5, 4, 3, 2):
        if sum(text_width(label) + 8.0 for _, label in ticks) <= width:
            break
        ticks = scale.ticks(low, high, at_most)
    return ticks
