"""What a rating of certainty is: a level, the judgement in each domain with its reason, and its signs.

Guyatt GH et al. (2011), Journal of Clinical Epidemiology 64:383-394 (GRADE, introduction) and the series after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LEVELS = ("very_low", "low", "moderate", "high")
NO_EVIDENCE = "no_evidence"
SIGNS = {"high": "⊕⊕⊕⊕", "moderate": "⊕⊕⊕○", "low": "⊕⊕○○", "very_low": "⊕○○○", NO_EVIDENCE: ""}
LOWERING = ("risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")
RAISING = ("large_effect", "dose_response", "residual_confounding")
DOMAINS = (*LOWERING, *RAISING)
SERIOUSNESS = {0: "not serious", -1: "serious", -2: "very serious", -3: "extremely serious"}
RAISED = {0: "not rated up", 1: "rated up", 2: "rated up twice"}


@dataclass(frozen=True)
class DomainJudgement:
    """One domain: how many levels down (negative) or up (positive), and why."""

    domain: str
    levels: int
    reason: str
    overridden: bool = False  # True when a reviewer's judgement replaces the computed one

    @property
    def words(self) -> str:
        """The judgement as GRADE words it; bias that cannot be tested is 'undetected', never 'absent'."""
        if self.domain in RAISING:
            return RAISED[self.levels]
        if self.domain == "publication_bias":
            return "undetected" if self.levels == 0 else "suspected"
        return SERIOUSNESS[self.levels]


@dataclass(frozen=True)
class Certainty:
    """Certainty of the evidence behind one result."""

    question_id: str
    start: str
    level: str  # very_low, low, moderate, high; no_evidence when k is 0
    domains: tuple[DomainJudgement, ...]
    k: int

    @property
    def sign(self) -> str:
        """Four circles, filled by level."""
        return SIGNS[self.level]

    @property
    def words(self) -> str:
        """The level in words."""
        return self.level.replace("_", " ")

    @property
    def footnotes(self) -> tuple[str, ...]:
        """One sentence for each domain that moved the level, and for each that a reviewer judged."""
        moved = [domain for domain in self.domains if domain.levels or domain.overridden]
        return tuple(f"{_title(domain.domain)}, {domain.words}: {domain.reason}." for domain in moved)

    def domain(self, name: str) -> DomainJudgement:
        """The judgement in one domain."""
        return next(domain for domain in self.domains if domain.domain == name)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        domains = [
            {"domain": d.domain, "levels": d.levels, "words": d.words, "reason": d.reason, "overridden": d.overridden}
            for d in self.domains
        ]
        return {"level": self.level, "start": self.start, "domains": domains, "footnotes": list(self.footnotes)}


def level_after(start: str, levels: int) -> str:
    """The level reached from ``start`` by so many levels, never beyond the ends of the scale."""
    return LEVELS[min(max(LEVELS.index(start) + levels, 0), len(LEVELS) - 1)]


def signed(levels: int) -> str:
    """Levels with a true minus sign: '−1', '0', '+1'."""
    return f"{levels:+d}".replace("-", "\N{MINUS SIGN}") if levels else "0"


def _title(domain: str) -> str:
    return domain.replace("_", " ").capitalize()
