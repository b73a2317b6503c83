"""What the protocol chooses: each setting changes the effect as it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import headache_evidence as he
from synthetic_evidence_tables import outcome, synthetic_evidence, two_arm_trial
from synthetic_extraction import CONTRAST, PROTOCOL, only, trial, with_setting


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

    def test_a_median_with_its_range_gives_both_only_where_allowed(self) -> None:
        rows = [outcome(arm, median=median, min=median - 3, max=median + 3) for arm, median in (("A", 6), ("B", 4))]
        assert not only(self.ask(trial(rows), protocol=PROTOCOL)).usable
        effect = only(self.ask(trial(rows), protocol=with_setting(range_based_sd=True)))
        assert effect.yi == pytest.approx(-2)
        assert effect.derivation_rule == "median_range"
        skewed = [outcome(arm, median=1, min=0, max=30) for arm in ("A", "B")]
        assert not only(self.ask(trial(skewed), protocol=with_setting(range_based_sd=True))).usable

    def test_arm_means_can_come_before_reported_differences(self) -> None:
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=5, sd=2)]
        evidence = trial(rows, contrasts=[CONTRAST])
        effect = only(self.ask(evidence, protocol=with_setting(prefer_adjusted_contrasts=False)))
        assert effect.yi == -1

    def test_an_odds_ratio_becomes_an_smd_only_where_allowed(self) -> None:
        ratio = CONTRAST | {"measure": "OR", "estimate": 4.0, "ci_low": 2.0, "ci_high": 8.0}
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

    def test_a_crossover_trial_has_a_paired_smd(self) -> None:
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=4, sd=2)]
        evidence = trial(rows, study={"design": "rct_crossover"})
        effect = only(self.ask(evidence, protocol=PROTOCOL, measure="SMD"))
        assert effect.yi == pytest.approx(-1)
        assert effect.vi == pytest.approx((1 / 20 + 1 / 40) * 2 * (1 - 0.5))
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
