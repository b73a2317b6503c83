"""What all notebooks of a run, or of one report, ask for, worked out before their kernels are forked.

Functions of the package that keep what they have worked out for equal evidence then answer at once in each kernel.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headache_evidence.reports.records import Job

#: Tells the warm process, which is started without arguments, where the evidence lies.
DATA_VARIABLE = "HEADACHE_EVIDENCE_WARM_DATA"
PREPARATION_SECONDS = 30


def prepare_evidence(data_dir: Path) -> None:
    """Examine, join and screen the evidence, which every report needs whole."""
    from headache_evidence.effects.extraction_tables import extraction_tables
    from headache_evidence.tables.evidence import load_evidence
    from headache_evidence.tables.integrity import screen
    from headache_evidence.tables.protocol import load_protocol

    evidence = load_evidence(data_dir)
    screen(evidence)
    extraction_tables(evidence, load_protocol(data_dir / "protocol.yml").extraction)


def prepare_evidence_of_environment() -> None:
    """In the warm process: prepare the evidence that its environment names, if any."""
    data_dir = os.environ.pop(DATA_VARIABLE, "")
    if data_dir:
        try_ahead(lambda: prepare_evidence(Path(data_dir)))


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

    What fails here, or takes too long, fails again in the notebook that asks for it, where it is reported.
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
