"""Rules that look at one outcome row at a time: can these numbers stand side by side?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from headache_evidence.tables import integrity_numbers as inum
from headache_evidence.tables.integrity_hits import (
    DOUBT,
    ERROR,
    INFORMATION,
    SCALE_LIMITS,
    SCALE_STEPS,
    days,
    make_hits,
    numbers,
    show,
    with_arm_sizes,
)

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

SMALLER_SCALES = (
    ("midas_score", "midas_grade", "midas", (1, 4)),
    ("vas_0_100", "vas_0_10", "vas", (0, 10)),
)
"""Larger and smaller scale of one instrument, its bare name, and the ends of the smaller scale."""

SHARE_COLUMNS = ("events", "total", "percent")


def mean_fits_no_total(ev: Evidence) -> pd.DataFrame:
    """A mean that no ``n`` answers on the steps of its scale can give (GRIM; Brown and Heathers 2017)."""
    rows = _stepped(ev)
    rows = rows[~inum.grim_possible(numbers(rows, "mean"), numbers(rows, "n"), rows["step"].to_numpy())]
    mean, n, step = numbers(rows, "mean"), numbers(rows, "n"), rows["step"].to_numpy()
    near = np.rint(mean * n / step) * step / n
    cut = (near >= mean) & (near - mean < 2 * inum.half_unit(mean))
    return make_hits(
        rows,
        "outcomes",
        "mean",
        "mean_fits_no_total",
        np.where(cut, INFORMATION, DOUBT),
        [f"mean {m:g}, n {int(k)}" for m, k in zip(mean, n, strict=True)],
        [f"nearest possible mean {show(value, 6)}" for value in near],
        [
            f"no {int(k)} answers in steps of {s:g} have this mean" + (" unless digits were cut off" if c else "")
            for k, s, c in zip(n, step, cut, strict=True)
        ],
    )


def sd_fits_no_answers(ev: Evidence) -> pd.DataFrame:
    """A mean and SD that no ``n`` whole-number answers can give together (GRIMMER; Allard 2018)."""
    rows = _stepped(ev)
    rows = rows[(rows["step"] == 1) & rows["sd"].notna()]
    mean, sd, n = (numbers(rows, column) for column in ("mean", "sd", "n"))
    rows = rows[inum.grim_possible(mean, n) & ~inum.grimmer_possible(mean, sd, n)]
    return make_hits(
        rows,
        "outcomes",
        "sd",
        "sd_fits_no_answers",
        DOUBT,
        [f"mean {r.mean:g}, SD {r.sd:g}, n {r.n}" for r in rows[["mean", "sd", "n"]].itertuples(index=False)],
        ["a whole sum of squares of the parity of the sum"] * len(rows),
        "no whole-number answers have this mean and this SD together",
    )


def percent_fits_no_count(ev: Evidence) -> pd.DataFrame:
    """A percent of patients that no whole number of patients gives.

    Where the row has no n, every size from the arm's n down to that n minus the losses of the study is tried. A
    percent that only fits when its digits were cut off is shown as information. Brown and Heathers 2017 (GRIM for
    proportions).
    """
    rows = with_arm_sizes(ev.outcomes, ev)
    known = rows["total"].notna() | rows["n"].notna() | rows["arm_n"].notna()
    rows = rows[rows["percent"].notna() & rows["events"].isna() & (rows["kind"] == "percent") & known]
    subset = (rows["population_subset"] != "") | (rows["headache_type"] != "")
    rows = rows[(rows["unit_of_analysis"] == "patient") & ~(subset & rows["total"].isna() & rows["n"].isna())]
    own = np.where(rows["total"].notna(), numbers(rows, "total"), numbers(rows, "n"))
    largest = np.where(np.isfinite(own), own, rows["arm_n"])
    losses = ev.studies.assign(loss=numbers(ev.studies, "n_randomised") - numbers(ev.studies, "n_analysed"))
    loss = rows["study_id"].map(losses.set_index("study_id")["loss"]).fillna(0).clip(lower=0).to_numpy()
    smallest = np.where(np.isfinite(own), own, np.maximum(largest - loss, 1))
    percent = numbers(rows, "percent")
    fits, cut = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    for back in range(int(np.max(largest - smallest, initial=0)) + 1):
        size = np.maximum(largest - back, smallest)
        fits |= inum.percent_possible(percent, size)
        cut |= inum.percent_truncated(percent, size)
    rows = rows.assign(largest=largest, smallest=smallest, cut=cut, shown=percent)[~fits]
    sizes = [
        f"{int(a)}" if a == b else f"{int(a)} to {int(b)}"
        for a, b in zip(rows["smallest"], rows["largest"], strict=True)
    ]
    near = [
        f"{k:.0f} of {int(b)} is {100 * k / b:.2f}%"
        for b, k in zip(rows["largest"], np.rint(rows["shown"] * rows["largest"] / 100), strict=True)
    ]
    return make_hits(
        rows,
        "outcomes",
        "percent",
        "percent_fits_no_count",
        np.where(rows["cut"], INFORMATION, DOUBT),
        [f"{p:g}% of {size}" for p, size in zip(rows["shown"], sizes, strict=True)],
        near,
        np.where(rows["cut"], "fits a whole number only if digits were cut off", "fits no whole number of patients"),
    )


def events_against_percent(ev: Evidence) -> pd.DataFrame:
    """Events over total (or over the arm's n) that give another percent than the printed one, or exceed the total."""
    rows = with_arm_sizes(ev.outcomes, ev)
    rows = rows[rows["events"].notna() & (rows["percent"].notna() | rows["total"].notna())]
    events, total, percent = (numbers(rows, column) for column in SHARE_COLUMNS)
    base = np.where(np.isfinite(total), total, np.where(rows["n"].notna(), numbers(rows, "n"), rows["arm_n"]))
    with np.errstate(divide="ignore", invalid="ignore"):
        real = 100 * events / base
    exact = 2 * inum.half_unit(percent)
    differs = np.abs(real - percent) > inum.half_unit(percent) + inum.FLOAT_SLACK
    cut = differs & (real - percent >= 0) & (real - percent < exact - inum.FLOAT_SLACK)
    too_many = events > base
    rows = rows.assign(real=real, base=base, too_many=too_many, cut=cut)[differs | too_many]
    return make_hits(
        rows,
        "outcomes",
        "percent",
        "events_against_percent",
        np.where(rows["too_many"], ERROR, np.where(rows["cut"], INFORMATION, DOUBT)),
        [
            f"{event:g} of {show(size)}, printed {show(shown)}%"
            for event, size, shown in zip(numbers(rows, "events"), rows["base"], numbers(rows, "percent"), strict=True)
        ],
        [f"{show(value)}%" for value in rows["real"]],
        np.where(
            rows["too_many"],
            "more events than patients",
            np.where(rows["cut"], "digits cut off, not rounded", "count and percent do not fit; denominator unclear"),
        ),
    )


def sd_impossible(ev: Evidence) -> pd.DataFrame:
    """An SD larger than the scale allows beside its mean (Bhatia and Davis 2000, times n / (n - 1))."""
    rows = _limited(ev)
    rows = rows[rows["sd"].notna()]
    sd = numbers(rows, "sd")
    bound = inum.largest_sd(numbers(rows, "mean"), rows["low"], rows["high"], rows["size"])
    rows = rows.assign(bound=bound)[sd - inum.half_unit(sd) > bound + inum.FLOAT_SLACK]
    return make_hits(
        rows,
        "outcomes",
        "sd",
        "sd_impossible",
        ERROR,
        [f"mean {m:g}, SD {s:g}, n {show(k)}" for m, s, k in zip(rows["mean"], rows["sd"], rows["size"], strict=True)],
        [f"SD at most {value:.2f}" for value in rows["bound"]],
        [
            f"on a scale from {a:g} to {b:g} the SD cannot be larger"
            for a, b in zip(rows["low"], rows["high"], strict=True)
        ],
    )


def mean_outside_scale(ev: Evidence) -> pd.DataFrame:
    """A mean, median or quartile beyond the ends of its scale."""
    hits = []
    limited = _limited(ev, needed=None)
    for column in ("mean", "median", "q1", "q3", "min", "max"):
        value = numbers(limited, column)
        out = (value < limited["low"].to_numpy()) | (value > limited["high"].to_numpy())
        rows = limited[out]
        hits.append(
            make_hits(
                rows,
                "outcomes",
                column,
                "mean_outside_scale",
                ERROR,
                [f"{column} {number:g}" for number in value[out]],
                [f"{low:g} to {high:g}" for low, high in zip(rows["low"], rows["high"], strict=True)],
                "beyond the ends of the scale",
            )
        )
    return pd.concat(hits, ignore_index=True)


def smaller_scale(ev: Evidence) -> pd.DataFrame:
    """A baseline mean that fits the smaller scale of the same instrument: a grade for a score, 0-10 for 0-100.

    Patients who are treated seldom start that low on the larger scale. A row already stored on the smaller scale counts
    when the source names the instrument alone, so that the choice of scale was the reader's.
    """
    rows = ev.outcomes[(days(ev.outcomes) == 0) & ev.outcomes["mean"].notna() & (ev.outcomes["kind"] == "endpoint")]
    hits = [make_hits(rows.iloc[:0], "outcomes", "mean", "smaller_scale", DOUBT, [], [], "")]
    for larger, smaller, name, (low, high) in SMALLER_SCALES:
        mean = numbers(rows, "mean")
        recoded = (rows["scale"] == smaller) & (rows["outcome_reported"] == name)
        fits = ((rows["scale"] == larger) | recoded).to_numpy() & (mean >= low) & (mean <= high)
        found = rows[fits]
        hits.append(
            make_hits(
                found,
                "outcomes",
                "mean",
                "smaller_scale",
                DOUBT,
                [f"mean {value:g} at baseline" for value in mean[fits]],
                [f"above {high:g} on {larger}"] * len(found),
                f"the mean fits {smaller}, which runs from {low:g} to {high:g}",
            )
        )
    return pd.concat(hits, ignore_index=True)


def mean_outside_interval(ev: Evidence) -> pd.DataFrame:
    """A mean, median or percent outside its own printed interval, quartiles or range."""
    hits = []
    outcomes = ev.outcomes
    for centre, low, high in (
        ("mean", "ci_low", "ci_high"),
        ("percent", "ci_low", "ci_high"),
        ("median", "q1", "q3"),
        ("median", "min", "max"),
    ):
        value, lower, upper = (numbers(outcomes, column) for column in (centre, low, high))
        out = (value < lower) | (value > upper) | (lower > upper)
        hits.append(
            make_hits(
                outcomes[out],
                "outcomes",
                centre,
                "mean_outside_interval",
                ERROR,
                [f"{centre} {v:g}" for v in value[out]],
                [f"between {a:g} and {b:g}" for a, b in zip(lower[out], upper[out], strict=True)],
                f"{centre} outside {low} to {high}",
            )
        )
    return pd.concat(hits, ignore_index=True)


def spread_unlabelled(ev: Evidence) -> pd.DataFrame:
    """A spread that the source does not name: SD, SE and quartile width are all possible (Cochrane Handbook 6.5.2)."""
    rows = ev.outcomes[ev.outcomes["spread_unlabelled"].notna()]
    return make_hits(
        rows,
        "outcomes",
        "spread_unlabelled",
        "spread_unlabelled",
        INFORMATION,
        [f"+/- {value:g}" for value in rows["spread_unlabelled"]],
        ["SD or SE named by the source"] * len(rows),
        "the spread is not named; never an SD in a primary analysis",
    )


def share_against_spread(ev: Evidence) -> pd.DataFrame:
    """A share of patients above a cut-off that the mean and SD of the same time do not allow (law of total variance).

    The cut-off and its percent are read from the arm's label, such as "VAS still above 5 (22.5%)".
    """
    pattern = re.compile(r"\b(?:above|over|>)\s*(\d+(?:\.\d+)?)\b(?:\s+at\s+(\d+)\s+(\w+))?[^%()]*\((\d+(?:\.\d+)?)%\)")
    sized = with_arm_sizes(ev.outcomes, ev)
    found = []
    for arm in ev.arms[["study_id", "arm_id", "label"]].itertuples(index=False):
        match = pattern.search(str(arm.label))
        if match is None:
            continue
        cut, time, unit, share = match.groups()
        rows = sized[(sized["study_id"] == arm.study_id) & (sized["arm_id"] == arm.arm_id) & sized["sd"].notna()]
        rows = rows[rows["scale"].isin(list(SCALE_STEPS)) & (rows["kind"] == "endpoint")]
        if time is not None:
            rows = rows[(rows["time_value"] == float(time)) & (rows["time_unit"] == unit)]
        above = float(cut) + rows["scale"].map(SCALE_STEPS).to_numpy(dtype=float)
        bound = inum.smallest_sd(numbers(rows, "mean"), float(share) / 100, above, rows["size"].to_numpy())
        rows = rows.assign(bound=bound, cut=cut, share=share)
        sd = numbers(rows, "sd")
        found.append(rows[sd + inum.half_unit(sd) < bound - inum.FLOAT_SLACK])
    rows = pd.concat(found) if found else sized.iloc[:0].assign(bound=0.0, cut="", share="")
    return make_hits(
        rows,
        "outcomes",
        "sd",
        "share_against_spread",
        DOUBT,
        [f"mean {m:g}, SD {s:g}" for m, s in zip(rows["mean"], rows["sd"], strict=True)],
        [f"SD at least {value:.3f}" for value in rows["bound"]],
        [f"{p}% are said to be above {c}" for p, c in zip(rows["share"], rows["cut"], strict=True)],
    )


def _limited(ev: Evidence, needed: str | None = "mean") -> pd.DataFrame:
    """Rows on a scale with two ends, with ``low``, ``high`` (of the change where the row is one) and ``size``."""
    rows = with_arm_sizes(ev.outcomes, ev)
    rows = rows[rows["scale"].isin(list(SCALE_LIMITS)) & rows["kind"].isin(["endpoint", "change_from_baseline"])]
    if needed is not None:
        rows = rows[rows[needed].notna()]
    low = rows["scale"].map({scale: limits[0] for scale, limits in SCALE_LIMITS.items()}).to_numpy(dtype=float)
    high = rows["scale"].map({scale: limits[1] for scale, limits in SCALE_LIMITS.items()}).to_numpy(dtype=float)
    change = (rows["kind"] == "change_from_baseline").to_numpy()
    return rows.assign(low=np.where(change, low - high, low), high=np.where(change, high - low, high))


def _stepped(ev: Evidence) -> pd.DataFrame:
    """Patient rows with a mean and their own n, on a scale answered in steps."""
    rows = ev.outcomes
    rows = rows[rows["mean"].notna() & rows["n"].notna() & rows["scale"].isin(list(SCALE_STEPS))]
    rows = rows[(rows["unit_of_analysis"] == "patient") & (rows["n"] > 0)]
    return rows.assign(step=rows["scale"].map(SCALE_STEPS).astype(float))
