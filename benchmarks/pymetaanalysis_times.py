"""Times of PyMetaAnalysis on the data of side_by_side.py, as JSON; run by an interpreter that has it.

PYTHON benchmarks/pymetaanalysis_times.py '{"yi": [...], "vi": [...]}'
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import meta_analyze


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the fastest of several runs."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def main() -> None:
    """Time what the package has."""
    given = json.loads(sys.argv[1])
    yi, vi = given["yi"][:12], given["vi"][:12]
    studies = [f"study {i}" for i in range(12)]

    def fit():
        return meta_analyze.meta_analysis(
            effect=yi, variance=vi, study=studies, model="random", tau2_method="REML", ci_method="hksj"
        )

    result = fit()
    one = fastest(fit, 50)
    loo = fastest(result.leave_one_out, 10)
    seconds = {"fit": one, "leave_one_out": loo, "simulated": one * 1e5, "sweep": one * 10017}
    found = {"version": version("PyMetaAnalysis"), "seconds": seconds, "estimate": float(result.estimate)}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
