"""The protocol: the pre-specified questions, measures and models, read from data/protocol.yml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from headache_evidence.errors import ProtocolError
from headache_evidence.tables.protocol_certainty import CertaintyRules, Claim, Harms, Threshold
from headache_evidence.tables.safe_yaml import read_yaml

Stream = Literal["controlled", "before_after", "proportion"]
STREAM_TITLES: dict[str, str] = {
    "controlled": "between-arm effect",
    "before_after": "change from baseline, no control (low certainty)",
    "proportion": "share of patients, no control",
}
Design = Literal["randomised", "nonrandomised"]
DESIGN_TITLES: dict[str, str] = {"randomised": "randomised trials", "nonrandomised": "non-randomised studies"}
Share = Annotated[float, Field(gt=0, lt=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Intervention(_Part):
    """A class of arms that is asked about; the first of the protocol is the main one."""

    title: str
    techniques: tuple[str, ...]


class Comparison(_Part):
    """A class of comparator arms."""

    title: str
    comparators: tuple[str, ...]


class Window(_Part):
    """A span of follow-up, in weeks after the first procedure: (from, to]."""

    title: str
    weeks: tuple[float, float]
    target: float
    accept_unknown_time: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if not self.weeks[0] < self.weeks[1] or not self.weeks[0] <= self.target <= self.weeks[1]:
            raise ValueError(f"weeks must be [from, to] with the target between them, got {self.weeks}, {self.target}")
        return self


class Outcome(_Part):
    """An outcome and its measure in each stream."""

    title: str
    measures: dict[Stream, str]


class QuestionBlock(_Part):
    """A product of outcomes, comparisons and windows within one stream."""

    stream: Stream
    outcomes: tuple[str, ...]
    windows: tuple[str, ...]
    comparisons: tuple[str, ...] = ()
    designs: tuple[Design, ...] = ()


class Headline(_Part):
    """Outcomes shown first."""

    outcomes: tuple[str, ...]


class Model(_Part):
    """The statistical model of the main analysis."""

    method: Literal["FE", "DL", "HE", "ML", "REML", "PM", "SJ", "EB"]
    ci: Literal["wald", "knapp-hartung", "knapp-hartung-conservative"]
    level: Share
    prediction: Literal["metafor", "k-2"]
    min_k_prediction: int = Field(ge=3)
    bayes_below_k: int
    tau_prior_scale: dict[str, Annotated[float, Field(gt=0)]]


class Extraction(_Part):
    """Choices made on the way from reported numbers to effect sizes."""

    pre_post_correlation: Annotated[float, Field(gt=-1, lt=1)]
    multi_arm: Literal["combine", "split"]
    several_times: Literal["nearest", "all"]
    prefer_adjusted_contrasts: bool
    medians: Literal["never", "if_not_skewed", "always"]
    range_based_sd: bool
    baseline_sd_for_final: bool
    smd_or_conversion: bool
    procedure_correlation: Annotated[float, Field(ge=0, le=1)]
    unlabelled_spread: Literal["never"]


class MultiverseChoices(_Part):
    """What else could have been chosen; the protocol's own choice always belongs to the multiverse and comes first."""

    measures: dict[str, tuple[str, ...]]
    tau2_methods: tuple[Literal["FE", "DL", "HE", "ML", "REML", "PM", "SJ", "EB"], ...]
    ci_methods: tuple[Literal["wald", "knapp-hartung", "knapp-hartung-conservative"], ...]
    pre_post_correlations: tuple[Annotated[float, Field(gt=-1, lt=1)], ...]
    windows: dict[str, tuple[str, ...]]
    sample_sizes: tuple[Literal["analysed", "randomised"], ...]
    doubtful: tuple[Literal["kept", "left_out"], ...]
    risk_of_bias: tuple[Literal["any", "not_high"], ...]
    techniques: tuple[str, ...]
    active_comparators: dict[str, tuple[str, ...]]
    designs: tuple[Literal["as_asked", "all"], ...]


class SmallStudyEffects(_Part):
    """When tests for small-study effects may speak."""

    min_k: int = Field(ge=3)


@dataclass(frozen=True)
class Question:
    """One question: headache type x outcome x time window x stream (x comparison)."""

    headache_type: str
    outcome: str
    stream: Stream
    intervention: str
    window: str
    comparison: str | None
    design: Design | None
    measure: str
    title: str

    @property
    def question_id(self) -> str:
        """Stable name used in files and links."""
        parts = (self.headache_type, self.outcome, self.stream, self.intervention, self.comparison, self.design)
        return ".".join(part for part in (*parts, self.window) if part)


