"""Controlled effects from printed differences and their intervals or P values."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.special import gammaln

from synthetic_evidence_tables import outcome
from synthetic_extraction import CONTRAST, extract, only, trial


class TestControlledContrasts:
    no_estimate: ClassVar[dict[str, Any]] = {
        "measure": "p_only",
        "estimate": np.nan,
        "ci_low": np.nan,
        "ci_high": np.nan,
    }

    def test_a_reported_interval_comes_before_arm_means(self) -> None:
        rows = [outcome("A", mean=6, sd=2), outcome("B", mean=5, sd=2)]
        effect = only(extract(trial(rows, contrasts=[CONTRAST])))
        assert effect.yi == -2
        assert effect.vi == pytest.approx((1 / 1.959964) ** 2, rel=1e-6)
        assert effect.derivation_rule == "reported_interval"

    def test_a_contrast_the_other_way_round_is_turned(self) -> None:
        turned = CONTRAST | {"arm_1": "A", "arm_2": "B", "estimate": 2.0, "ci_low": 1.0, "ci_high": 3.0}
        assert only(extract(trial([], contrasts=[turned]))).yi == -2

    def test_the_direction_of_the_outcome_is_known_without_arm_rows(self) -> None:
        elsewhere = outcome("B", name="pain_intensity", mean=4, sd=1, time_value=20.0)
        assert only(extract(trial([elsewhere], contrasts=[CONTRAST]))).better == "lower"

    def test_an_exact_p_gives_the_variance_of_a_difference_of_means(self) -> None:
        p_only = CONTRAST | self.no_estimate | {"p": 0.01, "p_operator": "="}
        effect = only(extract(trial([outcome("A", mean=6), outcome("B", mean=4)], contrasts=[p_only])))
        assert effect.derivation_rule == "means_and_p"
        assert effect.yi == -2
        assert np.sqrt(effect.vi) == pytest.approx(2 / 2.711558, rel=1e-5)

    def test_an_exact_p_gives_the_common_sd_of_an_smd(self) -> None:
        p_only = CONTRAST | self.no_estimate | {"p": 0.01, "p_operator": "="}
        tables = trial([outcome("A", mean=6), outcome("B", mean=4)], contrasts=[p_only])
        effect = only(extract(tables, measure="SMD"))
        t, df = 2.711558, 38
        hedges = np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)
        assert effect.derivation_rule == "means_and_p"
        assert effect.yi == pytest.approx(-hedges * t * np.sqrt(1 / 20 + 1 / 20), rel=1e-5)
        paired = trial(
            [outcome("A", mean=6), outcome("B", mean=4)], contrasts=[p_only], study={"design": "rct_crossover"}
        )
        assert not only(extract(paired, measure="SMD")).usable

    @pytest.mark.parametrize(("mean", "p"), [(6, 0.01), (4, 1.0)])
    def test_a_p_value_without_a_difference_or_of_one_says_nothing_on_the_spread(self, mean: float, p: float) -> None:
        p_only = CONTRAST | self.no_estimate | {"p": p, "p_operator": "="}
        rows = [outcome("A", mean=6), outcome("B", mean=mean)]
        assert not only(extract(trial(rows, contrasts=[p_only]))).usable

    def test_a_bound_on_p_is_not_enough(self) -> None:
        bound = CONTRAST | self.no_estimate | {"p": 0.05, "p_operator": "<"}
        effect = only(extract(trial([outcome("A", mean=6), outcome("B", mean=4)], contrasts=[bound])))
        assert not effect.usable
        assert "only a P value" in effect.reason

    def test_an_estimate_outside_its_interval_is_refused(self) -> None:
        broken = CONTRAST | {"estimate": -9.0}
        effect = only(extract(trial([], contrasts=[broken])))
        assert not effect.usable
        assert "interval" in effect.reason
