"""The smallest effect that matters: from a published minimal important difference, or a declared choice."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from headache_evidence.errors import ProtocolError
from headache_evidence.pools.result import json_ready
from headache_evidence.tables.protocol import Protocol
from headache_evidence.tables.vocabulary import conversion, outcome_unit


@dataclass(frozen=True)
class ImportantDifference:
    """A threshold in analysis units, above 0, and where it comes from; size NaN when none is declared."""

    outcome: str
    size: float
    unit: str  # unit of the outcome, or "per 1000"
    source: str  # mcid.csv:<id>, choice, or none
    reason: str

    @property
    def per_1000(self) -> bool:
        """Whether the threshold is a number of patients of 1000."""
        return self.unit == "per 1000"

    def to_dict(self) -> dict[str, Any]:
        """All fields, JSON-ready."""
        return {key: json_ready(value) for key, value in asdict(self).items()}


def important_difference(outcome: str, protocol: Protocol, mcid: pd.DataFrame) -> ImportantDifference:
    """The threshold of an outcome.

    Parameters
    ----------
    mcid : ``Evidence.mcid``; values are brought to the unit of analysis of the outcome.

    Raises
    ------
    ProtocolError
        when the protocol names a row that mcid.csv does not have, or one of another outcome, unit or without value.
    """
    rule = protocol.thresholds.get(outcome)
    if rule is None:
        return ImportantDifference(outcome, math.nan, outcome_unit(outcome), "none", "no threshold is declared")
    if rule.per_1000 is not None:
        return ImportantDifference(outcome, rule.per_1000, "per 1000", "choice", rule.reason)
    if rule.value is not None:
        return ImportantDifference(outcome, rule.value, outcome_unit(outcome), "choice", rule.reason)
    rows = np.flatnonzero((mcid["id"].to_numpy() == rule.mcid) & (mcid["outcome"].to_numpy() == outcome))
    value, scale = (mcid["value"].iloc[rows[0]], mcid["scale"].iloc[rows[0]]) if rows.size else (math.nan, "")
    if pd.isna(value):
        known = ", ".join(mcid.loc[(mcid["outcome"] == outcome) & mcid["value"].notna(), "id"]) or "none"
        raise ProtocolError(f"The threshold of {outcome} names {rule.mcid!r} of mcid.csv; rows with a value: {known}.")
    factor = conversion(outcome, scale)
    if factor is None:
        raise ProtocolError(f"{rule.mcid}: the scale {scale} cannot be read as {outcome_unit(outcome)}.")
    size = abs(float(value)) * factor.factor
    return ImportantDifference(outcome, size, factor.unit, f"mcid.csv:{rule.mcid}", rule.reason)
