"""The words around a forest: title, arm names, favours labels, footer, and the text alternative from its numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from headache_evidence.figures import effect_columns as columns_of
from headache_evidence.figures.forest_data import Forest
from headache_evidence.figures.forest_layout import ForestLayout
from headache_evidence.figures.measure_scale import MeasureScale
from headache_evidence.figures.number_text import interval_words, number
from headache_evidence.figures.result_words import effect_words, footer_lines, model_name, model_words, result_sentence
from headache_evidence.figures.risk_of_bias_lights import Lights
from headache_evidence.figures.row_table import Row
from headache_evidence.figures.typeset import capitalised, words
from headache_evidence.pools.result import PooledResult

_SIGN = re.compile(r" ([=<]) ")  # no line ends beside an equals sign
STUDIES_IN_WORDS = 20  # a text alternative names every study up to this many


def arm_names(effects: pd.DataFrame) -> tuple[str, str]:
    names = []
    for column, default in (("technique", "intervention"), ("comparator", "comparator")):
        values = set(columns_of.column_values(effects, column)) - {""} if column in effects.columns else set()
        only = values.pop() if len(values) == 1 else default
        names.append(only if len(only) <= 28 else default)
    return capitalised(names[0]), capitalised(names[1])


def _only(effects: pd.DataFrame, column: str) -> str:
    values = {words(value) for value in effects[column].unique()} - {""} if column in effects.columns else set()
    return values.pop() if len(values) == 1 else ""


def favours_words(forest: Forest, favours: tuple[str, str] | None, arm_names: tuple[str, str]) -> tuple[str, str]:
    if forest.scale.null is None or not forest.result.k:
        return "", ""
    uncontrolled = _only(forest.effects, "stream") == "before after"
    if favours is None:
        better = _only(forest.effects, "better")
        if better not in ("lower", "higher"):
            return "", ""
        first, second = ("better", "worse") if uncontrolled else (arm_names[0].lower(), arm_names[1].lower())
        favours = (first, second) if better == "lower" else (second, first)
    if uncontrolled:
        return f"←\N{NO-BREAK SPACE}{favours[0]}", f"{favours[1]}\N{NO-BREAK SPACE}→"
    return favours_arrows(favours)


def favours_arrows(favours: tuple[str, str]) -> tuple[str, str]:
    """'← favours left' and 'favours right →'; the arrows never wrap away from their words."""
    return f"←\N{NO-BREAK SPACE}favours {favours[0]}", f"favours {favours[1]}\N{NO-BREAK SPACE}→"


def axis_title(scale: MeasureScale, effects: pd.DataFrame) -> str:
    """The measure with the unit that its effects share."""
    unit = _only(effects, "unit")
    if scale.is_ratio:
        return f"{scale.name} (log scale)"
    if scale.is_proportion or scale.name.startswith("Standardised") or not unit:
        return scale.name
    return f"{scale.name}, {unit}"


def default_title(effects: pd.DataFrame) -> str:
    outcome, headache = capitalised(_only(effects, "outcome")), _only(effects, "headache_type")
    return ", ".join(text for text in (outcome, headache) if text)


def footer(
    forest: Forest,
    blocks: Mapping[str, PooledResult],
    constant: list[str],
    lights: Lights,
    mcid: float | None,
    with_shrinkage: bool,
    layout: ForestLayout,
    second: PooledResult | None,
) -> list[str]:
    lines = []
    if forest.result.estimable:
        lines = [layout.printed(x) for x in footer_lines(forest.result, blocks, forest.scale, with_tau2=layout.tau2)]
    if second is not None and forest.result.k > 1:
        lines.append(f"Weights: {model_name(forest.result).lower()}. Second diamond: {model_words(second)}")
    if mcid is not None and forest.scale.null is not None:
        size = number(float(forest.scale.printed(abs(mcid))), forest.scale.decimals)
        lines.append(f"Grey band: effects smaller than the minimal important difference ({size}).")
    if with_shrinkage:
        lines.append("Open circle below a study: its effect as the Bayesian model sees it, drawn towards the mean.")
    if constant:
        lines.append(f"{'This study' if forest.result.k == 1 else 'Same in all studies'}: {'; '.join(constant)}.")
    marks = columns_of.dagger_notes(forest.effects)[1] if layout.studies else []
    lines = [*lines, *marks, *lights.legend]
    return [_SIGN.sub("\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", line) for line in lines]


def description(
    forest: Forest, blocks: Mapping[str, PooledResult], refused: pd.DataFrame, second: PooledResult | None
) -> str:
    scale = forest.scale
    parts = [result_sentence(forest.result, scale)]
    if second is not None and second.estimable:
        parts.append(f"{model_name(second)}: {effect_words(second, scale)}.")
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


def numbers_shown(rows: Sequence[Row], scale: MeasureScale) -> pd.DataFrame:
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
