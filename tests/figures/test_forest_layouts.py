"""Layouts of journals and programs, subgroups alone, a second diamond, shapes of the prediction interval."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from figure_geometry import (
    artists,
    assert_text_fits,
    plot_sheet,
    row_texts,
    synthetic_effects,
    synthetic_risk_of_bias,
)
from scipy.stats import t

from headache_evidence.errors import InputError
from headache_evidence.figures.evidence_figure import EvidenceFigure, alt_text
from headache_evidence.figures.forest import forest_plot
from headache_evidence.figures.forest_layout import FOREST_LAYOUTS, ForestLayout
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.result import PooledResult

PRESETS = [name for name in FOREST_LAYOUTS if name != "journal"]  # the same as meta


def subgroups(effects: pd.DataFrame) -> dict[str, PooledResult]:
    return {str(name): pool(rows) for name, rows in effects.loc[effects["usable"]].groupby("technique")}


def drawn_texts(figure: EvidenceFigure, start: str) -> list[str]:
    found = [a for gid, a in artists(figure, "").items() if gid.startswith(start) and hasattr(a, "get_text")]
    return [a.get_text().replace("\N{NO-BREAK SPACE}", " ") for a in found]


@pytest.mark.parametrize(("k", "measure"), [(1, "OR"), (3, "MD"), (12, "OR")])
@pytest.mark.parametrize("preset", PRESETS)
def test_text_fits_in_every_layout(preset: str, k: int, measure: str) -> None:
    effects = synthetic_effects(k, measure, refused=2)
    figure = forest_plot(effects, pool(effects), subgroups=subgroups(effects), preset=preset)
    assert_text_fits(figure)
    refused = figure.numbers.loc[figure.numbers["words"].str.contains("no SD")]
    assert len(refused) == 2


@pytest.mark.parametrize("preset", ["cochrane", "meta", "jama", "bmj"])
def test_columns_stand_on_the_side_that_the_layout_says(preset: str) -> None:
    effects = synthetic_effects(3)
    figure = forest_plot(effects, pool(effects), preset=preset)
    plot = plot_sheet(figure).get_window_extent()
    figure.draw_without_rendering()
    key = {"effect": "estimate", "label": "label", "weight": "weight", "arms": "mean1"}
    layout = FOREST_LAYOUTS[preset]
    for names, left in ((layout.left, True), (layout.right, False)):
        for name in names:
            if name in key:
                box = artists(figure, f"row-0-{key[name]}")[f"row-0-{key[name]}"].get_window_extent()
                assert (box.x1 < plot.x0) if left else (box.x0 > plot.x1), name


def test_a_layout_of_ones_own_prints_any_column() -> None:
    effects = synthetic_effects(3).assign(injectate="lidocaine;betamethasone")
    own = replace(FOREST_LAYOUTS["meta"], left=("label", "injectate"), right=("effect", "year"))
    figure = forest_plot(effects, pool(effects), preset=own)
    assert row_texts(figure, 0)["injectate"] == "lidocaine,"
    assert row_texts(figure, 0)["year"] == "1990"
    with pytest.raises(InputError, match="no column 'nonsense'"):
        forest_plot(effects, pool(effects), preset=ForestLayout(left=("label", "nonsense")))


def test_jama_prints_no_leading_zero_no_tau2_and_its_sides_on_top() -> None:
    effects = synthetic_effects(12)
    figure = forest_plot(effects, pool(effects), subgroups=subgroups(effects), preset="jama")
    printed = drawn_texts(figure, "footer") + drawn_texts(figure, "row")
    assert any("P < .001" in text or "P = ." in text for text in printed)
    assert not any("P = 0." in text or "τ² =" in text for text in printed)
    assert row_texts(figure, 1)["low"].startswith("(")
    assert row_texts(figure, 1)["low"].endswith(" to")
    assert drawn_texts(figure, "side-")
    assert not drawn_texts(figure, "favours-")


def test_subgroups_alone_have_a_diamond_each_and_no_study() -> None:
    effects = synthetic_effects(7)
    effects.loc[[5], "technique"] = "hydrodissection"
    blocks = subgroups(effects)
    figure = forest_plot(effects, pool(effects), subgroups=blocks, preset="subgroups")
    assert blocks["topical_block"].k == 1
    labels = [row_texts(figure, i)["label"] for i in range(3)]
    assert labels == ["Hydrodissection (k = 3)", "Perineural block (k = 3)", "Topical block (k = 1)"]
    assert (
        len(artists(figure, "-diamond")) == 3
    )  # two subgroups and the overall effect; a single study has its own interval
    assert set(artists(figure, "-square")) == {"row-2-square"}
    with pytest.raises(InputError, match="needs the pooled results of the subgroups"):
        forest_plot(effects, pool(effects), preset="subgroups")


def test_an_unknown_preset_lists_the_known_ones() -> None:
    effects = synthetic_effects(2)
    with pytest.raises(InputError, match="'nature'; allowed are cochrane, meta"):
        forest_plot(effects, pool(effects), preset="nature")


def test_the_second_diamond_spans_the_second_interval() -> None:
    effects = synthetic_effects(12)
    random, common = pool(effects), pool(effects, method="FE", ci="wald")
    figure = forest_plot(effects, random, second=common)
    spans = [patch.get_xy()[[0, 1, 2], 0].tolist() for patch in artists(figure, "-diamond").values()]
    assert spans == [[r.ci[0], r.estimate, r.ci[1]] for r in (random, common)]
    labels = figure.numbers.loc[figure.numbers["kind"] == "pooled", "label"].tolist()
    assert labels == ["Random effects (k = 12)", "Common effect (k = 12)"]
    assert "Common effect: −" in alt_text(figure)
    assert any(
        text.startswith("Weights: random effects. Second diamond: Common") for text in drawn_texts(figure, "foot")
    )
    assert_text_fits(figure)


@pytest.mark.parametrize("measure", ["MD", "OR", "PLO"])
def test_the_density_of_the_prediction_is_that_of_its_law(measure: str) -> None:
    effects = synthetic_effects(6, measure, seed=4)
    result = pool(effects)
    layout = replace(FOREST_LAYOUTS["cochrane"], prediction="density")
    figure = forest_plot(effects, result, preset=layout)
    assert_text_fits(figure)
    (curve,) = artists(figure, "-density").values()
    x, height = curve.get_xdata(), -curve.get_ydata()
    height = height - height.min()
    share = np.trapezoid(height, x)
    low, high = result.prediction_interval
    if measure == "PLO":
        low, high = (100 / (1 + math.exp(-bound)) for bound in (low, high))
    inside = (x >= low) & (x <= high)
    beyond = 2 * t.sf(4, result.prediction_df)  # the curve is drawn over four spreads to either side
    # the tails cut from the drawn curve lift it by their height, hence the wide tolerance
    assert np.trapezoid(height[inside], x[inside]) / share == pytest.approx(0.95 / (1 - beyond), abs=0.05)


def test_the_axis_stands_under_the_studies_and_the_refused_below_it() -> None:
    effects = synthetic_effects(5, refused=14)
    figure = forest_plot(effects, pool(effects), risk_of_bias=synthetic_risk_of_bias(effects))
    plot = plot_sheet(figure)
    bottom = plot.y_limits[0]
    (bar,) = artists(figure, "-prediction").values()
    assert 0 < bottom - (bar.get_y() + bar.get_height()) < 12  # points
    refused = figure.findobj(lambda a: str(a.get_gid() or "").endswith("-words-0"))
    assert len(refused) == 15  # the heading and fourteen rows
    assert all(text.get_position()[1] > bottom for text in refused)


def test_arms_that_come_twice_are_not_summed() -> None:
    effects = synthetic_effects(4).assign(arm_1=["T1", "T2", "T", "T"], arm_2=["C", "C", "C", "C"])
    effects["study_id"] = ["S1", "S1", "S2", "S3"]
    pooled = forest_plot(effects, pool(effects)).numbers
    totals = pooled.loc[pooled["kind"] == "pooled"].iloc[0]
    assert totals["n1"] == f"{effects['n1'].sum():.0f}"
    assert totals["n2"] == ""
