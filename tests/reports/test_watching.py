"""Reports that follow their data, and the process that stays warm meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from waiting import has_ended

from headache_evidence.errors import EvidenceError
from headache_evidence.reports import pipeline, watching
from headache_evidence.reports.nursery import warm_process
from headache_evidence.reports.processes import forking_available
from headache_evidence.reports.progress import Progress
from headache_evidence.reports.watching import file_marks, watch


def started(root: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command in a group of its own, with its output; a stop from the keyboard reaches it.

    It would not where the tests run in the background of a shell, which ignores such stops.
    """
    command = [str(Path(sys.executable).with_name("headache-evidence")), "report", *arguments]
    return subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


needs_forking = pytest.mark.skipif(not forking_available(), reason="this system has no fork server")


def test_reports_are_brought_up_to_date_at_the_start_and_after_each_change(tmp_path: Path, monkeypatch) -> None:
    table = tmp_path / "studies.csv"
    table.write_text("1")
    nothing, new_file, gone = (lambda: None), (lambda: (tmp_path / "arms.csv").write_text("")), table.unlink
    steps = iter([nothing, lambda: table.write_text("22"), nothing, new_file, gone])

    def sleep(_: float) -> None:
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    calls: list[list[str]] = []
    monkeypatch.setattr(watching, "warm_process", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(watching.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        watch(lambda _: calls.append(sorted(path.name for path in file_marks([tmp_path]))), tmp_path, [tmp_path])
    assert calls == [["studies.csv"], ["studies.csv"], ["arms.csv", "studies.csv"], ["arms.csv"]]


@needs_forking
def test_the_command_watches_until_it_is_stopped_and_a_fault_does_not_end_it(project) -> None:
    process = started(project.root, "cluster", "--watch")
    assert process.stdout is not None
    watchdog = threading.Timer(180, process.kill)
    watchdog.start()

    def until_it_watches() -> str:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Watching"):
                break
        return "".join(lines)

    try:
        assert "1 made, 0 current, 0 failed." in until_it_watches()
        project.make_notebook("print('changed')", name="02_second.ipynb")
        assert "1 made, 0 current, 0 failed." in until_it_watches()
        project.replace("studies.csv", "study_id", "study")
        told = until_it_watches()
        assert "studies.csv" in told
        assert "Traceback" not in told
        project.replace("studies.csv", "study", "study_id")
        assert "0 made, 1 current, 0 failed." in until_it_watches()
        os.killpg(process.pid, signal.SIGINT)
        last = process.stdout.read()
        assert "Stopped; the published reports are whole." in last
        assert "Traceback" not in last
        assert process.wait(60) == 130
    finally:
        watchdog.cancel()
        process.kill()


@needs_forking
def test_without_the_warm_process_kernels_start_in_the_ordinary_way(project) -> None:
    with warm_process(project.root / "data") as warm:
        assert warm is not None
        warm.process.kill()
        warm.process.join()
        assert warm.open_nursery() is None
        assert pipeline.run(project.settings("cluster"), Progress(lambda _: None), warm).made == ["cluster"]


def slow() -> None:
    """Stands for answers that take long."""
    time.sleep(60)


@needs_forking
def test_a_fault_in_the_data_leaves_no_process_behind(project) -> None:
    import psutil

    project.replace("studies.csv", "study_id", "study")
    with warm_process(project.root / "data") as warm:
        assert warm is not None
        first = warm.open_nursery()
        assert first is not None
        first.wait()  # the process is warm
        with pytest.raises(EvidenceError):
            pipeline.run(project.settings("cluster"), Progress(lambda _: None), warm)
        assert not project.output.joinpath("cluster").exists()
        busy = warm.open_nursery(slow)
        assert busy is not None
        process = psutil.Process(warm.process.pid)
        while len(process.children()) < 2:
            time.sleep(0.05)
        nurseries = process.children()
    gone, alive = psutil.wait_procs(nurseries, timeout=20)
    assert len(gone) >= 2
    assert not alive
    first.connection.close()
    busy.connection.close()


@needs_forking
def test_a_stop_from_the_keyboard_while_it_gets_ready_prints_no_traceback(project) -> None:
    for moment in (0.5, 1.0, 2.0, 3.0):
        process = started(project.root, "cluster")
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGINT)
        told, _ = process.communicate(timeout=60)
        if process.returncode != -signal.SIGINT:  # else Python itself had not begun
            assert process.returncode == 130
            assert "Traceback" not in told


@needs_forking
def test_a_stop_from_the_keyboard_ends_a_busy_notebook_and_what_it_started(project, tmp_path: Path) -> None:
    note = tmp_path / "pids.txt"
    project.make_notebook(
        "import os, pathlib, re, subprocess",
        "pids = os.getpid(), subprocess.Popen(['sleep', '600']).pid",
        f"pathlib.Path({str(note)!r}).write_text(' '.join(map(str, pids)))",
        "re.match('(a+)+$', 'a' * 60 + 'b')",  # no other thread of the notebook gets to work meanwhile
        name="02_second.ipynb",
    )
    process = started(project.root, "cluster")
    try:
        while not (note.exists() and len(note.read_text().split()) == 2):
            assert process.poll() is None
            time.sleep(0.1)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
    assert all(has_ended(int(pid)) for pid in note.read_text().split())
