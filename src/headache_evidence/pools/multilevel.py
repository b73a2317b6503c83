"""Several effects from one study: the three-level model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from headache_evidence.effects.effect_table import FloatArray, StudyData, study_data, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import check_level, interval_from_se
from headache_evidence.pools.heterogeneity import i2_from_q
from headache_evidence.pools.multilevel_model import (
    ThreeLevelModel,
    generalised_least_squares,
    maximise,
    profile_interval,
)
from headache_evidence.pools.result import NOT_ESTIMABLE, Interval, PooledResult, json_ready

CI_METHODS = ("wald", "t-contain", "t-residual")


@dataclass(frozen=True)
class ThreeLevelResult:
    """A pooled mean with heterogeneity split into between and within clusters."""

    pooled: PooledResult  # tau2 is the sum of both variances
    clusters: int
    sigma2_between: float
    sigma2_within: float
    between_ci: Interval  # profile likelihood, NaN when not asked for
    within_ci: Interval
    i2_between: float  # percent of the total variance
    i2_within: float
    log_likelihood: float

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON-ready values."""
        values = {name: json_ready(value) for name, value in vars(self).items() if name != "pooled"}
        return values | {"pooled": self.pooled.to_dict()}


def three_level(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | str = "study_id",
    V: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    method: str = "REML",
    ci: str = "t-contain",
    level: float = 0.95,
    profile: bool = False,
) -> ThreeLevelResult:
    """Pool effects nested in clusters (metafor's ``rma.mv(random = ~ 1 | cluster/effect)``).

    Parameters
    ----------
    effects : effects table (usable rows), or ``yi`` and ``vi`` (k,).
    cluster : column of the effects table, or k labels: effects of one cluster are dependent.
    V : covariance matrix of the sampling errors (k, k) of the usable effects, for shared controls or several outcomes
        (``effects.dependence.covariance_matrix``); independent errors ``vi`` otherwise.
    method : REML or ML.
    ci : wald (normal), t-contain (t with clusters - 1 degrees of freedom) or t-residual (k - 1).
    profile : True adds profile-likelihood intervals of both variances (slower).

    Raises
    ------
    InputError
        for unusable effects, labels that do not fit, a V that is no covariance matrix, or an unknown option.

    References
    ----------
    Konstantopoulos 2011, Res Synth Methods 2:61-76; Cheung 2014, Psychol Methods 19:211-229.
    """
    if method not in ("REML", "ML"):
        raise InputError(f"method = {method!r}; allowed are REML, ML.")
    if ci not in CI_METHODS:
        raise InputError(f"ci = {ci!r}; allowed are {', '.join(CI_METHODS)}.")
    check_level(level)
    data = study_data(effects, yi=yi, vi=vi, labels=labels)
    if data.k < 2:
        raise InputError(f"A three-level model needs at least two effects; there are {data.k}.")
    codes = cluster_codes(effects, cluster, data.k)
    sampling = sampling_covariance(data, V)
    same = (codes[:, None] == codes[None, :]).astype(float)
    model = ThreeLevelModel(data.yi, sampling, same, np.ones((data.k, 1)), restricted=method == "REML")
    clusters = int(codes.max()) + 1
    separable = 1 < clusters < data.k
    variances = maximise(model, free=(clusters > 1, clusters < data.k or clusters == 1))
    intervals = [NOT_ESTIMABLE, NOT_ESTIMABLE]
    if profile and separable:
        intervals = [profile_interval(model, variances, which, level) for which in (0, 1)]
    notes = [] if separable else [_not_separable(clusters)]
    pooled = _pooled(effects, data, model, variances, clusters, f"{method} three-level", ci, level, notes)
    between, within = (float(value) for value in variances)
    total = between + within
    share = pooled.i2 / total if total > 0 else 0.0
    return ThreeLevelResult(
        pooled=pooled,
        clusters=clusters,
        sigma2_between=between if clusters > 1 else math.nan,
        sigma2_within=within,
        between_ci=intervals[0],
        within_ci=intervals[1],
        i2_between=share * between,
        i2_within=share * within,
        log_likelihood=model.log_likelihood(variances),
    )


def _not_separable(clusters: int) -> str:
    if clusters == 1:
        return "all effects are of one cluster: heterogeneity between clusters cannot be estimated"
    return "one effect per cluster: heterogeneity within clusters cannot be told apart, all of it stands as between"


