"""What every process of a run shares: its fixed environment, and ending when its parent ends."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import wait

#: Makes a notebook give the same results on every machine; processes that shells are forked from start with it, too.
FIXED_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
}


def forking_available() -> bool:
    """True where a warm process can be forked (not on Windows; switched off by HEADACHE_EVIDENCE_FORK=0)."""
    return "forkserver" in multiprocessing.get_all_start_methods() and os.environ.get("HEADACHE_EVIDENCE_FORK") != "0"


@contextlib.contextmanager
def helper_start() -> Iterator[None]:
    """Processes that start in this block have the fixed environment, and a stop from the keyboard does not reach them.

    They end with this process. For systems that can fork.
    """
    before = {name: os.environ.get(name) for name in FIXED_ENVIRONMENT}
    os.environ.update(FIXED_ENVIRONMENT)
    resource_tracker.ensure_running()  # it unblocks signals when it starts
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def end_with_parent() -> None:
    """End this process as soon as the one that started it has ended, however that came about."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()
