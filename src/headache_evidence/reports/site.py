"""The pages and records that span all reports: index.html, manifest.json and the history of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headache_evidence.reports.changes import Change, compare, load, snapshot, snapshots, store
from headache_evidence.reports.fingerprint import differences, whole_data_hash
from headache_evidence.reports.publishing import publish_json, publish_text, read_json
from headache_evidence.reports.records import FAILURE_FILE, RUN_FILE, now
from headache_evidence.reports.settings import Settings

FAILED = "failed"


@dataclass(frozen=True)
class Status:
    """How a report stands: ok, stale (made of older inputs), failed (the last run), or missing."""

    headache_type: str
    title: str
    state: str
    made: str
    reason: str = ""
    failed: str = ""  # time of the failure


def statuses(settings: Settings, marks: Mapping[str, Mapping[str, str]]) -> list[Status]:
    """The state of every report of the protocol. ``marks`` are the fingerprints of the present inputs."""
    return [_status(settings, name, marks.get(name, {})) for name in settings.titles]


def _status(settings: Settings, name: str, mark: Mapping[str, str]) -> Status:
    title = settings.titles[name]
    run = read_json(settings.output_dir / name / RUN_FILE)
    failure = read_json(settings.output_dir / FAILED / name / FAILURE_FILE)
    made = str(run.get("made", ""))
    if failure:
        return Status(name, title, "failed", made, str(failure.get("reason", "")), str(failure.get("made", "")))
    if not run:
        return Status(name, title, "missing", "")
    parts = differences(run.get("fingerprint", {}), dict(mark))
    return Status(name, title, "stale" if parts else "ok", made, f"changed since: {', '.join(parts)}" if parts else "")


def signature(settings: Settings) -> dict[str, list[str]]:
    """What the site was last made of: the time and data of every report and failure on disk."""
    marks = {}
    for name in settings.titles:
        run = read_json(settings.output_dir / name / RUN_FILE)
        failure = read_json(settings.output_dir / FAILED / name / FAILURE_FILE)
        parts = [str(run.get("made", "")), str(run.get("fingerprint", "")), str(failure.get("made", ""))]
        marks[name] = parts
    return marks


def is_current(settings: Settings) -> bool:
    """True when index and manifest were written after the last report was published."""
    manifest = read_json(settings.output_dir / "manifest.json")
    return (settings.output_dir / "index.html").exists() and manifest.get("site") == signature(settings)


def import_ahead() -> None:
    """Import what writing the site needs; a command that finds nothing to write goes without."""
    from headache_evidence.figures import evidence_maps, saving  # noqa: F401
    from headache_evidence.reports import evidence_gap_overview, render, results_table  # noqa: F401


def write_site(settings: Settings, marks: Mapping[str, Mapping[str, str]], *, finished: bool) -> list[Change]:
    """Write index and manifest for the reports on disk; at the end of a run also keep a snapshot of the results.

    Returns what changed in the last run that changed anything.
    """
    from headache_evidence.reports.evidence_gap_overview import gap_maps
    from headache_evidence.reports.render import render
    from headache_evidence.reports.results_table import read_results, result_rows

    output, made = settings.output_dir, now()
    if finished:
        store(output, snapshot(output, settings.titles, made))
    changes, since = _last_changes(output)
    states = statuses(settings, marks)
    rows = {
        state.headache_type: result_rows(read_results(output / state.headache_type / "results.json"))
        for state in states
    }
    publish_text(
        output / "index.html",
        render(
            "index.html.j2",
            limits=settings.limits,
            states=states,
            rows=rows,
            gaps=gap_maps(settings, draw=finished),
            changes=changes,
            since=since,
            first=len(snapshots(output)) < 2,
            made=made,
            provenance=_marks(settings, marks),
        ),
    )
    publish_json(output / "manifest.json", manifest(settings, states, marks, made, finished=finished))
    return changes


def manifest(
    settings: Settings, states: list[Status], marks: Mapping[str, Mapping[str, str]], made: str, *, finished: bool
) -> dict[str, Any]:
    """Everything needed to say where the reports come from."""
    from headache_evidence import __version__
    from headache_evidence.reports.provenance import package_versions

    reports = {}
    for state in states:
        run = read_json(settings.output_dir / state.headache_type / RUN_FILE)
        run.pop("versions", None)
        failure = read_json(settings.output_dir / FAILED / state.headache_type / FAILURE_FILE)
        reports[state.headache_type] = {**run, "status": state.state, **({"failure": failure} if failure else {})}
    return {
        "schema": 1,
        "made": made,
        "code_version": __version__,
        "data_hash": whole_data_hash(settings.data_dir),
        **dict(_marks(settings, marks)),
        "seeds": {"PYTHONHASHSEED": 0},
        "versions": package_versions(),
        "reports": reports,
        "site": signature(settings) if finished else {},
    }


def _marks(settings: Settings, marks: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    mark = next(iter(marks.values()), {})
    return [(f"{name}_hash", str(mark.get(name, ""))) for name in ("package", "notebooks", "lock")]


def _last_changes(output: Path) -> tuple[list[Change], str]:
    """Changes of the newest run, and the time of the run before it."""
    kept = snapshots(output)
    if len(kept) < 2:
        return [], ""
    before, after = load(kept[-2], output), load(kept[-1], output)
    return compare(before, after), str(before.get("made", ""))
