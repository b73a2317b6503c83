"""Verdicts on a statement, computed from rated results: supported, weakly supported, contradicted, not assessable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headache_evidence.conclusions.downgrading import excludes
from headache_evidence.pools.result import Interval

SUPPORTED, WEAKLY, CONTRADICTED, NOT_ASSESSABLE = (
    "supported",
    "weakly supported",
    "contradicted",
    "not assessable",
)
TRUSTED = ("moderate", "high")


@dataclass(frozen=True)
class RatedEffect:
    """A controlled effect with 0 as no effect, positive when it is good for the patient."""

    outcome: str
    study_ids: tuple[str, ...]
    k: int
    benefit: float
    ci: Interval  # of the benefit
    threshold: float  # smallest benefit that matters, NaN when none is declared
    level: str  # certainty

    @property
    def direction(self) -> str:
        """benefit, harm, no important difference, or unclear: by where the interval lies."""
        if excludes(self.ci, 0.0):
            return "benefit" if self.benefit > 0 else "harm"
        inside = -self.threshold < self.ci[0] and self.ci[1] < self.threshold
        return "no important difference" if math.isfinite(self.threshold) and inside else "unclear"


def effect_verdict(effects: Sequence[RatedEffect]) -> str:
    """Verdict on 'it improves these outcomes'.

    Contradicted by harm (of very low certainty: only when no benefit stands beside it), or by no important difference
    of at least moderate certainty; supported when every outcome with results shows a benefit of at least moderate
    certainty; weakly supported by any benefit; else not assessable.
    """
    harms = [e for e in effects if e.direction == "harm"]
    helped = any(e.direction == "benefit" for e in effects)
    if any(e.level != "very_low" or not helped for e in harms):
        return CONTRADICTED
    if any(e.direction == "no important difference" and e.level in TRUSTED for e in effects):
        return CONTRADICTED
    benefits = [e for e in effects if e.direction == "benefit"]
    trusted = {e.outcome for e in benefits if e.level in TRUSTED}
    if benefits and trusted == {e.outcome for e in effects}:
        return SUPPORTED
    return WEAKLY if benefits else NOT_ASSESSABLE


def difference_verdict(effects: Sequence[RatedEffect]) -> str:
    """Verdict on 'this feature matters': any difference in either direction, by certainty.

    Contradicted only when every result shows no important difference and all are of at least moderate certainty.
    """
    differing = [e for e in effects if e.direction in ("benefit", "harm")]
    if any(e.level in TRUSTED for e in differing):
        return SUPPORTED
    if differing:
        return WEAKLY
    none = [e for e in effects if e.direction == "no important difference" and e.level in TRUSTED]
    return CONTRADICTED if effects and len(none) == len(effects) else NOT_ASSESSABLE


def harms_verdict(named: dict[str, float], others: dict[str, float]) -> str:
    """Verdict on 'these are the risks'.

    Parameters
    ----------
    named, others : events counted of the events that the statement names and of all others; NaN when never counted.

    Contradicted when an event that the statement does not name was counted; supported when all that it names were;
    weakly supported when some were; else not assessable.
    """
    if any(count > 0 for count in others.values()):
        return CONTRADICTED
    seen = [count for count in named.values() if count > 0]
    if not seen:
        return NOT_ASSESSABLE
    return SUPPORTED if len(seen) == len(named) else WEAKLY


def size_verdict(patients_and_needed: Sequence[tuple[float, float]]) -> str:
    """Verdict on 'larger trials are needed': one pair per outcome, randomised patients and the information size.

    Supported when some outcome falls short of its size or has no randomised patient; contradicted when all reach it;
    not assessable when a size is not known although patients were randomised.
    """
    if any(patients == 0 or patients < needed for patients, needed in patients_and_needed):
        return SUPPORTED
    known = all(math.isfinite(needed) for _, needed in patients_and_needed)
    return CONTRADICTED if known and patients_and_needed else NOT_ASSESSABLE
