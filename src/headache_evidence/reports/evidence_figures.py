"""The figures of the evidence base: flow of records, risk of bias, timeline, what studies report, maps, courses.

Each takes a headache type and is saved into ``output_dir``/figures as SVG and PNG; nowhere when that is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from headache_evidence.conclusions.grading import certainties
from headache_evidence.effects.extraction_tables import extraction_tables
from headache_evidence.effects.labels import study_labels
from headache_evidence.figures.evidence_figure import EvidenceFigure
from headache_evidence.figures.evidence_maps import evidence_gap_plot, reporting_map_plot
from headache_evidence.figures.over_time import timeline_plot, trajectory_plot
from headache_evidence.figures.prisma_diagram import prisma_plot
from headache_evidence.figures.risk_of_bias_figures import risk_of_bias_plot, risk_of_bias_summary_plot
from headache_evidence.figures.saving import save_figure
from headache_evidence.pools.answers import Answer
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.prisma import prisma_flow
from headache_evidence.tables.protocol import Protocol
from headache_evidence.tables.reporting import reported_items
from headache_evidence.tables.risk_of_bias import DOMAINS, JBI

PARTLY = "partly (of an outcome: numbers without spread, total or interval)"
LABELLED_BY = ("study_id", "authors", "year", "title")
CERTAINTY_ORDER = ("high", "moderate", "low", "very_low")


def study_flow_figure(evidence: Evidence, headache_type: str, output_dir: str | Path = "") -> EvidenceFigure:
    """PRISMA 2020 flow of the records of one headache type."""
    return _saved(prisma_plot(prisma_flow(evidence, headache_type)), output_dir, f"{headache_type}.flow")


def study_timeline_figure(
    evidence: Evidence, protocol: Protocol, headache_type: str, output_dir: str | Path = ""
) -> EvidenceFigure:
    """Studies by year of publication and technique; a study with several counts under the one asked about."""
    studies = _of_type(evidence.studies, headache_type)
    table = pd.DataFrame(
        {
            "label": studies["study_id"].map(_labels(evidence)),
            "year": studies["year"].astype(float),
            "technique": studies["study_id"].map(_main_technique(evidence.arms, protocol)).fillna("not stated"),
            "n": studies["n_analysed"].fillna(studies["n_randomised"]).astype(float),
        }
    )
    return _saved(timeline_plot(table), output_dir, f"{headache_type}.timeline")


def _main_technique(arms: pd.DataFrame, protocol: Protocol) -> Mapping[str, str]:
    asked = [technique for item in protocol.interventions.values() for technique in item.techniques]
    rank = {technique: place for place, technique in enumerate(asked)}
    treated = arms.loc[(arms["comparator_kind"] == "") | arms["technique"].isin(asked)]
    order = treated.assign(rank=treated["technique"].map(rank).fillna(len(rank))).sort_values(["rank", "technique"])
    return {str(study): str(technique) for study, technique in order.groupby("study_id")["technique"].first().items()}


def risk_of_bias_summary_figures(
    evidence: Evidence, headache_type: str, output_dir: str | Path = ""
) -> Iterator[EvidenceFigure]:
    """Share of each judgement by domain, one figure per tool."""
    for tool, table in _judgements_by_tool(evidence, headache_type):
        yield _saved(risk_of_bias_summary_plot(table), output_dir, f"{headache_type}.bias_summary.{_slug(tool)}")


def risk_of_bias_figures(
    evidence: Evidence, headache_type: str, output_dir: str | Path = ""
) -> Iterator[EvidenceFigure]:
    """Traffic lights of the studies with a comparison group, one figure per tool.

    Studies without one share the same flaw; their judgements stand in the bars and in the table.
    """
    for tool, table in _judgements_by_tool(evidence, headache_type):
        if tool != JBI:
            yield _saved(risk_of_bias_plot(table), output_dir, f"{headache_type}.bias.{_slug(tool)}")


def _judgements_by_tool(evidence: Evidence, headache_type: str) -> Iterator[tuple[str, pd.DataFrame]]:
    of_type = _of_type(evidence.studies, headache_type)
    labels = _labels(evidence)
    table = evidence.risk_of_bias.loc[evidence.risk_of_bias["study_id"].isin(of_type["study_id"])]
    table = table.assign(label=table["study_id"].map(labels), year=table["study_id"].map(_years(evidence)))
    for tool in DOMAINS:
        rows = table.loc[table["tool"] == tool].sort_values(["year", "label"], kind="stable")
        if not rows.empty:
            yield tool, rows


def reporting_map_figures(
    evidence: Evidence, headache_type: str, output_dir: str | Path = ""
) -> Iterator[EvidenceFigure]:
    """What each study reports: the studies with a comparison group first, then those without."""
    studies = _of_type(evidence.studies, headache_type).sort_values(["year", "study_id"])
    items = reported_items(replace(evidence, studies=studies))
    items.insert(0, "study", _labels(evidence).reindex(items.index))
    tool = evidence.risk_of_bias.drop_duplicates("study_id").set_index("study_id")["tool"].reindex(items.index)
    kinds = {
        "What each study with a comparison group reports": items.loc[(tool != JBI).to_numpy()],
        "What each study without a comparison group reports": items.loc[(tool == JBI).to_numpy()],
    }
    for number, (title, part) in enumerate(kinds.items(), start=1):
        if not part.empty:
            figure = reporting_map_plot(part, title=title, partly=PARTLY)
            yield _saved(figure, output_dir, f"{headache_type}.reporting.{number}")


def evidence_map_figure(
    evidence: Evidence, protocol: Protocol, answers: Iterable[Answer], output_dir: str | Path = ""
) -> EvidenceFigure:
    """Headache types against headline outcomes and follow-up: studies, patients and the best certainty reached.

    Answers of every headache type are expected; what is not answered is a gap.
    """
    answers = tuple(answers)
    ratings = certainties(answers, protocol, evidence)
    answered: dict[tuple[str, str, str], list[Answer]] = {}
    for item in answers:
        question = item.question
        answered.setdefault((question.headache_type, question.outcome, question.window), []).append(item)
    asked = {
        (question.outcome, question.window) for question in protocol.questions_for(next(iter(protocol.headache_types)))
    }
    rows = []
    for headache_type, title in protocol.headache_types.items():
        for outcome in protocol.headline.outcomes:
            for window in (window for window in protocol.windows if (outcome, window) in asked):
                found = [item for item in answered.get((headache_type, outcome, window), []) if item.pooled.k]
                studies = _patients_by_study(found)
                levels = {ratings[item.question.question_id].level for item in found}
                rows.append(
                    {
                        "headache_type": title,
                        "outcome": protocol.outcomes[outcome].title,
                        "follow_up": protocol.windows[window].title,
                        "k": len(studies),
                        "n": studies.sum() if len(studies) else np.nan,
                        "certainty": next((level for level in CERTAINTY_ORDER if level in levels), ""),
                    }
                )
    return _saved(evidence_gap_plot(pd.DataFrame(rows)), output_dir, "evidence_map")


def _patients_by_study(answers: Iterable[Answer]) -> pd.Series:
    """Patients of each study with a usable effect; a study in several answers counts once, with its largest number."""
    tables = [item.usable[["study_id", "n1", "n2"]] for item in answers]
    if not tables:
        return pd.Series(dtype=float)
    effects = pd.concat(tables)
    return effects[["n1", "n2"]].astype(float).sum(axis=1, min_count=1).groupby(effects["study_id"]).max()


def course_figure(
    evidence: Evidence, protocol: Protocol, headache_type: str, outcome: str, output_dir: str | Path = ""
) -> EvidenceFigure:
    """Means before and after treatment, one line per study and arm with two times or more."""
    tables = extraction_tables(evidence, protocol.extraction).about(headache_type, outcome)
    rows = tables.rows.loc[tables.rows["excluded"] == ""]
    arms = [tables.arm_facts[key] for key in zip(rows["study_id"], rows["arm_id"], strict=True)]
    table = pd.DataFrame(
        {
            "label": rows["study_id"].map(tables.studies["label"]).to_numpy(),
            "arm": rows["arm_id"].to_numpy(),
            "technique": [arm["technique"] for arm in arms],
            "weeks": rows["weeks"].mask(rows["is_baseline"].astype(bool), 0.0).to_numpy(float),
            "mean": rows["mean"].to_numpy(float),
        }
    ).dropna(subset=["weeks", "mean"])
    table = table.drop_duplicates(["label", "arm", "weeks"])
    followed = table.groupby(["label", "arm"])["weeks"].transform("size") > 1
    title = f"{protocol.headache_types[headache_type]}: course over time by study"
    figure = trajectory_plot(table.loc[followed], y_title=protocol.outcomes[outcome].title, title=title)
    return _saved(figure, output_dir, f"{headache_type}.course.{outcome}")


def _labels(evidence: Evidence) -> pd.Series:
    return _labels_of(*(tuple(evidence.studies[name]) for name in LABELLED_BY))


@lru_cache(maxsize=2)
def _labels_of(*columns: tuple[object, ...]) -> pd.Series:
    """Labels of the studies with these cells, which several figures of a report ask for."""
    return study_labels(pd.DataFrame(dict(zip(LABELLED_BY, columns, strict=True))))


def _of_type(studies: pd.DataFrame, headache_type: str) -> pd.DataFrame:
    return studies.loc[studies["headache_type"] == headache_type]


def _years(evidence: Evidence) -> pd.Series:
    return evidence.studies.set_index("study_id")["year"].astype(float)


def _slug(tool: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in tool.lower().split(" (")[0])


def _saved(figure: EvidenceFigure, output_dir: str | Path, name: str) -> EvidenceFigure:
    if str(output_dir):
        save_figure(figure, Path(output_dir) / "figures" / name)
    return figure
