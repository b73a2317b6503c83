"""What the next trial must show, and how likely it is to change the answer.

The updated meta-analysis is simulated: a true effect is drawn from the predictive distribution of the present one, a
trial of n patients per arm is drawn around it, and all studies are pooled again.

Sutton AJ, Cooper NJ, Jones DR, Lambert PC, Thompson JR, Abrams KR (2007), Statistics in Medicine 26:2479-2500.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import StudyData, study_data, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import critical_value
from headache_evidence.pools.pool_columns import pool_columns
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.result import PooledResult, json_ready

FloatArray = npt.NDArray[np.float64]
Better = Literal["lower", "higher"]


@dataclass(frozen=True)
class NextTrial:
    """The next trial by its size.

    ``table`` has one row per n_per_arm: ``excludes_null`` and ``beyond_threshold``, probabilities that the updated
    confidence interval lies wholly on the better side of no effect and of the threshold; ``trial_alone``, that the
    trial's own interval excludes no effect on that side; ``monte_carlo_error``, the largest standard error of the
    three; ``must_show_null`` and ``must_show_threshold``, the result with which the updated interval just reaches no
    effect or the threshold (tau2 held, weights of the random-effects model).
    """

    current: PooledResult
    better: str
    threshold: float
    standard_deviation: float  # per patient, on the analysis scale
    simulations: int
    seed: int
    table: pd.DataFrame
    words: str

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON-ready values."""
        records = self.table.to_dict("records")
        return {
            "current": self.current.to_dict(),
            "better": self.better,
            "threshold": json_ready(self.threshold),
            "standard_deviation": json_ready(self.standard_deviation),
            "simulations": self.simulations,
            "seed": self.seed,
            "table": [{str(name): json_ready(value) for name, value in row.items()} for row in records],
            "words": self.words,
        }


def next_trial(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    n_per_arm: Sequence[int] = (25, 50, 100, 200, 400),
    threshold: float = math.nan,
    sd: float | None = None,
    better: Better | None = None,
    method: str = "REML",
    ci: str = "knapp-hartung-conservative",
    level: float = 0.95,
    simulations: int = 2000,
    seed: int = 1,
) -> NextTrial:
    """Evidence-based sample size of the next trial.

    Parameters
    ----------
    effects : effects table of two-arm comparisons, or give ``yi`` and ``vi``, shape (k,), with k of at least 2.
    n_per_arm : sizes to try, patients in each of two equal arms.
    threshold : effect that matters (minimal important difference) on the analysis scale; NaN skips it.
    sd : standard deviation per patient on the analysis scale, so that a trial has variance 2 sd^2 / n. By default the
        median over the studies of vi n1 n2 / (n1 + n2), which needs ``n1`` and ``n2``.
    better : direction that is good; read from the effects table, or "lower".
    method, ci, level : of the present and the updated meta-analysis, as in ``pool``.
    simulations, seed : size and seed of the simulation; equal seeds give equal results.

    Raises
    ------
    InputError
        for fewer than two studies, an unknown direction, or when the standard deviation cannot be had.
    """
    data = study_data(effects, yi=yi, vi=vi)
    if data.k < 2:
        raise InputError(f"Planning the next trial from a meta-analysis needs two or more studies; got {data.k}.")
    sizes = np.asarray(n_per_arm, dtype=float)
    if sizes.size == 0 or np.any(sizes < 2) or simulations < 1:
        raise InputError("n_per_arm needs sizes of at least 2, simulations at least 1.")
    direction = _direction(effects, better)
    deviation = _standard_deviation(effects, data, sd)
    current = pool(yi=data.yi, vi=data.vi, labels=data.labels, method=method, ci=ci, level=level)
    sign = -1.0 if direction == "lower" else 1.0
    rng = np.random.default_rng(seed)
    truth = _predicted_effects(current, simulations, rng)
    noise = rng.standard_normal(simulations)
    rows = []
    for size in sizes:
        variance = 2 * deviation**2 / size
        trial = truth + math.sqrt(variance) * noise
        rows.append(
            {"n_per_arm": int(size)}
            | _chances(data, trial, variance, sign, threshold, method, ci, level)
            | {
                "must_show_null": must_show(data, current, variance, 0.0, direction),
                "must_show_threshold": must_show(data, current, variance, threshold, direction),
            }
        )
    table = pd.DataFrame(rows)
    return NextTrial(
        current=current,
        better=direction,
        threshold=threshold,
        standard_deviation=deviation,
        simulations=simulations,
        seed=seed,
        table=table,
        words=_words(table, data.k, threshold),
    )


