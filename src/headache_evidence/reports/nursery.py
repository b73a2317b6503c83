"""Kernels that start in a moment: forks of a nursery, which is itself a fork of one warm process.

A fresh kernel spends seconds importing pandas, matplotlib, scipy and PyMARE. The warm process imports them once and
prepares the evidence (:mod:`headache_evidence.reports.warm_kernels`). A nursery does nothing but fork kernels on
request and tell how they ended; both have one thread, so their forks are safe. Whoever holds the other end of a
nursery's connection owns its kernels: when the owner ends, for whatever reason, the nursery and its kernels end, too.
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
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from typing import Any

from headache_evidence.reports.ahead import try_ahead
from headache_evidence.reports.processes import end_with_parent, forking_available, helper_start


@dataclass(frozen=True)
class KernelRequest:
    """How to start a kernel: arguments of ipykernel, its whole environment, its folder, and where its output goes."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    working_dir: str
    log: str


@dataclass(frozen=True)
class Nursery:
    """The owner's end of a nursery; its connection can be handed to the process that will own the kernels."""

    connection: Connection
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def start(self, request: KernelRequest) -> ForkedKernel:
        """Start a kernel; OSError when the nursery is gone."""
        pid = self.ask(request)
        if not isinstance(pid, int):
            raise OSError("the nursery of kernels did not start a kernel")
        return ForkedKernel(self, pid)

    def wait(self) -> None:
        """Return as soon as a kernel can be started; OSError when the nursery is gone."""
        self.ask(0)

    def ask(self, question: KernelRequest | int) -> int | None:
        """Process id of a new kernel, or the exit code of a kernel (None while it runs)."""
        try:
            with self.one_at_a_time:
                self.connection.send(question)
                answer: int | None = self.connection.recv()
        except (EOFError, OSError) as error:
            raise OSError("the nursery of kernels has ended") from error
        return answer


class ForkedKernel:
    """A kernel of a nursery, with the part of Popen's interface that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.nursery, self.pid = nursery, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Exit code, or None while the kernel runs."""
        if self.returncode is None:
            try:
                self.returncode = self.nursery.ask(self.pid)
            except OSError:
                self.returncode = -signal.SIGKILL
        return self.returncode

    def wait(self) -> int | None:
        """The exit code of a kernel that has ended."""
        return self.poll()

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def kill(self) -> None:
        """End the kernel at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)


@dataclass(frozen=True)
class WarmProcess:
    """The owner's end of the process from which nurseries are forked. It ends with its owner, once it has got ready."""

    connection: Connection
    process: BaseProcess
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def open_nursery(self, prepare: Callable[[], object] | None = None) -> Nursery | None:
        """A new nursery; it gets ready when the process is warm. None when the process has ended.

        Returns at once, but on macOS, where a handed-over file must be acknowledged, when the process is warm.

        prepare : what the nursery does first, once for all its kernels; it can be sent to a process. Functions of the
            package that keep what they have worked out (load_evidence, answer_questions) answer at once in each kernel.
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
def warm_process(data_dir: Path, *, screen: bool = False) -> Iterator[WarmProcess | None]:
    """A process that gets ready (``get_ready``) while this one goes on; None where processes cannot be forked."""
    if not forking_available():
        yield None
        return
    own, other = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve_nurseries, args=(other, data_dir.resolve(), screen), name="warm"
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
    """End the warm process and its nurseries, which may still be getting ready; kernels end with their nursery."""
    assert process.pid is not None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it had no time to begin a group
        process.kill()
    process.join()


def serve_nurseries(connection: Connection, data_dir: Path, screen: bool) -> None:
    """Be the warm process: get ready, then fork nurseries until the owner closes the connection."""
    os.setsid()
    from headache_evidence.reports.warm_kernels import get_ready

    get_ready(data_dir, screen=screen)
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
    """Be a nursery until the owner closes the connection."""
    if prepare is not None:
        try_ahead(prepare)
    context = multiprocessing.get_context("fork")
    kernels: dict[int, BaseProcess] = {}
    while True:
        try:
            question = connection.recv()
        except (EOFError, OSError):
            break
        if isinstance(question, KernelRequest):
            kernel: Any = context.Process(target=be_kernel, args=(question, connection), name="kernel", daemon=True)
            kernel.start()
            kernels[kernel.pid] = kernel
            answer: int | None = kernel.pid
        else:
            answer = kernels[question].exitcode if question in kernels else -signal.SIGKILL
        with contextlib.suppress(OSError):
            connection.send(answer)
    for running in kernels.values():
        running.kill()


def be_kernel(request: KernelRequest, connection: Connection) -> None:
    """Be a kernel: runs in the forked process and returns when the kernel is shut down."""
    connection.close()
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
    from ipykernel.kernelapp import IPKernelApp

    # matplotlib read its environment when it was imported in the warm process
    matplotlib.rcParams["backend"] = request.environment["MPLBACKEND"]
    sys.argv = ["ipykernel_launcher", *request.arguments]
    IPKernelApp.launch_instance(argv=list(request.arguments))
