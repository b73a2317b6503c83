"""Do the designs of a network agree? Cochran's Q split into heterogeneity within designs and inconsistency between.

A design is the set of treatments that a study compares. Krahn U, Binder H, Koenig J (2013), BMC Medical Research
Methodology 13:35.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from scipy import stats

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.pools.network_contrasts import network_data
from headache_evidence.pools.network_model import fit_network


class Inconsistency(NamedTuple):
    """Q between designs with its degrees of freedom and chi-square p; df = 0 when no designs close a loop."""

    q: float
    df: int
    p_value: float


def inconsistency(contrasts: pd.DataFrame) -> Inconsistency:
    """Q between designs of a table of contrasts, as `component_network` takes it."""
    usable = usable_effects(contrasts)
    whole = network_data(usable)
    full = fit_network(whole, whole.incidence, random=False)
    ends = usable.assign(_study=usable["study_id"].astype(str))
    treatments = {
        study: "|".join(sorted({*rows["treat1"].astype(str), *rows["treat2"].astype(str)}))
        for study, rows in ends.groupby("_study")
    }
    q, df = full.q, -full.rank
    for _, rows in ends.groupby(ends["_study"].map(treatments)):
        data = network_data(rows)
        own = fit_network(data, data.incidence, random=False)
        q, df = q - own.q, df + own.rank
    q = max(0.0, q) if df > 0 else 0.0
    return Inconsistency(q, df, float(stats.chi2.sf(q, df)) if df > 0 else float("nan"))
