"""What is seen of a running notebook from outside."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

STARTUP_TIMEOUT = 60  # seconds that the process of a notebook has to come up
ADDED_TAGS = {"injected-parameters", "papermill-error-cell-tag"}


@dataclass
class Watch:
    """Time left for the notebook as a whole, the cell at work, the notebook so far, and the memory it took."""

    limit: float
    started: float
    up: float | None = None
    cell: int | None = None
    notebook: Any = None
    peak_memory_mb: float = 0.0

    def is_up(self) -> None:
        """The first cell can run."""
        self.up = time.monotonic()

    def cell_starts(self, cell_index: int) -> None:
        """A cell begins."""
        self.cell = cell_number(self.notebook, cell_index)

    def remaining(self) -> float:
        """Seconds left; below zero when time is up."""
        return self.limit - (time.monotonic() - (self.up or self.started))

    def where(self, name: str) -> str:
        """The notebook's name, and its cell as soon as one has begun."""
        return name if self.cell is None else f"{name}, cell {self.cell}"


def cell_number(notebook: Any, index: int) -> int:
    """Number (from 1) of the cell in the notebook as its author knows it: cells added by papermill do not count."""
    return sum(not ADDED_TAGS & set(cell.metadata.get("tags", [])) for cell in notebook.cells[: index + 1])


def memory_mb(pid: int) -> float:
    """Largest resident memory of a process so far in MiB; its present one where the system does not keep the peak."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    except (OSError, StopIteration):
        try:
            return float(psutil.Process(pid).memory_info().rss) / 2**20
        except psutil.Error:
            return 0.0
