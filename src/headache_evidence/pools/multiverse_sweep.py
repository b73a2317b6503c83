"""One vectorised sweep over sets of effects, estimators and intervals: sets of equal k are columns of one fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.pools.pool_columns import pool_columns

Effects = tuple[FloatArray, FloatArray]  # yi, vi of one set of studies


class EffectSets:
    """Distinct sets of effects, numbered in the order of their first appearance; equal sets share a number."""

    def __init__(self) -> None:
        self._number: dict[tuple[bytes, bytes], int] = {}
        self.sets: list[Effects] = []

    def number_of(self, yi: FloatArray, vi: FloatArray) -> int:
        """The number of a set; -1 of an empty one, which is not pooled."""
        if yi.size == 0:
            return -1
        key = (yi.tobytes(), vi.tobytes())
        if key not in self._number:
            self._number[key] = len(self.sets)
            self.sets.append((yi, vi))
        return self._number[key]


@dataclass(frozen=True)
class Sweep:
    """Pooled results, shape (sets, tau2 methods, CI methods)."""

    estimate: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    p: FloatArray
    tau2: FloatArray


def sweep(
    sets: Sequence[Effects], tau2_methods: Sequence[str], ci_methods: Sequence[str], level: float = 0.95
) -> Sweep:
    """Pool every set by every combination of tau2 estimator and interval.

    Parameters
    ----------
    sets : effect sizes and sampling variances of each set, both of shape (k,), k at least 1.
    tau2_methods, ci_methods, level : as in ``pool``.
    """
    shape = (len(sets), len(tau2_methods), len(ci_methods))
    results = {name: np.full(shape, np.nan) for name in ("estimate", "ci_lower", "ci_upper", "p_value", "tau2")}
    sizes = np.array([yi.size for yi, _ in sets], dtype=int)
    for k in np.unique(sizes):
        at = np.flatnonzero(sizes == k).tolist()
        yi = np.stack([sets[i][0] for i in at], axis=1)
        vi = np.stack([sets[i][1] for i in at], axis=1)
        for m, method in enumerate(tau2_methods):
            for c, ci in enumerate(ci_methods):
                pooled = pool_columns(yi, vi, method, ci, level)
                for name, values in results.items():
                    values[at, m, c] = getattr(pooled, name)
    return Sweep(results["estimate"], results["ci_lower"], results["ci_upper"], results["p_value"], results["tau2"])
