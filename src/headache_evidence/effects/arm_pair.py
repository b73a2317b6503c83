"""One study, one time, intervention arms against comparator arms: what a controlled effect is made from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from headache_evidence.effects.effect_request import EffectRequest, Record, study_record
from headache_evidence.effects.extraction_tables import ExtractionTables, Rows


@dataclass(frozen=True)
class ArmPair:
    """Rows and contrasts of one study at one time, with the arms on both sides."""

    tables: ExtractionTables
    request: EffectRequest
    study_id: str
    interventions: tuple[str, ...]
    comparators: tuple[str, ...]
    rows: Rows
    contrasts: Rows
    time: tuple[float, str]
    comparisons: int = 1  # effects that share the comparator's patients (multi-arm trials that are split)

    @property
    def is_crossover(self) -> bool:
        """True when both arms are the same patients."""
        return bool(self.tables.study_facts[self.study_id]["design"] == "rct_crossover")

    @property
    def sharing_words(self) -> str:
        """How the comparator is shared, in words; empty when it is not."""
        return f"comparator shared by {self.comparisons} effects, its patients split" if self.comparisons > 1 else ""

    def record(self, arms_1: list[str], arms_2: list[str], used: Rows) -> Record:
        """The effect's record for the arms and rows actually used."""
        return study_record(self.tables, self.request, self.study_id, arms_1, arms_2, used, self.time)

    def record_of_all(self) -> Record:
        """The record when nothing could be used: every arm and row that was looked at."""
        return self.record(list(self.interventions), list(self.comparators), [*self.rows, *self.contrasts])

    def split(self, rows: Rows) -> tuple[Rows, Rows]:
        """Rows of the intervention arms and of the comparator arms."""
        first = [row for row in rows if row["arm_id"] in self.interventions]
        return first, [row for row in rows if row["arm_id"] in self.comparators]

    def arm_sizes(self, arms_1: list[str], arms_2: list[str]) -> dict[str, float]:
        """n1 and n2 from arms.csv (analysed, else randomised); NaN when one arm's is not reported."""
        return {name: sum(map(self._arm_size, arms)) for name, arms in (("n1", arms_1), ("n2", arms_2))}

    def _arm_size(self, arm_id: str) -> float:
        arm = self.tables.arm_facts[self.study_id, arm_id]
        return float(arm["n_randomised"] if math.isnan(arm["n_analysed"]) else arm["n_analysed"])
