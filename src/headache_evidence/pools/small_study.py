"""Small-study effects: when a method may speak, and how a refusal reads.

Methods that look for funnel asymmetry or selective publication need studies. Below the number set in the protocol
(``min_k``, 10 by default: Sterne et al. 2011, BMJ 343:d4002) a result says "not assessable (k = 4)" instead of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.result import json_ready

DEFAULT_MIN_K = 10
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SmallStudyResult:
    """What every result on small-study effects carries; its numbers are NaN when ``assessable`` is False."""

    k: int
    min_k: int
    assessable: bool
    words: str  # the result in words, or why there is none

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON-ready values: tuples become lists, NaN and infinities become None."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value.to_dict() if hasattr(value, "to_dict") else json_ready(value) for name, value in values}


def refusal(k: int, min_k: int, override: bool, needed: int = 3) -> str:
    """Why a method stays silent, or ``""`` when it may speak.

    Parameters
    ----------
    k : number of effects.
    min_k : number required by the protocol; ``override`` lifts it.
    needed : number without which the method has no numbers at all; cannot be lifted.
    """
    if k < needed or (k < min_k and not override):
        return f"not assessable (k = {k})"
    return ""


def override_note(k: int, min_k: int) -> str:
    """The caution added to a result that exists only because ``min_k`` was overridden."""
    return f" Computed although k = {k} is below the protocol's {min_k}: unreliable." if k < min_k else ""


def columns(effects: pd.DataFrame, names: Sequence[str]) -> list[FloatArray]:
    """Float arrays of the named columns of the usable rows; every value must be finite.

    Raises
    ------
    InputError
        if a column is absent or holds a missing value; the message names it.
    """
    rows = usable_effects(effects)
    absent = [name for name in names if name not in rows.columns]
    if absent:
        raise InputError(f"The effects table lacks the column(s) {', '.join(absent)}.")
    arrays = [rows[name].to_numpy(dtype=float, na_value=np.nan) for name in names]
    for name, values in zip(names, arrays, strict=True):
        if not np.isfinite(values).all():
            at = ", ".join(str(i + 1) for i in np.flatnonzero(~np.isfinite(values)))
            raise InputError(f"{name} is missing in usable row(s) {at} of the effects table.")
    return arrays
