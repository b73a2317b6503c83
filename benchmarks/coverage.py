"""How often does a 95% interval of the mean hold the truth when studies are few?

Simulates meta-analyses of standardised mean differences with known variances, pools them by REML with each interval
and by the Bayesian model, and prints the table of docs/coverage.md. All of it is synthetic.

    python benchmarks/coverage.py [--repetitions 100000] [--bayes-repetitions 3000] [--seed 20250101]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.pools.bayes import bayes
from headache_evidence.pools.pool_columns import pool_columns
from headache_evidence.pools.priors import HalfNormal

STUDIES = (2, 3, 5, 10)
TAUS = (0.0, 0.1, 0.3, 0.5)
INTERVALS = ("knapp-hartung", "knapp-hartung-conservative", "wald")
PRIOR = HalfNormal(0.5)
TRUE_MEAN = 0.3
SMALLEST, LARGEST = 20, 200  # patients of a study, log-uniform between
LEVEL = 0.95

FloatArray = npt.NDArray[np.float64]


class Performance(NamedTuple):
    """Share of intervals that hold the truth, its Monte Carlo standard error, mean and median width."""

    coverage: float
    standard_error: float
    mean_width: float
    median_width: float


def simulate(rng: np.random.Generator, k: int, tau: float, repetitions: int) -> tuple[FloatArray, FloatArray]:
    """Effects and their variances, shape (k, repetitions): variance 4/n of a standardised difference, equal arms."""
    patients = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST), (k, repetitions)))
    vi = 4.0 / patients
    yi = rng.normal(TRUE_MEAN, np.sqrt(vi + tau**2))
    return yi, vi


def performance(low: FloatArray, high: FloatArray) -> Performance:
    """Coverage and width of intervals, shape (repetitions,)."""
    held = (low <= TRUE_MEAN) & (high >= TRUE_MEAN)
    coverage = float(held.mean())
    width = high - low
    error = float(np.sqrt(coverage * (1 - coverage) / held.size))
    return Performance(coverage, error, float(width.mean()), float(np.median(width)))


def cell(k: int, tau: float, repetitions: int, bayes_repetitions: int, seed: int) -> Iterator[dict[str, object]]:
    """Performance of every interval at one k and tau; the seed of the cell depends on k and tau."""
    rng = np.random.default_rng([seed, k, round(100 * tau)])
    yi, vi = simulate(rng, k, tau, repetitions)
    frame: dict[str, object] = {"k": k, "tau": tau}
    for ci in INTERVALS:
        pooled = pool_columns(yi, vi, "REML", ci, LEVEL)
        yield (
            frame
            | {"interval": ci, "repetitions": repetitions}
            | performance(pooled.ci_lower, pooled.ci_upper)._asdict()
        )
    ends = np.array(
        [bayes(yi=yi[:, i], vi=vi[:, i], tau_prior=PRIOR, level=LEVEL).ci for i in range(bayes_repetitions)]
    )
    yield frame | {"interval": "Bayesian", "repetitions": bayes_repetitions} | performance(*ends.T)._asdict()


def markdown(results: pd.DataFrame, value: str, digits: int, factor: float = 1.0) -> str:
    """One line per tau and k, one column per interval."""
    names = [*INTERVALS, "Bayesian"]
    lines = [f"| tau | k | {' | '.join(names)} |", "|---:|---:|" + "---:|" * len(names)]
    table = results.pivot(index=["tau", "k"], columns="interval", values=value)
    for (tau, k), row in table.iterrows():  # type: ignore[misc]
        cells = " | ".join(f"{factor * row[name]:.{digits}f}" for name in names)
        lines.append(f"| {tau:g} | {k} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Run every cell and print the tables."""
    parser = argparse.ArgumentParser(description="Coverage and width of 95% intervals of the mean.")
    parser.add_argument("--repetitions", type=int, default=100_000)
    parser.add_argument("--bayes-repetitions", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=20250101)
    given = parser.parse_args()
    start = time.perf_counter()
    rows = [
        row
        for k in STUDIES
        for tau in TAUS
        for row in cell(k, tau, given.repetitions, given.bayes_repetitions, given.seed)
    ]
    results = pd.DataFrame(rows)
    worst = results.groupby("repetitions")["standard_error"].max()
    print = sys.stdout.write
    print(f"Seed {given.seed}; " + "; ".join(f"{n} repetitions: Monte Carlo standard error of the coverage at most "
          f"{100 * error:.2f} percentage points" for n, error in worst.items()) + ".\n")  # fmt: skip
    for title, value, digits, factor in (
        ("Coverage (%), nominal 95", "coverage", 1, 100.0),
        ("Mean width", "mean_width", 2, 1.0),
        ("Median width", "median_width", 2, 1.0),
    ):
        print(f"\n## {title}\n\n{markdown(results, value, digits, factor)}\n")
    sys.stderr.write(f"{time.perf_counter() - start:.0f} s\n")


if __name__ == "__main__":
    main()
