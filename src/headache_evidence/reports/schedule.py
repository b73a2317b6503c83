"""Ready-made schedules: they all run ``headache-evidence report`` in the project's folder."""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path

from headache_evidence.errors import ParameterError

KINDS = {
    "cron": ("schedule.cron",),
    "systemd": ("headache-evidence.service", "headache-evidence.timer"),
    "github": ("github-report.yml",),
}


def schedule_text(kind: str, project: Path) -> str:
    """The schedule as text to put in place; comments in it say where it goes.

    Raises
    ------
    ParameterError
        for a kind that does not exist.
    """
    if kind not in KINDS:
        raise ParameterError(f"Unknown schedule {kind!r}. Allowed are {', '.join(KINDS)}.")
    folder = files("headache_evidence.reports") / "templates" / "schedule"
    parts = [(folder / name).read_text(encoding="utf-8") for name in KINDS[kind]]
    # a percent sign begins a specifier of systemd, and ends the command of cron
    values = {
        "@PROJECT@": str(project).replace("%", "%%"),
        "@QUOTED_PROJECT@": shlex.quote(str(project)).replace("%", r"\%"),
    }
    text = "\n".join(parts)
    for name, value in values.items():
        text = text.replace(name, value)
    return text
