"""Runs a notebook in a shell forked from a nursery; the owner's side of ``notebook_shell``."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient

from headache_evidence.reports.notebook_watch import STARTUP_TIMEOUT, Watch, memory_mb
from headache_evidence.reports.nursery import ForkedShell, Nursery, ShellRequest
from headache_evidence.reports.processes import FIXED_ENVIRONMENT

REPLY = "execute_reply"


@contextlib.contextmanager
def forked_shell(nursery: Nursery, log: Path, working_dir: Path, watch: Watch) -> Iterator[Callable[[Any], Any]]:
    """A function that runs the notebook of papermill's execution manager in a shell of its own.

    Raises
    ------
    OSError
        the nursery is gone.
    """
    try:
        nursery.wait()
        watch.started = time.monotonic()  # waiting for the nursery is no time of the notebook
        shell = nursery.start(ShellRequest({**os.environ, **FIXED_ENVIRONMENT}, str(working_dir), str(log)))
    finally:
        nursery.begun.set()
    try:
        yield lambda nb_man: ShellClient(nb_man, shell, watch).execute()
    finally:
        watch.peak_memory_mb = memory_mb(shell.pid)
        shell.end()


class ShellClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client with a forked shell in place of a kernel; messages and errors are those of a kernel."""

    def __init__(self, nb_man: Any, shell: ForkedShell, watch: Watch) -> None:
        super().__init__(nb_man)
        self.shell, self.watch = shell, watch

    def execute(self) -> Any:
        """Run all cells of the notebook."""
        self.reset_execution_trackers()
        ready = self._receive(STARTUP_TIMEOUT)
        if ready is None:
            raise TimeoutError(f"the shell gave no answer in {STARTUP_TIMEOUT} s")
        self.watch.is_up()
        self.papermill_execute_cells()
        self.nb.metadata["language_info"] = ready["content"]
        return self.nb

    def execute_cell(self, cell: Any, cell_index: int) -> Any:
        """Run one cell and put what it shows into its outputs."""
        if cell.cell_type != "code" or not cell.source.strip():
            return cell
        self.watch.cell_starts(cell_index)
        self.clear_before_next_output = False
        with _death_of_the_shell():
            self.shell.connection.send_bytes(cell.source.encode(errors="surrogatepass"))
        while True:
            left = self.watch.remaining()
            message = self._receive(left) if left > 0 else None
            if message is None:
                limit = round(self.watch.limit)
                raise CellTimeoutError.error_from_timeout_and_cell("Cell execution timed out", limit, cell)
            if message["msg_type"] == REPLY:
                break
            self.process_message(message, cell, cell_index)
        reply = message["content"]
        cell["execution_count"] = reply["execution_count"]
        if reply["status"] == "error":
            raise CellExecutionError.from_cell_and_msg(cell, reply)
        return cell

    def _receive(self, seconds: float) -> Any:
        """The next message of the shell as nbclient knows them; None when none comes in time."""
        with _death_of_the_shell():
            if not self.shell.connection.poll(seconds):
                return None
            message = json.loads(self.shell.connection.recv_bytes())
        return {**message, "header": {"msg_type": message["msg_type"]}, "parent_header": {}}


@contextlib.contextmanager
def _death_of_the_shell() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        raise DeadKernelError("the shell has ended") from error
