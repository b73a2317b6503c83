"""Counts of procedures enter as the patients they are worth, only where procedures and patients are both known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headache_evidence as he
from headache_evidence.effects.clustered import with_effective_counts
from headache_evidence.tables.protocol import load_protocol
from synthetic_evidence_tables import outcome, synthetic_evidence, two_arm_trial

DATA = Path(__file__).parents[2] / "data"
PROTOCOL = load_protocol(DATA / "protocol.yml")


def share(correlation: float = 1.0, stream: str = "proportion", **row: Any) -> pd.Series:
    extraction = PROTOCOL.extraction.model_copy(update={"procedure_correlation": correlation})
    counted = {"name": "responder_any", "kind": "event_count", "events": 30, "total": 60} | row
    rows = [outcome(arm, **(counted | {"unit_of_analysis": "injection"} | row)) for arm in ("A", "B")]
    effects = he.extract_effects(
        synthetic_evidence(**two_arm_trial(), outcomes=rows), headache_type="migraine", outcome="responder_any",
        stream=stream, protocol=PROTOCOL.model_copy(update={"extraction": extraction}),
    )  # fmt: skip
    assert len(effects) == 1
    return effects.iloc[0]


def test_at_a_correlation_of_one_every_patient_counts_once() -> None:
    effect = share()
    assert (effect.events1, effect.n1) == (10, 20)
    assert effect.vi == pytest.approx(1 / 10 + 1 / 10)
    assert effect.doubtful
    assert "60 procedures in 20 patients, as 20 at a correlation of 1 within a patient" in effect.derivation
    assert effect.derivation_rule == "events_of_procedures"


def test_handbook_design_effect_at_half_a_correlation() -> None:
    effect = share(0.5)
    assert (effect.events1, effect.n1) == (15, 30), "design effect 1 + (3 - 1) 0.5 = 2"


def test_without_correlation_every_procedure_counts() -> None:
    assert (share(0.0).events1, share(0.0).n1) == (30, 60)


@given(correlation=st.floats(0, 1), patients=st.integers(1, 300), more=st.integers(1, 300), data=st.data())
def test_effective_numbers_lie_between_patients_and_procedures(
    correlation: float, patients: int, more: int, data: st.DataObject
) -> None:
    total = patients + more
    events = data.draw(st.integers(0, total))
    row = {
        "unit_of_analysis": "procedure", "population_subset": "", "events_used": float(events),
        "total_used": float(total), "rule_events": "events", "derivation_events": "", "reason_continuous": "none",
    }  # fmt: skip
    found = with_effective_counts(pd.DataFrame([row]), [patients], correlation).iloc[0]
    assert patients <= found.total_used <= total
    assert 0 <= found.events_used <= found.total_used
    half_rounding = 0.5 / found.total_used
    assert abs(found.events_used / found.total_used - events / total) <= 2 * half_rounding


def test_both_arms_of_a_comparison_are_shrunk() -> None:
    effect = share(stream="controlled")
    assert (effect.n1, effect.n2) == (20, 20)
    assert effect.yi == pytest.approx(0)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"total": 20, "events": 10}, "the arm's number is the same as that of the procedures"),
        ({"population_subset": "chronic"}, "a part of the arm"),
        ({"unit_of_analysis": "unclear"}, "the unit is not the patient but: unclear"),
        ({"events": np.nan, "total": np.nan, "mean": 4.0}, "no count with its number of procedures"),
    ],
)
def test_what_is_not_known_is_the_reason(row: dict[str, Any], words: str) -> None:
    effect = share(**row)
    assert not effect.usable
    assert words in effect.reason


def test_gantenbein_2012_enters_with_its_sixty_patients() -> None:
    effects = he.extract_effects(
        he.load_evidence(DATA), headache_type="cluster", outcome="pain_free", stream="proportion",
        accept_unknown_time=True, protocol=PROTOCOL,
    ).set_index("study_id")  # fmt: skip
    effect = effects.loc["Gantenbein2012"]
    assert (effect.events1, effect.n1) == (27, 60), "54 of 121 injections in 60 patients"
    assert effect.doubtful
