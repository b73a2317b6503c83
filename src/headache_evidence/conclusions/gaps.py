"""Where evidence is missing, how much is needed, what the next trial should be, what reporting would have helped."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from headache_evidence.conclusions.grading import better, information_size, patient_sd
from headache_evidence.conclusions.judgement import NO_EVIDENCE, Certainty
from headache_evidence.conclusions.thresholds import important_difference
from headache_evidence.effects.effect_request import OUTSIDE
from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.pools.answers import Answer
from headache_evidence.pools.next_trial import next_trial
from headache_evidence.pools.planning import diversity
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import DESIGN_TITLES, STREAM_TITLES, Protocol, Question

GAP_COLUMNS = ("headache_type", "outcome", "follow_up", "k", "n", "certainty")
NEED_COLUMNS = (
    "outcome",
    "comparison",
    "k",
    "patients",
    "needed",
    "diversity",
    "needed_adjusted",
    "missing",
    "threshold",
)
TRIAL_SIZES = (50, 100, 200, 400)
SIMULATIONS = 500
REMEDIES: Mapping[str, str] = {  # pattern in the reason: what would have made the trial usable
    r"only a P value": "the mean and SD of each arm, or the difference with its 95% interval, beside the P value",
    r"no SD": "the SD (or SE, or 95% interval) beside each mean",
    r"only a median|skewed": "mean and SD, or median with quartiles and n, of each arm",
    r"range of the pain scale|unit is not stated": "the range or unit of the scale",
    r"spread is not named": "the name of the spread: SD, SE or 95% interval",
    r"baseline": "the baseline value with its SD",
    r"comparator arm|intervention arm|both arms": "numbers of every arm at every time",
    r"denominator|n of the arm": "the number of patients analysed in each arm",
    r"NNT|as RD": "the number of patients with the event in each arm",
    r"percentage fits no whole number": "counts of patients beside percentages",
    r"no mean or median": "a mean with SD of each arm",
    r"the unit is not the patient|denominators are|procedure|encounters|attacks, not people": "one result per patient",
}
OTHER_REMEDY = "a correction by the authors: the report contradicts itself or overlaps another"


def evidence_gaps(
    answers: Iterable[Answer], ratings: Mapping[str, Certainty], protocol: Protocol, headache_type: str
) -> pd.DataFrame:
    """Rows for the evidence-gap map of one headache type: kind of evidence against headline outcome and follow-up.

    Parameters
    ----------
    answers : of the headache type. ratings : by question_id.

    Returns
    -------
    Columns as in GAP_COLUMNS, every question of the protocol on injections included; ``headache_type`` holds the kind
    of evidence, k is 0 where there is none.
    """
    found = {answer.question.question_id: answer for answer in answers}
    rows = []
    for question in protocol.questions_for(headache_type):
        if question.intervention != "injection" or question.outcome not in protocol.headline.outcomes:
            continue
        item, rating = found.get(question.question_id), ratings.get(question.question_id)
        k = item.pooled.k if item is not None else 0
        rows.append(
            {
                "headache_type": kind_of_evidence(question, protocol),
                "outcome": protocol.outcomes[question.outcome].title,
                "follow_up": protocol.windows[question.window].title,
                "k": k,
                "n": item.pooled.n if item is not None and k else math.nan,
                "certainty": rating.level if rating is not None and rating.level != NO_EVIDENCE else "",
            }
        )
    titles = [protocol.outcomes[outcome].title for outcome in protocol.headline.outcomes]
    order = {title: position for position, title in enumerate(titles)}
    table = pd.DataFrame(rows, columns=list(GAP_COLUMNS))
    times = {window.title: position for position, window in enumerate(protocol.windows.values())}
    return table.sort_values(
        ["outcome", "follow_up"], key=lambda column: column.map(order | times), kind="stable", ignore_index=True
    )


def kind_of_evidence(question: Question, protocol: Protocol) -> str:
    """'randomised trials against a drug', or the stream where there is no comparator."""
    if question.comparison is None or question.design is None:
        return STREAM_TITLES[question.stream].split(" (")[0]
    return f"{DESIGN_TITLES[question.design]} {protocol.comparisons[question.comparison].title}"


def missing_comparisons(answers: Iterable[Answer], protocol: Protocol, headache_type: str) -> pd.DataFrame:
    """Randomised comparisons on headline outcomes without a usable study.

    Returns
    -------
    outcome, comparison, follow_up (every time without a usable study), reported_without_usable_numbers (studies that
    report the outcome at such a time, but no numbers that can be used).
    """
    found = {answer.question.question_id: answer for answer in answers}
    gaps: dict[tuple[str, str], tuple[list[str], set[str]]] = {}
    for question in protocol.questions_for(headache_type):
        asked = question.design == "randomised" and question.intervention == "injection"
        if not asked or question.outcome not in protocol.headline.outcomes:
            continue
        item = found.get(question.question_id)
        if item is not None and item.pooled.k:
            continue
        key = protocol.outcomes[question.outcome].title, protocol.comparisons[str(question.comparison)].title
        times, studies = gaps.setdefault(key, ([], set()))
        times.append(protocol.windows[question.window].title)
        if item is not None:
            left_out = item.left_out
            studies |= set(left_out.loc[~left_out["reason"].str.startswith(OUTSIDE), "study_id"])
    rows = [(*key, "; ".join(times), len(studies)) for key, (times, studies) in gaps.items()]
    return pd.DataFrame(rows, columns=["outcome", "comparison", "follow_up", "reported_without_usable_numbers"])


def information_needed(answers: Iterable[Answer], protocol: Protocol, evidence: Evidence) -> pd.DataFrame:
    """Required information size of each randomised comparison on a headline outcome with evidence.

    ``needed`` is the size of one adequately powered trial (GRADE's optimal information size) at the threshold;
    ``needed_adjusted`` also allows for diversity (D2), which one study cannot show.
    """
    rows = []
    for answer in planning_answers(answers, protocol):
        threshold = important_difference(answer.question.outcome, protocol, evidence.mcid)
        needed = information_size(answer, protocol, threshold)
        spread = diversity(answer.effects) if answer.pooled.k > 1 else math.nan
        adjusted = needed / (1 - spread) if math.isfinite(spread) and spread < 1 else math.nan
        rows.append(
            {
                "outcome": protocol.outcomes[answer.question.outcome].title,
                "comparison": answer.question.title.split(", ", 1)[1],
                "k": answer.pooled.k,
                "patients": answer.pooled.n,
                "needed": needed,
                "diversity": spread,
                "needed_adjusted": math.ceil(adjusted) if math.isfinite(adjusted) else math.nan,
                "missing": max(needed - answer.pooled.n, 0.0) if math.isfinite(needed) else math.nan,
                "threshold": f"{threshold.size:g} {threshold.unit}" if math.isfinite(threshold.size) else "half an SD",
            }
        )
    return pd.DataFrame(rows, columns=list(NEED_COLUMNS))


def next_trials(answers: Iterable[Answer], protocol: Protocol, evidence: Evidence) -> pd.DataFrame:
    """The next trial of each randomised comparison on a headline outcome with evidence.

    ``per_arm_alone``: patients per arm with which one trial detects the threshold. With two or more studies also the
    probability that the updated interval lies beyond no effect, by patients per arm (``updated_50`` and so on),
    simulated with a fixed seed.
    """
    rows = []
    for answer in planning_answers(answers, protocol):
        threshold = important_difference(answer.question.outcome, protocol, evidence.mcid)
        needed = information_size(answer, protocol, threshold)
        row: dict[str, object] = {
            "question": answer.question.title,
            "k": answer.pooled.k,
            "per_arm_alone": math.ceil(needed / 2) if math.isfinite(needed) else math.nan,
        }
        chances = _chances(answer)
        rows.append(row | {f"updated_{size}": chances.get(size, math.nan) for size in TRIAL_SIZES})
    return pd.DataFrame(rows, columns=["question", "k", "per_arm_alone", *(f"updated_{size}" for size in TRIAL_SIZES)])


def planning_answers(answers: Iterable[Answer], protocol: Protocol) -> list[Answer]:
    """Randomised comparisons with an inactive arm on a headline outcome that have evidence."""
    return [
        answer
        for answer in answers
        if answer.pooled.k
        and answer.question.intervention == "injection"
        and (answer.question.design, answer.question.comparison) == ("randomised", "inactive")
        and answer.question.outcome in protocol.headline.outcomes
    ]


def reporting_needed(answers: Iterable[Answer]) -> pd.DataFrame:
    """What would have made the left-out results of eligible procedures usable: results and studies by remedy."""
    found: dict[str, list[str]] = {}
    for answer in answers:
        for row in answer.left_out.to_dict("records"):
            if str(row["reason"]).startswith(OUTSIDE):
                continue
            for remedy in remedies(str(row["reason"])):
                found.setdefault(remedy, []).append(str(row["label"]))
    rows = [
        {"reporting": remedy, "results": len(labels), "studies": ", ".join(sorted(set(labels)))}
        for remedy, labels in found.items()
    ]
    table = pd.DataFrame(rows, columns=["reporting", "results", "studies"])
    return table.sort_values(["results", "reporting"], ascending=[False, True], ignore_index=True)


def remedies(reason: str) -> Sequence[str]:
    """What the report would have had to show, for one reason."""
    found = [remedy for pattern, remedy in REMEDIES.items() if re.search(pattern, reason)]
    return found or [OTHER_REMEDY]


def _chances(answer: Answer) -> dict[int, float]:
    rows = usable_effects(answer.effects)
    if answer.pooled.k < 2 or not math.isfinite(patient_sd(rows)):
        return {}
    trial = next_trial(
        rows, n_per_arm=TRIAL_SIZES, better=better(answer), simulations=SIMULATIONS, seed=1,
        method=answer.pooled.method, ci=answer.pooled.ci_method,
    )  # fmt: skip
    return dict(zip(trial.table["n_per_arm"], trial.table["excludes_null"], strict=True))
