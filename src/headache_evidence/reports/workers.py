"""Processes that make reports: forked from one that has imported what they need, watched, and never left behind."""

from __future__ import annotations

import multiprocessing
import sys
import time
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING

from headache_evidence.errors import HeadacheEvidenceError
from headache_evidence.reports.nursery import Nursery
from headache_evidence.reports.processes import end_with_parent, forking_available, helper_start

if TYPE_CHECKING:
    from headache_evidence.reports.records import Job, Progress

WARM_MODULE = "headache_evidence.reports.warm_workers"
STARTUP_ALLOWANCE = 90.0


def worker_context() -> BaseContext:
    """How worker processes start: from the fork server where there is one, as fresh processes elsewhere."""
    return multiprocessing.get_context("forkserver" if forking_available() else "spawn")


def prepare_workers() -> None:
    """Start the fork server, which begins to import what workers need; it ends with this process."""
    if not forking_available():
        return
    from multiprocessing.forkserver import ensure_running, set_forkserver_preload

    set_forkserver_preload([WARM_MODULE])
    with helper_start():
        ensure_running()


class WorkerError(HeadacheEvidenceError):
    """A worker process ended without a result."""


def run_job(job: Job, progress: Progress, nursery: Nursery | None = None) -> bool:
    """Make one report in a process of its own and pass on its progress; True when the report is good.

    nursery : forks the shells of the notebooks, and is the worker's from then on; ordinary kernels run them when None.

    Raises
    ------
    WorkerError
        the process was killed, ran out of memory, or took longer than all its notebooks may.
    """
    context = worker_context()
    receiver, sender = context.Pipe(duplex=False)
    shells = nursery.connection if nursery is not None else None
    process = context.Process(target=_work, args=(job, sender, shells), name=f"report-{job.headache_type}")  # type: ignore[attr-defined]
    process.start()
    sender.close()
    if shells is not None:
        shells.close()
    deadline = time.monotonic() + len(job.notebooks) * (job.timeout + STARTUP_ALLOWANCE)
    try:
        while time.monotonic() < deadline:
            if not receiver.poll(1.0):
                continue
            message = receiver.recv()
            if isinstance(message, bool):
                return message
            if isinstance(message, str):
                raise WorkerError(f"{job.headache_type}: {message}")
            progress(*message)
        raise WorkerError(f"{job.headache_type}: took longer than {len(job.notebooks)} notebooks may.")
    except EOFError:
        process.join(5)
        raise WorkerError(
            f"{job.headache_type}: its process ended early (exit code {process.exitcode}; killed or out of memory)."
        ) from None
    finally:
        process.join(0 if process.exitcode is None and sys.exc_info()[0] else 5)
        if process.is_alive():
            process.kill()
        receiver.close()


def _work(job: Job, sender: Connection, shells: Connection | None) -> None:
    """Runs in the worker process."""
    end_with_parent()
    from headache_evidence.reports.building import build

    nursery = Nursery(shells) if shells is not None else None
    try:
        sender.send(build(job, lambda notebook, seconds: sender.send((notebook, seconds)), nursery))
    except OSError as error:  # a disk so full that not even the failure could be written down
        sender.send(error.strerror or str(error))
    sender.close()
