"""Rules over studies: p values against the arms, copies between studies, retraction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from headache_evidence.tables import integrity_numbers as inum
from headache_evidence.tables.integrity_hits import (
    DOUBT,
    ERROR,
    INFORMATION,
    make_hits,
    numbers,
    show,
    with_arm_sizes,
)

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

P_FACTOR = 3.0
"""A printed p beyond this factor of every p that the rounded means and SDs allow is a doubt."""

P_FACTOR_POINT = 1.5
"""Beyond this factor of the p from the numbers as printed, but within their rounding, it is information."""

P_NOTABLE = 0.2
"""Two p values both above this say the same, so their ratio is not shown as information."""

FISHER = "Fisher's test"

SHARED_DIGITS = 10
"""Digits of the means and SDs that two studies share (with equal n, without leading zeros) that chance seldom makes.

Two triples such as 7.31 (1.24) reach it; simulated clean trials share as many in fewer than one of a hundred.
"""

SHARED_COUNTS = 3
"""Fewest shared counts (outcome, events, total) that make two studies suspicious."""

JOIN = ["study_id", "outcome", "outcome_reported", "time_value", "time_unit"]


def arms_against_p(ev: Evidence) -> pd.DataFrame:
    """A printed between-arm p that the arms' own numbers do not give: Welch's t test of means, Fisher's test of counts.

    Where no arm size is visible, the patients of a two-arm study are split in half. Adjusted models and rank tests can
    explain a hit, and so can rounding where the severity is information. For counts Pearson's test is allowed beside
    Fisher's.
    """
    pairs = pd.concat([_mean_pairs(ev), _count_pairs(ev)], ignore_index=True)
    pairs = pairs[np.isfinite(numbers(pairs, "point"))]
    operator = pairs["p_operator"].to_numpy(dtype=object)
    printed, point = numbers(pairs, "p"), numbers(pairs, "point")
    doubt = inum.p_contradicts(pairs["least"], pairs["most"], printed, operator, P_FACTOR)
    least, most = (np.where(pairs["test"] == FISHER, numbers(pairs, end), point) for end in ("least", "most"))
    with np.errstate(divide="ignore"):
        apart = np.maximum(least / printed, printed / most) > P_FACTOR_POINT
    printed_otherwise = np.abs(point - printed) > inum.half_unit(printed)
    near = apart & printed_otherwise & (np.fmin(point, printed) < P_NOTABLE)
    keep = doubt | (near & (operator == "="))
    found = pairs[keep]
    return make_hits(
        found,
        "contrasts",
        "p",
        "arms_against_p",
        np.where(doubt[keep], DOUBT, INFORMATION),
        [f"p {o} {p:g}" for o, p in zip(operator[keep], printed[keep], strict=True)],
        [f"p {show(value, 2)} by {test}" for value, test in zip(point[keep], found["test"], strict=True)],
        [
            f"{shown}; " + ("not reproduced" if far else "nearer than a factor of 3, yet not the printed value")
            for shown, far in zip(found["shown"], doubt[keep], strict=True)
        ],
    )


def same_numbers_in_two_studies(ev: Evidence) -> pd.DataFrame:
    """Two studies that share n, mean and SD, or several counts: a duplicate publication or a copy.

    Identical summary triples as a mark of duplication: von Elm et al. 2004, JAMA 291:974-980.
    """
    measured = with_arm_sizes(ev.outcomes, ev)
    measured = measured[measured["mean"].notna() & (measured["sd"] > 0) & measured["size"].notna()]
    measured = measured.assign(weight=_digits(numbers(measured, "mean")) + _digits(numbers(measured, "sd")))
    counted = ev.outcomes[ev.outcomes["events"].notna() & ev.outcomes["total"].notna()].assign(weight=1)
    counted = counted[(counted["events"] > 0) & (counted["events"] < counted["total"])]
    return pd.concat(
        [
            _shared(measured, ["outcome", "size", "mean", "sd"], SHARED_DIGITS, "n, mean and SD"),
            _shared(counted, ["outcome", "events", "total"], SHARED_COUNTS, "counts"),
        ],
        ignore_index=True,
    )


def retracted(ev: Evidence) -> pd.DataFrame:
    """A retracted publication (Cochrane policy on managing potentially problematic studies, 2021)."""
    found = ev.studies[ev.studies["retracted"].astype(bool)]
    return make_hits(
        found,
        "studies",
        "retracted",
        "retracted",
        ERROR,
        ["retracted"] * len(found),
        ["not retracted"] * len(found),
        "retracted work may be listed but not analysed",
    )


def _mean_pairs(ev: Evidence) -> pd.DataFrame:
    outcomes = _sized(ev)
    outcomes = outcomes[outcomes["mean"].notna() & (outcomes["sd"] > 0) & (outcomes["size"] > 1)]
    pairs = _both_arms(ev, outcomes, ["mean", "sd", "size", "halved", "kind"])
    pairs = pairs[pairs["kind_1"] == pairs["kind_2"]]
    m1, s1, n1, m2, s2, n2 = (numbers(pairs, f"{name}_{arm}") for arm in (1, 2) for name in ("mean", "sd", "size"))
    room = inum.half_unit(m1) + inum.half_unit(m2)
    wide, narrow = (
        (s1 + inum.half_unit(s1), s2 + inum.half_unit(s2)),
        (s1 - inum.half_unit(s1), s2 - inum.half_unit(s2)),
    )
    gap = np.abs(m1 - m2)
    shown = [
        f"{a:g} ({b:g}) of {c:g} and {d:g} ({e:g}) of {f:g}" + (", sizes halved" if half else "")
        for a, b, c, d, e, f, half in zip(m1, s1, n1, m2, s2, n2, pairs["halved_1"], strict=True)
    ]
    return pairs.assign(
        test="Welch's t test",
        point=inum.welch_p(m1, s1, n1, m2, s2, n2),
        least=inum.welch_p(gap + room, narrow[0], n1, 0.0, narrow[1], n2),
        most=inum.welch_p(np.clip(gap - room, 0, None), wide[0], n1, 0.0, wide[1], n2),
        shown=shown,
    )


def _count_pairs(ev: Evidence) -> pd.DataFrame:
    outcomes = ev.outcomes[ev.outcomes["events"].notna() & ev.outcomes["total"].notna()]
    outcomes = outcomes[(outcomes["events"] <= outcomes["total"]) & (outcomes["unit_of_analysis"] == "patient")]
    pairs = _both_arms(ev, outcomes, ["events", "total"])
    cells = [numbers(pairs, name) for name in ("events_1", "total_1", "events_2", "total_2")]
    p = np.array([inum.fisher_p(*row) for row in zip(*cells, strict=True)], dtype=float)
    chi = np.array([_pearson_p(*row) for row in zip(*cells, strict=True)], dtype=float)
    shown = [f"{a:g} of {b:g} and {c:g} of {d:g}" for a, b, c, d in zip(*cells, strict=True)]
    return pairs.assign(test=FISHER, point=p, least=np.fmin(p, chi), most=np.fmax(p, chi), shown=shown)


def _both_arms(ev: Evidence, outcomes: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Contrasts with a p, joined to the one row of each arm at the same time; a bare change or level, never both."""
    contrasts = ev.contrasts[ev.contrasts["p"].notna() & (ev.contrasts["comparison"] == "between_arms")]
    rows = outcomes[[*JOIN, "arm_id", *columns]].drop_duplicates([*JOIN, "arm_id"], keep=False)
    joined = contrasts
    for arm in ("1", "2"):
        named = rows.rename(columns={"arm_id": f"arm_{arm}"} | {name: f"{name}_{arm}" for name in columns})
        joined = joined.merge(named, on=[*JOIN, f"arm_{arm}"], how="inner")
    return joined


