"""Kernels for report runs: private sockets, no home directory, and a quick start by forking a warm process.

A fresh kernel spends seconds importing pandas, matplotlib, scipy and PyMARE. multiprocessing's fork server imports
them once (:mod:`headache_evidence.reports.warm`) and every kernel is a fork of it. Where fork servers do not exist
the kernel is an ordinary subprocess; its results are the same, it only starts later.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from headache_evidence.reports.processes import FIXED_ENVIRONMENT, end_with_parent

#: The longest path of a Unix socket that every system takes; connection files add a few characters.
SOCKET_PATH_LIMIT = 90
KERNEL_COMMAND = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]


def kernel_environment(session_dir: Path) -> dict[str, str]:
    """Environment of a kernel: the same on every machine as far as results are concerned, nothing read from home."""
    return {
        **os.environ,
        "IPYTHONDIR": str(session_dir / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(session_dir),
        **FIXED_ENVIRONMENT,
    }


class ForkedProcess:
    """A kernel process forked from the warm one, with the part of Popen's interface that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, command: list[str], environment: dict[str, str], working_dir: str, log: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(
            target=serve_kernel, args=(command[3:], environment, working_dir, str(log)), name="kernel"
        )
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Exit code, or None while the kernel runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end of the kernel and return its exit code."""
        self._process.join(timeout)
        return self._process.exitcode

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel, which may have ended."""
        if self.pid is not None and self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        """End the kernel at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)


def serve_kernel(arguments: list[str], environment: dict[str, str], working_dir: str, log: str) -> None:
    """Be a kernel: runs in the forked process and returns when the kernel is shut down."""
    end_with_parent()
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(working_dir)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)

    import matplotlib
    from ipykernel.kernelapp import IPKernelApp

    matplotlib.rcParams["backend"] = environment["MPLBACKEND"]  # matplotlib read its environment in the warm process
    sys.argv = ["ipykernel_launcher", *arguments]
    IPKernelApp.launch_instance(argv=arguments)


class ReportProvisioner(LocalProvisioner):
    """Starts the kernel by a fork where possible, and notes the memory it used before it is ended."""

    def __init__(self, *, forked: bool, log: Path, **traits: Any) -> None:
        super().__init__(**traits)
        self.forked = forked
        self.log_path = log
        self.peak_memory_mb = 0.0

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel and return its connection information."""
        if not self.forked:
            with self.log_path.open("ab") as log:
                return await super().launch_kernel(cmd, **kwargs, stdout=log, stderr=log)
        self.process: Any = ForkedProcess(cmd, kwargs["env"], str(kwargs["cwd"]), self.log_path)
        self.pid, self.pgid, self.cwd = self.process.pid, None, kwargs["cwd"]
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel; before it is ended its memory is noted."""
        if self.process and signum in {signal.SIGKILL, signal.SIGTERM}:
            self.peak_memory_mb = max(self.peak_memory_mb, memory_mb(self.process.pid))
        await super().send_signal(signum)


class ReportKernelManager(AsyncKernelManager):
    """Runs this very interpreter as kernel, over sockets in a private folder; installed kernelspecs are not read."""

    def __init__(self, session_dir: Path, log: Path, *, forked: bool) -> None:
        super().__init__(connection_file=str(session_dir / "kernel.json"))
        if sys.platform != "win32" and len(str(session_dir)) < SOCKET_PATH_LIMIT:
            self.transport = "ipc"
            self.ip = str(session_dir / "kernel-ipc")
        else:
            self.transport_encryption = "auto"
        self._kernel_spec = KernelSpec(
            argv=KERNEL_COMMAND,
            display_name="Python 3",
            language="python",
            metadata={"supported_encryption": "curve"},
        )
        self.provisioner: Any = ReportProvisioner(
            kernel_id="report", kernel_spec=self._kernel_spec, parent=self, forked=forked, log=log
        )


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
