"""Pages: hostile text harms nothing, figures keep their words, a page is one accessible file."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import nbformat
import pytest

from headache_evidence.reports.clean_html import clean_html, clean_svg
from headache_evidence.reports.notebook_pages import merge_notebooks, page_of
from headache_evidence.reports.render import ReportPage, render
from headache_evidence.reports.results_table import result_rows

HOSTILE = [
    "<script>alert(1)</script>", "<ScRiPt>alert(1)</sCrIpT>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>", "<iframe src=//evil.example>", "<object data=x>", "<embed src=x>",
    "<link rel=stylesheet href=//evil.example>", "<meta http-equiv=refresh content=0>", "<base href=//evil.example>",
    "<form action=//evil.example><input>", "<a href=javascript:alert(1)>x</a>", "<a href='data:text/html,x'>x</a>",
    "<a href=vbscript:x>x</a>", "<div style='background:url(//evil.example)'>",
    "<style>@import '//evil.example'</style>",
    "<body onload=alert(1)>", "<details open ontoggle=alert(1)>", "<video src=x onerror=alert(1)>", "<math href=x>",
    "<template><script>alert(1)</script></template>", "<noscript><img src=x onerror=alert(1)></noscript>",
    "<textarea autofocus onfocus=alert(1)>", "</td></table><script>alert(1)</script>",
    "</pre><script>alert(1)</script>",
    "</title><script>alert(1)</script>", "</style><script>alert(1)</script>", "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>", "\"><script>alert(1)</script>", "' onmouseover='alert(1)", "\" onfocus=\"alert(1)",
    "{{ 7 * 7 }}", "{% include 'x' %}", "{# x #}", "${7*7}", "<%= 7 %>", "`alert(1)`", "&lt;script&gt;alert(1)",
    "&#60;script&#62;", "\\u003cscript\\u003e", "=HYPERLINK(\"http://evil.example\")", "+1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "[x](javascript:alert(1))", "![x](http://evil.example/x.png)", "<xss onclick=alert(1)>", "\x00<script>alert(1)",
    "<p/onclick=alert(1)>", "<a href=' javascript:alert(1)'>x</a>", "<image src=x onerror=alert(1)>", "‮<script>x",
    "<svg><use href='http://evil.example/x#y'/></svg>", "<input type=image src=http://evil.example/x>",
]  # fmt: skip


class Audit(HTMLParser):
    """What a page would run, load or send."""

    def __init__(self) -> None:
        super().__init__()
        self.dangers: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in {"iframe", "object", "embed", "form", "base", "link", "input", "textarea", "video", "template"}:
            self.dangers.append(tag)
        self.dangers += [f"{tag} {name}" for name in values if name.startswith("on") or name == "srcdoc"]
        for name in ("src", "href", "xlink:href", "data", "action"):
            address = (values.get(name) or "").strip().lower()
            loads = tag not in {"a"} and not address.startswith(("#", "data:image/png;base64,"))
            if name in values and (loads or address.startswith(("javascript:", "vbscript:", "data:text"))):
                self.dangers.append(f"{tag} {name}={address}")
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if values.get("id"):
            self.ids.append(str(values["id"]))


def audit(page: str) -> Audit:
    found = Audit()
    found.feed(page)
    return found


def notebook_with(text: str) -> nbformat.NotebookNode:
    outputs = [
        nbformat.v4.new_output("stream", name="stdout", text=text),
        nbformat.v4.new_output("display_data", {"text/html": f"<table><tr><td>{text}</td></tr></table>"}),
        nbformat.v4.new_output("display_data", {"text/plain": text}),
        nbformat.v4.new_output("display_data", {"text/markdown": text}),
        nbformat.v4.new_output("display_data", {"image/png": "iVBORw0KGgo=" + text}, metadata={"alt": text}),
        nbformat.v4.new_output(
            "display_data", {"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{text}</svg>"}
        ),
        nbformat.v4.new_output("display_data", {"application/javascript": text}),
        nbformat.v4.new_output("error", ename=text, evalue=text, traceback=[text]),
    ]
    cells = [
        nbformat.v4.new_markdown_cell("# Part"),
        nbformat.v4.new_markdown_cell(f"## {text}\n\n{text}"),
        nbformat.v4.new_code_cell(f"# {text}", outputs=outputs, execution_count=1),
    ]
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "x"}})


def page_with(text: str) -> str:
    merged = merge_notebooks([notebook_with(text)], text, {"headache_type": text})
    rows = result_rows([{"question_id": text, "title": text, "measure": text, "pooled": {"k": 1, "estimate": 1.0}}])
    words = ReportPage(
        title=text, limits=text, facts=[(text, text)], downloads=[("effects.csv", text)], provenance=[(text, text)],
        figures=[("figures/a.svg", text)], results=rows, changed_parameters=text,
    )  # fmt: skip
    return render("report.html.j2", page=page_of(merged), **vars(words))


def test_the_list_of_hostile_strings_is_long_enough() -> None:
    assert len(set(HOSTILE)) >= 50


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_runs_loads_and_sends_nothing(text: str) -> None:
    page = page_with(text)
    script = page[page.rindex("<script>") :]
    assert page.count("<script") == 1
    assert '"use strict"' in script
    assert page.count("<style") == 1
    found = audit(page[: page.rindex("<script>")])
    assert found.dangers == []


def test_the_security_policy_allows_the_own_script_only() -> None:
    import base64
    import hashlib

    page = page_with("x")
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page


def test_a_page_has_language_title_one_h1_no_skipped_level_and_unique_ids() -> None:
    page = page_with("Words")
    found = audit(page)
    assert '<html lang="en">' in page
    assert "<title>Words" in page
    assert found.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(found.headings, found.headings[1:], strict=False))
    assert len(found.ids) == len(set(found.ids))
    for target in re.findall(r'href="#([^"]+)"', page):
        assert target in found.ids


def test_tables_of_data_keep_scope_caption_anchor_and_links() -> None:
    table = (
        '<table class="evidence"><caption>C</caption><thead><tr><th scope="col">a</th></tr></thead><tbody>'
        '<tr id="row-outcomes-csv-12"><th scope="row">x</th><td class="number">1</td>'
        '<td><a href="https://example.org/a?b=1&amp;c=2">example.org</a> <a href="#row-outcomes-csv-12">row</a></td>'
        "</tr></tbody></table>"
    )
    cleaned = clean_html(table)
    for part in ('scope="col"', 'scope="row"', "<caption>C</caption>", 'id="row-outcomes-csv-12"', 'class="number"'):
        assert part in cleaned
    assert 'href="https://example.org/a?b=1&amp;c=2"' in cleaned
    assert 'href="#row-outcomes-csv-12"' in cleaned


SVG = (
    '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">'
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" height="36pt" '
    'viewBox="0 0 72 36">{}<defs><clipPath id="c"><rect/></clipPath></defs><g clip-path="url(#c)">'
    '<use xlink:href="#c"/><text>Müller &lt; 2020</text></g></svg>'
)


def test_a_figure_keeps_its_title_and_description_and_its_real_text() -> None:
    cleaned = clean_svg(SVG.format("<title>Forest</title><desc>k = 3</desc>"), 7, "unused")
    assert 'role="img"' in cleaned
    assert 'aria-labelledby="figure-7-title figure-7-desc"' in cleaned
    assert '<title id="figure-7-title">Forest</title><desc id="figure-7-desc">k = 3</desc>' in cleaned
    assert "Müller &lt; 2020" in cleaned
    assert 'clip-path="url(#figure-7-c)"' in cleaned
    assert 'href="#figure-7-c"' in cleaned


def test_a_figure_without_words_gets_the_alternative() -> None:
    assert '<title id="figure-1-title">Figure 1: Pools</title>' in clean_svg(SVG.format(""), 1, "Figure 1: Pools")


@pytest.mark.parametrize(
    "inside",
    ["<script>alert(1)</script>", "<foreignObject><b/></foreignObject>", "<a href='javascript:x'><text>a</text></a>",
     "<image href='http://evil.example/x.png'/>", "<g onclick='x()'/>", "<use href='http://evil.example/#a'/>",
     "<style>@import 'http://evil.example'</style>", "<rect style='fill:url(http://evil.example/#x)'/>",
     "<set attributeName='href' to='javascript:x'/>"],
)  # fmt: skip
def test_a_figure_loses_what_could_run_or_load(inside: str) -> None:
    cleaned = clean_svg(SVG.format(inside), 1, "x")
    assert not re.search(r"script|foreignObject|evil|onclick|<\w*:?set", cleaned)


@pytest.mark.parametrize(
    "text",
    ["", "<svg", "<html/>", '<!DOCTYPE svg [<!ENTITY a "aa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'],
)
def test_what_is_no_figure_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="SVG"):
        clean_svg(text, 1, "x")


def test_merging_demotes_headings_and_keeps_one_parameters_cell() -> None:
    first, second = notebook_with("a"), notebook_with("b")
    for notebook in (first, second):
        notebook.cells.insert(
            1, nbformat.v4.new_code_cell("headache_type: str = 'x'", metadata={"tags": ["parameters"]})
        )
        notebook.cells.insert(
            2, nbformat.v4.new_code_cell("headache_type = 'y'", metadata={"tags": ["injected-parameters"]})
        )
    merged = merge_notebooks([first, second], "Title", {"headache_type": "cluster"})
    nbformat.validate(merged)
    tagged = [cell for cell in merged.cells if cell.metadata.get("tags")]
    assert [cell.source for cell in tagged] == ["headache_type = 'cluster'"]
    assert [cell.source for cell in merged.cells if cell.source.startswith("## Part")] == ["## Part", "## Part"]