def _sized(ev: Evidence) -> pd.DataFrame:
    rows = with_arm_sizes(ev.outcomes, ev)
    studies = ev.studies.set_index("study_id")
    whole = studies["n_analysed"].fillna(studies["n_randomised"]).astype(float)
    arms = ev.arms.groupby("study_id").size()
    half = rows["study_id"].map(whole) / 2
    halved = rows["size"].isna() & (rows["study_id"].map(arms) == 2) & half.notna()
    return rows.assign(size=rows["size"].where(~halved, half), halved=halved)


def _pearson_p(events1: float, total1: float, events2: float, total2: float) -> float:
    """Pearson's chi-squared p without correction; 1 when a margin is empty."""
    events, total = events1 + events2, total1 + total2
    if events in (0, total) or 0 in (total1, total2):
        return 1.0
    pooled = events / total
    z2 = (events1 / total1 - events2 / total2) ** 2 / (pooled * (1 - pooled) * (1 / total1 + 1 / total2))
    return float(2 * special.ndtr(-np.sqrt(z2)))


def _shared(rows: pd.DataFrame, key: list[str], fewest: int, what: str) -> pd.DataFrame:
    other = rows[[*key, "study_id"]].rename(columns={"study_id": "other"}).drop_duplicates()
    pairs = rows.merge(other, on=key)
    pairs = pairs[pairs["study_id"] != pairs["other"]].drop_duplicates(["study_id", "other", *key])
    total = pairs.groupby(["study_id", "other"])["weight"].transform("sum")
    found = pairs[total >= fewest]
    return make_hits(
        found,
        "outcomes",
        key[-1],
        "same_numbers_in_two_studies",
        DOUBT,
        [
            ", ".join(f"{name} {value}" for name, value in zip(key, values, strict=True))
            for values in found[key].to_numpy()
        ],
        [f"numbers of its own, not those of {study}" for study in found["other"]],
        f"the same {what} stand in two studies",
    )


def _digits(values: np.ndarray) -> np.ndarray:
    texts = [np.format_float_positional(abs(value), trim="-").replace(".", "").lstrip("0") for value in values]
    return np.array([len(text) for text in texts], dtype=np.int64)
