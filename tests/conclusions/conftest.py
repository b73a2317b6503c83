"""Synthetic answers for the conclusions: nothing in them is evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import headache_evidence as he
from headache_evidence.effects.effect_table import EFFECT_COLUMNS
from headache_evidence.pools.answers import Answer, answer
from headache_evidence.tables.protocol import Protocol

DATA = Path(__file__).parents[2] / "data"
MakeAnswer = Callable[..., Answer]


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    """The committed protocol."""
    return he.load_protocol(DATA / "protocol.yml")


@pytest.fixture(scope="session")
def evidence() -> he.Evidence:
    """The committed evidence."""
    return he.load_evidence(DATA)


@pytest.fixture(scope="session")
def make_answer(protocol: Protocol) -> MakeAnswer:
    """Build an answer to a question of the protocol from yi, vi and columns of the effects table."""

    def make(question_id: str, yi: Sequence[float], vi: Sequence[float], **columns: Any) -> Answer:
        question = next(q for q in protocol.all_questions if q.question_id == question_id)
        k = len(yi)
        own = {
            "study_id": [f"Synthetic{i}" for i in range(k)],
            "label": [f"Synthetic {i}" for i in range(k)],
            "year": 2020,
            "headache_type": question.headache_type,
            "design": "rct_parallel",
            "stream": question.stream,
            "outcome": question.outcome,
            "unit": "days per 28 days",
            "better": "lower",
            "measure": question.measure,
            "yi": list(yi),
            "vi": list(vi),
            "n1": 200.0,
            "n2": 200.0,
            "technique": "perineural_block",
            "comparator": "placebo_saline",
            "risk_of_bias": "low",
            "usable": True,
            "weeks": 4.0,
        } | columns
        effects = pd.DataFrame({name: own.get(name, "") for name in EFFECT_COLUMNS}, index=range(k))
        numbers = ["yi", "vi", "n1", "n2", "m1", "sd1", "m2", "sd2", "events1", "events2", "volume_ml", "weeks"]
        effects[numbers] = effects[numbers].apply(pd.to_numeric, errors="coerce")
        effects["usable"] = effects["usable"].astype(bool)
        return answer(question, effects, protocol)

    return make
