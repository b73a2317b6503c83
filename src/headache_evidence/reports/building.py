"""Makes one report in a folder aside: runs its notebooks, merges them, writes the page and the record of the run."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat

from headache_evidence.errors import NotebookError
from headache_evidence.reports.clean_html import without_colours
from headache_evidence.reports.notebook_pages import merge_notebooks, page_of
from headache_evidence.reports.nursery import Nursery
from headache_evidence.reports.provenance import package_versions
from headache_evidence.reports.publishing import publish_json, publish_text, read_json
from headache_evidence.reports.records import FAILURE_FILE, RUN_FILE, Job, Progress, now
from headache_evidence.reports.render import ReportPage, render
from headache_evidence.reports.results_table import ResultRow, read_results, result_rows
from headache_evidence.reports.runner import ExecutedNotebook, NotebookRunError, run_notebook

LOG = "kernel.log"
DOWNLOADS = (
    ("effects.csv", "Effects (CSV)"),
    ("results.json", "Results (JSON)"),
    ("report.ipynb", "Notebook"),
    ("summary_of_findings.html", "Summary of findings (HTML)"),
    ("summary_of_findings.docx", "Summary of findings (Word)"),
    ("summary_of_findings.tex", "Summary of findings (LaTeX)"),
)


def build(job: Job, progress: Progress, nursery: Nursery | None = None) -> bool:
    """Make the report in ``job.build_dir``; True when it is good, False when the folder describes a failure."""
    report = job.build_dir / "report"
    report.mkdir(parents=True)
    started, last = now(), job.notebooks[-1]
    try:
        _write_report(job, report, started, _run_notebooks(job, report, progress, nursery))
    except _FailedNotebookError as failed:
        write_failure(job, failed.reason, failed.notebook, started)
        return False
    except OSError as error:
        write_failure(job, NotebookRunError(f"{last.name}: {error}"), last, started)
        return False
    return True


class _FailedNotebookError(Exception):
    def __init__(self, notebook: Path, reason: NotebookError) -> None:
        super().__init__(str(reason))
        self.notebook, self.reason = notebook, reason


def _run_notebooks(job: Job, report: Path, progress: Progress, nursery: Nursery | None) -> list[ExecutedNotebook]:
    """Run the notebooks, as many at a time as the job says: the first one first, then by how long they took last time.

    After a failure none is begun, and those at work come to their end; told is the failure of the first in order.
    """
    failures: list[_FailedNotebookError] = []
    one_at_a_time = threading.Lock()

    def run(notebook: Path) -> ExecutedNotebook | None:
        if failures:
            return None
        try:
            parameters, log = job_parameters(job, notebook, report), log_of(job, notebook)
            executed = run_notebook(notebook, parameters, log=log, timeout=job.timeout, nursery=nursery)
        except (NotebookError, OSError) as error:
            reason = error if isinstance(error, NotebookError) else NotebookRunError(f"{notebook.name}: {error}")
            failures.append(_FailedNotebookError(notebook, reason))
            return None
        with one_at_a_time:
            progress(notebook.name, executed.run.seconds)
        return executed

    first, *others = job.notebooks
    others.sort(key=lambda notebook: -job.last_seconds.get(notebook.name, 0.0))
    with ThreadPoolExecutor(job.notebooks_at_a_time) as pool:
        runs = {first: pool.submit(run, first)}
        if nursery is not None:  # it prepares for the other notebooks while the first, which shows evidence, runs
            runs[first].add_done_callback(lambda _: nursery.begun.set())
            nursery.begun.wait()
        runs |= {notebook: pool.submit(run, notebook) for notebook in others}
    if failures:
        raise min(failures, key=lambda failed: job.notebooks.index(failed.notebook))
    return [executed for notebook in job.notebooks if (executed := runs[notebook].result()) is not None]


def log_of(job: Job, notebook: Path) -> Path:
    """Where a notebook writes what no cell shows."""
    return job.build_dir / f"{notebook.stem}.log"


def job_parameters(job: Job, notebook: Path, report: Path) -> dict[str, Any]:
    """Parameters of a notebook; folders relative to it, so that no page names a folder of this machine."""
    folder = notebook.parent
    return {
        **job.parameters.get(notebook.name, {}),
        "headache_type": job.headache_type,
        "data_dir": os.path.relpath(job.data_dir, folder),
        "output_dir": os.path.relpath(report, folder),
    }


def _write_report(job: Job, report: Path, started: str, done: Sequence[ExecutedNotebook]) -> None:
    own = {name: value for values in job.parameters.values() for name, value in values.items()}
    shown = {"headache_type": job.headache_type, **own}
    shown |= {"data_dir": os.path.relpath(job.data_dir, job.final_dir), "output_dir": ""}
    merged = merge_notebooks([executed.notebook for executed in done], job.title, shown)
    publish_text(report / "report.ipynb", nbformat.writes(merged))  # type: ignore[no-untyped-call]
    versions = package_versions()
    record = {
        "headache_type": job.headache_type,
        "status": "ok",
        "made": started,
        "fingerprint": dict(job.fingerprint),
        "parameters": own,
        "notebooks": [asdict(executed.run) for executed in done],
        "versions": versions,
    }
    rows = result_rows(read_results(report / "results.json"))
    words = ReportPage(
        title=job.title,
        limits=job.limits,
        facts=_facts(job),
        downloads=[pair for pair in DOWNLOADS if (report / pair[0]).exists()],
        figures=_figure_links(report, rows),
        provenance=_provenance(job, started, versions),
        results=rows,
        changed_parameters=", ".join(f"{name} = {value}" for name, value in sorted(own.items())),
    )
    publish_text(report / "report.html", render("report.html.j2", page=page_of(merged), **vars(words)))
    publish_json(report / RUN_FILE, record)


def _facts(job: Job) -> list[tuple[str, str]]:
    mark = job.fingerprint
    return [
        ("Evidence of this report", mark.get("data", "")),
        ("Code", f"package {mark.get('package', '')}, notebooks {mark.get('notebooks', '')}"),
    ]


def _figure_links(report: Path, rows: list[ResultRow]) -> list[tuple[str, str]]:
    """Every figure file with the title of its result."""
    titles = {row.question_id: row.title for row in rows}
    figures = sorted(path for path in report.glob("figures/*") if path.is_file())
    return [
        (f"figures/{path.name}", f"{titles.get(path.stem, path.stem)} ({path.suffix[1:].upper()})") for path in figures
    ]


def _provenance(job: Job, started: str, versions: Mapping[str, str]) -> list[tuple[str, str]]:
    named = ("pymare", "numpy", "scipy", "pandas", "matplotlib")
    return [
        ("Made", started),
        *((f"{name} hash", str(value)[:24]) for name, value in job.fingerprint.items() if name != "python"),
        ("Python", str(job.fingerprint.get("python", ""))),
        *((name, versions[name]) for name in named if name in versions),
    ]


def write_failure(job: Job, error: Exception, notebook: Path, started: str) -> None:
    """Describe the failure in ``build_dir/report`` instead of the report."""
    log = log_of(job, notebook)
    folder = job.build_dir / "report"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    details = getattr(error, "details", "") or "No traceback."
    executed = getattr(error, "executed", None)
    page = None
    if executed is not None:
        merged = merge_notebooks([executed], job.title, {"headache_type": job.headache_type})
        publish_text(folder / "failed.ipynb", nbformat.writes(merged))  # type: ignore[no-untyped-call]
        page = page_of(merged)
    if log.exists():
        shutil.copyfile(log, folder / LOG)
    values = {"title": job.title, "reason": str(error), "details": without_colours(details), "page": page}
    last = read_json(job.final_dir / RUN_FILE).get("made", "")
    publish_text(folder / "failure.html", render("failure.html.j2", **values, made=started, last=last,
                                                 headache_type=job.headache_type))  # fmt: skip
    publish_json(folder / FAILURE_FILE, {
        "headache_type": job.headache_type,
        "status": "failed",
        "made": started,
        "notebook": notebook.name,
        "reason": str(error),
        "fingerprint": dict(job.fingerprint),
    })  # fmt: skip