class Protocol(_Part):
    """The whole protocol."""

    version: int
    title: str
    search_limits: str
    headache_types: dict[str, str]
    interventions: dict[str, Intervention]
    subgroup_by: str
    comparisons: dict[str, Comparison]
    windows: dict[str, Window]
    outcomes: dict[str, Outcome]
    question_blocks: tuple[QuestionBlock, ...] = Field(alias="questions")
    headline: Headline
    model: Model
    extraction: Extraction
    multiverse: MultiverseChoices
    small_study_effects: SmallStudyEffects
    certainty: CertaintyRules
    thresholds: dict[str, Threshold]
    harms: Harms
    claims: dict[str, Claim]

    @model_validator(mode="after")
    def _names_exist(self) -> Protocol:
        for block in self.question_blocks:
            for names, known, kind in (
                (block.outcomes, self.outcomes, "outcome"),
                (block.windows, self.windows, "window"),
                (block.comparisons, self.comparisons, "comparison"),
            ):
                unknown = [name for name in names if name not in known]
                if unknown:
                    raise ValueError(f"questions name the unknown {kind}(s) {unknown}; known: {sorted(known)}")
            unmeasured = [o for o in block.outcomes if block.stream not in self.outcomes[o].measures]
            if unmeasured:
                raise ValueError(f"no measure is set for {unmeasured} in the stream {block.stream}")
            controlled = block.stream == "controlled"
            if controlled != bool(block.comparisons) or controlled != bool(block.designs):
                raise ValueError("comparisons and designs are needed in the controlled stream, and only there")
        named = {"thresholds": tuple(self.thresholds)} | {key: claim.outcomes for key, claim in self.claims.items()}
        for where, outcomes in named.items():
            unknown = [name for name in outcomes if name not in self.outcomes]
            if unknown:
                raise ValueError(f"{where} name the unknown outcome(s) {unknown}; known: {sorted(self.outcomes)}")
        return self

    @model_validator(mode="after")
    def _multiverse_names_exist(self) -> Protocol:
        choices = self.multiverse
        windows = {*choices.windows, *(name for names in choices.windows.values() for name in names)}
        comparisons = {
            *choices.active_comparators,
            *(c for names in choices.active_comparators.values() for c in names),
        }
        techniques = {name for intervention in self.interventions.values() for name in intervention.techniques}
        for found, known, kind in (
            (windows, set(self.windows), "window"),
            (comparisons, set(self.comparisons), "comparison"),
            (set(choices.techniques), techniques | {"all"}, "technique"),
        ):
            if found - known:
                raise ValueError(
                    f"multiverse names the unknown {kind}(s) {sorted(found - known)}; known: {sorted(known)}"
                )
        return self

    @cached_property
    def all_questions(self) -> tuple[Question, ...]:
        """Every question of the protocol, in its order."""
        return tuple(question for name in self.headache_types for question in self.questions_for(name))

    def questions_for(self, headache_type: str) -> tuple[Question, ...]:
        """The questions of one headache type.

        Raises
        ------
        ProtocolError
            when the protocol has no such type.
        """
        if headache_type not in self.headache_types:
            raise ProtocolError(
                f"The protocol has no headache type {headache_type!r}; it has {', '.join(self.headache_types)}."
            )
        return tuple(
            self._question(headache_type, intervention, block.stream, outcome, comparison, design, window)
            for intervention in self.interventions
            for block in self.question_blocks
            for outcome in block.outcomes
            for comparison in (block.comparisons or (None,))
            for design in (block.designs or (None,))
            for window in block.windows
        )

    def _question(
        self,
        headache_type: str,
        intervention: str,
        stream: Stream,
        outcome: str,
        comparison: str | None,
        design: Design | None,
        window: str,
    ) -> Question:
        parts = [
            self.outcomes[outcome].title,
            self.interventions[intervention].title,
            self.comparisons[comparison].title if comparison else STREAM_TITLES[stream],
            self.windows[window].title,
            DESIGN_TITLES[design] if design else "",
        ]
        return Question(
            headache_type=headache_type,
            outcome=outcome,
            stream=stream,
            intervention=intervention,
            window=window,
            comparison=comparison,
            design=design,
            measure=self.outcomes[outcome].measures[stream],
            title=", ".join(part for part in parts if part),
        )


def load_protocol(path: str | Path = "data/protocol.yml") -> Protocol:
    """Read and check the protocol.

    Raises
    ------
    ProtocolError
        when the file is missing, is not YAML, or says something unknown; the message names each place.
    """
    path = Path(path)
    try:
        return Protocol.model_validate(_settings_of(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ProtocolError(f"{path}: cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path}: not valid YAML: {error}") from error
    except ValidationError as error:
        lines = [f"  {'.'.join(str(p) for p in item['loc']) or 'top'}: {item['msg']}" for item in error.errors()]
        raise ProtocolError(f"{path}: {len(lines)} fault(s)\n" + "\n".join(lines)) from error


@lru_cache(maxsize=4)
def _settings_of(text: str) -> Any:
    """What the YAML says, for validation, which copies it."""
    return read_yaml(text)
