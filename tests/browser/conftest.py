"""A browser for the pages: Debian's chromium, driven by playwright. Skipped, with the reason, where it is absent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from headache_evidence.reports.notebook_pages import merge_notebooks, page_of
from headache_evidence.reports.render import ReportPage, render
from headache_evidence.reports.results_table import result_rows
from headache_evidence.reports.site import Status

TABLE = """<table class="evidence"><caption>Studies</caption><thead><tr><th scope="col">study</th>
<th scope="col">n</th><th scope="col">title</th></tr></thead><tbody>
<tr id="row-1"><th scope="row">Beta 2020</th><td class="number">100</td>
<td>&lt;script&gt;alert(1)&lt;/script&gt; and a title that is as long as titles of real studies are</td></tr>
<tr><th scope="row">Alpha 2021</th><td class="number">\u22129.5</td><td>second</td></tr>
<tr><th scope="row">Gamma 2019</th><td class="number">20</td>
<td><a href="https://example.org/g">example.org</a></td></tr>
</tbody></table>"""  # the names are not those of studies
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="720pt" height="144pt" viewBox="0 0 720 144">
<title>Forest plot</title>
<desc>Three studies</desc><rect width="720" height="144" fill="white"/><text x="10" y="40">Beta 2020</text></svg>"""


def report_page() -> str:
    """A report made of invented results, in every form of output that the page knows."""
    outputs = [
        nbformat.v4.new_output("display_data", {"text/html": TABLE}),
        nbformat.v4.new_output("display_data", {"image/svg+xml": SVG}),
        nbformat.v4.new_output("stream", name="stdout", text="plain <b>text</b>"),
    ]
    cells = [
        nbformat.v4.new_markdown_cell("# Evidence"),
        nbformat.v4.new_markdown_cell("## Studies\n\nWords with a [link](https://example.org)."),
        nbformat.v4.new_code_cell("import math  # a comment\nmath.sqrt(2)", outputs=outputs, execution_count=1),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "x"}})
    merged = merge_notebooks([notebook], "Migraine", {"headache_type": "migraine"})
    words = ReportPage(
        title="Migraine",
        limits="Invented for a test.",
        facts=[("Evidence", "0123456789abcdef")],
        downloads=[("effects.csv", "Effects (CSV)")],
        figures=[("figures/a.svg", "A figure (SVG)")],
        provenance=[("Made", "2026-01-01")],
        results=ROWS,
    )
    return render("report.html.j2", page=page_of(merged), **vars(words))


ROWS = result_rows(
    [
        {"question_id": "a", "title": "Headache days", "measure": "MD", "left_out": [{}],
         "pooled": {"k": 3, "n": 90.0, "estimate": -1.0, "ci": [-1.8, -0.2], "prediction_interval": [-3.0, 1.0]}},
        {"question_id": "b", "title": "Attacks", "measure": "MD", "pooled": {"k": 0}},
    ]
)  # fmt: skip


def index_page() -> str:
    """The index with a good, a failed, a stale and a missing report."""
    states = [
        Status("migraine", "Migraine", "ok", "2026-01-01"),
        Status("cluster", "Cluster headache", "failed", "2026-01-01", "x.ipynb, cell 3: ValueError: no", "2026-01-02"),
        Status("other", "Other headaches", "stale", "2026-01-01", "changed since: data"),
        Status("mixed", "Mixed headache types", "missing", ""),
    ]
    rows = {state.headache_type: ROWS if state.headache_type == "migraine" else [] for state in states}
    return render(
        "index.html.j2", limits="Invented for a test.", states=states, rows=rows, changes=[], since="2025-12-25",
        first=False, made="2026-01-01", provenance=[("package_hash", "0123")],
    )  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """index.html, migraine/report.html and cluster's failure page."""
    root = tmp_path_factory.mktemp("site")
    (root / "migraine").mkdir()
    (root / "failed" / "cluster").mkdir(parents=True)
    (root / "index.html").write_text(index_page(), encoding="utf-8")
    (root / "migraine" / "report.html").write_text(report_page(), encoding="utf-8")
    failure = render(
        "failure.html.j2", title="Cluster headache", reason="x.ipynb, cell 3: ValueError: no", details="Traceback ...",
        page=None, made="2026-01-02", last="2026-01-01", headache_type="cluster",
    )  # fmt: skip
    (root / "failed" / "cluster" / "failure.html").write_text(failure, encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless chromium."""
    path = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
    )
    if not path:
        pytest.skip("no chromium on this machine (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()
