"""Fixtures of the table tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from evidence_folder import Folder, make_folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A small synthetic evidence folder without a fault."""
    return make_folder(tmp_path)