def must_show(data: StudyData, current: PooledResult, variance: float, target: float, better: Better) -> float:
    """Result of a new trial of the given variance with which the updated interval just reaches ``target``.

    The interval is estimate -/+ c / sqrt(sum of weights) with tau2 held at its present value; c is the normal
    quantile, or for Knapp-Hartung t on the new number of studies less 1. Knapp-Hartung intervals can only be wider in
    their conservative form, so the true requirement is then at least this.
    """
    if math.isnan(target):
        return math.nan
    weights = 1 / (data.vi + current.tau2)
    own = 1 / (variance + current.tau2)
    total = float(weights.sum()) + own
    df = math.nan if current.ci_method == "wald" else float(data.k)
    half = critical_value(current.level, df) / math.sqrt(total)
    needed = target - half if better == "lower" else target + half
    return (needed * total - float(weights @ data.yi)) / own


def _predicted_effects(current: PooledResult, size: int, rng: np.random.Generator) -> FloatArray:
    """True effects of a new trial: uncertainty of the mean (t when the interval is) and heterogeneity."""
    mean = rng.standard_normal(size) if math.isnan(current.df) else rng.standard_t(current.df, size)
    return current.estimate + current.se * mean + math.sqrt(current.tau2) * rng.standard_normal(size)


def _chances(
    data: StudyData,
    trial: FloatArray,
    variance: float,
    sign: float,
    threshold: float,
    method: str,
    ci: str,
    level: float,
) -> dict[str, float]:
    yi = np.vstack([np.repeat(data.yi[:, None], trial.size, axis=1), trial])
    vi = np.append(data.vi, variance)[:, None]
    pooled = pool_columns(yi, vi, method, ci, level)
    worst = pooled.ci_lower if sign > 0 else -pooled.ci_upper
    alone = sign * trial - critical_value(level, math.nan) * math.sqrt(variance)
    chances = {
        "excludes_null": float(np.mean(worst > 0)),
        "beyond_threshold": math.nan if math.isnan(threshold) else float(np.mean(worst > sign * threshold)),
        "trial_alone": float(np.mean(alone > 0)),
    }
    errors = [math.sqrt(p * (1 - p) / trial.size) for p in chances.values() if not math.isnan(p)]
    return chances | {"monte_carlo_error": max(errors)}


def _direction(effects: pd.DataFrame | None, better: Better | None) -> Better:
    if better is not None:
        if better not in ("lower", "higher"):
            raise InputError(f'better is "lower" or "higher"; got {better!r}.')
        return better
    if effects is None or "better" not in effects.columns:
        return "lower"
    found = set(usable_effects(effects)["better"])
    if found == {"lower"}:
        return "lower"
    if found == {"higher"}:
        return "higher"
    raise InputError(f"The effects do not agree on which direction is better ({sorted(map(str, found))}): give better.")


def _standard_deviation(effects: pd.DataFrame | None, data: StudyData, sd: float | None) -> float:
    if sd is not None:
        if not sd > 0:
            raise InputError(f"sd must be above 0; got {sd}.")
        return float(sd)
    rows = None if effects is None else usable_effects(effects)
    if rows is None or not {"n1", "n2"} <= set(rows.columns):
        raise InputError("Give sd, or an effects table with n1 and n2.")
    n1, n2 = (rows[name].to_numpy(dtype=float, na_value=np.nan) for name in ("n1", "n2"))
    implied = data.vi * n1 * n2 / (n1 + n2)
    if not np.isfinite(implied).any():
        raise InputError("n1 and n2 are missing for every study: give sd.")
    return float(np.sqrt(np.nanmedian(implied)))


def _words(table: pd.DataFrame, k: int, threshold: float) -> str:
    column = "excludes_null" if math.isnan(threshold) else "beyond_threshold"
    what = "no effect" if math.isnan(threshold) else f"the threshold {threshold:g}"
    last = table.iloc[-1]
    return (
        f"With {int(last['n_per_arm'])} patients per arm the updated interval (k = {k + 1}) would lie beyond {what} "
        f"with probability {float(last[column]):.2f}."
    )
