"""Values compared by what they hold, so that a costly result about equal values is worked out once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

Value = TypeVar("Value")
Settings = TypeVar("Settings", bound=BaseModel)


@dataclass(frozen=True)
class ByContent(Generic[Value]):
    """A value as argument of an lru_cached function: a change of any part of it makes it another argument."""

    content: Hashable
    value: Value = field(compare=False)


def evidence_by_content(evidence: Evidence) -> ByContent[Evidence]:
    """The evidence, equal to any other that holds the same cells."""
    return ByContent(evidence.content(), evidence)


def settings_by_content(settings: Settings) -> ByContent[Settings]:
    """The protocol or a part of it, equal to any other that says the same."""
    return ByContent(settings.model_dump_json(), settings)
