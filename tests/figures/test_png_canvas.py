"""PNG files: text stands where matplotlib's own renderer puts it, and the file says what it is."""

from __future__ import annotations

import io
import warnings

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.font_manager import FontProperties
from PIL import Image

from headache_evidence.figures.evidence_figure import EvidenceFigure, house_style, new_figure
from headache_evidence.figures.font_measures import _SIDE_BY_SIDE, _extent, _laid_out, font_file, text_extent
from headache_evidence.figures.palette import FONT
from headache_evidence.figures.png_canvas import TextRenderer, png_bytes

TEXTS = ("Weight", "Ágnès Łoś, jÅg", "τ² −0.45 [−1.20, ½]", "AVATo ⊕⊕○○ ()", "Q")
POSITIONS = (30.0, 31.1, 31.7)  # points, at different fractions of a pixel


def lines_of_text(text: str, **properties: object) -> EvidenceFigure:
    figure = new_figure(220.0, 220.0)
    properties = {"family": FONT, **properties}
    for number, at in enumerate(POSITIONS):
        x, y = (at + 60 * number, 110.0) if properties.get("rotation") else (110.0, at + 60 * number)
        figure.text(x / 220.0, y / 220.0, text, **properties)  # type: ignore[arg-type]
    return figure


def drawn(figure: EvidenceFigure) -> np.ndarray:
    """Darkness of each pixel at 200 dpi, 0 to 255."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=200)
    return 255 - np.asarray(Image.open(file).convert("L")).astype(int)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"weight": "bold", "ha": "right", "size": 6.5},
        {"ha": "center", "va": "center_baseline", "color": "#888888"},
        {"rotation": 90, "ha": "center", "va": "center"},
        {"rotation": 270, "weight": "bold"},
        {"rotation": 30},
    ],
)
def test_text_is_where_matplotlib_puts_it(text: str, properties: dict[str, object]) -> None:
    """Ours begins on a whole pixel: the edges of its ink are a pixel off at most."""
    ours = drawn(lines_of_text(text, **properties))
    reference = lines_of_text(text, **properties)
    FigureCanvasAgg(reference)
    theirs = drawn(reference)
    assert ours.max() > 100
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.03)
    ours_ink, theirs_ink = np.argwhere(ours > 64), np.argwhere(theirs > 64)
    assert np.abs(ours_ink.min(axis=0) - theirs_ink.min(axis=0)).max() <= 1
    assert np.abs(ours_ink.max(axis=0) - theirs_ink.max(axis=0)).max() <= 1


@pytest.mark.parametrize("text", [*TEXTS, "jfj", "/ (a)"])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_text_on_a_whole_pixel_looks_as_matplotlib_draws_it(text: str, angle: float, weight: str) -> None:
    """They differ by the sixty-fourths of a pixel in which FreeType counts: a little grey at the edges."""
    pictures = []
    for kind in (TextRenderer, RendererAgg):
        with house_style():
            renderer = kind(700, 700, 200)
            font = FontProperties(family=FONT, size=9, weight=weight)
            renderer.draw_text(renderer.new_gc(), 350.0, 351.0, text, font, angle)
        pictures.append(np.asarray(renderer.buffer_rgba())[..., 3].astype(int))
    assert pictures[0].max() > 100
    assert np.abs(pictures[0] - pictures[1]).max() <= 32


def test_mathtext_and_other_fonts_are_left_to_matplotlib() -> None:
    for properties in ({"parse_math": True}, {"family": "STIXGeneral"}):
        figure, reference = (lines_of_text("$x^2$ and words", **properties) for _ in range(2))
        FigureCanvasAgg(reference)
        np.testing.assert_array_equal(drawn(figure), drawn(reference))


def test_extent_does_not_depend_on_the_callers_hinting() -> None:
    with mpl.rc_context({"text.hinting": "force_autohint"}):
        hinted = text_extent("never measured before", font_file(), 8.0)
    assert hinted[0] == pytest.approx(2 * text_extent("never measured before", font_file(), 4.0)[0])


def test_png_holds_pixels_words_and_resolution() -> None:
    pixels = np.random.default_rng(7).integers(0, 256, (5, 9, 4), dtype=np.uint8)
    image = Image.open(io.BytesIO(png_bytes(pixels, 200.0, {"Title": "Größe ≤ 5", "Description": "words"})))
    np.testing.assert_array_equal(np.asarray(image), pixels[:, :, :3])
    assert image.text == {"Title": "Größe ≤ 5", "Description": "words"}
    assert image.info["dpi"] == pytest.approx((200.0, 200.0), abs=0.01)  # the file counts whole pixels per metre


def test_a_clear_figure_keeps_its_transparency() -> None:
    figure = lines_of_text("Weight")
    file = io.BytesIO()
    figure.savefig(file, format="png", transparent=True)
    assert Image.open(file).mode == "RGBA"


JOINED_SCRIPTS = ("سلام", "é̂x", "x\u20d7", "日")


@given(
    st.text(st.characters(max_codepoint=0x27BF, exclude_categories=("C", "M", "Z")) | st.just(" "), max_size=30),
    st.sampled_from(("normal", "bold")),
)
def test_a_line_measures_as_freetype_lays_it_out(text: str, weight: str) -> None:
    """Ligatures of three letters are narrower than their pairs tell, by a tenth of a point at 100 points."""
    file = font_file(weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # matplotlib tells of characters that the font lacks
        whole = [value / 64 for value in _laid_out(text, file)]
        added_up = [value / 64 for value in _extent(text, file)]
    assert added_up == pytest.approx(whole, abs=0.25)


def test_scripts_that_join_their_letters_are_laid_out_whole() -> None:
    assert all(not _SIDE_BY_SIDE.fullmatch(text) for text in JOINED_SCRIPTS)
    assert _SIDE_BY_SIDE.fullmatch("Łoś τ² −0.45 [−1.20, ½] ⊕○→")
