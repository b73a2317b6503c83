"""Readers see whole reports only, whatever happens to the run: each test is a line of the table in docs/faults.md."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import has_ended, wait_until

from headache_evidence.errors import InputError
from headache_evidence.reports import pipeline, publishing
from headache_evidence.reports.progress import Progress
from headache_evidence.reports.publishing import RunningError, publish_folder, publish_text, run_lock, tidy
from headache_evidence.reports.workers import worker_context

#: `HEADACHE_EVIDENCE_KILLS=20 pytest tests/reports -k killed` is the run that docs/faults.md tells of.
KILLS = int(os.environ.get("HEADACHE_EVIDENCE_KILLS", "2"))


def say_nothing(message: str) -> None:
    """For processes of their own, which need a function with a name."""


class NotesSteps(Progress):
    """Leaves a file when the first notebook has run."""

    def __init__(self, place: Path) -> None:
        super().__init__(say_nothing)
        self.place = place

    def step(self, headache_type: str, notebook: str, seconds: float) -> None:
        """A notebook has run."""
        self.place.touch()


def assert_site_is_whole(output: Path) -> None:
    """Every page that exists is complete, every link of the index leads somewhere, every report has its record."""
    index = (output / "index.html").read_text()
    assert index.endswith("</html>\n")
    for link in re.findall(r'href="([^"#]+)"', index):
        assert (output / link).exists(), link
    for page in output.glob("*/report.html"):
        if page.parent.name.startswith("."):
            continue
        assert page.read_text().endswith("</html>\n")
        record = json.loads((page.parent / "run.json").read_text())
        results = json.loads((page.parent / "results.json").read_text())
        assert record["headache_type"] == results["headache_type"] == page.parent.name
        assert (page.parent / "effects.csv").exists()
    json.loads((output / "manifest.json").read_text())


def test_a_run_killed_at_a_random_moment_leaves_a_whole_site(project) -> None:
    project.run("cluster", "migraine")
    chance = random.Random(20260701)
    context = worker_context()
    for attempt in range(KILLS):
        project.make_notebook(f"print({attempt})", name="02_second.ipynb")
        settings = project.settings("cluster", "migraine")
        first_step = project.root / f"step-{attempt}"
        process = context.Process(target=pipeline.run, args=(settings, NotesSteps(first_step)))
        process.start()
        if attempt % 2:  # half of the kills come late: while the last notebook runs or reports are published
            wait_until(first_step.exists)
        process.join(chance.uniform(0.0, 2.5))
        process.kill()
        process.join()
        assert_site_is_whole(project.output)
    assert not project.run("cluster", "migraine").failed
    assert_site_is_whole(project.output)
    assert not list(project.output.rglob(".build-*")) + list(project.output.rglob(".old-*"))


#: Publishes number 2 over number 1 in a child that is killed at its n-th call to the file system, for every n.
KILLED_AT_EVERY_CALL = """
import os, shutil, signal, sys
from itertools import count
from pathlib import Path
from headache_evidence.reports import publishing
output, exchange = Path(sys.argv[1]), sys.argv[2]
if exchange == "no":
    publishing._exchange = lambda *_: False
def publish(number):
    built = output / f".build-{number}"
    built.mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        (built / name).write_text(str(number))
    publishing.publish_folder(built, output / "cluster")
    publishing.publish_text(output / "index.html", str(number))
def die_at(moment):
    calls = count(1)
    def hook(event, _):
        if event.split(".")[0] in {"open", "os", "shutil", "ctypes"} and next(calls) == moment:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
for moment in count(1):
    shutil.rmtree(output)
    output.mkdir()
    publish(1)
    child = os.fork()
    if not child:
        die_at(moment)
        publish(2)
        os._exit(0)
    ended = os.waitpid(child, 0)[1] == 0
    if exchange == "yes":  # whole at once, before anything is tidied up
        assert len({path.read_text() for path in (output / "cluster").iterdir()}) == 1, moment
    publishing.tidy(output)
    names = sorted(path.name for path in (output / "cluster").iterdir())
    assert names == ["a.txt", "b.txt", "c.txt"], (moment, names)
    texts = {(output / "cluster" / name).read_text() for name in names}
    assert texts in ({"1"}, {"2"}), (moment, texts)
    assert (output / "index.html").read_text() in {"1", "2"}, moment
    if ended:
        break
print(moment)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("exchange", ["yes", "no"])
def test_a_publish_that_is_killed_at_any_call_to_the_file_system_leaves_a_whole_site(tmp_path, exchange: str) -> None:
    command = [sys.executable, "-c", KILLED_AT_EVERY_CALL, str(tmp_path / "reports"), exchange]
    (tmp_path / "reports").mkdir()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20  # moments that were tried


def test_no_worker_or_kernel_outlives_a_killed_run(project, tmp_path: Path) -> None:
    note = tmp_path / "pid.txt"
    project.make_notebook(
        f"import os, pathlib, time\npathlib.Path({str(note)!r}).write_text(str(os.getpid()))\ntime.sleep(600)",
        name="02_second.ipynb",
    )
    process = worker_context().Process(target=pipeline.run, args=(project.settings("cluster"), Progress(say_nothing)))
    process.start()
    wait_until(lambda: note.exists() and note.read_text() != "")
    process.kill()
    pid = int(note.read_text())
    assert has_ended(pid)


