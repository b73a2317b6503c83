"""From relative to absolute effects: patients per 1000, at the median risk of the comparator arms.

Guyatt GH et al. (2013), Journal of Clinical Epidemiology 66:158-172; Cochrane Handbook, chapter 15 (version 6).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.result import Interval, json_ready

PER = 1000.0


@dataclass(frozen=True)
class AbsoluteEffect:
    """Patients with the event of 1000: with the comparator, with the intervention, and the difference."""

    comparator: float
    intervention: float
    intervention_ci: Interval
    difference: float
    difference_ci: Interval

    def to_dict(self) -> dict[str, Any]:
        """All fields, JSON-ready."""
        return {key: json_ready(value) for key, value in asdict(self).items()}


def absolute_effect(comparator_risk: float, ratio: float, ci: Interval, measure: str = "OR") -> AbsoluteEffect:
    """Per 1000 from a risk of the comparator (between 0 and 1) and a ratio with its interval on the ratio scale.

    Raises
    ------
    InputError
        for a risk outside 0 to 1 or a measure other than OR and RR.
    """
    if not 0 <= comparator_risk <= 1:
        raise InputError(f"The comparator risk must lie between 0 and 1; got {comparator_risk}.")
    risk, low, high = (with_ratio(comparator_risk, value, measure) for value in (ratio, *ci))
    base = PER * comparator_risk
    return AbsoluteEffect(
        base, PER * risk, (PER * low, PER * high), PER * risk - base, (PER * low - base, PER * high - base)
    )


def with_ratio(risk: float, ratio: float, measure: str) -> float:
    """The risk that a ratio makes of a risk: RR times it (at most 1), OR times the odds."""
    if measure == "RR":
        return min(risk * ratio, 1.0)
    if measure == "OR":
        return 1.0 if risk == 1 or math.isinf(ratio) else risk * ratio / (1 - risk + risk * ratio)
    raise InputError(f"Absolute effects need OR or RR; got {measure}.")


def median_comparator_risk(effects: pd.DataFrame) -> float:
    """Median of the comparator arms' risks over the usable studies; NaN when none shows counts.

    An arm in which nobody or everybody has the event would allow no absolute effect: half an event is added to both
    sides there, as it is for the odds ratio.
    """
    rows = usable_effects(effects)
    events, total = (rows[name].to_numpy(dtype=float, na_value=np.nan) for name in ("events2", "n2"))
    extreme = (events == 0) | (events == total)
    events, total = np.where(extreme, events + 0.5, events), np.where(extreme, total + 1, total)
    risks = np.divide(events, total, out=np.full(len(rows), np.nan), where=total > 0)
    return float(np.nanmedian(risks)) if np.isfinite(risks).any() else math.nan


def comparator_means(effects: pd.DataFrame) -> Interval:
    """Smallest and largest mean of the comparator arms; NaN when none is shown."""
    means = usable_effects(effects)["m2"].to_numpy(dtype=float, na_value=np.nan)
    known = means[np.isfinite(means)]
    return (float(known.min()), float(known.max())) if known.size else (math.nan, math.nan)
