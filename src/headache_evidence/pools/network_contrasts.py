"""Contrasts of a network as arrays: incidence of treatments, covariance within multi-arm studies, parts of the network.

A table of contrasts has one row per contrast: ``study_id``, ``treat1``, ``treat2`` (components joined by "+"), ``yi``
(treat1 minus treat2), ``vi``; optional ``arm_1``, ``arm_2`` (names of the arms when a study holds a treatment twice),
``var1``, ``var2`` (arm-level variances), ``n1``, ``n2`` (arm sizes).

Ruecker G (2012), Research Synthesis Methods 3:312-324; Franchini AJ et al. (2012), ibid. 3:142-160 (shared control).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import study_data, usable_effects
from headache_evidence.errors import InputError

FloatArray = npt.NDArray[np.float64]
CONTRAST_COLUMNS = ("study_id", "treat1", "treat2", "yi", "vi")
CONSISTENT = 1e-6  # redundant contrasts of a study agree when they differ by less than this share of a standard error


@dataclass(frozen=True)
class NetworkData:
    """m independent contrasts of T treatments, grouped by study.

    yi : (m,). covariance : (m, m), within-study covariance. heterogeneity : (m, m), the matrix that tau2 multiplies:
    1 on the diagonal, 1/2 for contrasts that share an arm. incidence : (m, T), +1 for treat1 and -1 for treat2.
    """

    yi: FloatArray
    covariance: FloatArray
    heterogeneity: FloatArray
    incidence: FloatArray
    studies: tuple[str, ...]  # of each contrast
    treatments: tuple[str, ...]
    table: pd.DataFrame  # all usable contrasts, redundant ones included
    notes: tuple[str, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(set(self.studies))


def network_data(contrasts: pd.DataFrame) -> NetworkData:
    """Read and check a table of contrasts.

    Studies with several contrasts need one of: arm variances (``var1``, ``var2``), all pairwise contrasts, or arm
    sizes (``n1``, ``n2``), tried in this order; the rule used is in ``notes``.

    Raises
    ------
    InputError
        for absent columns, a contrast of an arm with itself, or a multi-arm study whose covariance is unknown.
    """
    absent = [name for name in CONTRAST_COLUMNS if name not in contrasts.columns]
    if absent:
        raise InputError(f"The table of contrasts lacks the column(s) {', '.join(absent)}.")
    table = usable_effects(contrasts).reset_index(drop=True)
    if table.empty:
        raise InputError("The table holds no usable contrast.")
    values = study_data(yi=table["yi"].to_numpy(), vi=table["vi"].to_numpy(), labels=table["study_id"].to_numpy())
    table = table.assign(yi=values.yi, vi=values.vi, study_id=table["study_id"].astype(str))
    named = "arm_1" in table.columns and "arm_2" in table.columns
    table["end1"] = table["arm_1"] if named else table["treat1"]
    table["end2"] = table["arm_2"] if named else table["treat2"]
    same = table["end1"] == table["end2"]
    if same.any():
        raise InputError(f"Contrast of an arm with itself in {', '.join(table.loc[same, 'study_id'])}.")
    treatments = tuple(sorted({*table["treat1"].astype(str), *table["treat2"].astype(str)}))
    notes: list[str] = []
    kept: list[pd.DataFrame] = []
    blocks: list[FloatArray] = []
    shared: list[FloatArray] = []
    for study_id, study in table.groupby("study_id", sort=True):
        rows = _independent(str(study_id), study, notes)
        ends = sorted({*study["end1"], *study["end2"]})
        between = _ends_incidence(rows, ends)
        kept.append(rows)
        shared.append(between @ between.T / 2)
        if len(rows) == 1:
            blocks.append(rows[["vi"]].to_numpy(dtype=float))
        else:
            blocks.append(between @ np.diag(_arm_variances(str(study_id), study, ends, notes)) @ between.T)
            np.fill_diagonal(blocks[-1], rows["vi"].to_numpy(dtype=float))
            if np.linalg.eigvalsh(blocks[-1]).min() <= 0:
                raise InputError(f"Study {study_id}: the variances of its contrasts contradict one another.")
    used = pd.concat(kept)
    return NetworkData(
        yi=used["yi"].to_numpy(dtype=float),
        covariance=_block_diagonal(blocks),
        heterogeneity=_block_diagonal(shared),
        incidence=incidence(list(used["treat1"].astype(str)), list(used["treat2"].astype(str)), treatments),
        studies=tuple(used["study_id"]),
        treatments=treatments,
        table=table,
        notes=tuple(notes),
    )


def incidence(treat1: Sequence[str], treat2: Sequence[str], treatments: Sequence[str]) -> FloatArray:
    """Rows with +1 for treat1 and -1 for treat2, shape (m, T); zero when both are the same treatment."""
    index = {name: i for i, name in enumerate(treatments)}
    matrix = np.zeros((len(treat1), len(treatments)))
    for row, (one, two) in enumerate(zip(treat1, treat2, strict=True)):
        matrix[row, index[one]] += 1
        matrix[row, index[two]] -= 1
    return matrix


def subnetworks(matrix: FloatArray, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Connected parts of a network: ``matrix`` (m, T) links the treatments that are non-zero in one row."""
    part = list(range(len(names)))
    for row in matrix:
        linked = np.flatnonzero(row)
        if linked.size:
            joined = {part[i] for i in linked}
            part = [min(joined) if p in joined else p for p in part]
    return tuple(tuple(n for n, p in zip(names, part, strict=True) if p == q) for q in sorted(set(part)))


