"""An ordinary Jupyter kernel for a notebook: where processes cannot be forked, and when a forked shell did not start.

Its results are those of a forked shell (:mod:`headache_evidence.reports.notebook_shell`), it only starts later.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.utils import run_sync
from papermill.clientwrap import PapermillNotebookClient

from headache_evidence.reports.notebook_watch import STARTUP_TIMEOUT, Watch, memory_mb
from headache_evidence.reports.processes import FIXED_ENVIRONMENT

#: The longest path of a Unix socket that every system takes; connection files add a few characters.
SOCKET_PATH_LIMIT = 90
KERNEL_COMMAND = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]


@contextlib.contextmanager
def ordinary_kernel(log: Path, working_dir: Path, watch: Watch) -> Iterator[Callable[[Any], Any]]:
    """A function that runs the notebook of papermill's execution manager in a kernel of its own."""
    with tempfile.TemporaryDirectory(prefix="headache-", ignore_cleanup_errors=True) as folder:
        session_dir = Path(folder)
        manager = ReportKernelManager(session_dir, log)

        def execute(nb_man: Any) -> Any:
            client = PapermillNotebookClient(
                nb_man,
                km=manager,
                kernel_name="python3",
                startup_timeout=STARTUP_TIMEOUT,
                shutdown_kernel="immediate",  # a polite one may stall for 3 s
                timeout_func=lambda _: max(0.1, watch.remaining()),
                on_notebook_start=lambda **_: watch.is_up(),
                on_cell_start=lambda cell_index, **_: watch.cell_starts(cell_index),
                ipython_hist_file=":memory:",
            )
            return client.execute(cleanup_kc=True, env=kernel_environment(session_dir), cwd=str(working_dir))

        try:
            yield execute
        finally:
            with contextlib.suppress(Exception):
                run_sync(manager.shutdown_kernel)(now=True)
            watch.peak_memory_mb = manager.provisioner.peak_memory_mb


def kernel_environment(session_dir: Path) -> dict[str, str]:
    """Environment of a kernel: the same on every machine as far as results are concerned, nothing read from home."""
    return {
        **os.environ,
        "IPYTHONDIR": str(session_dir / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(session_dir),
        **FIXED_ENVIRONMENT,
    }


class ReportProvisioner(LocalProvisioner):
    """Writes what the kernel prints to a log, and notes the memory it used before it is ended."""

    def __init__(self, *, log: Path, **traits: Any) -> None:
        super().__init__(**traits)
        self.log_path = log
        self.peak_memory_mb = 0.0

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel and return its connection information."""
        with self.log_path.open("ab") as log:
            return await super().launch_kernel(cmd, **kwargs, stdout=log, stderr=log)

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel; before it is ended its memory is noted."""
        if self.process and signum in {signal.SIGKILL, signal.SIGTERM}:
            self.peak_memory_mb = max(self.peak_memory_mb, memory_mb(self.process.pid))
        await super().send_signal(signum)


class ReportKernelManager(AsyncKernelManager):
    """Runs this very interpreter as kernel, over sockets in a private folder; installed kernelspecs are not read."""

    def __init__(self, session_dir: Path, log: Path) -> None:
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
            kernel_id="report", kernel_spec=self._kernel_spec, parent=self, log=log
        )