def cluster_codes(effects: pd.DataFrame | None, cluster: npt.ArrayLike | str, k: int) -> npt.NDArray[np.intp]:
    """Number of each effect's cluster, in order of appearance."""
    if isinstance(cluster, str):
        if effects is None:
            raise InputError("With yi and vi, give cluster as k labels.")
        rows = usable_effects(effects)
        if cluster not in rows.columns:
            raise InputError(f"The effects table lacks the cluster column {cluster!r}.")
        cluster = rows[cluster].to_numpy()
    names = np.atleast_1d(np.asarray(cluster, dtype=object))
    if names.shape != (k,):
        raise InputError(f"{names.size} cluster labels for {k} effects.")
    if pd.isna(names).any():
        raise InputError("Every effect needs a cluster label; some are missing.")
    return np.asarray(pd.factorize(names)[0])


def sampling_covariance(data: StudyData, V: npt.ArrayLike | None) -> FloatArray:
    """The covariance matrix given, checked, or a diagonal one of the sampling variances."""
    if V is None:
        return np.diag(data.vi)
    matrix = np.asarray(V, dtype=float)
    if matrix.shape != (data.k, data.k):
        raise InputError(f"V has shape {matrix.shape}; {data.k} effects need ({data.k}, {data.k}).")
    if not np.allclose(matrix, matrix.T, rtol=1e-8, atol=0) or np.linalg.eigvalsh(matrix).min() <= 0:
        raise InputError("V must be a covariance matrix: symmetric, all eigenvalues above 0.")
    return matrix


def _pooled(
    effects: pd.DataFrame | None,
    data: StudyData,
    model: ThreeLevelModel,
    variances: FloatArray,
    clusters: int,
    method: str,
    ci: str,
    level: float,
    notes: list[str],
) -> PooledResult:
    covariance = model.covariance(variances)
    coefficients, spread = generalised_least_squares(data.yi, model.X, covariance)
    df = {"wald": math.nan, "t-contain": float(clusters - 1), "t-residual": float(data.k - 1)}[ci]
    estimate, se = float(coefficients[0]), math.sqrt(float(spread[0, 0]))
    if df == 0:
        df = math.nan
        notes = [*notes, "one cluster: its interval is a Wald interval"]
    own = interval_from_se(np.array([estimate]), np.array([se]), df, level)
    total = float(variances.sum())
    wide = interval_from_se(np.array([estimate]), np.array([math.sqrt(se**2 + total)]), df, level)
    weight = np.linalg.inv(model.V)
    middle = weight @ model.X
    projection = weight - middle @ np.linalg.solve(model.X.T @ middle, middle.T)
    q, q_df = float(data.yi @ projection @ data.yi), data.k - 1
    typical = q_df / float(np.trace(projection))
    rows = np.linalg.inv(covariance).sum(axis=1)
    return PooledResult(
        k=data.k,
        n=math.nan,
        measure=_measure(effects),
        method=method,
        ci_method=ci,
        level=level,
        estimate=estimate,
        se=se,
        ci=(float(own.lower[0]), float(own.upper[0])),
        statistic=float(own.statistic[0]),
        statistic_name="z" if math.isnan(df) else "t",
        df=df,
        p_value=float(own.p_value[0]),
        tau2=total,
        tau2_se=math.nan,
        tau2_ci=NOT_ESTIMABLE,
        i2=100 * total / (total + typical),
        i2_ci=NOT_ESTIMABLE,
        i2_q=i2_from_q(q, q_df),
        h2=1 + total / typical,
        q=q,
        q_df=q_df,
        q_p=float(special.chdtrc(q_df, q)),
        prediction_interval=(float(wide.lower[0]), float(wide.upper[0])),
        prediction_df=df,
        prediction_rule="metafor",
        weights=tuple((100 * rows / rows.sum()).tolist()),
        labels=data.labels,
        notes=(
            *notes,
            f"{data.k} effects of {clusters} clusters; patients are not counted, since effects share them",
            "weights are the row sums of the inverse covariance matrix",
        ),
    )


def _measure(effects: pd.DataFrame | None) -> str:
    if effects is None or "measure" not in effects.columns:
        return ""
    return ", ".join(sorted(usable_effects(effects)["measure"].dropna().astype(str).unique()))
