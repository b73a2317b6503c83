"""From settings to a published site: find what is stale, make it in parallel, publish each report as it is done."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headache_evidence.errors import EvidenceError, HeadacheEvidenceError, InputError
from headache_evidence.reports.fingerprint import Fingerprint, differences, fingerprints, package_hash, whole_data_hash
from headache_evidence.reports.progress import Progress
from headache_evidence.reports.publishing import (
    build_folder,
    publish_folder,
    publish_json,
    read_json,
    run_lock,
    tidy,
    withdraw,
)
from headache_evidence.reports.records import FAILURE_FILE, RUN_FILE
from headache_evidence.reports.settings import Settings, parameters_for, read_settings
from headache_evidence.reports.site import FAILED, import_ahead, is_current, write_site

if TYPE_CHECKING:
    from headache_evidence.reports.nursery import Nursery, WarmProcess


@dataclass
class Outcome:
    """What a run did."""

    made: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    current: list[str] = field(default_factory=list)


def stale_reports(settings: Settings, marks: dict[str, Fingerprint]) -> dict[str, list[str]]:
    """The selected reports that have to be made, each with the reasons."""
    stale = {}
    for name in settings.selected:
        run = read_json(settings.output_dir / name / RUN_FILE)
        if not run:
            reasons = ["never made"]
        elif settings.force:
            reasons = ["forced"]
        else:
            reasons = [f"{part} changed" for part in differences(run.get("fingerprint", {}), marks[name])]
        if reasons:
            stale[name] = reasons
    return stale


def run(settings: Settings, progress: Progress, warm: WarmProcess | None = None, wait: float = 0.0) -> Outcome:
    """Bring the selected reports and the site up to date.

    warm : the shells of notebooks are forked from it; from one of this run's own when None.
    wait : seconds to wait for another run to end.

    Raises
    ------
    EvidenceError
        the tables hold faults: nothing is run, the last good site stays.
    RunningError, InputError
        another run is at work, or the output folder cannot be written.
    """
    marks = fingerprints(_all_types(settings))
    stale = stale_reports(settings, marks)
    outcome = Outcome(current=[name for name in settings.selected if name not in stale])
    if not stale and is_current(settings):
        return outcome
    from headache_evidence.reports.nursery import warm_process

    with run_lock(settings.output_dir, wait):
        tidy(settings.output_dir)
        if stale:
            own = warm_process(settings.data_dir, several=len(stale) > 1)
            with contextlib.nullcontext(warm) if warm else own as ready:
                _make(settings, marks, stale, outcome, progress, ready)
        write_site(settings, marks, finished=True)
    return outcome


def _all_types(settings: Settings) -> Settings:
    return replace(settings, selected=tuple(settings.titles))


def _make(
    settings: Settings,
    marks: dict[str, Fingerprint],
    stale: dict[str, list[str]],
    outcome: Outcome,
    progress: Progress,
    warm: WarmProcess | None,
) -> None:
    from headache_evidence.reports.workers import prepare_workers

    names = _longest_first(settings, stale)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(build_folder(settings.output_dir))
        maker = _Maker(settings, marks, folder, outcome, progress, len(stale), warm)
        stack.callback(maker.close)
        maker.open_nurseries(names[: settings.jobs])
        check_evidence_once(settings)  # while the nurseries get ready
        prepare_workers()
        progress.start(len(stale) * len(settings.notebooks))
        stack.callback(progress.end)
        _run_doit(maker, names, settings.jobs)


def notebooks_at_a_time(jobs: int, reports: int) -> int:
    """How many notebooks of a report run at the same time when fewer reports than ``jobs`` are to be made."""
    return max(1, jobs // reports)


def _longest_first(settings: Settings, names: Iterable[str]) -> list[str]:
    """The order that keeps all cores busy to the end, going by the last run; reports never made come first."""

    def seconds(name: str) -> float:
        return sum(_last_seconds(settings, name).values()) or float("inf")

    return sorted(names, key=seconds, reverse=True)


def _last_seconds(settings: Settings, name: str) -> dict[str, float]:
    """How long each notebook of a report took in the run before."""
    runs = read_json(settings.output_dir / name / RUN_FILE).get("notebooks", [])
    return {run["notebook"]: run["seconds"] for run in runs}


def check_evidence_once(settings: Settings) -> None:
    """Refuse to report on tables with faults. Tables that passed before are recognised by content."""
    from headache_evidence.tables.faults import errors_of
    from headache_evidence.tables.validation import check_evidence

    passed = settings.output_dir / ".checked.json"
    mark = {"data": whole_data_hash(settings.data_dir), "package": package_hash()}
    if read_json(passed) == mark:
        return
    faults = errors_of(check_evidence(settings.data_dir))
    if faults:
        raise EvidenceError(faults)
    publish_json(passed, mark)


class _Maker:
    """Makes and publishes single reports; called from doit's threads."""

    def __init__(
        self,
        settings: Settings,
        marks: dict[str, Fingerprint],
        folder: Path,
        outcome: Outcome,
        progress: Progress,
        reports: int,
        warm: WarmProcess | None,
    ) -> None:
        self.settings, self.marks, self.folder = settings, marks, folder
        self.reports, self.warm = reports, warm
        self.nurseries: dict[str, Nursery | None] = {}
        self.outcome, self.progress = outcome, progress
        self.publishing = threading.Lock()
        self.import_ahead = threading.Thread(target=import_ahead, name="import ahead")

    def open_nurseries(self, names: Iterable[str]) -> None:
        """Let nurseries of reports get ready that are made first."""
        from headache_evidence.reports.ahead import answer_ahead

        for name in names:
            prepare = partial(answer_ahead, self.job(name))
            self.nurseries[name] = self.warm.open_nursery(prepare) if self.warm is not None else None

    def close(self) -> None:
        """End nurseries of reports that were not begun."""
        for nursery in list(self.nurseries.values()):
            if nursery is not None:
                nursery.connection.close()

    def make(self, headache_type: str) -> bool:
        from headache_evidence.reports.workers import run_job

        job = self.job(headache_type)
        if headache_type not in self.nurseries:
            self.open_nurseries([headache_type])
        nursery = self.nurseries.pop(headache_type)
        try:
            good = run_job(job, lambda notebook, seconds: self.step(headache_type, notebook, seconds), nursery)
        except HeadacheEvidenceError as error:
            good = False
            self.outcome.failed[headache_type] = str(error)
            with contextlib.suppress(OSError):
                _describe_failure(job, error)
        with self.publishing:
            try:
                self.publish(headache_type, job.build_dir / "report", good)
            except OSError as error:
                good = False
                reason = self.outcome.failed.get(headache_type, f"not published: {error.strerror or error}")
                self.outcome.failed[headache_type] = reason
        return good

    def step(self, headache_type: str, notebook: str, seconds: float) -> None:
        with self.publishing:
            self.progress.step(headache_type, notebook, seconds)
            if self.import_ahead.ident is None:  # not earlier: until a notebook is done, all wait for one process
                self.import_ahead.start()

    def publish(self, headache_type: str, built: Path, good: bool) -> None:
        output = self.settings.output_dir
        if good:
            publish_folder(built, output / headache_type)
            withdraw(output / FAILED / headache_type)
            self.outcome.made.append(headache_type)
        else:
            reason = self.outcome.failed.get(headache_type, "unknown reason")
            self.outcome.failed[headache_type] = str(read_json(built / FAILURE_FILE).get("reason", reason))
            publish_folder(built, output / FAILED / headache_type)
            self.progress.say(f"{headache_type}: FAILED: {self.outcome.failed[headache_type]}")
        if len(self.outcome.made) + len(self.outcome.failed) < self.reports:  # else the run itself writes it
            write_site(self.settings, self.marks, finished=False)

    def job(self, headache_type: str) -> Any:
        from headache_evidence.reports.records import Job

        settings = self.settings
        return Job(
            headache_type=headache_type,
            title=settings.titles[headache_type],
            limits=settings.limits,
            notebooks=settings.notebooks,
            parameters={path.name: parameters_for(path, settings) for path in settings.notebooks},
            notebooks_at_a_time=notebooks_at_a_time(settings.jobs, self.reports),
            data_dir=settings.data_dir,
            build_dir=self.folder / headache_type,
            final_dir=settings.output_dir / headache_type,
            fingerprint=self.marks[headache_type],
            timeout=settings.timeout,
            last_seconds=_last_seconds(settings, headache_type),
        )


