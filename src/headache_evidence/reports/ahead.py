"""What all notebooks of a run, or of one report, ask for, worked out before their shells are forked.

Functions of the package that keep what they have worked out for equal evidence then answer at once in each shell.
"""

from __future__ import annotations

import contextlib
import gc
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headache_evidence.reports.records import Job

PREPARATION_SECONDS = 30


def prepare_evidence(data_dir: Path, *, screen: bool) -> None:
    """Examine and join the evidence and collect its harms, which every report needs whole, and ``screen`` it."""
    from headache_evidence.conclusions.harms import harm_reports
    from headache_evidence.effects.extraction_tables import extraction_tables
    from headache_evidence.tables import integrity
    from headache_evidence.tables.evidence import load_evidence
    from headache_evidence.tables.protocol import load_protocol

    evidence = load_evidence(data_dir)
    protocol = load_protocol(data_dir / "protocol.yml")
    extraction_tables(evidence, protocol.extraction)
    harm_reports(evidence, protocol)
    if screen:
        integrity.screen(evidence)


def answer_ahead(job: Job) -> None:
    """Answer the questions that the notebooks of a report ask, each on its own."""
    from headache_evidence.pools.answers import answer_questions
    from headache_evidence.tables.evidence import load_evidence
    from headache_evidence.tables.protocol import load_protocol

    outcomes = next((own["outcomes"] for own in job.parameters.values() if own.get("outcomes")), None)
    protocol = load_protocol(job.data_dir / "protocol.yml")
    answer_questions(load_evidence(job.data_dir), protocol, job.headache_type, outcomes)


def try_ahead(prepare: Callable[[], object]) -> None:
    """Run ``prepare``, then spare forked processes from looking through what is in memory now when they tidy up.

    What fails here, or takes too long, fails again in the notebook that asks for it, where it is reported. ``prepare``
    is not to import anything: an import cut short by the time limit would stay broken in all forks.
    """

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(PREPARATION_SECONDS)
    try:
        with contextlib.suppress(Exception):
            prepare()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    gc.freeze()
