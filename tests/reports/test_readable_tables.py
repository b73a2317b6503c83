"""Tables for readers: escaped, linked, captioned."""

from __future__ import annotations

import pandas as pd
import pytest

from headache_evidence.reports.readable_tables import (
    ReadableTable,
    as_text,
    interval_text,
    links_cell,
    source_rows_cell,
)
from headache_evidence.reports.report_data import safe_for_spreadsheets
from headache_evidence.reports.report_tables import show_left_out

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "=HYPERLINK(1)"]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_from_data_are_escaped(text: str) -> None:
    table = ReadableTable(pd.DataFrame({text: [text], "source": [text]}), text, {"source": links_cell})
    shown = table._repr_html_()
    assert "<script" not in shown
    assert "<img" not in shown
    assert 'href="javascript' not in shown


def test_addresses_become_links_named_by_their_host() -> None:
    shown = links_cell("https://www.example.org/a?b=1&c=2 ; http://doi.org/x")
    assert '<a href="https://www.example.org/a?b=1&amp;c=2" rel="noopener">example.org</a>' in shown
    assert shown.count("<a ") == 2


def test_source_rows_lead_to_the_anchor_of_the_row() -> None:
    rows = ReadableTable(pd.DataFrame({"row": ["outcomes.csv:12"]}), "rows", anchor_column="row")
    assert 'href="#row-outcomes-csv-12"' in source_rows_cell("outcomes.csv:12; contrasts.csv:3")
    assert 'id="row-outcomes-csv-12"' in rows._repr_html_()


def test_a_table_has_a_caption_and_headers_with_scope() -> None:
    shown = ReadableTable(pd.DataFrame({"study": ["a"], "n": [3]}), "Studies")._repr_html_()
    assert "<caption>Studies</caption>" in shown
    assert '<th scope="col">study</th>' in shown
    assert '<th scope="row">a</th>' in shown


def test_an_empty_table_says_so() -> None:
    assert "No effect." in ReadableTable(pd.DataFrame(), "Effects", empty="No effect.")._repr_html_()


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (float("nan"), ""), (-1.234, "−1.23"), (120.0, "120"), (True, "yes"), (pd.NA, "")]
)
def test_values_as_a_reader_sees_them(value: object, shown: str) -> None:
    assert as_text(value) == shown


def test_an_interval_that_does_not_exist_is_empty() -> None:
    assert interval_text(float("nan"), 1.0) == ""
    assert interval_text(-1.0, 2.5) == "−1.00 to 2.50"


def test_formulas_do_not_reach_a_spreadsheet() -> None:
    table = safe_for_spreadsheets(pd.DataFrame({"text": ["=HYPERLINK(1)", "@x", "plain"], "number": [-1.0, 2.0, 3.0]}))
    assert list(table["text"]) == ["'=HYPERLINK(1)", "'@x", "plain"]
    assert list(table["number"]) == [-1.0, 2.0, 3.0]


def test_nothing_left_out_is_said() -> None:
    assert repr(show_left_out(())) == "Left out, with the reason. Nothing."
