"""Words for a resting pointer: one for each study, in place, escaped, and the same bytes in every run."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from figure_geometry import HOSTILE_LABELS, artists, synthetic_effects

from headache_evidence.figures import evidence_maps, funnel, over_time, study_scatter
from headache_evidence.figures.evidence_figure import EvidenceFigure
from headache_evidence.figures.forest import forest_plot
from headache_evidence.figures.saving import svg_text
from headache_evidence.pools.influence import baujat
from headache_evidence.pools.pooling import pool
from headache_evidence.reports.clean_html import clean_svg

SVG = "{http://www.w3.org/2000/svg}"


def boxes(figure: EvidenceFigure) -> list[tuple[str, np.ndarray]]:
    """Words and box (left, top, right, bottom) in points of each clear rectangle of the SVG."""
    root = ElementTree.fromstring(svg_text(figure))
    group = next(node for node in root.iter(f"{SVG}g") if node.get("id") == "hovers")
    found = []
    for rect in group.iter(f"{SVG}rect"):
        left, top, width, height = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
        found.append((rect.find(f"{SVG}title").text, np.array([left, top, left + width, top + height])))
    return found


def test_each_study_of_a_forest_says_its_numbers_and_their_source() -> None:
    effects = synthetic_effects(5, "OR").assign(
        source_url="https://example.org/a?b=1&c=2", source_rows="outcomes.csv:12", flags="SD looks like an SE"
    )
    figure = forest_plot(effects, pool(effects))
    found = boxes(figure)
    assert len(found) == 5
    for i, (words, box) in enumerate(found):
        lines = words.split("\n")
        assert lines[0] == effects["label"][i]
        assert lines[1].startswith("Odds ratio ")
        events, n = effects["events1"][i], effects["n1"][i]
        assert f"Intervention: {events} / {n:.0f}" in lines
        assert f"Derivation: {effects['derivation'][i]}" in lines
        assert {"Rows: outcomes.csv:12", "Source: https://example.org/a?b=1&c=2", "Doubts: SD looks like an SE"} <= set(
            lines
        )
        square = artists(figure, f"row-{i}-square")[f"row-{i}-square"]
        y = square.get_y() + square.get_height() / 2
        assert box[1] < y < box[3]
    tops = [box[1] for _, box in found]
    assert tops == sorted(tops)


def test_labels_carry_the_words_too() -> None:
    figure = forest_plot(synthetic_effects(2), pool(synthetic_effects(2)))
    root = ElementTree.fromstring(svg_text(figure))
    group = next(node for node in root.iter(f"{SVG}g") if node.get("id") == "row-0-label")
    assert group[0].tag == f"{SVG}title"
    assert group[0].text.startswith("Synthetic A 1990\nMean difference")


def test_hostile_words_are_escaped_and_survive_the_page() -> None:
    effects = synthetic_effects(len(HOSTILE_LABELS)).assign(
        label=HOSTILE_LABELS, derivation="</title><script>alert(1)</script>", arm_1_label='" onmouseover="alert(1)'
    )
    svg = svg_text(forest_plot(effects, pool(effects)))
    ElementTree.fromstring(svg)
    assert "<script>" not in svg
    page = clean_svg(svg, 1, "words")
    assert page.count("<rect") >= len(effects)
    assert "<script>" not in page
    assert "alert(1)&lt;/script&gt;" in page


def points(figure: EvidenceFigure) -> np.ndarray:
    """Places of the marks 'studies' in points from the top left corner."""
    (marks,) = artists(figure, "studies").values()
    data = marks.get_offsets() if hasattr(marks, "get_offsets") else marks.get_xydata()
    pixels = marks.axes.transData.transform(np.asarray(data)) * 72.0 / figure.dpi
    return np.column_stack([pixels[:, 0], figure.get_figheight() * 72.0 - pixels[:, 1]])


EFFECTS = synthetic_effects(12, "OR")
SCATTERS: dict[str, Callable[[], EvidenceFigure]] = {
    "funnel": lambda: funnel.funnel_plot(EFFECTS, pool(EFFECTS)),
    "radial": lambda: study_scatter.radial_plot(EFFECTS, pool(EFFECTS)),
    "labbe": lambda: study_scatter.labbe_plot(EFFECTS, pool(EFFECTS)),
    "baujat": lambda: study_scatter.baujat_plot(baujat(EFFECTS)),
    "bubble": lambda: over_time.bubble_plot(EFFECTS, "weeks"),
}


@pytest.mark.parametrize("name", SCATTERS)
def test_points_say_their_study_where_they_stand(name: str) -> None:
    figure = SCATTERS[name]()
    found = boxes(figure)
    places = points(figure)
    assert [words.split("\n")[0] for words, _ in found] == EFFECTS["label"].tolist()
    for (_, box), place in zip(found, places, strict=True):
        np.testing.assert_allclose([box[[0, 2]].mean(), box[[1, 3]].mean()], place, atol=0.02)  # rounded to 0.01
    assert svg_text(figure) == svg_text(SCATTERS[name]())


def test_cells_of_the_map_say_what_they_hold() -> None:
    table = pd.DataFrame(
        [("migraine", "pain", "short", 3, 120.0, "low"), ("cluster", "pain", "short", 0, np.nan, "")],
        columns=["headache_type", "outcome", "follow_up", "k", "n", "certainty"],
    )
    ((words, _),) = boxes(evidence_maps.evidence_gap_plot(table))
    assert words == "Migraine, pain, short\n3 studies, 120 patients\nCertainty: low"


def test_nothing_is_fetched_from_elsewhere() -> None:
    effects = synthetic_effects(3).assign(source_url="https://example.org/x")
    svg = svg_text(forest_plot(effects, pool(effects)))
    without_titles = re.sub(r"<title>.*?</title>", "", svg, flags=re.DOTALL)
    assert not re.search(r"(href|src)\s*=?\s*[\"']?https?://", without_titles)
