"""Kernels that start in a moment: forks of a warm process.

A fresh kernel spends seconds importing pandas, matplotlib, scipy and PyMARE. multiprocessing's fork server imports
them once (:mod:`headache_evidence.reports.warm`). A nursery is a fork of that server which does nothing but fork
kernels on request and tell how they ended; it has one thread, so its forks are safe. Whoever holds the other end of
its connection owns its kernels: when the owner ends, for whatever reason, the nursery and its kernels end, too.
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
from typing import Any

from headache_evidence.reports.ahead import try_ahead
from headache_evidence.reports.processes import end_with_parent, forking_available


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


def open_nursery(prepare: Callable[[], object] | None = None) -> Nursery | None:
    """A new nursery, or None where processes cannot be forked. Close its connection to end it.

    prepare : what the nursery does first, once for all its kernels: functions of the package that keep what they have
        worked out (load_evidence, answer_questions) answer at once in each kernel. It can be sent to a process.
    """
    if not forking_available():
        return None
    context = multiprocessing.get_context("forkserver")
    own, other = context.Pipe()
    context.Process(target=serve, args=(other, prepare), name="nursery", daemon=False).start()
    other.close()
    return Nursery(own)


@contextlib.contextmanager
def nursery() -> Iterator[Nursery | None]:
    """A nursery for the time of a block."""
    opened = open_nursery()
    try:
        yield opened
    finally:
        if opened is not None:
            opened.connection.close()


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
