"""Generalised least squares for networks: effects, Q, tau2 by moments, and what the design cannot tell apart.

Jackson D et al. (2012), Statistics in Medicine 31:3805-3820 (moment estimator for correlated effects);
Ruecker G, Petropoulou M, Schwarzer G (2020), Biometrical Journal 62:808-821 (additive component model).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, stats

from headache_evidence.pools.network_contrasts import NetworkData

FloatArray = npt.NDArray[np.float64]
ZERO = 1e-9  # entries of a null space below this are rounding


@dataclass(frozen=True)
class NetworkFit:
    """Coefficients of a linear network model with P columns, some of them possibly aliased.

    beta : (P,), the minimum-norm solution. covariance : (P, P). null_space : (P, D), directions the design is blind to.
    """

    beta: FloatArray
    covariance: FloatArray
    null_space: FloatArray
    q: float
    q_df: int
    q_p: float
    tau2: float
    i2: float  # percent, from Q

    @property
    def rank(self) -> int:
        """Number of estimable dimensions."""
        return int(self.beta.size - self.null_space.shape[1])

    def estimable(self, combinations: FloatArray) -> npt.NDArray[np.bool_]:
        """Which linear combinations, rows of shape (r, P), the data determine."""
        if self.null_space.shape[1] == 0:
            return np.ones(combinations.shape[0], dtype=bool)
        return np.asarray(np.abs(combinations @ self.null_space).max(axis=1) < ZERO)

    def estimates(self, combinations: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Value and standard error of linear combinations, rows of shape (r, P); NaN where not estimable."""
        known = self.estimable(combinations)
        variance = np.einsum("rp,pq,rq->r", combinations, self.covariance, combinations)
        value = np.where(known, combinations @ self.beta, np.nan)
        return value, np.where(known, np.sqrt(np.maximum(variance, 0.0)), np.nan)


def fit_network(data: NetworkData, design: FloatArray, random: bool = True, tau2: float | None = None) -> NetworkFit:
    """Fit y = design @ beta + error by generalised least squares.

    Parameters
    ----------
    data : m contrasts with their covariance.
    design : shape (m, P); need not have full rank.
    random : add tau2 to the covariance, estimated by the method of moments from Q of this design unless ``tau2`` is
        given. With no degrees of freedom left tau2 is 0 in the fit and NaN in the result.
    """
    null_space = linalg.null_space(design, rcond=ZERO)
    weight: FloatArray = np.asarray(np.linalg.inv(data.covariance), dtype=np.float64)
    _, residual_weight = _solve(design, weight)
    q = float(data.yi @ residual_weight @ data.yi)
    q_df = design.shape[0] - (design.shape[1] - null_space.shape[1])
    estimated = math.nan
    if q_df > 0:
        estimated = max(0.0, (q - q_df) / float(np.sum(residual_weight * data.heterogeneity)))
    used = (estimated if tau2 is None else tau2) if random else 0.0
    if used > 0:
        weight = np.asarray(np.linalg.inv(data.covariance + used * data.heterogeneity), dtype=np.float64)
    covariance, _ = _solve(design, weight)
    return NetworkFit(
        beta=covariance @ design.T @ weight @ data.yi,
        covariance=covariance,
        null_space=null_space,
        q=q,
        q_df=q_df,
        q_p=float(stats.chi2.sf(q, q_df)) if q_df > 0 else math.nan,
        tau2=used,
        i2=max(0.0, 100 * (q - q_df) / q) if q_df > 0 and q > 0 else math.nan,
    )


def _solve(design: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Covariance of the coefficients (pseudo-inverse) and the weight matrix of the residuals."""
    covariance = np.asarray(np.linalg.pinv(design.T @ weight @ design, rcond=1e-12, hermitian=True), dtype=np.float64)
    weighted = weight @ design
    return covariance, weight - weighted @ covariance @ weighted.T


def aliased_with(fit: NetworkFit) -> list[tuple[int, ...]]:
    """For each coefficient, the others it cannot be told from; empty when it is estimable.

    A coefficient that no contrast informs is aliased with nothing but absent: its tuple holds itself.
    """
    projection = fit.null_space @ fit.null_space.T
    linked = np.abs(projection) > ZERO
    groups: list[tuple[int, ...]] = []
    for j in range(linked.shape[0]):
        others = tuple(int(i) for i in np.flatnonzero(linked[j]) if i != j)
        groups.append(() if not linked[j, j] else others or (j,))
    return groups
