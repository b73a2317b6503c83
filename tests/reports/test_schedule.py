"""The schedules are read by the programs that will run them, also where the folder has an awkward name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from headache_evidence.reports.schedule import schedule_text

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
NAMES = ["plain", "with space", "100% sure"]


def project_folder(folder: Path) -> Path:
    """A folder with a command that says where it ran and with what."""
    command = folder / ".venv" / "bin" / "headache-evidence"
    command.parent.mkdir(parents=True)
    command.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "import os, sys; print(os.getcwd(), sys.argv[1:])" "$@"\n'
    )
    command.chmod(0o755)
    return folder


@needs_systemd
@pytest.mark.parametrize("name", NAMES)
def test_systemd_accepts_the_service_and_the_timer(tmp_path: Path, name: str) -> None:
    verify(schedule_text("systemd", project_folder(tmp_path / name)), tmp_path)


@needs_systemd
def test_systemd_would_refuse_a_wrong_one(tmp_path: Path) -> None:
    text = schedule_text("systemd", project_folder(tmp_path / "plain"))
    with pytest.raises(subprocess.CalledProcessError):
        verify(text.replace("Type=oneshot", "Type=onceshot").replace("ExecStart=", "ExecStrat="), tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        verify(text.replace("/.venv/", "/.vnev/"), tmp_path)


def verify(text: str, folder: Path) -> None:
    """Let systemd read both units and, when it has nothing to say, work out the time of the next run."""
    service, timer = text.split("# ~/.config/systemd/user/headache-evidence.timer")
    paths = [folder / "headache-evidence.service", folder / "headache-evidence.timer"]
    for path, part in zip(paths, (service, timer), strict=True):
        path.write_text(part)
    subprocess.run(["systemd-analyze", "verify", *map(str, paths)], check=True, capture_output=True)
    when = next(line for line in timer.splitlines() if line.startswith("OnCalendar=")).removeprefix("OnCalendar=")
    subprocess.run(["systemd-analyze", "calendar", when], check=True, capture_output=True)


@pytest.mark.parametrize("name", [*NAMES, "it's"])  # systemd allows no quote in the name of a program
def test_the_cron_line_runs_the_report_in_the_projects_folder(tmp_path: Path, name: str) -> None:
    folder = project_folder(tmp_path / name)
    line = schedule_text("cron", folder).strip().splitlines()[-1]
    minute, hour, day, month, weekday, command = line.split(maxsplit=5)
    assert (minute, hour, day, month, weekday) == ("17", "4", "*", "*", "1")
    command = command.replace(r"\%", "%")  # as cron itself does
    subprocess.run(["/bin/sh", "-c", command], check=True, env={"PATH": os.defpath}, cwd="/")
    assert (folder / "reports.log").read_text() == f"{folder} ['report']\n"
