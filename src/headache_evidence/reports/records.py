"""What is handed to the process that makes a report, and the names of the records it leaves."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RUN_FILE = "run.json"
FAILURE_FILE = "failure.json"


@dataclass(frozen=True)
class Job:
    """One report to make; plain values only, so that it can be handed to another process."""

    headache_type: str
    title: str
    limits: str
    notebooks: tuple[Path, ...]
    parameters: Mapping[str, Mapping[str, Any]]  # by notebook name
    data_dir: Path
    build_dir: Path
    final_dir: Path
    fingerprint: Mapping[str, str]
    timeout: float
    notebooks_at_a_time: int = 1
    last_seconds: Mapping[str, float] = field(default_factory=dict)  # by notebook name, of the run before


Progress = Callable[[str, float], None]


def now() -> str:
    """The present time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