def _describe_failure(job: Any, error: HeadacheEvidenceError) -> None:
    from headache_evidence.reports.building import write_failure
    from headache_evidence.reports.records import now

    write_failure(job, error, job.notebooks[0], now())


def _run_doit(maker: _Maker, names: list[str], jobs: int) -> None:
    """Let doit make the stale reports, ``jobs`` at a time; one that fails does not stop the others."""
    from doit.cmd_base import ModuleTaskLoader
    from doit.doit_cmd import DoitMain

    def task_report() -> Iterator[dict[str, Any]]:
        for name in names:
            yield {"name": name, "actions": [(maker.make, [name])], "uptodate": [False], "io": {"capture": False}}

    with tempfile.TemporaryDirectory(prefix="headache-") as aside:  # the disk of the reports may be full
        tasks = {
            "task_report": task_report,
            "DOIT_CONFIG": {
                "backend": "json",
                "dep_file": str(Path(aside) / "doit.json"),
                "continue": True,
                "num_process": min(jobs, len(names)) if len(names) > 1 else 0,
                "par_type": "thread",
                "reporter": "zero",
                "verbosity": 0,
            },
        }
        DoitMain(ModuleTaskLoader(tasks)).run(["run"])
    missing = [name for name in names if name not in maker.outcome.made and name not in maker.outcome.failed]
    for name in missing:
        maker.outcome.failed[name] = "not made: the run stopped early"


