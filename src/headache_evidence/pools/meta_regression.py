"""Meta-regression: does the effect change with volume, follow-up, guidance, steroid, year or risk of bias?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from headache_evidence.effects.effect_table import FloatArray, StudyData, study_data, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import check_ci_method, check_level, critical_value, two_sided_p
from headache_evidence.pools.heterogeneity import i2_from_q
from headache_evidence.pools.meta_regression_design import (
    Design,
    constant_moderators,
    dependent_columns,
    design_matrix,
)
from headache_evidence.pools.meta_regression_model import Sums, estimate_tau2, solve_q, sums
from headache_evidence.pools.meta_regression_permutation import (
    PermutationP,
    permutation_p,
    standard_error_factor,
    statistics,
)
from headache_evidence.pools.result import NOT_ESTIMABLE, Interval, json_ready
from headache_evidence.pools.tau2_estimators import check_method

COLUMNS = ("name", "estimate", "se", "statistic", "df", "p_value", "ci_low", "ci_high", "p_permutation")


@dataclass(frozen=True, eq=False)
class MetaRegressionResult:
    """A mixed-effects meta-regression; its numbers are NaN and its table is empty when ``assessable`` is False."""

    k: int
    assessable: bool
    words: str  # what the test says, or why there is none
    method: str
    ci_method: str
    level: float
    coefficients: pd.DataFrame  # one row per coefficient, columns as in COLUMNS
    covariance: FloatArray  # (p, p) of the coefficients
    tau2: float  # residual
    tau2_ci: Interval  # Q-profile
    tau2_without: float  # of the model without moderators, same studies
    r2: float  # percent of tau2_without that the moderators account for; NaN when there is nothing to explain
    i2: float  # percent, residual, from tau2 (from Q for FE)
    h2: float
    q: float  # residual heterogeneity
    q_df: int
    q_p: float
    qm: float  # test of all moderators together
    qm_name: str  # "F" or "chi-square"
    qm_df: tuple[float, float]  # second one NaN for chi-square
    qm_p: float
    qm_p_permutation: float
    permutations: int
    exact: bool
    labels: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The numbers as JSON-ready values; the coefficients as a list of rows."""
        left_out = {"coefficients", "covariance"}
        values = {name: json_ready(value) for name, value in vars(self).items() if name not in left_out}
        rows = [
            {name: json_ready(value) for name, value in row.items()} for row in self.coefficients.to_dict("records")
        ]
        return values | {"coefficients": rows}


def meta_regression(
    effects: pd.DataFrame | None = None,
    *,
    moderators: Sequence[str] | None = None,
    X: pd.DataFrame | None = None,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    reference: Mapping[str, str] | None = None,
    method: str = "REML",
    ci: str = "knapp-hartung-conservative",
    level: float = 0.95,
    min_k_per_covariate: int = 10,
    allow_small_k: bool = False,
    permutations: int = 0,
    max_exact: int = 5000,
    seed: int = 1,
) -> MetaRegressionResult:
    """Regress effects on moderators, with the residual heterogeneity as a random effect.

    Parameters
    ----------
    effects : effects table (usable rows), with ``moderators`` naming columns of it; or
    yi, vi : effect sizes and sampling variances (k,), with ``X`` holding one row per effect, all columns moderators
        unless ``moderators`` picks some. Text columns become dummies; ``reference`` sets the level left out.
    method, ci : as in ``pool``; Knapp-Hartung gives t and F tests with k - p degrees of freedom.
    min_k_per_covariate : studies needed per coefficient besides the intercept (Cochrane Handbook 10.11.5.1: ten);
        with fewer the result is "not assessable", unless ``allow_small_k`` is True.
    permutations : 0 for none, else the number of random arrangements; all are taken when there are at most
        ``max_exact``. ``seed`` is that of the random ones.

    Notes
    -----
    Rows with an unknown moderator are left out and named in the notes. A moderator with one value only is "not
    estimable": it stays out of the model and the notes say so; ``words`` do when no other is left.

    Raises
    ------
    InputError
        for unusable effects, unknown columns or options, or moderators that depend on each other.
    """
    method = check_method(method)
    check_ci_method(ci)
    check_level(level)
    data = study_data(effects, yi=yi, vi=vi, labels=labels)
    table = _moderator_table(effects, X, data.k)
    asked = list(table.columns) if moderators is None else list(moderators)
    fixed = constant_moderators(table, asked)
    varying = [name for name in asked if name not in fixed]
    frame: dict[str, Any] = {"method": method, "ci_method": ci, "level": level}
    if fixed and not varying:
        return _not_assessable(frame | {"labels": data.labels}, data.k, "; ".join(fixed.values()), [])
    design = design_matrix(table, varying, reference)
    kept, notes = _complete_rows(data, design)
    notes = [*fixed.values(), *notes]
    covariates = design.X.shape[1] - 1
    needed = min_k_per_covariate * covariates
    frame["labels"] = kept.labels
    if kept.k < needed and not allow_small_k:
        words = f"not assessable (k = {kept.k}): {covariates} coefficient(s) need at least {needed} studies"
        return _not_assessable(frame, kept.k, words, notes)
    if kept.k <= covariates + 1:
        words = f"not assessable (k = {kept.k}): more coefficients than studies allow"
        return _not_assessable(frame, kept.k, words, notes)
    if dependent := dependent_columns(design.X, design.names):
        raise InputError(f"Moderators depend on each other or do not vary: {', '.join(dependent)}. Leave them out.")
    if kept.k < needed:
        notes.append(f"k = {kept.k} is below the {needed} studies that {covariates} coefficient(s) need: unreliable")
    shuffled = None
    if permutations:
        shuffled = permutation_p(
            kept.yi, kept.vi, design.X, method, ci, max_exact=max_exact, n_random=permutations, seed=seed
        )
    return _fit(kept, design, frame, notes, shuffled)


