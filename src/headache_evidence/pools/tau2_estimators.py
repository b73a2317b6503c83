"""The estimators of the between-study variance by their metafor names, and the standard errors that go with them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.errors import InputError
from headache_evidence.pools import tau2_moments
from headache_evidence.pools.tau2_likelihood import likelihood_tau2

METHODS = ("FE", "DL", "HE", "ML", "REML", "PM", "SJ", "EB")

_ESTIMATORS: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "FE": lambda yi, vi: np.zeros(yi.shape[1]),
    "DL": tau2_moments.dersimonian_laird,
    "HE": tau2_moments.hedges,
    "ML": lambda yi, vi: likelihood_tau2(yi, vi, restricted=False),
    "REML": lambda yi, vi: likelihood_tau2(yi, vi, restricted=True),
    "PM": tau2_moments.paule_mandel,
    "SJ": tau2_moments.sidik_jonkman,
    "EB": tau2_moments.paule_mandel,
}


def check_method(method: str) -> str:
    """Return the method's name (EE and CE are names of FE) or say what is allowed."""
    name = {"EE": "FE", "CE": "FE"}.get(method.upper(), method.upper())
    if name not in METHODS:
        raise InputError(f"method = {method!r}; allowed are {', '.join(METHODS)} (EE is a name of FE).")
    return name


def estimate_tau2(yi: FloatArray, vi: FloatArray, method: str) -> FloatArray:
    """tau2 of each column of (k, D) arrays, shape (D,); 0 for single studies, where it cannot be estimated."""
    if len(yi) < 2:
        return np.zeros(yi.shape[1])
    return _ESTIMATORS[method](yi, vi)


def tau2_standard_error(yi: FloatArray, vi: FloatArray, tau2: float, method: str) -> float:
    """Standard error of tau2 for one meta-analysis, k >= 2; ``yi``, ``vi`` of shape (k,).

    Inverse Fisher information for ML and REML; exact variance of the quadratic form for DL, HE and SJ; Paule-Mandel
    and empirical Bayes from the expected slope of generalised Q (Viechtbauer 2005; Jackson et al. 2014). NaN for FE.
    """
    k = len(vi)
    weights = 1.0 / (vi + tau2)
    if method == "ML":
        return math.sqrt(2.0 / np.square(weights).sum())
    if method == "REML":
        return math.sqrt(2.0 / _trace_of_square(weights, np.ones(k)))
    if method in ("PM", "EB"):
        return math.sqrt(2.0 * k**2 / (k - 1)) / float(weights.sum())
    if method == "DL":
        form = 1.0 / vi
        scale = float(form.sum() - np.square(form).sum() / form.sum())
    elif method == "HE":
        form = np.ones(k)
        scale = k - 1.0
    elif method == "SJ":
        start = float(yi.var())
        if start == 0:
            return 0.0
        form = 1.0 / (vi + start)
        scale = (k - 1.0) / start
    else:
        return math.nan
    return math.sqrt(2.0 * _trace_of_square(form, vi + tau2)) / scale


def _trace_of_square(weights: FloatArray, variance: FloatArray) -> float:
    """Trace of (P V)^2 without forming the (k, k) matrices.

    P = diag(w) - w w' / sum(w) makes y'Py the weighted sum of squared residuals around the weighted mean; V is the
    diagonal matrix of ``variance``, shape (k,).
    """
    total = weights.sum()
    own = np.square(weights * variance).sum() - 2.0 * (weights**3 * variance**2).sum() / total
    return float(own + np.square((weights**2 * variance).sum() / total))
