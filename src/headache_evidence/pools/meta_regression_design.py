"""The design matrix of a meta-regression: numbers as they are, categories as dummies, nothing dropped silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.errors import InputError


class Design(NamedTuple):
    """Design matrix (k, p) with an intercept first, the names of its columns, and which rows it covers."""

    X: FloatArray
    names: tuple[str, ...]
    complete: npt.NDArray[np.bool_]  # of the rows given: every moderator is known


def design_matrix(table: pd.DataFrame, moderators: Sequence[str], reference: Mapping[str, str] | None = None) -> Design:
    """Intercept, numeric moderators, and a dummy for each category but the reference.

    Parameters
    ----------
    table : one row per effect.
    moderators : its columns to use; numbers and booleans enter as they are (True = 1), text as dummies named
        ``column[level]``.
    reference : per text column the level left out; the first in alphabetical order otherwise.

    Raises
    ------
    InputError
        for an unknown column or level, or a matrix whose columns depend on each other (the message names them).
    """
    missing = [name for name in moderators if name not in table.columns]
    if missing:
        raise InputError(f"The table lacks the moderator column(s) {', '.join(missing)}.")
    if not moderators:
        raise InputError("Name at least one moderator.")
    known: npt.NDArray[np.bool_] = np.logical_and.reduce([_known(table[name]) for name in moderators], axis=0)
    rows = table[known]
    parts: list[FloatArray] = [np.ones(len(rows))]
    names = ["intercept"]
    for name in moderators:
        column = rows[name]
        if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
            parts.append(column.to_numpy(dtype=float))
            names.append(name)
            continue
        text = column.astype(str)
        levels = sorted(text.unique())
        base = (reference or {}).get(name, levels[0] if levels else "")
        if levels and base not in levels:
            raise InputError(f"Reference {base!r} of {name} does not occur; levels are {', '.join(levels)}.")
        for level in levels:
            if level != base:
                parts.append((text == level).to_numpy(dtype=float))
                names.append(f"{name}[{level}]")
    X = np.column_stack(parts)
    return Design(X, tuple(names), known)


def constant_moderators(table: pd.DataFrame, moderators: Sequence[str]) -> dict[str, str]:
    """The moderators that do not vary, each with the words for it: over their own known rows, then the shared ones."""
    found: dict[str, str] = {}
    asked = [name for name in moderators if name in table.columns]
    for name in asked:
        _report_constant(table.loc[_known(table[name]), name], found)
    while left := [name for name in asked if name not in found]:
        shared = np.logical_and.reduce([_known(table[name]) for name in left], axis=0)
        if not shared.any():
            break
        before = len(found)
        for name in left:
            _report_constant(table.loc[shared, name], found)
        if len(found) == before:
            break
    return found


def _report_constant(known: pd.Series[Any], found: dict[str, str]) -> None:
    if known.nunique() < 2:
        what = "has one value" if len(known) else "is not known for any study"
        found[str(known.name)] = f"not estimable: {known.name} {what}"


def dependent_columns(X: FloatArray, names: Sequence[str]) -> list[str]:
    """Names of columns that the columns before them already determine (a constant one, say)."""
    found: list[str] = []
    kept: list[int] = []
    scale = np.maximum(np.abs(X).max(axis=0), 1e-300)
    for j in range(X.shape[1]):
        if np.linalg.matrix_rank((X / scale)[:, [*kept, j]], tol=1e-9 * len(X)) > len(kept):
            kept.append(j)
        else:
            found.append(names[j])
    return found


def _known(column: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    known = column.notna().to_numpy()
    if not (pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column)):
        known = known & (column.astype(str).str.strip() != "").to_numpy()
    return np.asarray(known)