def test_a_second_run_at_the_same_time_is_refused_with_the_process_id_of_the_first(project) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom headache_evidence.reports.publishing import run_lock\n"
        "with run_lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(project.output)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunningError, match=f"process {holder.pid}"):
            project.run("cluster")
    finally:
        holder.kill()
        holder.wait()
    assert project.run("cluster").made == ["cluster"]


def test_a_full_disk_fails_the_report_and_keeps_the_last_good_one(project) -> None:
    project.run("cluster")
    good = (project.output / "cluster" / "report.html").read_bytes()
    project.make_notebook(
        "import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))", name="02_second.ipynb"
    )
    outcome = project.run("cluster")
    assert "No space left on device" in outcome.failed["cluster"]
    assert (project.output / "cluster" / "report.html").read_bytes() == good
    assert_site_is_whole(project.output)


@pytest.mark.parametrize("moment", range(1, 9))
def test_a_disk_that_fills_up_while_publishing_leaves_the_last_good_site(project, monkeypatch, moment: int) -> None:
    output = project.output
    for number in (1, 2):
        built = output / f".build-{number}"
        built.mkdir()
        (built / "a.txt").write_text(str(number))
        (built / "b.txt").write_text(str(number))
        if number == 1:
            publish_folder(built, output / "cluster")
            publish_text(output / "index.html", "1")
    calls = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == moment:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(publishing.os, "fsync", fsync)
    try:
        publish_folder(output / ".build-2", output / "cluster")
        publish_text(output / "index.html", "2")
    except OSError:
        pass
    monkeypatch.undo()
    tidy(output)
    texts = {(output / "cluster" / name).read_text() for name in ("a.txt", "b.txt")}
    assert len(texts) == 1
    assert (output / "index.html").read_text() in {"1", "2"}


def test_without_an_exchange_of_folders_two_renames_do_it_and_a_stop_between_is_mended(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(publishing, "_exchange", lambda *_: False)
    final, built = tmp_path / "cluster", tmp_path / "new"
    for folder, text in ((final, "old"), (built, "new")):
        folder.mkdir()
        (folder / "a").write_text(text)
    publish_folder(built, final)
    assert (final / "a").read_text() == "new"
    os.rename(final, tmp_path / ".old-cluster")  # a run that was stopped here
    tidy(tmp_path)
    assert (final / "a").read_text() == "new"


def test_a_kernel_and_its_nursery_that_are_killed_fail_one_report_and_the_others_are_published(project) -> None:
    project.make_notebook(
        "import os, signal\n"
        "if headache_type == 'cluster':\n"
        "    os.kill(os.getppid(), signal.SIGKILL)\n"  # its nursery
        "    os.kill(os.getpid(), signal.SIGKILL)",
        name="02_second.ipynb",
    )
    outcome = project.run("cluster", "migraine")
    assert outcome.made == ["migraine"]
    assert "the kernel died" in outcome.failed["cluster"]


def test_a_worker_process_without_a_result_is_a_failure(project, monkeypatch) -> None:
    from headache_evidence.reports import workers

    monkeypatch.setattr(workers, "_work", say_nothing_and_end)
    outcome = project.run("cluster")
    assert "ended early (exit code 3" in outcome.failed["cluster"]
    assert (project.output / "failed" / "cluster" / "failure.html").exists()


def say_nothing_and_end(*_: object) -> None:
    os._exit(3)


def test_a_target_that_cannot_be_written_is_told_without_a_traceback(project, monkeypatch) -> None:
    blocked = project.root / "blocked"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cannot be written"), run_lock(blocked / "reports"):
        pass


def test_a_notebook_that_hangs_is_stopped_and_the_others_are_published(project) -> None:
    project.make_notebook("if headache_type == 'cluster':\n    import time; time.sleep(99)", name="02_second.ipynb")
    outcome = project.run("cluster", "migraine", timeout=2.0)
    assert outcome.made == ["migraine"]
    assert "02_second.ipynb, cell 3: stopped after 2 s" in outcome.failed["cluster"]


def test_a_clock_set_back_changes_neither_what_is_stale_nor_the_results(project, monkeypatch) -> None:
    from headache_evidence.reports import site

    project.run("cluster")
    before = hashlib.sha256((project.output / "cluster" / "effects.csv").read_bytes()).hexdigest()
    monkeypatch.setattr(site, "now", lambda: "1970-01-01T00:00:00+00:00")
    for path in project.root.rglob("*.csv"):
        os.utime(path, (0, 0))
    assert project.run("cluster").made == []
    project.run("cluster", force=True)
    assert hashlib.sha256((project.output / "cluster" / "effects.csv").read_bytes()).hexdigest() == before


def test_half_a_character_in_an_output_is_written_as_its_escape(project) -> None:
    project.make_notebook(r"print('half: \ud800.')", name="02_second.ipynb")
    assert project.run("cluster").made == ["cluster"]
    assert r"half: \ud800." in (project.output / "cluster" / "report.html").read_text(encoding="utf-8")
    assert json.loads((project.output / "cluster" / "report.ipynb").read_text(encoding="utf-8"))
