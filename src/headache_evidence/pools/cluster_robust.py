"""Cluster-robust standard errors for dependent effects: CR2 with Satterthwaite degrees of freedom."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import FloatArray, study_data
from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import interval_from_se
from headache_evidence.pools.multilevel import cluster_codes, sampling_covariance, three_level
from headache_evidence.pools.multilevel_model import generalised_least_squares
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.result import NOT_ESTIMABLE, PooledResult

WORKING_MODELS = ("three-level", "random-effects")
FEW_DF = 4.0  # below it the t approximation no longer keeps its level (Tipton 2015)


@dataclass(frozen=True, eq=False)
class RobustCoefficients:
    """Coefficients (p,), their CR2 covariance (p, p) and Satterthwaite degrees of freedom (p,)."""

    estimate: FloatArray
    covariance: FloatArray
    df: FloatArray


def robust_coefficients(
    yi: FloatArray, X: FloatArray, working: FloatArray, codes: npt.NDArray[np.intp]
) -> RobustCoefficients:
    """Generalised least squares under a working covariance, with CR2 standard errors.

    Parameters
    ----------
    yi, X : effects (k,) and design matrix (k, p).
    working : working covariance of the effects (k, k), zero between clusters; its inverse gives the weights.
    codes : cluster number of each effect, 0 to m - 1.

    References
    ----------
    Bell & McCaffrey 2002, Surv Methodol 28:169-181; Tipton & Pustejovsky 2015, J Educ Behav Stat 40:604-634; the same
    figures as R's clubSandwich.
    """
    k, p = X.shape
    clusters = int(codes.max()) + 1
    estimate, bread = generalised_least_squares(yi, X, working)
    weighted = np.linalg.solve(working, X)
    residuals = yi - X @ estimate
    scores = np.empty((clusters, p))
    moved = np.zeros((clusters, p, k))  # row j, s: how the score of cluster j on coefficient s depends on y
    for j in range(clusters):
        rows = np.flatnonzero(codes == j)
        block = working[np.ix_(rows, rows)]
        root = np.linalg.cholesky(block).T
        shrunk = root @ (block - X[rows] @ bread @ X[rows].T) @ root.T
        adjusted = root.T @ _inverse_root(shrunk) @ root
        arm = bread @ weighted[rows].T @ adjusted
        scores[j] = arm @ residuals[rows]
        moved[j][:, rows] = arm
    moved -= (moved @ X) @ (bread @ weighted.T)
    covariance = scores.T @ scores
    spread = np.einsum("isk,kl,jsl->sij", moved, working, moved)
    trace = np.trace(spread, axis1=1, axis2=2)
    return RobustCoefficients(estimate, covariance, trace**2 / np.sum(spread**2, axis=(1, 2)))


def _inverse_root(matrix: FloatArray) -> FloatArray:
    """Symmetric inverse square root; directions that the fit explains fully (eigenvalue 0) stay 0."""
    values, vectors = np.linalg.eigh(matrix)
    keep = values > 1e-12 * max(float(values.max()), 1e-300)
    scaled = np.where(keep, 1 / np.sqrt(np.where(keep, values, 1.0)), 0.0)
    return np.asarray((vectors * scaled) @ vectors.T)


def cluster_robust(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | str = "study_id",
    V: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    working: str = "three-level",
    method: str = "REML",
    level: float = 0.95,
) -> PooledResult:
    """Pool dependent effects with standard errors that hold whatever the dependence within clusters.

    Parameters
    ----------
    effects : effects table (usable rows), or ``yi`` and ``vi`` (k,).
    cluster : column of the effects table, or k labels.
    V : covariance matrix of the sampling errors, three-level only; see ``three_level``.
    working : "three-level", or "random-effects", which ignores the dependence for the weights.
    method : estimator of the heterogeneity; REML or ML for three-level, any of ``pool`` for random-effects.

    Returns
    -------
    PooledResult with ci_method "cluster-robust CR2": t with Satterthwaite degrees of freedom. With fewer than two
    clusters it has an estimate but no interval; below four degrees of freedom its notes warn.

    Raises
    ------
    InputError
        for unusable effects, cluster labels that do not fit, or an unknown option.
    """
    if working not in WORKING_MODELS:
        raise InputError(f"working = {working!r}; allowed are {', '.join(WORKING_MODELS)}.")
    data = study_data(effects, yi=yi, vi=vi, labels=labels)
    codes = cluster_codes(effects, cluster, data.k)
    if working == "three-level":
        fitted = three_level(
            effects, yi=yi, vi=vi, cluster=cluster, V=V, labels=labels, method=method, ci="wald", level=level
        )
        model = fitted.pooled
        between = 0.0 if math.isnan(fitted.sigma2_between) else fitted.sigma2_between
        same = codes[:, None] == codes[None, :]
        covariance = sampling_covariance(data, V) + between * same + fitted.sigma2_within * np.eye(data.k)
    else:
        if V is not None:
            raise InputError("V needs working = 'three-level'.")
        model = pool(effects, yi=yi, vi=vi, labels=labels, method=method, ci="wald", level=level)
        covariance = np.diag(data.vi + (0.0 if math.isnan(model.tau2) else model.tau2))
    clusters = int(codes.max()) + 1 if data.k else 0
    if clusters < 2:
        note = f"not assessable: cluster-robust standard errors need at least 2 clusters, there are {clusters}"
        return _without_interval(model, note)
    robust = robust_coefficients(data.yi, np.ones((data.k, 1)), covariance, codes)
    return _robust_result(model, robust, clusters, level)


def _robust_result(model: PooledResult, robust: RobustCoefficients, clusters: int, level: float) -> PooledResult:
    estimate, se, df = float(robust.estimate[0]), math.sqrt(float(robust.covariance[0, 0])), float(robust.df[0])
    own = interval_from_se(np.array([estimate]), np.array([se]), df, level)
    wide = interval_from_se(np.array([estimate]), np.array([math.sqrt(se**2 + model.tau2)]), df, level)
    notes = [*model.notes, f"CR2 standard error over {clusters} clusters, Satterthwaite df = {df:.1f}"]
    if df < FEW_DF:
        notes.append("fewer than 4 degrees of freedom: the interval and p-value cannot be relied on")
    return replace(
        model,
        ci_method="cluster-robust CR2",
        estimate=estimate,
        se=se,
        ci=(float(own.lower[0]), float(own.upper[0])),
        statistic=float(own.statistic[0]),
        statistic_name="t",
        df=df,
        p_value=float(own.p_value[0]),
        prediction_interval=(float(wide.lower[0]), float(wide.upper[0])),
        prediction_df=df,
        notes=tuple(notes),
    )


def _without_interval(model: PooledResult, note: str) -> PooledResult:
    nan = math.nan
    return replace(
        model,
        ci_method="cluster-robust CR2",
        se=nan,
        ci=NOT_ESTIMABLE,
        statistic=nan,
        statistic_name="t",
        df=nan,
        p_value=nan,
        prediction_interval=NOT_ESTIMABLE,
        prediction_df=nan,
        notes=(*model.notes, note),
    )
