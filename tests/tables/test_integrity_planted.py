"""One planted fault per rule in small synthetic tables; each must be found, and its sound twin must not."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from headache_evidence.errors import InputError
from headache_evidence.tables.integrity import ANSWERED_BY, RULES, UNRESOLVED, screen
from headache_evidence.tables.integrity_rules_spread import FIELD_STUDIES


def _load_simulation() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "false_alarms.py"
    spec = importlib.util.spec_from_file_location("false_alarms", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


simulation = _load_simulation()
evidence, outcome = simulation.evidence_from_rows, simulation.outcome

WEEK0, WEEK4, WEEK12 = ({"time_value": week, "time_unit": "weeks"} for week in (0, 4, 12))
NRS = {"outcome": "pain_intensity", "scale": "nrs_0_10"}
TRIAL = {"study_id": "X", "design": "rct_parallel", "n_randomised": 40, "n_analysed": 40}
ARMS = [{"study_id": "X", "arm_id": arm, "n_randomised": 20, "n_analysed": 20} for arm in "AB"]


def contrast(**values: Any) -> dict[str, Any]:
    row = {"study_id": "X", "comparison": "between_arms", "arm_1": "B", "arm_2": "A", "outcome": "pain_intensity"}
    return row | {"outcome_reported": "pain_intensity", "measure": "MD", "sign": "signed"} | WEEK4 | values


def one(arm: str = "A", **values: Any) -> dict[str, list[dict[str, Any]]]:
    return {"studies": [TRIAL], "arms": ARMS, "outcomes": [outcome("X", arm, **values)]}


def series(*rows: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    made = [outcome("X", **({"arm_id": "A"} | row)) for row in rows]
    return {"studies": [TRIAL], "arms": ARMS, "outcomes": made}


def field(odd: float) -> dict[str, list[dict[str, Any]]]:
    """Studies of pain with SDs from 1.2 to 2, and one more whose SD is ``odd``."""
    spreads = [1.2 + 0.8 * i / FIELD_STUDIES for i in range(FIELD_STUDIES + 1)]
    rows = [
        outcome(f"S{i}", "A", **NRS, **WEEK4, n=25, mean=4.1, sd=round(sd, 2)) for i, sd in enumerate([*spreads, odd])
    ]
    studies = [{"study_id": row["study_id"], "design": "single_arm"} for row in rows]
    return {"studies": studies, "outcomes": rows}


def spreads(later: float) -> dict[str, list[dict[str, Any]]]:
    """Arms whose SD hardly changes, and one whose SD becomes ``later``."""
    rows = []
    for i, end in enumerate([1.9, 2.1, 2.4, 1.7, 2.0, 2.2, 1.8, later]):
        for week, sd in ((WEEK0, 2.0), (WEEK12, end)):
            rows.append(outcome(f"S{i}", "A", outcome="total_pain_index", scale="total_pain_index", **week, n=20))
            rows[-1] |= {"mean": 50.0, "sd": sd}
    return {"studies": [{"study_id": f"S{i}"} for i in range(8)], "outcomes": rows}


def copies(*, own: bool) -> dict[str, list[dict[str, Any]]]:
    rows = []
    for study, shift in (("X", 0.0), ("Y", 0.37 if own else 0.0)):
        for week, mean, sd in ((WEEK0, 7.31, 1.24), (WEEK4, 4.18, 2.05)):
            rows.append(outcome(study, "A", **NRS, **week, n=31, mean=round(mean + shift, 2), sd=sd))
    return {"studies": [{"study_id": "X"}, {"study_id": "Y"}], "outcomes": rows}


def alike(gap: float) -> dict[str, list[dict[str, Any]]]:
    rows = [
        outcome("X", arm, **NRS, time_value=week, time_unit="weeks", n=20, sd=1.41, mean=round(mean + shift, 2))
        for week, mean in ((2, 5.12), (4, 4.37), (12, 3.81))
        for arm, shift in (("A", 0.0), ("B", gap))
    ]
    return {"studies": [TRIAL], "arms": ARMS, "outcomes": rows}


def two_arms(mean_b: float, week: dict[str, Any], **p: Any) -> dict[str, list[dict[str, Any]]]:
    rows = [outcome("X", arm, **NRS, **week, n=20, mean=m, sd=1.5) for arm, m in (("A", 6.0), ("B", mean_b))]
    return {"studies": [TRIAL], "arms": ARMS, "outcomes": rows, "contrasts": [contrast(**p)] if p else []}


def label(percent: str) -> dict[str, list[dict[str, Any]]]:
    arm = {"study_id": "X", "arm_id": "A", "label": f"second block if NRS above 5 at 4 weeks ({percent}%)"}
    row = outcome("X", "A", **NRS, **WEEK4, n=50, mean=1.4, sd=1.1)
    return {"studies": [TRIAL], "arms": [arm], "outcomes": [row]}


PAIN = {**NRS, **WEEK4, "n": 20}
SHARE = {"outcome": "responder_50", "better": "higher", **WEEK4, "kind": "percent"}
COUNT = SHARE | {"kind": "event_count", "total": 20}

MIDAS = {"outcome": "midas", "n": 26} | WEEK0


def losses(first: int, second: int) -> dict[str, list[dict[str, Any]]]:
    """A trial of 20 and 20 patients whose arms lost so many of them."""
    arms = [arm | {"n_analysed": 20 - lost} for arm, lost in zip(ARMS, (first, second), strict=True)]
    return {"studies": [TRIAL | {"n_analysed": 40 - first - second}], "arms": arms}


PLANTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "retracted": ({"studies": [TRIAL | {"retracted": True}]}, {"studies": [TRIAL]}),
    "same_numbers_in_two_studies": (copies(own=False), copies(own=True)),
    "arms_against_p": (
        two_arms(4.0, WEEK4, measure="p_only", p=0.4, p_operator="="),
        two_arms(4.0, WEEK4, measure="p_only", p=0.001, p_operator="<"),
    ),
    "mean_fits_no_total": (one(**PAIN, mean=4.17), one(**PAIN, mean=4.15)),
    "sd_fits_no_answers": (one(**PAIN | {"n": 4}, mean=2.25, sd=1.22), one(**PAIN | {"n": 4}, mean=2.25, sd=1.26)),
    "percent_fits_no_count": (one(**SHARE, n=20, percent=62.0), one(**SHARE, n=20, percent=65.0)),
    "events_against_percent": (one(**COUNT, events=7, percent=45.0), one(**COUNT, events=7, percent=35.0)),
    "sd_impossible": (one(**PAIN, mean=9.4, sd=2.9), one(**PAIN, mean=9.4, sd=1.1)),
    "mean_outside_scale": (one(**PAIN, mean=10.6), one(**PAIN, mean=9.6)),
    "smaller_scale": (
        one(**MIDAS, outcome_reported="midas", scale="midas_score", mean=3.2),
        one(**MIDAS, outcome_reported="midas_grade", scale="midas_grade", mean=3.2),
    ),
    "mean_outside_interval": (
        one(**PAIN, mean=5.0, ci_low=5.2, ci_high=6.0),
        one(**PAIN, mean=5.0, ci_low=4.2, ci_high=5.8),
    ),
    "spread_unlabelled": (one(**PAIN, mean=5.0, spread_unlabelled=0.4), one(**PAIN, mean=5.0, sd=1.4)),
    "share_against_spread": (label("20"), label("2")),
    "standard_error_as_sd": (field(0.3), field(1.1)),
    "spread_jumps": (spreads(0.2), spreads(1.5)),
    "arm_sum_against_study": (
        {"studies": [TRIAL | {"n_randomised": 47}], "arms": ARMS},
        {"studies": [TRIAL], "arms": ARMS},
    ),
    "unequal_loss": (losses(9, 1), losses(4, 1)),
    "n_above_arm": (one(**PAIN | {"n": 24}, mean=5.0), one(**PAIN, mean=5.0)),
    "n_grows": (
        series(PAIN | {"n": 15, "mean": 5.0}, PAIN | WEEK12 | {"n": 18, "mean": 4.0}),
        series(PAIN | {"n": 18, "mean": 5.0}, PAIN | WEEK12 | {"n": 15, "mean": 4.0}),
    ),
    "change_against_difference": (
        series(
            PAIN | WEEK0 | {"mean": 7.5},
            PAIN | {"mean": 5.0},
            PAIN | {"mean": -3.5, "kind": "change_from_baseline"},
        ),
        series(
            PAIN | WEEK0 | {"mean": 7.5},
            PAIN | {"mean": 5.0},
            PAIN | {"mean": -2.5, "kind": "change_from_baseline"},
        ),
    ),
    "change_direction": (
        one(**PAIN, mean=2.5, kind="change_from_baseline"),
        one(**PAIN, mean=-2.5, kind="change_from_baseline"),
    ),
    "counts_do_not_add_up": (
        series(COUNT | {"outcome": "responder_any", "events": 12}, COUNT | {"outcome": "non_responder", "events": 5}),
        series(COUNT | {"outcome": "responder_any", "events": 12}, COUNT | {"outcome": "non_responder", "events": 8}),
    ),
    "arms_too_alike": (alike(0.01), alike(0.31)),
    "baseline_imbalance": (two_arms(3.5, WEEK0), two_arms(5.5, WEEK0)),
    "estimate_outside_interval": (
        {"contrasts": [contrast(estimate=2.0, ci_low=-3.1, ci_high=-0.9)]},
        {"contrasts": [contrast(estimate=-2.0, ci_low=-3.1, ci_high=-0.9)]},
    ),
    "ratio_not_positive": (
        {"published_pools": [{"review_id": "R", "measure": "RR", "estimate": 1.4, "ci_low": -0.2, "ci_high": 3.0}]},
        {"published_pools": [{"review_id": "R", "measure": "RR", "estimate": 1.4, "ci_low": 0.65, "ci_high": 3.0}]},
    ),
    "interval_not_symmetric": (
        {"contrasts": [contrast(estimate=-2.11, ci_low=-2.43, ci_high=-0.41)]},
        {"contrasts": [contrast(measure="OR", estimate=3.9, ci_low=1.6, ci_high=9.8)]},
    ),
    "interval_against_p": (
        {"contrasts": [contrast(estimate=-2.0, ci_low=-3.0, ci_high=-1.0, p=0.3, p_operator="=")]},
        {"contrasts": [contrast(estimate=-2.0, ci_low=-3.0, ci_high=-1.0, p=0.001, p_operator="<")]},
    ),
    "interval_repeated": (
        {"contrasts": [contrast(estimate=1, ci_low=0.1, ci_high=2.1, **at) for at in (WEEK4, WEEK12)]},
        {"contrasts": [contrast(estimate=1, ci_low=0.1, ci_high=high) for high in (2.1, 2.2)]},
    ),
    "intervals_quoted_differ": (
        {"studies": [TRIAL | {"bias_reporting": "CI printed as 0.6 to 3.7 in one place and -0.6 to 3.7 in another"}]},
        {"studies": [TRIAL | {"bias_reporting": "CI printed as 0.6 to 3.7 in one place and 0.6 to 3.7 in another"}]},
    ),
}


def test_every_rule_has_a_planted_fault_and_a_source_or_reason() -> None:
    assert set(PLANTED) == set(RULES)
    assert set(ANSWERED_BY) <= set(RULES)
    assert all(rule.__doc__ for rule in RULES.values())


@pytest.mark.parametrize("rule", sorted(PLANTED))
def test_planted_fault_is_found_and_its_sound_twin_is_not(rule: str) -> None:
    planted, sound = PLANTED[rule]
    hits = screen(evidence(**planted), rules=[rule])
    assert len(hits) > 0
    assert set(hits["rule"]) == {rule}
    assert set(hits["verdict"]) == {UNRESOLVED}
    assert screen(evidence(**sound), rules=[rule]).empty


def test_cut_off_digits_are_information_and_wrong_digits_a_doubt() -> None:
    cut = screen(evidence(**one(**SHARE, n=119, percent=55.4)), rules=["percent_fits_no_count"])
    wrong = screen(evidence(**one(**SHARE, n=119, percent=55.9)), rules=["percent_fits_no_count"])
    assert [*cut["severity"], *wrong["severity"]] == ["information", "doubt"]


def test_a_flag_with_the_name_of_the_rule_gives_the_verdict() -> None:
    tables = one(**PAIN, mean=10.6)
    flag = {"study_id": "X", "table": "outcomes", "rule": "mean_outside_scale", "action": "keep", "reason": "seen"}
    answered = screen(evidence(**tables, flags=[flag]), rules=["mean_outside_scale"])
    elsewhere = screen(evidence(**tables, flags=[flag | {"arm_id": "B"}]), rules=["mean_outside_scale"])
    assert answered[["verdict", "verdict_reason"]].to_numpy().tolist() == [["keep", "seen"]]
    assert elsewhere["verdict"].tolist() == [UNRESOLVED]


def test_the_strictest_of_several_verdicts_counts() -> None:
    flags = [
        {"study_id": "X", "table": "outcomes", "rule": "impossible_value", "action": action, "reason": action}
        for action in ("keep", "exclude", "sensitivity")
    ]
    hits = screen(evidence(**one(**PAIN, mean=10.6), flags=flags), rules=["mean_outside_scale"])
    assert hits["verdict"].tolist() == ["exclude"]


def test_empty_tables_give_an_empty_screen_with_all_columns() -> None:
    hits = screen(evidence())
    assert hits.empty
    assert "verdict_reason" in hits.columns


def test_unknown_rule_is_named() -> None:
    with pytest.raises(InputError, match="tea_leaves"):
        screen(evidence(), rules=["tea_leaves"])


def test_the_screen_does_not_depend_on_row_order() -> None:
    clean = simulation.clean_evidence(20, seed=3)
    turned = replace(clean, outcomes=clean.outcomes.iloc[::-1].reset_index(drop=True))
    columns = ["study_id", "rule", "row"]
    assert screen(clean)[columns].equals(screen(turned)[columns])


def test_a_corrected_cell_is_seen_at_once() -> None:
    ev = simulation.clean_evidence(3, seed=3)
    before = screen(ev, ["mean_outside_scale"])
    ev.outcomes.loc[ev.outcomes["mean"].notna().idxmax(), "mean"] = 400.0
    assert len(screen(ev, ["mean_outside_scale"])) == len(before) + 1


def test_clean_trials_seldom_raise_an_alarm() -> None:
    """60 simulated trials without a fault (720 outcome rows): no error, and at most one trial in ten with a doubt."""
    hits = screen(simulation.clean_evidence(60, seed=7))
    assert not (hits["severity"] == "error").any()
    doubts = hits[hits["severity"] == "doubt"]
    assert doubts["study_id"].nunique() <= 6
