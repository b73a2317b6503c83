"""How time and memory grow with the evidence: synthetic tables of 10^2 to 10^5 studies.

    .venv/bin/python benchmarks/synthetic_evidence.py 100 1000 10000 100000

The studies are invented, named "synthetic", and never leave the temporary folder of this benchmark. Each step runs in
a process of its own, so that peak memory is that of the step. Processor time, unlike wall time, hardly depends on what
else the machine does. A step that takes longer than LIMIT is ended and told.
"""

from __future__ import annotations

import csv
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
LIMIT = 600.0  # seconds a step may take


def write_synthetic_evidence(folder: Path, studies: int, seed: int = 20260701) -> None:
    """Write a valid data folder with ``studies`` invented two-arm trials of migraine, pain at 4 weeks."""
    chance = random.Random(seed)
    tables: dict[str, list[dict[str, object]]] = {name: [] for name in ("studies", "arms", "outcomes", "sources")}
    for number in range(studies):
        study, size = f"Synthetic{number:06d}", chance.randint(10, 80)
        effect = chance.gauss(-1.0, 0.7)
        tables["studies"].append(
            {"study_id": study, "authors": "Synthetic et al.", "identity": "seen", "year": 2000 + number % 25,
             "title": "synthetic, for a benchmark", "design": "rct_parallel", "blinding": "double_blind",
             "n_randomised": 2 * size, "n_analysed": 2 * size, "headache_type": "migraine", "retracted": "no"}
        )  # fmt: skip
        tables["sources"].append(
            {"study_id": study, "source_id": "s1", "url": f"https://example.org/{study}", "kind": "abstract"}
        )
        for arm, technique, shift in (("A", "perineural_block", effect), ("B", "sham_injection", 0.0)):
            role = "intervention" if arm == "A" else "control"
            tables["arms"].append(
                {"study_id": study, "arm_id": arm, "role": role, "label": f"synthetic {arm}", "technique": technique,
                 "comparator_kind": "placebo_saline" if arm == "B" else "",
                 "guidance": "not_reported", "n_randomised": size, "n_analysed": size}
            )  # fmt: skip
            mean = 5.0 + shift + chance.gauss(0, 2 / size**0.5)
            tables["outcomes"].append(
                {"study_id": study, "arm_id": arm, "unit_of_analysis": "patient", "outcome": "pain_intensity",
                 "outcome_reported": "pain", "scale": "nrs_0_10", "scale_reported": "NRS", "better": "lower",
                 "kind": "endpoint", "sign": "signed", "time_value": 4, "time_unit": "weeks", "time_label": "4 weeks",
                 "n": size, "mean": round(min(max(mean, 0.5), 9.5), 3), "sd": round(chance.uniform(1.2, 2.6), 3),
                 "source_id": "s1"}
            )  # fmt: skip
    for path in DATA.iterdir():
        if path.suffix == ".csv":
            header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
            with (folder / path.name).open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, header, restval="", lineterminator="\n", extrasaction="ignore")
                writer.writeheader()
                writer.writerows(tables.get(path.stem, []))
        elif path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())


def check(folder: Path) -> str:
    """Validate the tables."""
    from headache_evidence.tables.validation import check_evidence

    return f"{len(check_evidence(folder))} faults and warnings"


def fingerprint(folder: Path) -> str:
    """Find out what is stale."""
    from headache_evidence.reports.fingerprint import data_hashes

    return data_hashes(folder, ["migraine", "cluster"])["migraine"][:8]


def load(folder: Path) -> str:
    """Validate and load the tables."""
    import headache_evidence as he

    return f"{len(he.load_evidence(folder).outcomes)} outcome rows"


def extract(folder: Path) -> str:
    """Load, and extract the effects of one outcome."""
    import headache_evidence as he

    evidence = he.load_evidence(folder)
    effects = he.extract_effects(evidence, headache_type="migraine", outcome="pain_intensity", stream="controlled")
    return f"{len(effects)} effects"


def pool(folder: Path) -> str:
    """Pool as many invented effects as there are studies, by the default model."""
    import numpy as np

    import headache_evidence as he

    size = sum(1 for _ in (folder / "studies.csv").open(encoding="utf-8")) - 1
    chance = np.random.default_rng(20260701)
    vi = chance.uniform(0.05, 0.4, size)
    result = he.pool(yi=chance.normal(-1.0, np.sqrt(vi + 0.5)), vi=vi)
    return f"k = {result.k}"


def answer(folder: Path) -> str:
    """Load, extract the effects of every question and pool them."""
    import headache_evidence as he

    answers = he.answer_questions(he.load_evidence(folder), he.load_protocol(folder / "protocol.yml"), "migraine")
    return f"{len(answers)} answers, largest k = {max((item.pooled.k for item in answers), default=0)}"


STEPS: dict[str, Callable[[Path], str]] = {
    "what is stale": fingerprint,
    "validate": check,
    "load": load,
    "extract one outcome": extract,
    "pool": pool,
    "answer every question": answer,
}


def measure(step: str, folder: Path, sender: object) -> None:
    """Run a step and send seconds, seconds of the processor, peak memory in MiB and what came out."""
    started = time.perf_counter()
    try:
        result = STEPS[step](folder)
    except Exception as error:
        result = f"failed: {type(error).__name__}: {str(error).splitlines()[0]}"
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sender.send((seconds, time.process_time(), peak, result))  # type: ignore[attr-defined]


def main(sizes: list[int]) -> None:
    """Print a Markdown table of all steps and sizes."""
    context = multiprocessing.get_context("spawn")
    print("| studies | step | seconds | processor | peak MiB | result |\n|---|---|---|---|---|---|")  # noqa: T201
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            write_synthetic_evidence(Path(folder), size)
            for step in STEPS:
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=measure, args=(step, Path(folder), sender))
                process.start()
                sender.close()
                try:
                    if receiver.poll(LIMIT):
                        seconds, processor, peak, result = receiver.recv()
                        row = f"{seconds:.1f} | {processor:.1f} | {peak:.0f} | {result}"
                    else:
                        row = f"over {LIMIT:.0f} | | | ended at the limit"
                        process.kill()
                except EOFError:
                    row = "| | | killed, out of memory perhaps"
                print(f"| {size} | {step} | {row} |", flush=True)  # noqa: T201
                process.join()


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [100, 1000, 10000])
