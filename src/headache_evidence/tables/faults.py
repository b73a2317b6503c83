"""What is wrong with an evidence table: one Fault per place, in words for the person who edits the table."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Severity = Literal["error", "warning"]

_DATE = re.compile(
    r"\d{1,2}[-./ ][A-Za-z]{3,9}([-./ ]\d{2,4})?|[A-Za-z]{3,9}[-./ ]\d{1,4}"
    r"|\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}"
)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+(\.\d{3})*,\d+")
_SPREADSHEET_ERROR = re.compile(r"#(REF!|NAME\?|VALUE!|DIV/0!|N/A|NUM!|NULL!|ZAHL!|WERT!|BEZUG!)")


@dataclass(frozen=True)
class Fault:
    """One fault; ``row`` is the line of the file (header = 1), 0 when the fault is about the whole file."""

    file: str
    row: int
    column: str
    value: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        where = self.file
        if self.row:
            where += f", row {self.row}"
        if self.column:
            where += f", column {self.column}"
        if self.value:
            where += f", value {_shorten(self.value)!r}"
        prefix = "" if self.severity == "error" else "warning: "
        return f"{prefix}{where}: {self.message}"


def errors_of(faults: Sequence[Fault]) -> list[Fault]:
    """The faults that make the tables unusable, without the warnings."""
    return [fault for fault in faults if fault.severity == "error"]


@lru_cache(maxsize=4096)
def did_you_mean(value: str, allowed: tuple[str, ...]) -> str:
    """`` Did you mean 'x'?`` for the nearest allowed word, or an empty string when none is near."""
    by_lower = {word.lower(): word for word in allowed}
    near = difflib.get_close_matches(value.strip().lower().replace(" ", "_"), by_lower, n=1, cutoff=0.75)
    return f" Did you mean {by_lower[near[0]]!r}?" if near else ""


@lru_cache(maxsize=4096)
def list_allowed(allowed: tuple[str, ...]) -> str:
    """The allowed words as a sentence part; long lists are cut, the codebook holds the rest."""
    shown = ", ".join(allowed[:12])
    return shown if len(allowed) <= 12 else f"{shown}, ... ({len(allowed)} words, see README.md)"


def number_hint(value: str) -> str:
    """Why a text in a number column is probably there: a spreadsheet's date, a decimal comma, an operator ..."""
    text = value.strip()
    if _DECIMAL_COMMA.fullmatch(text):
        return f" This is a decimal comma: write {text.replace('.', '').replace(',', '.')}."
    if _DATE.fullmatch(text):
        return " This looks like a date that a spreadsheet made of a number: restore the number from the source."
    if _SPREADSHEET_ERROR.match(text):
        return " This is an error value of a spreadsheet."
    if text.startswith(("<", ">", "=", "~")):
        return " Only the number belongs here; an operator has its own column or the note."
    if text.endswith("%"):
        return " Write the number without the percent sign."
    if text.startswith("\N{MINUS SIGN}") or text.startswith("\N{EN DASH}"):
        return f" This is a typographic minus: write -{text[1:]}."
    if text.lower() in {"na", "n/a", "nan", "none", "null", "-", "nr", "inf", "-inf"}:
        return " Leave the field empty when the number was not seen."
    return ""


def _shorten(value: str, length: int = 80) -> str:
    return value if len(value) <= length else value[: length - 3] + "..."
