"""Pool effects into one estimate: the front door of the synthesis."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import FloatArray, StudyData, patients_behind, study_data, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools import heterogeneity, pymare_adapter
from headache_evidence.pools.confidence import check_ci_method, check_level, interval_from_se
from headache_evidence.pools.prediction import check_prediction_rule, prediction_interval
from headache_evidence.pools.result import NOT_ESTIMABLE, PooledResult
from headache_evidence.pools.tau2_estimators import check_method, estimate_tau2, tau2_standard_error

PYMARE_FITS_TAU2 = ("FE", "DL", "HE")
NAN = math.nan


def pool(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    n: npt.ArrayLike | None = None,
    method: str = "REML",
    ci: str = "knapp-hartung-conservative",
    level: float = 0.95,
    prediction: str = "metafor",
    measure: str | None = None,
) -> PooledResult:
    """Pool effects by the inverse-variance method.

    Parameters
    ----------
    effects : effects table (its usable rows are pooled), or
    yi, vi : effect sizes and sampling variances, shape (k,), on the analysis scale (log for ratios).
    labels : names of the k studies.
    n : patients per study, shape (k,), or their total; read from ``n1`` and ``n2`` of an effects table.
    method : FE (also EE), DL, HE, ML, REML, PM, SJ or EB.
    ci : wald (normal), knapp-hartung (t with k - 1 degrees of freedom), or knapp-hartung-conservative (the same,
        with its factor never below 1, so that it cannot narrow the interval).
    level : confidence level of every interval.
    prediction : "metafor" (the reference distribution of ``ci``) or "k-2" (t with k - 2 degrees of freedom).
    measure : metafor's code of the effect size, carried to the result; read from an effects table.

    Returns
    -------
    PooledResult
        ``estimable`` is False for k = 0; a single study keeps its own Wald interval; ``notes`` tell what a reader
        must know.

    Raises
    ------
    InputError
        for a missing or infinite number, a variance not above zero (the message names the study), or an unknown option.

    Notes
    -----
    PyMARE fits the model: its DerSimonian-Laird, Hedges and fixed-effect estimators, and its weighted least squares
    at the tau2 of the other methods. PyMARE's search for the ML and REML tau2 agrees with ours to about 1e-6 (a test
    says so) but takes several times as long, and ``pool_columns`` uses the same solver as ``pool``.

    References
    ----------
    Viechtbauer (2005) J Educ Behav Stat 30:261 (tau2); Hartung & Knapp (2001) Stat Med 20:3875; Röver, Knapp & Friede
    (2015) BMC Med Res Methodol 15:99 (floor); Viechtbauer (2007) Stat Med 26:37 (Q-profile).
    """
    method = check_method(method)
    check_ci_method(ci)
    check_level(level)
    check_prediction_rule(prediction)
    data = study_data(effects, yi=yi, vi=vi, labels=labels)
    patients = _patients(effects, n, data.k)
    name, notes = _measure(effects, measure)
    frame = {"n": patients, "measure": name, "method": method, "level": level, "labels": data.labels}
    if data.k == 0:
        return _nothing(frame, ci, prediction, notes)
    if data.k == 1:
        return _single_study(data, frame, prediction, notes)
    return _several(data, frame, method, ci, level, prediction, notes)


def _several(
    data: StudyData, frame: dict[str, object], method: str, ci: str, level: float, rule: str, notes: list[str]
) -> PooledResult:
    yi, vi, k = data.yi, data.vi, data.k
    given = None if method in PYMARE_FITS_TAU2 else float(estimate_tau2(yi[:, None], vi[:, None], method)[0])
    fit = pymare_adapter.fit(data, method, ci, tau2=given)
    tau2 = fit.tau2 if given is None else given
    mean = interval_from_se(np.array([fit.estimate]), np.array([fit.se]), fit.df, level)
    cochran = heterogeneity.cochran_q(yi, vi)
    i2_q = heterogeneity.i2_from_q(cochran.q, cochran.df)
    common = method == "FE"
    tau2_ci = NOT_ESTIMABLE if common else heterogeneity.q_profile(yi, vi, level)
    interval, interval_df = (
        (NOT_ESTIMABLE, NAN) if common else prediction_interval(fit.estimate, fit.se, tau2, k, fit.df, rule, level)
    )
    weights = 1.0 / (vi + tau2)
    return PooledResult(
        k=k,
        ci_method=ci,
        estimate=fit.estimate,
        se=fit.se,
        ci=(float(mean.lower[0]), float(mean.upper[0])),
        statistic=float(mean.statistic[0]),
        statistic_name="z" if math.isnan(fit.df) else "t",
        df=fit.df,
        p_value=float(mean.p_value[0]),
        tau2=tau2,
        tau2_se=tau2_standard_error(yi, vi, tau2, method),
        tau2_ci=tau2_ci,
        i2=i2_q if common else heterogeneity.i2_from_tau2(tau2, vi),
        i2_ci=(heterogeneity.i2_from_tau2(tau2_ci[0], vi), heterogeneity.i2_from_tau2(tau2_ci[1], vi)),
        i2_q=i2_q,
        h2=cochran.q / cochran.df if common else heterogeneity.h2_from_tau2(tau2, vi),
        q=cochran.q,
        q_df=cochran.df,
        q_p=cochran.p_value,
        prediction_interval=interval,
        prediction_df=interval_df,
        prediction_rule=rule,
        weights=tuple((100.0 * weights / weights.sum()).tolist()),
        notes=(*notes, *_notes(k, ci, common, fit.se, tau2_ci)),
        **frame,  # type: ignore[arg-type]
    )


def _notes(k: int, ci: str, common: bool, se: float, tau2_ci: tuple[float, float]) -> list[str]:
    notes = []
    if k == 2:
        notes.append("two studies: heterogeneity can hardly be estimated, no prediction interval")
        if ci != "wald":
            notes.append("two studies: the Knapp-Hartung interval has 1 degree of freedom and is very wide or erratic")
    if common:
        notes.append("common-effect model: tau2 is 0 by assumption; I2 and H2 are from Q")
    elif tau2_ci == (0.0, 0.0):
        notes.append("effects vary less than chance allows: the Q-profile interval of tau2 is empty, given as 0 to 0")
    if se == 0:
        notes.append("identical effects: the Knapp-Hartung standard error is 0 and gives no test")
    return notes


def _single_study(data: StudyData, frame: dict[str, object], rule: str, notes: list[str]) -> PooledResult:
    estimate, se = data.yi, np.sqrt(data.vi)
    own = interval_from_se(estimate, se, NAN, float(frame["level"]))  # type: ignore[arg-type]
    return _unpooled(
        frame,
        k=1,
        ci_method="wald",
        estimate=float(estimate[0]),
        se=float(se[0]),
        ci=(float(own.lower[0]), float(own.upper[0])),
        statistic=float(own.statistic[0]),
        p_value=float(own.p_value[0]),
        rule=rule,
        weights=(100.0,),
        notes=(*notes, "single study: its own Wald interval, nothing is pooled and heterogeneity cannot be estimated"),
    )


def _nothing(frame: dict[str, object], ci: str, rule: str, notes: list[str]) -> PooledResult:
    return _unpooled(
        frame,
        k=0,
        ci_method=ci,
        estimate=NAN,
        se=NAN,
        ci=NOT_ESTIMABLE,
        statistic=NAN,
        p_value=NAN,
        rule=rule,
        weights=(),
        notes=(*notes, "no usable evidence"),
    )


def _unpooled(
    frame: dict[str, object],
    *,
    k: int,
    ci_method: str,
    estimate: float,
    se: float,
    ci: tuple[float, float],
    statistic: float,
    p_value: float,
    rule: str,
    weights: tuple[float, ...],
    notes: tuple[str, ...],
) -> PooledResult:
    return PooledResult(
        k=k,
        ci_method=ci_method,
        estimate=estimate,
        se=se,
        ci=ci,
        statistic=statistic,
        statistic_name="z",
        df=NAN,
        p_value=p_value,
        tau2=NAN,
        tau2_se=NAN,
        tau2_ci=NOT_ESTIMABLE,
        i2=NAN,
        i2_ci=NOT_ESTIMABLE,
        i2_q=NAN,
        h2=NAN,
        q=NAN,
        q_df=0,
        q_p=NAN,
        prediction_interval=NOT_ESTIMABLE,
        prediction_df=NAN,
        prediction_rule=rule,
        weights=weights,
        notes=notes,
        **frame,  # type: ignore[arg-type]
    )


def _patients(effects: pd.DataFrame | None, n: npt.ArrayLike | None, k: int) -> float:
    """Patients behind the effects; NaN when any study's number is unknown."""
    if n is not None:
        numbers: FloatArray = np.atleast_1d(np.asarray(n, dtype=float))
        if numbers.ndim != 1 or numbers.size not in (1, k):
            raise InputError(f"n has {numbers.size} values for {k} studies.")
        return float(numbers.sum())
    known = effects is not None and "n1" in effects.columns
    return patients_behind(effects) if known or k else 0.0


def _measure(effects: pd.DataFrame | None, measure: str | None) -> tuple[str, list[str]]:
    if measure is not None:
        return measure, []
    if effects is None or "measure" not in effects.columns:
        return "", []
    found = sorted(usable_effects(effects)["measure"].dropna().astype(str).unique())
    return ", ".join(found), [f"different measures in one pool: {', '.join(found)}"] if len(found) > 1 else []