def collect_reports(settings: Settings, folders: Iterable[Path]) -> Outcome:
    """Publish the good reports (and the failures) of other output folders, and write the site once.

    Raises
    ------
    InputError
        a folder holds neither a report nor a failure of a type of the protocol.
    """
    outcome = Outcome()
    marks = fingerprints(_all_types(settings))
    with run_lock(settings.output_dir), build_folder(settings.output_dir) as aside:
        for folder in folders:
            made = [name for name in settings.titles if (folder / name / RUN_FILE).exists()]
            failed = [name for name in settings.titles if (folder / FAILED / name / FAILURE_FILE).exists()]
            if not made and not failed:
                raise InputError(f"{folder}: holds no report of a headache type of the protocol.")
            for name in failed:
                reason = read_json(folder / FAILED / name / FAILURE_FILE).get("reason", "unknown reason")
                outcome.failed[name] = str(reason)
                shutil.copytree(folder / FAILED / name, aside / f"failed-{name}")
                publish_folder(aside / f"failed-{name}", settings.output_dir / FAILED / name)
            for name in (name for name in made if name not in failed):
                shutil.copytree(folder / name, aside / name)
                publish_folder(aside / name, settings.output_dir / name)
                withdraw(settings.output_dir / FAILED / name)
                outcome.made.append(name)
        write_site(settings, marks, finished=True)
    return outcome


def doit_tasks() -> Iterator[dict[str, Any]]:
    """Tasks for dodo.py: one per headache type of the protocol, current when its fingerprint is."""
    settings = read_settings()
    marks = fingerprints(settings)
    stale = stale_reports(settings, marks)
    for name in settings.selected:
        yield {
            "name": name,
            "doc": f"report on {settings.titles[name]}" + (f" ({', '.join(stale[name])})" if name in stale else ""),
            "actions": [(_make_alone, [settings.only(name)])],
            "uptodate": [name not in stale],
            "targets": [str(settings.output_dir / name / "report.html")],
            "verbosity": 2,
        }


def _make_alone(settings: Settings) -> bool:
    return not run(settings, Progress(lambda _: None)).failed
