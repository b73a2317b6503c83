"""Paragraphs whose every number is rendered from results, so that text cannot drift from the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from headache_evidence.conclusions.claims import AuditedClaim, studies_of
from headache_evidence.conclusions.judgement import LEVELS, Certainty
from headache_evidence.conclusions.number_words import count, in_sentence
from headache_evidence.pools.answers import Answer
from headache_evidence.tables.protocol import Protocol

if TYPE_CHECKING:
    import pandas as pd

    from headache_evidence.tables.evidence import Evidence


def overview(
    evidence: Evidence, protocol: Protocol, answers: Iterable[Answer], ratings: Iterable[Certainty], headache_type: str
) -> tuple[str, ...]:
    """What there is: studies, techniques, questions with an answer, certainty; then the limits of the search."""
    answers = tuple(answers)
    title = in_sentence(protocol.headache_types[headache_type])
    total = int((evidence.studies["headache_type"] == headache_type).sum())
    hydrodissection = studies_of(evidence, headache_type, "hydrodissection")
    blocks = studies_of(evidence, headache_type, "perineural_block")
    answered = [answer for answer in answers if answer.pooled.k]
    controlled = [answer for answer in answered if answer.question.stream == "controlled"]
    single = sum(answer.pooled.k == 1 for answer in answered)
    levels = Counter(rating.level for rating in ratings if rating.k)
    spread = ", ".join(f"{levels[level]} {level.replace('_', ' ')}" for level in reversed(LEVELS) if levels[level])
    named = f" ({', '.join(hydrodissection)})" if hydrodissection else ""
    return (
        f"The tables hold {count(total, 'study', 'studies')} of {title}: {len(blocks)} with a nerve block, "
        f"{len(hydrodissection) or 'none'} with hydrodissection{named}.",
        f"{len(answered)} of {len(answers)} questions that a study bears on have an answer, "
        f"{len(controlled) or 'none'} of them between arms; {count(single, 'answer rests', 'answers rest')} on "
        "a single study.",
        f"Certainty of the answers: {spread or 'no answer to rate'}.",
        protocol.search_limits.strip(),
    )


def claims_summary(claims: Sequence[AuditedClaim]) -> tuple[str, ...]:
    """How many claims fare how, for hydrodissection itself and for nerve blocks as indirect evidence."""
    whole = [claim for claim in claims if not claim.part]
    direct, indirect = (Counter(getattr(claim, name) for claim in whole) for name in ("verdict", "indirect_verdict"))
    return (
        f"Of {count(len(whole), 'statement', 'statements')}, for hydrodissection itself: {_counted(direct)}.",
        f"The same statements about nerve blocks, as indirect evidence: {_counted(indirect)}.",
    )


def harms_summary(rates: pd.DataFrame, serious: pd.DataFrame) -> tuple[str, ...]:
    """How many events were counted, where none was seen, and how many serious events are told one by one."""
    zeros = int((rates["events"] == 0).sum())
    if rates.empty:
        counted = "No study of this headache type counts a harm in two or more patients; that is no evidence of safety."
    else:
        rates_words = count(len(rates), "rate", "rates")
        counted = f"In this headache type {rates_words} can be given by event, technique and injectate."
        if zeros:
            counted += f" No event was seen in {zeros} of them, which bounds the risk and does not exclude it."
    return (
        counted,
        f"Reports on this headache type that tell of a serious event or are about a harm: {len(serious) or 'none'}.",
    )


def _counted(verdicts: Counter[str]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items())) or "none"
