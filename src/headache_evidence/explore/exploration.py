"""From settings to a result: effects extracted, studies left out with their reason, the rest pooled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import pandas as pd

from headache_evidence.effects.correlation import PrePostCorrelation, pre_post_correlation
from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.effects.extract import effects_of, request_for
from headache_evidence.effects.extraction_tables import ExtractionTables, extraction_tables
from headache_evidence.errors import ParameterError
from headache_evidence.explore.explorer_settings import ANY, BY_PROTOCOL, ExplorerSettings
from headache_evidence.pools.answers import Answer, answer
from headache_evidence.pools.confidence import CI_METHODS
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.result import PooledResult
from headache_evidence.pools.tau2_estimators import METHODS
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import DESIGN_TITLES, STREAM_TITLES, Protocol, Question

HIGH_RISK = ("high", "serious", "critical")
DESIGNS = {**DESIGN_TITLES, "all": "all designs"}
MEASURES: Mapping[str, tuple[str, ...]] = {"MD": ("MD", "SMD", "ROM"), "OR": ("OR", "RR", "RD")}
"""Measures that the same numbers also give, by the protocol's measure."""


@dataclass(frozen=True)
class Exploration:
    """The settings and the answer they give; ``answer.effects`` lists every study, used or left out with its reason."""

    settings: ExplorerSettings
    answer: Answer

    @property
    def effects(self) -> pd.DataFrame:
        """The effects table."""
        return self.answer.effects

    @property
    def pooled(self) -> PooledResult:
        """The pooled result."""
        return self.answer.pooled


class Explorer:
    """The evidence made ready for many looks: joined tables and extracted effects are kept between them.

    ``reporting(headache_type)`` is the number of studies that report each outcome.
    """

    def __init__(self, evidence: Evidence, protocol: Protocol) -> None:
        self.evidence = evidence
        self.protocol = protocol
        self._effects = lru_cache(maxsize=256)(self._extracted)
        self._answers = lru_cache(maxsize=256)(self._answered)
        self._correlation = lru_cache(maxsize=64)(self._correlation_of)
        self.reporting = lru_cache(maxsize=32)(self._counted)

    def look(self, settings: ExplorerSettings) -> Exploration:
        """The result of the settings.

        Raises
        ------
        ParameterError
            for a word that the protocol does not know; the message lists the known ones.
        """
        return Exploration(settings, self._answers(replace(settings, lights=False)))

    def look_up(self, settings: ExplorerSettings) -> pd.DataFrame:
        """The effects table of the settings' question, before anything is left out; ParameterError as in ``look``."""
        check_settings(settings, self.protocol)
        correlation = self._correlation(settings.headache_type, settings.pre_post_correlation)
        return self._effects(question_of(settings, self.protocol), correlation)

    @cached_property
    def _tables(self) -> ExtractionTables:
        """The joined tables; what is assumed for the correlation does not change the join."""
        return extraction_tables(self.evidence, self.protocol.extraction)

    def _counted(self, headache_type: str) -> dict[str, int]:
        """Studies that report each outcome of the protocol."""
        about = {outcome: self._tables.about(headache_type, outcome) for outcome in self.protocol.outcomes}
        return {word: len({*part.rows["study_id"], *part.contrasts["study_id"]}) for word, part in about.items()}

    def _answered(self, settings: ExplorerSettings) -> Answer:
        effects = left_out(self.look_up(settings), settings)
        return _pooled(question_of(settings, self.protocol), effects, settings, self.protocol)

    def _extracted(self, question: Question, correlation: PrePostCorrelation) -> pd.DataFrame:
        tables = self._tables.about(question.headache_type, question.outcome)
        return effects_of(tables.with_correlation(correlation), request_for(question, self.protocol))

    def _correlation_of(self, headache_type: str, assumed: float) -> PrePostCorrelation:
        rows = self._tables.rows
        return pre_post_correlation(rows.loc[rows["headache_type"] == headache_type], assumed)


def measures_for(settings: ExplorerSettings, protocol: Protocol) -> tuple[str, ...]:
    """The measures that can be asked for, the protocol's first; empty when the stream does not fit the outcome."""
    own = dict(protocol.outcomes[settings.outcome].measures).get(settings.stream)  # type: ignore[call-overload]
    if own is None:
        return ()
    return MEASURES.get(own, (own,)) if settings.stream == "controlled" else (own,)


