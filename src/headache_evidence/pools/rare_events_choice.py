"""Which method for events that are few: a rule that looks at the counts and says why."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from headache_evidence.pools.rare_events_tables import TwoByTwo


@dataclass(frozen=True)
class RareEventChoice:
    """The method chosen and the reason, in words for the report."""

    method: str  # inverse-variance, mantel-haenszel, peto, glmm, or none
    reason: str


def choose_rare_event_method(
    table: TwoByTwo,
    *,
    rare_below: float = 0.01,
    balanced_up_to: float = 1.5,
    peto_odds_ratio_up_to: float = 2.0,
    min_k_glmm: int = 5,
    min_events_per_arm: float = 5,
) -> RareEventChoice:
    """Pick the pooling method for two-by-two tables from their counts alone.

    Parameters
    ----------
    rare_below : median risk in the comparator arms below which events count as rare.
    balanced_up_to : largest ratio of arm sizes that Peto's method tolerates.
    peto_odds_ratio_up_to : largest crude odds ratio (or its reciprocal) that Peto's method tolerates.
    min_k_glmm : smallest number of informative studies for a binomial-normal model.
    min_events_per_arm : mean number of events per arm above which the inverse-variance method may be used.

    Notes
    -----
    The order follows Bradburn et al. 2007 (Stat Med 26:53-77) and Sweeting et al. 2004 (Stat Med 23:1351-1375): no
    inverse variance with corrections when cells are empty, Peto only where it is not biased, Mantel-Haenszel otherwise.
    """
    informative = table.rows(~table.says_nothing_of_ratios)
    if informative.k == 0:
        return RareEventChoice("none", "no study has both events and patients without one: a ratio is not estimable")
    zero = int(informative.has_zero_cell.sum())
    events = float((informative.ai + informative.ci).sum())
    per_arm = events / (2 * informative.k)
    if zero == 0 and per_arm >= min_events_per_arm:
        return RareEventChoice(
            "inverse-variance",
            f"no empty cell in {informative.k} studies and {per_arm:.1f} events per arm on average",
        )
    risk = float(np.median(informative.ci / informative.n2i))
    imbalance = float(np.max(np.maximum(informative.n1i / informative.n2i, informative.n2i / informative.n1i)))
    crude = _crude_odds_ratio(informative)
    why = f"{zero} of {informative.k} studies have an empty cell, {events:g} events in all"
    if risk < rare_below and imbalance <= balanced_up_to and crude <= peto_odds_ratio_up_to:
        return RareEventChoice(
            "peto",
            f"{why}; events are rare (median comparator risk {risk:.2%}), arms are balanced "
            f"(largest ratio {imbalance:.2f}) and the effect is not large",
        )
    if informative.k >= min_k_glmm:
        return RareEventChoice("glmm", f"{why}; {informative.k} studies allow a binomial-normal model of the counts")
    return RareEventChoice(
        "mantel-haenszel", f"{why}; fewer than {min_k_glmm} studies, so no random effects and nothing added to cells"
    )


def _crude_odds_ratio(table: TwoByTwo) -> float:
    """Odds ratio of the summed cells, turned above 1; infinite when a sum is empty."""
    a, b, c, d = (float(cell.sum()) for cell in (table.ai, table.bi, table.ci, table.di))
    if min(a, b, c, d) == 0:
        return math.inf
    ratio = a * d / (b * c)
    return max(ratio, 1 / ratio)
