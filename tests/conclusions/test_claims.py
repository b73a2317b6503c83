"""The audit's verdicts follow the evidence: planted synthetic studies change them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import headache_evidence as he
from headache_evidence.conclusions import verdicts
from headache_evidence.conclusions.claim_contrasts import differ_only_in
from headache_evidence.conclusions.claims import AuditedClaim
from headache_evidence.conclusions.harms import REPORT_COLUMNS, event_title
from headache_evidence.conclusions.verdicts import RatedEffect
from headache_evidence.tables.protocol import Protocol

PAIN = "migraine.pain_intensity.controlled.injection.inactive.randomised.short"
DAYS = "migraine.headache_days.controlled.injection.inactive.randomised.short"
LATE = "migraine.headache_days.controlled.injection.inactive.randomised.long"
BLOCKS = "migraine.headache_days.controlled.injection.active_block.randomised.short"
NO_HARMS = pd.DataFrame(columns=list(REPORT_COLUMNS))
PLANTED = {"technique": "hydrodissection", "nerves": "greater_occipital"}
BENEFIT, HARM, NOTHING = [-4.0, -4.2, -3.9], [4.0, 4.2, 3.9], [0.1, -0.1, 0.0]
PRECISE = [0.2, 0.2, 0.2]
NEITHER = ("not assessable", "not assessable")
BETWEEN = {"arm_1": "A", "arm_2": "B", "comparator": "active_block", "technique": "hydrodissection"}


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
    ("days", "pain", "risk_of_bias", "frequency", "severity", "whole"),
    [
        (BENEFIT, BENEFIT, "low", "supported", "supported", "supported"),
        (BENEFIT, None, "low", "supported", "not assessable", "weakly supported"),
        (None, BENEFIT, "low", "not assessable", "supported", "weakly supported"),
        (BENEFIT, BENEFIT, "high", "weakly supported", "weakly supported", "weakly supported"),
        (BENEFIT, HARM, "low", "supported", "contradicted", "contradicted"),
        (HARM, BENEFIT, "low", "contradicted", "supported", "contradicted"),
        (NOTHING, NOTHING, "low", "contradicted", "contradicted", "contradicted"),
        (NOTHING, NOTHING, "high", "not assessable", "not assessable", "not assessable"),
    ],
)
def test_planted_trials_of_hydrodissection_decide_on_frequency_and_severity(
    audit: Any, make_answer: Any, days: list[float] | None, pain: list[float] | None, risk_of_bias: str,
    frequency: str, severity: str, whole: str,
) -> None:  # fmt: skip
    planted = [
        make_answer(question, yi, PRECISE, risk_of_bias=risk_of_bias, **PLANTED)
        for question, yi in ((DAYS, days), (PAIN, pain))
        if yi is not None
    ]
    claims = audit(*planted)
    found = [claims[f"occipital_migraine{part}"].verdict for part in (".headache frequency", ".severity", "")]
    assert found == [frequency, severity, whole]
    assert claims["occipital_migraine"].deciding_k == 3


@pytest.mark.parametrize(
    ("yi", "nerves", "verdict"),
    [
        (BENEFIT, "supraorbital", "weakly supported"),
        (HARM, "auriculotemporal; supraorbital", "contradicted"),
        (BENEFIT, "greater_occipital", "not assessable"),
    ],
)
def test_planted_trials_at_trigeminal_nerves_decide_in_tension_type_headache(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence, yi: list[float], nerves: str, verdict: str
) -> None:
    planted = make_answer(
        DAYS.replace("migraine", "tension_type", 1), yi, PRECISE, technique="hydrodissection", nerves=nerves
    )
    claims = {c.name: c for c in he.audit_claims(evidence, protocol, [planted], "tension_type", NO_HARMS)}
    assert claims["trigeminal_tension_type"].verdict == verdict
    assert "occipital_migraine" not in claims


def test_blocks_are_indirect_and_other_nerves_decide_nothing(audit: Any, make_answer: Any) -> None:
    blocks = make_answer(DAYS, BENEFIT, PRECISE, nerves="greater_occipital; lesser_occipital")
    claim = audit(blocks)["occipital_migraine.headache frequency"]
    assert (claim.verdict, claim.indirect_verdict) == ("not assessable", "supported")
    elsewhere = make_answer(DAYS, BENEFIT, PRECISE, technique="hydrodissection", nerves="supraorbital")
    assert audit(elsewhere)["occipital_migraine"].verdict == "not assessable"


@pytest.mark.parametrize(("risk_of_bias", "verdict"), [("low", "contradicted"), ("high", "weakly supported")])
def test_long_follow_up_contradicts_that_it_is_unknown(
    audit: Any, make_answer: Any, risk_of_bias: str, verdict: str
) -> None:
    late = make_answer(LATE, BENEFIT, PRECISE, risk_of_bias=risk_of_bias, **PLANTED)
    assert audit(late)["long_term"].verdict == verdict
    early = make_answer(DAYS, BENEFIT, PRECISE, risk_of_bias=risk_of_bias, **PLANTED)
    assert audit(early)["long_term"].verdict == "supported"


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
    ("second", "part", "verdict", "whole"),
    [
        ({"guidance": "landmark"}, "imaging.efficacy with ultrasound", "supported", "weakly supported"),
        ({"guidance": "fluoroscopy"}, "imaging.efficacy with ultrasound", "not assessable", "not assessable"),
        ({"guidance": "not_reported"}, "imaging.efficacy with ultrasound", "not assessable", "not assessable"),
        ({"injectate": "dextrose_5;lidocaine"}, "fluid.an anaesthetic in the fluid", "supported", "weakly supported"),
        ({"injectate": "triamcinolone"}, "fluid.a steroid in the fluid", "supported", "weakly supported"),
        ({"injectate": "lidocaine;triamcinolone"}, "fluid.a steroid in the fluid", "not assessable", "not assessable"),
        ({"injectate": "lidocaine", "guidance": "landmark"}, "fluid.an anaesthetic in the fluid", *NEITHER),
        ({"nerves": "supraorbital"}, "selection_site_technique.site", "supported", "weakly supported"),
        ({"technique": "perineural_block"}, "selection_site_technique.technique", "supported", "weakly supported"),
        ({"technique": "drug"}, "selection_site_technique.technique", "not assessable", "not assessable"),
    ],
)  # fmt: skip
def test_arms_that_differ_in_one_feature_decide(
    audit: Any, make_answer: Any, evidence: he.Evidence, second: dict[str, str], part: str, verdict: str, whole: str
) -> None:
    answer = make_answer(BLOCKS, BENEFIT, PRECISE, **BETWEEN)
    claims = audit(answer, evidence=planted_arms(evidence, **second))
    assert (claims[part].verdict, claims[part.split(".")[0]].verdict) == (verdict, whole)
    nothing = audit(make_answer(BLOCKS, NOTHING, PRECISE, **BETWEEN), evidence=planted_arms(evidence, **second))
    assert nothing[part].verdict == ("contradicted" if verdict == "supported" else "not assessable")


def test_guidance_in_the_comparator_turns_the_sign(audit: Any, make_answer: Any, evidence: he.Evidence) -> None:
    answer = make_answer(BLOCKS, BENEFIT, PRECISE, **BETWEEN | {"arm_1": "B", "arm_2": "A"})
    assert audit(answer, evidence=planted_arms(evidence, guidance="landmark"))["imaging"].verdict == "contradicted"


def test_mri_is_judged_apart_from_ultrasound(audit: Any, make_answer: Any, evidence: he.Evidence) -> None:
    answer = make_answer(BLOCKS, BENEFIT, PRECISE, **BETWEEN | {"arm_1": "B", "arm_2": "A"})
    arms = planted_arms(evidence, guidance="mri")
    arms.arms.loc[arms.arms["arm_id"] == "A", "guidance"] = "landmark"
    claims = audit(answer, evidence=arms)
    assert claims["imaging.efficacy with MRI"].verdict == "supported"
    assert claims["imaging.efficacy with ultrasound"].verdict == "not assessable"


def test_kinds_of_patients_are_compared_only_under_the_same_procedure_and_care(
    audit: Any, make_answer: Any, evidence: he.Evidence
) -> None:
    question = BLOCKS.replace("randomised", "nonrandomised")
    part = "selection_site_technique.patient selection"
    same = planted_arms(evidence)
    for design, yi, dose, verdict in (
        ("cohort_prospective", BENEFIT, "", "weakly supported"),
        ("cohort_prospective", HARM, "", "weakly supported"),
        ("cohort_prospective", BENEFIT, "2 mL", "not assessable"),
        ("nonrandomised_controlled", BENEFIT, "", "not assessable"),
    ):
        answer = make_answer(question, yi, PRECISE, **BETWEEN | {"design": design})
        arms = same if not dose else planted_arms(evidence, dose=dose)
        assert audit(answer, evidence=arms)[part].verdict == verdict, (design, dose)
    assert "no study compares kinds of patients" in audit(evidence=same)[part].why


def test_studies_that_compare_without_usable_numbers_are_named_and_retracted_ones_are_not(
    protocol: Protocol, evidence: he.Evidence
) -> None:
    claims = {c.name: c for c in he.audit_claims(evidence, protocol, (), "migraine")}
    why = claims["fluid.a steroid in the fluid"].indirect_why
    assert "Ashkenazi2008" in why
    assert "without usable numbers" in why
    assert "Retracted" not in why
    assert "Hokenek2021" in claims["selection_site_technique.site"].indirect_why


def harm(event: str, events: float, study: str = "Synthetic0", **more: Any) -> dict[str, Any]:
    row = dict.fromkeys(REPORT_COLUMNS, "") | {"study_id": study, "arm_id": "A", "headache_type": "migraine"}
    return row | {"technique": "hydrodissection", "event": event, "events": events, "total": 100.0} | more


def twice(event: str, events: float) -> list[dict[str, Any]]:
    return [harm(event, events), harm(event, events, "Synthetic1")]


NAMED = ("injection_site_pain", "sensory_disturbance", "allergic_reaction")


@pytest.mark.parametrize(
    ("harms", "verdict"),
    [
        (twice("injection_site_pain", 9), "weakly supported"),
        ([row for event in NAMED for row in twice(event, 2)], "supported"),
        ([harm(event, 2) for event in NAMED], "weakly supported"),
        ([harm("injection_site_pain", 9), harm("alopecia_atrophy", 1)], "contradicted"),
        ([harm("alopecia_atrophy", 1)], "not assessable"),
        ([harm("any", 7), harm("serious", 1)], "not assessable"),
        ([harm(event, 0) for event in NAMED], "contradicted"),
        ([harm("injection_site_pain", 0, total=20.0)], "not assessable"),
        ([harm("injection_site_pain", 9, technique="perineural_block")], "not assessable"),
    ],
)
def test_counted_harms_decide_on_the_list_of_risks(audit: Any, harms: list[dict[str, Any]], verdict: str) -> None:
    assert audit(harms=pd.DataFrame(harms))["risks"].verdict == verdict


@pytest.mark.parametrize("event", NAMED)
def test_each_risk_is_judged_by_its_own_counts(audit: Any, event: str) -> None:
    part = f"risks.{event_title(event)}"
    other = next(name for name in NAMED if name != event)

    def verdict(*rows: dict[str, Any]) -> str:
        return str(audit(harms=pd.DataFrame(rows))[part].verdict)

    assert verdict(harm(other, 5)) == "not assessable"
    assert verdict(*twice(event, 3)) == "supported"
    assert verdict(harm(event, 3)) == "weakly supported"
    assert verdict(harm(event, 1, total=1.0)) == "weakly supported"
    assert verdict(harm(event, 0, total=30.0)) == "not assessable"
    assert verdict(harm(event, 0, total=300.0)) == "contradicted"


def test_other_harms_are_named(audit: Any) -> None:
    claims = audit(harms=pd.DataFrame([harm("alopecia_atrophy", 2)]))
    assert (claims["risks.no other risk"].verdict, claims["risks"].verdict) == ("contradicted", "not assessable")
    assert "alopecia or atrophy in 2" in claims["risks.no other risk"].why


def test_a_report_of_a_harm_shows_that_the_list_is_incomplete(protocol: Protocol, evidence: he.Evidence) -> None:
    claims = {c.name: c for c in he.audit_claims(evidence, protocol, (), "occipital_neuralgia", NO_HARMS)}
    assert claims["risks.no other risk"].verdict == "not assessable"
    assert claims["risks.no other risk"].indirect_verdict == "contradicted"
    assert "Strauss2014" in claims["risks.no other risk"].indirect_why
    assert claims["risks"].indirect_verdict == "not assessable"
    silent = protocol.model_copy(update={"harms": protocol.harms.model_copy(update={"case_reports": ()})})
    again = {c.name: c for c in he.audit_claims(evidence, silent, (), "occipital_neuralgia", NO_HARMS)}
    assert again["risks.no other risk"].indirect_verdict == "not assessable"


@pytest.mark.parametrize(
    ("guided", "unguided", "verdict"),
    [(1, 20, "weakly supported"), (20, 1, "contradicted"), (5, 5, "not assessable"), (0, 0, "not assessable")],
)
def test_misplaced_needles_decide_on_precision(
    audit: Any, evidence: he.Evidence, guided: float, unguided: float, verdict: str
) -> None:
    rows = [harm("vascular_puncture", guided), harm("vascular_puncture", unguided, arm_id="B")]
    arms = planted_arms(evidence, guidance="landmark")
    claim = audit(harms=pd.DataFrame(rows), evidence=arms)["imaging.precision of placement"]
    assert (claim.verdict, claim.deciding_k) == (verdict, 1)
    alike = audit(
        harms=pd.DataFrame(rows), evidence=planted_arms(evidence, guidance="landmark", dose="2 mL", nerves="x")
    )
    assert alike["imaging.precision of placement"].deciding_k == 0


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        (["supported", "supported"], "supported"),
        (["supported", "not assessable"], "weakly supported"),
        (["weakly supported", "supported"], "weakly supported"),
        (["supported", "contradicted"], "contradicted"),
        (["not assessable"], "not assessable"),
        ([], "not assessable"),
    ],
)
def test_whole_statements_need_all_their_parts(parts: list[str], verdict: str) -> None:
    assert verdicts.whole_verdict(parts) == verdict


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


def test_readers_see_the_number_of_studies_and_every_part(protocol: Protocol, evidence: he.Evidence) -> None:
    claims = he.audit_claims(evidence, protocol, (), "migraine")
    table = he.show_claims(claims).data
    assert len(table) == len(claims)
    first = table.iloc[0]
    assert first["why"].startswith("2 studies (HydrodissectionMigraineCase, OALib6858430)")
    assert first["why, indirectly"].startswith("49 studies")
    assert table["statement"].str.startswith("\N{EM DASH}").sum() == sum(bool(claim.part) for claim in claims)
    nobody = he.show_claims(he.audit_claims(evidence, protocol, (), "tension_type")).data
    assert nobody["why"].iloc[0].startswith("no study;")
    summary = repr(he.show_claims_summary(claims))
    assert "Of 7 statements" in summary
