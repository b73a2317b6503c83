"""Rules that compare rows of one study: sizes, changes over time, complementary counts, arms too alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from headache_evidence.tables import integrity_numbers as inum
from headache_evidence.tables.integrity_hits import (
    DOUBT,
    ERROR,
    INFORMATION,
    days,
    make_hits,
    numbers,
    show,
    with_arm_sizes,
)

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

SAME_MEASURE = ["study_id", "outcome", "outcome_reported", "adverse_event", "scale", "population_subset"]
IN_ARM = [*SAME_MEASURE, "arm_id"]
AT_TIME = [*SAME_MEASURE, "time_value", "time_unit", "time_label"]

IMBALANCE_P = 0.001
"""Baseline p of a randomised trial below which a difference is shown; as information, for chance also makes it."""

ALIKE_DECIMALS = 2
"""Fewest decimals of the means: arms printed with one decimal agree by chance too often."""

ALIKE_TIMES = 3
"""Fewest times at which two arms must agree before their likeness is tested; at two, chance does it too often."""

LOSS_P = 0.01
"""Fisher's p of the losses of two arms below which chance is an unlikely reason for their difference."""

COMPLEMENTS = (("responder_any", "non_responder"), ("responder_50", "non_responder"), ("headache_relief", "no_relief"))
"""Outcomes of which every patient has exactly one."""


def arm_sum_against_study(ev: Evidence) -> pd.DataFrame:
    """Arms that together hold another number of patients than their study, or more analysed than randomised.

    In a study without a comparison an arm may be a part of the patients, so only a surplus counts there.
    """
    hits = []
    studies = ev.studies
    for column in ("n_randomised", "n_analysed"):
        arms = ev.arms.groupby("study_id")[column].agg(["sum", "count", "size"])
        joined = studies.join(arms, on="study_id", how="inner")
        joined = joined[(joined["count"] == joined["size"]) & joined[column].notna()]
        compared = joined["design"].isin(["rct_parallel", "nonrandomised_controlled"]).to_numpy()
        crossover = (joined["design"] == "rct_crossover").to_numpy()
        surplus = numbers(joined, "sum") - numbers(joined, column)
        joined = joined[~crossover & ((surplus > 0) | (compared & (surplus < 0)))]
        hits.append(
            make_hits(
                joined,
                "studies",
                column,
                "arm_sum_against_study",
                DOUBT,
                [f"{column} {value}" for value in joined[column]],
                [f"the arms sum to {value}" for value in joined["sum"]],
                "arms overlap, an arm is missing, or a number is wrong",
            )
        )
    for table, frame in (("studies", studies), ("arms", ev.arms)):
        more = frame[(frame["n_analysed"] > frame["n_randomised"]).fillna(False).astype(bool)]
        hits.append(
            make_hits(
                more,
                table,
                "n_analysed",
                "arm_sum_against_study",
                ERROR,
                [f"n_analysed {value}" for value in more["n_analysed"]],
                [f"at most the {value} randomised" for value in more["n_randomised"]],
                "more analysed than randomised",
            )
        )
    return pd.concat(hits, ignore_index=True)


def unequal_loss(ev: Evidence) -> pd.DataFrame:
    """Randomised arms that lost so different shares of their patients that chance seldom does it.

    A loss that depends on the treatment makes completers incomparable (RoB 2, domain 3; Sterne et al. 2019, BMJ
    366:l4898). Fisher's exact test of each pair of arms; the hit stands at the arm that lost more.
    """
    trials = ev.studies.loc[ev.studies["design"] == "rct_parallel", "study_id"]
    arms = ev.arms[ev.arms["study_id"].isin(trials)]
    arms = arms[arms["n_analysed"].notna() & (arms["n_analysed"] <= arms["n_randomised"]).fillna(False)]
    arms = arms.assign(
        lost=numbers(arms, "n_randomised") - numbers(arms, "n_analysed"), of=numbers(arms, "n_randomised")
    )
    pairs = arms.merge(arms[["study_id", "arm_id", "lost", "of"]], on="study_id", suffixes=("", "_2"))
    pairs = pairs[pairs["lost"] / pairs["of"] > pairs["lost_2"] / pairs["of_2"]]
    cells = [pairs[name].tolist() for name in ("lost", "of", "lost_2", "of_2")]
    p = np.array([inum.fisher_p(*row) for row in zip(*cells, strict=True)], dtype=float)
    found, p = pairs[p < LOSS_P], p[p < LOSS_P]
    return make_hits(
        found,
        "arms",
        "n_analysed",
        "unequal_loss",
        DOUBT,
        [f"lost {a:g} of {b:g}" for a, b in zip(found["lost"], found["of"], strict=True)],
        [f"about the share of arm {r.arm_id_2}, {r.lost_2:g} of {r.of_2:g}" for r in found.itertuples()],
        [f"the arms lost different shares of their patients (p {show(value, 2)})" for value in p],
    )


