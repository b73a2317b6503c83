"""Sheets: marks where their values say, drawn anew after a change."""

from __future__ import annotations

import re

import numpy as np
import pytest

from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style, new_figure
from headache_evidence.figures.saving import svg_text
from headache_evidence.figures.sheet import Sheet, axis_below, names_above, names_beside, page_sheet


def sheet_on_a_part() -> tuple[EvidenceFigure, Sheet]:
    figure = new_figure(200.0, 100.0)
    return figure, Sheet(figure, (-1.0, 1.0), (10.0, 0.0), (0.5, 0.2, 0.25, 0.5))


def test_values_are_places_in_the_box() -> None:
    figure, sheet = sheet_on_a_part()
    mark = sheet.plot([-1.0, 0.0, 1.0], [10.0, 0.0, 5.0])
    places = mark.get_transform().transform(mark.get_xydata()) * 72.0 / figure.dpi
    np.testing.assert_allclose(places, [(100.0, 20.0), (125.0, 70.0), (150.0, 45.0)])
    assert (sheet.x_point, sheet.y_point) == pytest.approx((2.0 / 50.0, 10.0 / 50.0))
    text = page_sheet(figure, 200.0, 100.0).text(30.0, 10.0, "from the top")
    np.testing.assert_allclose(text.get_transform().transform((30.0, 10.0)) * 72.0 / figure.dpi, (30.0, 90.0))


def test_a_change_of_a_mark_outdates_the_drawn_svg() -> None:
    figure, sheet = sheet_on_a_part()
    with house_style():
        text = sheet.text(0.0, 5.0, "before")
    describe(figure, "", "words", figure.numbers)
    assert "before" in svg_text(figure)
    assert not figure.stale
    text.set_text("after")
    assert ">after<" in svg_text(figure)


def test_marks_end_at_the_edges_and_words_do_not() -> None:
    figure, sheet = sheet_on_a_part()
    assert sheet.plot([-5.0, 5.0], [5.0, 5.0]).get_clip_box() is not None
    assert sheet.text(-5.0, 5.0, "beside").get_clip_box() is None
    describe(figure, "", "words", figure.numbers)
    assert len(re.findall(r"clip-path=", svg_text(figure))) == 1


def test_axis_and_names_stand_outside_and_ticks_beyond_the_limits_are_left_out() -> None:
    figure, sheet = sheet_on_a_part()
    with house_style():
        axis_below(sheet, [(-2.0, "-2"), (-1.0, "-1"), (1.0, "1")])
        names_beside(sheet, [(5.0, "row")])
        names_above(sheet, [(0.0, "column")])
    texts = {text.get_text(): text for text in sheet.findobj(lambda a: hasattr(a, "get_text"))}
    assert set(texts) == {"-1", "1", "row", "column"}
    figure.draw_without_rendering()
    left, bottom, right, top = sheet.get_window_extent().extents
    assert texts["1"].get_window_extent().y1 < bottom
    assert texts["row"].get_window_extent().x1 < left
    assert texts["column"].get_window_extent().y0 > top
    assert sheet.get_tightbbox().x0 == pytest.approx(texts["row"].get_window_extent().x0)
    assert left < texts["1"].get_window_extent().x0 < right
