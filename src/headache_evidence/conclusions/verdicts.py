"""Verdicts on a statement, computed from rated results: supported, weakly supported, contradicted, not assessable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headache_evidence.conclusions.downgrading import excludes
from headache_evidence.conclusions.judgement import LEVELS as LEVELS
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


def whole_verdict(parts: Sequence[str]) -> str:
    """Verdict on a statement with several parts, all of which it claims.

    Contradicted when a part is; supported when all are; weakly supported when some are, even weakly; else not
    assessable.
    """
    if CONTRADICTED in parts:
        return CONTRADICTED
    if parts and all(part == SUPPORTED for part in parts):
        return SUPPORTED
    return WEAKLY if any(part in (SUPPORTED, WEAKLY) for part in parts) else NOT_ASSESSABLE


def risk_verdict(events: float, studies: int, upper: float, rare: float) -> str:
    """Verdict on 'this is a risk'.

    Parameters
    ----------
    events : counted. studies : studies of more than one patient in which it occurred.
    upper : upper limit of its rate. rare : a rate below which an event would not matter; NaN when none is declared.

    Supported when two studies saw it, weakly supported when it was seen at all; contradicted when nobody had it in so
    many patients that its rate lies below ``rare``; else not assessable.
    """
    if events > 0:
        return SUPPORTED if studies >= 2 else WEAKLY
    return CONTRADICTED if upper < rare else NOT_ASSESSABLE


def harms_verdict(named: Sequence[str], *, others: bool) -> str:
    """Verdict on 'these are the risks' from the verdicts on each.

    Not assessable while none of the named risks was seen or excluded, whatever else was counted; contradicted when all
    were excluded, or when the list is incomplete; supported when all were seen; else weakly supported.
    """
    if all(verdict == NOT_ASSESSABLE for verdict in named):
        return NOT_ASSESSABLE
    if others or all(verdict == CONTRADICTED for verdict in named):
        return CONTRADICTED
    seen = [verdict for verdict in named if verdict in (SUPPORTED, WEAKLY)]
    if not seen:
        return NOT_ASSESSABLE
    return SUPPORTED if all(verdict == SUPPORTED for verdict in named) else WEAKLY


def unknown_verdict(levels: Sequence[str]) -> str:
    """Verdict on 'this is unknown' from the certainty of every comparison there is.

    Supported when there is none, weakly supported when all are of low or very low certainty, contradicted otherwise.
    """
    if not levels:
        return SUPPORTED
    return CONTRADICTED if any(level in TRUSTED for level in levels) else WEAKLY


def size_verdict(patients_and_needed: Sequence[tuple[float, float]]) -> str:
    """Verdict on 'larger trials are needed': one pair per outcome, randomised patients and the information size.

    Supported when some outcome falls short of its size or has no randomised patient; contradicted when all reach it;
    not assessable when a size is not known although patients were randomised.
    """
    if any(patients == 0 or patients < needed for patients, needed in patients_and_needed):
        return SUPPORTED
    known = all(math.isfinite(needed) for _, needed in patients_and_needed)
    return CONTRADICTED if known and patients_and_needed else NOT_ASSESSABLE
