"""Reports that follow their data: brought up to date as soon as a file that they use changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from headache_evidence.reports.nursery import WarmProcess, warm_process

INTERVAL = 0.5

FileMarks = dict[Path, tuple[int, int]]


def watch(
    bring_up_to_date: Callable[[WarmProcess | None], object], data_dir: Path, folders: Sequence[Path]
) -> NoReturn:
    """Call ``bring_up_to_date`` now and after every change in ``folders``, until this process is interrupted.

    Size and time of a file only tell that it is worth a look; what is stale is decided by content. The process that
    kernels are forked from stays: a change costs no start. It has the package as it was when watching began.
    """
    seen: FileMarks | None = None
    with warm_process(data_dir, screen=True) as warm:
        while True:
            now = file_marks(folders)
            if now != seen:
                seen = now
                bring_up_to_date(warm)
            time.sleep(INTERVAL)


def file_marks(folders: Sequence[Path]) -> FileMarks:
    """Size and time of change of the files in folders; a file that goes away meanwhile is left out."""
    marks = {}
    for path in (path for folder in folders for path in folder.glob("*")):
        try:
            status = path.stat()
        except OSError:
            continue
        marks[path] = (status.st_size, status.st_mtime_ns)
    return marks