def check_settings(settings: ExplorerSettings, protocol: Protocol) -> None:
    """Raise ParameterError for the first word that the protocol does not know."""
    known: dict[str, Mapping[str, object]] = {
        "headache_type": protocol.headache_types,
        "outcome": protocol.outcomes,
        "stream": STREAM_TITLES,
        "intervention": protocol.interventions,
        "comparison": protocol.comparisons,
        "design": DESIGNS,
        "window": protocol.windows,
        "method": dict.fromkeys((BY_PROTOCOL, *METHODS)),
        "ci": dict.fromkeys((BY_PROTOCOL, *CI_METHODS)),
    }
    for name, allowed in known.items():
        if getattr(settings, name) not in allowed:
            raise ParameterError(f"Unknown {name} {getattr(settings, name)!r}; known: {', '.join(allowed)}.")
    measures = measures_for(settings, protocol)
    if not measures:
        streams = ", ".join(protocol.outcomes[settings.outcome].measures)
        raise ParameterError(f"The outcome {settings.outcome} has no stream {settings.stream}; it has {streams}.")
    if settings.measure not in (BY_PROTOCOL, *measures):
        raise ParameterError(f"The measure {settings.measure} does not fit; possible: {', '.join(measures)}.")
    if not -1 < settings.pre_post_correlation < 1:
        raise ParameterError(f"A correlation lies between -1 and 1; got {settings.pre_post_correlation}.")


def question_of(settings: ExplorerSettings, protocol: Protocol) -> Question:
    """The settings as a question like those of the protocol."""
    controlled = settings.stream == "controlled"
    parts = [
        protocol.outcomes[settings.outcome].title,
        protocol.interventions[settings.intervention].title,
        protocol.comparisons[settings.comparison].title if controlled else STREAM_TITLES[settings.stream],
        protocol.windows[settings.window].title,
        DESIGNS[settings.design] if controlled else "",
    ]
    measure = measures_for(settings, protocol)[0] if settings.measure == BY_PROTOCOL else settings.measure
    return Question(
        headache_type=settings.headache_type,
        outcome=settings.outcome,
        stream=settings.stream,  # type: ignore[arg-type]
        intervention=settings.intervention,
        window=settings.window,
        comparison=settings.comparison if controlled else None,
        design=settings.design if controlled and settings.design != "all" else None,  # type: ignore[arg-type]
        measure=measure,
        title=", ".join(part for part in parts if part),
    )


def left_out(effects: pd.DataFrame, settings: ExplorerSettings) -> pd.DataFrame:
    """The effects with the studies that the settings leave out marked not usable, each with its reason."""
    if effects.empty:
        return effects
    rules: list[tuple[pd.Series, Callable[[pd.Series], str]]] = [
        (effects["study_id"].isin(settings.taken_out), lambda row: "taken out by hand"),
        (_not_chosen(effects["technique"], settings.technique), lambda row: f"technique: {row['technique']}"),
        (_not_chosen(effects["guidance"], settings.guidance), lambda row: f"guidance: {row['guidance']}"),
        (_other_injectate(effects, settings.injectate), lambda row: f"injectate: {row['injectate'] or 'not reported'}"),
        (
            effects["doubtful"].astype(bool) & settings.leave_out_doubtful,
            lambda row: f"doubtful: {row['flags']}",
        ),
        (
            effects["risk_of_bias"].isin(HIGH_RISK) & settings.leave_out_high_risk,
            lambda row: f"risk of bias: {row['risk_of_bias']}",
        ),
    ]
    effects = effects.copy()
    for hit, reason in rules:
        for position in effects.index[hit & effects["usable"]]:
            effects.at[position, "usable"] = False
            effects.at[position, "reason"] = f"left out here: {reason(effects.loc[position])}"
    return effects.sort_values("usable", ascending=False, kind="stable", ignore_index=True)


def _not_chosen(values: pd.Series, chosen: str) -> pd.Series:
    """Arms that were combined join their values by '+': one of them is enough."""
    if chosen == ANY:
        return pd.Series(False, index=values.index)
    return ~values.str.split("+").map(lambda parts: chosen in parts).astype(bool)


def _other_injectate(effects: pd.DataFrame, chosen: str) -> pd.Series:
    steroid = effects["steroid"].astype(bool)
    if chosen == ANY:
        return pd.Series(False, index=effects.index)
    if chosen in ("steroid", "no_steroid"):
        return steroid != (chosen == "steroid")
    return ~effects["injectate"].str.split(r"\s*[;+]\s*", regex=True).map(lambda parts: chosen in parts).astype(bool)


def _pooled(question: Question, effects: pd.DataFrame, settings: ExplorerSettings, protocol: Protocol) -> Answer:
    model = protocol.model
    ci = model.ci if settings.ci == BY_PROTOCOL else settings.ci
    if settings.method == BY_PROTOCOL:
        chosen = protocol.model_copy(update={"model": model.model_copy(update={"ci": ci})})
        return answer(question, effects, chosen)

    def by_choice(rows: pd.DataFrame) -> PooledResult:
        result = pool(rows, method=settings.method, ci=ci, level=model.level, prediction=model.prediction,
                      measure=question.measure)  # fmt: skip
        return replace(result, notes=(*result.notes, f"pooled by {settings.method}, as chosen here"))

    groups = usable_effects(effects).groupby(protocol.subgroup_by)
    return Answer(question, effects, by_choice(effects), {str(name): by_choice(rows) for name, rows in groups})
