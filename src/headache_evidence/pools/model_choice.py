"""Which model pools which effects: the protocol's rule, applied to one table, with the reason in the notes."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from scipy.stats import t as student_t

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.pools.cluster_robust import cluster_robust
from headache_evidence.pools.confidence import critical_value
from headache_evidence.pools.exact_intervals import clopper_pearson
from headache_evidence.pools.glmm import glmm
from headache_evidence.pools.mantel_haenszel import mantel_haenszel
from headache_evidence.pools.peto import peto
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.prediction import prediction_interval
from headache_evidence.pools.rare_events_choice import choose_rare_event_method
from headache_evidence.pools.rare_events_tables import two_by_two
from headache_evidence.pools.result import PooledResult
from headache_evidence.tables.protocol import Model

COUNTS = ["events1", "n1", "events2", "n2"]


def pool_by_protocol(effects: pd.DataFrame, measure: str, model: Model) -> PooledResult:
    """Pool one effects table by the protocol's model.

    Shares of patients (PLO) by the binomial-normal model from two studies on, odds ratios by the method that the
    counts allow, everything else by inverse variance. Notes say which and why. Where a study gives several effects
    (the protocol's ``several_times: all``) they are dependent: cluster-robust standard errors over studies.
    """
    usable = usable_effects(effects)
    if "study_id" in usable.columns and usable["study_id"].duplicated().any():
        return _dependent(usable, measure, model)
    if measure == "PLO":
        return _share(usable, model)
    if measure == "OR" and len(usable) >= 2 and usable[COUNTS].notna().all(axis=None):
        return _odds_ratio(usable, model)
    return _inverse_variance(usable, measure, model)


def _inverse_variance(effects: pd.DataFrame, measure: str, model: Model) -> PooledResult:
    return pool(
        effects, method=model.method, ci=model.ci, level=model.level, prediction=model.prediction, measure=measure
    )


def _dependent(effects: pd.DataFrame, measure: str, model: Model) -> PooledResult:
    """Several effects of one study: three-level model, CR2 over studies; a study's patients count once."""
    method = model.method if model.method in ("REML", "ML") else "REML"
    result = cluster_robust(effects, cluster="study_id", method=method, level=model.level)
    patients = effects["n1"].astype(float) + effects["n2"].astype(float).fillna(0.0)
    n = float(patients.groupby(effects["study_id"].to_numpy()).max().sum(skipna=False))
    return replace(result, n=n, measure=measure)


def _share(effects: pd.DataFrame, model: Model) -> PooledResult:
    if len(effects) >= 2:
        return _with_t(glmm(effects, measure="PLO", level=model.level))
    result = _inverse_variance(effects, "PLO", model)
    if effects.empty:
        return result
    events, total = float(effects["events1"].iloc[0]), float(effects["n1"].iloc[0])
    low, high = clopper_pearson([events], [total], level=model.level)
    words = f"{events:.0f} of {total:.0f} patients; exact {100 * model.level:g}% interval"
    exact = f"{words} {100 * float(low[0]):.1f}% to {100 * float(high[0]):.1f}%"
    return replace(result, notes=(*result.notes, exact))


def _with_t(result: PooledResult) -> PooledResult:
    """The model's intervals with t and k - 1 degrees of freedom instead of the normal, for few studies."""
    if not result.estimable:
        return result
    df, estimate, se = float(result.k - 1), result.estimate, result.se
    half = critical_value(result.level, df) * se
    predicted, predicted_df = prediction_interval(estimate, se, result.tau2, result.k, df, "metafor", result.level)
    return replace(
        result,
        ci=(estimate - half, estimate + half),
        ci_method="t, k - 1",
        statistic_name="t",
        df=df,
        p_value=2 * float(student_t.sf(abs(result.statistic), df)),
        prediction_interval=predicted,
        prediction_df=predicted_df,
    )


def _odds_ratio(effects: pd.DataFrame, model: Model) -> PooledResult:
    choice = choose_rare_event_method(two_by_two(effects))
    if choice.method == "mantel-haenszel":
        result = mantel_haenszel(effects, measure="OR", level=model.level)
    elif choice.method == "peto":
        result = peto(effects, level=model.level)
    elif choice.method == "glmm":
        result = _with_t(glmm(effects, measure="OR", level=model.level))
    else:
        result = _inverse_variance(effects, "OR", model)
    return replace(result, notes=(*result.notes, f"{choice.method}: {choice.reason}"))
