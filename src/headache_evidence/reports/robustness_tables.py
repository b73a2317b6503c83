"""Tables and figures on robustness: leave-one-out, influence, small studies, meta-regression, the multiverse."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.conclusions.thresholds import important_difference
from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.effects.extraction_tables import extraction_tables
from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.errors import InputError
from headache_evidence.figures.evidence_figure import EvidenceFigure
from headache_evidence.figures.number_text import number
from headache_evidence.figures.saving import save_figure
from headache_evidence.figures.specification_curve import specification_curve_plot
from headache_evidence.pools.answers import Answer
from headache_evidence.pools.influence import influence
from headache_evidence.pools.leave_one_out import leave_one_out
from headache_evidence.pools.limit_meta_analysis import limit_meta_analysis
from headache_evidence.pools.meta_regression import meta_regression
from headache_evidence.pools.multiverse import MIN_K_SIGNIFICANCE, Multiverse, question_multiverse
from headache_evidence.pools.pet_peese import pet_peese
from headache_evidence.pools.result import PooledResult
from headache_evidence.pools.selection_model import selection_model
from headache_evidence.pools.small_study_tests import begg, egger, harbord, peters
from headache_evidence.pools.trim_and_fill import trim_and_fill
from headache_evidence.reports.readable_tables import ReadableTable, interval_text
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol

MIN_K_LEAVE_ONE_OUT = 3  # below it nothing is left to pool
MODERATORS = {
    "volume_ml": "volume",
    "weeks": "follow-up",
    "guidance": "guidance",
    "steroid": "steroid",
    "year": "year",
    "risk_of_bias": "risk of bias",
}


def show_leave_one_out(answers: Iterable[Answer], protocol: Protocol) -> ReadableTable:
    """Each pool of three studies or more without each of its studies in turn, by inverse variance."""
    model = protocol.model
    rows = []
    for item in _pools(answers, MIN_K_LEAVE_ONE_OUT):
        show = measure_scale(item.question.measure).back_transform
        for row in leave_one_out(item.effects, method=model.method, ci=model.ci, level=model.level).to_dict("records"):
            low, high = show([row["ci_lower"], row["ci_upper"]])
            rows.append(
                {
                    "question": item.question.title,
                    "without": row["label"],
                    "k": row["k"],
                    "measure": item.question.measure,
                    "estimate": float(show(row["estimate"])),
                    "95% CI": interval_text(low, high),
                    "all studies": float(show(item.pooled.estimate)),
                }
            )
    return ReadableTable(pd.DataFrame(rows), "Without each study in turn", empty="No pool holds three studies or more.")


def show_influence(answers: Iterable[Answer], protocol: Protocol) -> ReadableTable:
    """Deletion diagnostics of each pool of three studies or more (Viechtbauer and Cheung 2010)."""
    tables = [
        influence(item.effects, method=protocol.model.method).assign(question=item.question.title)
        for item in _pools(answers, MIN_K_LEAVE_ONE_OUT)
    ]
    if not tables:
        return ReadableTable(pd.DataFrame(), "Influence of each study", empty="No pool holds three studies or more.")
    table = pd.concat(tables, ignore_index=True)
    shown = table[["question", "label", "weight", "rstudent", "dffits", "cook_d", "cov_r", "hat", "flag"]]
    names = {
        "label": "study",
        "weight": "weight %",
        "rstudent": "studentised residual",
        "dffits": "DFFITS",
        "cook_d": "Cook's distance",
        "cov_r": "covariance ratio",
        "flag": "stands out",
    }
    return ReadableTable(shown.rename(columns=names), "Influence of each study")


def show_small_study_effects(answers: Iterable[Answer], protocol: Protocol) -> ReadableTable:
    """Tests of funnel asymmetry, and estimates corrected for it or for selective publication, for each pool.

    Most say that they are not assessable: the protocol sets the number of studies they need.
    """
    min_k = protocol.small_study_effects.min_k
    rows = [
        {
            "question": item.question.title,
            "k": item.pooled.k,
            "Egger": egger(item.effects, min_k=min_k).words,
            "Begg": begg(item.effects, min_k=min_k).words,
            "Peters": peters(item.effects, min_k=min_k).words if item.question.measure == "OR" else "",
            "Harbord": harbord(item.effects, min_k=min_k).words if item.question.measure == "OR" else "",
            "Trim and fill": trim_and_fill(item.effects, min_k=min_k).words,
            "PET-PEESE": pet_peese(item.effects, min_k=min_k).words,
            "Selection model": selection_model(item.effects, min_k=min_k).words,
            "Limit meta-analysis": limit_meta_analysis(item.effects, min_k=min_k).words,
        }
        for item in _pools(answers, 2)
    ]
    return ReadableTable(pd.DataFrame(rows), "Small-study effects", empty="No pool holds two studies or more.")


def show_meta_regression(answers: Iterable[Answer], protocol: Protocol) -> ReadableTable:
    """One meta-regression per moderator and pool of two studies or more; equal answers share a row."""
    rows = []
    for item in _pools(answers, 2):
        words = {title: _regression_words(item, name, protocol) for name, title in MODERATORS.items()}
        for answer, titles in groupby(sorted(words, key=words.__getitem__), key=words.__getitem__):
            same = set(titles)
            moderators = ", ".join(title for title in MODERATORS.values() if title in same)
            rows.append(
                {"question": item.question.title, "k": item.pooled.k, "moderator": moderators, "answer": answer}
            )
    return ReadableTable(pd.DataFrame(rows), "Meta-regression", empty="No pool holds two studies or more.")


def _regression_words(item: Answer, moderator: str, protocol: Protocol) -> str:
    known = item.usable[moderator].dropna()
    if known.nunique() < 2:
        what = "one value" if len(known) else "no value"
        return f"not estimable: {what} (known for {len(known)} of {item.pooled.k})"
    try:
        result = meta_regression(
            item.effects, moderators=[moderator], method=protocol.model.method, ci=protocol.model.ci
        )
    except InputError as error:
        return str(error)
    return result.words


def _pools(answers: Iterable[Answer], at_least: int) -> Iterator[Answer]:
    return (item for item in answers if item.pooled.k >= at_least)


def multiverses(evidence: Evidence, protocol: Protocol, answers: Iterable[Answer]) -> tuple[Multiverse, ...]:
    """The multiverse of every headline question with two usable effects or more."""
    tables = extraction_tables(evidence, protocol.extraction)
    return tuple(
        question_multiverse(
            tables.about(item.question.headache_type, item.question.outcome),
            protocol,
            item.question,
            _threshold(item, evidence, protocol),
        )
        for item in _pools(answers, 2)
        if item.question.outcome in protocol.headline.outcomes
    )


def _threshold(item: Answer, evidence: Evidence, protocol: Protocol) -> float:
    """The smallest difference that matters, towards the better side; NaN where none is declared for the measure."""
    if item.question.measure not in ("MD", "MC"):
        return math.nan
    important = important_difference(item.question.outcome, protocol, evidence.mcid)
    if important.per_1000:
        return math.nan
    return important.size if item.effects["better"].iloc[0] == "higher" else -important.size


def show_multiverses(found: Iterable[Multiverse], answers: Iterable[Answer]) -> ReadableTable:
    """One row per question: its answer, the same by inverse variance, the range of all estimates, what moves them.

    Rare events and shares are answered by another model than the multiverse's, so the first two may differ.
    """
    answered = {item.question.question_id: item.pooled for item in answers}
    rows = [_multiverse_row(item, answered[item.question.question_id]) for item in found]
    return ReadableTable(
        pd.DataFrame(rows), "Every set of choices", empty="No headline question has two usable effects."
    )


def _multiverse_row(item: Multiverse, answer: PooledResult) -> dict[str, object]:
    show = measure_scale(item.measure_main).back_transform
    distinct = item.distinct
    estimate = distinct["estimate"].to_numpy(dtype=float)
    estimate = estimate[np.isfinite(estimate)]
    low, high = show([estimate.min(), estimate.max()]) if estimate.size else (math.nan, math.nan)
    moved = item.influence
    strongest = moved.loc[moved["range"] > 0, "choice"].head(1)
    beyond = "no threshold" if math.isnan(item.threshold) else _percent(item.share_beyond(item.threshold))
    main = item.table.loc[item.main, ["estimate", "ci_low", "ci_high"]].to_numpy(dtype=float)
    return {
        "question": item.question.title,
        "answer of the protocol": f"{_shown(show, answer.estimate, *answer.ci)} by {answer.method}",
        "main choices by inverse variance": _shown(show, *main),
        "specifications": len(item.table),
        "without a study": item.empty,
        "distinct": len(distinct),
        "k": f"{distinct['k'].min()} to {distinct['k'].max()}" if len(distinct) else "0",
        "measure": item.measure_main,
        "median": float(show(np.median(estimate))) if estimate.size else math.nan,
        "range of estimates": interval_text(low, high),
        f"p below {1 - item.level:.2g}": _percent(
            item.share_significant, f"not assessable (k below {MIN_K_SIGNIFICANCE})"
        )
        if not math.isnan(measure_scale(item.measure_main).null)
        else "no null",
        "beyond the smallest difference that matters": beyond,
        "moved most by": strongest.iloc[0].replace("_", " ") if len(strongest) else "nothing",
    }


def _shown(show: Callable[[npt.ArrayLike], FloatArray], estimate: float, low: float, high: float) -> str:
    """Estimate and interval on the printed scale."""
    if not math.isfinite(estimate):
        return "not estimable"
    printed, lowest, highest = (number(value) for value in show([estimate, low, high]).tolist())
    return f"{printed} ({lowest} to {highest})"


def _percent(share: float, when_missing: str = "") -> str:
    return when_missing if math.isnan(share) else f"{100 * share:.0f}%"


def show_choices(found: Iterable[Multiverse]) -> ReadableTable:
    """Which choice moves which result: mean estimate under its lowest and highest option; others are not listed."""
    rows = []
    for item in found:
        show = measure_scale(item.measure_main).back_transform
        for row in item.influence.to_dict("records"):
            moves = row["range"] > 0
            if not moves and row["with_estimate"] == row["options"]:
                continue
            rows.append(
                {
                    "question": item.question.title,
                    "choice": str(row["choice"]).replace("_", " "),
                    "options with an estimate": f"{row['with_estimate']} of {row['options']}",
                    "lowest": str(row["lowest"]).replace("_", " "),
                    "mean there": float(show(row["lowest_mean"])) if moves else math.nan,
                    "highest": str(row["highest"]).replace("_", " "),
                    "mean at the highest": float(show(row["highest_mean"])) if moves else math.nan,
                    "share of variance": _percent(row["variance_share"], "no estimate"),
                }
            )
    return ReadableTable(
        pd.DataFrame(rows), "Which choice moves the result", empty="No headline question has two usable effects."
    )


def specification_curves(found: Iterable[Multiverse], output_dir: str | Path = "") -> Iterator[EvidenceFigure]:
    """The specification curve of each multiverse; saved into ``output_dir``/figures unless that is empty.

    Equal analyses are drawn once, with the protocol's kind of interval, since the kind does not move an estimate.
    Infinite bounds end at the furthest finite one.
    """
    for item in found:
        distinct = item.distinct
        drawn = distinct["ci_method"] == item.options["ci_method"][0]
        finite = distinct.loc[drawn & np.isfinite(distinct["estimate"])]
        if finite.empty:
            continue
        bounds = finite[["ci_low", "ci_high"]].replace([np.inf, -np.inf], np.nan)
        table = finite.assign(
            ci_low=bounds["ci_low"].fillna(bounds["ci_low"].min()),
            ci_high=bounds["ci_high"].fillna(bounds["ci_high"].max()),
        )
        choices = [name for name in item.choices if table[name].nunique() > 1]
        at_main = np.flatnonzero(table.index == item.main)
        figure = specification_curve_plot(
            table,
            choices,
            measure=item.measure_main,
            main=int(at_main[0]) if at_main.size else None,
            title=item.question.title,
        )
        if str(output_dir):
            save_figure(figure, Path(output_dir) / "figures" / f"{item.question.question_id}.specifications")
        yield figure
