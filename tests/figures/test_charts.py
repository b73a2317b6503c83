"""Every chart at several sizes: text fits, words carry the numbers, marks stand where the numbers are, same bytes."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from figure_geometry import (
    HOSTILE_LABELS,
    artists,
    assert_text_fits,
    synthetic_effects,
    synthetic_risk_of_bias,
    texts,
)

from headache_evidence.errors import InputError
from headache_evidence.figures import (
    curves,
    evidence_maps,
    forest_variants,
    funnel,
    gosh_cloud,
    harms,
    network,
    over_time,
    prisma_diagram,
    risk_of_bias_figures,
    specification_curve,
    study_scatter,
)
from headache_evidence.figures.evidence_figure import EvidenceFigure, alt_text
from headache_evidence.figures.saving import svg_text
from headache_evidence.pools.pooling import pool


def estimates(k: int) -> pd.DataFrame:
    rng = np.random.default_rng(k)
    middle = rng.normal(-1, 0.4, k)
    return pd.DataFrame(
        {
            "label": [f"Synthetic {i}" for i in range(k)],
            "k": k,
            "estimate": middle,
            "ci_lower": middle - 1,
            "ci_upper": middle + 1,
        }
    )


def harm_counts(k: int) -> pd.DataFrame:
    rows = [(f"Synthetic {i}", "injection_site_pain", float(i % 4), 20.0 + i, "perineural_block") for i in range(k)]
    return pd.DataFrame(rows, columns=["label", "event", "events", "total", "technique"])


def evidence_map(k: int) -> pd.DataFrame:
    combinations = itertools.product(["migraine", "post_dural_puncture"], ["headache_days", "pain"], ["short", "long"])
    rows = [(*c, i % 3, 40.0 * i, ("low", "very_low", "")[i % 3]) for i, c in enumerate(combinations)]
    return pd.DataFrame(rows[:k], columns=["headache_type", "outcome", "follow_up", "k", "n", "certainty"])


def specifications(k: int) -> pd.DataFrame:
    choices = list(itertools.product(["REML", "DL"], ["wald", "knapp-hartung"], ["all", "low risk of bias only"]))
    table = pd.DataFrame([choices[i % 8] for i in range(k)], columns=["method", "ci", "studies"])
    return pd.concat([estimates(k).drop(columns=["label", "k"]), table], axis=1)


def graph(k: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = [f"synthetic_treatment_{i}" for i in range(k)]
    nodes = pd.DataFrame({"treatment": names, "k": range(1, k + 1), "n": [30.0 * (i + 1) for i in range(k)]})
    edges = pd.DataFrame([(a, b, 2) for a, b in itertools.pairwise(names)], columns=["treat1", "treat2", "k"])
    return nodes, edges


def courses(k: int) -> pd.DataFrame:
    rows = [
        (f"Synthetic {i}", weeks, 12.0 - i % 3 - weeks**0.5, ("hydrodissection", "perineural_block")[i % 2])
        for i in range(k)
        for weeks in (0.0, 1.0, 4.0, 12.0)
    ]
    return pd.DataFrame(rows, columns=["label", "weeks", "mean", "technique"])


def reporting(k: int) -> pd.DataFrame:
    answers = ("yes", "partly", "no", "")
    columns = {name: [answers[(i + j) % 4] for i in range(k)] for j, name in enumerate(("spread", "harms", "guidance"))}
    return pd.DataFrame({"study": [f"Synthetic {i}" for i in range(k)], **columns})


def density(k: int) -> pd.DataFrame:
    x = np.linspace(-3, 3, 20 * k + 1)
    parts = [
        pd.DataFrame({"parameter": name, "x": x + shift, "density": np.exp(-(x**2) / 2)})
        for name, shift in (("mu", 0.0), ("prediction", 0.0), ("tau", 3.0))
    ]
    return pd.concat(parts, ignore_index=True)


def subsets(k: int) -> pd.DataFrame:
    table = pd.DataFrame(
        {"members": range(1, 2**k), "estimate": np.sin(np.arange(1, 2**k)), "i2": np.arange(1, 2**k) % 90.0}
    )
    table.attrs["labels"] = tuple(f"Synthetic {i}" for i in range(k))
    return table


def of_effects(draw: Callable[..., EvidenceFigure], measure: str = "OR") -> Callable[[int], EvidenceFigure]:
    def build(k: int) -> EvidenceFigure:
        effects = synthetic_effects(k, measure)
        return draw(effects, pool(effects))

    return build


CHARTS: dict[str, Callable[[int], EvidenceFigure]] = {
    "funnel": of_effects(funnel.funnel_plot),
    "funnel of proportions": of_effects(funnel.funnel_plot, "PLO"),
    "radial": of_effects(study_scatter.radial_plot),
    "labbe": of_effects(study_scatter.labbe_plot),
    "drapery": of_effects(curves.drapery_plot),
    "baujat": lambda k: study_scatter.baujat_plot(
        pd.DataFrame({"label": [f"Synthetic {i}" for i in range(k)], "x": np.arange(k) + 0.5, "y": np.arange(k) % 3})
    ),
    "gosh": lambda k: gosh_cloud.gosh_plot(subsets(min(k, 8)), highlight=0),
    "posterior": lambda k: curves.posterior_plot(density(k), measure="OR", intervals={"mu": (0.0, -1.0, 1.0)}),
    "leave one out": lambda k: forest_variants.leave_one_out_plot(estimates(k), pool(synthetic_effects(max(k, 2)))),
    "cumulative": lambda k: forest_variants.cumulative_plot(estimates(k), pool(synthetic_effects(max(k, 2)))),
    "specification curve": lambda k: specification_curve.specification_curve_plot(
        specifications(k), ["method", "ci", "studies"], measure="MD", main=0
    ),
    "network": lambda k: network.network_plot(*graph(min(k, 9))),
    "bubble": lambda k: over_time.bubble_plot(synthetic_effects(k), "weeks"),
    "trajectories": lambda k: over_time.trajectory_plot(courses(k), y_title="Headache days per 28 days"),
    "timeline": lambda k: over_time.timeline_plot(synthetic_effects(k)),
    "harms": lambda k: harms.harms_plot(harm_counts(k)),
    "risk of bias": lambda k: risk_of_bias_figures.risk_of_bias_plot(synthetic_risk_of_bias(synthetic_effects(k))),
    "risk of bias summary": lambda k: risk_of_bias_figures.risk_of_bias_summary_plot(
        synthetic_risk_of_bias(synthetic_effects(k))
    ),
    "evidence gaps": lambda k: evidence_maps.evidence_gap_plot(evidence_map(k)),
    "reporting": lambda k: evidence_maps.reporting_map_plot(reporting(k)),
}


@pytest.mark.parametrize("k", [1, 3, 12, 60])
@pytest.mark.parametrize("name", CHARTS)
def test_text_fits_and_words_are_there(name: str, k: int) -> None:
    params = dict(mpl.rcParams)
    figure = CHARTS[name](k)
    assert_text_fits(figure)
    assert len(alt_text(figure)) > 30
    assert "nan" not in alt_text(figure)
    assert len(figure.numbers) > 0 or (name, k) == ("network", 1)  # one treatment has no edges
    assert dict(mpl.rcParams) == params
    assert_marks_are_within_the_axes(figure)


def assert_marks_are_within_the_axes(figure: EvidenceFigure) -> None:
    """The axis covers the data: no mark of a study, estimate or count is cut off."""
    for gid, marks in artists(figure, "").items():
        if gid not in ("studies", "imputed", "estimates", "main") and not gid.startswith(("bubble-", "line-", "node-")):
            continue
        if gid.endswith("-label"):
            continue
        data = marks.get_offsets() if hasattr(marks, "get_offsets") else marks.get_xydata()
        x, y = np.asarray(data, float).T
        (x_low, x_high), (y_low, y_high) = sorted(marks.axes.get_xlim()), sorted(marks.axes.get_ylim())
        assert x_low <= x.min(), gid
        assert x.max() <= x_high, gid
        assert y_low <= y.min(), gid
        assert y.max() <= y_high, gid


@pytest.mark.parametrize("name", ["funnel", "radial", "labbe", "baujat", "bubble", "trajectories"])
def test_labels_without_room_are_counted(name: str) -> None:
    figure = CHARTS[name](60)
    marks = [a for gid, a in artists(figure, "").items() if gid.startswith("label-")]
    assert f"No room for the labels of {60 - len(marks)} of 60 " in alt_text(figure)
    notes = " ".join(a.get_text() for gid, a in artists(figure, "").items() if gid.startswith("added-note"))
    assert f"{60 - len(marks)} of 60" in notes
    assert "No room" not in alt_text(CHARTS[name](1))


def test_areas_are_proportional_to_patients_and_weights() -> None:
    effects = synthetic_effects(12, "OR")
    (circles,) = artists(study_scatter.labbe_plot(effects), "studies").values()
    patients = (effects["n1"] + effects["n2"]).to_numpy()
    np.testing.assert_allclose(circles.get_sizes() / circles.get_sizes().max(), patients / patients.max(), rtol=1e-12)
    (bubbles,) = artists(over_time.bubble_plot(effects, "weeks"), "studies").values()
    np.testing.assert_allclose(bubbles.get_sizes() * effects["vi"], (bubbles.get_sizes() * effects["vi"])[0], rtol=1e-9)
    nodes = [artists(network.network_plot(*graph(4)), f"node-{i}")[f"node-{i}"].get_sizes()[0] for i in range(4)]
    np.testing.assert_allclose(np.array(nodes) / nodes[0], [1, 2, 3, 4], rtol=1e-12)


@pytest.mark.parametrize("k", [3, 12, 60])
def test_the_diamond_of_one_study_at_a_time_spans_the_interval(k: int) -> None:
    result = pool(synthetic_effects(k))
    for draw in (forest_variants.leave_one_out_plot, forest_variants.cumulative_plot):
        (diamond,) = artists(draw(estimates(k), result), "-diamond").values()
        assert diamond.get_xy()[:3, 0].tolist() == [result.ci[0], result.estimate, result.ci[1]]


def test_one_study_has_no_diamond_in_any_forest() -> None:
    figure = forest_variants.cumulative_plot(estimates(1), pool(synthetic_effects(1)))
    assert not artists(figure, "-diamond")


@pytest.mark.parametrize("name", CHARTS)
def test_two_runs_give_the_same_svg(name: str) -> None:
    assert svg_text(CHARTS[name](3)) == svg_text(CHARTS[name](3))


@pytest.mark.parametrize("name", ["funnel", "radial", "drapery", "labbe"])
def test_no_study_is_said_in_words(name: str) -> None:
    effects = synthetic_effects(1, "OR").iloc[:0]
    draw = {"funnel": funnel.funnel_plot, "radial": study_scatter.radial_plot, "drapery": curves.drapery_plot}
    figure = draw.get(name, study_scatter.labbe_plot)(effects, pool(effects))
    assert_text_fits(figure)
    assert "No " in alt_text(figure)


def test_funnel_points_are_the_effects_and_imputed_ones_are_open() -> None:
    effects = synthetic_effects(10, "OR")
    figure = funnel.funnel_plot(effects, pool(effects), filled_yi=(-1.0, -0.5), filled_vi=(0.2, 0.3))
    (studies,) = artists(figure, "studies").values()
    np.testing.assert_allclose(studies.get_xdata(), effects["yi"])
    np.testing.assert_allclose(studies.get_ydata(), np.sqrt(effects["vi"]))
    (imputed,) = artists(figure, "imputed").values()
    np.testing.assert_allclose(imputed.get_ydata(), np.sqrt([0.2, 0.3]))
    assert imputed.get_markerfacecolor() == "white"
    assert "2 effects imputed" in alt_text(figure)


def test_drapery_curve_crosses_five_percent_at_the_interval() -> None:
    effects = synthetic_effects(5, "OR")
    result = pool(effects)
    (curve,) = artists(curves.drapery_plot(effects, result), "pooled").values()
    x, p = curve.get_xdata(), curve.get_ydata()
    assert np.interp(result.ci[0], x, p) == pytest.approx(0.05, abs=0.01)
    assert np.interp(result.ci[1], x, p) == pytest.approx(0.05, abs=0.01)


def test_labels_of_points_survive_hostile_text() -> None:
    effects = synthetic_effects(len(HOSTILE_LABELS), "OR").assign(label=HOSTILE_LABELS)
    for draw in (funnel.funnel_plot, study_scatter.radial_plot, study_scatter.labbe_plot):
        assert_text_fits(draw(effects, pool(effects)))


def test_clopper_pearson_bounds() -> None:
    low, high = harms.exact_interval(np.array([0.0, 5.0, 10.0, np.nan]), np.array([10.0, 10.0, 10.0, 10.0]), 0.95)
    np.testing.assert_allclose(low[:3], [0.0, 18.7086, 69.1503], atol=1e-4)
    np.testing.assert_allclose(high[:3], [30.8497, 81.2914, 100.0], atol=1e-4)
    assert np.isnan(low[3])
    assert np.isnan(high[3])


def test_more_events_than_patients_name_the_study() -> None:
    table = harm_counts(2).assign(events=[1.0, 99.0])
    with pytest.raises(InputError, match=r"Synthetic 1 \(99 of 21\)"):
        harms.harms_plot(table)


def test_harms_without_counts_stay_as_rows() -> None:
    table = harm_counts(3).assign(events=[1.0, np.nan, 0.0])
    figure = harms.harms_plot(table)
    assert figure.numbers["count"].tolist()[1:] == ["1 / 20", "0 / 22", "count not reported"]


def test_estimates_that_are_missing_give_their_reason() -> None:
    table = estimates(3).assign(reason=["", "no usable evidence", ""])
    table.loc[1, ["estimate", "ci_lower", "ci_upper"]] = np.nan
    figure = forest_variants.estimates_plot(table, "MD", title="Synthetic overview")
    assert figure.numbers["words"].tolist() == ["", "no usable evidence", ""]
    assert len(artists(figure, "-square")) == 2


def test_specifications_are_sorted_and_marked_by_their_choices() -> None:
    table = specifications(8)
    figure = specification_curve.specification_curve_plot(table, ["method", "ci", "studies"], measure="MD", main=4)
    (points,) = artists(figure, "estimates").values()
    np.testing.assert_allclose(points.get_ydata(), np.sort(table["estimate"]))
    (main,) = artists(figure, "main").values()
    assert main.get_ydata()[0] == table["estimate"][4]
    (marks,) = artists(figure, "marks-method").values()
    order = np.argsort(table["estimate"].to_numpy(), kind="stable")
    rows = {"DL": 1.5, "REML": 2.5}
    np.testing.assert_allclose(marks.get_ydata(), [rows[m] for m in table["method"].to_numpy()[order]])


def test_prisma_boxes_hold_their_numbers() -> None:
    boxes = pd.DataFrame(
        [
            ("identified_databases", "Records identified from databases", "not recorded", ""),
            ("records_screened", "Records screened", "120", ""),
            ("records_excluded", "Records excluded", "20", "a very long reason for leaving out a record: 19; other: 1"),
            ("reports_assessed", "Reports assessed for eligibility", "100", ""),
            ("reports_excluded", "Reports excluded", "60", "; ".join(f"reason {i}: 5" for i in range(12))),
            ("studies_included", "Studies included in the review", "40", ""),
        ],
        columns=["box", "text", "number", "reasons"],
    )
    figure = prisma_diagram.prisma_plot(boxes)
    assert_text_fits(figure)
    words = " ".join(t.get_text() for t in texts(figure))
    for piece in ("(n = 120)", "(n = 20)", "(not\N{NO-BREAK SPACE}recorded)", "reason 11: 5", "(n = 40)"):
        assert piece in words
    assert "Records screened: 120." in alt_text(figure)
    assert svg_text(figure) == svg_text(prisma_diagram.prisma_plot(boxes))


def test_evidence_gaps_stay_empty() -> None:
    table = evidence_map(8)
    figure = evidence_maps.evidence_gap_plot(table)
    assert len([g for g in artists(figure, "") if g.startswith("bubble")]) == int((table["k"] > 0).sum())
    assert "5 of 8 combinations" in alt_text(figure)


def test_network_refuses_edges_to_unknown_treatments() -> None:
    nodes, edges = graph(3)
    with pytest.raises(InputError, match="elsewhere"):
        network.network_plot(nodes, edges.assign(treat2="elsewhere"))


def test_missing_columns_are_named() -> None:
    with pytest.raises(InputError, match="lacks the column"):
        over_time.timeline_plot(pd.DataFrame({"year": [2001]}))
    with pytest.raises(InputError, match="domain, judgement"):
        risk_of_bias_figures.risk_of_bias_plot(pd.DataFrame({"study_id": ["x"], "tool": ["RoB 2"]}))


def test_courses_of_days_have_an_axis_in_days() -> None:
    table = pd.DataFrame(
        {"label": "A 2020", "arm": "T", "technique": "perineural_block", "weeks": [0.0, 2 / 7], "mean": [8.0, 3.0]}
    )
    figure = over_time.trajectory_plot(table)
    assert "over up to 2 days" in alt_text(figure)
    assert figure.axes[0].get_lines()[0].get_xdata()[-1] == pytest.approx(2.0)


def test_the_gap_map_has_a_column_for_each_pair_that_occurs() -> None:
    pairs = [("days", "short"), ("days", "long"), ("responders", "any time")]
    table = pd.DataFrame(
        [(kind, outcome, time, 1, 20, "low") for kind in ("migraine", "cluster") for outcome, time in pairs],
        columns=["headache_type", "outcome", "follow_up", "k", "n", "certainty"],
    )
    figure = evidence_maps.evidence_gap_plot(table)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["short", "long", "any time"]
    assert "6 of 6 combinations" in alt_text(figure)


def test_a_harm_without_a_rate_says_why() -> None:
    table = pd.DataFrame(
        {
            "label": ["A 2001", "B 2002"],
            "event": ["dizziness", "any"],
            "technique": "perineural_block",
            "events": [1.0, np.nan],
            "total": [20.0, np.nan],
            "reason": ["", "denominators are injections, not patients"],
        }
    )
    figure = harms.harms_plot(table)
    assert_text_fits(figure)
    assert figure.numbers["words"].tolist()[-1] == "B 2002: denominators are injections, not patients"
