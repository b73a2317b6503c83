"""Peto's one-step odds ratio: for rare events, arms of similar size and effects that are not large."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.pools.rare_events_tables import common_effect_result, two_by_two
from headache_evidence.pools.result import PooledResult


def peto(
    effects: pd.DataFrame | None = None,
    *,
    ai: npt.ArrayLike | None = None,
    n1i: npt.ArrayLike | None = None,
    ci: npt.ArrayLike | None = None,
    n2i: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> PooledResult:
    """Pool two-by-two tables by Peto's method (Yusuf et al. 1985); nothing is added to empty cells.

    Parameters
    ----------
    effects : effects table with events1, n1, events2, n2, or
    ai, n1i, ci, n2i : events and patients of arm 1 and arm 2, shape (k,).

    Returns
    -------
    PooledResult with method "Peto", measure "OR", on the log scale: the sum of observed minus expected events over the
    sum of their hypergeometric variances. Without a single event it is not estimable and its notes say so.

    Raises
    ------
    InputError
        for counts that are not counts; the message names the study.
    """
    table = two_by_two(effects, ai=ai, n1i=n1i, ci=ci, n2i=n2i, labels=labels)
    n, events = table.total, table.ai + table.ci
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(n > 1, table.n1i * table.n2i * events * (n - events) / (n**2 * (n - 1)), 0.0)
    difference = table.ai - table.n1i * events / n
    informative = variance > 0
    total = float(variance.sum())
    estimable = total > 0
    notes = []
    if not informative.all():
        names = ", ".join(label for label, yes in zip(table.labels, informative.tolist(), strict=True) if not yes)
        notes.append(f"no events, or nothing but events, in both arms, hence no weight: {names}")
    if not estimable:
        notes.append("not estimable: no study has both events and patients without one")
    return common_effect_result(
        table,
        measure="OR",
        method="Peto",
        estimate=float(difference.sum()) / total if estimable else math.nan,
        se=total**-0.5 if estimable else math.nan,
        weights=variance,
        yi=difference[informative] / variance[informative],
        vi=1 / variance[informative],
        level=level,
        notes=notes,
    )
