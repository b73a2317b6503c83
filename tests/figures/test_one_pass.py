"""SVG and pixels drawn in one pass are those that matplotlib draws one after the other."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Circle, Rectangle
from PIL import Image

from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style, new_figure
from headache_evidence.figures.one_pass import draw_both
from headache_evidence.figures.saving import PNG_DPI, SVG_BACKEND, SVG_METADATA, save_figure
from headache_evidence.figures.sheet import page_sheet


def figure_with_all_kinds_of_marks(height: float = 220.0) -> EvidenceFigure:
    """Lines, markers, bars with hatches, collections, clips by box and by path, texts on sheet and axes."""
    with house_style():
        figure = new_figure(300.0, height)
        sheet = page_sheet(figure, 300.0, height)
        sheet.text(20, 20, "Study", weight="bold")
        sheet.text(290, 60, "upwards", rotation=90, ha="right", va="center")
        sheet.plot([10, 290], [30, 30], lw=0.6)
        sheet.plot([250, 270, 310], [50, 70, 90], marker="s", ls="--")
        sheet.add(Rectangle((200, 100), 40, 30, hatch="//", facecolor="none", edgecolor="black"))
        axes = figure.add_axes((0.15, 0.2, 0.4, 0.5))
        x = np.linspace(0, 6, 50)
        axes.fill_between(x, np.sin(x) - 0.2, np.sin(x) + 0.2, alpha=0.3)
        axes.scatter(x, np.sin(x), s=20 + 10 * x, c=np.tile(["#0072b2", "#d55e00"], 25))
        axes.bar([1, 2, 3], [0.5, -0.5, 2.0], color="0.8")
        axes.axhline(0.0, lw=0.8, color="black")
        axes.set_ylim(-1, 1)
        line = axes.plot([0, 6], [-1, 1])[0]
        line.set_clip_path(Circle((3, 0), 1.5, transform=axes.transData))
    return describe(figure, "Marks", "All kinds of marks.", figure.numbers)


def one_after_the_other(figure: EvidenceFigure) -> tuple[str, np.ndarray]:
    svg, png = io.StringIO(), io.BytesIO()
    with house_style():
        figure.savefig(svg, format="svg", backend=SVG_BACKEND, metadata=SVG_METADATA)
        figure.savefig(png, format="png")
    return svg.getvalue(), np.asarray(Image.open(png).convert("RGB")).astype(int)


@pytest.mark.parametrize("height", [220.0, 220.3], ids=["whole pixels", "a part of a pixel is cut off"])
def test_both_formats_are_as_matplotlib_draws_them(height: float) -> None:
    svg, pixels = one_after_the_other(figure_with_all_kinds_of_marks(height))
    with house_style():
        own_svg, own_pixels = draw_both(figure_with_all_kinds_of_marks(height), PNG_DPI, SVG_METADATA)
    assert own_svg == svg
    assert own_pixels.shape[:2] == pixels.shape[:2]
    difference = np.abs(own_pixels[..., :3].astype(int) - pixels).max(axis=2)
    assert (pixels < 128).any(axis=2).mean() > 0.01
    assert (difference > 64).mean() < 0.001


def test_resolution_and_canvas_of_the_figure_stay() -> None:
    figure = figure_with_all_kinds_of_marks()
    before = figure.dpi, figure.canvas
    draw_both(figure, 150.0)
    assert (figure.dpi, figure.canvas) == before


@pytest.mark.parametrize("kind", ["image", "mesh", "triangles"])
def test_a_figure_with_images_or_meshes_is_drawn_for_each_format(tmp_path: Path, kind: str) -> None:
    figure = figure_with_all_kinds_of_marks()
    if kind == "image":
        figure.axes[0].imshow(np.zeros((5, 5, 3)), extent=(0, 6, -1, 1))
    elif kind == "mesh":
        figure.axes[0].pcolormesh([0, 3, 6], [-1, 0, 1], [[1.0, 2.0], [3.0, 4.0]])
    else:
        figure.axes[0].tripcolor([0.0, 6.0, 3.0], [-1.0, -1.0, 1.0], [1.0, 2.0, 3.0], shading="gouraud")
    with pytest.raises(NotImplementedError, match="images or meshes"):
        draw_both(figure, 100.0)
    save_figure(figure, tmp_path / "figure")
    assert (tmp_path / "figure.svg").stat().st_size > 1000
    assert np.asarray(Image.open(tmp_path / "figure.png").convert("L")).min() < 50


def test_a_clear_figure_stays_clear(tmp_path: Path) -> None:
    figure = figure_with_all_kinds_of_marks()
    figure.set_facecolor("none")
    save_figure(figure, tmp_path / "clear")
    assert np.asarray(Image.open(tmp_path / "clear.png"))[0, 0, 3] == 0


def test_files_are_the_same_whether_saved_together_or_apart(tmp_path: Path) -> None:
    save_figure(figure_with_all_kinds_of_marks(), tmp_path / "together")
    save_figure(figure_with_all_kinds_of_marks(), tmp_path / "apart", ["svg"])
    assert (tmp_path / "together.svg").read_bytes() == (tmp_path / "apart.svg").read_bytes()
    save_figure(figure_with_all_kinds_of_marks(), tmp_path / "again")
    assert (tmp_path / "together.png").read_bytes() == (tmp_path / "again.png").read_bytes()
