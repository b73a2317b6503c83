"""The joined evidence of one report, made once for all its tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from headache_evidence.effects.extraction_tables import ExtractionTables, extraction_tables
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol


@dataclass(frozen=True)
class _Joined:
    """What the joined tables depend on, by content: a change of any cell of the evidence makes them others."""

    evidence_content: str
    settings_content: str
    evidence: Evidence = field(compare=False)
    protocol: Protocol = field(compare=False)


def shared_extraction_tables(evidence: Evidence, protocol: Protocol) -> ExtractionTables:
    """The tables of ``extraction_tables``; the same for equal evidence and settings, not to be changed."""
    settings = protocol.extraction.model_dump_json()
    return _tables(_Joined(evidence.content(), settings, evidence, protocol))


@lru_cache(maxsize=1)
def _tables(joined: _Joined) -> ExtractionTables:
    return extraction_tables(joined.evidence, joined.protocol.extraction)