def n_above_arm(ev: Evidence) -> pd.DataFrame:
    """An outcome with more patients than its arm has."""
    arms = ev.arms[["study_id", "arm_id", "n_randomised", "n_analysed"]]
    most = arms.assign(most=arms[["n_randomised", "n_analysed"]].astype(float).max(axis=1))
    rows = ev.outcomes.merge(most[["study_id", "arm_id", "most"]], on=["study_id", "arm_id"], how="left")
    size = np.fmax(numbers(rows, "n"), numbers(rows, "total"))
    above = (size > rows["most"].to_numpy()) & (rows["unit_of_analysis"] == "patient").to_numpy()
    rows = rows.assign(patients=size)[above]
    return make_hits(
        rows,
        "outcomes",
        "n",
        "n_above_arm",
        DOUBT,
        [f"{value:g} patients" for value in rows["patients"]],
        [f"at most {value:g} in the arm" for value in rows["most"]],
        "more patients in the outcome than in its arm",
    )


def n_grows(ev: Evidence) -> pd.DataFrame:
    """Patients of an arm that become more over time: losses can only add up."""
    rows = ev.outcomes.assign(
        day=days(ev.outcomes), count=np.fmax(numbers(ev.outcomes, "n"), numbers(ev.outcomes, "total"))
    )
    rows = rows[rows["day"].notna() & rows["count"].notna() & (rows["unit_of_analysis"] == "patient")]
    rows = rows.sort_values([*IN_ARM, "day", "row"])
    least = rows.groupby(IN_ARM, sort=False)["count"].cummin().groupby([rows[key] for key in IN_ARM]).shift()
    grown = (rows["count"] > least).to_numpy()
    found = rows[grown]
    return make_hits(
        found,
        "outcomes",
        "n",
        "n_grows",
        DOUBT,
        [f"n {value:g}" for value in found["count"]],
        [f"at most {value:g}, the n at an earlier time" for value in least[grown]],
        "the number of patients grows over time",
    )


def change_against_difference(ev: Evidence) -> pd.DataFrame:
    """A printed change from baseline that is not follow-up minus baseline (room for the rounding of all three)."""
    rows = ev.outcomes.assign(day=days(ev.outcomes))
    rows = rows[rows["mean"].notna() & rows["day"].notna()]
    end = rows[rows["kind"] == "endpoint"]
    base = end[end["day"] == 0].drop_duplicates(IN_ARM, keep=False)
    change = rows[rows["kind"] == "change_from_baseline"]
    joined = change.merge(end[[*IN_ARM, "day", "mean"]], on=[*IN_ARM, "day"], suffixes=("", "_end"))
    joined = joined.merge(base[[*IN_ARM, "mean"]], on=IN_ARM, suffixes=("", "_base"))
    expected = joined["mean_end"].to_numpy() - joined["mean_base"].to_numpy()
    room = sum(inum.half_unit(numbers(joined, column)) for column in ("mean", "mean_end", "mean_base"))
    wrong = np.abs(joined["mean"].to_numpy() - expected) > room + inum.FLOAT_SLACK
    flipped = np.abs(joined["mean"].to_numpy() + expected) <= room + inum.FLOAT_SLACK
    wrong &= ~(flipped & (joined["sign"] == "reversed").to_numpy())
    found = joined[wrong]
    return make_hits(
        found,
        "outcomes",
        "mean",
        "change_against_difference",
        DOUBT,
        [f"change {value:g}" for value in found["mean"]],
        [f"{a:g} minus {b:g} is {a - b:.3g}" for a, b in zip(found["mean_end"], found["mean_base"], strict=True)],
        np.where(flipped[wrong], "the sign is turned", "the change is not follow-up minus baseline"),
    )


def change_direction(ev: Evidence) -> pd.DataFrame:
    """A mean change that points away from what is good: worse, or a reduction stored without its sign."""
    rows = ev.outcomes
    value = np.where(
        rows["mean"].notna(), numbers(rows, "mean"), np.where(rows["value"].notna(), rows["value"], rows["median"])
    )
    good = np.where(rows["better"] == "lower", -1.0, 1.0)
    away = (
        (value * good < 0) & (rows["kind"] == "change_from_baseline").to_numpy() & (rows["sign"] == "signed").to_numpy()
    )
    found = rows[away]
    return make_hits(
        found,
        "outcomes",
        "mean",
        "change_direction",
        INFORMATION,
        [f"change {number:g}" for number in value[away]],
        [f"{word} is better" for word in found["better"]],
        "the patients got worse, or the sign is missing",
    )


