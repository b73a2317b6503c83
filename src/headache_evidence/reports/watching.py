"""Reports that follow their data: brought up to date as soon as a table, the protocol or a notebook changes."""

from __future__ import annotations

import contextlib
import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from headache_evidence.reports.nursery import WarmProcess, warm_process
from headache_evidence.reports.site import import_ahead
from headache_evidence.reports.workers import prepare_workers

INTERVAL = 0.5

FileMarks = dict[Path, tuple[int, int]]


def watch(bring_up_to_date: Callable[[WarmProcess | None], object], data_dir: Path, places: Sequence[Path]) -> NoReturn:
    """Call ``bring_up_to_date`` now and after every change in ``places``, until this process is interrupted.

    Size and time of a file only tell that it is worth a look; what is stale is decided by content. Processes stay warm:
    a change costs no start. They have the package as it was when watching began.
    """
    seen: FileMarks | None = None
    with warm_process(data_dir, several=True) as warm:
        while True:
            now = file_marks(places)
            if now != seen:
                bring_up_to_date(warm)
                if seen is None:
                    prepare_workers()
                    import_ahead()
                seen = now
            time.sleep(INTERVAL)


def file_marks(places: Sequence[Path]) -> FileMarks:
    """Size and time of change of files and of the files in folders; one that goes away meanwhile is left out."""
    marks = {}
    for path in (path for place in places for path in ([place] if place.is_file() else place.glob("[!.]*"))):
        with contextlib.suppress(OSError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                marks[path] = (status.st_size, status.st_mtime_ns)
    return marks
