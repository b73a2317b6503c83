"""The forest plot's geometry and words."""

from __future__ import annotations

import math
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from figure_geometry import (
    HOSTILE_LABELS,
    artists,
    assert_text_fits,
    plot_sheet,
    row_texts,
    synthetic_effects,
    synthetic_risk_of_bias,
)

from headache_evidence.errors import InputError
from headache_evidence.figures.evidence_figure import alt_text
from headache_evidence.figures.forest import forest_plot
from headache_evidence.pools.pooling import pool

MINUS = "−"


def subgroups(effects: pd.DataFrame) -> dict[str, object]:
    usable = effects.loc[effects["usable"]]
    return {str(name): pool(rows) for name, rows in usable.groupby("technique")}


def as_number(text: str) -> float:
    return float(text.strip("[],").replace(MINUS, "-"))


@pytest.mark.parametrize("measure", ["MD", "OR", "PLO"])
@pytest.mark.parametrize("k", [1, 3, 12])
def test_no_text_overlaps_or_leaves_the_canvas(k: int, measure: str) -> None:
    effects = synthetic_effects(k, measure, refused=1)
    figure = forest_plot(
        effects, pool(effects), subgroups=subgroups(effects), risk_of_bias=synthetic_risk_of_bias(effects)
    )
    assert_text_fits(figure)


@pytest.mark.parametrize("preset", ["cochrane", "journal", "compact"])
def test_hostile_labels_fit_in_every_preset(preset: str) -> None:
    effects = synthetic_effects(len(HOSTILE_LABELS))
    effects["label"] = HOSTILE_LABELS
    effects.loc[0, "guidance"] = "very_long_guidance_word_" * 6
    figure = forest_plot(effects, pool(effects), preset=preset, title="$\\alpha$ & <b>" + " long title" * 30)
    assert_text_fits(figure)
    assert "$\\frac{a}{b$" in " ".join(text for text in row_texts(figure, 0).values())


def test_two_hundred_studies_fit() -> None:
    effects = synthetic_effects(200)
    figure = forest_plot(effects, pool(effects))
    assert len(artists(figure, "-square")) == 200
    assert_text_fits(figure)


def test_squares_stand_at_the_estimates_and_their_area_is_the_weight() -> None:
    effects = synthetic_effects(12)
    result = pool(effects)
    figure = forest_plot(effects, result)
    squares = [artists(figure, f"row-{i}-square")[f"row-{i}-square"] for i in range(12)]
    centres = [s.get_x() + s.get_width() / 2 for s in squares]
    np.testing.assert_allclose(centres, effects["yi"], rtol=0, atol=1e-12)
    area = np.array([s.get_height() ** 2 for s in squares])
    np.testing.assert_allclose(area / area.sum(), np.array(result.weights) / 100, rtol=1e-9)
    plot = plot_sheet(figure)
    box = plot.get_window_extent()
    pixels_x = [s.get_width() / np.ptp(plot.x_limits) * box.width for s in squares]
    pixels_y = [s.get_height() / np.ptp(plot.y_limits) * box.height for s in squares]
    np.testing.assert_allclose(pixels_x, pixels_y, rtol=1e-9)  # squares, not rectangles


def test_diamonds_span_their_intervals() -> None:
    effects = synthetic_effects(12, "OR")
    result, blocks = pool(effects), subgroups(effects)
    figure = forest_plot(effects, result, subgroups=blocks)
    diamonds = [patch.get_xy() for patch in artists(figure, "-diamond").values()]
    wanted = {(r.ci[0], r.estimate, r.ci[1]) for r in (*blocks.values(), result)}
    drawn = {(xy[0, 0], xy[1, 0], xy[2, 0]) for xy in diamonds}
    assert drawn == wanted


