"""Reading and checking the arguments of escalc: columns or arrays in, aligned float arrays out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.errors import InputError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
ROWS_LISTED = 5


@dataclass(frozen=True)
class EscalcInputs:
    """The arguments given by the caller, each a float array of shape (k,), and the index of the rows."""

    values: Mapping[str, FloatArray]
    index: pd.Index
    names: pd.Series | None  # study names for messages, None when the data has none

    def get(self, argument: str) -> FloatArray | None:
        """The values of an argument, None when it was not given."""
        return self.values.get(argument)

    def require(self, measure: str, *arguments: str) -> tuple[FloatArray, ...]:
        """The values of all ``arguments``; InputError names those that are missing."""
        missing = [argument for argument in arguments if argument not in self.values]
        if missing:
            raise InputError(
                f'escalc("{measure}") needs {", ".join(f"{a}=" for a in arguments)}; '
                f"not given: {', '.join(f'{a}=' for a in missing)}."
            )
        return tuple(self.values[argument] for argument in arguments)

    def where(self, rows: BoolArray) -> str:
        """Words for the first rows of a mask: 'row 3 (Study 2019)'; rows count from 1."""
        positions = np.flatnonzero(rows)
        words = [self._name(int(position)) for position in positions[:ROWS_LISTED]]
        more = f" and {positions.size - ROWS_LISTED} more" if positions.size > ROWS_LISTED else ""
        return ", ".join(words) + more

    def _name(self, position: int) -> str:
        name = "" if self.names is None else f" ({self.names.iloc[position]})"
        return f"row {position + 1}{name}"

    def refuse(self, argument: str, bad: BoolArray, allowed: str) -> None:
        """Raise InputError when any row of ``bad`` is True, naming the argument, the rows and their values."""
        if not bad.any():
            return
        positions = np.flatnonzero(bad)[:ROWS_LISTED]
        values = self.values[argument]
        listed = ", ".join(f"{self._name(int(i))}: {argument} = {values[i]:g}" for i in positions)
        more = f" and {int(bad.sum()) - ROWS_LISTED} more" if bad.sum() > ROWS_LISTED else ""
        raise InputError(f"{argument} must be {allowed}. Not so in {listed}{more}.")

    def check(self, allowed: str, test: Callable[[FloatArray], BoolArray], *arguments: str) -> None:
        """Refuse every given argument for which ``test`` is True on a value that is not NaN."""
        for argument in arguments:
            values = self.values.get(argument)
            if values is not None:
                self.refuse(argument, test(values) & ~np.isnan(values), allowed)


def read_inputs(arguments: Mapping[str, object], data: pd.DataFrame | None) -> EscalcInputs:
    """Align the given arguments; scalars are repeated, strings are looked up as columns of ``data``.

    Raises
    ------
    InputError
        for an unknown column, text where numbers belong, infinite numbers, unequal lengths, or pandas Series whose
        indices differ (rows are matched by position, so different indices would mix studies up).
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    if not given:
        raise InputError("escalc was given no numbers.")
    columns = {name: _column(name, value, data) for name, value in given.items()}
    indices = [value.index for value in given.values() if isinstance(value, pd.Series)]
    if data is not None:
        indices.insert(0, data.index)
    if any(not index.equals(indices[0]) for index in indices[1:]):
        raise InputError("The arguments have different indices; give columns of one table, or plain arrays.")
    lengths = {name: array.size for name, array in columns.items() if array.ndim}
    k = len(indices[0]) if indices else max(lengths.values(), default=1)
    if unequal := [f"{name}= has {length}" for name, length in lengths.items() if length != k]:
        raise InputError(f"All arguments need {k} value(s), one per row; {', '.join(unequal)}.")
    values = {name: np.broadcast_to(array, (k,)) for name, array in columns.items()}
    inputs = EscalcInputs(values, indices[0] if indices else pd.RangeIndex(k), _study_names(data))
    for name, array in values.items():
        inputs.refuse(name, np.isinf(array), "a finite number")
    return inputs


def _study_names(data: pd.DataFrame | None) -> pd.Series | None:
    if data is None:
        return None
    column = next((c for c in ("label", "study_id") if c in data.columns), None)
    return data[column] if column else None


def _column(name: str, value: object, data: pd.DataFrame | None) -> FloatArray:
    if isinstance(value, str):
        if data is None:
            raise InputError(f'{name}="{value}" names a column, but no data= was given.')
        if value not in data.columns:
            raise InputError(f'{name}="{value}" is not a column of data; it has {", ".join(map(str, data.columns))}.')
        value = data[value]
    try:
        if isinstance(value, pd.Series):
            array = value.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            array = np.asarray(_nan_for_missing(value), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must hold numbers only: {error}.") from error
    if array.ndim > 1:
        raise InputError(f"{name} must be one number per row; got an array of shape {array.shape}.")
    return array


def _nan_for_missing(value: object) -> object:
    if isinstance(value, list | tuple):
        return [np.nan if item is None or item is pd.NA else item for item in value]
    return value
