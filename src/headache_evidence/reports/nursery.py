"""Shells that start in a moment: forks of a nursery, which is itself a fork of one warm process.

A fresh kernel spends seconds importing pandas, matplotlib, scipy and PyMARE. The warm process imports them once and
prepares the evidence (:mod:`headache_evidence.reports.warm_start`). A nursery does nothing but fork shells on request
and end them; both have one thread, so their forks are safe. Whoever holds the other end of a nursery's connection owns
its shells: when the owner ends, for whatever reason, the nursery and its shells end, too.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from typing import Any

from headache_evidence.reports.ahead import try_ahead
from headache_evidence.reports.preloading import FOR_ANSWERS, preload
from headache_evidence.reports.processes import end_with_parent, forking_available, helper_start

PATIENCE = 2.0  # seconds for processes to end by themselves


@dataclass(frozen=True)
class ShellRequest:
    """How to start a shell: its whole environment, its folder, and where what no cell shows goes."""

    environment: dict[str, str]
    working_dir: str
    log: str


@dataclass(frozen=True)
class ForkedShell:
    """The owner's end of a shell (:mod:`headache_evidence.reports.notebook_shell`)."""

    nursery: Nursery
    pid: int
    connection: Connection

    def end(self) -> None:
        """End the shell and the processes it started at once, also while its nursery is busy."""
        self.connection.close()
        # Its process id is its own until the nursery hears of the end. PermissionError: macOS, when it has ended.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.nursery.shell_has_ended(self.pid)


@dataclass(frozen=True)
class Nursery:
    """The owner's end of a nursery; its connection can be handed to the process that will own the shells.

    ``begun`` is set by whoever has started the first shell, or has seen that it does not start.
    """

    connection: Connection
    begun: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)
    sending: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def start(self, request: ShellRequest) -> ForkedShell:
        """Start a shell; OSError when the nursery is gone."""
        own, other = multiprocessing.Pipe()
        try:
            pid = self.ask(request, other)
            if not pid:
                raise OSError("the nursery could not start a shell")
        except OSError:
            own.close()
            raise
        finally:
            other.close()
        return ForkedShell(self, pid, own)

    def wait(self) -> None:
        """Return as soon as a shell can be started; OSError when the nursery is gone."""
        self.ask(0)

    def ask(self, question: ShellRequest | int, end: Connection | None = None) -> int:
        """Process id of a new shell, which gets ``end`` (0 when none could be started); 0 for the question 0."""
        try:
            with self.one_at_a_time:
                with self.sending:
                    self.connection.send(question)
                    if end is not None:
                        send_handle(self.connection, end.fileno(), None)
                answer: int = self.connection.recv()
        except (EOFError, OSError, RuntimeError) as error:  # RuntimeError: not acknowledged
            raise OSError("the nursery has ended") from error
        return answer

    def shell_has_ended(self, pid: int) -> None:
        """Let the nursery clear up after a shell when it has time; nothing is answered."""
        with contextlib.suppress(OSError), self.sending:  # with the nursery, its shells have ended
            self.connection.send(pid)


@dataclass(frozen=True)
class WarmProcess:
    """The owner's end of the process from which nurseries are forked. It ends with its owner, once it has got ready."""

    connection: Connection
    process: BaseProcess
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def open_nursery(self, prepare: Callable[[], object] | None = None) -> Nursery | None:
        """A new nursery; it gets ready when the process is warm. None when the process has ended.

        Returns at once, but on macOS, where a handed-over file must be acknowledged, when the process is warm.

        prepare : what the nursery does once its first shell is at work, for all later ones; it can be sent to a
            process. Functions of the package that keep what they have worked out (load_evidence, answer_questions)
            answer at once in each later shell.
        """
        own, other = multiprocessing.Pipe()
        try:
            with self.one_at_a_time:
                self.connection.send(prepare)
                send_handle(self.connection, other.fileno(), self.process.pid)
        except (OSError, RuntimeError):  # RuntimeError: not acknowledged
            own.close()
            return None
        finally:
            other.close()
        return Nursery(own)


