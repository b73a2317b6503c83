"""Pooled results of another measure on the scale of the main one, so that a multiverse can be read on one axis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from headache_evidence.effects.effect_table import FloatArray


@dataclass(frozen=True)
class CommonScale:
    """What it takes to show a standardised difference as a mean difference, or a risk ratio as an odds ratio.

    sd : median over the studies of the pooled SD of both arms (Cochrane Handbook 15.5.3.2).
    comparator_risk : median share with the event in the comparator arms (Cochrane Handbook 15.4.4.4).
    """

    measure: str
    sd: float = math.nan
    comparator_risk: float = math.nan

    def to_main(self, measure: str, values: FloatArray) -> FloatArray:
        """Values of ``measure`` (log for ratios) on the scale of the main measure; NaN when that cannot be done.

        A risk ratio that would lift the comparator risk to 1 or more has an infinite odds ratio.
        """
        if measure == self.measure:
            return values
        if (measure, self.measure) == ("SMD", "MD"):
            return values * self.sd
        if (measure, self.measure) == ("RR", "OR") and 0 < self.comparator_risk < 1:
            risk = np.exp(values) * self.comparator_risk
            with np.errstate(divide="ignore", invalid="ignore"):
                odds_ratio = np.log(risk / (1 - risk)) - math.log(self.comparator_risk / (1 - self.comparator_risk))
            return np.where(risk >= 1, np.inf, odds_ratio)
        return np.full_like(values, np.nan)


def median_of(values: FloatArray) -> float:
    """Median of the finite values; NaN when there is none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else math.nan
