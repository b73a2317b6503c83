"""Waits for what other processes do."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import psutil


def wait_until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def has_ended(pid: int) -> bool:
    """Whether a process ends within seconds."""
    for _ in range(200):
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.1)
                continue
        return True
    return False
