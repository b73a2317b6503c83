"""Summary of findings: one row per result with k, n, absolute and relative effect, threshold, certainty and words.

Guyatt GH et al. (2013), Journal of Clinical Epidemiology 66:158-172 and 173-183.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headache_evidence.conclusions.absolute_effects import AbsoluteEffect, comparator_means, median_comparator_risk
from headache_evidence.conclusions.grading import absolute_effect_of, certainties, certainty
from headache_evidence.conclusions.judgement import Certainty
from headache_evidence.conclusions.number_words import difference_words, in_sentence
from headache_evidence.conclusions.plain_language import per_1000_words, ratio_words, share_words, statement
from headache_evidence.conclusions.thresholds import ImportantDifference, important_difference
from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.pools.answers import Answer
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import DESIGN_TITLES, Protocol

GROUPS = {
    "controlled": "Compared with another arm",
    "before_after": "Change from baseline, no comparison group",
    "proportion": "Share of patients, no comparison group",
}
NOTHING = "No usable study"
NO_RISK = "not estimable without the comparator's risk"


@dataclass(frozen=True)
class Finding:
    """One row of the table, all of it text but the rating and its number."""

    question_id: str
    group: str
    outcome: str
    details: str  # comparison, time and design
    studies: str
    comparator: str
    effect: str
    relative: str
    threshold: str
    rating: Certainty | None
    statement: str

    @property
    def certainty(self) -> str:
        """Signs and words of the certainty."""
        return "" if self.rating is None else f"{self.rating.sign} {self.rating.words}"


@dataclass(frozen=True)
class Findings:
    """The table of one headache type and its numbered footnotes."""

    headache_type: str
    title: str
    rows: tuple[Finding, ...]
    footnotes: tuple[str, ...]

    def marks(self, row: Finding) -> str:
        """The numbers of the footnotes of a row: '1,3'."""
        notes = () if row.rating is None else row.rating.footnotes
        return ",".join(str(self.footnotes.index(note) + 1) for note in notes)


def summary_of_findings(
    answers: Iterable[Answer], protocol: Protocol, evidence: Evidence, headache_type: str
) -> Findings:
    """The summary of findings of a headache type.

    Per outcome: every result between arms; results without a comparison group only where there is none. Outcomes of the
    protocol's headline without any usable study keep a row that says so.
    """
    answers = tuple(answers)
    chosen = rows_to_show(answers, protocol)
    rows = [finding(answer, protocol, evidence) for answer in chosen]
    shown = {answer.question.outcome for answer in chosen}
    rows += [_nothing(outcome, protocol) for outcome in protocol.headline.outcomes if outcome not in shown]
    notes = dict.fromkeys(note for row in rows if row.rating for note in row.rating.footnotes)
    title = protocol.headache_types[headache_type]
    return Findings(headache_type, f"Summary of findings: {in_sentence(title)}", tuple(rows), tuple(notes))


def rows_to_show(answers: Sequence[Answer], protocol: Protocol) -> list[Answer]:
    """Answers with evidence, between arms first, headline outcomes first; uncontrolled ones only as a substitute."""
    with_evidence = [answer for answer in answers if answer.pooled.k]
    controlled = [answer for answer in with_evidence if answer.question.stream == "controlled"]
    answered = {answer.question.outcome for answer in controlled}
    others = [a for a in with_evidence if a.question.stream != "controlled" and a.question.outcome not in answered]
    headline = list(protocol.headline.outcomes)
    last = len(headline)

    def place(answer: Answer) -> tuple[int, int]:
        outcome = answer.question.outcome
        return list(GROUPS).index(answer.question.stream), headline.index(outcome) if outcome in headline else last

    return sorted(controlled + others, key=place)


def finding(answer: Answer, protocol: Protocol, evidence: Evidence) -> Finding:
    """One answer as a row."""
    question = answer.question
    rating = certainty(answer, protocol, evidence)
    threshold = important_difference(question.outcome, protocol, evidence.mcid)
    absolute = absolute_of(answer)
    parts = (
        protocol.interventions[question.intervention].title,
        protocol.comparisons[question.comparison].title if question.comparison else "",
        protocol.windows[question.window].title,
        DESIGN_TITLES[question.design] if question.design else "",
    )
    return Finding(
        question_id=question.question_id,
        group=GROUPS[question.stream],
        outcome=protocol.outcomes[question.outcome].title,
        details=", ".join(part for part in parts if part),
        studies=f"{answer.pooled.k} ({answer.pooled.n:.0f})",
        comparator=_comparator(answer, absolute),
        effect=_effect(answer, absolute),
        relative=_relative(answer),
        threshold=_beside_threshold(answer, absolute, threshold),
        rating=rating,
        statement=statement(answer, rating, threshold, absolute, protocol),
    )


def absolute_of(answer: Answer) -> AbsoluteEffect | None:
    """Patients per 1000, or None for differences and where no comparator arm shows its counts."""
    if answer.question.measure not in ("OR", "RR") or not answer.pooled.estimable:
        return None
    base = median_comparator_risk(answer.effects)
    return absolute_effect_of(answer, base) if 0 < base < 1 else None


def conclusions_of(answers: Iterable[Answer], protocol: Protocol, evidence: Evidence) -> Mapping[str, dict[str, Any]]:
    """What results.json adds to each result, by question_id: certainty, plain_language and threshold.

    Ratios with a threshold per 1000 also get ``absolute_per_1000``: an AbsoluteEffect, None where it is not estimable.
    """
    answers = tuple(answers)
    ratings = certainties(answers, protocol, evidence)
    found: dict[str, dict[str, Any]] = {}
    for answer in answers:
        name = answer.question.question_id
        threshold = important_difference(answer.question.outcome, protocol, evidence.mcid)
        absolute = absolute_of(answer)
        found[name] = {
            "certainty": ratings[name].to_dict(),
            "plain_language": statement(answer, ratings[name], threshold, absolute, protocol),
            "threshold": threshold.to_dict(),
        }
        if threshold.per_1000 and measure_scale(answer.question.measure).ratio:
            found[name]["absolute_per_1000"] = None if absolute is None else absolute.to_dict()
    return found


def _nothing(outcome: str, protocol: Protocol) -> Finding:
    title = protocol.outcomes[outcome].title
    words = f"No usable study reports on {in_sentence(title)}."
    return Finding("", NOTHING, title, "", "0 (0)", "", "", "", "", None, words)


def _comparator(answer: Answer, absolute: AbsoluteEffect | None) -> str:
    if absolute is not None:
        return f"{absolute.comparator:.0f} per 1000"
    if answer.question.stream != "controlled":
        return "none"
    low, high = comparator_means(answer.effects)
    if not math.isfinite(low):
        return "not shown"
    unit = answer.effects["unit"].iloc[0]
    values = (f"{low:.1f}" if high - low < 0.05 else f"{low:.1f} to {high:.1f}").replace("-", "\N{MINUS SIGN}")
    return (
        f"mean {values} {unit}".strip().replace("-", "\N{MINUS SIGN}") if low < 0 else f"mean {values} {unit}".strip()
    )


def _effect(answer: Answer, absolute: AbsoluteEffect | None) -> str:
    scale, pooled = measure_scale(answer.question.measure), answer.pooled
    if absolute is not None:
        return per_1000_words(absolute)
    if scale.percent:
        return share_words(answer)
    return NO_RISK if scale.ratio else difference_words(pooled.estimate, pooled.ci)


def _relative(answer: Answer) -> str:
    measure = answer.question.measure
    return f"{measure} {ratio_words(answer)}" if measure_scale(measure).ratio else ""


def _beside_threshold(answer: Answer, absolute: AbsoluteEffect | None, threshold: ImportantDifference) -> str:
    """The threshold with its source, and on which side of it the estimate and the interval lie."""
    if math.isnan(threshold.size):
        return "none declared"
    source = (
        "our choice" if threshold.source == "choice" else f"published, {threshold.source.removeprefix('mcid.csv:')}"
    )
    words = f"{threshold.size:g} {threshold.unit} ({source})"
    if answer.question.stream == "proportion" or (threshold.per_1000 and absolute is None):
        return words
    size, limits = (
        (absolute.difference, absolute.difference_ci)
        if absolute is not None
        else (answer.pooled.estimate, answer.pooled.ci)
    )
    if min(abs(limit) for limit in limits) >= threshold.size and limits[0] * limits[1] > 0:
        return f"{words}: whole interval at least as large"
    return f"{words}: estimate {'at least as large' if abs(size) >= threshold.size else 'smaller'}"
