"""Rules about spread: standard errors printed as SDs, and spreads that jump within an arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.tables import integrity_numbers as inum
from headache_evidence.tables.integrity_hits import (
    DOUBT,
    PAIN_SCALES,
    SCALE_LIMITS,
    FloatArray,
    days,
    make_hits,
    numbers,
    show,
    with_arm_sizes,
)

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

FIELD_STUDIES = 5
"""Fewest studies with an SD of an outcome on a scale before one of them can be called unlike the field."""

FIELD_Z = -2.5
"""Robust z of log SD below which a spread is unlike the field; with the spread ratio below, rarer than 1 in 100."""

FIELD_RATIO = 3.0
"""A spread must also be below the field's median by this factor; an SE is smaller by the root of n, so 3 is n = 9."""

JUMP_Z = 3.5
"""Robust z of a change of log SD within an arm (Iglewicz and Hoaglin 1993, cut-off of the modified z score)."""

JUMP_RATIO = 4.0
"""An SD must also change by this factor: pain often ends near zero, where a halved or doubled SD is normal."""

NEAR_END = 0.1
"""A mean within this part of the scale from one of its ends leaves little room for spread: not tested."""

ARM_KEY = ["study_id", "arm_id", "outcome", "outcome_reported", "scale", "population_subset"]


def standard_error_as_sd(ev: Evidence) -> pd.DataFrame:
    """A spread far below what other studies show for the outcome, as if a standard error stood there.

    Cochrane Handbook 6.5.2.2 names the confusion; the test is a robust z of log SD within outcome and scale, pain
    scales brought to 0-10. Unlabelled spreads are tested against the labelled ones.
    """
    rows = with_arm_sizes(ev.outcomes, ev)
    rows = rows[(rows["kind"] == "endpoint") & (rows["mean"].notna() | rows["value"].notna())]
    labelled = rows["sd"].notna().to_numpy()
    spread = np.where(labelled, numbers(rows, "sd"), numbers(rows, "spread_unlabelled"))
    pain = rows["scale"].isin(list(PAIN_SCALES)).to_numpy() & (rows["outcome"] == "pain_intensity").to_numpy()
    factor = np.nan_to_num(rows["scale"].map(PAIN_SCALES).to_numpy(dtype=float), nan=1.0)
    rows = rows.assign(
        log_spread=np.log(np.where(spread > 0, spread * np.where(pain, factor, 1.0), np.nan)),
        spread=spread,
        column=np.where(labelled, "sd", "spread_unlabelled"),
        labelled=labelled,
        field=np.where(pain, "pain 0-10", rows["outcome"] + " in " + rows["scale"]),
    )
    rows = rows[np.isfinite(rows["log_spread"]) & ~_near_an_end(rows)]
    hits = [make_hits(rows.iloc[:0], "outcomes", "sd", "standard_error_as_sd", DOUBT, [], [], "")]
    for field, group in rows.groupby("field", sort=True):
        known = group[group["labelled"]]
        if known["study_id"].nunique() < FIELD_STUDIES:
            continue
        centre, scale = _field(known)
        z = (group["log_spread"].to_numpy() - centre) / scale
        low = (z < FIELD_Z) & (group["log_spread"].to_numpy() < centre - np.log(FIELD_RATIO))
        found = group[low]
        times_root_n = found["spread"].to_numpy() * np.sqrt(found["size"].to_numpy())
        hits.append(
            make_hits(
                found,
                "outcomes",
                "sd",
                "standard_error_as_sd",
                DOUBT,
                [f"spread {s:g}, n {show(n)}" for s, n in zip(found["spread"], found["size"], strict=True)],
                [f"median SD of the field {np.exp(centre):.2f} ({field})"] * len(found),
                [
                    f"robust z {value:.1f}" + (f"; times root n it would be {sd:.2f}" if np.isfinite(sd) else "")
                    for value, sd in zip(z[low], times_root_n, strict=True)
                ],
            ).assign(column=found["column"].to_numpy())
        )
    return pd.concat(hits, ignore_index=True)


def spread_jumps(ev: Evidence) -> pd.DataFrame:
    """An SD that shrinks or grows within an arm far more than SDs do elsewhere (robust z of the log ratio)."""
    rows = ev.outcomes.assign(day=days(ev.outcomes))
    rows = rows[rows["sd"].notna() & (rows["sd"] > 0) & (rows["kind"] == "endpoint") & rows["day"].notna()]
    rows = rows[~_near_an_end(rows)]
    first = rows.sort_values(["day", "row"]).groupby(ARM_KEY, sort=False).head(1)
    pairs = rows.merge(first[[*ARM_KEY, "day", "sd", "row"]], on=ARM_KEY, suffixes=("", "_first"))
    pairs = pairs[pairs["row"] != pairs["row_first"]]
    log_ratio = np.log(pairs["sd"].to_numpy() / pairs["sd_first"].to_numpy())
    if not len(pairs):
        return make_hits(pairs, "outcomes", "sd", "spread_jumps", DOUBT, [], [], "")
    jumps = (np.abs(inum.robust_z(log_ratio)) > JUMP_Z) & (np.abs(log_ratio) > np.log(JUMP_RATIO))
    z, pairs = inum.robust_z(log_ratio)[jumps], pairs[jumps]
    return make_hits(
        pairs,
        "outcomes",
        "sd",
        "spread_jumps",
        DOUBT,
        [f"SD {a:g} at first, {b:g} later" for a, b in zip(pairs["sd_first"], pairs["sd"], strict=True)],
        [f"a change of less than {JUMP_RATIO:g} times"] * len(pairs),
        [f"robust z {value:.1f} among the changes of SD in the tables" for value in z],
    )


def _near_an_end(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    low = rows["scale"].map({scale: limits[0] for scale, limits in SCALE_LIMITS.items()}).to_numpy(dtype=float)
    high = rows["scale"].map({scale: limits[1] for scale, limits in SCALE_LIMITS.items()}).to_numpy(dtype=float)
    mean, room = numbers(rows, "mean"), NEAR_END * (high - low)
    near: npt.NDArray[np.bool_] = (mean < low + room) | (mean > high - room)
    return near


def _field(known: pd.DataFrame) -> tuple[float, float]:
    """Median and robust scale of log SD over studies (each study counts once, with its median)."""
    per_study: FloatArray = known.groupby("study_id")["log_spread"].median().to_numpy(dtype=float)
    centre = float(np.median(per_study))
    scale = 1.4826 * float(np.median(np.abs(known["log_spread"].to_numpy() - centre)))
    return centre, max(scale, 0.1)
