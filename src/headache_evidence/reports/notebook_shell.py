"""The shell in which a forked process runs the cells of one notebook: ipykernel's own, with a pipe in place of sockets.

What a cell shows becomes the same messages as in a Jupyter kernel, as JSON over a connection. That spares threads,
sockets and half of the processor time of short notebooks. What compiled code and other processes print goes to the
log, input is refused, and a warning names its cell without a process id; all else is as in a kernel.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import tempfile
import threading
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any, TextIO, cast

from ipykernel.eventloops import enable_gui
from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session
from traitlets.config import Config


class MessagePipe:
    """Sends messages, whole ones, from any thread of this process; a process that a cell forks cannot send."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.one_at_a_time = connection, threading.RLock()
        self.open = True
        os.register_at_fork(after_in_child=self._close)

    def _close(self) -> None:
        self.open = False
        self.connection.close()  # the owner learns of the end of this process though its children live on

    def tell(self, kind: str, content: dict[str, Any]) -> None:
        """Send one message of Jupyter's protocol."""
        if self.open:
            message = json.dumps({"msg_type": kind, "content": content}, default=json_default).encode()
            with self.one_at_a_time:
                self.connection.send_bytes(message)


class PipeSession(Session):
    """What ipykernel's shell takes for its session; the "socket" it is given is a MessagePipe."""

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any) -> None:
        """Send a message, or content of a type."""
        if isinstance(msg_or_type, dict):
            msg_or_type, content = msg_or_type["msg_type"], msg_or_type["content"]
        stream.tell(msg_or_type, content)


class PipeStream(io.TextIOBase):
    """sys.stdout or sys.stderr of a cell. A process that a cell forks writes to the log instead."""

    PATIENCE = 0.2  # seconds that a text waits for more

    def __init__(self, name: str, descriptor: int, pipe: MessagePipe) -> None:
        self._name, self._descriptor, self._pipe = name, descriptor, pipe
        self._texts: list[str] = []
        self._timer: threading.Timer | None = None
        self.other: PipeStream | None = None

    @property
    def name(self) -> str:
        """The stream's name in messages."""
        return self._name

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As ipykernel says; texts are sent as JSON."""
        return "UTF-8"

    def fileno(self) -> int:
        """The descriptor of the log, for other processes."""
        return self._descriptor

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep the text until it is sent; texts of both streams stay in order."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not self._pipe.open:
            os.write(self._descriptor, text.encode(errors="backslashreplace"))
            return len(text)
        if self.other is not None:
            self.other.flush()
        with self._pipe.one_at_a_time:
            self._texts.append(text)
            if self._timer is None:
                self._timer = threading.Timer(self.PATIENCE, self.flush)
                self._timer.daemon = True
                self._timer.start()
        return len(text)

    def flush(self) -> None:
        """Send what was kept."""
        if not self._texts or not self._pipe.open:
            return
        with self._pipe.one_at_a_time:
            text, self._texts = "".join(self._texts), []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if text:
                self._pipe.tell("stream", {"name": self._name, "text": text})


def process_shell() -> Any:
    """The shell of this process, made at the first call; it starts no thread and reads nothing from the home folder."""
    if ZMQInteractiveShell.initialized():
        return ZMQInteractiveShell.instance()
    kernel = SimpleNamespace(eventloop=None)  # exit() and %matplotlib look there
    with tempfile.TemporaryDirectory(prefix="headache-") as folder:  # it wants one when it is made, and no later
        config = Config({"HistoryManager": {"enabled": False}})
        shell: Any = ZMQInteractiveShell.instance(config=config, ipython_dir=folder, kernel=kernel)
    shell.displayhook.session = shell.display_pub.session = PipeSession()
    shell.enable_gui = lambda gui=None: enable_gui(gui, kernel)  # type: ignore[no-untyped-call]
    return shell


def serve_cells(connection: Connection) -> None:
    """Run each cell that comes in, tell what it shows, and then how it ended; until the other side closes."""
    shell, pipe = process_shell(), MessagePipe(connection)
    shell.displayhook.pub_socket = shell.display_pub.pub_socket = pipe
    shell.init_environment()
    streams = PipeStream("stdout", 1, pipe), PipeStream("stderr", 2, pipe)
    streams[0].other, streams[1].other = reversed(streams)
    sys.stdout, sys.stderr = cast("tuple[TextIO, TextIO]", streams)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pipe.tell("kernel_info_reply", dict(IPythonKernel.language_info))
    while not shell.exit_now:
        try:
            source = connection.recv_bytes().decode(errors="surrogatepass")
        except (EOFError, OSError):
            return
        reply = loop.run_until_complete(run_cell(shell, source))
        for stream in streams:
            stream.flush()
        pipe.tell("execute_reply", reply)


async def run_cell(shell: Any, source: str) -> dict[str, Any]:
    """Run a cell, with the event loop running as in a kernel; the content of an ``execute_reply``."""
    try:
        transformed, failure = shell.transform_cell(source), None
    except Exception:  # told as the cell's error when it runs
        transformed, failure = source, sys.exc_info()
    known = {"transformed_cell": transformed, "preprocessing_exc_tuple": failure}
    if shell.should_run_async(source, **known):
        result = await shell.run_cell_async(source, store_history=True, **known)
        shell.events.trigger("post_execute")
        shell.events.trigger("post_run_cell", result)
    else:
        result = shell.run_cell(source, store_history=True)
    error = result.error_before_exec or result.error_in_exec
    reply = {"status": "ok", "execution_count": shell.execution_count - 1}
    if not result.success or shell._last_traceback_during_displayhook:
        reply |= {
            "status": "error",
            "ename": type(error).__name__,
            "evalue": str(error),
            "traceback": shell._last_traceback or [],
        }
    return reply
