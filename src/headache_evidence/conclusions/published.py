"""Our pools beside those of published reviews of the same question: agree or differ, and which trials explain it."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from headache_evidence.conclusions.downgrading import excludes
from headache_evidence.conclusions.number_words import count
from headache_evidence.effects.effect_request import OUTSIDE
from headache_evidence.effects.measure_scales import MEASURE_SCALES, measure_scale
from headache_evidence.pools.answers import Answer, answer
from headache_evidence.pools.result import Interval
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol, Window

COLUMNS = (
    "review_id", "year", "outcome", "comparison", "timepoint", "k", "published", "ours", "ours_k", "verdict",
    "explanation", "doubt", "source_url",
)  # fmt: skip
AGREE, SIZE, DIRECTION, SIDE, NONE, CONTEXT = (
    "agree: intervals overlap, same side",
    "differ in size: same side, intervals apart",
    "differ in direction",
    "same side; measures differ",
    "ours has no usable result at this time",
    "another treatment: context only",
)
NOT_ASKED = "not comparable: the protocol does not ask about this outcome"
NO_ESTIMATE = "not comparable: the review pools nothing here, or not as a measure of ours"
WEEKS_PER = {"minute": 1 / 10080, "min": 1 / 10080, "hour": 1 / 168, "h": 1 / 168, "week": 1.0, "month": 52.18 / 12}
ORDINALS = {"first": 1, "second": 2, "third": 3}


def compare(published: tuple[float, Interval], ours: tuple[float, Interval], null: float, *, same_scale: bool) -> str:
    """Verdict on two estimates with intervals and their value of no effect, both on one scale of direction."""
    if (published[0] - null) * (ours[0] - null) < 0:
        return DIRECTION
    if not same_scale:
        return SIDE
    (low, high), (own_low, own_high) = published[1], ours[1]
    return AGREE if own_low <= high and low <= own_high else SIZE


def weeks_of(timepoint: str) -> float:
    """The time a review names, in weeks; the later one of a range, NaN when it names none."""
    words = re.sub(r"\bper\s.*", "", timepoint.lower())
    times = [
        float(n) * WEEKS_PER[unit] for n, unit in re.findall(r"(\d+(?:\.\d+)?) (minute|min|hour|h|week|month)", words)
    ]
    times += [ORDINALS[n] * WEEKS_PER[unit] for n, unit in re.findall(r"(first|second|third) (week|month)", words)]
    times += [float(n) * WEEKS_PER["month"] for n in re.findall(r"months? (?:\d+ and )?(\d+)", words)]
    return max(times, default=math.nan)


def beside_published(
    answers: Iterable[Answer], evidence: Evidence, protocol: Protocol, headache_type: str
) -> pd.DataFrame:
    """Each published result of the headache type with our result on the same outcome at the same time beside it.

    Ours is the randomised comparison of injections with no active treatment; where the review names no time, the one
    with most studies, then most patients. The reviews' own lists of trials are not in the tables: ``explanation`` tells
    which of our trials are later than the review, which of before are in ours, which could not be used and why, how
    many of the review's trials the tables cannot hold, and which trial alone a difference hangs on.
    """
    candidates = [a for a in answers if _comparable(a)]
    table = evidence.published_pools
    years = dict(zip(evidence.studies["study_id"], evidence.studies["year"], strict=True))
    rows = [
        _row(review, [a for a in candidates if a.question.outcome == review["outcome"]], protocol, years)
        for review in table.loc[table["headache_type"] == headache_type].to_dict("records")
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _comparable(answer: Answer) -> bool:
    question = answer.question
    return (question.design, question.comparison, question.intervention) == ("randomised", "inactive", "injection")


def _row(
    review: Mapping[Hashable, Any], candidates: list[Answer], protocol: Protocol, years: Mapping[str, Any]
) -> dict[str, object]:
    row: dict[str, object] = {name: review.get(name, "") for name in COLUMNS}
    outcome, measure = str(review["outcome"]), str(review["measure"])
    title = protocol.outcomes[outcome].title if outcome in protocol.outcomes else outcome.replace("_", " ")
    row |= {"outcome": title, "published": "", "ours": "", "ours_k": 0, "explanation": ""}
    row["k"] = "" if pd.isna(review["k"]) else int(review["k"])
    if pd.isna(review["estimate"]) or measure not in MEASURE_SCALES:
        return row | {"verdict": NO_ESTIMATE}
    estimate, ci = _published(review)
    row["published"] = f"{measure} {_text(estimate, ci)}"
    if outcome not in protocol.outcomes:
        return row | {"verdict": NOT_ASKED}
    if "context only" in str(review["doubt"]):
        return row | {"verdict": CONTEXT}
    candidates = _at_time(candidates, weeks_of(str(review["timepoint"])), protocol.windows)
    usable = [item for item in candidates if item.pooled.k]
    if not usable:
        return row | {"verdict": NONE, "explanation": _explain(review, None, candidates, years)}
    best = max(usable, key=lambda item: (item.pooled.k, item.pooled.n))
    verdict = _verdict(measure, estimate, ci, best)
    words = _explain(review, best, candidates, years)
    if verdict == SIZE or verdict.startswith(DIRECTION):
        words += f"; {_hangs_on(review, best, years, protocol)}"
    own = _text(*_ours(best))
    ours = f"{best.question.measure} {own}, {protocol.windows[best.question.window].title}"
    return row | {"ours": ours, "ours_k": best.pooled.k, "verdict": verdict, "explanation": words}


def _published(review: Mapping[Hashable, Any]) -> tuple[float, Interval]:
    low, high = (math.nan if pd.isna(review[name]) else float(str(review[name])) for name in ("ci_low", "ci_high"))
    return float(str(review["estimate"])), (low, high)


def _at_time(candidates: list[Answer], weeks: float, windows: Mapping[str, Window]) -> list[Answer]:
    """Our results at the review's time; all of them where it names none. Outcomes counted once have no time."""
    if math.isnan(weeks):
        return candidates
    return [
        item
        for item in candidates
        if item.question.window == "any"
        or windows[item.question.window].weeks[0] < weeks <= windows[item.question.window].weeks[1]
    ]


