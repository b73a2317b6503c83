"""Refusing numbers that cannot be, for the derivations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headache_evidence.errors import InputError

FloatArray = npt.NDArray[np.float64]


def floats(*values: npt.ArrayLike) -> tuple[FloatArray, ...]:
    """Float arrays of one common shape; None becomes NaN."""
    return tuple(np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in values)))


def refuse(bad: npt.NDArray[np.bool_], what: str, **values: FloatArray) -> None:
    """Raise InputError with the first offending values when any of ``bad`` is True (NaN never is)."""
    if bad.any():
        position = int(np.flatnonzero(bad)[0])
        shown = ", ".join(f"{name} = {np.ravel(array)[position]:g}" for name, array in values.items())
        raise InputError(f"{what}; got {shown}" + (f" (position {position + 1})." if bad.ndim else "."))
