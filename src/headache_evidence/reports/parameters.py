"""What a notebook may be told, and the checks that happen before a kernel starts.

A notebook declares its parameters in one cell tagged ``parameters`` with plain annotated assignments
(``headache_type: str = "migraine"``). The cell is read as syntax and never run here. Types come from the
annotations; allowed values from the protocol. Text that has no list of allowed values may hold letters, digits and
``_ . + -`` only, so that nothing given on the command line can name a path or become code.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headache_evidence.errors import NotebookError, ParameterError

#: Set by the pipeline itself, never by a user.
RESERVED = frozenset({"headache_type", "data_dir", "output_dir"})
TYPES = ("str", "int", "float", "bool", "list[str]", "list[int]", "list[float]")
_SAFE_TEXT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+\-]{0,99}")


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name, its type as annotated, its default, and the values allowed (empty: any of the type)."""

    name: str
    type: str
    default: Any
    allowed: frozenset[Any] = field(default_factory=frozenset)


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook as plain JSON; NotebookError when it is missing or is not a notebook."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotebookError(f"{path.name}: no such notebook in {path.parent.name}/.") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise NotebookError(f"{path.name}: not a readable notebook ({error}).") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise NotebookError(f"{path.name}: not a notebook (it has no list of cells).")
    return notebook


def declared_parameters(path: Path) -> dict[str, Parameter]:
    """Parameters that the notebook at ``path`` declares, by name.

    Raises
    ------
    NotebookError
        if there is not exactly one cell tagged ``parameters``, or if the cell holds anything but annotated
        assignments of literals with a type of :data:`TYPES`.
    """
    cells = [
        (number, cell)
        for number, cell in enumerate(read_notebook(path)["cells"], start=1)
        if "parameters" in cell.get("metadata", {}).get("tags", [])
    ]
    if len(cells) != 1:
        raise NotebookError(f"{path.name}: {len(cells)} cells are tagged 'parameters'; exactly one must be.")
    number, cell = cells[0]
    where = f"{path.name}, cell {number} (parameters)"
    try:
        body = ast.parse("".join(cell.get("source", ""))).body
    except SyntaxError as error:
        raise NotebookError(f"{where}: {error.msg}.") from error
    declared: dict[str, Parameter] = {}
    for statement in body:
        parameter = _declared(statement, where)
        if parameter is not None:
            declared[parameter.name] = parameter
    return declared


def _declared(statement: ast.stmt, where: str) -> Parameter | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return None
    if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value):
        raise NotebookError(f"{where}: line {statement.lineno} is not of the form 'name: type = value'.")
    annotation = ast.unparse(statement.annotation)
    if annotation not in TYPES:
        raise NotebookError(
            f"{where}: {statement.target.id} has the type {annotation}; allowed are {', '.join(TYPES)}."
        )
    try:
        default = ast.literal_eval(statement.value)
    except ValueError as error:
        raise NotebookError(f"{where}: the default of {statement.target.id} is not a literal.") from error
    return Parameter(statement.target.id, annotation, default)


def check_parameters(given: Mapping[str, Any], declared: Mapping[str, Parameter], notebook: str) -> dict[str, Any]:
    """``given`` with every value checked and converted; ParameterError lists all faults at once."""
    faults, checked = [], {}
    for name, value in given.items():
        if name not in declared:
            allowed = ", ".join(sorted(set(declared) - RESERVED)) or "none that a user may set"
            faults.append(f"{notebook}: no parameter {_shown(name)}; declared: {allowed}.")
            continue
        try:
            checked[name] = convert(value, declared[name])
        except ParameterError as error:
            faults.append(f"{notebook}: {error}")
    if faults:
        raise ParameterError("\n".join(faults))
    return checked


def convert(value: Any, parameter: Parameter) -> Any:
    """``value`` as the parameter's type. Text from a command line is read as JSON where the type asks for it."""
    if parameter.type.startswith("list"):
        item_type = parameter.type[5:-1]
        items = value if isinstance(value, list | tuple) else str(value).split(",")
        return [convert(item, Parameter(parameter.name, item_type, None, parameter.allowed)) for item in items]
    reader = {"str": _text, "int": _integer, "float": _number, "bool": _boolean}[parameter.type]
    converted = reader(value, parameter)
    if parameter.allowed and converted not in parameter.allowed:
        raise ParameterError(
            f"{parameter.name} = {_shown(value)} is not allowed; allowed are {', '.join(sorted(parameter.allowed))}."
        )
    return converted


def _text(value: Any, parameter: Parameter) -> str:
    safe = isinstance(value, str) and (value == "" or _SAFE_TEXT.fullmatch(value))
    if not safe and parameter.name not in {"data_dir", "output_dir"}:
        raise ParameterError(
            f"{parameter.name} = {_shown(value)}: only letters, digits and _ . + - are allowed in text."
        )
    return str(value)


def _integer(value: Any, parameter: Parameter) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?\d{1,18}", str(value)):
        raise ParameterError(f"{parameter.name} = {_shown(value)} is not a whole number.")
    return int(value)


def _number(value: Any, parameter: Parameter) -> float:
    plain = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", str(value))
    if isinstance(value, bool) or not plain or not math.isfinite(float(value)):
        raise ParameterError(f"{parameter.name} = {_shown(value)} is not a number (a decimal point, not a comma).")
    return float(value)


def _boolean(value: Any, parameter: Parameter) -> bool:
    words = {"true": True, "false": False}
    if str(value).lower() not in words:
        raise ParameterError(f"{parameter.name} = {_shown(value)} is neither true nor false.")
    return words[str(value).lower()]


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """``["seed=3"]`` as a dict; ParameterError for anything that is not name=value, is repeated or is reserved."""
    parsed: dict[str, str] = {}
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator or not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
            raise ParameterError(f"--set {_shown(assignment)}: expected name=value with a name in lower case.")
        if name in RESERVED:
            raise ParameterError(f"--set {name}: this parameter is set by the pipeline itself.")
        if name in parsed:
            raise ParameterError(f"--set {name} is given twice.")
        parsed[name] = value
    return parsed


def check_choices(given: Iterable[str], allowed: Collection[str], what: str) -> list[str]:
    """``given`` without repeats, each one of ``allowed``; otherwise ParameterError with the list of allowed values."""
    chosen = list(dict.fromkeys(given))
    unknown = [item for item in chosen if item not in allowed]
    if unknown:
        raise ParameterError(
            f"Unknown {what}: {', '.join(_shown(item) for item in unknown)}. Allowed are {', '.join(allowed)}."
        )
    return chosen


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."
