"""Trim and fill: how many studies an asymmetric funnel lacks, and the pool with their mirror images.

Duval S, Tweedie R (2000), Biometrics 56:455-463 and Journal of the American Statistical Association 95:89-98.
A sensitivity analysis, not a correction: asymmetry can have other reasons than missing studies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from headache_evidence.effects.effect_table import StudyData, study_data, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.pool_columns import pool_columns
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.result import PooledResult
from headache_evidence.pools.small_study import DEFAULT_MIN_K, SmallStudyResult, override_note, refusal
from headache_evidence.pools.small_study_regression import mixed_effects_line

FloatArray = npt.NDArray[np.float64]
Estimator = Literal["L0", "R0", "Q0"]
MAX_ITERATIONS = 100


@dataclass(frozen=True, kw_only=True)
class TrimAndFill(SmallStudyResult):
    """Trim and fill; ``filled_yi`` and ``filled_vi`` are the mirror images added to the k effects."""

    estimator: str  # L0, R0 or Q0
    side: str = ""  # where studies are lacking: left or right
    k0: int = 0  # number of studies filled in
    k0_se: float = math.nan
    k0_p: float = math.nan  # R0 only: no study is missing on that side
    filled_yi: tuple[float, ...] = ()
    filled_vi: tuple[float, ...] = ()
    unadjusted: PooledResult | None = None
    adjusted: PooledResult | None = None


def trim_and_fill(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    side: Literal["left", "right"] | None = None,
    estimator: Estimator = "L0",
    method: str = "REML",
    ci: str = "knapp-hartung-conservative",
    min_k: int = DEFAULT_MIN_K,
    override: bool = False,
    level: float = 0.95,
) -> TrimAndFill:
    """Trim and fill, as metafor's ``trimfill``.

    Parameters
    ----------
    effects : effects table, or give ``yi`` and ``vi``, shape (k,).
    side : where studies are lacking. None asks Egger's regression (mixed effects, ``method``): a negative slope means
        right.
    estimator : of the number of lacking studies.
    method, ci, level : how the effects are pooled, as in ``pool``.
    min_k, override : below ``min_k`` effects the result is "not assessable" unless ``override``.

    Raises
    ------
    InputError
        for an unknown side or estimator, and when trimming finds no stable number of studies.
    """
    if estimator not in ("L0", "R0", "Q0") or side not in (None, "left", "right"):
        raise InputError(f"estimator is L0, R0 or Q0, side left, right or None; got {estimator!r}, {side!r}.")
    data = study_data(effects, yi=yi, vi=vi)
    words = refusal(data.k, min_k, override)
    if words:
        return TrimAndFill(k=data.k, min_k=min_k, assessable=False, words=words, estimator=estimator)
    if side is None:
        slope = mixed_effects_line(data.yi, data.vi, np.sqrt(data.vi), method).coefficients[1]
        side = "right" if slope < 0 else "left"
    sign = -1.0 if side == "right" else 1.0
    order = np.argsort(sign * data.yi, kind="stable")
    y, v = sign * data.yi[order], data.vi[order]
    k0, k0_se, centre = _trim(y, v, estimator, method)
    mirrored = sign * (2 * centre - y[data.k - k0 :])
    measure, n = _measure_and_n(effects)
    before = pool(yi=data.yi, vi=data.vi, labels=data.labels, n=n, method=method, ci=ci, level=level, measure=measure)
    after = _refill(data, mirrored, v[data.k - k0 :], method, ci, level, measure) if k0 else before
    return TrimAndFill(
        k=data.k,
        min_k=min_k,
        assessable=True,
        words=f"Trim and fill ({estimator}): {k0} filled in on the {side}; pooled {before.estimate:.3g} before, "
        f"{after.estimate:.3g} after (k = {data.k})." + override_note(data.k, min_k),
        estimator=estimator,
        side=side,
        k0=k0,
        k0_se=k0_se,
        k0_p=0.5 ** (k0 + 1) if estimator == "R0" else math.nan,
        filled_yi=tuple(map(float, mirrored)),
        filled_vi=tuple(map(float, v[data.k - k0 :])),
        unadjusted=before,
        adjusted=after,
    )


def _trim(y: FloatArray, v: FloatArray, estimator: str, method: str) -> tuple[int, float, float]:
    """Number of lacking studies on the left, its standard error, and the centre of the trimmed funnel; y sorted."""
    k = y.size
    k0 = 0
    for _ in range(MAX_ITERATIONS):
        kept = k - k0
        if kept < 1:
            break
        centre = float(pool_columns(y[:kept, None], v[:kept, None], method, "wald").estimate[0])
        deviation = y - centre
        ranks = np.sign(deviation) * stats.rankdata(np.abs(deviation), method="ordinal")
        found, se = _lacking(ranks, estimator)
        if found == k0:
            return k0, se, centre
        k0 = found
    raise InputError("Trim and fill found no stable number of lacking studies; use another estimator.")


def _lacking(ranks: FloatArray, estimator: str) -> tuple[int, float]:
    """Estimate of the number of lacking studies from the signed ranks, shape (k,), and its standard error."""
    k = ranks.size
    if estimator == "R0":
        estimate = (k - np.max(-ranks[ranks < 0])) - 1 if np.any(ranks < 0) else k - 1
        return _whole(estimate), float(np.sqrt(2 * max(0.0, float(estimate)) + 2))
    above = ranks[ranks > 0].sum()
    if estimator == "L0":
        estimate = (4 * above - k * (k + 1)) / (2 * k - 1)
    else:
        root = 2 * k**2 - 4 * above + 0.25
        if root < 0:
            raise InputError("The estimator Q0 is not defined for these effects; use L0 or R0.")
        estimate = k - 0.5 - np.sqrt(root)
    variance = (
        k * (k + 1) * (2 * k + 1)
        + 10 * estimate**3
        + 27 * estimate**2
        + 17 * estimate
        - 18 * k * estimate**2
        - 18 * k * estimate
        + 6 * k**2 * estimate
    ) / 24
    spread = np.sqrt(max(0.0, variance))
    if estimator == "L0":
        return _whole(estimate), float(4 * spread / (2 * k - 1))
    return _whole(estimate), float(2 * spread / np.sqrt((k - 0.5) ** 2 - estimate * (2 * k - estimate - 1)))


def _whole(estimate: float) -> int:
    return max(0, round(float(estimate)))


def _measure_and_n(effects: pd.DataFrame | None) -> tuple[str | None, FloatArray | None]:
    if effects is None:
        return None, None
    rows = usable_effects(effects)
    measures = set(rows["measure"]) if "measure" in rows.columns else set()
    n = rows["n1"] + rows["n2"].fillna(0) if {"n1", "n2"} <= set(rows.columns) else None
    return (
        str(measures.pop()) if len(measures) == 1 else None,
        None if n is None else n.to_numpy(dtype=float, na_value=np.nan),
    )


def _refill(
    data: StudyData, yi: FloatArray, vi: FloatArray, method: str, ci: str, level: float, measure: str | None
) -> PooledResult:
    labels = [*data.labels, *(f"filled {i + 1}" for i in range(yi.size))]
    return pool(
        yi=np.concatenate([data.yi, yi]),
        vi=np.concatenate([data.vi, vi]),
        labels=labels,
        method=method,
        ci=ci,
        level=level,
        measure=measure,
    )
