"""The codebook is current and holds every table, column and word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headache_evidence.errors import EvidenceError
from headache_evidence.tables.codebook import CODEBOOK_FILE, codebook
from headache_evidence.tables.schema import read_schema

DATA = Path(__file__).parents[2] / "data"


def test_committed_codebook_is_current() -> None:
    assert (DATA / CODEBOOK_FILE).read_text(encoding="utf-8") == codebook(DATA), (
        "data/README.md is out of date: run headache-evidence codebook"
    )


def test_every_table_column_and_word_is_there() -> None:
    text = codebook(DATA)
    for table in read_schema(DATA).tables:
        assert f"## {table.title}\n" in text
        section = text.split(f"## {table.title}\n")[1].split("\n## ")[0]
        for field in table.fields:
            assert f"| {field.name} | {field.type} |" in section
            for word in (*field.enum, *field.list_enum):
                assert word in text


def test_links_inside_the_page_resolve() -> None:
    text = codebook(DATA)
    anchors = {line[3:].lower().replace(" ", "-") for line in text.splitlines() if line.startswith("## ")}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def test_missing_schema_is_an_evidence_error(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="schema is missing"):
        codebook(tmp_path)
