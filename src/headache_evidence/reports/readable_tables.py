"""Tables for readers: accessible HTML with captions, links to sources and anchors on source rows; plain text too."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

Cell = Callable[[Any], str]
PLAIN_WIDTH = 60  # characters of a cell in plain text
WEB_ADDRESS = re.compile(r"https?://[^\s;]+")


@dataclass(frozen=True)
class ReadableTable:
    """A table with a caption; ``_repr_html_`` escapes every text and links addresses and source rows."""

    data: pd.DataFrame
    caption: str
    formats: Mapping[str, Cell] = field(default_factory=dict)
    anchor_column: str = ""  # its values become ids of the rows
    empty: str = "Nothing to show."

    def _repr_html_(self) -> str:
        if self.data.empty:
            return f"<p><strong>{html.escape(self.caption)}.</strong> {html.escape(self.empty)}</p>"
        head = "".join(f'<th scope="col">{html.escape(str(c))}</th>' for c in self.data.columns)
        body = "".join(self._row(row) for row in self.data.to_dict("records"))
        return (
            f'<table class="evidence"><caption>{html.escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _row(self, row: Mapping[Hashable, Any]) -> str:
        anchor = f' id="{html.escape(anchor_of(row[self.anchor_column]))}"' if self.anchor_column else ""
        cells = []
        for i, (name, value) in enumerate(row.items()):
            content = self.formats.get(str(name), plain_cell)(value)
            numeric = ' class="number"' if isinstance(value, int | float | np.number) else ""
            cells.append(f'<th scope="row">{content}</th>' if i == 0 else f"<td{numeric}>{content}</td>")
        return f"<tr{anchor}>{''.join(cells)}</tr>"

    def __repr__(self) -> str:
        if self.data.empty:
            return f"{self.caption}. {self.empty}"
        columns = [[str(name), *map(_short, self.data[name].tolist())] for name in self.data.columns]
        widths = [max(map(len, column)) for column in columns]
        lines = (zip(row, widths, strict=True) for row in zip(*columns, strict=True))
        return "\n".join([self.caption, *("  ".join(text.rjust(width) for text, width in line) for line in lines)])


def as_text(value: Any) -> str:
    """A value as a reader sees it: missing is empty, floats have two decimals and a true minus sign."""
    if value is None or value is pd.NA or (isinstance(value, float | np.floating) and not np.isfinite(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        text = f"{value:.0f}" if float(value).is_integer() and abs(float(value)) >= 10 else f"{value:.2f}"
        return text.replace("-", "\N{MINUS SIGN}")
    if isinstance(value, int | np.integer):
        return str(value).replace("-", "\N{MINUS SIGN}")
    return str(value)


def _short(value: Any) -> str:
    text = as_text(value).replace("\n", " ")
    return text if len(text) <= PLAIN_WIDTH else f"{text[: PLAIN_WIDTH - 3]}..."


def plain_cell(value: Any) -> str:
    """A value as escaped HTML."""
    return html.escape(as_text(value))


def links_cell(value: object) -> str:
    """Web addresses in a text as links named by their host."""
    addresses = WEB_ADDRESS.findall(str(value))
    return " ".join(
        f'<a href="{html.escape(a, quote=True)}" rel="noopener">{html.escape(host_of(a))}</a>' for a in addresses
    )


def source_rows_cell(value: object) -> str:
    """Source rows such as 'outcomes.csv:12; contrasts.csv:3' as links to the rows' anchors on the same page."""
    rows = [part.strip() for part in str(value).split(";") if part.strip()]
    return " ".join(f'<a href="#{html.escape(anchor_of(row), quote=True)}">{html.escape(row)}</a>' for row in rows)


def anchor_of(source_row: object) -> str:
    """The id of a source row on a page."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", f"row-{source_row}")


def host_of(address: str) -> str:
    """The host of a web address, for link texts."""
    return address.split("//", 1)[-1].split("/", 1)[0].removeprefix("www.")


def interval_text(low: float, high: float, digits: int = 2) -> str:
    """An interval in words, empty when it does not exist."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    return f"{low:.{digits}f} to {high:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def joined(values: Iterable[object], separator: str = "; ") -> str:
    """Distinct non-empty texts, in order."""
    return separator.join(dict.fromkeys(text for text in map(as_text, values) if text))
