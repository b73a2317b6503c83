"""Processes that make reports: forked from one warm process, watched, and never left behind."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.context import BaseContext

from headache_evidence.reports.kernels import FIXED_ENVIRONMENT, forking_available

WARM_MODULE = "headache_evidence.reports.warm"


def worker_context() -> BaseContext:
    """How worker processes start: from the fork server where there is one, as fresh processes elsewhere."""
    return multiprocessing.get_context("forkserver" if forking_available() else "spawn")


def prepare_warm_process() -> None:
    """Start the fork server, which begins to import; it ends with this process."""
    if not forking_available():
        return
    from multiprocessing.forkserver import ensure_running, set_forkserver_preload

    set_forkserver_preload([WARM_MODULE])
    with _environment(FIXED_ENVIRONMENT):
        ensure_running()


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
