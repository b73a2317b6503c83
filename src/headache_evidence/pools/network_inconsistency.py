"""Do the designs of a network agree? Cochran's Q split into heterogeneity within designs and inconsistency between.

A design is the set of treatments that a study compares. Krahn U, Binder H, Koenig J (2013), BMC Medical Research
Methodology 13:35.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from scipy import stats

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.pools.network_contrasts import incidence, network_data, subnetworks
from headache_evidence.pools.network_model import fit_network


class Inconsistency(NamedTuple):
    """Q between designs with its degrees of freedom and chi-square p; df = 0 when no designs close a loop."""

    q: float
    df: int
    p_value: float


def inconsistency(contrasts: pd.DataFrame) -> Inconsistency:
    """Q between designs of a table of contrasts, as `component_network` takes it."""
    usable = usable_effects(contrasts)
    ends = pd.DataFrame({side: usable[side].astype(str) for side in ("study_id", "treat1", "treat2")})
    design = ends.groupby("study_id").apply(_treatments)
    df = sum(_dimensions(ends.loc[ends["study_id"].map(design) == treatments]) for treatments in design.unique())
    df -= _dimensions(ends)
    if df <= 0:
        return Inconsistency(0.0, 0, float("nan"))
    q = _heterogeneity(usable)
    for treatments in design.unique():
        q -= _heterogeneity(usable.loc[(ends["study_id"].map(design) == treatments).to_numpy()])
    q = max(0.0, q)
    return Inconsistency(q, df, float(stats.chi2.sf(q, df)))


def _treatments(rows: pd.DataFrame) -> str:
    return "|".join(sorted({*rows["treat1"], *rows["treat2"]}))


def _dimensions(ends: pd.DataFrame) -> int:
    """Independent differences between treatments that these contrasts determine."""
    names = sorted({*ends["treat1"], *ends["treat2"]})
    matrix = incidence(list(ends["treat1"]), list(ends["treat2"]), names)
    return len(names) - len(subnetworks(matrix, names))


def _heterogeneity(contrasts: pd.DataFrame) -> float:
    data = network_data(contrasts)
    return fit_network(data, data.incidence, random=False).q
