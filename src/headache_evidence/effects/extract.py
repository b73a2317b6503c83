"""The front door of extraction: from evidence tables to one effects table, usable or not, with the reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from headache_evidence.effects.before_after import before_after_effects
from headache_evidence.effects.controlled import controlled_effects
from headache_evidence.effects.effect_request import EffectRequest, Record
from headache_evidence.effects.effect_table import EFFECT_COLUMNS
from headache_evidence.effects.extraction_tables import ExtractionTables, extraction_tables
from headache_evidence.effects.proportion import proportion_effects
from headache_evidence.errors import ParameterError
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import DESIGN_TITLES, STREAM_TITLES, Protocol, Question, load_protocol

NO_EFFECTS = pd.DataFrame(columns=list(EFFECT_COLUMNS)).astype({"usable": bool})
EXTRACTORS: Mapping[str, Callable[[ExtractionTables, EffectRequest], list[Record]]] = {
    "controlled": controlled_effects,
    "before_after": before_after_effects,
    "proportion": proportion_effects,
}


def extract_effects(
    evidence: Evidence,
    *,
    headache_type: str,
    outcome: str,
    stream: str = "controlled",
    weeks: tuple[float, float] | None = None,
    intervention: str = "injection",
    comparison: str = "inactive",
    design: str = "all",
    measure: str | None = None,
    target_weeks: float | None = None,
    accept_unknown_time: bool = False,
    every_time: bool | None = None,
    protocol: Protocol | None = None,
) -> pd.DataFrame:
    """One row per study that could answer the question, with yi, vi, derivation and source address.

    Parameters
    ----------
    evidence : from load_evidence.
    headache_type, outcome : names of the protocol.
    stream : controlled, before_after or proportion; never mixed.
    weeks : (from, to], follow-up in weeks; all follow-up when None.
    intervention : class of intervention arms: injection (hydrodissection and perineural block) or topical.
    comparison : class of comparator arms (controlled stream): inactive, active_drug or active_block.
    design : randomised, nonrandomised or all (controlled stream). Pools of the protocol keep the two apart.
    measure : metafor's measure code; the protocol's measure of the outcome when None.
    target_weeks : of several times of a study the nearest to this is taken; the middle of ``weeks`` when None.
    accept_unknown_time : also use rows whose time the source does not show.
    every_time : all usable times of a study, not only the nearest; the effects are then dependent, for
        cluster_robust or three_level with cluster="study_id". The protocol's ``several_times`` when None.
    protocol : read from data/protocol.yml when None.

    Returns
    -------
    A table with EFFECT_COLUMNS. Rows that cannot be used have ``usable`` False, missing yi and vi, and the ``reason``.

    Raises
    ------
    ParameterError
        for an unknown headache type, outcome, stream, comparison or measure; the message lists what is known.
    """
    protocol = protocol or load_protocol()
    _known("stream", stream, STREAM_TITLES)
    _known("headache_type", headache_type, protocol.headache_types)
    _known("outcome", outcome, protocol.outcomes)
    _known("intervention", intervention, protocol.interventions)
    _known("design", design, DESIGN_TITLES | {"all": "all designs"})
    if stream == "controlled":
        _known("comparison", comparison, protocol.comparisons)
    span = weeks if weeks is not None else (0.0, float("inf"))
    if measure is None:
        measures: Mapping[str, str] = protocol.outcomes[outcome].measures  # type: ignore[assignment]
        _known(f"stream for the outcome {outcome}", stream, measures)
        measure = measures[stream]
    request = EffectRequest(
        headache_type=headache_type,
        outcome=outcome,
        stream=stream,
        measure=measure,
        weeks=span,
        target_weeks=target_weeks if target_weeks is not None else _middle(span),
        accept_unknown_time=accept_unknown_time,
        techniques=protocol.interventions[intervention].techniques,
        comparators=protocol.comparisons[comparison].comparators if stream == "controlled" else (),
        comparison=comparison if stream == "controlled" else "",
        design=design,
        settings=protocol.extraction,
        every_time=_all_times(protocol) if every_time is None else every_time,
    )
    return effects_of(extraction_tables(evidence, protocol.extraction).about(headache_type, outcome), request)


def request_for(question: Question, protocol: Protocol) -> EffectRequest:
    """The request that a question of the protocol makes."""
    window = protocol.windows[question.window]
    comparators = protocol.comparisons[question.comparison].comparators if question.comparison else ()
    return EffectRequest(
        headache_type=question.headache_type,
        outcome=question.outcome,
        stream=question.stream,
        measure=question.measure,
        weeks=window.weeks,
        target_weeks=window.target,
        accept_unknown_time=window.accept_unknown_time,
        techniques=protocol.interventions[question.intervention].techniques,
        comparators=comparators,
        comparison=question.comparison or "",
        design=question.design or "all",
        settings=protocol.extraction,
        every_time=_all_times(protocol),
    )


def _all_times(protocol: Protocol) -> bool:
    return protocol.extraction.several_times == "all"


def effects_of(tables: ExtractionTables, request: EffectRequest) -> pd.DataFrame:
    """The effects table of one request, usable rows first, then by year and study.

    ``tables`` are narrowed to the headache type and outcome of the request (ExtractionTables.about).
    """
    return effects_table(records_of(tables, request))


def records_of(tables: ExtractionTables, request: EffectRequest) -> list[Record]:
    """The effects of one request as plain records, unordered; ``tables`` as for `effects_of`."""
    return EXTRACTORS[request.stream](tables, request)


def effects_table(records: Iterable[Record], also: Sequence[str] = ()) -> pd.DataFrame:
    """Records as an effects table, usable rows first, then by year and study; ``also`` names more of their columns."""
    ordered = sorted(records, key=lambda record: (not record["usable"], _year(record), record["study_id"]))
    if not ordered:
        return NO_EFFECTS.assign(**dict.fromkeys(also, ""))
    index = pd.RangeIndex(len(ordered))
    names = (*EFFECT_COLUMNS, *also)
    columns = {name: _column([record.get(name, math.nan) for record in ordered], index) for name in names}
    return pd.DataFrame(columns, index=index).copy()


def _column(values: list[Any], index: pd.Index) -> pd.Series:
    """Texts as plain objects, which stand together in one block: selecting rows then costs a quarter."""
    return pd.Series(values, index, dtype=object if any(isinstance(value, str) for value in values) else None)


def _year(record: Record) -> float:
    return float("inf") if pd.isna(record["year"]) else float(record["year"])


def _middle(span: tuple[float, float]) -> float:
    return (span[0] + span[1]) / 2 if span[1] != float("inf") else span[0]


def _known(what: str, value: str, known: Mapping[str, object]) -> None:
    if value not in known:
        raise ParameterError(f"Unknown {what} {value!r}; known: {', '.join(known)}.")
