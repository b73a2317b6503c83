"""The claims of the protocol against the results of one headache type: direct evidence first, indirect beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from headache_evidence.conclusions.claim_case import Case, case_of
from headache_evidence.conclusions.claim_judges import JUDGES
from headache_evidence.conclusions.harms import harm_reports
from headache_evidence.pools.answers import Answer
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol
from headache_evidence.tables.protocol_certainty import Claim


@dataclass(frozen=True)
class AuditedClaim:
    """A claim, or one part of it, with its verdict, the studies of the technique itself, and indirect evidence."""

    name: str
    text: str
    part: str  # empty for the claim as a whole
    verdict: str
    why: str
    direct_studies: tuple[str, ...]  # studies of the technique in this headache type, of any design
    deciding_k: int  # studies of the technique whose numbers decide the verdict
    indirect_studies: int
    indirect_verdict: str
    indirect_why: str


def audit_claims(
    evidence: Evidence,
    protocol: Protocol,
    answers: Iterable[Answer],
    headache_type: str,
    harms: pd.DataFrame | None = None,
) -> tuple[AuditedClaim, ...]:
    """Every claim that bears on the headache type with its computed verdict, each followed by its parts.

    Parameters
    ----------
    answers : of the same headache type, from ``answer_questions``.
    harms : from ``harm_reports``; made from the evidence when None.
    """
    reports = harm_reports(evidence, protocol) if harms is None else harms
    case = case_of(evidence, protocol, answers, headache_type, reports)
    asked = {name: claim for name, claim in protocol.claims.items() if claim.headache_type in ("", headache_type)}
    return tuple(judged for name, claim in asked.items() for judged in _audit(name, claim, case))


def studies_of(evidence: Evidence, headache_type: str, technique: str, nerves: Sequence[str] = ()) -> tuple[str, ...]:
    """Studies of the headache type with an arm of the technique (at one of the nerves, when given)."""
    arms = evidence.arms.loc[evidence.arms["technique"] == technique]
    if nerves:
        arms = arms.loc[[not set(names.split(";")).isdisjoint(nerves) for names in arms["nerves"]]]
    of_type = evidence.studies.loc[evidence.studies["headache_type"] == headache_type, "study_id"]
    return tuple(sorted(set(arms["study_id"]) & set(of_type)))


def _audit(name: str, claim: Claim, case: Case) -> list[AuditedClaim]:
    judge = JUDGES[claim.kind]
    direct = judge(claim, claim.technique, case)
    indirect = judge(claim, claim.indirect_technique, case)
    studies, others = (
        studies_of(case.evidence, case.headache_type, technique, claim.nerves)
        for technique in (claim.technique, claim.indirect_technique)
    )
    return [
        AuditedClaim(
            name=f"{name}.{own.part}" if own.part else name,
            text=claim.text,
            part=own.part,
            verdict=own.verdict,
            why=own.why,
            direct_studies=studies,
            deciding_k=own.k,
            indirect_studies=len(others),
            indirect_verdict=other.verdict,
            indirect_why=other.why,
        )
        for own, other in zip(direct, indirect, strict=True)
    ]
