"""The system itself at fault: a disk that is full, a real locale, no network at all, two runs, a file in the way.

Each test makes the real thing where the machine lets it (root in a sandbox, as in continuous integration) and is
skipped with the reason where it does not; the same faults are also planted without rights in the other modules.
"""

from __future__ import annotations

import json
import locale
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_publishing import assert_site_is_whole
from waiting import wait_until

COMMAND = [sys.executable, "-c", "import sys\nfrom headache_evidence.cli import app\napp(sys.argv[1:])"]


def can(*command: str) -> bool:
    """Whether the machine lets us run ``command``."""
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0


def report(project, *arguments: str, prefix: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*prefix, *COMMAND, "report", *arguments],
        cwd=project.root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture
def small_disk(project) -> Iterator[Path]:
    """reports/ of the project on a file system of its own that holds 1 MiB."""
    checked = (project.output / ".checked.json").read_bytes()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(project.output)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    (project.output / ".checked.json").write_bytes(checked)
    try:
        yield project.output
    finally:
        subprocess.run(["umount", "--lazy", str(project.output)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount command on this machine")
def test_a_disk_that_is_really_full_keeps_the_last_good_site_and_works_again_with_room(project, small_disk) -> None:
    assert report(project, "cluster", "migraine").returncode == 0
    good = {name: (small_disk / name / "report.html").read_bytes() for name in ("cluster", "migraine")}
    filler = small_disk / "filler"
    for free in (0, 20_000):  # nothing at all; room for a first file
        room = shutil.disk_usage(small_disk).free
        filler.write_bytes(b"x" * max(0, room - free))
        project.make_notebook(f"print({free})", name="02_second.ipynb")
        result = report(project, "cluster", "migraine")
        assert result.returncode == 1, result.stdout + result.stderr
        assert "No space left on device" in result.stdout + result.stderr
        assert "Traceback" not in result.stdout + result.stderr
        filler.unlink()
        assert {name: (small_disk / name / "report.html").read_bytes() for name in good} == good
        assert_site_is_whole(small_disk)
    assert report(project, "cluster", "migraine").returncode == 0
    assert (small_disk / "cluster" / "report.html").read_bytes() != good["cluster"]
    assert_site_is_whole(small_disk)
    assert not list(small_disk.rglob(".build-*")) + list(small_disk.rglob("*.part"))


def comma_locale() -> str:
    """A locale of this machine that writes 1,5; empty when none is installed."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "es_ES.UTF-8", "it_IT.UTF-8"):
            try:
                locale.setlocale(locale.LC_ALL, name)
            except locale.Error:
                continue
            if locale.localeconv()["decimal_point"] == ",":
                return name
        return ""
    finally:
        locale.setlocale(locale.LC_ALL, before)


@pytest.mark.skipif(not comma_locale(), reason="no locale with a decimal comma is installed (Debian: locales)")
def test_a_real_locale_with_decimal_comma_changes_no_byte(project, tmp_path: Path) -> None:
    from headache_evidence.reports.verification import compare_folders

    project.make_notebook(
        "import locale\nlocale.setlocale(locale.LC_ALL, '')\nprint(f'{1.5:n}', float('2.5'))", name="02_second.ipynb"
    )
    pages = []
    for number, name in enumerate(("C.UTF-8", comma_locale())):
        result = report(project, "cluster", "--output", str(tmp_path / str(number)), LC_ALL=name, LANG=name)
        assert result.returncode == 0, result.stderr
        pages.append((tmp_path / str(number) / "cluster" / "report.html").read_text(encoding="utf-8"))
    assert compare_folders(tmp_path / "0" / "cluster", tmp_path / "1" / "cluster") == []
    assert all("1.5 2.5" in page for page in pages)


IN_1999 = ("faketime", "1999-12-31 23:59:58")  # the run crosses into another millennium


@pytest.mark.skipif(not can(*IN_1999, "true"), reason="the clock of a process cannot be set here (Debian: faketime)")
def test_a_clock_that_is_really_set_back_changes_neither_what_is_stale_nor_a_byte(project, tmp_path: Path) -> None:
    from headache_evidence.reports.verification import compare_folders

    assert report(project, "cluster").returncode == 0
    today = tmp_path / "today"
    shutil.copytree(project.output / "cluster", today)
    unchanged = report(project, "cluster", prefix=IN_1999)
    assert "0 made, 1 current" in unchanged.stdout
    project.make_notebook("import time; print(time.gmtime().tm_year)", name="02_second.ipynb")
    assert "1 made" in report(project, "cluster", prefix=IN_1999).stdout
    made = json.loads((project.output / "cluster" / "run.json").read_text(encoding="utf-8"))["made"]
    assert made.startswith(("1999-12-31T", "2000-01-01T"))
    assert compare_folders(today, project.output / "cluster") == []
    assert_site_is_whole(project.output)
    back = report(project, "cluster")
    assert "0 made, 1 current" in back.stdout


@pytest.mark.skipif(not can("unshare", "--net", "true"), reason="a process without a network cannot be made here")
def test_without_any_network_not_even_the_loopback_a_report_is_made(project) -> None:
    project.make_notebook(
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9), 1)\n"
        "except OSError as error:\n    print('network:', error.strerror)",
        name="02_second.ipynb",
    )
    result = report(project, "cluster", prefix=("unshare", "--net"))
    assert result.returncode == 0, result.stderr
    assert "network: Network is unreachable" in (project.output / "cluster" / "report.html").read_text()


def test_of_two_commands_at_once_one_makes_the_reports_and_the_other_ends_with_2(project) -> None:
    note, go_on = project.root / "started", project.root / "go on"
    project.make_notebook(
        f"import pathlib, time\npathlib.Path({str(note)!r}).touch()",
        f"while not pathlib.Path({str(go_on)!r}).exists():\n    time.sleep(0.05)",
        name="02_second.ipynb",
    )
    first = subprocess.Popen(
        [*COMMAND, "report", "cluster"], cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(note.exists)
        second = report(project, "cluster")
        assert second.returncode == 2
        assert f"Another run (process {first.pid}) is writing to reports/" in second.stderr
        go_on.touch()
        output, errors = first.communicate(timeout=60)
    finally:
        first.kill()
    assert first.returncode == 0, errors
    assert "1 made" in output
    assert_site_is_whole(project.output)


def test_a_file_system_that_is_read_only_is_told_and_the_site_stays(project) -> None:
    assert report(project, "cluster").returncode == 0
    good = (project.output / "cluster" / "report.html").read_bytes()
    folder = str(project.output)
    if not (can("mount", "--bind", folder, folder) and can("mount", "-o", "remount,ro,bind", folder)):
        can("umount", "--lazy", folder)
        pytest.skip("a folder cannot be mounted read-only here")
    try:
        result = report(project, "cluster", "--force")
        current = report(project, "cluster")
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
    assert result.returncode == 2
    assert "reports: cannot be written (Read-only file system)" in result.stderr
    assert current.returncode == 0  # nothing to make, nothing to write
    assert (project.output / "cluster" / "report.html").read_bytes() == good


@pytest.mark.skipif(not can("unshare", "--mount", "true"), reason="mounts of one process cannot be made here")
def test_a_home_folder_that_is_really_read_only_is_not_missed(project, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    script = (
        f'mount --bind {home} {home} && mount -o remount,ro,bind {home} && ! touch {home}/x 2>/dev/null && exec "$@"'
    )
    result = report(project, "cluster", prefix=("unshare", "--mount", "sh", "-c", script, "sh"), HOME=str(home))
    assert result.returncode == 0, result.stderr
    assert not list(home.iterdir())


def test_a_folder_in_place_of_a_table_is_bad_input(project) -> None:
    table = project.root / "data" / "arms.csv"
    table.unlink()
    table.mkdir()
    result = report(project, "cluster")
    assert result.returncode == 2
    assert "arms.csv" in result.stderr
    assert "Traceback" not in result.stderr
