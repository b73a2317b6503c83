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
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from headache_evidence.reports.parameters import read_notebook
from headache_evidence.reports.settings import Settings

WHOLE_TABLES = frozenset({"screening", "published_pools", "guidelines", "mcid"})
PACKAGE = Path(__file__).parents[1]

Fingerprint = dict[str, str]


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
    tables = [_read(path) for path in sorted(data_dir.glob("*.csv"))]
    shared = "".join(_file_hash(data_dir / name) for name in ("protocol.yml", "datapackage.json"))
    digests = {name: hashlib.sha256(shared.encode()) for name in headache_types}
    types_of_study = _types_of_study(tables)
    for table in tables:
        for line, row in table.rows:
            content = f"{table.name}:{line}:{row!r}".encode("utf-8", errors="surrogateescape")
            own = {table.headache_type(row), *types_of_study.get(table.study(row), ())}
            for name in digests if table.whole else digests.keys() & own:
                digests[name].update(content)
    return {name: digest.hexdigest()[:24] for name, digest in digests.items()}


@dataclass(frozen=True)
class _Table:
    """A CSV file as text, with the places of the columns that bind a row to a headache type."""

    name: str
    rows: list[tuple[int, list[str]]]
    study_column: int
    type_column: int

    @property
    def whole(self) -> bool:
        """True when every report uses all rows."""
        return self.name in WHOLE_TABLES or (self.study_column < 0 and self.type_column < 0)

    def study(self, row: list[str]) -> str:
        """The study of a row, empty where there is none."""
        return row[self.study_column] if 0 <= self.study_column < len(row) else ""

    def headache_type(self, row: list[str]) -> str:
        """The headache type of a row, empty where there is none."""
        return row[self.type_column] if 0 <= self.type_column < len(row) else ""


def _types_of_study(tables: list[_Table]) -> dict[str, set[str]]:
    """The headache types that the rows of each study name."""
    found: dict[str, set[str]] = {}
    for table in tables:
        if table.study_column >= 0 and table.type_column >= 0:
            for _, row in table.rows:
                found.setdefault(table.study(row), set()).add(table.headache_type(row))
    found.pop("", None)
    return found


def _read(path: Path) -> _Table:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file)
        rows = [(reader.line_num, row) for row in reader]
    header = rows[0][1] if rows else []
    places = [header.index(name) if name in header else -1 for name in ("study_id", "headache_type")]
    return _Table(path.stem, rows, *places)


def whole_data_hash(data_dir: Path) -> str:
    """Hash of everything in the data folder, whatever headache type it belongs to."""
    return _hash(f"{path.name} {_file_hash(path)}" for path in sorted(data_dir.iterdir()) if path.is_file())


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
