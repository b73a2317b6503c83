"""Runs one notebook and believes nothing: only a notebook whose every code cell really ran counts as done.

papermill leaves files behind that look complete when a kernel dies or a cell times out, returns normally after
``sys.exit()``, and takes unknown parameters with a log line. Each of these ends here as a NotebookError that names
the notebook and the cell.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import Engine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from headache_evidence.errors import NotebookError
from headache_evidence.reports.forked_shells import forked_shell
from headache_evidence.reports.kernels import ordinary_kernel
from headache_evidence.reports.notebook_watch import Watch, cell_number
from headache_evidence.reports.nursery import Nursery
from headache_evidence.reports.parameters import check_parameters, declared_parameters, read_notebook

ENGINE = "headache-evidence"


@dataclass(frozen=True)
class NotebookRun:
    """What a finished run cost."""

    notebook: str
    seconds: float
    start_seconds: float  # from the start until the first cell could run
    peak_memory_mb: float


@dataclass(frozen=True)
class ExecutedNotebook:
    """A notebook of which every code cell ran, with its outputs, and what that cost."""

    notebook: Any
    run: NotebookRun


class NotebookRunError(NotebookError):
    """A notebook that did not run to its end; ``details`` is the traceback or log, ``executed`` what ran until then."""

    def __init__(self, message: str, details: str = "", executed: Any = None) -> None:
        super().__init__(message)
        self.details = details
        self.executed = executed


class _StartupError(Exception):
    """The kernel did not come up."""


class _Engine(Engine):  # type: ignore[misc]
    """papermill's way in: the keyword ``execute`` runs the notebook."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
        kwargs["watch"].notebook = nb_man.nb
        try:
            return kwargs["execute"](nb_man)
        finally:
            _join_streams(nb_man.nb)


def run_notebook(
    source: Path,
    parameters: Mapping[str, Any],
    *,
    log: Path,
    timeout: float = 300.0,
    nursery: Nursery | None = None,
) -> ExecutedNotebook:
    """Run the notebook ``source`` with ``parameters`` in its own folder; the outputs stored in it do not count.

    Parameters
    ----------
    timeout : seconds that all cells together may take.
    nursery : forks a shell for it, which starts in a moment; an ordinary kernel runs it when None.

    Raises
    ------
    ParameterError
        before a kernel starts: unknown name, wrong type, value not allowed.
    NotebookRunError
        a cell raised, a cell or the kernel died, time ran out, or a code cell did not run.
    """
    checked = check_parameters(parameters, declared_parameters(source), source.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _execute(source, checked, log, timeout, nursery)
    except _StartupError:
        try:
            return _execute(source, checked, log, timeout, None)
        except _StartupError as error:
            raise NotebookRunError(
                f"{source.name}: the kernel did not start, twice ({error}).", details=_tail(log)
            ) from error


def _execute(
    source: Path, parameters: dict[str, Any], log: Path, timeout: float, nursery: Nursery | None
) -> ExecutedNotebook:
    if ENGINE not in papermill_engines._engines:
        papermill_engines.register(ENGINE, _Engine)
    watch, folder = Watch(timeout, time.monotonic()), source.parent.resolve()
    try:
        with forked_shell(nursery, log, folder, watch) if nursery else ordinary_kernel(log, folder, watch) as execute:
            executed = papermill.execute_notebook(
                _without_outputs(source),
                None,
                parameters=parameters,
                engine_name=ENGINE,
                kernel_name="python3",
                language="python",
                request_save_on_cell_execute=False,
                progress_bar=False,
                execute=execute,
                watch=watch,
            )
    except Exception as error:
        raise _explained(error, source.name, watch, log) from error
    check_complete(executed, source.name)
    ended, started = time.monotonic(), watch.started
    up, memory = watch.up or ended, watch.peak_memory_mb
    return ExecutedNotebook(executed, NotebookRun(source.name, ended - started, up - started, memory))


def _without_outputs(source: Path) -> Any:
    """The notebook as it is before it runs: stored outputs may be large, and papermill reads a notebook many times."""
    notebook = read_notebook(source)
    code = [cell for cell in notebook["cells"] if cell.get("cell_type") == "code"]
    for cell in code:
        cell["outputs"], cell["execution_count"] = [], None
    return nbformat.reads(json.dumps(notebook), as_version=4)  # type: ignore[no-untyped-call]


def _join_streams(notebook: Any) -> None:
    """Make one output of a text that came in parts: where it was parted is a matter of time, not of the notebook."""

    def source(output: Any) -> Any:
        return output.name if output.output_type == "stream" else id(output)

    for cell in notebook.cells:
        if cell.get("outputs"):
            parts = [list(group) for _, group in itertools.groupby(cell.outputs, source)]
            for first, *others in parts:
                if others:
                    first.text = "".join(part.text for part in (first, *others))
            cell.outputs = [first for first, *_ in parts]


def _explained(error: Exception, name: str, watch: Watch, log: Path) -> Exception:
    """``error`` in words; whatever happens before the first cell is a start that may be tried again."""
    where, so_far = watch.where(name), watch.notebook
    if isinstance(error, PapermillExecutionError):
        return NotebookRunError(f"{where}: {error.ename}: {error.evalue}", "\n".join(error.traceback), so_far)
    if isinstance(error, CellTimeoutError):
        limit = f"{watch.limit:g} s, the time a notebook may take"
        return NotebookRunError(f"{where}: stopped after {limit}.", str(error), so_far)
    if watch.up is None:
        return _StartupError(str(error) or type(error).__name__)
    if isinstance(error, DeadKernelError):
        reason = "the kernel died (out of memory, killed, or a crash in compiled code)"
        return NotebookRunError(f"{where}: {reason}.", _tail(log), so_far)
    return NotebookRunError(f"{where}: {type(error).__name__}: {error}", _tail(log), so_far)


def check_complete(notebook: Any, name: str) -> None:
    """Refuse a notebook in which a code cell did not run, or ran into an error, whatever its metadata say."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        where = f"{name}, cell {cell_number(notebook, index)}"
        for output in cell.outputs:
            if output.output_type == "error":
                reason = f"{output.ename}: {output.evalue} (a notebook must run to its last cell)"
                raise NotebookRunError(f"{where}: {reason}.", "\n".join(output.traceback), notebook)
        status = cell.metadata.get("papermill", {}).get("status", "completed")
        if cell.execution_count is None or status != "completed":
            raise NotebookRunError(f"{where} did not run ({status}).", executed=notebook)


def _tail(log: Path, characters: int = 4000) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-characters:]
    except OSError:
        return ""
