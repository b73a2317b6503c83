"""docs/figures.md shows what the gallery notebook shows."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]


def test_the_page_holds_every_figure_of_the_notebook_once() -> None:
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    names = re.findall(r"\]\(images/gallery/([\w-]+\.svg)\)", page)
    cells = nbformat.read(ROOT / "notebooks" / "gallery.ipynb", as_version=4).cells
    drawn = [
        output["data"]["image/svg+xml"]
        for cell in cells
        for output in cell.get("outputs", [])
        if "image/svg+xml" in output.get("data", {})
    ]
    shown = [(ROOT / "docs" / "images" / "gallery" / name).read_text(encoding="utf-8") for name in names]
    assert len(set(names)) == len(names)
    assert shown == drawn, "run benchmarks/draw_gallery.py after a change of the notebook"
    assert {path.name for path in (ROOT / "docs" / "images" / "gallery").glob("*.svg")} == set(names)


def test_every_figure_of_the_page_has_a_text_alternative() -> None:
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    alternatives = re.findall(r"!\[([^\]]*)\]", page)
    assert alternatives
    assert all(len(words) > 30 for words in alternatives)