def counts_do_not_add_up(ev: Evidence) -> pd.DataFrame:
    """Two outcomes of which each patient has exactly one, whose counts do not sum to the total."""
    at = ["study_id", "arm_id", "time_value", "time_unit", "time_label", "population_subset", "total"]
    rows = ev.outcomes[ev.outcomes["events"].notna() & ev.outcomes["total"].notna()]
    hits = [make_hits(rows.iloc[:0], "outcomes", "events", "counts_do_not_add_up", DOUBT, [], [], "")]
    for one, other in COMPLEMENTS:
        pairs = rows[rows["outcome"] == one].merge(
            rows.loc[rows["outcome"] == other, [*at, "events"]], on=at, suffixes=("", "_other")
        )
        pairs = pairs[numbers(pairs, "events") + numbers(pairs, "events_other") != numbers(pairs, "total")]
        hits.append(
            make_hits(
                pairs,
                "outcomes",
                "events",
                "counts_do_not_add_up",
                DOUBT,
                [f"{one} {a}, {other} {b}" for a, b in zip(pairs["events"], pairs["events_other"], strict=True)],
                [f"together {value}" for value in pairs["total"]],
                "each patient is one or the other, yet the counts do not sum to the total",
            )
        )
    return pd.concat(hits, ignore_index=True)


def arms_too_alike(ev: Evidence) -> pd.DataFrame:
    """Two arms whose means agree to the last printed digit at every later time, closer than samples usually do.

    After Carlisle 2017, Anaesthesia 72:944-952, who tests the likeness of baseline means. No p value is given here:
    the times are of the same patients, and how strongly they correlate is not known.
    """
    pairs = _arm_pairs(ev, baseline=False)
    mean, mean_2 = numbers(pairs, "mean"), numbers(pairs, "mean_2")
    gap, unit = np.abs(mean - mean_2), 2 * np.fmin(inum.half_unit(mean), inum.half_unit(mean_2))
    fine = np.fmax(inum.decimals(mean), inum.decimals(mean_2)) >= ALIKE_DECIMALS
    alike = fine & (gap <= unit + inum.FLOAT_SLACK)
    groups = pairs.assign(alike=alike, gap=gap).groupby([*SAME_MEASURE, "arm_id", "arm_id_2"], sort=True)
    found = groups.agg(
        times=("alike", "size"), all_alike=("alike", "all"), gap=("gap", "max"), row=("row", "min")
    ).reset_index()
    found = found[found["all_alike"] & (found["times"] >= ALIKE_TIMES)]
    return make_hits(
        found,
        "outcomes",
        "mean",
        "arms_too_alike",
        DOUBT,
        [f"arms {r.arm_id} and {r.arm_id_2} at {r.times} times" for r in found.itertuples()],
        ["differences of the order of their standard errors"] * len(found),
        [f"the means differ by {value:.2g} at most" for value in found["gap"]],
    )


def baseline_imbalance(ev: Evidence) -> pd.DataFrame:
    """A baseline difference between randomised arms that chance seldom makes (Carlisle 2017; information only)."""
    pairs = _arm_pairs(ev, baseline=True)
    design = ev.studies.set_index("study_id")["design"]
    pairs = pairs[pairs["study_id"].map(design).isin(["rct_parallel"])]
    p = inum.welch_p(*(numbers(pairs, name) for name in ("mean", "sd", "size", "mean_2", "sd_2", "size_2")))
    found = pairs.assign(p=p)[p < IMBALANCE_P]
    return make_hits(
        found,
        "outcomes",
        "mean",
        "baseline_imbalance",
        INFORMATION,
        [f"arm {r.arm_id} {r.mean:g}, arm {r.arm_id_2} {r.mean_2:g}" for r in found.itertuples()],
        ["baseline means that differ by chance only"] * len(found),
        [f"Welch p {show(value, 2)} at baseline of a randomised trial" for value in found["p"]],
    )


def _arm_pairs(ev: Evidence, *, baseline: bool) -> pd.DataFrame:
    """Each pair of arms of a study with mean, SD and size of the same measure at the same time."""
    rows = with_arm_sizes(ev.outcomes, ev).assign(day=days(ev.outcomes))
    rows = rows[rows["mean"].notna() & (rows["sd"] > 0) & (rows["size"] > 1) & rows["day"].notna()]
    rows = rows[(rows["kind"] == "endpoint") & ((rows["day"] == 0) == baseline)]
    other = rows[[*AT_TIME, "arm_id", "mean", "sd", "size"]]
    pairs = rows.merge(other, on=AT_TIME, suffixes=("", "_2"))
    return pairs[pairs["arm_id"] < pairs["arm_id_2"]]
