"""Controlled effects from means: each derivation on a trial with known numbers, each refusal with its reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from synthetic_evidence_tables import outcome, synthetic_evidence, two_arm_trial
from synthetic_extraction import extract, only, trial


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

    def test_five_numbers_come_before_quartiles_alone(self) -> None:
        n, q = 20, {"q1": -1, "q3": 1, "min": -3, "max": 3}
        rows = [outcome(a, median=m, **{name: m + d for name, d in q.items()}) for a, m in (("A", 6), ("B", 4))]
        effect = only(extract(trial(rows)))
        weight = 1 / (1 + 0.07 * n**0.6)
        wide, inner = ndtri((n - 0.375) / (n + 0.25)), ndtri((0.75 * n - 0.125) / (n + 0.25))
        assert effect.yi == pytest.approx(-2)
        assert effect.sd1 == pytest.approx(weight * 3 / wide + (1 - weight) / inner)
        assert effect.derivation_rule == "five_numbers"
        assert "Shi 2020" in effect.derivation

    def test_a_range_that_is_skewed_is_not_saved_by_its_quartiles(self) -> None:
        rows = [outcome(arm, median=4, q1=3, q3=5, min=2, max=40) for arm in ("A", "B")]
        effect = only(extract(trial(rows)))
        assert not effect.usable
        assert "skewed" in effect.reason

    def test_a_change_of_one_arm_stands_against_baseline_and_final_of_the_other(self) -> None:
        change = outcome("B", mean=-3, sd=1, kind="change_from_baseline")
        before = outcome("A", mean=8, sd=2, time_value=0.0, time_label="baseline")
        effect = only(extract(trial([change, before, outcome("A", mean=7, sd=2)])))
        assert effect.yi == pytest.approx(-3 - (7 - 8))
        assert effect.vi == pytest.approx(1 / 20 + (4 + 4 - 2 * 0.5 * 4) / 20)
        assert effect.derivation_rule == "difference_of_changes"
        assert "A: final minus baseline, correlation 0.5 assumed" in effect.derivation
        smd = extract(trial([change, before, outcome("A", mean=7, sd=2)]), measure="SMD")
        assert not only(smd).usable

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
