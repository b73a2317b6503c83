"""Reading one CSV file as text, with line numbers, and saying what is wrong with the file itself.

A byte order mark, CRLF line ends and blank lines are accepted. Anything that would shift or garble values is a fault:
another delimiter, another encoding, a missing, extra or repeated column, a row with too few or too many fields.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headache_evidence.tables.faults import Fault, did_you_mean
from headache_evidence.tables.schema import Table

TextArray = npt.NDArray[np.object_]


@dataclass(frozen=True)
class TextTable:
    """The cells of a file as text: one array of shape (rows,) per column found, and the line of each row."""

    columns: dict[str, TextArray]
    row: npt.NDArray[np.int64]


def read_text_table(path: Path, table: Table) -> tuple[TextTable, list[Fault]]:
    """Read ``path`` as ``table``; columns that the schema does not know are left out and named as faults."""
    empty = TextTable({}, np.empty(0, dtype=np.int64))
    text, fault = _decode(path)
    if fault is not None:
        return empty, [fault]
    try:
        header, records, lines, faults = _records(text, path.name)
    except csv.Error as error:
        return empty, [Fault(path.name, 0, "", "", f"this is not readable as CSV: {error}")]
    if not header:
        return empty, [Fault(path.name, 0, "", "", f"the file is empty; its first row must hold {_header(table)}")]
    wrong = _delimiter_fault(header, path.name)
    if wrong is not None:
        return empty, [wrong]
    faults = _header_faults(header, table, path.name) + faults
    cells = np.array(records, dtype=object).reshape(len(records), len(header))
    first = {name: index for index, name in reversed(list(enumerate(header)))}
    columns = {name: cells[:, first[name]] for name in table.columns if name in first}
    return TextTable(columns, np.array(lines, dtype=np.int64)), faults


def _decode(path: Path) -> tuple[str, Fault | None]:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return "", Fault(path.name, 0, "", "", "the file is missing")
    except OSError as error:
        return "", Fault(path.name, 0, "", "", f"the file cannot be read ({error.strerror})")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "", Fault(path.name, 0, "", "", "the file is UTF-16; save it as CSV UTF-8")
    if raw.startswith(b"PK\x03\x04"):
        return "", Fault(path.name, 0, "", "", "this is a spreadsheet file; save it as CSV UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        value = raw[error.start : error.start + 1].hex()
        message = f"byte 0x{value} is not UTF-8; save the file as CSV UTF-8"
        return "", Fault(path.name, line, "", "", message)
    nul = text.find("\0")
    if nul >= 0:
        message = "a NUL character; the file is damaged"
        return "", Fault(path.name, text.count("\n", 0, nul) + 1, "", "", message)
    return text, None


def _records(text: str, file: str) -> tuple[list[str], list[list[str]], list[int], list[Fault]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    records: list[list[str]] = []
    lines: list[int] = []
    faults: list[Fault] = []
    start = 1
    for record in reader:
        line, start = start, reader.line_num + 1
        if not record:
            continue
        if not header:
            header = record
        elif not any(record):
            faults.append(Fault(file, line, "", "", "a row without any value; delete it"))
        elif len(record) == len(header):
            records.append(record)
            lines.append(line)
        else:
            cause = "is a comma missing?" if len(record) < len(header) else "a decimal comma, or a missing quote?"
            message = f"{len(record)} fields where the header has {len(header)}; {cause}"
            faults.append(Fault(file, line, "", ",".join(record), message))
    return header, records, lines, faults


def _delimiter_fault(header: list[str], file: str) -> Fault | None:
    if len(header) == 1:
        for delimiter, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if delimiter in header[0]:
                return Fault(file, 1, "", header[0], f"columns are separated by {name}; a comma is needed")
    return None


def _header_faults(header: list[str], table: Table, file: str) -> list[Fault]:
    faults = []
    missing = tuple(name for name in table.columns if name not in header)
    for name in sorted({name for name in header if header.count(name) > 1}):
        faults.append(Fault(file, 1, name, "", "the column stands twice"))
    for name in header:
        if name not in table.columns:
            hint = did_you_mean(name, missing) if missing else ""
            message = f"this column is not in the schema; known are {', '.join(table.columns)}.{hint}"
            faults.append(Fault(file, 1, name, "", message))
    faults += [Fault(file, 1, name, "", "the column is missing") for name in missing]
    return faults


def _header(table: Table) -> str:
    return ",".join(table.columns)
