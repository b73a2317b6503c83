"""Extraction: each derivation rule on a synthetic trial with known numbers, and every refusal with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import headache_evidence as he
from headache_evidence.effects.effect_table import EFFECT_COLUMNS
from headache_evidence.errors import ParameterError
from headache_evidence.tables.protocol import load_protocol
from synthetic_evidence_tables import outcome, synthetic_evidence, two_arm_trial

DATA = Path(__file__).parents[2] / "data"
PROTOCOL = load_protocol(DATA / "protocol.yml")


def extract(evidence: Any, stream: str = "controlled", outcome: str = "pain_intensity", **how: Any) -> pd.DataFrame:
    how.setdefault("weeks", (0.29, 6.1))
    return he.extract_effects(
        evidence, headache_type="migraine", outcome=outcome, stream=stream, protocol=PROTOCOL, **how
    )


def only(effects: pd.DataFrame) -> pd.Series:
    assert len(effects) == 1
    return effects.iloc[0]


def trial(outcomes: list[dict[str, Any]], **tables: Any) -> Any:
    base = two_arm_trial(**tables.pop("study", {}))
    return synthetic_evidence(**(base | {"outcomes": outcomes} | tables))


class TestControlledMeans:
    def test_mean_and_sd_give_the_mean_difference(self) -> None:
        effect = only(extract(trial([outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=1)])))
        assert effect.usable
        assert effect.yi == pytest.approx(-2)
        assert effect.vi == pytest.approx(2**2 / 20 + 1**2 / 20)
        assert (effect.n1, effect.n2, effect.m1, effect.sd2) == (20, 20, 4, 2)
        assert effect.derivation.startswith("final scores: mean and SD as reported")
        assert effect.source_rows == "outcomes.csv:3; outcomes.csv:2"
        assert effect.source_url == "https://example.org/synthetic"

    def test_standard_error_and_interval_give_the_same_sd(self) -> None:
        low, high = 4 - 2.093024 * 1 / np.sqrt(20), 4 + 2.093024 * 1 / np.sqrt(20)
        effect = only(
            extract(trial([outcome("A", mean=6, se=2 / np.sqrt(20)), outcome("B", mean=4, ci_low=low, ci_high=high)]))
        )
        assert effect.vi == pytest.approx(0.25, rel=1e-5)
        assert set(effect.derivation_rule.split("+")) == {"sd_from_se", "sd_from_ci"}

    def test_symmetric_quartiles_give_mean_and_sd(self) -> None:
        rows = [outcome(arm, median=median, q1=median - 1, q3=median + 1) for arm, median in (("A", 6), ("B", 4))]
        effect = only(extract(trial(rows)))
        assert effect.yi == pytest.approx(-2)
        assert "Luo 2018" in effect.derivation

    def test_skewed_quartiles_are_refused(self) -> None:
        effect = only(extract(trial([outcome("A", median=2, q1=1.9, q3=9), outcome("B", mean=4, sd=1)])))
        assert not effect.usable
        assert "skewed" in effect.reason or "only one of the arms" in effect.reason

    def test_scales_are_aligned(self) -> None:
        rows = [outcome("A", mean=60, sd=20), outcome("B", mean=40, sd=10)]
        effect = only(extract(trial([row | {"scale": "vas_0_100"} for row in rows])))
        assert effect.yi == pytest.approx(-2)
        assert "0 to 100 read as 0 to 10" in effect.derivation

    def test_change_scores_are_used_but_never_against_final_scores(self) -> None:
        change = {"kind": "change_from_baseline"}
        both = only(extract(trial([outcome("A", mean=-1, sd=2) | change, outcome("B", mean=-3, sd=2) | change])))
        assert both.yi == pytest.approx(-2)
        assert both.derivation.startswith("change scores")
        mixed = only(extract(trial([outcome("A", mean=6, sd=2), outcome("B", mean=-3, sd=2) | change])))
        assert not mixed.usable

    @pytest.mark.parametrize(
        ("numbers", "words"),
        [
            ({"mean": 6}, "no SD"),
            ({"mean": 6, "spread_unlabelled": 1}, "the spread is not named"),
            ({"median": 6}, "only a median"),
            ({"mean": 6, "sd": 2, "scale": "pain_range_unknown"}, "range of the pain scale is not known"),
            ({"mean": 6, "sd": 0}, "the SD is 0"),
        ],
    )
    def test_what_cannot_be_used_says_why(self, numbers: dict[str, Any], words: str) -> None:
        effect = only(extract(trial([outcome("A") | numbers, outcome("B") | numbers])))
        assert not effect.usable
        assert np.isnan(effect.yi)
        assert words in effect.reason

    def test_missing_n_is_a_reason(self) -> None:
        base = two_arm_trial()
        for arm in base["arms"]:
            arm.pop("n_analysed")
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=2)]
        effect = only(extract(synthetic_evidence(**base, outcomes=rows)))
        assert "n of the arm is not reported" in effect.reason

    def test_randomised_n_stands_in_and_is_named(self) -> None:
        base = two_arm_trial()
        for arm in base["arms"]:
            arm["n_randomised"] = arm.pop("n_analysed")
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=2)]
        effect = only(extract(synthetic_evidence(**base, outcomes=rows)))
        assert "randomised to the arm, analysed n not reported" in effect.derivation

    def test_two_intervention_arms_are_combined(self) -> None:
        base = two_arm_trial()
        base["arms"].append({"study_id": "Synth2020", "arm_id": "C", "role": "intervention", "n_analysed": 20})
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=1), outcome("C", mean=4, sd=1)]
        effect = only(extract(synthetic_evidence(**base, outcomes=rows)))
        assert effect.n1 == 40
        assert effect.arm_1 == "B+C"
        assert effect.sd1 == pytest.approx(np.sqrt(38 / 39))

    def test_the_time_nearest_to_the_target_is_taken(self) -> None:
        rows = [
            outcome(arm, mean=mean, sd=1, time_value=time)
            for time, shift in ((1.0, 0), (4.0, 1), (6.0, 2))
            for arm, mean in (("A", 6 + shift), ("B", 4))
        ]
        effect = only(extract(trial(rows), target_weeks=4.0))
        assert (effect.weeks, effect.yi) == (4.0, -3)


class TestControlledContrasts:
    contrast: ClassVar[dict[str, Any]] = {
        "study_id": "Synth2020",
        "arm_1": "B",
        "arm_2": "A",
        "outcome": "pain_intensity",
        "outcome_reported": "pain_intensity",
        "scale": "nrs_0_10",
        "measure": "MD",
        "estimate": -2.0,
        "ci_low": -3.0,
        "ci_high": -1.0,
    }

    no_estimate: ClassVar[dict[str, Any]] = {
        "measure": "p_only",
        "estimate": np.nan,
        "ci_low": np.nan,
        "ci_high": np.nan,
    }

    def test_a_reported_interval_comes_before_arm_means(self) -> None:
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=5, sd=2)]
        effect = only(extract(trial(rows, contrasts=[self.contrast])))
        assert effect.yi == -2
        assert effect.vi == pytest.approx((1 / 1.959964) ** 2, rel=1e-6)
        assert effect.derivation_rule == "reported_interval"

    def test_a_contrast_the_other_way_round_is_turned(self) -> None:
        turned = self.contrast | {"arm_1": "A", "arm_2": "B", "estimate": 2.0, "ci_low": 1.0, "ci_high": 3.0}
        assert only(extract(trial([], contrasts=[turned]))).yi == -2

    def test_the_direction_of_the_outcome_is_known_without_arm_rows(self) -> None:
        elsewhere = outcome("B", name="pain_intensity", mean=4, sd=1, time_value=20.0)
        assert only(extract(trial([elsewhere], contrasts=[self.contrast]))).better == "lower"

    def test_an_exact_p_gives_the_variance_of_a_difference_of_means(self) -> None:
        p_only = self.contrast | self.no_estimate | {"p": 0.01, "p_operator": "="}
        effect = only(extract(trial([outcome("A", mean=6), outcome("B", mean=4)], contrasts=[p_only])))
        assert effect.derivation_rule == "means_and_p"
        assert effect.yi == -2
        assert np.sqrt(effect.vi) == pytest.approx(2 / 2.711558, rel=1e-5)

    def test_a_bound_on_p_is_not_enough(self) -> None:
        bound = self.contrast | self.no_estimate | {"p": 0.05, "p_operator": "<"}
        effect = only(extract(trial([outcome("A", mean=6), outcome("B", mean=4)], contrasts=[bound])))
        assert not effect.usable
        assert "only a P value" in effect.reason

    def test_an_estimate_outside_its_interval_is_refused(self) -> None:
        broken = self.contrast | {"estimate": -9.0}
        effect = only(extract(trial([], contrasts=[broken])))
        assert not effect.usable
        assert "interval" in effect.reason


def with_setting(**settings: Any) -> Any:
    return PROTOCOL.model_copy(update={"extraction": PROTOCOL.extraction.model_copy(update=settings)})


class TestChoicesOfTheProtocol:
    def three_arms(self) -> Any:
        base = two_arm_trial()
        base["arms"].append({"study_id": "Synth2020", "arm_id": "C", "role": "intervention", "n_analysed": 20})
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=1), outcome("C", mean=3, sd=1)]
        return synthetic_evidence(**base, outcomes=rows)

    def ask(self, evidence: Any, **how: Any) -> pd.DataFrame:
        how = {"weeks": (0.29, 6.1), "stream": "controlled", "outcome": "pain_intensity"} | how
        return he.extract_effects(evidence, headache_type="migraine", **how)

    def test_a_shared_comparator_can_be_split(self) -> None:
        effects = self.ask(self.three_arms(), protocol=with_setting(multi_arm="split"))
        assert list(effects["yi"]) == [-2, -3]
        assert list(effects["n2"]) == [10, 10]
        assert effects["vi"].iloc[0] == pytest.approx(1 / 20 + 4 / 10)
        assert "comparator shared by 2 effects" in effects["derivation"].iloc[0]

    def test_the_baseline_sd_stands_in_only_where_allowed(self) -> None:
        rows = [
            row
            for arm, mean in (("A", 6), ("B", 4))
            for row in (
                outcome(arm, mean=8, sd=2, time_value=0.0, time_label="baseline"),
                outcome(arm, mean=mean),
            )
        ]
        assert not only(self.ask(trial(rows), protocol=PROTOCOL)).usable
        effect = only(self.ask(trial(rows), protocol=with_setting(baseline_sd_for_final=True)))
        assert effect.vi == pytest.approx(2 * 4 / 20)
        assert "SD of the same arm at baseline" in effect.derivation

    def test_a_range_gives_an_sd_only_where_allowed(self) -> None:
        rows = [outcome(arm, mean=mean, min=mean - 3, max=mean + 3) for arm, mean in (("A", 6), ("B", 4))]
        assert not only(self.ask(trial(rows), protocol=PROTOCOL)).usable
        assert only(self.ask(trial(rows), protocol=with_setting(range_based_sd=True))).usable

    def test_arm_means_can_come_before_reported_differences(self) -> None:
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=5, sd=2)]
        evidence = trial(rows, contrasts=[TestControlledContrasts.contrast])
        effect = only(self.ask(evidence, protocol=with_setting(prefer_adjusted_contrasts=False)))
        assert effect.yi == -1

    def test_an_odds_ratio_becomes_an_smd_only_where_allowed(self) -> None:
        ratio = TestControlledContrasts.contrast | {"measure": "OR", "estimate": 4.0, "ci_low": 2.0, "ci_high": 8.0}
        evidence = trial([], contrasts=[ratio])
        assert not only(self.ask(evidence, measure="SMD", protocol=PROTOCOL)).usable
        effect = only(self.ask(evidence, measure="SMD", protocol=with_setting(smd_or_conversion=True)))
        assert effect.yi == pytest.approx(np.log(4) * np.sqrt(3) / np.pi)
        assert "Chinn" in effect.derivation

    def test_every_time_gives_dependent_effects(self) -> None:
        rows = [
            outcome(arm, mean=mean, sd=1, time_value=time) for time in (1.0, 4.0) for arm, mean in (("A", 6), ("B", 4))
        ]
        effects = self.ask(trial(rows), protocol=PROTOCOL, every_time=True)
        assert sorted(effects["weeks"]) == [1.0, 4.0]

    def test_a_crossover_trial_has_a_paired_variance(self) -> None:
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=2)]
        effect = only(self.ask(trial(rows, study={"design": "rct_crossover"}), protocol=PROTOCOL))
        assert effect.vi == pytest.approx((4 + 4 - 2 * 0.5 * 4) / 20)
        assert "crossover, paired variance" in effect.derivation

    def test_a_correlation_is_taken_from_trials_that_allow_it(self) -> None:
        rows = [
            outcome("B", mean=8, sd=2, time_value=0.0, time_label="baseline"),
            outcome("B", mean=5, sd=2),
            outcome("B", mean=-3, sd=1, kind="change_from_baseline"),
            outcome("B", name="headache_days", mean=20, sd=4, time_value=0.0, time_label="baseline"),
            outcome("B", name="headache_days", mean=12, sd=4),
        ]
        effect = only(self.ask(trial(rows), protocol=PROTOCOL, stream="before_after", outcome="headache_days"))
        assert "correlation 0.88, median of 1 arms" in effect.derivation
        assert effect.sd1 == pytest.approx(np.sqrt(16 + 16 - 2 * 0.875 * 16))


class TestCounts:
    def test_events_give_the_odds_ratio(self) -> None:
        rows = [outcome("A", name="responder_50", events=5, total=20, kind="event_count"),
                outcome("B", name="responder_50", events=10, total=20, kind="event_count")]  # fmt: skip
        effect = only(extract(trial(rows), outcome="responder_50"))
        assert effect.measure == "OR"
        assert effect.yi == pytest.approx(np.log((10 / 10) / (5 / 15)))
        assert effect.vi == pytest.approx(1 / 10 + 1 / 10 + 1 / 5 + 1 / 15)

    def test_percentages_give_events_when_they_fit_a_whole_number(self) -> None:
        rows = [outcome("A", name="responder_50", percent=25, kind="percent"),
                outcome("B", name="responder_50", percent=50, kind="percent")]  # fmt: skip
        effect = only(extract(trial(rows), outcome="responder_50"))
        assert (effect.events1, effect.events2) == (10, 5)
        assert effect.derivation_rule == "events_from_percent"
        rows[1]["percent"] = 52.0
        refused = only(extract(trial(rows), outcome="responder_50"))
        assert "fits no whole number" in refused.reason

    def test_no_event_at_all_is_not_estimable(self) -> None:
        rows = [outcome(arm, name="responder_50", events=0, total=20, kind="event_count") for arm in "AB"]
        effect = only(extract(trial(rows), outcome="responder_50"))
        assert not effect.usable
        assert "no events in both arms" in effect.reason

    def test_procedures_are_not_patients(self) -> None:
        rows = [outcome(arm, name="responder_50", events=5, total=20, unit_of_analysis="injection") for arm in "AB"]
        effect = only(extract(trial(rows), outcome="responder_50"))
        assert not effect.usable
        assert "not the patient" in effect.reason


class TestUncontrolledStreams:
    def test_change_from_baseline(self) -> None:
        rows = [outcome("B", mean=8, sd=2, time_value=0.0, time_label="baseline"), outcome("B", mean=5, sd=2)]
        effect = only(extract(trial(rows), stream="before_after"))
        assert effect.measure == "MC"
        assert effect.yi == -3
        assert effect.vi == pytest.approx((4 + 4 - 2 * 0.5 * 4) / 20)
        assert "correlation 0.5 assumed" in effect.derivation

    def test_a_change_without_baseline_is_refused(self) -> None:
        effect = only(extract(trial([outcome("B", mean=5, sd=2)]), stream="before_after"))
        assert "no baseline value" in effect.reason

    def test_share_of_patients(self) -> None:
        rows = [
            outcome("B", name="responder_50", events=15, total=20),
            outcome("A", name="responder_50", events=1, total=20),
        ]
        effect = only(extract(trial(rows), stream="proportion", outcome="responder_50"))
        assert effect.yi == pytest.approx(np.log(15 / 5))
        assert effect.n1 == 20

    def test_one_patient_is_no_sample(self) -> None:
        effect = only(
            extract(trial([outcome("B", name="responder_50", events=1, total=1)]), stream="proportion",
                    outcome="responder_50")
        )  # fmt: skip
        assert "single patient" in effect.reason


class TestDoubts:
    rows: ClassVar[list[dict[str, Any]]] = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=1)]

    def test_an_excluding_flag_excludes_with_its_words(self) -> None:
        flag = {"study_id": "Synth2020", "table": "studies", "doubt": "retracted"}
        effect = only(extract(trial(self.rows, flags=[flag])))
        assert not effect.usable
        assert "excluded: retracted" in effect.reason

    def test_a_flag_on_another_outcome_does_not_touch_the_row(self) -> None:
        flag = {"study_id": "Synth2020", "outcome": "hit6"}
        assert only(extract(trial(self.rows, flags=[flag]))).usable

    def test_a_flag_on_another_time_does_not_touch_the_row(self) -> None:
        flag = {"study_id": "Synth2020", "outcome": "pain_intensity", "time_value": 12.0, "time_unit": "weeks"}
        assert only(extract(trial(self.rows, flags=[flag]))).usable

    def test_a_sensitivity_flag_marks_the_effect_as_doubtful(self) -> None:
        flag = {"study_id": "Synth2020", "action": "sensitivity", "doubt": "unequal loss"}
        effect = only(extract(trial(self.rows, flags=[flag])))
        assert effect.usable
        assert effect.doubtful
        assert effect["flags"] == "unequal loss"

    def test_a_subgroup_chosen_by_its_outcome_is_excluded(self) -> None:
        rows = [row | {"population_subset": "responders"} for row in self.rows]
        assert "chosen by its outcome" in only(extract(trial(rows))).reason


class TestProtocolBoundaries:
    def test_other_techniques_are_listed_as_outside(self) -> None:
        base = two_arm_trial()
        base["arms"][1]["technique"] = "pulsed_radiofrequency"
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=1)]
        effect = only(extract(synthetic_evidence(**base, outcomes=rows)))
        assert effect.reason == "outside the protocol: technique pulsed_radiofrequency"

    def test_hydrodissection_never_hides_behind_a_block(self) -> None:
        base = two_arm_trial()
        base["arms"].append({"study_id": "Synth2020", "arm_id": "C", "role": "intervention", "n_analysed": 20,
                             "technique": "hydrodissection"})  # fmt: skip
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=1), outcome("C", mean=4, sd=1)]
        assert only(extract(synthetic_evidence(**base, outcomes=rows))).technique == "hydrodissection"

    def test_comparison_classes_are_kept_apart(self) -> None:
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=1)]
        assert extract(trial(rows), comparison="active_drug").empty

    def test_designs_are_kept_apart(self) -> None:
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=1)]
        evidence = trial(rows, study={"design": "nonrandomised_controlled"})
        assert extract(evidence, design="randomised").empty
        assert len(extract(evidence, design="nonrandomised")) == 1

    def test_an_empty_answer_has_the_columns_of_any_other(self) -> None:
        assert list(extract(trial([])).columns) == list(EFFECT_COLUMNS)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"headache_type": "migrane"},
            {"outcome": "happiness"},
            {"stream": "both"},
            {"comparison": "x"},
            {"design": "x"},
        ],
    )
    def test_unknown_names_are_refused_with_the_known_ones(self, wrong: dict[str, str]) -> None:
        request = {"headache_type": "migraine", "outcome": "pain_intensity"} | wrong
        with pytest.raises(ParameterError, match="known: "):
            he.extract_effects(trial([]), protocol=PROTOCOL, **request)


class TestRealEvidence:
    """Numbers that a reader can check by hand against the source rows."""

    evidence = he.load_evidence(DATA)
    migraine = he.answer_questions(evidence, PROTOCOL, "migraine")

    def effect_of(self, study_id: str, **request: Any) -> pd.Series:
        effects = he.extract_effects(self.evidence, protocol=PROTOCOL, **request)
        return only(effects.loc[effects["study_id"] == study_id])

    def test_inan_2015_headache_days(self) -> None:
        effect = self.effect_of("Inan2015", headache_type="migraine", outcome="headache_days", weeks=(2, 6))
        month = 28 / 30.4375
        assert effect.yi == pytest.approx((8.8 - 13.2) * month)
        assert effect.vi == pytest.approx((4.8**2 / 42 + 6.7**2 / 42) * month**2)

    def test_friedman_2018_pain_free(self) -> None:
        effect = self.effect_of("Friedman2018", headache_type="migraine", outcome="pain_free")
        assert (effect.events1, effect.n1, effect.events2, effect.n2) == (4, 13, 0, 15)

    def test_retracted_work_is_in_no_effect(self) -> None:
        used = {study for item in self.migraine for study in item.to_dict()["studies"]}
        assert "RetractedPMID20464617" not in used
        assert "Hokenek2021" not in used
        assert "RetractedPMID20464617" in set(self.evidence.studies["study_id"])

    def test_every_effect_leads_to_a_row_and_an_address(self) -> None:
        rows = {
            f"{name}.csv:{row}" for name in ("outcomes", "contrasts") for row in getattr(self.evidence, name)["row"]
        }
        for item in self.migraine:
            for effect in item.effects.itertuples():
                assert set(effect.source_rows.split("; ")) <= rows
                assert effect.source_url.startswith("http")
