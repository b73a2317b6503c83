"""How the pooled result changes as studies leave it (leave-one-out) or join it (cumulative)."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from headache_evidence.effects.effect_table import FloatArray, StudyData, study_data, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.pool_columns import PooledColumns, pool_columns


def leave_one_out(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    method: str = "REML",
    ci: str = "knapp-hartung-conservative",
    level: float = 0.95,
) -> pd.DataFrame:
    """Pool the k - 1 other studies, for each study in turn.

    Parameters are those of ``pool``.

    Returns
    -------
    DataFrame
        One row per left-out study: ``label``, ``k`` (studies that remain), the columns of ``PooledColumns`` and
        ``q_p``. With k = 2 each row is the other study's own Wald interval; with k = 1 nothing remains and the
        numbers are NaN.
    """
    data = study_data(effects, yi=yi, vi=vi, labels=labels)
    remaining = others(data.k)
    if data.k < 2:
        empty = {field.name: np.full(data.k, np.nan) for field in fields(PooledColumns)}
        return _table(data.labels, np.zeros(data.k, dtype=int), empty)
    pooled = pool_columns(data.yi[remaining], data.vi[remaining], method, ci, level)
    return _table(data.labels, np.full(data.k, data.k - 1), vars(pooled))


def cumulative(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    order: str | npt.ArrayLike | None = None,
    method: str = "REML",
    ci: str = "knapp-hartung-conservative",
    level: float = 0.95,
) -> pd.DataFrame:
    """Add one study at a time and pool after each.

    Parameters
    ----------
    effects, yi, vi, labels, method, ci, level : as in ``pool``.
    order : a column of the effects table, or k values to sort by; missing values come last, ties keep their order.
        Default: ``year`` of an effects table that has it, otherwise the given order.

    Returns
    -------
    DataFrame
        One row per step: ``label`` of the study added, ``order`` (its sorting value), ``k`` pooled so far, the columns
        of ``PooledColumns`` and ``q_p``.

    Raises
    ------
    InputError
        if ``order`` names no column or has another length than the studies.
    """
    data = study_data(effects, yi=yi, vi=vi, labels=labels)
    values = _sorting_values(effects, order, data)
    sequence = np.argsort(np.where(np.isnan(values), np.inf, values), kind="stable")
    y, v = data.yi[sequence, None], data.vi[sequence, None]
    steps = [pool_columns(y[: j + 1], v[: j + 1], method, ci, level) for j in range(data.k)]
    columns = {
        field.name: np.array([getattr(step, field.name)[0] for step in steps], dtype=float)
        for field in fields(PooledColumns)
    }
    table = _table(tuple(data.labels[i] for i in sequence), np.arange(1, data.k + 1), columns)
    table.insert(1, "order", values[sequence])
    return table


def others(k: int) -> npt.NDArray[np.intp]:
    """Row numbers of the k - 1 other studies, one column per left-out study; shape (k - 1, k)."""
    rows = np.arange(max(k - 1, 0))[:, None]
    return np.asarray(rows + (rows >= np.arange(k)))


def _sorting_values(effects: pd.DataFrame | None, order: str | npt.ArrayLike | None, data: StudyData) -> FloatArray:
    if order is None and effects is not None and "year" in effects.columns:
        order = "year"
    if order is None:
        return np.arange(1.0, data.k + 1)
    if isinstance(order, str):
        if effects is None or order not in effects.columns:
            raise InputError(f"order = {order!r} is not a column of the effects table.")
        order = usable_effects(effects)[order].to_numpy(dtype=float, na_value=np.nan)
    values: FloatArray = np.asarray(order, dtype=float)
    if values.shape != (data.k,):
        raise InputError(f"order has shape {values.shape}; {data.k} studies need as many values.")
    return values


def _table(labels: tuple[str, ...], k: npt.NDArray[np.int_], columns: dict[str, FloatArray]) -> pd.DataFrame:
    table = pd.DataFrame({"label": list(labels), "k": k, **columns})
    table["q_p"] = np.where(k > 1, special.chdtrc(np.maximum(k - 1, 1), table["q"].to_numpy()), np.nan)
    return table
