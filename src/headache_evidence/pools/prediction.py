"""Where the true effect of a new, similar study may lie."""

from __future__ import annotations

import math

from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import critical_value
from headache_evidence.pools.result import NOT_ESTIMABLE, Interval

PREDICTION_RULES = ("metafor", "k-2")


def check_prediction_rule(prediction: str) -> str:
    """Return the rule's name or say what is allowed."""
    if prediction not in PREDICTION_RULES:
        raise InputError(f"prediction = {prediction!r}; allowed are {', '.join(PREDICTION_RULES)}.")
    return prediction


def prediction_interval(
    estimate: float, se: float, tau2: float, k: int, ci_df: float, rule: str, level: float
) -> tuple[Interval, float]:
    """Prediction interval and its degrees of freedom (NaN: normal); not given for fewer than three studies.

    Rule "metafor" takes the reference distribution of the confidence interval; "k-2" takes t with k - 2 degrees of
    freedom (Higgins, Thompson & Spiegelhalter 2009).
    """
    if k < 3:
        return NOT_ESTIMABLE, math.nan
    df = ci_df if rule == "metafor" else float(k - 2)
    half = critical_value(level, df) * math.sqrt(tau2 + se**2)
    return (estimate - half, estimate + half), df
