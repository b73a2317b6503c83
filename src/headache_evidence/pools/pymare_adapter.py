"""The one place that talks to PyMARE: checked arrays in, plain floats out.

PyMARE is imported on the first fit, because its import alone takes more than a second.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any, NamedTuple

import numpy as np

from headache_evidence.effects.effect_table import FloatArray, StudyData


class PymareFit(NamedTuple):
    """What PyMARE found for an intercept-only model."""

    tau2: float
    estimate: float
    se: float
    df: float  # of t; NaN when the reference is the normal distribution


def fit(data: StudyData, method: str, ci: str, tau2: float | None = None) -> PymareFit:
    """Fit an intercept-only model with a PyMARE estimator.

    Parameters
    ----------
    data : checked effects, k >= 1 (finite, variances above zero: PyMARE itself accepts others without complaint).
    method : FE, DL, HE, ML or REML; with ``tau2`` given, any method: weighted least squares at that tau2.
    ci : small-sample correction: wald, knapp-hartung or knapp-hartung-conservative; always passed on explicitly,
        because PyMARE's own default changed between releases.
    tau2 : between-study variance found elsewhere.
    """
    estimator = _estimator(_pymare().estimators, method, ci, tau2)
    estimator.fit(y=data.yi[:, None], v=data.vi[:, None], X=np.ones((data.k, 1)))
    found = estimator.params_
    return PymareFit(
        tau2=_only(found["tau2"]),
        estimate=_only(found["fe_params"]),
        se=float(np.sqrt(_only(found["inv_cov"]))),
        df=float("nan") if ci == "wald" or data.k == 1 else float(data.k - 1),
    )


@functools.cache
def _pymare() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # PyMARE leaves a file open while it is imported
        import pymare
    return pymare


def _estimator(estimators: Any, method: str, ci: str, tau2: float | None) -> Any:
    if tau2 is not None or method == "FE":
        return estimators.WeightedLeastSquares(tau2=tau2 or 0.0, small_sample_correction=ci)
    if method == "DL":
        return estimators.DerSimonianLaird(small_sample_correction=ci)
    if method == "HE":
        return estimators.Hedges(small_sample_correction=ci)
    return estimators.VarianceBasedLikelihoodEstimator(method=method, small_sample_correction=ci)


def _only(value: Any) -> float:
    array: FloatArray = np.asarray(value, dtype=float)
    return float(array.reshape(-1)[0])
