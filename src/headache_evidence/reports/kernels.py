"""Kernels for report runs: private sockets, nothing from the home folder, a quick start from a nursery.

Without a nursery (:mod:`headache_evidence.reports.nursery`) the kernel is an ordinary subprocess: its results are the
same, it only starts later.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from pathlib import Path
from queue import Empty
from typing import Any

import psutil
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from headache_evidence.reports.nursery import KernelRequest, Nursery
from headache_evidence.reports.processes import FIXED_ENVIRONMENT

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


class ReportProvisioner(LocalProvisioner):
    """Lets a nursery start the kernel where there is one, and notes the memory it used before it is ended."""

    def __init__(self, *, nursery: Nursery | None, log: Path, **traits: Any) -> None:
        super().__init__(**traits)
        self.nursery = nursery
        self.log_path = log
        self.peak_memory_mb = 0.0

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel and return its connection information."""
        if self.nursery is None:
            with self.log_path.open("ab") as log:
                return await super().launch_kernel(cmd, **kwargs, stdout=log, stderr=log)
        request = KernelRequest(tuple(cmd[3:]), kwargs["env"], str(kwargs["cwd"]), str(self.log_path))
        self.process: Any = self.nursery.start(request)
        self.pid, self.pgid, self.cwd = self.process.pid, None, kwargs["cwd"]
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel; before it is ended its memory is noted."""
        if self.process and signum in {signal.SIGKILL, signal.SIGTERM}:
            self.peak_memory_mb = max(self.peak_memory_mb, memory_mb(self.process.pid))
        await super().send_signal(signum)


class ReportKernelClient(AsyncKernelClient):
    """Goes on with the kernel's first answer. jupyter_client then listens until 0.2 s pass without a message."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return when the kernel has answered on both channels.

        Messages left over belong to that question; nbclient takes those of its own cells only.

        Raises
        ------
        RuntimeError
            the kernel ended, or gave no answer in ``timeout`` seconds.
        """
        deadline = time.monotonic() + (math.inf if timeout is None else timeout)
        while time.monotonic() < deadline:
            self.kernel_info()
            with contextlib.suppress(Empty):
                answer = await self.shell_channel.get_msg(timeout=1)
                await self.iopub_channel.get_msg(timeout=0.2)  # connected a moment later than the other
                self._handle_kernel_info_reply(answer)
                return
            if not await self.is_alive():
                raise RuntimeError("the kernel ended before it answered")
        raise RuntimeError(f"the kernel gave no answer in {timeout} s")


class ReportKernelManager(AsyncKernelManager):
    """Runs this very interpreter as kernel, over sockets in a private folder; installed kernelspecs are not read."""

    def __init__(self, session_dir: Path, log: Path, nursery: Nursery | None) -> None:
        super().__init__(connection_file=str(session_dir / "kernel.json"), client_factory=ReportKernelClient)
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
            kernel_id="report", kernel_spec=self._kernel_spec, parent=self, nursery=nursery, log=log
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