def test_proportions_are_drawn_and_printed_in_percent() -> None:
    effects = synthetic_effects(5, "PLO")
    result = pool(effects)
    figure = forest_plot(effects, result)
    (diamond,) = (patch.get_xy() for patch in artists(figure, "-diamond").values())
    back = 100 / (1 + np.exp(-np.array([result.ci[0], result.estimate, result.ci[1]])))
    np.testing.assert_allclose(diamond[:3, 0], back, rtol=1e-12)
    rate = 100 * effects["events1"] / effects["n1"]
    assert as_number(row_texts(figure, 0)["estimate"]) == pytest.approx(rate[0], abs=0.05)
    assert not artists(figure, "null")


def test_every_interval_is_drawn_whole_or_ends_in_an_arrow() -> None:
    effects = synthetic_effects(6)
    effects.loc[2, "vi"] = 900.0
    figure = forest_plot(effects, pool(effects))
    low, high = plot_sheet(figure).x_limits
    for i in range(6):
        (line,) = artists(figure, f"row-{i}-interval").values()
        half = 1.959964 * math.sqrt(effects["vi"][i])
        start, end = effects["yi"][i] - half, effects["yi"][i] + half
        np.testing.assert_allclose(line.get_xdata(), [max(start, low), min(end, high)], rtol=1e-6)
        cut = int(start < low) + int(end > high)
        arrows = figure.findobj(lambda a, i=i: str(a.get_gid()) == f"row-{i}-interval-arrow")
        assert len(arrows) == cut
    assert len(artists(figure, "row-2-interval-arrow")) == 1


def test_estimates_outside_given_limits_get_arrows_not_squares() -> None:
    effects = synthetic_effects(3)
    effects["yi"] = [-50.0, 0.0, 50.0]
    figure = forest_plot(effects, pool(effects), xlim=(-2, 2))
    assert set(artists(figure, "-square")) == {"row-1-square"}
    assert set(artists(figure, "-outside-arrow")) == {"row-0-outside-arrow", "row-2-outside-arrow"}


def test_the_axis_holds_all_estimates_and_the_null() -> None:
    effects = synthetic_effects(12, "OR", seed=5)
    figure = forest_plot(effects, pool(effects))
    low, high = plot_sheet(figure).x_limits
    assert low <= min(effects["yi"].min(), 0)
    assert max(effects["yi"].max(), 0) <= high


def test_printed_numbers_are_those_of_the_table() -> None:
    effects = synthetic_effects(12, "OR")
    result = pool(effects)
    figure = forest_plot(effects, result)
    for i in range(12):
        shown = row_texts(figure, i)
        half = 1.959964 * math.sqrt(effects["vi"][i])
        for key, value in (("estimate", 0.0), ("low", -half), ("high", half)):
            assert as_number(shown[key]) == pytest.approx(math.exp(effects["yi"][i] + value), rel=5e-3, abs=5e-3)
        assert shown["count1"] == f"{effects['events1'][i]} / {effects['n1'][i]:.0f}"
        assert shown["weight"] == f"{result.weights[i]:.1f}%"
    pooled = figure.numbers.loc[figure.numbers["kind"] == "pooled"].iloc[0]
    assert as_number(pooled["estimate"]) == pytest.approx(math.exp(result.estimate), abs=5e-3)


def test_one_row_per_effect_even_when_labels_repeat() -> None:
    effects = synthetic_effects(6, refused=2)
    effects["label"] = "Same 2001"
    effects.index = [0] * 8
    figure = forest_plot(effects, pool(effects), subgroups=subgroups(effects))
    assert (figure.numbers["kind"] == "study").sum() == 6
    assert figure.numbers["words"].str.contains("not estimable: no SD").sum() == 2


def test_left_out_rows_can_be_hidden_but_are_counted() -> None:
    effects = synthetic_effects(3, refused=2)
    figure = forest_plot(effects, pool(effects), left_out=False)
    assert any("Not shown: 2 effects" in t.get_text() for t in artists(figure, "").values() if hasattr(t, "get_text"))


@pytest.mark.parametrize(("better", "left"), [("lower", "perineural block"), ("higher", "placebo")])
def test_favours_labels_follow_the_better_direction(better: str, left: str) -> None:
    effects = synthetic_effects(3).assign(technique="perineural_block", better=better)
    figure = forest_plot(effects, pool(effects))
    words = " ".join(t.get_text() for gid, t in artists(figure, "").items() if gid.startswith("favours-left"))
    assert words.replace("\N{NO-BREAK SPACE}", " ") == f"← favours {left}"


