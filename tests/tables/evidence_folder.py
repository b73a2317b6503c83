"""A small synthetic evidence folder under the real schema, to plant faults in."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

from headache_evidence.tables.schema import Schema, read_schema

DATA = Path(__file__).parents[2] / "data"

ROWS: dict[str, list[dict[str, str]]] = {
    "studies": [
        {
            "study_id": "Synthetic2020",
            "authors": "Synthetic et al.",
            "identity": "seen",
            "year": "2020",
            "title": "A made-up trial",
            "design": "rct_parallel",
            "blinding": "double_blind",
            "headache_type": "migraine",
            "retracted": "no",
        }
    ],
    "sources": [
        {"study_id": "Synthetic2020", "source_id": "s1", "url": "https://example.org/1", "kind": "abstract"},
    ],
    "arms": [
        {
            "study_id": "Synthetic2020",
            "arm_id": "A",
            "role": "control",
            "comparator_kind": "placebo_saline",
            "label": "saline",
            "technique": "sham_injection",
            "guidance": "not_reported",
            "nerves": "greater_occipital",
            "injectate": "saline",
            "n_analysed": "20",
        },
        {
            "study_id": "Synthetic2020",
            "arm_id": "B",
            "role": "intervention",
            "label": "block",
            "technique": "perineural_block",
            "guidance": "ultrasound",
            "nerves": "greater_occipital;lesser_occipital",
            "injectate": "lidocaine;methylprednisolone",
            "n_analysed": "21",
        },
    ],
    "outcomes": [
        {
            "study_id": "Synthetic2020",
            "arm_id": arm,
            "unit_of_analysis": "patient",
            "outcome": "headache_days",
            "outcome_reported": "headache_days_per_month",
            "scale": "days_per_month",
            "better": "lower",
            "kind": "endpoint",
            "sign": "signed",
            "time_value": "4",
            "time_unit": "weeks",
            "n": n,
            "mean": mean,
            "sd": "4.5",
            "source_id": "s1",
        }
        for arm, n, mean in (("A", "20", "12.5"), ("B", "21", "8.1"))
    ]
    + [
        {
            "study_id": "Synthetic2020",
            "arm_id": arm,
            "unit_of_analysis": "patient",
            "outcome": "responder_50",
            "outcome_reported": "responder_50",
            "better": "higher",
            "kind": "event_count",
            "sign": "signed",
            "time_value": "4",
            "time_unit": "weeks",
            "events": events,
            "total": total,
            "source_id": "s1",
        }
        for arm, events, total in (("A", "5", "20"), ("B", "12", "21"))
    ],
    "contrasts": [
        {
            "study_id": "Synthetic2020",
            "comparison": "between_arms",
            "arm_1": "B",
            "arm_2": "A",
            "unit_of_analysis": "patient",
            "outcome": "headache_days",
            "outcome_reported": "headache_days_per_month",
            "scale": "days_per_month",
            "time_value": "4",
            "time_unit": "weeks",
            "measure": "MD",
            "sign": "signed",
            "estimate": "-4.4",
            "ci_low": "-7.2",
            "ci_high": "-1.6",
            "p": "0.003",
            "p_operator": "=",
            "source_id": "s1",
        }
    ],
}


@dataclass(frozen=True)
class Folder:
    """A folder of tables, and how to spoil it."""

    path: Path
    schema: Schema

    def write(self, table: str, rows: list[dict[str, str]], columns: list[str] | None = None) -> Path:
        """Write a table, header first, LF line ends."""
        file = self.path / self.schema.table(table).path
        names = list(self.schema.table(table).columns) if columns is None else columns
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, names, restval="", extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return file

    def edit(self, table: str, index: int = 0, **values: str) -> Path:
        """Change values of one row."""
        rows = [dict(row) for row in ROWS.get(table, [])]
        rows[index].update(values)
        return self.write(table, rows)

    def add(self, table: str, **values: str) -> Path:
        """Append a row, made from the last one."""
        rows = [dict(row) for row in ROWS.get(table, [])]
        rows.append((dict(rows[-1]) if rows else {}) | values)
        return self.write(table, rows)


def make_folder(path: Path) -> Folder:
    """Write the synthetic tables and the real schema into ``path``."""
    shutil.copy(DATA / "datapackage.json", path)
    folder = Folder(path, read_schema(path))
    for table in folder.schema.tables:
        folder.write(table.name, ROWS.get(table.name, []))
    return folder