def _verdict(measure: str, estimate: float, ci: Interval, best: Answer) -> str:
    null = 1.0 if measure_scale(measure).ratio else 0.0
    known = all(map(math.isfinite, ci))
    if known and not ci[0] <= estimate <= ci[1]:
        return "not comparable: the published estimate lies outside its interval"
    own = _ours(best)
    verdict = compare((estimate, ci), own, null, same_scale=best.question.measure == measure)
    if not known and verdict in (AGREE, SIZE):
        return "same side; the review shows no interval"
    if verdict == DIRECTION and not (excludes(own[1], null) and excludes(ci, null)):
        return f"{DIRECTION}, though an interval includes no effect"
    return verdict


def _ours(own: Answer) -> tuple[float, Interval]:
    """Our estimate and interval on the scale on which the measure is read."""
    scale = measure_scale(own.question.measure)
    low, high = np.asarray(scale.back_transform(own.pooled.ci), dtype=float)
    return float(scale.back_transform(own.pooled.estimate)), (float(low), float(high))


def _explain(
    review: Mapping[Hashable, Any], best: Answer | None, candidates: Sequence[Answer], years: Mapping[str, Any]
) -> str:
    """Which trials ours holds, before and after the review, which it could not use, and how many it cannot see."""
    rows = best.usable.to_dict("records") if best is not None else []
    after = [str(r["label"]) for r in rows if _later(r, review, years)]
    before = [str(r["label"]) for r in rows if str(r["label"]) not in after]
    left = {
        str(r["label"])
        for item in candidates
        for r in item.left_out.to_dict("records")
        if not str(r["reason"]).startswith(OUTSIDE) and not _later(r, review, years)
    } - {*before, *after}
    if before:
        parts = [f"{'ours' if pd.isna(review['year']) else 'ours up to its year'}: {', '.join(before)}"]
    else:
        parts = ["no trial of ours is as old as the review" if after else "no trial of ours is usable"]
    parts += [f"later than the review: {', '.join(after)}"] if after else []
    parts += [f"reported without usable numbers: {', '.join(sorted(left))}"] if left else []
    if not pd.isna(review["k"]) and int(review["k"]) > len(before) + len(left):
        unseen = count(int(review["k"]) - len(before) - len(left), "of its trials is", "of its trials are")
        parts.append(f"the review pools {int(review['k'])}: at least {unseen} not among these")
    return "; ".join(parts)


def _later(row: Mapping[Hashable, Any], review: Mapping[Hashable, Any], years: Mapping[str, Any]) -> bool:
    year = years.get(str(row["study_id"]))
    return not pd.isna(year) and not pd.isna(review["year"]) and int(year) > int(review["year"])


def _hangs_on(review: Mapping[Hashable, Any], best: Answer, years: Mapping[str, Any], protocol: Protocol) -> str:
    """The trials without which ours would agree with the review: later ones together, or any single one."""
    rows = best.usable
    if len(rows) < 2:
        return "ours is a single trial"
    sets = {str(r["label"]): [r["study_id"]] for r in rows.to_dict("records")}
    later = [r["study_id"] for r in rows.to_dict("records") if _later(r, review, years)]
    if 1 < len(later) < len(rows):
        sets["the later trials"] = later
    turning = []
    for name, without in sets.items():
        rest = answer(best.question, rows.loc[~rows["study_id"].isin(without)], protocol)
        if _verdict(str(review["measure"]), *_published(review), rest) == AGREE:
            turning.append(name)
    if not turning:
        return f"leaving out any one of {count(len(rows), 'trial', 'trials')} does not make ours agree"
    return f"without {' or '.join(turning)} ours would agree"


def _text(estimate: float, ci: Interval) -> str:
    limits = f" ({ci[0]:.2f} to {ci[1]:.2f})" if all(map(math.isfinite, ci)) else ""
    return f"{estimate:.2f}{limits}".replace("-", "\N{MINUS SIGN}")
