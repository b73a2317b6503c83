"""One explorer over the project's own evidence for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from headache_evidence.explore.exploration import Explorer
from headache_evidence.tables.evidence import load_evidence
from headache_evidence.tables.protocol import load_protocol

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def explorer() -> Explorer:
    return Explorer(load_evidence(DATA), load_protocol(DATA / "protocol.yml"))