def test_before_and_after_says_better_and_worse() -> None:
    effects = synthetic_effects(3).assign(stream="before_after", measure="MC", n2=np.nan, m2=np.nan, sd2=np.nan)
    figure = forest_plot(effects, pool(effects))
    found = {gid: t.get_text() for gid, t in artists(figure, "").items() if gid.startswith("favours")}
    labels = {gid: text.replace("\N{NO-BREAK SPACE}", " ") for gid, text in found.items()}
    assert labels == {"favours-left-0": "← better", "favours-right-0": "worse →"}


def test_a_change_without_control_favours_nothing_whatever_the_sides_are_called() -> None:
    effects = synthetic_effects(3).assign(stream="before_after", measure="MC", n2=np.nan, m2=np.nan, sd2=np.nan)
    figure = forest_plot(effects, pool(effects), favours=("improved", "worsened"))
    texts = [t.get_text() for gid, t in artists(figure, "").items() if gid.startswith("favours")]
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts] == ["← improved", "worsened →"]


def test_weeks_line_up_and_hours_are_not_printed_as_zero() -> None:
    effects = synthetic_effects(3).assign(weeks=[0.0119, 4.3478, 26.0])
    assert forest_plot(effects, pool(effects)).numbers["weeks"].dropna().to_list() == ["<0.1", "4.3", "26.0"]


def test_no_evidence_is_said_in_words() -> None:
    effects = synthetic_effects(0, refused=2)
    figure = forest_plot(effects, pool(effects))
    assert "No usable evidence" in alt_text(figure)
    assert not artists(figure, "-diamond")
    assert figure.numbers["words"].str.contains("no SD").sum() == 2
    assert_text_fits(figure)


def test_one_study_has_no_diamond() -> None:
    effects = synthetic_effects(1)
    figure = forest_plot(effects, pool(effects))
    assert not artists(figure, "-diamond")
    assert "nothing pooled" in alt_text(figure)


def test_two_studies_carry_no_test_of_the_overall_effect() -> None:
    effects = synthetic_effects(2)
    figure = forest_plot(effects, pool(effects))
    footer = [t.get_text() for gid, t in artists(figure, "").items() if gid.startswith("footer")]
    assert not any(line.startswith("Test of the overall effect") for line in footer)


@pytest.mark.parametrize(
    ("method", "heading", "words"),
    [
        ("REML", "IV, random", "τ² by REML, inverse variance"),
        ("FE", "IV, common", "Common-effect model, inverse variance"),
        ("MH", "MH, common", "Mantel-Haenszel"),
        ("GLMM", "GLMM", "Generalised linear mixed model"),
    ],
)
def test_the_model_is_named_as_it_is(method: str, heading: str, words: str) -> None:
    effects = synthetic_effects(4, "OR")
    figure = forest_plot(effects, replace(pool(effects), method=method))
    shown = {gid: t.get_text() for gid, t in artists(figure, "").items() if hasattr(t, "get_text")}
    assert shown["group-Odds ratio"] == "Odds ratio"
    assert shown["heading-high-0"] == f"{heading} [95% CI]"
    assert any(words in text for gid, text in shown.items() if gid.startswith("footer"))


def test_subgroups_of_two_studies_are_not_tested_against_each_other() -> None:
    effects = synthetic_effects(4)
    figure = forest_plot(effects, pool(effects), subgroups=subgroups(effects))
    footer = " ".join(t.get_text() for gid, t in artists(figure, "").items() if gid.startswith("footer"))
    assert "No test of subgroup differences: it needs two subgroups of at least 3 studies." in footer


