"""The schema of the evidence tables, read from data/datapackage.json (Frictionless Table Schema).

That file is the single source of truth for validation, messages and the codebook. Beside the standard keys it uses:

- field ``unit`` and ``categories`` (the meaning of each allowed word), ``listOf`` (words joined by a separator);
- resource ``rowRules``: ``violation`` is an expression that DataFrame.eval finds true on a faulty row;
- resource ``linkedKeys``: a foreign key that is checked where all its fields are filled, with an optional separator;
- package ``otherFiles``: files that may stand beside the tables; ``crossTableRules``: rules that need two tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from headache_evidence.errors import EvidenceError
from headache_evidence.tables.faults import Fault, Severity

PACKAGE_FILE = "datapackage.json"


@dataclass(frozen=True)
class Field:
    """A column: type, unit, what is allowed and what it means."""

    name: str
    type: str
    description: str
    unit: str
    required: bool
    unique: bool
    enum: tuple[str, ...]
    meanings: Mapping[str, str]
    minimum: float | None
    maximum: float | None
    pattern: str | None
    list_separator: str
    list_enum: tuple[str, ...]
    true_values: tuple[str, ...]
    false_values: tuple[str, ...]

    @property
    def numeric(self) -> bool:
        """Whether the column holds numbers."""
        return self.type in ("number", "integer")


@dataclass(frozen=True)
class Link:
    """A key that must be found in another table; ``separator`` when the last field may hold several, ``optional``
    when it is checked only where all its fields are filled."""

    fields: tuple[str, ...]
    table: str
    table_fields: tuple[str, ...]
    separator: str = ""
    optional: bool = False


@dataclass(frozen=True)
class RowRule:
    """A rule over several columns of a row."""

    name: str
    violation: str
    allowed: str
    fields: tuple[str, ...]
    severity: Severity


@dataclass(frozen=True)
class Table:
    """A table: file, columns, keys and rules."""

    name: str
    title: str
    description: str
    path: str
    fields: tuple[Field, ...]
    primary_key: tuple[str, ...]
    links: tuple[Link, ...]
    rules: tuple[RowRule, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(field.name for field in self.fields)


@dataclass(frozen=True)
class CrossTableRule:
    """A rule that needs more than one table; its code stands in validation.py under the same name."""

    name: str
    table: str
    fields: tuple[str, ...]
    allowed: str
    severity: Severity


@dataclass(frozen=True)
class Schema:
    """All tables, and what else may stand in the folder."""

    title: str
    description: str
    tables: tuple[Table, ...]
    other_files: tuple[str, ...]
    cross_table_rules: tuple[CrossTableRule, ...]

    def table(self, name: str) -> Table:
        """The table of that name."""
        return next(table for table in self.tables if table.name == name)


def read_schema(data_dir: str | Path) -> Schema:
    """Read ``datapackage.json`` of a data folder.

    Raises
    ------
    EvidenceError
        when the file is missing, is not JSON or lacks a key.
    """
    path = Path(data_dir) / PACKAGE_FILE
    try:
        return _schema_of(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        message = f"the schema is missing; {Path(data_dir)} is not a folder of evidence tables"
    except (OSError, UnicodeDecodeError) as error:
        message = f"the schema cannot be read ({error})"
    except json.JSONDecodeError as error:
        message = f"the schema is not valid JSON: {error.msg} at line {error.lineno}"
    except KeyError as error:
        message = f"the schema lacks the key {error}"
    except (TypeError, AttributeError, ValueError) as error:
        message = f"the schema is not a Frictionless Data Package ({error})"
    raise EvidenceError([Fault(PACKAGE_FILE, 0, "", "", message)])


@lru_cache(maxsize=4)
def _schema_of(package_text: str) -> Schema:
    package = json.loads(package_text)
    return Schema(
        title=package.get("title", ""),
        description=package.get("description", ""),
        tables=tuple(_table(resource) for resource in package["resources"]),
        other_files=tuple(package.get("otherFiles", ())),
        cross_table_rules=tuple(
            CrossTableRule(
                rule["name"], rule["resource"], tuple(rule["fields"]), rule["allowed"], rule.get("severity", "error")
            )
            for rule in package.get("crossTableRules", ())
        ),
    )


def _table(resource: dict[str, Any]) -> Table:
    schema = resource["schema"]
    links = [_link(key, optional=False) for key in schema.get("foreignKeys", ())]
    links += [_link(key, optional=True) for key in resource.get("linkedKeys", ())]
    return Table(
        name=resource["name"],
        title=resource.get("title", resource["name"]),
        description=resource.get("description", ""),
        path=resource["path"],
        fields=tuple(_field(field) for field in schema["fields"]),
        primary_key=_names(schema.get("primaryKey", ())),
        links=tuple(links),
        rules=tuple(
            RowRule(
                rule["name"],
                rule["violation"],
                rule["allowed"],
                tuple(rule["fields"]),
                rule.get("severity", "error"),
            )
            for rule in resource.get("rowRules", ())
        ),
    )


def _field(field: dict[str, Any]) -> Field:
    constraints = field.get("constraints", {})
    list_of = field.get("listOf", {})
    return Field(
        name=field["name"],
        type=field["type"],
        description=field.get("description", ""),
        unit=field.get("unit", ""),
        required=bool(constraints.get("required", False)),
        unique=bool(constraints.get("unique", False)),
        enum=tuple(constraints.get("enum", ())),
        meanings={entry["value"]: entry["label"] for entry in field.get("categories", ())},
        minimum=constraints.get("minimum"),
        maximum=constraints.get("maximum"),
        pattern=constraints.get("pattern"),
        list_separator=list_of.get("separator", ""),
        list_enum=tuple(list_of.get("enum", ())),
        true_values=tuple(field.get("trueValues", ())),
        false_values=tuple(field.get("falseValues", ())),
    )


def _link(key: dict[str, Any], *, optional: bool) -> Link:
    reference = key["reference"]
    return Link(
        _names(key["fields"]),
        reference["resource"],
        _names(reference["fields"]),
        separator=key.get("separator", ""),
        optional=optional,
    )


def _names(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
