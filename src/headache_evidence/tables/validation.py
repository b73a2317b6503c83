"""All faults of the evidence tables, found from the schema alone.

Frictionless defines the schema but does not run here, since notebooks load the tables each time: the real tables take
it 1 s warm and 5 s with its first use (0.3 s here), 100 000 outcome rows 15 s (3.4 s here), and its messages know no
near miss and no spreadsheet damage. The checks of types, constraints and keys below are vectorised over columns; a test
proves that they and frictionless agree on the same files. The rules that Table Schema cannot say (row rules, optional
keys, rules over two tables) are read from the same datapackage.json.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.errors import EvidenceError
from headache_evidence.tables.csv_file import TextArray, TextTable, read_text_table
from headache_evidence.tables.faults import Fault, did_you_mean, list_allowed, number_hint
from headache_evidence.tables.schema import PACKAGE_FILE, CrossTableRule, Field, Link, Schema, Table, read_schema

BoolArray = npt.NDArray[np.bool_]
Frames = dict[str, pd.DataFrame]


def check_evidence(data_dir: str | Path) -> list[Fault]:
    """All faults and warnings of the tables in ``data_dir``, sorted by file, row and column; empty when all is well."""
    try:
        return examine(read_schema(data_dir), Path(data_dir))[1]
    except EvidenceError as error:
        return [fault for fault in error.faults if isinstance(fault, Fault)]


def examine(schema: Schema, data_dir: Path) -> tuple[Frames, list[Fault]]:
    """Read every table of the schema; typed frames by table name, and all faults."""
    frames: Frames = {}
    faults = list(_unknown_files(schema, data_dir))
    for table in schema.tables:
        text, file_faults = read_text_table(data_dir / table.path, table)
        frame, value_faults = _typed(table, text)
        faults += [*file_faults, *value_faults]
        if set(table.columns) <= set(text.columns):
            frames[table.name] = frame
        faults += [*_key_faults(table, frame), *_rule_faults(table, frame)]
    for table in schema.tables:
        if table.name in frames:
            for link in table.links:
                faults += _link_faults(table, link, schema, frames)
    for rule in schema.cross_table_rules:
        faults += _cross_table_faults(rule, schema, frames)
    return frames, _sorted(faults, schema)


def _unknown_files(schema: Schema, data_dir: Path) -> Iterator[Fault]:
    known = {table.path for table in schema.tables} | set(schema.other_files)
    for path in sorted(data_dir.iterdir()):
        if path.name in known or path.name.startswith(".") or path.is_dir():
            continue
        hint = did_you_mean(path.name, tuple(sorted(known)))
        message = f"this file is not named in {PACKAGE_FILE} and is not read.{hint}"
        yield Fault(path.name, 0, "", "", message, "error" if path.suffix.lower() == ".csv" else "warning")


def _typed(table: Table, text: TextTable) -> tuple[pd.DataFrame, list[Fault]]:
    faults: list[Fault] = []
    columns: dict[str, pd.api.extensions.ExtensionArray | pd.Series] = {}
    for field in table.fields:
        if field.name not in text.columns:
            continue
        raw = text.columns[field.name]
        values = np.array([value.strip() for value in raw], dtype=object)

        def report(
            mask: BoolArray, message: Callable[[str], str], *, field: Field = field, raw: TextArray = raw
        ) -> None:
            faults.extend(
                Fault(table.path, int(text.row[i]), field.name, raw[i], message(raw[i])) for i in np.flatnonzero(mask)
            )

        filled = values != ""
        report(raw != values, lambda value: "spaces before or after the value; remove them")
        if field.required:
            report(~filled, lambda value: f"a value is required: {_allowed(field)}")  # noqa: B023
        columns[field.name] = _convert(field, values, filled, report)
        if field.unique:
            repeated = pd.Series(values).duplicated().to_numpy() & filled
            report(repeated, lambda value: "the value must be unique in this column")
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(text.row)))
    frame["row"] = text.row
    return frame, faults


Report = Callable[[BoolArray, Callable[[str], str]], None]


def _convert(field: Field, values: TextArray, filled: BoolArray, report: Report) -> pd.Series:
    if field.numeric:
        return _numbers(field, values, filled, report)
    if field.type == "boolean":
        words = field.true_values + field.false_values
        known = np.isin(values, words)
        report(filled & ~known, lambda value: f"allowed are {list_allowed(words)}.{did_you_mean(value, words)}")
        return pd.Series(np.isin(values, field.true_values), dtype=bool)
    if field.enum:
        report(filled & ~_all_in(values, field.enum, ""), lambda value: _not_allowed(value, field.enum))
    if field.list_enum:
        known = _all_in(values, field.list_enum, field.list_separator)
        report(filled & ~known, lambda value: _not_in_list(value, field))
    if field.pattern:
        compiled = re.compile(field.pattern)
        matches = {value: compiled.fullmatch(value) is not None for value in set(values)}
        bad = np.array([not matches[value] for value in values], dtype=bool)
        report(filled & bad, lambda value: f"the value must match the pattern {field.pattern}")
    return pd.Series(values, dtype="str")


def _numbers(field: Field, values: TextArray, filled: BoolArray, report: Report) -> pd.Series:
    text = pd.Series(values, dtype="str").where(pd.Series(filled))
    numbers = np.array(pd.to_numeric(text, errors="coerce"), dtype=float)
    not_number = filled & ~np.isfinite(numbers)
    report(not_number, lambda value: f"a number is needed: {_allowed(field)}.{number_hint(value)}")
    good = filled & ~not_number
    numbers = np.where(good, numbers, np.nan)
    if field.type == "integer":
        fraction = good & (numbers != np.floor(numbers))
        report(fraction, lambda value: f"a whole number is needed: {_allowed(field)}")
        numbers = np.where(fraction, np.nan, numbers)
    low = np.full(len(numbers), False) if field.minimum is None else numbers < field.minimum
    high = np.full(len(numbers), False) if field.maximum is None else numbers > field.maximum
    report(low | high, lambda value: f"out of range: {_allowed(field)}")
    return pd.Series(numbers, dtype="Int64" if field.type == "integer" else "float64")


def _all_in(values: TextArray, allowed: tuple[str, ...], separator: str) -> BoolArray:
    words = set(allowed)
    known = {
        value: all(part in words for part in value.split(separator)) if separator else value in words
        for value in set(values)
    }
    return np.array([known[value] for value in values], dtype=bool)


def _allowed(field: Field) -> str:
    if field.enum:
        return f"allowed are {list_allowed(field.enum)}"
    if field.numeric:
        kind = "a whole number" if field.type == "integer" else "a number"
        if field.minimum is not None and field.maximum is not None:
            return f"allowed is {kind} from {field.minimum:g} to {field.maximum:g}"
        if field.minimum is not None:
            return f"allowed is {kind} of at least {field.minimum:g}"
        return f"allowed is {kind} with a point as decimal mark"
    return field.description or "text"


def _not_allowed(value: str, allowed: tuple[str, ...]) -> str:
    return f"allowed are {list_allowed(allowed)}.{did_you_mean(value, allowed)}"


def _not_in_list(value: str, field: Field) -> str:
    words = set(field.list_enum)
    unknown = [part for part in value.split(field.list_separator) if part not in words]
    hints = "".join(did_you_mean(part, field.list_enum) for part in unknown)
    named = ", ".join(repr(part) for part in unknown)
    return (
        f"{named} is not allowed; words joined by {field.list_separator!r} from {list_allowed(field.list_enum)}.{hints}"
    )


def _key_faults(table: Table, frame: pd.DataFrame) -> Iterator[Fault]:
    key = list(table.primary_key)
    if not key or not set(key) <= set(frame.columns) or frame.empty:
        return
    repeated = frame.duplicated(key).to_numpy()
    if not repeated.any():
        return
    first = frame.loc[~repeated].set_index(key)["row"].to_dict()
    for _, record in frame.loc[repeated].iterrows():
        values = tuple(record[name] for name in key)
        at = first.get(values if len(key) > 1 else values[0])
        shown = ", ".join(
            f"{name}={record[name]}" for name in key if record[name] == record[name] and record[name] != ""
        )
        where = f" of row {at}" if at is not None else ""
        message = f"the row repeats the key{where}; {', '.join(key)} together must be unique"
        yield Fault(table.path, int(record["row"]), "", shown, message)


def _rule_faults(table: Table, frame: pd.DataFrame) -> Iterator[Fault]:
    for rule in table.rules:
        if not set(rule.fields) <= set(frame.columns) or frame.empty:
            continue
        try:
            broken = frame[list(rule.fields)].eval(rule.violation, engine="python")
        except Exception as error:  # any mistake in an expression of the schema is a fault of the schema
            message = f"the rule {rule.name!r} of {table.path} cannot be evaluated: {error}"
            yield Fault(PACKAGE_FILE, 0, "", rule.violation, message)
            continue
        mask = pd.Series(broken, index=frame.index).fillna(False).to_numpy(dtype=bool)
        if not mask.any():
            continue
        for _, record in frame.loc[mask, [*rule.fields, "row"]].iterrows():
            filled = [name for name in rule.fields if not _empty(record[name])]
            shown = ", ".join(f"{name}={_plain(record[name])}" for name in filled)
            yield Fault(table.path, int(record["row"]), ", ".join(filled), shown, rule.allowed, rule.severity)


def _link_faults(table: Table, link: Link, schema: Schema, frames: Frames) -> Iterator[Fault]:
    target = frames.get(link.table)
    if target is None:
        return
    frame = frames[table.name]
    known = set(zip(*(target[name] for name in link.table_fields), strict=True))
    keys = list(zip(*(frame[name] for name in link.fields), strict=True))
    path = schema.table(link.table).path
    for key, row in zip(keys, frame["row"], strict=True):
        if key[-1] == "" or (key in known):
            continue
        parts = key[-1].split(link.separator) if link.separator else [key[-1]]
        for part in parts:
            if (*key[:-1], part) not in known:
                siblings = tuple(sorted(str(other[-1]) for other in known if other[:-1] == key[:-1]))
                of_study = f" of {key[0]}" if len(key) > 1 else ""
                listed = f"; there are {list_allowed(siblings)}" if len(key) > 1 and siblings else ""
                what = f"no {link.table_fields[-1]} {part!r}{of_study} in {path}{listed}"
                message = f"{what}.{did_you_mean(part, siblings)}"
                yield Fault(table.path, int(row), link.fields[-1], str(key[-1]), message)


def _cross_table_faults(rule: CrossTableRule, schema: Schema, frames: Frames) -> Iterator[Fault]:
    if rule.name != "sd_without_n":
        yield Fault(PACKAGE_FILE, 0, "", rule.name, "this cross-table rule is unknown; known is sd_without_n")
        return
    if "outcomes" not in frames or "arms" not in frames:
        return
    arms, outcomes = frames["arms"], frames["outcomes"]
    sized = arms.loc[arms["n_analysed"].notna() | arms["n_randomised"].notna(), ["study_id", "arm_id"]]
    has_arm_n = set(zip(sized["study_id"], sized["arm_id"], strict=True))
    for record in outcomes.loc[outcomes["sd"].notna() & outcomes["n"].isna()].itertuples():
        if (record.study_id, record.arm_id) not in has_arm_n:
            yield Fault(
                schema.table("outcomes").path, int(str(record.row)), "sd", f"{record.sd}", rule.allowed, rule.severity
            )


def _empty(value: object) -> bool:
    return value is pd.NA or value != value or value == ""


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sorted(faults: list[Fault], schema: Schema) -> list[Fault]:
    order = {table.path: index for index, table in enumerate(schema.tables)}
    return sorted(faults, key=lambda fault: (order.get(fault.file, -1), fault.file, fault.row))
