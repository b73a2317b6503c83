"""Times of this package beside metafor and PyMetaAnalysis, in one run: `make bench`.

    python benchmarks/side_by_side.py [--repeats 5] [--pymetaanalysis PYTHON]

Times are processor time, which other work on the machine disturbs least, and the fastest of several runs. metafor is
run where Rscript has it; PyMetaAnalysis where an interpreter that has it is named (or this one does). Without them the
table holds our times alone. Data: the first 12 and 16 studies of Raudenbush (1985), from
tests/reference/pooling.json; simulated data and the multiverse are synthetic.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from synthetic_evidence import write_synthetic_evidence

import headache_evidence as he
from headache_evidence.pools.multiverse_sweep import sweep

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
REFERENCE = HERE.parent / "tests" / "reference" / "pooling.json"
SIMULATED = 100_000
SETS = 477  # times 7 estimators and 3 intervals: 10,017 specifications
TAU2_METHODS = ("REML", "DL", "PM", "ML", "EB", "HE", "SJ")
CI_METHODS = ("knapp-hartung-conservative", "knapp-hartung", "wald")
TITLES = {
    "fit": "one REML + Knapp-Hartung fit, k = 12",
    "columns": "one such fit by pool_columns, k = 12",
    "leave_one_out": "leave-one-out, k = 12",
    "influence": "influence, k = 12",
    "gosh_12": "GOSH, k = 12: 4,095 REML fits",
    "gosh_16": "GOSH, k = 16: 65,535 REML fits",
    "permutation": "exact permutation test, k = 12, refitted by REML",
    "simulated": "100,000 simulated meta-analyses, k = 12, REML + KH",
    "sweep": "10,017 specifications, k = 12: the pools alone",
    "multiverse": "multiverse, from tables to shares",
}


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the fastest of several runs."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def our_times(yi: np.ndarray, vi: np.ndarray, repeats: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Seconds by task, and the results that are compared with metafor's."""
    y12, v12, y16, v16 = yi[:12], vi[:12], yi[:16], vi[:16]
    rng = np.random.default_rng(20250101)
    many_v = rng.uniform(0.02, 0.2, (12, SIMULATED))
    many_y = rng.normal(0.3, np.sqrt(many_v + 0.04))
    sets = [(many_y[:, i], many_v[:, i]) for i in range(SETS)]
    work: dict[str, Callable[[], object]] = {
        "fit": lambda: he.pool(yi=y12, vi=v12, method="REML", ci="knapp-hartung"),
        "columns": lambda: he.pool_columns(y12[:, None], v12[:, None], "REML", "knapp-hartung"),
        "leave_one_out": lambda: he.leave_one_out(yi=y12, vi=v12, ci="knapp-hartung"),
        "influence": lambda: he.influence(yi=y12, vi=v12),
        "gosh_12": lambda: he.gosh(yi=y12, vi=v12),
        "gosh_16": lambda: he.gosh(yi=y16, vi=v16),
        "permutation": lambda: he.permutation_test(yi=y12, vi=v12, exact=True),
        "simulated": lambda: he.pool_columns(many_y, many_v, "REML", "knapp-hartung"),
        "sweep": lambda: sweep(sets, TAU2_METHODS, CI_METHODS),
    }
    short = {"fit": 50, "columns": 50, "leave_one_out": 10, "influence": 10}
    seconds = {name: fastest(task, repeats * short.get(name, 1)) for name, task in work.items()}
    fit = he.pool(yi=y12, vi=v12, method="REML", ci="knapp-hartung")
    results = {
        "estimate": fit.estimate,
        "ci": list(fit.ci),
        "leave_one_out": he.leave_one_out(yi=y12, vi=v12, ci="knapp-hartung")["estimate"].to_list(),
        "cook_d": he.influence(yi=y12, vi=v12)["cook_d"].to_list(),
        "gosh": np.sort(he.gosh(yi=y12, vi=v12)["estimate"]).tolist(),
        "permutation_p": he.permutation_test(yi=y12, vi=v12, exact=True).p_value,
    }
    return seconds, results


def multiverse_time(repeats: int) -> tuple[float, int]:
    """Seconds and number of specifications of the front door on 40 synthetic trials, extraction included."""
    protocol = he.load_protocol(DATA / "protocol.yml")
    choices = protocol.multiverse.model_copy(update={"windows": {"short": ("short", "any", "medium")}})
    protocol = protocol.model_copy(update={"multiverse": choices})
    with tempfile.TemporaryDirectory() as folder:
        write_synthetic_evidence(Path(folder), 40)
        for name in ("protocol.yml", "datapackage.json"):
            shutil.copy(DATA / name, folder)
        evidence = he.load_evidence(folder)

    def work() -> he.Multiverse:
        result = he.multiverse(evidence, protocol, "migraine", "pain_intensity", window="short")
        _ = result.share_significant, result.share_beyond(-1.0), result.influence
        return result

    return fastest(work, repeats), len(work().table)