@contextlib.contextmanager
def warm_process(data_dir: Path, *, several: bool = False) -> Iterator[WarmProcess | None]:
    """A process that gets ready (``get_ready``) while this one goes on; None where processes cannot be forked."""
    if not forking_available():
        yield None
        return
    own, other = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve_nurseries, args=(other, data_dir.resolve(), several), name="warm"
    )
    with helper_start():
        process.start()
    other.close()
    try:
        yield WarmProcess(own, process)
    finally:
        own.close()
        _end_group(process)


def _end_group(process: BaseProcess) -> None:
    """End the warm process and its nurseries, which may still be getting ready; shells end with their nursery."""
    _signal_group(process, signal.SIGTERM)
    wait([process.sentinel], PATIENCE)  # all its forks hold the other end
    _signal_group(process, signal.SIGKILL)
    process.join()


def _signal_group(process: BaseProcess, signum: int) -> None:
    """To a process and those that it started, also after its own end."""
    assert process.pid is not None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signum)
        return
    if process.is_alive():  # it had no time to begin a group
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signum)


def serve_nurseries(connection: Connection, data_dir: Path, several: bool) -> None:
    """Be the warm process: get ready, then fork nurseries until the owner closes the connection."""
    os.setsid()
    from headache_evidence.reports.warm_start import get_ready

    get_ready(data_dir, several=several)
    context = multiprocessing.get_context("fork")
    while True:
        try:
            prepare = connection.recv()
            other = Connection(recv_handle(connection))
        except (EOFError, OSError, RuntimeError):
            break
        context.Process(target=_be_nursery, args=(connection, other, prepare), name="nursery").start()
        other.close()


def _be_nursery(of_warm_process: Connection, connection: Connection, prepare: Callable[[], object] | None) -> None:
    of_warm_process.close()
    serve(connection, prepare)


def serve(connection: Connection, prepare: Callable[[], object] | None) -> None:
    """Be a nursery until the owner closes the connection, or until it is told to terminate."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    shells: dict[int, BaseProcess] = {}
    try:
        while True:
            question = connection.recv()
            if isinstance(question, ShellRequest):
                connection.send(_start(question, connection, shells))
            elif question:
                _end_shell(shells.pop(question))
            else:
                connection.send(0)
            if shells and prepare is not None:
                preload(FOR_ANSWERS)
                try_ahead(prepare)
                prepare = None
    except (EOFError, OSError, RuntimeError):
        return
    finally:
        for shell in shells.values():
            _end_shell(shell)


def _start(request: ShellRequest, connection: Connection, shells: dict[int, BaseProcess]) -> int:
    """Start a shell and tell its process id, 0 when there is no room for a process."""
    with Connection(recv_handle(connection)) as cells, contextlib.suppress(OSError):
        target = multiprocessing.get_context("fork").Process
        shell: Any = target(target=be_shell, args=(request, connection, cells), name="shell")
        shell.start()
        shells[shell.pid] = shell
        return int(shell.pid)
    return 0


def _end_shell(shell: BaseProcess) -> None:
    """End a shell with the processes it started."""
    _signal_group(shell, signal.SIGKILL)
    shell.join()


def be_shell(request: ShellRequest, of_nursery: Connection, cells: Connection) -> None:
    """Be a shell: runs in the forked process."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    of_nursery.close()
    end_with_parent()
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.working_dir)
    descriptor = os.open(request.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)

    import matplotlib

    from headache_evidence.reports.notebook_shell import serve_cells

    # matplotlib read its environment when it was imported in the warm process
    matplotlib.rcParams["backend"] = request.environment["MPLBACKEND"]
    installed = (i for i, path in enumerate(sys.path) if Path(path).name in ("site-packages", "dist-packages"))
    sys.path.insert(next(installed, len(sys.path)), "")  # where IPython puts the notebook's folder
    sys.argv = ["ipykernel_launcher"]
    serve_cells(cells)
