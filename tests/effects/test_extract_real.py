"""Effects of the real evidence that a reader can check by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import headache_evidence as he
from synthetic_extraction import DATA, PROTOCOL, only


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