def metafor_times(yi: np.ndarray, vi: np.ndarray, repeats: int) -> dict[str, Any] | None:
    """What metafor_times.R prints; None where Rscript or metafor is missing."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    given = json.dumps({"yi": yi.tolist(), "vi": vi.tolist(), "repeats": repeats})
    return _json_of([rscript, str(HERE / "metafor_times.R"), given])


def pymetaanalysis_times(python: str, yi: np.ndarray, vi: np.ndarray) -> dict[str, Any] | None:
    """What pymetaanalysis_times.py prints; None without an interpreter that has the package."""
    if not python and importlib.util.find_spec("meta_analyze") is None:
        return None
    given = json.dumps({"yi": yi.tolist(), "vi": vi.tolist()})
    return _json_of([python or sys.executable, str(HERE / "pymetaanalysis_times.py"), given])


def _json_of(command: list[str]) -> dict[str, Any] | None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{Path(command[0]).name} left out: {done.stderr.strip().splitlines()[-1:]}\n")
        return None
    return dict(json.loads(done.stdout))


def in_words(seconds: float | None) -> str:
    """A time with a fitting unit."""
    if seconds is None:
        return ""
    for limit, factor, unit in ((1e-3, 1e6, "us"), (1.0, 1e3, "ms"), (600.0, 1.0, "s")):
        if seconds < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds / 60:.0f} min"


def table(ours: dict[str, float], metafor: dict[str, Any] | None, peer: dict[str, Any] | None) -> str:
    """The table as Markdown; scaled times carry a star."""
    theirs, peers = (found["seconds"] if found else {} for found in (metafor, peer))
    scaled = {"metafor": set(metafor["part"]) if metafor else set(), "peer": {"simulated", "sweep"}}
    lines = ["| Task | this package | metafor | times faster | PyMetaAnalysis |", "|---|---:|---:|---:|---:|"]
    for name, title in TITLES.items():
        other = theirs.get("fit" if name == "columns" else name)
        peer_time = peers.get("fit" if name == "columns" else name)
        faster = f"{other / ours[name]:,.0f}" if other else ""
        star = "*" if name in scaled["metafor"] and other else ""
        peer_star = "*" if name in scaled["peer"] and peer_time else ""
        lines.append(
            f"| {title} | {in_words(ours[name])} | {in_words(other)}{star} | {faster} "
            f"| {in_words(peer_time)}{peer_star} |"
        )
    return "\n".join(lines)


def agreement(results: dict[str, Any], metafor: dict[str, Any]) -> str:
    """Largest differences between our results and metafor's in this run."""
    parts = [
        f"{name.replace('_', ' ')} {np.max(np.abs(np.atleast_1d(value) - np.atleast_1d(metafor[name]))):.1e}"
        for name, value in results.items()
    ]
    return "Largest absolute differences from metafor in this run: " + ", ".join(parts) + "."


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description="Times of this package beside metafor and PyMetaAnalysis.")
    parser.add_argument("--repeats", type=int, default=5, help="runs of our tasks; the fastest counts")
    parser.add_argument("--metafor-repeats", type=int, default=1, help="runs of metafor's long tasks")
    parser.add_argument("--pymetaanalysis", default="", help="an interpreter that has PyMetaAnalysis 0.9")
    given = parser.parse_args()
    studies = json.loads(REFERENCE.read_text(encoding="utf-8"))["sets"]["raudenbush1985"]
    yi, vi = np.array(studies["yi"], dtype=float), np.array(studies["vi"], dtype=float)
    ours, results = our_times(yi, vi, given.repeats)
    ours["multiverse"], specifications = multiverse_time(given.repeats)
    metafor = metafor_times(yi, vi, given.metafor_repeats)
    peer = pymetaanalysis_times(given.pymetaanalysis, yi, vi)
    TITLES["multiverse"] = (
        f"multiverse of {specifications:,} specifications, 40 synthetic trials, from tables to shares"
    )
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, numpy {version('numpy')}, scipy {version('scipy')}"
        + (f"; {metafor['R']}, metafor {metafor['version']}" if metafor else "; metafor not found")
        + (f"; PyMetaAnalysis {peer['version']}" if peer else "; PyMetaAnalysis not found"),
        table(ours, metafor, peer),
    ]
    if metafor:
        parts = ", ".join(f"{name.replace('_', ' k = ')}: {part}" for name, part in metafor["part"].items())
        lines.append(f"\\* timed on a part and scaled up ({parts}; PyMetaAnalysis: one fit).")
        lines.append(agreement(results, metafor))
    sys.stdout.write("\n\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
