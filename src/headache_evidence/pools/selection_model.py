"""Selection models with a step function: what the mean would be if significant studies were published more readily.

One step at .025 (one-sided) is the three-parameter model (3PSM): mean, heterogeneity, and the relative chance of
publication of a study without a significant result. More steps are the model of Vevea and Hedges; with the weights
fixed beforehand it is the sensitivity analysis of Vevea and Woods (2005), Psychological Methods 10:428-443.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from headache_evidence.effects.effect_table import study_data, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.result import NOT_ESTIMABLE, Interval
from headache_evidence.pools.selection_model_likelihood import (
    DELTA_BOUNDS,
    Alternative,
    StepMaximum,
    maximise,
    step_likelihood,
)
from headache_evidence.pools.small_study import DEFAULT_MIN_K, SmallStudyResult, override_note, refusal

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SelectionModel(SmallStudyResult):
    """A step-function selection model fitted by maximum likelihood, on the analysis scale of the effects."""

    alternative: str  # direction of the p-values: greater, less or two.sided
    steps: tuple[float, ...]  # upper ends of the p-value intervals, the last is 1
    counts: tuple[int, ...]  # studies in each interval
    estimate: float = math.nan  # adjusted mean
    se: float = math.nan
    ci: Interval = NOT_ESTIMABLE
    p_value: float = math.nan
    tau2: float = math.nan
    tau2_se: float = math.nan  # NaN when tau2 is 0, its boundary
    delta: tuple[float, ...] = ()  # relative chance of publication in each interval, the first is 1
    delta_se: tuple[float, ...] = ()
    log_likelihood: float = math.nan
    lrt: float = math.nan  # likelihood-ratio test of selection: all delta = 1
    lrt_df: int = 0
    lrt_p: float = math.nan
    tau2_lrt: float = math.nan  # likelihood-ratio test of tau2 = 0
    tau2_lrt_p: float = math.nan
    unadjusted: float = math.nan  # mean by maximum likelihood without selection
    level: float = 0.95


def selection_model(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    steps: Sequence[float] = (0.025,),
    alternative: Alternative | Literal["auto"] = "auto",
    delta: Sequence[float] | None = None,
    min_k: int = DEFAULT_MIN_K,
    override: bool = False,
    level: float = 0.95,
) -> SelectionModel:
    """Fit a step-function selection model by maximum likelihood.

    Parameters
    ----------
    effects : effects table, or give ``yi`` and ``vi``, shape (k,).
    steps : p-values at which the chance of publication changes; 1 is added when absent.
    alternative : direction that a p-value favours: "greater", "less", or "two.sided". "auto" reads the ``better``
        column of the effects table ("lower" means "less") and is "greater" for plain arrays.
    delta : fixed chances of publication, one for each interval, NaN for those to estimate; the first is 1 when NaN.
    min_k, override : below ``min_k`` effects the result is "not assessable" unless ``override``.

    Returns
    -------
    SelectionModel
        also not assessable when an interval whose weight is to be estimated holds no p-value.

    Notes
    -----
    Agrees with ``metafor::selmodel(type = "stepfun")``. The tests of the variance at zero use chi-square with 1 degree
    of freedom, as metafor does; this is conservative.
    """
    data = study_data(effects, yi=yi, vi=vi)
    ends = _checked_steps(steps)
    weights = _checked_weights(delta, ends.size)
    direction = _direction(effects, alternative)
    likelihood = step_likelihood(data.yi, data.vi, ends, direction)
    counts = np.bincount(likelihood.interval, minlength=ends.size)
    words = refusal(data.k, min_k, override)
    empty = np.flatnonzero((counts == 0) & np.isnan(weights)) if delta is not None else np.flatnonzero(counts == 0)
    if not words and empty.size:
        words = f"not assessable (k = {data.k}): no p-value {_interval_words(ends, int(empty[0]))}"
    if words:
        return SelectionModel(
            k=data.k,
            min_k=min_k,
            assessable=False,
            words=words,
            alternative=direction,
            steps=tuple(map(float, ends)),
            counts=tuple(map(int, counts)),
            level=level,
        )
    fit = maximise(likelihood, weights)
    without = maximise(likelihood, np.ones(ends.size))
    homogeneous = maximise(likelihood, weights, fixed_tau2=0.0)
    lrt_df = int(np.isnan(weights).sum())
    lrt = max(0.0, 2 * (fit.log_likelihood - without.log_likelihood))
    tau2_lrt = max(0.0, 2 * (fit.log_likelihood - homogeneous.log_likelihood))
    errors = np.sqrt(np.diag(fit.covariance))
    se = float(errors[0])
    half = float(stats.norm.isf((1 - level) / 2)) * se
    lrt_p = float(stats.chi2.sf(lrt, lrt_df)) if lrt_df else math.nan
    return SelectionModel(
        k=data.k,
        min_k=min_k,
        assessable=True,
        words=_words(fit, without.mu, lrt_p, np.isnan(weights)) + override_note(data.k, min_k),
        alternative=direction,
        steps=tuple(map(float, ends)),
        counts=tuple(map(int, counts)),
        estimate=fit.mu,
        se=se,
        ci=(fit.mu - half, fit.mu + half),
        p_value=float(2 * stats.norm.sf(abs(fit.mu) / se)),
        tau2=fit.tau2,
        tau2_se=float(errors[1]),
        delta=tuple(map(float, fit.delta)),
        delta_se=tuple(map(float, errors[2:])),
        log_likelihood=fit.log_likelihood,
        lrt=lrt,
        lrt_df=lrt_df,
        lrt_p=lrt_p,
        tau2_lrt=tau2_lrt,
        tau2_lrt_p=float(stats.chi2.sf(tau2_lrt, 1)),
        unadjusted=without.mu,
        level=level,
    )


def _checked_steps(steps: Sequence[float]) -> FloatArray:
    ends = np.unique(np.asarray(steps, dtype=float))
    if ends.size == 0 or not np.all((ends > 0) & (ends <= 1)):
        raise InputError(f"steps must be p-values above 0 and at most 1; got {list(steps)}.")
    ends = ends if ends[-1] == 1 else np.append(ends, 1.0)
    if ends.size < 2:
        raise InputError("steps must hold at least one p-value below 1.")
    return ends


def _checked_weights(delta: Sequence[float] | None, size: int) -> FloatArray:
    weights = np.full(size, np.nan) if delta is None else np.asarray(delta, dtype=float)
    if weights.shape != (size,):
        raise InputError(f"delta needs one value for each of the {size} p-value intervals; got {weights.size}.")
    if np.isnan(weights[0]):
        weights = np.concatenate([[1.0], weights[1:]])
    if np.any(weights <= 0):
        raise InputError("Fixed values of delta must be above 0.")
    return weights


def _direction(effects: pd.DataFrame | None, alternative: Alternative | Literal["auto"]) -> Alternative:
    if alternative not in ("auto", "greater", "less", "two.sided"):
        raise InputError(f'alternative must be "auto", "greater", "less" or "two.sided"; got "{alternative}".')
    if alternative != "auto":
        return alternative
    if effects is None or "better" not in effects.columns:
        return "greater"
    directions = set(usable_effects(effects)["better"])
    if len(directions) > 1:
        raise InputError(f"The effects differ in which direction is better ({sorted(directions)}): give alternative.")
    return "less" if directions == {"lower"} else "greater"


def _interval_words(ends: FloatArray, index: int) -> str:
    return f"above {ends[index - 1]:g} and up to {ends[index]:g}" if index else f"up to {ends[0]:g}"


def _words(fit: StepMaximum, unadjusted: float, lrt_p: float, free: npt.NDArray[np.bool_]) -> str:
    words = f"Adjusted for selection {fit.mu:.3g}, unadjusted {unadjusted:.3g}"
    if not math.isnan(lrt_p):
        words += f"; test of selection p = {lrt_p:.3f}"
    if np.any(fit.delta[free] >= 0.99 * DELTA_BOUNDS[1]) or np.any(fit.delta[free] <= 1e-6):
        words += "; a chance of publication lies at the edge of its range, treat with caution"
    if not fit.converged:
        words += "; the fit did not converge, do not use"
    return words + "."
