"""The protocol's questions answered: effects, pooled result, subgroups and what was left out, per headache type."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import pandas as pd

from headache_evidence.effects.effect_request import OUTSIDE
from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.effects.extract import effects_of, request_for
from headache_evidence.effects.extraction_tables import extraction_tables
from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.pools.bayes import BayesResult, bayes
from headache_evidence.pools.model_choice import pool_by_protocol
from headache_evidence.pools.priors import HalfNormal
from headache_evidence.pools.result import PooledResult
from headache_evidence.tables.by_content import ByContent, evidence_by_content, settings_by_content
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol, Question

MAIN_INTERVENTION = "injection"


@dataclass(frozen=True)
class Answer:
    """One question with its effects table, pooled result and one pooled result per subgroup."""

    question: Question
    effects: pd.DataFrame
    pooled: PooledResult
    subgroups: dict[str, PooledResult]

    @cached_property
    def usable(self) -> pd.DataFrame:
        """The effects that are pooled."""
        return usable_effects(self.effects)

    @cached_property
    def left_out(self) -> pd.DataFrame:
        """Studies that report the outcome but could not be used, with the reason."""
        unusable = ~self.effects["usable"].to_numpy(bool)
        shown = ("study_id", "label", "reason", "source_rows", "source_url")
        return pd.DataFrame({name: self.effects[name].to_numpy()[unusable] for name in shown})

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, as it stands in results.json."""
        question, usable, left_out = self.question, self.usable, self.left_out
        first = self.effects.iloc[0]
        return {
            "question_id": question.question_id,
            "title": question.title,
            "headache_type": question.headache_type,
            "outcome": question.outcome,
            "unit": first["unit"],
            "better": first["better"],
            "stream": question.stream,
            "intervention": question.intervention,
            "comparison": question.comparison,
            "design": question.design,
            "window": question.window,
            "measure": question.measure,
            "studies": list(usable["study_id"]),
            "pooled": self.pooled.to_dict(),
            "subgroups": {name: result.to_dict() for name, result in self.subgroups.items()},
            "left_out": [
                {"study_id": study_id, "reason": reason}
                for study_id, reason in zip(left_out["study_id"], left_out["reason"], strict=True)
            ],
        }


def answer_questions(
    evidence: Evidence, protocol: Protocol, headache_type: str, outcomes: Iterable[str] | None = None
) -> tuple[Answer, ...]:
    """Answer every question of the protocol that some study of the headache type bears on.

    Parameters
    ----------
    outcomes : only these outcomes; all of the protocol's when None.

    Answers to the same evidence and protocol, compared by content, are worked out once in a process.
    """
    chosen = None if outcomes is None else tuple(sorted(set(outcomes)))
    found = _answers(evidence_by_content(evidence), settings_by_content(protocol), headache_type, chosen)
    return tuple(replace(item, effects=item.effects.copy(deep=False), subgroups=dict(item.subgroups)) for item in found)


@lru_cache(maxsize=2)
def _answers(
    evidence: ByContent[Evidence], asked: ByContent[Protocol], headache_type: str, outcomes: tuple[str, ...] | None
) -> tuple[Answer, ...]:
    protocol = asked.value
    tables = extraction_tables(evidence.value, protocol.extraction)
    questions = protocol.questions_for(headache_type)
    wanted = set(outcomes) if outcomes is not None else {question.outcome for question in questions}
    narrowed = {outcome: tables.about(headache_type, outcome) for outcome in wanted}
    posed = [question for question in questions if question.outcome in wanted and not narrowed[question.outcome].empty]
    tried = [(question, effects_of(narrowed[question.outcome], request_for(question, protocol))) for question in posed]
    return tuple(answer(question, effects, protocol) for question, effects in tried if _bears_on(question, effects))


def _bears_on(question: Question, effects: pd.DataFrame) -> bool:
    """Whether a study has the intervention asked about; the main question also lists those outside the protocol."""
    if effects.empty or question.intervention == MAIN_INTERVENTION:
        return len(effects) > 0
    return not effects["reason"].str.startswith(OUTSIDE).all()


