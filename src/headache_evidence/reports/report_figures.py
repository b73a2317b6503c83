"""The figures of a report, drawn from answers and saved beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from headache_evidence.figures.evidence_figure import EvidenceFigure
from headache_evidence.figures.forest import forest_plot
from headache_evidence.figures.saving import save_figure
from headache_evidence.pools.answers import Answer
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol


def forest_plots(
    evidence: Evidence, answers: Iterable[Answer], protocol: Protocol, output_dir: str | Path = ""
) -> Iterator[EvidenceFigure]:
    """A forest plot of every pool of two or more studies, and of single studies on a headline outcome.

    Each is saved into ``output_dir``/figures as SVG and PNG under its question's name; nowhere when it is empty.
    """
    for answer in answers:
        if not _worth_a_figure(answer, protocol):
            continue
        figure = forest_plot(
            answer.effects,
            answer.pooled,
            subgroups=answer.subgroups,
            subgroup_by=protocol.subgroup_by,
            title=answer.question.title,
            risk_of_bias=risk_of_bias_of(evidence, answer.effects["study_id"]),
            favours=_sides(answer),
        )
        if str(output_dir):
            save_figure(figure, Path(output_dir) / "figures" / answer.question.question_id)
        yield figure


def _sides(answer: Answer) -> tuple[str, str] | None:
    """Without a comparator a change favours nothing: the sides are named improved and worsened."""
    if answer.question.stream != "before_after":
        return None
    lower_is_better = answer.effects["better"].iloc[0] != "higher"
    return ("improved", "worsened") if lower_is_better else ("worsened", "improved")


def _worth_a_figure(answer: Answer, protocol: Protocol) -> bool:
    headline = answer.question.outcome in protocol.headline.outcomes
    return answer.pooled.k >= 2 or (answer.pooled.k == 1 and headline)


def risk_of_bias_of(evidence: Evidence, study_ids: Iterable[str]) -> pd.DataFrame:
    """Domain judgements of the given studies."""
    table = evidence.risk_of_bias
    return table.loc[table["study_id"].isin(list(study_ids))]
