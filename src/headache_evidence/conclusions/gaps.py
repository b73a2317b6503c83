"""Where evidence is missing, how much is needed, what the next trial should be, what reporting would have helped."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from headache_evidence.conclusions.grading import better, information_size, patient_sd
from headache_evidence.conclusions.judgement import NO_EVIDENCE, Certainty
from headache_evidence.conclusions.number_words import count
from headache_evidence.conclusions.thresholds import ImportantDifference, important_difference
from headache_evidence.effects.effect_request import OUTSIDE
from headache_evidence.effects.extraction_tables import ADVERSE_EVENT
from headache_evidence.pools.answers import Answer
from headache_evidence.pools.next_trial import next_trial
from headache_evidence.pools.planning import diversity, required_information_size
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
    rows = [(*key, _times_words(times, protocol), len(studies)) for key, (times, studies) in gaps.items()]
    return pd.DataFrame(rows, columns=["outcome", "comparison", "follow_up", "reported_without_usable_numbers"])


def _times_words(times: Sequence[str], protocol: Protocol) -> str:
    """The times without a usable study, in short where they are all that there are."""
    several = [window.title for name, window in protocol.windows.items() if name != "any"]
    return protocol.windows["any"].title if list(times) == several else "; ".join(times)


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
    """The next trial against an inactive arm on each headline outcome of benefit, whether or not there is one yet.

    ``per_arm_alone``: patients per arm with which one trial detects the threshold; ``planned_from`` tells where its
    spread or risk comes from. With two or more studies also the probability that the updated interval lies beyond no
    effect, by patients per arm (``updated_50`` and so on), simulated with a fixed seed.
    """
    answers = tuple(answers)
    rows = []
    planned = planning_answers(answers, protocol)
    for answer in planned:
        threshold = important_difference(answer.question.outcome, protocol, evidence.mcid)
        needed = information_size(answer, protocol, threshold)
        chances = _chances(answer)
        source = "the trial there is" if answer.pooled.k == 1 else "the trials there are"
        row = _trial_row(answer.question.title, answer.pooled.k, source, needed)
        rows.append(row | {f"updated_{size}": chances.get(size, math.nan) for size in TRIAL_SIZES})
    for outcome in protocol.headline.outcomes:
        if outcome.startswith(ADVERSE_EVENT) or any(item.question.outcome == outcome for item in planned):
            continue
        threshold = important_difference(outcome, protocol, evidence.mcid)
        own = [item for item in answers if item.question.outcome == outcome]
        needed, source = _size_without_trials(own, threshold, protocol)
        rows.append(_trial_row(f"{protocol.outcomes[outcome].title}, no randomised trial yet", 0, source, needed))
    columns = ["question", "k", "planned_from", "per_arm_alone", *(f"updated_{size}" for size in TRIAL_SIZES)]
    return pd.DataFrame(rows, columns=columns)


def _trial_row(question: str, k: int, source: str, needed: float) -> dict[str, object]:
    alone = math.ceil(needed / 2) if math.isfinite(needed) else math.nan
    return {"question": question, "k": k, "planned_from": source, "per_arm_alone": alone}


def _size_without_trials(
    answers: Sequence[Answer], threshold: ImportantDifference, protocol: Protocol
) -> tuple[float, str]:
    """Patients of a first trial and what they are planned from: the SD of other arms, else declared assumptions."""
    rules = protocol.certainty.imprecision
    power = {"alpha": rules.alpha, "power": rules.power}
    if threshold.per_1000:
        half = threshold.size / 2000
        size = required_information_size(control_risk=0.5 - half, intervention_risk=0.5 + half, **power).n
        return size, f"{threshold.size:g} per 1000 at a risk of one half, the most demanding"
    tables = [item.usable[["study_id", "sd1", "sd2"]] for item in answers]
    spreads = pd.concat(tables) if tables else pd.DataFrame(columns=["study_id", "sd1", "sd2"])
    known = spreads.loc[spreads[["sd1", "sd2"]].notna().any(axis=1)]
    sd = float(np.nanmedian(known[["sd1", "sd2"]].to_numpy(float))) if len(known) else math.nan
    if math.isfinite(sd) and sd > 0 and math.isfinite(threshold.size):
        studies = count(known["study_id"].nunique(), "study", "studies")
        source = f"median SD {sd:.1f} of {studies} without an inactive arm, {threshold.size:g} {threshold.unit}"
        return required_information_size(threshold.size, sd=sd, **power).n, source
    return required_information_size(rules.standardised_difference, sd=1.0, **power).n, "half an SD: no SD is known"


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
        for label, reason in zip(answer.left_out["label"], answer.left_out["reason"], strict=True):
            if not reason.startswith(OUTSIDE):
                for remedy in remedies(reason):
                    found.setdefault(remedy, []).append(label)
    rows = [
        {"reporting": remedy, "results": len(labels), "studies": ", ".join(sorted(set(labels)))}
        for remedy, labels in found.items()
    ]
    table = pd.DataFrame(rows, columns=["reporting", "results", "studies"])
    return table.sort_values(["results", "reporting"], ascending=[False, True], ignore_index=True)


@lru_cache(maxsize=1024)
def remedies(reason: str) -> tuple[str, ...]:
    """What the report would have had to show, for one reason."""
    found = tuple(remedy for pattern, remedy in REMEDIES.items() if re.search(pattern, reason))
    return found or (OTHER_REMEDY,)


def _chances(answer: Answer) -> dict[int, float]:
    rows = answer.usable
    if answer.pooled.k < 2 or not math.isfinite(patient_sd(rows)):
        return {}
    trial = next_trial(
        rows, n_per_arm=TRIAL_SIZES, better=better(answer), simulations=SIMULATIONS, seed=1,
        method=answer.pooled.method, ci=answer.pooled.ci_method,
    )  # fmt: skip
    return dict(zip(trial.table["n_per_arm"], trial.table["excludes_null"], strict=True))
