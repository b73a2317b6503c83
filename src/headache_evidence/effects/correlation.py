"""The correlation between baseline and final values: from trials of the headache type, else the protocol's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from headache_evidence.effects.derive_change import correlation_from_sds


@dataclass(frozen=True)
class PrePostCorrelation:
    """The value used, and where it comes from in words."""

    value: float
    words: str


def assumed_correlation(value: float) -> PrePostCorrelation:
    """The protocol's value, for a headache type without an arm that gives its own."""
    return PrePostCorrelation(value, f"correlation {value:g} assumed")


def pre_post_correlations(rows: pd.DataFrame, assumed: float) -> dict[str, PrePostCorrelation]:
    """For each headache type the median over arms with the SD at baseline, at the end and of the change.

    Source: Cochrane Handbook 6.5.2.8.

    Parameters
    ----------
    rows : outcome rows with arm statistics (arm_statistics) and ``headache_type``.
    assumed : the protocol's value, used where no arm reports all three.
    """
    keys = ["headache_type", "study_id", "arm_id", "outcome", "population_subset", "weeks"]
    usable = rows.loc[rows["reason_continuous"] == "", [*keys, "kind", "sd_used", "baseline_sd"]]
    final = usable.loc[usable["kind"] == "endpoint"]
    change = usable.loc[usable["kind"] == "change_from_baseline", [*keys, "sd_used"]]
    arms = final.merge(change, on=keys, suffixes=("", "_change")).dropna(subset=["baseline_sd"])
    found = correlation_from_sds(arms["baseline_sd"], arms["sd_used"], arms["sd_used_change"])
    possible = np.isfinite(found) & (np.abs(found) < 1)
    by_type = pd.Series(found[possible]).groupby(arms["headache_type"].to_numpy()[possible])
    known = {str(name): _median_correlation(values) for name, values in by_type}
    return {name: known.get(name, assumed_correlation(assumed)) for name in rows["headache_type"].unique()}


def pre_post_correlation(rows: pd.DataFrame, assumed: float) -> PrePostCorrelation:
    """The same for rows of one headache type."""
    return next(iter(pre_post_correlations(rows, assumed).values()), assumed_correlation(assumed))


def _median_correlation(values: pd.Series) -> PrePostCorrelation:
    value = float(values.median())
    return PrePostCorrelation(value, f"correlation {value:.2g}, median of {len(values)} arms that report all three SDs")
