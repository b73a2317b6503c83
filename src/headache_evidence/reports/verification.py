"""Makes published reports again and compares them byte by byte."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from headache_evidence.errors import InputError
from headache_evidence.reports import pipeline
from headache_evidence.reports.progress import Progress
from headache_evidence.reports.publishing import read_json
from headache_evidence.reports.records import RUN_FILE
from headache_evidence.reports.settings import read_settings

COMPARED = ("effects.csv", "results.json", "figures/*")


def verify_site(data: Path, output: Path, types: Iterable[str], jobs: int, progress: Progress) -> list[str]:
    """Differences between the published reports and a fresh run on the present data; empty when there are none.

    Each difference says whether the inputs are still those of the published report.
    """
    settings = read_settings(data, output, types=types, jobs=jobs)
    published = [name for name in settings.selected if (settings.output_dir / name / RUN_FILE).exists()]
    if not published:
        raise InputError(f"{settings.output_dir}: no published report to verify.")
    differences = []
    with tempfile.TemporaryDirectory(prefix="headache-verify-") as folder:
        fresh = replace(settings, output_dir=Path(folder), selected=tuple(published))
        parameters = {
            name: read_json(settings.output_dir / name / RUN_FILE).get("parameters", {}) for name in published
        }
        for name in published:
            if parameters[name] != dict(settings.parameters):
                differences.append(f"{name}: was made with other parameters: {parameters[name]}")
        outcome = pipeline.run(fresh, progress)
        for name in published:
            if name in outcome.failed:
                differences.append(f"{name}: {outcome.failed[name]}")
                continue
            inputs = _inputs_changed(settings.output_dir / name, fresh.output_dir / name)
            differences += [
                f"{name}: {text}{inputs}"
                for text in compare_folders(settings.output_dir / name, fresh.output_dir / name)
            ]
    return differences


def compare_folders(published: Path, fresh: Path) -> list[str]:
    """Which result files of two report folders are missing or not the same bytes."""
    names = sorted({path.relative_to(folder).as_posix() for folder in (published, fresh) for path in _results(folder)})
    found = []
    for name in names:
        one, other = published / name, fresh / name
        if not one.exists() or not other.exists():
            found.append(f"{name} is only in the {'fresh' if other.exists() else 'published'} report")
        elif one.read_bytes() != other.read_bytes():
            found.append(f"{name} differs")
    return found


def _results(folder: Path) -> list[Path]:
    return [path for pattern in COMPARED for path in folder.glob(pattern) if path.is_file()]


def _inputs_changed(published: Path, fresh: Path) -> str:
    from headache_evidence.reports.fingerprint import differences

    before, now = (read_json(folder / RUN_FILE).get("fingerprint", {}) for folder in (published, fresh))
    parts = differences(before, now)
    return f" (inputs changed since: {', '.join(parts)})" if parts else " (with the same inputs)"
