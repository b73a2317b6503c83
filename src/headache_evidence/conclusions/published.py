"""Our pools beside those of published reviews of the same question: agree, differ, and which trials ours holds."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from headache_evidence.conclusions.downgrading import excludes
from headache_evidence.effects.effect_request import OUTSIDE
from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.effects.measure_scales import MEASURE_SCALES, measure_scale
from headache_evidence.pools.answers import Answer
from headache_evidence.pools.result import Interval
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol

COLUMNS = (
    "review_id", "year", "comparison", "timepoint", "measure", "published", "ours", "ours_k", "verdict",
    "our_trials", "left_out", "doubt", "source_url",
)  # fmt: skip
AGREE, SIZE, DIRECTION, SIDE, NONE, CONTEXT = (
    "agree: intervals overlap, same side",
    "differ in size: same side, intervals apart",
    "differ in direction",
    "same side; measures differ",
    "ours has no usable result",
    "another treatment: context only",
)


def compare(published: tuple[float, Interval], ours: tuple[float, Interval], null: float, *, same_scale: bool) -> str:
    """Verdict on two estimates with intervals and their value of no effect, both on one scale of direction."""
    if (published[0] - null) * (ours[0] - null) < 0:
        return DIRECTION
    if not same_scale:
        return SIDE
    (low, high), (own_low, own_high) = published[1], ours[1]
    return AGREE if own_low <= high and low <= own_high else SIZE


def beside_published(
    answers: Iterable[Answer], evidence: Evidence, protocol: Protocol, headache_type: str
) -> pd.DataFrame:
    """Each published pool with an estimate on an outcome of the protocol, our most informed pool beside it.

    Ours is the randomised comparison of injections with no active treatment on the same outcome with most studies, then
    most patients; the review's list of trials is not in the tables, so ours are named: used and left out.
    """
    answers = [a for a in answers if _comparable(a)]
    table = evidence.published_pools
    own = table.loc[
        (table["headache_type"] == headache_type)
        & table["outcome"].isin(protocol.outcomes)
        & table["estimate"].notna()
        & table["measure"].isin(MEASURE_SCALES)
    ]
    windows = {name: window.title for name, window in protocol.windows.items()}
    rows = [
        _row(row, [a for a in answers if a.question.outcome == row["outcome"]], windows)
        for row in own.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _comparable(answer: Answer) -> bool:
    question = answer.question
    return (question.design, question.comparison, question.intervention) == ("randomised", "inactive", "injection")


def _row(review: Mapping[Hashable, Any], candidates: list[Answer], windows: Mapping[str, str]) -> dict[str, object]:
    measure = str(review["measure"])
    scale = measure_scale(measure)
    estimate = float(str(review["estimate"]))
    ci = tuple(math.nan if pd.isna(review[name]) else float(str(review[name])) for name in ("ci_low", "ci_high"))
    null = 1.0 if scale.ratio else 0.0
    row: dict[str, object] = {name: review.get(name, "") for name in COLUMNS}
    row["published"] = _text(estimate, (ci[0], ci[1]))
    row["left_out"] = ", ".join(sorted({label for item in candidates for label in _left_out(item)}))
    usable = [item for item in candidates if item.pooled.k]
    if not usable:
        return row | {"ours": "", "ours_k": 0, "verdict": NONE, "our_trials": ""}
    best = max(usable, key=lambda item: (item.pooled.k, item.pooled.n))
    own_scale = measure_scale(best.question.measure)
    low, high = np.asarray(own_scale.back_transform(best.pooled.ci), dtype=float)
    own = float(own_scale.back_transform(best.pooled.estimate)), (float(low), float(high))
    faulty = not ci[0] <= estimate <= ci[1] and all(map(math.isfinite, ci))
    verdict = compare((estimate, (ci[0], ci[1])), own, null, same_scale=best.question.measure == measure)
    if "context only" in str(review["doubt"]):
        verdict = CONTEXT
    elif faulty:
        verdict = "not comparable: the published estimate lies outside its interval"
    elif not all(map(math.isfinite, ci)) and verdict in (AGREE, SIZE):
        verdict = "same side; the review shows no interval"
    elif verdict == DIRECTION and not (excludes(own[1], null) and excludes((ci[0], ci[1]), null)):
        verdict = f"{DIRECTION}, though an interval includes no effect"
    return row | {
        "ours": f"{best.question.measure} {_text(*own)}, {windows[best.question.window]}",
        "ours_k": best.pooled.k,
        "verdict": verdict,
        "our_trials": ", ".join(usable_effects(best.effects)["label"]),
    }


def _left_out(answer: Answer) -> list[str]:
    rows = answer.left_out
    return [str(r["label"]) for r in rows.to_dict("records") if not str(r["reason"]).startswith(OUTSIDE)]


def _text(estimate: float, ci: Interval) -> str:
    limits = f" ({ci[0]:.2f} to {ci[1]:.2f})" if all(map(math.isfinite, ci)) else ""
    return f"{estimate:.2f}{limits}".replace("-", "\N{MINUS SIGN}")
