"""Adding a study: rows from a filled template go into the tables, all of them or none.

The new tables are built aside and validated whole. Only when they hold no fault are the files replaced; a fault, a
file changed meanwhile or a full disk leaves every file as it was. Existing lines are not touched: the new rows are put
in where the order by study asks for them.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from headache_evidence.errors import EvidenceError
from headache_evidence.tables.csv_file import read_text_table
from headache_evidence.tables.evidence import load_evidence
from headache_evidence.tables.faults import Fault, errors_of
from headache_evidence.tables.integrity import screen
from headache_evidence.tables.risk_of_bias import DOMAINS, JBI, OVERALL, OVERALL_RULES, tool_for_design
from headache_evidence.tables.schema import Schema, Table, read_schema
from headache_evidence.tables.study_template import Row, StudyRows, read_template, scaffold_template
from headache_evidence.tables.validation import check_evidence

__all__ = ["AddedStudy", "add_study", "scaffold_template"]

NOT_JUDGED = "not judged yet"
SAME_REPORT = ("doi", "pmid", "pmcid", "registration")


@dataclass(frozen=True)
class AddedStudy:
    """What adding a study did, or would do."""

    study_id: str
    rows: dict[str, int]
    """Rows added, by table."""
    lines: dict[str, tuple[int, ...]]
    """Lines of the new rows in each file (header = 1)."""
    reports: tuple[str, ...]
    """Headache types whose results may change; other reports only show new line numbers and a new flow of records."""
    warnings: tuple[str, ...]
    """What validation asks to look at again, for the new rows only."""
    doubts: pd.DataFrame
    """Hits of the integrity screen on the new study."""
    written: bool
    """False when it was a dry run."""


def add_study(template_path: str | Path, data_dir: str | Path = "data", dry_run: bool = False) -> AddedStudy:
    """Add the study of a filled template to the tables, if the whole evidence is still valid with it.

    Parameters
    ----------
    template_path : YAML file made by ``scaffold_template``, or a folder of CSV files.
    data_dir : folder of the evidence tables.
    dry_run : check everything and write nothing.

    Raises
    ------
    EvidenceError
        with every fault of the template, of the study among the others, or of the tables themselves; nothing is
        written then.
    """
    data_dir = Path(data_dir)
    schema = read_schema(data_dir)
    study = _completed(read_template(template_path, schema), schema)
    present = errors_of(check_evidence(data_dir))
    if present:
        raise EvidenceError(present)
    _refuse_known(study, data_dir, schema)
    before = {name: (data_dir / schema.table(name).path).read_bytes() for name in study.rows}
    after: dict[str, bytes] = {}
    lines: dict[str, tuple[int, ...]] = {}
    for name, rows in study.rows.items():
        after[name], lines[name] = _with_rows(data_dir, schema.table(name), rows, study.study_id)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder)
        for file in data_dir.iterdir():
            if file.is_file():
                shutil.copy(file, trial)
        for name, content in after.items():
            (trial / schema.table(name).path).write_bytes(content)
        faults = [_in_template(fault, study, schema, lines) for fault in check_evidence(trial)]
        if errors_of(faults):
            raise EvidenceError(errors_of(faults))
        hits = screen(load_evidence(trial))
    if not dry_run:
        _replace(data_dir, schema, before, after)
    types = {row.get("headache_type", "") for name in ("studies", "outcomes") for row in study.rows.get(name, [])}
    return AddedStudy(
        study_id=study.study_id,
        rows={name: len(rows) for name, rows in study.rows.items()},
        lines=lines,
        reports=tuple(sorted(types - {""})),
        warnings=tuple(str(fault) for fault in faults if fault.file == study.template),
        doubts=hits[hits["study_id"] == study.study_id].reset_index(drop=True),
        written=not dry_run,
    )


def _completed(study: StudyRows, schema: Schema) -> StudyRows:
    """The rows with what follows from them: the record of the screening and a judgement for every domain of bias."""
    main = study.rows["studies"][0]
    rows = {name: entries for name, entries in study.rows.items() if entries}
    kinds = sorted({row.get("kind", "") for row in rows.get("sources", [])} - {""})
    record = {
        "record_id": study.study_id,
        "study_id": study.study_id,
        "headache_type": main.get("headache_type", ""),
        "source": ";".join(kinds),
        "stage": "eligibility",
    }
    if main.get("retracted") == "yes":
        rows["screening"] = [record | {"decision": "excluded", "reason": "retracted"}]
    else:
        rows["screening"] = [record | {"decision": "included", "report_of": study.study_id}]
    rows["risk_of_bias"] = _judged(study, main.get("design", ""))
    order = [table.name for table in schema.tables]
    return StudyRows(study.study_id, dict(sorted(rows.items(), key=lambda item: order.index(item[0]))), study.template)


def _judged(study: StudyRows, design: str) -> list[Row]:
    given = study.rows.get("risk_of_bias", [])
    tool = next((row["tool"] for row in given if row.get("tool")), tool_for_design(design))
    domains = DOMAINS.get(tool, ())
    unknown = "unclear" if tool == JBI else "no_information"
    rows = [{"study_id": study.study_id, "tool": tool} | row for row in given if row.get("domain") != OVERALL]
    told = {row.get("domain", "") for row in rows}
    rows += [
        {"study_id": study.study_id, "tool": tool, "domain": name, "judgement": unknown, "reason": NOT_JUDGED}
        for name in domains
        if name not in told
    ]
    place = {name: index for index, name in enumerate(domains)}
    rows.sort(key=lambda row: place.get(row.get("domain", ""), len(place)))
    judgements = {row.get("domain", ""): row.get("judgement", "") for row in rows}
    if tool in OVERALL_RULES and set(judgements) == set(domains):
        try:
            judgement, reason = OVERALL_RULES[tool](judgements)
        except ValueError:
            return rows
        overall = {"domain": OVERALL, "judgement": judgement, "reason": reason}
        rows.append({"study_id": study.study_id, "tool": tool} | overall)
    return rows


def _refuse_known(study: StudyRows, data_dir: Path, schema: Schema) -> None:
    """Refuse a study that the tables hold already, by name (whatever its case) or by an identifier of its report."""
    known, _ = read_text_table(data_dir / schema.table("studies").path, schema.table("studies"))
    names = [str(name) for name in known.columns["study_id"]]
    faults = [
        Fault(study.template, 0, "study.study_id", study.study_id, f"{name} is in the tables already")
        for name in names
        if name.lower() == study.study_id.lower()
    ]
    main = study.rows["studies"][0]
    for column in SAME_REPORT:
        value = main.get(column, "").lower()
        for name, other in zip(names, known.columns[column], strict=True):
            if value and value == str(other).lower():
                message = f"{name} has the same {column}; add rows to that study instead"
                faults.append(Fault(study.template, 0, f"study.{column}", value, message))
    if faults:
        raise EvidenceError(faults)


def _with_rows(data_dir: Path, table: Table, rows: list[Row], study_id: str) -> tuple[bytes, tuple[int, ...]]:
    """The file with the rows put in after the last study that sorts before theirs, and the lines they stand on."""
    path = data_dir / table.path
    text, _ = read_text_table(path, table)
    key = table.primary_key[0]
    studies = [str(value) for value in text.columns[key]]
    ordered = studies == sorted(studies)
    index = bisect_right(studies, study_id) if ordered else len(studies)
    raw = path.read_bytes().splitlines(keepends=True)
    end = b"\r\n" if raw and raw[0].endswith(b"\r\n") else b"\n"
    if raw and not raw[-1].endswith(b"\n"):
        raw[-1] += end
    line = int(text.row[index]) if index < len(studies) else len(raw) + 1
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, _header(raw), restval="", lineterminator=end.decode())
    writer.writerows(rows)
    new = buffer.getvalue().encode()
    content = b"".join([*raw[: line - 1], new, *raw[line - 1 :]])
    return content, tuple(range(line, line + len(rows)))


def _header(raw: list[bytes]) -> list[str]:
    return next(csv.reader([raw[0].decode("utf-8-sig").rstrip("\r\n")]))


def _in_template(fault: Fault, study: StudyRows, schema: Schema, lines: dict[str, tuple[int, ...]]) -> Fault:
    """The fault as the writer of the template sees it: the section and entry instead of a line of a file to be."""
    for name, numbers in lines.items():
        if fault.file == schema.table(name).path and fault.row in numbers:
            entry = study.place(name, numbers.index(fault.row))
            column = f"{entry}, {fault.column}" if fault.column else entry
            return Fault(study.template, 0, column, fault.value, fault.message, fault.severity)
    return fault


def _replace(data_dir: Path, schema: Schema, before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """Replace all files, or none: new ones are written beside the old ones first, and put back if one fails."""
    paths = {name: data_dir / schema.table(name).path for name in after}
    changed = [path.name for name, path in paths.items() if path.read_bytes() != before[name]]
    if changed:
        raise EvidenceError([Fault(name, 0, "", "", "the file was changed meanwhile; try again") for name in changed])
    aside: dict[str, Path] = {}
    done: list[str] = []
    try:
        for name, path in paths.items():
            handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=data_dir)
            aside[name] = Path(temporary)
            with os.fdopen(handle, "wb") as stream:
                stream.write(after[name])
                stream.flush()
                os.fsync(stream.fileno())
            shutil.copymode(path, temporary)
        for name, path in paths.items():
            os.replace(aside[name], path)
            done.append(name)
    except BaseException as error:
        for name in done:
            paths[name].write_bytes(before[name])
        if isinstance(error, OSError):
            message = f"the tables could not be written ({error.strerror}); all are as before"
            raise EvidenceError([Fault(data_dir.name, 0, "", "", message)]) from error
        raise
    finally:
        for temporary_path in aside.values():
            temporary_path.unlink(missing_ok=True)
