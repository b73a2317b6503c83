"""The forest plot: studies, subgroups and the pooled effect, with the numbers beside the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from headache_evidence.errors import InputError
from headache_evidence.figures import effect_columns as columns_of
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.forest_data import Forest, plot_axis, prepare, refused_effects
from headache_evidence.figures.forest_layout import LAYOUT_WORDS, ForestLayout, Preset, layout_of
from headache_evidence.figures.forest_rows import blocked_rows, overall_rows, refused_rows, study_rows, subgroup_rows
from headache_evidence.figures.forest_words import (
    arm_names,
    axis_title,
    default_title,
    description,
    favours_words,
    footer,
    numbers_shown,
)
from headache_evidence.figures.result_words import percent, short_model
from headache_evidence.figures.risk_of_bias_lights import Lights, lights_of
from headache_evidence.figures.row_drawing import draw
from headache_evidence.figures.row_marks import Marks
from headache_evidence.figures.row_table import Column, lay_out
from headache_evidence.pools.result import PooledResult


def forest_plot(
    effects: pd.DataFrame,
    result: PooledResult,
    *,
    subgroups: Mapping[str, PooledResult] | None = None,
    subgroup_by: str = "technique",
    second: PooledResult | None = None,
    title: str = "",
    preset: Preset | ForestLayout = "cochrane",
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
    second : another pooled result of the same studies, drawn as a second diamond: the common-effect model beside the
        random-effects model, say. Weights, line and prediction interval stay those of ``result``.
    preset : "cochrane" (all numbers left of the plot, as RevMan), "meta" (effect and weight to its right, as
        meta::forest; "journal" is the same), "jama", "bmj", "compact" (label, n, plot, effect), "subgroups" (one row
        per subgroup, no studies), or a :class:`ForestLayout` of your own.
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
    layout, forest = layout_of(preset).with_columns(columns is not None), prepare(effects, result, sort_by)
    if not layout.studies and not subgroups:
        raise InputError("A forest of subgroups alone needs the pooled results of the subgroups.")
    blocks = dict(subgroups) if subgroups and (len(subgroups) > 1 or not layout.studies) else {}
    lights = Lights((), (), ())
    if risk_of_bias is not None and layout.studies:
        lights = lights_of(risk_of_bias, forest.effects)
    shrunk = _shrunk_positions(shrinkage, forest)
    refused = refused_effects(effects)
    title = title or default_title(effects)
    names = layout.left + layout.right
    descriptive, constant = list(columns or []), list[str]()
    if columns is None and "descriptive" in names:
        descriptive, constant = columns_of.choose_descriptive(forest.effects, (subgroup_by,) if blocks else ())
    printed = [*descriptive, *(name for name in names if name not in LAYOUT_WORDS)]
    if layout.studies:
        rows = study_rows(forest, layout, printed, lights, shrunk, in_blocks=bool(blocks))
        rows = blocked_rows(forest, layout, rows, blocks, subgroup_by) if blocks else rows
    else:
        rows = subgroup_rows(forest, layout, blocks, subgroup_by)
    rows += overall_rows(forest, layout, second, in_blocks=bool(blocks))
    after = refused_rows(refused) if left_out else []
    axis = plot_axis(forest, blocks, mcid, xlim)
    arms = arm_names(forest.effects)
    sides = favours_words(forest, favours, arms)
    lines = footer(forest, blocks, constant, lights, mcid, shrinkage is not None, layout, second)
    if len(refused) and not left_out:
        lines.append(f"Not shown: {len(refused)} effects that are not in the pool.")
    nowhere = ("", "")
    with house_style():
        table = lay_out(
            rows,
            _columns(forest, layout, descriptive, arms),
            after=after,
            title=title,
            plot_width=layout.plot_width if forest.result.k else 0.0,
            lights=lights.letters,
            over_plot=sides if layout.sides_on_top else nowhere,
            under_axis=nowhere if layout.sides_on_top else sides,
            axis_title=axis_title(forest.scale, forest.effects) if forest.result.k else "",
            footer=lines,
            row_padding=7.0 if shrinkage is not None else 3.2,
        )
        marks = Marks(layout.square, layout.overall, layout.subtotal, layout.prediction)
        figure = draw(table, axis, marks)
    heading = f"Forest plot. {title}".rstrip(". ")
    words = description(forest, blocks, refused, second)
    return describe(figure, heading, words, numbers_shown([*rows, *after], forest.scale))


def _columns(forest: Forest, layout: ForestLayout, descriptive: list[str], arms: tuple[str, str]) -> list[Column]:
    """The columns that the layout names, those right of the plot marked so."""
    result, level = forest.result, percent(forest.result.level)
    label = Column("label", layout.label_heading, max_width=columns_of.LABEL_WIDTH)
    if not result.k:
        return [label]
    of_arms = columns_of.arm_columns(forest.effects, arms)
    found = {
        "label": [label],
        "descriptive": columns_of.descriptive_columns(descriptive),
        "arms": of_arms,
        "n": [column for column in of_arms if column.key.startswith(("n", "count"))],
        "weight": [Column("weight", "Weight", "right")] if result.k > 1 else [],
        "effect": columns_of.effect_columns(forest.scale.name, short_model(result), level, layout.brackets),
    }
    return [
        replace(column, right_of_plot=right)
        for names, right in ((layout.left, False), (layout.right, True))
        for name in names
        for column in (found[name] if name in found else columns_of.descriptive_columns([name]))
    ]


def _shrunk_positions(shrinkage: pd.DataFrame | None, forest: Forest) -> list[tuple[float, float, float]]:
    k = len(forest.effects)
    if shrinkage is None:
        return [(math.nan,) * 3] * k
    if len(shrinkage) != k:
        raise InputError(f"The shrinkage table has {len(shrinkage)} rows for {k} usable effects.")
    middle = "estimate" if "estimate" in shrinkage.columns else "median"
    ordered = shrinkage[[middle, "ci_low", "ci_high"]].to_numpy(float)[forest.order]
    return [(estimate, low, high) for estimate, low, high in forest.scale.position(ordered).tolist()]
