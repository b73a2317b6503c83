"""Effects from events and totals, and the streams without a control."""

from __future__ import annotations

import numpy as np
import pytest

from synthetic_evidence_tables import outcome
from synthetic_extraction import extract, only, trial


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
