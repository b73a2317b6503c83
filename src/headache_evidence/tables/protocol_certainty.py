"""The protocol's rules for the certainty of evidence and its thresholds of importance."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Level = Literal["very_low", "low", "moderate", "high"]
Share = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Positive = Annotated[float, Field(gt=0)]


class _Rules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StartLevels(_Rules):
    """Where the rating starts, by kind of evidence."""

    randomised: Level
    nonrandomised: Level
    before_after: Level
    proportion: Level


class RiskOfBiasRules(_Rules):
    """Shares of the pool's weight from which risk of bias counts."""

    high: tuple[str, ...]
    low: tuple[str, ...]
    serious_share_not_low: Share
    serious_share_high: Share
    very_serious_share_high: Share


class InconsistencyRules(_Rules):
    """From which I2, and from which share of overlapping intervals, results disagree."""

    i2_serious: Percent
    i2_very_serious: Percent
    overlap_very_serious: Share


class IndirectnessRules(_Rules):
    """Which evidence answers another question than the one asked; by share of the pool's weight."""

    share: Share
    interventions: dict[str, str]  # intervention of the protocol: why it is indirect
    comparators: dict[str, str]  # kind of comparator arm: why it is indirect
    populations: dict[str, str]  # headache type: why it is indirect


class ImprecisionRules(_Rules):
    """Optimal information size, and widths for shares of patients, which have no value of no effect."""

    alpha: Share
    power: Share
    standardised_difference: Positive  # difference to detect, in SD, where no threshold is declared
    ratio: Positive  # odds ratio to detect, where no threshold is declared
    share_width_serious: Percent
    share_width_very_serious: Percent
    share_patients: Positive


class PublicationBiasRules(_Rules):
    """When a test of small-study effects counts, and when few small studies are suspicious."""

    p_value: Share
    small_study: Positive
    min_k_small: Annotated[int, Field(ge=2)]


class UpgradingRules(_Rules):
    """When the evidence of controlled non-randomised studies is rated up."""

    large_ratio: Annotated[float, Field(gt=1)]
    very_large_ratio: Annotated[float, Field(gt=1)]
    dose_response_min_k: Annotated[int, Field(ge=3)]
    dose_response_p: Share


class CertaintyRules(_Rules):
    """Five domains that lower the certainty and three that raise it (GRADE)."""

    start: StartLevels
    risk_of_bias: RiskOfBiasRules
    inconsistency: InconsistencyRules
    indirectness: IndirectnessRules
    imprecision: ImprecisionRules
    publication_bias: PublicationBiasRules
    upgrading: UpgradingRules


class Threshold(_Rules):
    """The smallest effect that matters: from mcid.csv, or a visible choice.

    mcid : id of a row of mcid.csv. value : size in the outcome's unit. per_1000 : patients more or fewer of 1000.
    reason : where it comes from, or why it was chosen.
    """

    mcid: str = ""
    value: Positive | None = None
    per_1000: Positive | None = None
    reason: str

    @model_validator(mode="after")
    def _one_of_three(self) -> Threshold:
        if sum((bool(self.mcid), self.value is not None, self.per_1000 is not None)) != 1:
            raise ValueError("a threshold gives exactly one of mcid, value, per_1000")
        return self


class Claim(_Rules):
    """A statement to audit, and what decides it.

    kind : effect (does the outcome improve), harms (are these the risks), contrast (does a feature of the procedure
    or the choice of patients change the effect; adverse_events then name misplaced needles), long_term (is nothing
    known beyond the last window), larger_trials (is more information needed).
    headache_type : empty when the claim is asked of every type.
    """

    text: str
    kind: Literal["effect", "harms", "contrast", "long_term", "larger_trials"]
    technique: str
    indirect_technique: str
    headache_type: str = ""
    nerves: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    adverse_events: tuple[str, ...] = ()
    features: tuple[Literal["guidance", "selection", "nerves", "injectate", "technique"], ...] = ()
    windows: tuple[str, ...] = ()


class Harms(_Rules):
    """Studies whose subject is a harm, and the events of which each report says whether anyone counted them."""

    case_reports: tuple[str, ...]
    looked_for: tuple[str, ...] = ()
