"""The pipeline: what is made, what is left alone, and what a reader finds in reports/."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import nbformat
import pytest

from headache_evidence.errors import EvidenceError, InputError, ParameterError, ProtocolError
from headache_evidence.reports.fingerprint import data_hashes, fingerprints, notebooks_hash
from headache_evidence.reports.pipeline import doit_tasks, notebooks_at_a_time, stale_reports


def test_a_run_publishes_reports_index_and_records(project) -> None:
    outcome = project.run("cluster", "migraine")
    assert sorted(outcome.made) == ["cluster", "migraine"]
    for name in ("cluster", "migraine"):
        folder = project.output / name
        assert {path.name for path in folder.iterdir()} >= {
            "report.html",
            "report.ipynb",
            "effects.csv",
            "results.json",
        }
        notebook = nbformat.read(folder / "report.ipynb", as_version=4)
        nbformat.validate(notebook)
        counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
        assert counts == list(range(1, len(counts) + 1))
    index = (project.output / "index.html").read_text()
    assert "Cluster headache" in index
    assert 'href="cluster/report.html"' in index
    manifest = json.loads((project.output / "manifest.json").read_text())
    assert manifest["reports"]["cluster"]["status"] == "ok"
    assert manifest["reports"]["mixed"]["status"] == "missing"
    assert [run["notebook"] for run in manifest["reports"]["cluster"]["notebooks"]] == [
        "01_effects.ipynb",
        "02_second.ipynb",
    ]
    assert {"data_hash", "package_hash", "lock_hash", "versions", "seeds", "code_version"} <= set(manifest)
    assert not list(project.output.glob(".build-*"))


def test_no_page_or_notebook_names_a_folder_of_this_machine(project) -> None:
    project.run("cluster")
    for path in project.output.rglob("*"):
        if path.suffix in {".html", ".ipynb", ".csv", ".json"}:
            assert str(project.root) not in path.read_text(), path.name


def test_nothing_changed_makes_nothing_and_touches_nothing(project) -> None:
    project.run("cluster")
    before = {path: path.stat().st_mtime_ns for path in project.output.rglob("*")}
    outcome = project.run("cluster")
    assert outcome.made == []
    assert outcome.current == ["cluster"]
    assert {path: path.stat().st_mtime_ns for path in project.output.rglob("*")} == before


def test_two_runs_into_two_folders_give_the_same_bytes(project, tmp_path: Path) -> None:
    from headache_evidence.reports.verification import compare_folders

    project.run("cluster")
    (tmp_path / "other").mkdir()
    os.rename(project.output, tmp_path / "other" / "reports")
    project.run("cluster")
    assert compare_folders(tmp_path / "other" / "reports" / "cluster", project.output / "cluster") == []


def test_a_changed_migraine_row_leaves_cluster_alone(project) -> None:
    before = data_hashes(project.root / "data", ["migraine", "cluster"])
    text = (project.root / "data" / "studies.csv").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if ",migraine," in line and ",rct_parallel," in line)
    project.replace("studies.csv", line, line.replace(",rct_parallel,", ",rct_crossover,"))
    after = data_hashes(project.root / "data", ["migraine", "cluster"])
    assert before["migraine"] != after["migraine"]
    assert before["cluster"] == after["cluster"]


@pytest.mark.parametrize("table", ["protocol.yml", "mcid.csv", "screening.csv", "datapackage.json"])
def test_a_change_of_what_every_report_shows_concerns_every_report(project, table: str) -> None:
    before = data_hashes(project.root / "data", ["migraine", "cluster"])
    path = project.root / "data" / table
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:-1], lines[-1] + " "]), encoding="utf-8")
    after = data_hashes(project.root / "data", ["migraine", "cluster"])
    assert before["migraine"] != after["migraine"]
    assert before["cluster"] != after["cluster"]


def test_an_outcome_row_that_names_another_type_brings_its_study_into_that_type(tmp_path: Path) -> None:
    (tmp_path / "studies.csv").write_text("study_id,headache_type\nA,migraine\n")
    (tmp_path / "outcomes.csv").write_text("study_id,headache_type,mean\nA,cluster,1\nA,,2\n")
    before = data_hashes(tmp_path, ["migraine", "cluster", "other"])
    (tmp_path / "outcomes.csv").write_text("study_id,headache_type,mean\nA,cluster,3\nA,,2\n")
    after = data_hashes(tmp_path, ["migraine", "cluster", "other"])
    assert [before[name] == after[name] for name in ("migraine", "cluster", "other")] == [False, False, True]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p.make_notebook("print('new')", name="02_second.ipynb"), "notebooks changed"),
        (lambda p: (p.root / "requirements.lock").write_text("numpy==2.1"), "lock changed"),
        (lambda p: (p.output / "cluster" / "run.json").unlink(), "never made"),
    ],
    ids=["notebook", "lock", "record lost"],
)
def test_each_input_makes_a_report_stale_and_is_named(project, change, reason: str) -> None:
    project.run("cluster")
    change(project)
    settings = project.settings("cluster")
    assert stale_reports(settings, fingerprints(settings)) == {"cluster": [reason]}


def test_outputs_stored_in_a_notebook_do_not_make_reports_stale(make_notebook) -> None:
    path = make_notebook("1")
    before = notebooks_hash([path])
    notebook = json.loads(path.read_text())
    notebook["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    notebook["cells"][-1]["execution_count"] = 7
    path.write_text(json.dumps(notebook))
    assert notebooks_hash([path]) == before


def test_a_failed_notebook_leaves_the_last_good_report_and_is_named_with_its_traceback(project) -> None:
    project.run("cluster", "migraine")
    good = (project.output / "cluster" / "report.html").read_bytes()
    made = json.loads((project.output / "cluster" / "run.json").read_text())["made"]
    project.make_notebook(
        "if headache_type == 'cluster':\n    raise ValueError('boom <script>alert(1)</script>')", name="02_second.ipynb"
    )
    outcome = project.run("cluster", "migraine")
    assert outcome.made == ["migraine"]
    assert "02_second.ipynb, cell 3: ValueError: boom" in outcome.failed["cluster"]
    assert (project.output / "cluster" / "report.html").read_bytes() == good
    index = (project.output / "index.html").read_text()
    assert 'href="failed/cluster/failure.html"' in index
    assert f"The report of {made} stays in place" in index
    failure = (project.output / "failed" / "cluster" / "failure.html").read_text()
    assert "Traceback" in failure
    assert "<script>alert(1)" not in index + failure
    project.make_notebook("print('mended')", name="02_second.ipynb")
    assert project.run("cluster").made == ["cluster"]
    assert not (project.output / "failed" / "cluster").exists()
    assert "failure.html" not in (project.output / "index.html").read_text()


def test_notebooks_of_a_report_run_at_the_same_time_where_there_is_room(project) -> None:
    """Each waits for a file of the other, so that one after the other they would never end."""
    meet = (
        "import pathlib, time",
        "(pathlib.Path(output_dir).parent / mine).touch()",
        "while not (pathlib.Path(output_dir).parent / other).exists(): time.sleep(0.01)",
    )
    for name, names in (("01_effects.ipynb", ("a", "b")), ("02_second.ipynb", ("b", "a"))):
        cells = ("mine, other = {!r}, {!r}".format(*names), *meet)
        project.make_notebook(*cells, name=name, title=name[:2])
    assert project.run("cluster", timeout=30.0).made == ["cluster"]
    notebook = nbformat.read(project.output / "cluster" / "report.ipynb", as_version=4)
    titles = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert titles[1:] == ["## 01", "## 02"]


def test_after_a_notebook_failed_no_other_is_begun_and_its_own_log_is_kept(project) -> None:
    project.make_notebook("import os; os.write(2, b'first words'); os._exit(3)", name="01_effects.ipynb")
    project.make_notebook("import pathlib; (pathlib.Path(data_dir).parent / 'begun').touch()", name="02_second.ipynb")
    outcome = project.run("cluster", "migraine")  # two reports for two jobs: one notebook of each at a time
    assert all("01_effects.ipynb, cell 3: the kernel died" in reason for reason in outcome.failed.values())
    assert "first words" in (project.output / "failed" / "cluster" / "kernel.log").read_text()
    assert not (project.root / "begun").exists()


def test_notebooks_begin_with_the_first_and_go_on_by_what_they_took_last(project) -> None:
    for name, seconds in (("01_effects", 0), ("02_second", 0), ("03_third", 1)):
        project.make_notebook(
            "import pathlib, time",
            f"with (pathlib.Path(data_dir).parent / headache_type).open('a') as begun: begun.write('{name} ')",
            f"time.sleep({seconds})",
            name=f"{name}.ipynb",
        )
    for order in ("01_effects 02_second 03_third ", "01_effects 03_third 02_second "):
        outcome = project.run("cluster", "migraine", force=True)  # one notebook of each at a time
        assert not outcome.failed
        assert (project.root / "cluster").read_text() == order
        (project.root / "cluster").unlink()


@pytest.mark.parametrize(("jobs", "reports", "expected"), [(3, 1, 3), (3, 2, 1), (3, 10, 1), (1, 1, 1), (8, 2, 4)])
def test_room_that_few_reports_leave_is_given_to_their_notebooks(jobs: int, reports: int, expected: int) -> None:
    assert notebooks_at_a_time(jobs, reports) == expected


def test_faults_in_the_data_stop_the_run_before_anything_is_made(project) -> None:
    project.run("cluster")
    before = (project.output / "index.html").read_bytes()
    project.replace("studies.csv", ",cluster,", ",klaster,")
    with pytest.raises(EvidenceError, match="klaster"):
        project.run("cluster")
    assert (project.output / "index.html").read_bytes() == before


def test_parameters_that_no_notebook_declares_and_unknown_types_are_refused(project) -> None:
    with pytest.raises(ParameterError, match="no parameter 'seed'"):
        project.settings(parameters={"seed": "1"})
    with pytest.raises(ParameterError, match="Allowed are migraine"):
        project.settings("../../x")
    with pytest.raises(ParameterError, match="Unknown outcome"):
        project.settings(outcomes=["'; drop"])


def test_parameters_reach_the_notebook_and_are_told_on_the_page(project) -> None:
    project.make_notebook(
        "print(method, level)",
        name="02_second.ipynb",
        parameters='headache_type: str = "x"\nmethod: str = "REML"\nlevel: float = 0.95\n'
        'data_dir: str = ""\noutput_dir: str = ""',
    )
    with pytest.raises(ParameterError, match="allowed are DL"):
        project.settings(parameters={"method": "XX"})
    project.run("cluster", parameters={"method": "DL", "level": "0.9"})
    page = (project.output / "cluster" / "report.html").read_text()
    assert "DL 0.9" in page
    assert "parameters other than the protocol's: level = 0.9, method = DL" in page
    settings = project.settings("cluster")
    assert stale_reports(settings, fingerprints(settings)) == {"cluster": ["parameters changed"]}


@pytest.mark.parametrize(
    "text", ["", "- a", "headache_types: []", "headache_types: {'../x': t}", "a: !!python/name:os.system"]
)
def test_a_protocol_that_cannot_be_followed_is_refused(project, text: str) -> None:
    (project.root / "data" / "protocol.yml").write_text(text)
    with pytest.raises(ProtocolError):
        project.settings()


def test_missing_folders_are_told(project, tmp_path: Path) -> None:
    from headache_evidence.reports.settings import read_settings

    with pytest.raises(InputError, match="no such folder"):
        read_settings(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no notebooks"):
        read_settings(project.root / "data", notebooks_dir=tmp_path / "empty")


def test_the_index_mends_itself_when_a_run_was_stopped_before_writing_it(project) -> None:
    project.run("cluster")
    (project.output / "index.html").unlink()
    outcome = project.run("cluster")
    assert outcome.made == []
    assert (project.output / "index.html").exists()


def test_doit_sees_one_task_per_headache_type_and_why_it_is_stale(project, monkeypatch) -> None:
    project.run("cluster")
    monkeypatch.chdir(project.root)
    tasks = {task["name"]: task for task in doit_tasks()}
    assert len(tasks) >= 8
    assert tasks["cluster"]["uptodate"] == [True]
    assert "never made" in tasks["migraine"]["doc"]


def test_the_run_id_order_does_not_depend_on_the_clock(project, monkeypatch) -> None:
    from headache_evidence.reports import building, site
    from headache_evidence.reports.changes import snapshots

    project.run("cluster")
    for module in (building, site):
        monkeypatch.setattr(module, "now", lambda: "1999-01-01T00:00:00+00:00")
    project.run("cluster", force=True)
    assert [path.stem for path in snapshots(project.output)] == ["000001", "000002"]
    assert project.run("cluster").made == []
    index = (project.output / "index.html").read_text()
    assert re.search(r"No result differs from the run before", index)