def test_risk_of_bias_lights_stand_in_the_rows_of_their_studies() -> None:
    effects = synthetic_effects(4)
    table = synthetic_risk_of_bias(effects)
    table = table.loc[table["study_id"] != "Synthetic2"]
    figure = forest_plot(effects, pool(effects), risk_of_bias=table, sort_by="yi")
    found = {gid.removeprefix("lights-"): marks for gid, marks in artists(figure, "").items() if "lights-" in gid}
    assert set(found) == {"low", "some_concerns", "high", "no_information"}
    rows = {text.get_position()[1]: text.get_text() for text in artists(figure, "-label").values()}
    counted: dict[str, int] = {}
    for marks in found.values():
        for y in marks.get_ydata():
            label = next(text for at, text in rows.items() if math.isclose(at, y))
            counted[label] = counted.get(label, 0) + 1
    assert sorted(counted) == ["Synthetic A 1990", "Synthetic B 1991", "Synthetic D 1993"]
    assert set(counted.values()) == {6}
    signs = {gid.removeprefix("signs-"): marks for gid, marks in artists(figure, "").items() if "signs-" in gid}
    for key, marks in found.items():
        np.testing.assert_array_equal(marks.get_xydata(), signs[key].get_xydata())


def test_band_of_small_effects_and_prediction_interval() -> None:
    effects = synthetic_effects(6)
    result = pool(effects)
    figure = forest_plot(effects, result, mcid=1.5)
    (band,) = artists(figure, "important-difference").values()
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((-1.5, 1.5))
    (bar,) = artists(figure, "-prediction").values()
    low, high = plot_sheet(figure).x_limits
    ends = (max(result.prediction_interval[0], low), min(result.prediction_interval[1], high))
    assert (bar.get_x(), bar.get_x() + bar.get_width()) == pytest.approx(ends)


def test_shrinkage_layer_follows_the_sorting() -> None:
    effects = synthetic_effects(5)
    shrunk = pd.DataFrame(
        {"estimate": effects["yi"] / 2, "ci_low": effects["yi"] / 2 - 1, "ci_high": effects["yi"] / 2 + 1}
    )
    figure = forest_plot(effects, pool(effects), shrinkage=shrunk, sort_by="yi")
    marks = [artists(figure, f"row-{i}-shrunk")[f"row-{i}-shrunk"].get_xdata()[0] for i in range(5)]
    np.testing.assert_allclose(marks, np.sort(effects["yi"]) / 2)


def test_derived_values_have_a_dagger_and_a_footnote() -> None:
    effects = synthetic_effects(6)
    figure = forest_plot(effects, pool(effects))
    marked = [i for i in range(6) if row_texts(figure, i)["label"].endswith("†")]
    assert marked == [4]
    assert any(t.get_text().startswith("† SD from") for g, t in artists(figure, "").items() if g.startswith("footer"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sort_by": "nonsense"}, "Cannot sort by 'nonsense'"),
        ({"columns": ["nonsense"]}, "no column 'nonsense'"),
        ({"xlim": (2, 1)}, "low < high"),
        ({"shrinkage": pd.DataFrame({"estimate": [1.0], "ci_low": [0.0], "ci_high": [2.0]})}, "1 rows for 3"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, object], words: str) -> None:
    effects = synthetic_effects(3)
    with pytest.raises(InputError, match=words):
        forest_plot(effects, pool(effects), **change)


def test_a_result_of_other_studies_is_refused() -> None:
    effects = synthetic_effects(3)
    with pytest.raises(InputError, match="result is of 2 studies, the table has 3"):
        forest_plot(effects, pool(effects.iloc[:2]))


def test_inputs_and_rc_params_stay_as_they_were() -> None:
    effects = synthetic_effects(4, refused=1)
    before, params = effects.copy(deep=True), dict(mpl.rcParams)
    forest_plot(effects, pool(effects), sort_by="yi", risk_of_bias=synthetic_risk_of_bias(effects))
    pd.testing.assert_frame_equal(effects, before)
    assert dict(mpl.rcParams) == params


def test_alt_text_holds_the_pooled_numbers_and_the_studies() -> None:
    effects = synthetic_effects(4)
    result = pool(effects)
    words = alt_text(forest_plot(effects, result))
    assert f"{result.estimate:.2f}".replace("-", MINUS) in words
    assert "4 studies" in words
    assert all(label in words for label in effects["label"])
