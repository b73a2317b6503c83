"""Binomial-normal models: counts are pooled as counts, so that empty cells need no correction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import check_level, critical_value, interval_from_se
from headache_evidence.pools.exact_intervals import clopper_pearson
from headache_evidence.pools.glmm_fit import maximise
from headache_evidence.pools.glmm_models import (
    ODDS_RATIO_MODELS,
    LikelihoodModel,
    odds_ratio_model,
    proportion_model,
)
from headache_evidence.pools.heterogeneity import h2_from_tau2, i2_from_tau2
from headache_evidence.pools.rare_events_corrections import corrected_effects
from headache_evidence.pools.rare_events_tables import check_counts, study_names, two_by_two
from headache_evidence.pools.result import NOT_ESTIMABLE, PooledResult

FloatArray = npt.NDArray[np.float64]


def glmm(
    effects: pd.DataFrame | None = None,
    *,
    xi: npt.ArrayLike | None = None,
    ni: npt.ArrayLike | None = None,
    ai: npt.ArrayLike | None = None,
    n1i: npt.ArrayLike | None = None,
    ci: npt.ArrayLike | None = None,
    n2i: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    measure: str = "PLO",
    model: str = "UM.FS",
    quadrature_points: int = 21,
    level: float = 0.95,
) -> PooledResult:
    """Fit a binomial-normal model by maximum likelihood (metafor's ``rma.glmm``).

    Parameters
    ----------
    effects : effects table with events1 and n1 (PLO), and events2 and n2 (OR), or
    xi, ni : events and patients of single arms, shape (k,), for measure PLO;
    ai, n1i, ci, n2i : events and patients of arm 1 and arm 2, shape (k,), for measure OR.
    measure : PLO (logit of a proportion) or OR (log odds ratio).
    model : for OR; UM.FS, UM.RS, CM.EL or CM.AL (unconditional with fixed or random study effects, conditional with
        the exact or an approximate likelihood).
    quadrature_points : nodes of the adaptive Gauss-Hermite quadrature; with UM.RS nodes in each of two dimensions, of
        which metafor can do 1 (Laplace).

    Returns
    -------
    PooledResult with method "GLMM" or "GLMM <model>". Q is the likelihood-ratio test of homogeneity. The weights are
    those of the inverse-variance method at the model's tau2, for figures only: the model itself has none. When all or
    no patients have the event the result is not estimable and its notes give the exact limit instead.

    Raises
    ------
    InputError
        for counts that are not counts (the message names the study) or an unknown option.

    References
    ----------
    Stijnen, Hamza & Ozdemir 2010, Stat Med 29:3046-3067; Jackson et al. 2018, Stat Med 37:1059-1085 (models 2, 4-7).
    """
    check_level(level)
    if quadrature_points < 1:
        raise InputError(f"quadrature_points must be at least 1; got {quadrature_points}.")
    if measure == "PLO":
        return _proportions(effects, xi, ni, labels, quadrature_points, level)
    if measure == "OR":
        return _odds_ratios(effects, ai, n1i, ci, n2i, labels, model, quadrature_points, level)
    raise InputError(f"measure = {measure!r}; allowed are PLO, OR.")


def _proportions(
    effects: pd.DataFrame | None,
    xi: npt.ArrayLike | None,
    ni: npt.ArrayLike | None,
    labels: npt.ArrayLike | None,
    points: int,
    level: float,
) -> PooledResult:
    if effects is not None:
        rows = usable_effects(effects)
        xi, ni = (rows[column].to_numpy(dtype=float, na_value=np.nan) for column in ("events1", "n1"))
        labels = rows["label"].to_numpy() if "label" in rows.columns else labels
    if xi is None or ni is None:
        raise InputError("Give an effects table, or both xi and ni.")
    x, n = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (xi, ni))
    names = study_names(labels, x.size)
    check_counts(x, n, names, "the arm")
    frame = _Frame("PLO", "GLMM", names, float(n.sum()), level)
    if not 0 < x.sum() < n.sum():
        return _not_estimable(frame, [_exact_limit(float(x.sum()), float(n.sum()), level)])
    add = np.where((x == 0) | (x == n), 0.5, 0.0)
    yi, vi = np.log((x + add) / (n - x + add)), 1 / (x + add) + 1 / (n - x + add)
    return _result(frame, proportion_model(x, n, points), yi, vi, np.ones(x.size, dtype=bool), [])


def _odds_ratios(
    effects: pd.DataFrame | None,
    ai: npt.ArrayLike | None,
    n1i: npt.ArrayLike | None,
    ci: npt.ArrayLike | None,
    n2i: npt.ArrayLike | None,
    labels: npt.ArrayLike | None,
    model: str,
    points: int,
    level: float,
) -> PooledResult:
    if model not in ODDS_RATIO_MODELS:
        allowed = ", ".join(f"{name} ({words})" for name, words in ODDS_RATIO_MODELS.items())
        raise InputError(f"model = {model!r}; allowed are {allowed}.")
    table = two_by_two(effects, ai=ai, n1i=n1i, ci=ci, n2i=n2i, labels=labels)
    used = ~table.says_nothing_of_ratios
    frame = _Frame("OR", f"GLMM {model}", table.labels, float(table.total.sum()), level)
    silent = [label for label, yes in zip(table.labels, used.tolist(), strict=True) if not yes]
    notes = [f"no events, or nothing but events, in both arms, hence left out: {', '.join(silent)}"] if silent else []
    cells = [float(cell[used].sum()) for cell in (table.ai, table.bi, table.ci, table.di)]
    if min(cells, default=0.0) == 0:
        return _not_estimable(
            frame, [*notes, "not estimable: an arm has no events in any study, or nothing but events"]
        )
    own = corrected_effects(table, "OR")
    likelihood = odds_ratio_model(table.rows(used), model, points)
    return _result(frame, likelihood, own["yi"].to_numpy()[used], own["vi"].to_numpy()[used], used, notes)


@dataclass(frozen=True)
class _Frame:
    measure: str
    method: str
    labels: tuple[str, ...]
    n: float
    level: float


def _result(
    frame: _Frame, model: LikelihoodModel, yi: FloatArray, vi: FloatArray, used: npt.NDArray[np.bool_], notes: list[str]
) -> PooledResult:
    k = yi.size
    fit = maximise(model, fixed_tau=0.0 if k == 1 else None)
    estimate, tau2 = float(fit.at[0]), float(fit.at[1]) ** 2 if k > 1 else math.nan
    own = interval_from_se(np.array([estimate]), np.array([fit.se]), math.nan, frame.level)
    q = max(2 * (model.saturated - fit.homogeneous), 0.0) if k > 1 else math.nan
    half = critical_value(frame.level, math.nan) * math.sqrt(fit.se**2 + tau2)
    weights = np.zeros(used.size)
    weights[used] = 1 / (vi + (tau2 if k > 1 else 0.0))
    words = ["weights are those of the inverse-variance method at this tau2; the model itself has none"]
    words += ["single study: heterogeneity cannot be estimated"] if k == 1 else ["Q is the likelihood-ratio test"]
    return PooledResult(
        k=used.size,
        n=frame.n,
        measure=frame.measure,
        method=frame.method,
        ci_method="wald",
        level=frame.level,
        estimate=estimate,
        se=fit.se,
        ci=(float(own.lower[0]), float(own.upper[0])),
        statistic=float(own.statistic[0]),
        statistic_name="z",
        df=math.nan,
        p_value=float(own.p_value[0]),
        tau2=tau2,
        tau2_se=math.nan,
        tau2_ci=NOT_ESTIMABLE,
        i2=i2_from_tau2(tau2, vi) if k > 1 else math.nan,
        i2_ci=NOT_ESTIMABLE,
        i2_q=math.nan,
        h2=h2_from_tau2(tau2, vi) if k > 1 else math.nan,
        q=q,
        q_df=k - 1,
        q_p=float(special.chdtrc(k - 1, q)) if k > 1 else math.nan,
        prediction_interval=(estimate - half, estimate + half) if k > 1 else NOT_ESTIMABLE,
        prediction_df=math.nan,
        prediction_rule="metafor",
        weights=tuple((100 * weights / weights.sum()).tolist()),
        labels=frame.labels,
        notes=(*notes, *words),
    )


def _not_estimable(frame: _Frame, notes: list[str]) -> PooledResult:
    nan = math.nan
    return PooledResult(
        k=len(frame.labels),
        n=frame.n,
        measure=frame.measure,
        method=frame.method,
        ci_method="wald",
        level=frame.level,
        estimate=nan,
        se=nan,
        ci=NOT_ESTIMABLE,
        statistic=nan,
        statistic_name="z",
        df=nan,
        p_value=nan,
        tau2=nan,
        tau2_se=nan,
        tau2_ci=NOT_ESTIMABLE,
        i2=nan,
        i2_ci=NOT_ESTIMABLE,
        i2_q=nan,
        h2=nan,
        q=nan,
        q_df=0,
        q_p=nan,
        prediction_interval=NOT_ESTIMABLE,
        prediction_df=nan,
        prediction_rule="metafor",
        weights=(0.0,) * len(frame.labels),
        labels=frame.labels,
        notes=tuple(notes),
    )


def _exact_limit(events: float, patients: float, level: float) -> str:
    if patients == 0:
        return "no usable evidence"
    lower, upper = (float(limit) for limit in clopper_pearson(events, patients, level))
    seen = "no events" if events == 0 else "nothing but events"
    limit = f"at most {upper:.1%}" if events == 0 else f"at least {lower:.1%}"
    return (
        f"not estimable on the logit scale: {seen} among {patients:g} patients; "
        f"exact {level:.0%} interval of the crude proportion: {limit}"
    )
