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


def pre_post_correlation(rows: pd.DataFrame, assumed: float) -> PrePostCorrelation:
    """Median over arms that report the SD at baseline, at the end and of the change (Cochrane Handbook 6.5.2.8).

    Parameters
    ----------
    rows : outcome rows with arm statistics (arm_statistics).
    assumed : the protocol's value, used when no arm reports all three.
    """
    keys = ["study_id", "arm_id", "outcome", "population_subset", "weeks"]
    usable = rows.loc[rows["reason_continuous"] == "", [*keys, "kind", "sd_used", "baseline_sd"]]
    final = usable.loc[usable["kind"] == "endpoint"]
    change = usable.loc[usable["kind"] == "change_from_baseline", [*keys, "sd_used"]]
    arms = final.merge(change, on=keys, suffixes=("", "_change")).dropna(subset=["baseline_sd"])
    if arms.empty:
        return PrePostCorrelation(assumed, f"correlation {assumed:g} assumed")
    found = correlation_from_sds(arms["baseline_sd"], arms["sd_used"], arms["sd_used_change"])
    found = found[np.isfinite(found) & (np.abs(found) < 1)]
    if not found.size:
        return PrePostCorrelation(assumed, f"correlation {assumed:g} assumed")
    value = float(np.median(found))
    return PrePostCorrelation(value, f"correlation {value:.2g}, median of {found.size} arms that report all three SDs")