def _moderator_table(effects: pd.DataFrame | None, X: pd.DataFrame | None, k: int) -> pd.DataFrame:
    if X is None:
        if effects is None:
            raise InputError("Give X, a DataFrame with one row per effect and the moderators as columns.")
        return usable_effects(effects)
    if len(X) != k:
        raise InputError(f"X has {len(X)} rows for {k} effects.")
    return X


def _complete_rows(data: StudyData, design: Design) -> tuple[StudyData, list[str]]:
    known = design.complete
    labels = np.array(data.labels, dtype=object)
    notes = [f"left out, a moderator is unknown: {', '.join(labels[~known].tolist())}"] if not known.all() else []
    return StudyData(data.yi[known], data.vi[known], tuple(labels[known].tolist())), notes


def _fit(
    data: StudyData, design: Design, frame: dict[str, Any], notes: list[str], shuffled: PermutationP | None
) -> MetaRegressionResult:
    method, ci, level = frame["method"], frame["ci_method"], frame["level"]
    y, v, X = data.yi[:, None], data.vi[:, None], design.X
    k, p = X.shape
    df = k - p
    tau2 = estimate_tau2(y, v, X, method)
    without = float(estimate_tau2(y, v, np.ones((k, 1)), method)[0])
    fit, homogeneous = sums(y, v, X, tau2), sums(y, v, X, np.zeros(1))
    covariance = fit.covariance[0] * standard_error_factor(fit.q, df, ci)[0]
    each, together = statistics(fit, df, ci)
    normal = ci == "wald"
    qm = float(together[0])
    qm_p = float(special.chdtrc(p - 1, qm) if normal else special.fdtrc(p - 1, df, qm))
    typical = df / float(homogeneous.trace[0])
    q = float(homogeneous.q[0])
    coefficients = _table(design, fit, covariance, each[:, 0], math.nan if normal else float(df), level, shuffled)
    return MetaRegressionResult(
        k=k,
        assessable=True,
        words=f"moderators together: {'chi-square' if normal else 'F'} = {qm:.2f}, p = {qm_p:.3f} (k = {k})",
        coefficients=coefficients,
        covariance=covariance,
        tau2=float(tau2[0]),
        tau2_ci=NOT_ESTIMABLE if method == "FE" else _q_profile(y, v, X, level),
        tau2_without=without,
        r2=max(0.0, 100 * (without - float(tau2[0])) / without) if without > 0 else math.nan,
        i2=i2_from_q(q, df) if method == "FE" else 100 * float(tau2[0]) / (float(tau2[0]) + typical),
        h2=q / df if method == "FE" else 1 + float(tau2[0]) / typical,
        q=q,
        q_df=df,
        q_p=float(special.chdtrc(df, q)),
        qm=qm,
        qm_name="chi-square" if normal else "F",
        qm_df=(float(p - 1), math.nan if normal else float(df)),
        qm_p=qm_p,
        qm_p_permutation=math.nan if shuffled is None else shuffled.moderators,
        permutations=0 if shuffled is None else shuffled.n,
        exact=shuffled is not None and shuffled.exact,
        notes=tuple(notes),
        **frame,
    )


def _table(
    design: Design,
    fit: Sums,
    covariance: FloatArray,
    statistic: FloatArray,
    df: float,
    level: float,
    shuffled: PermutationP | None,
) -> pd.DataFrame:
    estimate, se = fit.coefficients[:, 0], np.sqrt(np.diagonal(covariance))
    half = critical_value(level, df) * se
    return pd.DataFrame(
        {
            "name": design.names,
            "estimate": estimate,
            "se": se,
            "statistic": statistic,
            "df": df,
            "p_value": two_sided_p(statistic, df),
            "ci_low": estimate - half,
            "ci_high": estimate + half,
            "p_permutation": math.nan if shuffled is None else shuffled.coefficients,
        }
    )


def _q_profile(y: FloatArray, v: FloatArray, X: FloatArray, level: float) -> Interval:
    """Q-profile interval of the residual tau2 (Viechtbauer 2007)."""
    df, tail = X.shape[0] - X.shape[1], (1 - level) / 2
    targets = np.array([special.chdtri(df, tail), special.chdtri(df, 1 - tail)])
    lower, upper = solve_q(np.repeat(y, 2, axis=1), np.repeat(v, 2, axis=1), X, targets)
    return float(lower), float(upper)


def _not_assessable(frame: dict[str, Any], k: int, words: str, notes: list[str]) -> MetaRegressionResult:
    nan = math.nan
    return MetaRegressionResult(
        k=k,
        assessable=False,
        words=words,
        coefficients=pd.DataFrame(columns=list(COLUMNS)),
        covariance=np.empty((0, 0)),
        tau2=nan,
        tau2_ci=NOT_ESTIMABLE,
        tau2_without=nan,
        r2=nan,
        i2=nan,
        h2=nan,
        q=nan,
        q_df=0,
        q_p=nan,
        qm=nan,
        qm_name="",
        qm_df=(nan, nan),
        qm_p=nan,
        qm_p_permutation=nan,
        permutations=0,
        exact=False,
        notes=tuple(notes),
        **frame,
    )
