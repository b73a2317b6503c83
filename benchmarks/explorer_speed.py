"""Time from a changed setting to words, figure, study rows and controls: python benchmarks/explorer_speed.py"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

from headache_evidence.explore.explorer_app import open_explorer

ROOT = Path(__file__).parents[1]
ESTIMATORS = ("REML", "DL", "PM", "SJ", "ML", "HE", "EB", "FE")
QUESTIONS = {
    "largest pool": {"outcome": "responder_any", "stream": "proportion", "window": "any"},
    "main question": {"outcome": "headache_days", "stream": "controlled", "window": "medium"},
}


def main() -> None:
    """Print medians and maxima in milliseconds: on the clock, and of the processor alone (a busy machine waits)."""
    app = open_explorer(ROOT / "data")
    for name, question in QUESTIONS.items():
        app.show(replace(app.settings, **question))
        clock, processor = [], []
        for _ in range(3):
            for method in ESTIMATORS:
                wall, cpu = time.perf_counter(), time.process_time()
                app.show(replace(app.settings, method=method))
                clock.append(1000 * (time.perf_counter() - wall))
                processor.append(1000 * (time.process_time() - cpu))
        sys.stdout.write(f"{name}, k = {app.exploration.pooled.k}: {summary(clock)}; processor {summary(processor)}\n")


def summary(times: list[float]) -> str:
    """Median and largest, in milliseconds."""
    return f"median {statistics.median(times):.0f} ms, largest {max(times):.0f} ms"


if __name__ == "__main__":
    main()
