"""Figures as files: deterministic bytes, real text, words for those who cannot see."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib as mpl
import pytest
from figure_geometry import HOSTILE_LABELS, synthetic_effects
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure

from headache_evidence.errors import InputError
from headache_evidence.figures.evidence_figure import EvidenceFigure, alt_text
from headache_evidence.figures.forest import forest_plot
from headache_evidence.figures.saving import save_figure, svg_text
from headache_evidence.pools.pooling import pool

SVG = "{http://www.w3.org/2000/svg}"


def small_forest(labels: tuple[str, ...] = ()) -> EvidenceFigure:
    effects = synthetic_effects(len(labels) or 3)
    if labels:
        effects["label"] = labels
    return forest_plot(effects, pool(effects))


@pytest.mark.parametrize("form", ["svg", "png", "csv"])
def test_two_runs_give_the_same_bytes(form: str, tmp_path: Path) -> None:
    (first,) = save_figure(small_forest(), tmp_path / "one" / "forest", [form])
    (second,) = save_figure(small_forest(), tmp_path / "two" / "forest", [form])
    assert first.name == f"forest.{form}"
    assert first.read_bytes() == second.read_bytes()


def test_pdf_embeds_its_font_and_no_date(tmp_path: Path) -> None:
    (path,) = save_figure(small_forest(), tmp_path / "forest", ["pdf"])
    data = path.read_bytes()
    assert b"FontFile2" in data
    assert b"CreationDate" not in data


def test_the_callers_style_changes_nothing() -> None:
    plain = svg_text(small_forest())
    style = {"font.size": 20, "axes.grid": True, "svg.fonttype": "path", "font.family": ["serif"], "lines.linewidth": 9}
    with mpl.rc_context({**style, "text.usetex": False, "axes.spines.top": True}):
        assert svg_text(small_forest()) == plain
        assert mpl.rcParams["font.size"] == 20


def test_svg_is_well_formed_and_carries_title_and_description() -> None:
    figure = small_forest(HOSTILE_LABELS)
    root = ElementTree.fromstring(svg_text(figure))
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == figure.heading
    assert root.find(f"{SVG}desc").text == alt_text(figure)


def test_svg_text_is_text_in_an_embedded_font() -> None:
    svg = svg_text(small_forest())
    root = ElementTree.fromstring(svg)
    words = {"".join(node.itertext()) for node in root.iter(f"{SVG}text")}
    assert {"Study", "Synthetic A 1990", "Weight"} <= words
    drawn = set("".join(words)) - {"\n"}
    held: set[int] = set()
    for data in re.findall(r"base64,([A-Za-z0-9+/=]+)\)", svg):
        held |= set(TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap())
    assert {ord(c) for c in drawn} <= held
    assert not re.search(r"https?://(?!www\.w3\.org|purl\.org|creativecommons\.org)", svg)


def test_notebooks_show_the_svg_and_the_words() -> None:
    figure = small_forest()
    shown = figure._repr_mimebundle_()
    assert shown["image/svg+xml"].startswith("<svg")
    assert shown["text/plain"] == alt_text(figure)


def test_unknown_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gif"):
        save_figure(small_forest(), tmp_path / "forest", ["svg", "gif"])
    assert not list(tmp_path.iterdir())


def test_other_figures_have_no_description() -> None:
    with pytest.raises(InputError, match="made by this package"):
        alt_text(Figure())
