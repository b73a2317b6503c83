"""Pieces of HTML around the explorer's widgets; every text that comes from data or settings is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
from urllib.parse import quote

from headache_evidence.explore.drawing import page_font
from headache_evidence.explore.exploration import Exploration
from headache_evidence.explore.explorer_settings import ExplorerSettings
from headache_evidence.reports.report_tables import show_left_out, show_pooled

STYLE = """
.explorer { font-family: system-ui, sans-serif; line-height: 1.4; max-width: 1500px; }
.explorer .widget-html-content { line-height: 1.4; overflow-x: auto; }
.explorer table.evidence { border-collapse: collapse; font-size: 0.85rem; margin: 0.6rem 0;
  color: #1a1a1a; background: #fff; }
.explorer table.evidence caption { text-align: left; font-weight: 600; padding: 0.2rem 0; }
.explorer table.evidence th, .explorer table.evidence td { border: 1px solid #ccc; padding: 0.2rem 0.45rem;
  text-align: left; vertical-align: top; white-space: normal; max-width: 26rem; }
.explorer table.evidence td.number { text-align: right; white-space: nowrap; }
.explorer .words { font-size: 1.05rem; margin: 0 0 0.5rem 0; max-width: 62rem; }
.explorer .words p { margin: 0.15rem 0; }
.explorer .words .first { font-weight: 600; }
.explorer h2.group { font-size: 1rem; line-height: 1.3; margin: 0.5rem 0 0.1rem 0; }
.explorer a { color: #0b57a4; text-decoration: underline; }
.explorer .fault { color: #a4161a; font-weight: 600; }
.explorer .study-card { border-left: 4px solid #31688e; padding: 0.2rem 0.9rem; max-width: 62rem; }
.explorer .study-card h2 { margin: 0.2rem 0; }
.explorer .study-card dl { display: grid; grid-template-columns: 11rem 1fr; gap: 0.15rem 0.6rem; margin: 0.4rem 0; }
.explorer .study-card dt { font-weight: 600; float: none; width: auto; max-width: none; overflow-wrap: break-word; }
.explorer .study-card dd { margin: 0; }
@media (max-width: 700px) {
  .explorer .study-card dl { grid-template-columns: 1fr; }
  .explorer .lm-TabBar-content { flex-wrap: wrap; overflow: visible; }
  .explorer .lm-TabBar .lm-TabBar-tab { flex: 1 0 auto; min-width: auto; }
  .explorer .lm-TabBar { max-height: none; overflow: visible; min-height: 0; }
}
.explorer .study-button button, .explorer button.study-button { text-align: left; }
.explorer pre.copy { background: #f4f4f4; color: #1a1a1a; padding: 0.6rem; overflow-x: auto;
  font-family: monospace; font-size: 0.8rem; max-width: 60rem; }
"""
COPY = (
    "getSelection().selectAllChildren(this.nextElementSibling); "
    "this.textContent = document.execCommand('copy') ? 'Copied' : 'Selected: copy it with the keyboard'"
)
"""Works also where the clipboard of the browser is closed to pages without https."""


def page_style() -> str:
    """The style element of the explorer with the font of its figures."""
    return f"<style>{page_font()}{STYLE}</style>"


def words_html(sentences: Iterable[str]) -> str:
    """The plain-language result; announced by screen readers when it changes."""
    first, *rest = [html.escape(sentence) for sentence in sentences]
    return f'<div class="words" role="status"><p class="first">{first}</p><p>{" ".join(rest)}</p></div>'


def fault_html(message: str) -> str:
    """An error in words."""
    return f'<p class="fault" role="alert">{html.escape(message)}</p>'


def numbers_html(exploration: Exploration) -> str:
    """The pooled result as a table with its subgroups."""
    return show_pooled([exploration.answer])._repr_html_()


def left_out_html(exploration: Exploration) -> str:
    """The studies left out, with their reasons."""
    return show_left_out([exploration.answer])._repr_html_()


def copy_html(title: str, text: str) -> str:
    """A text with a button that copies it."""
    return (
        f'<h2 class="group">{html.escape(title)}</h2><button onclick="{html.escape(COPY, quote=True)}">Copy</button>'
        f'<pre class="copy" tabindex="0">{html.escape(text)}</pre>'
    )


def keep_html(settings: ExplorerSettings) -> str:
    """Ways to come back to these settings: an address and a file."""
    query = html.escape(f"?{settings.to_query()}", quote=True)
    content = quote(settings.to_json())
    return (
        f'<p>In the app: <a href="{query}" target="_top">link to this view</a>. Anywhere: '
        f'<a download="explorer_settings.json" href="data:application/json;charset=utf-8,{content}">'
        "save these settings as a file</a>, and open it again below.</p>"
    )
