"""Many meta-analyses of equal size at once: each column of a (k, D) array is one.

All subsets of one size, all leave-one-out sets, all sign flips and all simulated data sets are columns. The numbers
are those of ``pool``; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import check_ci_method, check_level, mean_interval
from headache_evidence.pools.tau2_estimators import check_method, estimate_tau2
from headache_evidence.pools.weighted_sums import typical_variance, weighted_sums

CHUNK_ELEMENTS = 2**15  # numbers per array and step: fits the processor's cache


@dataclass(frozen=True)
class PooledColumns:
    """Pooled results of D meta-analyses of k studies each; arrays of shape (D,), NaN where not estimable."""

    estimate: FloatArray
    se: FloatArray
    ci_lower: FloatArray
    ci_upper: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    df: FloatArray
    tau2: FloatArray
    i2: FloatArray  # percent, from tau2 (from Q for FE)
    h2: FloatArray
    q: FloatArray


def pool_columns(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    method: str = "REML",
    ci: str = "knapp-hartung-conservative",
    level: float = 0.95,
) -> PooledColumns:
    """Pool every column.

    Parameters
    ----------
    yi, vi : effect sizes and sampling variances, shape (k, D); a (k, 1) array serves all columns.
    method, ci, level : as in ``pool``; single studies (k = 1) keep their Wald interval.

    Raises
    ------
    InputError
        if an array is not two-dimensional, is empty, or holds a value that cannot be pooled.
    """
    method = check_method(method)
    check_ci_method(ci)
    check_level(level)
    y, v = _checked(yi, vi)
    k, columns = y.shape
    width = max(1, CHUNK_ELEMENTS // k)
    parts = [
        _pool_chunk(y[:, start : start + width], v[:, start : start + width], method, ci, level)
        for start in range(0, columns, width)
    ]
    if len(parts) == 1:
        return parts[0]
    return PooledColumns(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(PooledColumns)}
    )


def _checked(yi: npt.ArrayLike, vi: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    y, v = np.asarray(yi, dtype=float), np.asarray(vi, dtype=float)
    if y.ndim != 2 or v.ndim != 2 or y.shape[0] != v.shape[0] or 0 in y.shape or 0 in v.shape:
        raise InputError(f"yi and vi must have shape (k, D) with k and D above 0; got {y.shape} and {v.shape}.")
    for name, bad in (("yi", ~np.isfinite(y)), ("vi", ~(np.isfinite(v) & (v > 0)))):
        if bad.any():
            row, column = np.argwhere(bad)[0]
            allowed = "a finite number" if name == "yi" else "a finite number above 0"
            raise InputError(f"{name} must be {allowed}. Not so in study {row + 1} of column {column + 1}.")
    y, v = np.broadcast_arrays(y, v)
    return y, v


def _pool_chunk(yi: FloatArray, vi: FloatArray, method: str, ci: str, level: float) -> PooledColumns:
    k = len(yi)
    single = k == 1
    tau2 = estimate_tau2(yi, vi, method)
    sums = weighted_sums(yi, vi, tau2)
    mean = mean_interval(sums.estimate, sums.total, sums.q, k, ci, level)
    q = sums.q if method == "FE" else weighted_sums(yi, vi, 0.0).q
    unknown = np.full_like(tau2, np.nan)
    if single:
        i2 = h2 = q = tau2 = unknown
    elif method == "FE":
        h2 = q / (k - 1)
        i2 = 100.0 * np.maximum(0.0, 1.0 - 1.0 / np.maximum(h2, 1.0))
    else:
        typical = typical_variance(vi)
        i2, h2 = 100.0 * tau2 / (tau2 + typical), 1.0 + tau2 / typical
    return PooledColumns(
        estimate=sums.estimate,
        se=mean.se,
        ci_lower=mean.lower,
        ci_upper=mean.upper,
        statistic=mean.statistic,
        p_value=mean.p_value,
        df=np.full_like(sums.estimate, mean.df),
        tau2=tau2,
        i2=i2,
        h2=h2,
        q=q,
    )
