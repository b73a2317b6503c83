"""Figures without colour: marks, hatches and signs differ, and colours stay apart for colour-blind readers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from figure_geometry import artists, synthetic_effects, synthetic_risk_of_bias
from matplotlib.colors import to_rgb

from headache_evidence.figures import evidence_maps, funnel, gosh_cloud, over_time, risk_of_bias_figures
from headache_evidence.figures.chart import category_styles
from headache_evidence.figures.evidence_maps import CERTAINTY
from headache_evidence.figures.palette import CATEGORY_COLOURS, JUDGEMENTS
from headache_evidence.figures.risk_of_bias_figures import HATCHES
from headache_evidence.pools.pooling import pool

# Vienot, Brettel and Mollon 1999, Color Research and Application 24:243, on linear RGB
SEEN = {
    "protanopia": np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
    "deuteranopia": np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


def lab(colour: str, seen: np.ndarray) -> np.ndarray:
    """CIELAB of a colour as somebody sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    ratio = TO_XYZ @ np.clip(seen @ linear, 0, 1) / WHITE
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", SEEN)
def test_colours_of_categories_stay_apart(kind: str) -> None:
    distances = [
        np.linalg.norm(lab(a, SEEN[kind]) - lab(b, SEEN[kind])) for a, b in combinations(CATEGORY_COLOURS[:5], 2)
    ]
    assert min(distances) > 10  # about five times a just noticeable difference


def test_categories_differ_in_marker_and_hatch_as_well() -> None:
    styles = category_styles([f"synthetic {i}" for i in range(8)]).values()
    assert len({s.marker for s in styles}) == len({s.hatch for s in styles}) == len({s.colour for s in styles}) == 8


def test_judgements_and_certainty_have_a_sign_each() -> None:
    assert len({symbol for _, symbol, _, _ in JUDGEMENTS.values()}) == len(JUDGEMENTS)
    assert len({sign for _, sign in CERTAINTY.values()}) == len(CERTAINTY)
    lightness = [lab(CERTAINTY[key][0], np.eye(3))[0] for key in ("high", "moderate", "low", "very_low")]
    assert np.all(np.diff(lightness) > 10)  # darker is more certain in print without colour, too


def test_signs_stand_on_their_lights() -> None:
    figure = risk_of_bias_figures.risk_of_bias_plot(synthetic_risk_of_bias(synthetic_effects(4)))
    for key in ("low", "some_concerns", "high", "no_information"):
        light, sign = artists(figure, f"lights-{key}"), artists(figure, f"signs-{key}")
        np.testing.assert_array_equal(light[f"lights-{key}"].get_xydata(), sign[f"signs-{key}"].get_xydata())
    filled = {key: fill for key, (fill, *_) in JUDGEMENTS.items() if HATCHES[key] == ""}
    assert set(filled) == {"low", "no_information"}  # the two plain bars differ in lightness
    assert abs(np.diff([lab(fill, np.eye(3))[0] for fill in filled.values()])[0]) > 15


def test_imputed_studies_highlighted_subsets_and_techniques_differ_in_shape() -> None:
    effects = synthetic_effects(6, "OR")
    figure = funnel.funnel_plot(effects, pool(effects), filled_yi=[1.0], filled_vi=[0.2])
    (imputed,) = artists(figure, "imputed").values()
    (studies,) = artists(figure, "studies").values()
    assert imputed.get_markerfacecolor() != studies.get_markerfacecolor() == "#0072b2"
    subsets = pd.DataFrame({"members": range(1, 16), "estimate": np.linspace(0, 1, 15), "i2": np.linspace(0, 50, 15)})
    cloud = gosh_cloud.gosh_plot(subsets, highlight=0)
    paths = [tuple(c.get_paths()[0].codes) for c in cloud.axes[0].collections[:2]]
    assert paths[0] != paths[1]  # crosses and squares
    table = pd.DataFrame(
        [(f"S{i}", w, 9.0 - w, t) for i, t in enumerate(("a", "b")) for w in (0.0, 1.0)],
        columns=["label", "weeks", "mean", "technique"],
    )
    lines = artists(over_time.trajectory_plot(table), "")
    assert lines["line-0"].get_marker() != lines["line-1"].get_marker()


def test_bubbles_of_the_map_have_the_area_of_their_patients() -> None:
    table = pd.DataFrame(
        [("migraine", "pain", t, 2, n, "low") for t, n in (("short", 400.0), ("long", 100.0))],
        columns=["headache_type", "outcome", "follow_up", "k", "n", "certainty"],
    )
    bubbles = [a for gid, a in sorted(artists(evidence_maps.evidence_gap_plot(table), "").items()) if "bubble" in gid]
    assert bubbles[0].get_sizes()[0] / bubbles[1].get_sizes()[0] == pytest.approx(4.0)