def _ends_incidence(rows: pd.DataFrame, ends: Sequence[str]) -> FloatArray:
    return incidence(list(rows["end1"]), list(rows["end2"]), ends)


def _independent(study_id: str, study: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """The contrasts of a study that carry its information: p - 1 for p connected arms."""
    ends = sorted({*study["end1"], *study["end2"]})
    full = _ends_incidence(study, ends)
    share = np.abs(full).sum(axis=0)
    order = np.argsort(-np.abs(full) @ np.where(share == share.max(), 2.0, 0.0), kind="stable")
    chosen: list[int] = []
    for row in order:
        if np.linalg.matrix_rank(full[[*chosen, row]]) == len(chosen) + 1:
            chosen.append(int(row))
    rows = study.iloc[sorted(chosen)]
    if len(rows) < len(study):
        yi = study["yi"].to_numpy(dtype=float)
        solution = np.linalg.lstsq(full[sorted(chosen)], yi[sorted(chosen)], rcond=None)[0]
        gap = np.abs(full @ solution - yi) / np.sqrt(study["vi"].to_numpy(dtype=float))
        if gap.max() > CONSISTENT:
            notes.append(
                f"{study_id}: its redundant contrasts differ from the others by up to {gap.max():.2g} standard errors; "
                f"used: {', '.join(rows['treat1'] + ' v ' + rows['treat2'])}."
            )
    return rows


def _arm_variances(study_id: str, study: pd.DataFrame, ends: Sequence[str], notes: list[str]) -> FloatArray:
    """Variance of each arm of a multi-arm study, shape (p,), in the order of ``ends``."""
    vi = study["vi"].to_numpy(dtype=float)
    sides = [(column, study[column].to_numpy()) for column in ("end1", "end2")]
    if {"var1", "var2"} <= set(study.columns) and bool(study[["var1", "var2"]].notna().all(axis=None)):
        known = {
            str(end): float(value)
            for (_, names), column in zip(sides, ("var1", "var2"), strict=True)
            for end, value in zip(names, study[column], strict=True)
        }
        return np.array([known[end] for end in ends])
    pairs = {frozenset(pair) for pair in zip(study["end1"], study["end2"], strict=True)}
    if all(frozenset(pair) in pairs for pair in combinations(ends, 2)):
        solution: FloatArray = np.linalg.lstsq(np.abs(_ends_incidence(study, ends)), vi, rcond=None)[0]
        return solution
    if {"n1", "n2"} <= set(study.columns) and bool(study[["n1", "n2"]].notna().all(axis=None)):
        n1, n2 = study["n1"].to_numpy(dtype=float), study["n2"].to_numpy(dtype=float)
        implied: dict[str, list[float]] = {end: [] for end in ends}
        for i, (one, two) in enumerate(zip(study["end1"], study["end2"], strict=True)):
            implied[one].append(vi[i] * n2[i] / (n1[i] + n2[i]))
            implied[two].append(vi[i] * n1[i] / (n1[i] + n2[i]))
        notes.append(f"{study_id}: covariance of its contrasts from arm sizes.")
        return np.array([np.mean(implied[end]) for end in ends])
    raise InputError(
        f"Study {study_id} has several contrasts, but their covariance is unknown: give arm variances (var1, var2), "
        "arm sizes (n1, n2), or all pairwise contrasts."
    )


def _block_diagonal(blocks: Sequence[FloatArray]) -> FloatArray:
    size = sum(block.shape[0] for block in blocks)
    matrix = np.zeros((size, size))
    at = 0
    for block in blocks:
        end = at + block.shape[0]
        matrix[at:end, at:end] = block
        at = end
    return matrix
