"""Rules about intervals and p values of contrasts, of the second reading and of published pools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.tables import integrity_numbers as inum
from headache_evidence.tables.integrity_hits import DOUBT, ERROR, FloatArray, make_hits, numbers, show

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

BoolArray = npt.NDArray[np.bool_]

RATIO_MEASURES = ("OR", "RR", "HR", "ROM")
LINEAR_MEASURES = ("MD", "SMD", "RD")

ASYMMETRY = 0.1
"""Distance of an estimate from the middle of its interval, as a part of the width, that rounding does not explain.

Wilson- or Newcombe-type intervals of a risk difference stay below it unless risks are extreme.
"""

P_FACTOR = 3.0
"""A printed p beyond this factor of every p that the rounded interval allows contradicts it (any rounding)."""

NUMBER = r"([-\u2212]?\d+(?:\.\d+)?)"
TWO_INTERVALS = re.compile(rf"(?:CI|interval)\b[^.;]*?{NUMBER} to {NUMBER}[^.;]{{1,60}}? and {NUMBER} to {NUMBER}")


def estimate_outside_interval(ev: Evidence) -> pd.DataFrame:
    """An estimate that its own confidence interval does not hold, or an interval with its ends turned round."""
    hits = []
    for table, rows in _tables(ev).items():
        estimate, low, high = _interval(rows)
        turned = low > high
        out = (estimate < low) | (estimate > high)
        out &= np.isfinite(low) & np.isfinite(high)
        found = rows[out]
        hits.append(
            make_hits(
                found,
                table,
                "estimate",
                "estimate_outside_interval",
                ERROR,
                [f"estimate {value:g}" for value in estimate[out]],
                [f"between {a:g} and {b:g}" for a, b in zip(low[out], high[out], strict=True)],
                np.where(
                    turned[out], "the interval's ends are turned round; a sign is wrong", "a number or sign is wrong"
                ),
            )
        )
    return pd.concat(hits, ignore_index=True)


def ratio_not_positive(ev: Evidence) -> pd.DataFrame:
    """A ratio, or a limit of one, below zero: ratios are positive (a small limit may round to 0)."""
    hits = []
    for table, rows in _tables(ev).items():
        ratio = rows["measure"].isin(RATIO_MEASURES)
        lowest = np.fmin.reduce(list(_interval(rows)))
        bad = ratio.to_numpy() & (lowest < 0)
        hits.append(
            make_hits(
                rows[bad],
                table,
                "ci_low",
                "ratio_not_positive",
                ERROR,
                [f"{m} with {value:g}" for m, value in zip(rows["measure"][bad], lowest[bad], strict=True)],
                ["0 or above"] * int(bad.sum()),
                "a ratio cannot be negative; probably computed on the wrong scale",
            )
        )
    return pd.concat(hits, ignore_index=True)


def interval_not_symmetric(ev: Evidence) -> pd.DataFrame:
    """An interval whose middle is not its estimate: on the log scale for ratios, as printed for differences.

    Wald and t intervals are symmetric; adjusted or bootstrap ones may not be.
    """
    hits = []
    for table, rows in _tables(ev).items():
        estimate, low, high, usable = _working_scale(rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.abs(estimate - (low + high) / 2) / (high - low)
            room = _rounding(rows) / (high - low)
        bad = usable & (off - room > ASYMMETRY) & (estimate >= low) & (estimate <= high)
        middle = (low + high) / 2
        ratio = rows["measure"].isin(RATIO_MEASURES).to_numpy()
        middle = np.where(ratio, np.exp(np.where(ratio, middle, 0)), middle)
        hits.append(
            make_hits(
                rows[bad],
                table,
                "ci_low",
                "interval_not_symmetric",
                DOUBT,
                [f"estimate {value:g}" for value in numbers(rows, "estimate")[bad]],
                [f"middle of the interval {show(value, 3)}" for value in middle[bad]],
                [f"off the middle by {100 * value:.0f}% of the width" for value in off[bad]],
            )
        )
    return pd.concat(hits, ignore_index=True)


def interval_against_p(ev: Evidence) -> pd.DataFrame:
    """A p value that its confidence interval does not give (Altman and Bland 2011, BMJ 343:d2304).

    The p is recomputed with a normal and with a t distribution of 9 degrees of freedom, at both ends of the rounding;
    a p beyond ``P_FACTOR`` times that whole range counts, and so does an interval that holds no effect beside a p
    clearly below 0.05, or one that does not beside a p clearly above.
    """
    hits = []
    for table, rows in _tables(ev).items():
        if "p" not in rows:
            continue
        estimate, low, high, usable = _working_scale(rows)
        usable &= np.isfinite(numbers(rows, "p")) & (low < high) & (estimate >= low) & (estimate <= high)
        rows, estimate, low, high = rows[usable], estimate[usable], low[usable], high[usable]
        room = _rounding(rows)
        candidates = [
            inum.interval_p(np.abs(estimate) + shift, low - (low + high) / 2, high - (low + high) / 2, 0.0, df)
            for shift in (room, np.zeros_like(room), -np.minimum(room, np.abs(estimate)))
            for df in (np.inf, 9.0)
        ]
        least, most = np.fmin.reduce(candidates), np.fmax.reduce(candidates)
        operator = rows["p_operator"].to_numpy(dtype=object)
        printed, margin = numbers(rows, "p"), _rounding(rows)
        bad = inum.p_contradicts(least, most, printed, operator, P_FACTOR)
        holds_null = (low + margin < 0) & (high - margin > 0)
        lacks_null = (low - margin > 0) | (high + margin < 0)
        small = (printed + inum.half_unit(printed) < 0.05) & np.isin(operator, ("=", "<", "<="))
        large = (printed - inum.half_unit(printed) > 0.05) & np.isin(operator, ("=", ">", ">="))
        bad |= (holds_null & small) | (lacks_null & large)
        hits.append(
            make_hits(
                rows[bad],
                table,
                "p",
                "interval_against_p",
                DOUBT,
                [f"p {o} {p:g}" for o, p in zip(operator[bad], numbers(rows, "p")[bad], strict=True)],
                [f"p {show(value, 2)} from the interval" for value in candidates[2][bad]] if len(rows) else [],
                "the interval and the p value contradict each other",
            )
        )
    return pd.concat(hits, ignore_index=True)


def interval_repeated(ev: Evidence) -> pd.DataFrame:
    """The same estimate and interval printed for two times of one study: one of them is probably a slip."""
    rows = ev.contrasts[ev.contrasts["ci_low"].notna() & ev.contrasts["ci_high"].notna()]
    key = ["study_id", "arm_1", "arm_2", "outcome", "measure", "estimate", "ci_low", "ci_high"]
    found = rows[rows.duplicated(key, keep=False)]
    return make_hits(
        found,
        "contrasts",
        "estimate",
        "interval_repeated",
        DOUBT,
        [f"{r.estimate:g} ({r.ci_low:g} to {r.ci_high:g})" for r in found.itertuples()],
        ["another estimate at another time"] * len(found),
        "the same numbers are printed at two times",
    )


def intervals_quoted_differ(ev: Evidence) -> pd.DataFrame:
    """Two different intervals quoted for one result in the notes of the extractor, as from abstract and full text."""
    hits = []
    for table, frame, columns in (
        ("studies", ev.studies, ("bias_reporting", "gaps")),
        ("contrasts", ev.contrasts, ("note",)),
    ):
        for column in columns:
            matches = [TWO_INTERVALS.search(text) for text in frame[column]]
            differ = [m is not None and m.groups()[:2] != m.groups()[2:] for m in matches]
            quoted = [m.groups() for m, keep in zip(matches, differ, strict=True) if m is not None and keep]
            hits.append(
                make_hits(
                    frame[np.array(differ, dtype=bool)],
                    table,
                    column,
                    "intervals_quoted_differ",
                    DOUBT,
                    [f"{a} to {b}" for a, b, _, _ in quoted],
                    [f"{c} to {d}" for _, _, c, d in quoted],
                    "two places of one report print different intervals",
                )
            )
    return pd.concat(hits, ignore_index=True)


def _tables(ev: Evidence) -> dict[str, pd.DataFrame]:
    """Tables with estimate, ci_low, ci_high and measure; the second reading only where the first stores no interval."""
    second = ev.second_extraction.assign(measure="")
    second = second[second["ci_low"].notna() & second["ci_high"].notna()]
    key = ["study_id", "outcome", "time_value", "time_unit", "estimate"]
    stored = ev.contrasts[ev.contrasts["ci_low"].notna()][key].drop_duplicates()
    second = second.merge(stored.assign(stored=True), on=key, how="left")
    pools = ev.published_pools.rename(columns={"review_id": "study_id"})
    return {
        "contrasts": ev.contrasts,
        "second_extraction": second[second["stored"].isna()],
        "published_pools": pools,
    }


def _interval(rows: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray]:
    return numbers(rows, "estimate"), numbers(rows, "ci_low"), numbers(rows, "ci_high")


def _working_scale(rows: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
    """Estimate and limits on the scale of symmetry, with 0 as null, and which rows can be used."""
    estimate, low, high = _interval(rows)
    ratio = rows["measure"].isin(RATIO_MEASURES).to_numpy()
    positive = np.fmin.reduce([estimate, low, high]) > 0
    usable = (ratio & positive) | rows["measure"].isin(LINEAR_MEASURES).to_numpy()
    usable &= np.isfinite(estimate) & np.isfinite(low) & np.isfinite(high)
    logged = [np.log(np.where(ratio & positive, x, 1.0)) for x in (estimate, low, high)]
    scaled = [np.where(ratio, log, x) for log, x in zip(logged, (estimate, low, high), strict=True)]
    return scaled[0], scaled[1], scaled[2], usable


def _rounding(rows: pd.DataFrame) -> FloatArray:
    """How far rounding can move an estimate from the middle of its interval, on the scale of symmetry."""
    estimate, low, high = _interval(rows)
    ratio = rows["measure"].isin(RATIO_MEASURES).to_numpy()
    room = np.zeros(len(rows))
    for value, weight in ((estimate, 1.0), (low, 0.5), (high, 0.5)):
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = inum.half_unit(value) / np.abs(value)
        room = room + weight * np.where(ratio, np.where(np.isfinite(relative), relative, 0), inum.half_unit(value))
    return room
