"""How long reports take: all of them, nothing changed, one changed row, by the command and while it watches.

Run in a copy of the project's data and notebooks. The ordinary start of a kernel, measured between the runs, tells how
fast the machine is at that time.

    .venv/bin/python benchmarks/report_speed.py --repeat 3
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient

PROJECT = Path(__file__).parents[1]
COMMAND = [str(Path(sys.executable).with_name("headache-evidence")), "report"]
CHANGED = ("cluster", "migraine")  # a small and the largest report
KERNEL = "start of an ordinary kernel with pandas, matplotlib and PyMARE"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    repeat = parser.parse_args().repeat
    times: dict[str, list[float]] = {KERNEL: []}
    outside: list[float] = []
    with tempfile.TemporaryDirectory(prefix="headache-speed-") as folder:
        project = copy_of_project(Path(folder))
        for number in range(repeat):
            times[KERNEL].append(ordinary_kernel())
            shutil.rmtree(project / "reports", ignore_errors=True)
            wall = timed(lambda: report(project))
            note(times, "all reports, nothing made before", wall)
            outside.append(share_outside(project, wall))
            note(times, "nothing changed", timed(lambda: report(project)))
            for name in CHANGED:
                change_row(project, name, f"command {number}")
                note(times, f"one changed row, {name}", timed(lambda: report(project)))
            times[KERNEL].append(ordinary_kernel())
            with watching(project) as until_current:
                for name in CHANGED:
                    change_row(project, name, f"watched {number}")
                    note(times, f"one changed row, {name}, while it watches", timed(until_current))
    kernel = statistics.median(times[KERNEL])
    lines = [f"{os.cpu_count()} cores, {repeat} rounds, seconds", ""]
    lines += ["| run | median | smallest | largest | ordinary kernel starts |", "|---|---|---|---|---|"]
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        lines.append(f"| {name} | {middle:.1f} | {min(seconds):.1f} | {max(seconds):.1f} | {middle / kernel:.1f} |")
    share = 100 * statistics.median(outside)
    lines += ["", f"Of the time of all reports, {share:.0f} % is outside notebook code."]
    sys.stdout.write("\n".join(lines) + "\n")


def copy_of_project(folder: Path) -> Path:
    """Data, notebooks and lock in a folder of their own."""
    for name in ("data", "notebooks"):
        shutil.copytree(PROJECT / name, folder / name)
    shutil.copy(PROJECT / "requirements.lock", folder)
    return folder


def timed(run: Callable[[], object]) -> float:
    """Wall time of a call."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def note(times: dict[str, list[float]], name: str, seconds: float) -> None:
    """Keep a time, and tell it."""
    times.setdefault(name, []).append(seconds)
    sys.stderr.write(f"{name}: {seconds:.2f}\n")


def ordinary_kernel() -> float:
    """Start of a kernel of its own process, with the imports that nearly every notebook needs."""
    cell = nbformat.v4.new_code_cell("import pandas, matplotlib.pyplot, pymare")  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory(prefix="headache-") as folder:
        manager = AsyncKernelManager(transport="ipc", ip=f"{folder}/kernel", connection_file=f"{folder}/kernel.json")
        try:
            return timed(lambda: NotebookClient(notebook, km=manager).execute())
        finally:
            run_sync(manager.shutdown_kernel)(now=True)


def report(project: Path) -> None:
    """Run the command."""
    subprocess.run(COMMAND, cwd=project, stdout=subprocess.DEVNULL, check=True)


def share_outside(project: Path, wall: float) -> float:
    """Part of the time of all jobs that is not spent between a kernel's start and the end of its notebook."""
    runs = [run for path in project.glob("reports/*/run.json") for run in json.loads(path.read_text())["notebooks"]]
    in_notebooks = sum(run["seconds"] - run["start_seconds"] for run in runs)
    jobs = (os.cpu_count() or 1) + 1
    return 1 - in_notebooks / (jobs * wall)


def change_row(project: Path, headache_type: str, words: str) -> None:
    """Another title for one study of a type."""
    path = project / "data" / "studies.csv"
    text = path.read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    title = next(
        row["title"] for row in rows if row["headache_type"] == headache_type and text.count(row["title"]) == 1
    )
    aside = project / "studies.csv"
    aside.write_text(text.replace(title, f"{title.split(' (changed')[0]} (changed: {words})"), encoding="utf-8")
    aside.replace(path)


@contextmanager
def watching(project: Path) -> Iterator[Callable[[], None]]:
    """A command that watches; what is given back returns when reports are current again."""
    process = subprocess.Popen([*COMMAND, "--watch"], cwd=project, stdout=subprocess.PIPE, text=True)
    output = process.stdout
    assert output is not None

    def until_current() -> None:
        next(line for line in output if line.startswith("Watching"))

    try:
        until_current()
        time.sleep(15)  # until the warm process is ready
        yield until_current
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


if __name__ == "__main__":
    main()
