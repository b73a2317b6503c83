"""Time from a changed setting to the new screen, for all types and controls: python benchmarks/explorer_speed.py"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from headache_evidence.explore.choices import answered
from headache_evidence.explore.exploration import Explorer
from headache_evidence.explore.explorer_app import ExplorerApp, open_explorer
from headache_evidence.explore.explorer_settings import ExplorerSettings

ROOT = Path(__file__).parents[1]
EVERY = 3  # of the questions with an answer, every third
CHANGES = {
    "estimator": {"method": "DL"},
    "interval": {"ci": "wald"},
    "risk of bias shown": {"lights": True},
    "doubtful numbers out": {"leave_out_doubtful": True},
    "high risk of bias out": {"leave_out_high_risk": True},
    "correlation": {"pre_post_correlation": 0.37},
    "another measure": {},
    "a study taken out": {},
}


AIM = 200  # milliseconds


def main() -> None:
    """Print medians and maxima in milliseconds: on the clock, and of the processor alone (a busy machine waits)."""
    app = open_explorer(ROOT / "data")
    found: dict[str, list[tuple[float, float]]] = {}
    for name, settings in updates(app):
        wall, cpu = time.perf_counter(), time.process_time()
        app.show(settings)
        used = (1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu))
        found.setdefault(name, []).append(used)
    found["all"] = [used for times in found.values() for used in times]
    for name, times in found.items():
        clock, processor = zip(*times, strict=True)
        sys.stdout.write(f"{name:22} n = {len(times):4}: {summary(clock)}; processor {summary(processor)}\n")


def updates(app: ExplorerApp) -> Iterator[tuple[str, ExplorerSettings]]:
    """Each question, and from there each change; nothing is asked twice, since answers and effects are kept."""
    other = Explorer(app.explorer.evidence, app.explorer.protocol)
    for headache_type in app.explorer.protocol.headache_types:
        for _, question in answered(other, headache_type)[::EVERY]:
            yield "another question", question
            measures = [word for _, word in app._controls["measure"].options]
            for name, change in CHANGES.items():
                if name == "another measure":
                    change = {"measure": measures[-1]}
                if name == "a study taken out":
                    change = {"taken_out": (app._rows._study_ids[0],)}
                yield name, replace(question, **change)


def summary(times: tuple[float, ...]) -> str:
    """Median and largest, in milliseconds, and how many are above the aim."""
    slow = sum(time > AIM for time in times)
    return f"median {statistics.median(times):.0f} ms, largest {max(times):.0f} ms, {slow} above {AIM} ms"


if __name__ == "__main__":
    main()
