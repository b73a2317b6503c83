"""Turns a report's executed notebooks into one notebook and the parts of one page."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from headache_evidence.reports.clean_html import clean_html, clean_svg, without_colours

INJECTED = "injected-parameters"
_HEADING = re.compile(r"<h([1-6])[^>]*>(.*?)</h\1>", re.DOTALL)
_MARKUP = re.compile(r"<[^>]+>")
#: A table cell of a sentence or more gets room to be read, on a narrow screen and on paper.
_WORDY_CELL = re.compile(r"<td>(?=[^<]{60})")


@dataclass(frozen=True)
class Heading:
    """An entry of the table of contents."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True)
class Cell:
    """A cell as the page shows it: ``text`` of a markdown cell, or folded ``code`` with its outputs."""

    text: str = ""
    code: str = ""
    count: int | None = None
    outputs: tuple[str, ...] = ()


@dataclass
class Page:
    """All cells of a report in order, and its headings."""

    cells: list[Cell] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    figures: int = 0


def merge_notebooks(notebooks: Sequence[Any], title: str, parameters: Mapping[str, Any]) -> Any:
    """One notebook that runs from top to bottom: the parts in order, one parameters cell, one title.

    Parameters
    ----------
    parameters : shown (and set) in the parameters cell instead of what the pipeline injected.
    """
    merged = nbformat.v4.new_notebook(metadata=notebooks[0].metadata)  # type: ignore[no-untyped-call]
    merged.metadata.pop("papermill", None)
    lines = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    setting = nbformat.v4.new_code_cell(lines, metadata={"tags": ["parameters"]})  # type: ignore[no-untyped-call]
    heading = nbformat.v4.new_markdown_cell(f"# {title}")  # type: ignore[no-untyped-call]
    merged.cells = [heading, setting]
    for notebook in notebooks:
        for cell in notebook.cells:
            tags = set(cell.metadata.get("tags", []))
            if tags & {INJECTED, "parameters"}:
                continue
            cell.metadata = {"tags": sorted(tags)} if tags else {}
            if cell.cell_type == "markdown":
                cell.source = re.sub(r"^(#{1,5}) ", r"#\1 ", cell.source, flags=re.MULTILINE)
            merged.cells.append(cell)
    count = 0
    for position, cell in enumerate(merged.cells):
        cell["id"] = f"cell-{position:03d}"
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
    return merged


def page_of(notebook: Any) -> Page:
    """The cells of a merged notebook as safe HTML; its title is left to the page's own heading."""
    page = Page()
    highlight = Highlight2HTML()  # type: ignore[no-untyped-call]
    for cell in notebook.cells[1:]:
        if cell.cell_type == "markdown":
            page.cells.append(Cell(text=_markdown(cell.source, page)))
        elif cell.cell_type == "code" and cell.source.strip():
            outputs = tuple(text for output in cell.outputs if (text := _output(output, page)))
            code = clean_html(highlight(cell.source))
            page.cells.append(Cell(code=code, count=cell.execution_count, outputs=outputs))
    return page


def _markdown(source: str, page: Page) -> str:
    text = clean_html(markdown2html_mistune(source))

    def numbered(found: re.Match[str]) -> str:
        level, content = int(found[1]), re.sub(r'<a[^>]*class="anchor-link"[^>]*>.*?</a>', "", found[2]).strip()
        anchor = f"section-{len(page.headings) + 1}"
        page.headings.append(Heading(level, anchor, html.unescape(_MARKUP.sub("", content))))
        return f'<h{level} id="{anchor}">{content}</h{level}>'

    return _HEADING.sub(numbered, text)


def _output(output: Any, page: Page) -> str:
    """One output as safe HTML, in the richest form that can be made safe."""
    if output.output_type == "stream":
        return _plain(output.text, "messages" if output.name == "stderr" else "text")
    if output.output_type == "error":
        return _plain(without_colours("\n".join(output.traceback)), "error")
    data = output.data
    if "image/svg+xml" in data:
        return _figure(_joined(data["image/svg+xml"]), output, page)
    if "text/html" in data:
        return _WORDY_CELL.sub('<td class="words">', clean_html(_joined(data["text/html"])))
    if "image/png" in data:
        page.figures += 1
        alternative = html.escape(_alternative(output, "image/png", page), quote=True)
        encoded = html.escape(re.sub(r"\s", "", _joined(data["image/png"])), quote=True)
        return f'<figure><img alt="{alternative}" src="data:image/png;base64,{encoded}"></figure>'
    if "text/markdown" in data:
        return _markdown(_joined(data["text/markdown"]), page)
    return _plain(_joined(data.get("text/plain", "")), "text")


def _figure(svg: str, output: Any, page: Page) -> str:
    page.figures += 1
    try:
        safe = clean_svg(svg, page.figures, _alternative(output, "image/svg+xml", page))
    except ValueError as error:
        return _plain(f"Figure left out: {error}.", "error")
    return f'<figure class="scroll" tabindex="0" role="group" aria-label="Figure {page.figures}">{safe}</figure>'


def _alternative(output: Any, kind: str, page: Page) -> str:
    metadata = output.get("metadata", {})
    own = metadata.get(kind, {}) if isinstance(metadata.get(kind, {}), dict) else {}
    section = page.headings[-1].text if page.headings else "report"
    return str(own.get("alt") or metadata.get("alt") or f"Figure {page.figures}: {section}")


def _plain(text: str, kind: str) -> str:
    if not text.strip():
        return ""
    return f'<pre class="{kind}" tabindex="0">{html.escape(without_colours(text))}</pre>'


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
