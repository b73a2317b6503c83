"""The template of a new study: written from the schema, read back as rows of text.

A template is one YAML file with the sections ``study``, ``sources``, ``arms``, ``outcomes``, ``contrasts``,
``risk_of_bias`` and ``flags``, or a folder of CSV files with the names and (some of) the columns of the tables. All
values are read as text, exactly as they stand, so ``no`` stays ``no`` and ``1.10`` stays ``1.10``.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headache_evidence.errors import EvidenceError
from headache_evidence.tables.faults import Fault, did_you_mean
from headache_evidence.tables.schema import Field, Schema, Table, read_schema

SECTIONS: dict[str, str] = {
    "study": "studies",
    "sources": "sources",
    "arms": "arms",
    "outcomes": "outcomes",
    "contrasts": "contrasts",
    "risk_of_bias": "risk_of_bias",
    "flags": "flags",
}
"""Section of the template and its table; ``study`` holds one row, the others a list of rows."""

LARGEST_TEMPLATE = 2_000_000
"""Bytes of a template file; the largest study of the tables needs less than a hundredth of it."""

DEFAULTS: dict[str, dict[str, str]] = {
    "studies": {"identity": "seen", "blinding": "not_reported", "retracted": "no"},
    "arms": {"guidance": "not_reported"},
    "outcomes": {"unit_of_analysis": "patient", "sign": "signed"},
    "contrasts": {"comparison": "between_arms", "unit_of_analysis": "patient", "sign": "signed"},
}
FORMULA = re.compile(r"[=@]\s*\S|[+\-]\s*[A-Za-z]\w*\s*\(")
"""Texts that a spreadsheet would run; a lone ``=`` is an operator and allowed."""

Row = dict[str, str]


@dataclass(frozen=True)
class StudyRows:
    """The rows of one study by table, and where each stands in the template (for messages)."""

    study_id: str
    rows: dict[str, list[Row]]
    template: str

    def place(self, table: str, index: int) -> str:
        """Name of a row in the template, such as ``outcomes, entry 3``."""
        return "study" if table == "studies" else f"{table}, entry {index + 1}"


def scaffold_template(
    data_dir: str | Path = "data", *, study_id: str = "", headache_type: str = "", design: str = "", title: str = ""
) -> str:
    """A template to fill in, made from the schema, with what each column means and allows.

    Parameters
    ----------
    data_dir : folder with ``datapackage.json``.
    study_id, headache_type, design, title : values to fill in already.

    Raises
    ------
    EvidenceError
        when the schema cannot be read.
    """
    schema = read_schema(data_dir)
    given = {"study_id": study_id, "headache_type": headache_type, "design": design, "title": title}
    lines = [
        "# A new study. Fill in what the source shows and delete what it does not: empty means not seen, not zero.",
        "# Lists (sources, arms ...) hold one entry per row; copy an entry for each further row.",
        "# study_id is copied into every section. Missing risk of bias domains become 'no information'.",
    ]
    for section, name in SECTIONS.items():
        table = schema.table(name)
        lines += ["", f"# {table.description}"]
        if section in ("contrasts", "risk_of_bias", "flags"):
            lines += [f"# {section} may stay empty; to fill it, take the marks before its lines away.", f"{section}:"]
        else:
            lines.append(f"{section}:")
        lines += list(_entry(section, table, given))
    return "\n".join(lines) + "\n"


def _entry(section: str, table: Table, given: dict[str, str]) -> Iterator[str]:
    optional = section in ("contrasts", "risk_of_bias", "flags")
    fields = [field for field in table.fields if section == "study" or field.name != "study_id"]
    for place, field in enumerate(fields):
        value = given.get(field.name, "") if section == "study" else ""
        value = value or DEFAULTS.get(table.name, {}).get(field.name, "")
        start = "  " if section == "study" else ("  - " if place == 0 else "    ")
        filled = _quoted(value) if value else '""'
        yield f"{'#' if optional else ''}{start}{field.name}: {filled}  # {_hint(field)}"


def _hint(field: Field) -> str:
    parts = ["required"] if field.required else []
    parts.append(field.description.replace("\n", " "))
    words = field.enum or field.list_enum or field.true_values + field.false_values
    if words:
        parts.append("one of " + ", ".join(words) if field.enum else "from " + ", ".join(words))
    elif field.pattern:
        parts.append(f"pattern {field.pattern}")
    return "; ".join(part for part in parts if part)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def read_template(path: str | Path, schema: Schema) -> StudyRows:
    """Rows of one study from a YAML template or a folder of CSV files.

    Raises
    ------
    EvidenceError
        with every fault: unreadable file, unknown section or column, a value that is no plain text, a control
        character or line break in a value, a text that a spreadsheet would run as a formula, more than one study.
    """
    path = Path(path)
    if path.is_dir():
        sections, faults = _from_folder(path, schema)
    else:
        sections, faults = _from_yaml(path)
    rows: dict[str, list[Row]] = {}
    for section, entries in sections.items():
        name = SECTIONS.get(section) or (section if section in SECTIONS.values() else "")
        if not name:
            hint = did_you_mean(section, tuple(SECTIONS))
            faults.append(Fault(path.name, 0, section, "", f"unknown section; known are {', '.join(SECTIONS)}.{hint}"))
            continue
        rows[name] = _rows(section, entries, schema.table(name), path.name, faults)
    studies = rows.get("studies", [])
    if len(studies) != 1:
        faults.append(Fault(path.name, 0, "study", "", f"one study is needed, {len(studies)} are given"))
    study_id = studies[0].get("study_id", "") if studies else ""
    for name, table_rows in rows.items():
        for index, row in enumerate(table_rows):
            other = row.setdefault("study_id", study_id) or study_id
            row["study_id"] = other
            if other != study_id:
                place = f"{name}[{index + 1}].study_id"
                faults.append(Fault(path.name, 0, place, other, f"another study than {study_id!r}"))
    if faults:
        raise EvidenceError(faults)
    return StudyRows(study_id, rows, path.name)


def _from_yaml(path: Path) -> tuple[dict[str, Any], list[Fault]]:
    try:
        if path.stat().st_size > LARGEST_TEMPLATE:
            return {}, [Fault(path.name, 0, "", "", f"larger than {LARGEST_TEMPLATE} bytes; this is no template")]
        document = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_TextLoader)
    except OSError as error:
        return {}, [Fault(path.name, 0, "", "", f"the template cannot be read ({error.strerror})")]
    except UnicodeDecodeError:
        return {}, [Fault(path.name, 0, "", "", "the template is not UTF-8")]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return {}, [Fault(path.name, line, "", "", f"the template is not valid YAML: {error.problem}")]
    except (yaml.YAMLError, RecursionError) as error:
        return {}, [Fault(path.name, 0, "", "", f"the template is not valid YAML: {str(error).splitlines()[0]}")]
    if not isinstance(document, dict):
        return {}, [Fault(path.name, 0, "", "", f"sections are needed: {', '.join(SECTIONS)}")]
    sections = {str(key): value for key, value in document.items()}
    if "study" in sections:
        sections["study"] = [sections["study"]]
    return sections, []


def _from_folder(path: Path, schema: Schema) -> tuple[dict[str, Any], list[Fault]]:
    sections: dict[str, Any] = {}
    faults: list[Fault] = []
    for file in sorted(path.glob("*.csv")):
        try:
            reader = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""), strict=True)
            rows = [dict(row) for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            faults.append(Fault(file.name, 0, "", "", f"the file cannot be read as CSV in UTF-8 ({error})"))
            continue
        ragged = [number for number, row in enumerate(rows, start=2) if None in row or None in row.values()]
        faults += [Fault(file.name, number, "", "", "more or fewer fields than the header") for number in ragged]
        if not ragged:
            sections[file.stem] = rows
    if not sections and not faults:
        names = ", ".join(schema.table(name).path for name in SECTIONS.values())
        faults.append(Fault(path.name, 0, "", "", f"no CSV file in the folder; expected are {names}"))
    return sections, faults


def _rows(section: str, entries: Any, table: Table, template: str, faults: list[Fault]) -> list[Row]:
    if entries in ("", None):
        return []
    if not isinstance(entries, list):
        faults.append(Fault(template, 0, section, "", "a list of entries is needed, each starting with '- '"))
        return []
    rows = []
    for index, entry in enumerate(entries):
        place = section if section == "study" else f"{section}[{index + 1}]"
        if not isinstance(entry, dict):
            faults.append(Fault(template, 0, place, _text(entry), "columns with values are needed, as 'column: value'"))
            continue
        row: Row = {}
        for column, value in entry.items():
            fault = _value_fault(str(column), value, table)
            if fault:
                faults.append(Fault(template, 0, f"{place}.{column}", _text(value), fault))
            else:
                row[str(column)] = _text(value).strip()
        defaults = DEFAULTS.get(table.name, {})
        if any(value not in ("", defaults.get(column)) for column, value in row.items() if column != "study_id"):
            rows.append(row)
    return rows


def _text(value: object) -> str:
    """The value when it is text; never the text of a nested value, which aliases can blow up without limit."""
    return value if isinstance(value, str) else ""


def _value_fault(column: str, value: Any, table: Table) -> str:
    if column not in table.columns:
        return f"this column is not in the schema.{did_you_mean(column, table.columns)}"
    if not isinstance(value, str):
        return "one plain value is needed, not a list or a section"
    if any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in value.strip()):
        return "a line break or an invisible character; write the value on one line"
    if len(value.strip()) > 1 and FORMULA.match(value.strip()):
        return "a spreadsheet would run this as a formula; put words before it"
    return ""


class _TextLoader(yaml.BaseLoader):
    """Reads every value as text and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a name is needed before the colon", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