def answer(question: Question, effects: pd.DataFrame, protocol: Protocol) -> Answer:
    """Pool one effects table by the protocol's model, whole and by subgroup."""
    usable = usable_effects(effects)
    pooled = pool_by_protocol(effects, question.measure, protocol.model)
    groups = usable.groupby(protocol.subgroup_by)
    subgroups = (
        {str(name): pool_by_protocol(rows, question.measure, protocol.model) for name, rows in groups}
        if len(groups) > 1
        else {str(name): pooled for name, _ in groups}
    )
    return Answer(question=question, effects=effects, pooled=pooled, subgroups=subgroups)


def few_studies_bayes(item: Answer, protocol: Protocol) -> BayesResult | None:
    """The Bayesian result of a pool of at least two and fewer than the protocol's number of studies; else None."""
    if not 2 <= item.pooled.k < protocol.model.bayes_below_k:
        return None
    return bayes(item.effects, tau_prior=HalfNormal(protocol.model.tau_prior_scale[item.question.measure]))


def pooled_table(answers: Iterable[Answer]) -> pd.DataFrame:
    """One row per pooled result and subgroup on the display scale, with k and n beside each estimate."""
    rows = []
    for item in answers:
        rows.append(_table_row(item, "all", item.pooled))
        if len(item.subgroups) > 1:
            rows += [_table_row(item, name, result) for name, result in item.subgroups.items()]
    return pd.DataFrame(rows)


def _table_row(item: Answer, group: str, result: PooledResult) -> dict[str, Any]:
    show = measure_scale(item.question.measure).back_transform
    low, high = show(result.ci)
    pi_low, pi_high = show(result.prediction_interval)
    return {
        "question": item.question.title,
        "group": group,
        "k": result.k,
        "n": result.n,
        "measure": item.question.measure,
        "estimate": float(show(result.estimate)),
        "ci_low": float(low),
        "ci_high": float(high),
        "pi_low": float(pi_low),
        "pi_high": float(pi_high),
        "tau2": result.tau2,
        "i2": result.i2,
        "left_out": len(item.left_out),
        "notes": "; ".join(result.notes),
        "question_id": item.question.question_id,
    }


def study_usage(evidence: Evidence, answers: Iterable[Answer], headache_type: str) -> pd.DataFrame:
    """Every study that bears on the headache type: in how many results it is used, or why in none.

    A study without any row on an outcome of the protocol is listed too, with that reason.
    """
    used, reasons = Counter[str](), defaultdict[str, list[str]](list)
    for item in answers:
        effects = item.effects
        for study_id, usable, why in zip(effects["study_id"], effects["usable"], effects["reason"], strict=True):
            used[study_id] += int(usable)
            reasons[study_id].append(why)
    of_type = evidence.studies.loc[evidence.studies["headache_type"] == headache_type, "study_id"]
    studies = evidence.studies.set_index("study_id")
    rows = []
    for study_id in sorted({*of_type, *reasons}):
        if used[study_id]:
            reason = ""
        elif study_id in reasons:
            reason = "; ".join(dict.fromkeys(reasons[study_id]))
        else:
            reason = _nothing_reported(evidence, study_id)
        rows.append(
            {
                "study_id": study_id,
                "year": studies.at[study_id, "year"],
                "design": studies.at[study_id, "design"],
                "results_used_in": used[study_id],
                "why_in_none": reason,
            }
        )
    return pd.DataFrame(rows, columns=["study_id", "year", "design", "results_used_in", "why_in_none"])


def _nothing_reported(evidence: Evidence, study_id: str) -> str:
    outcomes = evidence.outcomes.loc[evidence.outcomes["study_id"] == study_id, "outcome"]
    if outcomes.empty:
        return "no outcome number visible in the sources read"
    return f"no number on an outcome of the protocol (reports {', '.join(sorted(outcomes.unique()))})"
