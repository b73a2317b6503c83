"""What is left out of a question, and under which words."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

import headache_evidence as he
from headache_evidence.effects.effect_table import EFFECT_COLUMNS
from headache_evidence.errors import ParameterError
from synthetic_evidence_tables import outcome, synthetic_evidence, two_arm_trial
from synthetic_extraction import PROTOCOL, extract, only, trial


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
