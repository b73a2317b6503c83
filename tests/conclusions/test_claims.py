"""The audit's verdicts follow the evidence: planted synthetic studies change them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import headache_evidence as he
from headache_evidence.conclusions import verdicts
from headache_evidence.conclusions.claims import AuditedClaim, differ_only_in
from headache_evidence.conclusions.harms import REPORT_COLUMNS
from headache_evidence.conclusions.verdicts import RatedEffect
from headache_evidence.tables.protocol import Protocol

DAYS = "migraine.headache_days.controlled.injection.inactive.randomised.short"
LATE = "migraine.headache_days.controlled.injection.inactive.randomised.long"
BLOCKS = "migraine.headache_days.controlled.injection.active_block.randomised.short"
NO_HARMS = pd.DataFrame(columns=list(REPORT_COLUMNS))
PLANTED = {"technique": "hydrodissection", "nerves": "greater_occipital"}
BENEFIT, HARM, NOTHING = [-4.0, -4.2, -3.9], [4.0, 4.2, 3.9], [0.1, -0.1, 0.0]
PRECISE = [0.2, 0.2, 0.2]


@pytest.fixture
def audit(protocol: Protocol, evidence: he.Evidence) -> Any:
    def run(*answers: Any, harms: pd.DataFrame = NO_HARMS, evidence: he.Evidence = evidence) -> dict[str, AuditedClaim]:
        return {c.name: c for c in he.audit_claims(evidence, protocol, answers, "migraine", harms)}

    return run


def test_without_comparisons_nothing_can_be_said(audit: Any) -> None:
    claims = audit()
    assert claims["occipital_migraine"].verdict == "not assessable"
    assert "trigeminal_tension_type" not in claims
    assert claims["long_term"].verdict == "supported"
    assert claims["larger_trials"].verdict == "supported"


@pytest.mark.parametrize(
    ("yi", "risk_of_bias", "verdict"),
    [
        (BENEFIT, "low", "supported"),
        (BENEFIT, "high", "weakly supported"),
        (HARM, "low", "contradicted"),
        (NOTHING, "low", "contradicted"),
        (NOTHING, "high", "not assessable"),
    ],
)
def test_planted_trials_of_hydrodissection_decide(
    audit: Any, make_answer: Any, yi: list[float], risk_of_bias: str, verdict: str
) -> None:
    planted = make_answer(DAYS, yi, PRECISE, risk_of_bias=risk_of_bias, **PLANTED)
    claim = audit(planted)["occipital_migraine"]
    assert (claim.verdict, claim.deciding_k) == (verdict, 3)


def test_blocks_are_indirect_and_other_nerves_decide_nothing(audit: Any, make_answer: Any) -> None:
    blocks = make_answer(DAYS, BENEFIT, PRECISE, nerves="greater_occipital; lesser_occipital")
    claim = audit(blocks)["occipital_migraine"]
    assert (claim.verdict, claim.indirect_verdict) == ("not assessable", "supported")
    elsewhere = make_answer(DAYS, BENEFIT, PRECISE, technique="hydrodissection", nerves="supraorbital")
    assert audit(elsewhere)["occipital_migraine"].verdict == "not assessable"


def test_long_follow_up_contradicts_that_it_is_unknown(audit: Any, make_answer: Any) -> None:
    assert audit(make_answer(LATE, BENEFIT, PRECISE, **PLANTED))["long_term"].verdict == "contradicted"


def test_enough_patients_end_the_call_for_larger_trials(audit: Any, make_answer: Any) -> None:
    few = make_answer(DAYS, BENEFIT, PRECISE, n1=10.0, n2=10.0, **PLANTED)
    assert audit(few)["larger_trials"].verdict == "supported"
    assert verdicts.size_verdict([(400.0, 300.0), (500.0, 300.0)]) == "contradicted"
    assert verdicts.size_verdict([(400.0, 300.0), (200.0, 300.0)]) == "supported"
    assert verdicts.size_verdict([(400.0, 300.0), (0.0, math.nan)]) == "supported"
    assert verdicts.size_verdict([(400.0, math.nan)]) == "not assessable"


def planted_arms(evidence: he.Evidence, **second: str) -> he.Evidence:
    """Three synthetic studies with two arms each; the second arm differs as told."""
    base = dict.fromkeys(evidence.arms.columns, "") | {
        "technique": "hydrodissection", "guidance": "ultrasound", "nerves": "greater_occipital",
        "injectate": "dextrose_5",
    }  # fmt: skip
    rows = [
        base | {"study_id": f"Synthetic{i}", "arm_id": arm} | (second if arm == "B" else {})
        for i in range(3)
        for arm in ("A", "B")
    ]
    return replace(evidence, arms=pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("second", "claim", "verdict"),
    [
        ({"guidance": "landmark"}, "imaging", "supported"),
        ({"injectate": "lidocaine"}, "fluid", "supported"),
        ({"nerves": "supraorbital"}, "selection_site_technique", "supported"),
        ({"injectate": "lidocaine", "guidance": "landmark"}, "fluid", "not assessable"),
        ({"guidance": "not_reported"}, "imaging", "not assessable"),
    ],
)
def test_arms_that_differ_in_one_feature_decide(
    audit: Any, make_answer: Any, evidence: he.Evidence, second: dict[str, str], claim: str, verdict: str
) -> None:
    answer = make_answer(
        BLOCKS, BENEFIT, PRECISE, arm_1="A", arm_2="B", comparator="active_block", technique="hydrodissection"
    )
    assert audit(answer, evidence=planted_arms(evidence, **second))[claim].verdict == verdict


def test_guidance_in_the_comparator_turns_the_sign(audit: Any, make_answer: Any, evidence: he.Evidence) -> None:
    answer = make_answer(
        BLOCKS, BENEFIT, PRECISE, arm_1="B", arm_2="A", comparator="active_block", technique="hydrodissection"
    )
    assert audit(answer, evidence=planted_arms(evidence, guidance="landmark"))["imaging"].verdict == "contradicted"


def harm(event: str, events: float, technique: str = "hydrodissection") -> dict[str, Any]:
    row = dict.fromkeys(REPORT_COLUMNS, "") | {"study_id": "Synthetic0", "headache_type": "migraine"}
    return row | {"technique": technique, "event": event, "events": events, "total": 100.0}


@pytest.mark.parametrize(
    ("harms", "verdict"),
    [
        ([harm("injection_site_pain", 9)], "weakly supported"),
        ([harm("injection_site_pain", 9), harm("sensory_disturbance", 4), harm("allergic_reaction", 1)], "supported"),
        ([harm("injection_site_pain", 9), harm("alopecia_atrophy", 1)], "contradicted"),
        ([harm("injection_site_pain", 0)], "not assessable"),
        ([harm("injection_site_pain", 9, "perineural_block")], "not assessable"),
    ],
)
def test_counted_harms_decide_on_the_list_of_risks(audit: Any, harms: list[dict[str, Any]], verdict: str) -> None:
    assert audit(harms=pd.DataFrame(harms))["risks"].verdict == verdict


def rated(outcome: str, ci: tuple[float, float], level: str) -> RatedEffect:
    return RatedEffect(outcome, ("Synthetic0",), 1, sum(ci) / 2, ci, 2.0, level)


def test_verdicts_need_every_outcome_and_harm_of_very_low_certainty_yields_to_benefit() -> None:
    days, pain = rated("headache_days", (1, 5), "high"), rated("pain_intensity", (-1, 3), "high")
    assert verdicts.effect_verdict([days]) == "supported"
    assert verdicts.effect_verdict([days, pain]) == "weakly supported"
    assert verdicts.effect_verdict([days, rated("attacks", (-5, -1), "very_low")]) == "weakly supported"
    assert verdicts.effect_verdict([days, rated("attacks", (-5, -1), "low")]) == "contradicted"
    assert verdicts.difference_verdict([rated("attacks", (-5, -1), "low")]) == "weakly supported"
    assert verdicts.difference_verdict([rated("attacks", (-1, 1), "high")]) == "contradicted"
    assert verdicts.difference_verdict([]) == "not assessable"


def test_unknown_features_are_no_difference() -> None:
    arm = {"technique": "hydrodissection", "guidance": "", "nerves": "n", "injectate": "i"}
    assert not differ_only_in("guidance", [pd.Series(arm)], [pd.Series(arm | {"guidance": "ultrasound"})])


def test_real_claims_count_the_real_studies(protocol: Protocol, evidence: he.Evidence) -> None:
    claims = {c.name: c for c in he.audit_claims(evidence, protocol, (), "migraine")}
    assert claims["occipital_migraine"].direct_studies == ("HydrodissectionMigraineCase", "OALib6858430")
    assert claims["occipital_migraine"].indirect_studies > 40
    assert len(protocol.claims) == 8
