"""The three GRADE domains that raise certainty: large effect, dose-response, confounding that would hide the effect.

Guyatt GH et al. (2011), Journal of Clinical Epidemiology 64:1311-1316. Only controlled non-randomised studies that
were not rated down are rated up.
"""

from __future__ import annotations

import math

from headache_evidence.conclusions.downgrading import excludes
from headache_evidence.conclusions.judgement import RAISING, DomainJudgement
from headache_evidence.pools.result import Interval
from headache_evidence.tables.protocol_certainty import UpgradingRules


def large_effect(risk_ratio: float, ci: Interval, rules: UpgradingRules) -> DomainJudgement:
    """One level for a risk ratio of at least ``large_ratio`` or its inverse, two beyond ``very_large_ratio``.

    ``risk_ratio`` and ``ci`` are NaN for differences of means: they are not rated up.
    """
    if not math.isfinite(risk_ratio):
        return DomainJudgement("large_effect", 0, "no risk ratio")
    size = max(risk_ratio, 1 / risk_ratio) if risk_ratio > 0 else math.inf
    words = f"risk ratio {risk_ratio:.2f}"
    if not excludes(ci, 1.0):
        return DomainJudgement("large_effect", 0, f"{words}, its interval holds no effect")
    levels = 2 if size >= rules.very_large_ratio else 1 if size >= rules.large_ratio else 0
    return DomainJudgement("large_effect", levels, words)


def dose_response(k: int, p_value: float, rules: UpgradingRules) -> DomainJudgement:
    """One level when the effect changes with the injected volume; needs enough studies that state it.

    k : studies that state the volume; p_value : of the slope, NaN when not assessable.
    """
    if k < rules.dose_response_min_k or not math.isfinite(p_value):
        return DomainJudgement("dose_response", 0, f"too few studies state the volume (k = {k})")
    return DomainJudgement("dose_response", int(p_value < rules.dose_response_p), f"slope on volume p = {p_value:.3f}")


def residual_confounding() -> DomainJudgement:
    """Nothing in the tables can show it: only a reviewer's judgement raises the level here."""
    return DomainJudgement("residual_confounding", 0, "not computable; only a reviewer's judgement can rate up here")


def not_applicable(reason: str) -> tuple[DomainJudgement, ...]:
    """The three domains left at 0 for one reason."""
    return tuple(DomainJudgement(domain, 0, reason) for domain in RAISING)
