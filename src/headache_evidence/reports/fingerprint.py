"""What a report depends on, by content: a report is stale when any part of its fingerprint differs.

A report uses a slice of the evidence: the rows of studies of its headache type, and of studies with single outcomes
of that type. Rows count with their line numbers, since effects.csv names the lines it comes from. So a changed value
in a migraine row leaves cluster headache alone, while a row put in above others concerns all below it. Tables that
every report shows whole (screening flow, published reviews, guidelines, smallest important differences) belong to
every slice.
"""

from __future__ import annotations

import csv
import hashlib
import json
import platform
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from headache_evidence.reports.parameters import read_notebook
from headache_evidence.reports.settings import Settings

WHOLE_TABLES = frozenset({"screening", "published_pools", "guidelines", "mcid"})
PACKAGE = Path(__file__).parents[1]

Fingerprint = dict[str, str]
Rows = list[tuple[int, dict[str, str]]]


def fingerprints(settings: Settings) -> dict[str, Fingerprint]:
    """The fingerprint of each selected report."""
    common = {
        "notebooks": notebooks_hash(settings.notebooks),
        "package": package_hash(),
        "lock": _file_hash(settings.lock_file),
        "parameters": _hash([json.dumps(dict(settings.parameters), sort_keys=True)]),
        "python": platform.python_version(),
    }
    slices = data_hashes(settings.data_dir, settings.selected)
    return {name: {"data": slices[name], **common} for name in settings.selected}


def differences(before: Fingerprint, now: Fingerprint) -> list[str]:
    """Names of the parts that differ; empty when the report is current."""
    return [name for name in now if before.get(name) != now[name]]


def data_hashes(data_dir: Path, headache_types: Iterable[str]) -> dict[str, str]:
    """Hash of the slice of the evidence that each headache type uses."""
    tables = {path.stem: _rows(path) for path in sorted(data_dir.glob("*.csv"))}
    shared = [_file_hash(data_dir / name) for name in ("protocol.yml", "datapackage.json")]
    return {name: _hash([*shared, *_slice(tables, name)]) for name in headache_types}


def whole_data_hash(data_dir: Path) -> str:
    """Hash of everything in the data folder, whatever headache type it belongs to."""
    return _hash(f"{path.name} {_file_hash(path)}" for path in sorted(data_dir.iterdir()) if path.is_file())


def _slice(tables: dict[str, Rows], headache_type: str) -> list[str]:
    studies = {
        row["study_id"]
        for rows in tables.values()
        for _, row in rows
        if row.get("headache_type") == headache_type and row.get("study_id")
    }
    chosen = []
    for table, rows in tables.items():
        for line, row in rows:
            bound = "study_id" in row or "headache_type" in row
            mine = row.get("study_id") in studies or row.get("headache_type") == headache_type
            if mine or not bound or table in WHOLE_TABLES:
                chosen.append(f"{table}:{line}:{json.dumps(list(row.items()), ensure_ascii=True)}")
    return chosen


def _rows(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.DictReader(file, restkey="", restval="")
        return [(reader.line_num, {str(key): str(value) for key, value in row.items()}) for row in reader]


def notebooks_hash(notebooks: Iterable[Path]) -> str:
    """Hash of what notebooks say and do; their stored outputs do not count."""
    parts = []
    for path in notebooks:
        cells = read_notebook(path)["cells"]
        said = [
            [c.get("cell_type"), "".join(c.get("source", "")), c.get("metadata", {}).get("tags", [])] for c in cells
        ]
        parts.append(f"{path.name} {json.dumps(said)}")
    return _hash(parts)


@cache
def package_hash() -> str:
    """Hash of the package's own source files."""
    sources = sorted(path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return _hash(f"{path.relative_to(PACKAGE).as_posix()} {_file_hash(path)}" for path in sources)


def _file_hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return "absent"


def _hash(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", errors="surrogateescape"))
        digest.update(b"\0")
    return digest.hexdigest()[:24]
