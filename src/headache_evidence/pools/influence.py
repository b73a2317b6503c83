"""Which studies drive the pooled result: deletion diagnostics in metafor's terms, and the Baujat plot's coordinates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from headache_evidence.effects.effect_table import FloatArray, StudyData, study_data
from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import check_ci_method, knapp_hartung_factor
from headache_evidence.pools.leave_one_out import others
from headache_evidence.pools.pool_columns import PooledColumns, pool_columns
from headache_evidence.pools.tau2_estimators import check_method, estimate_tau2
from headache_evidence.pools.weighted_sums import WeightedSums, weighted_sums


class _Fits(NamedTuple):
    """The fit to all studies and the k fits that leave one out."""

    data: StudyData
    tau2: float
    full: WeightedSums
    full_factor: float  # Knapp-Hartung factor of the full fit
    deleted: PooledColumns
    deleted_factor: FloatArray


def influence(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    method: str = "REML",
    ci: str = "wald",
) -> pd.DataFrame:
    """Leave-one-out influence diagnostics (Viechtbauer & Cheung 2010), named as in metafor's ``influence``.

    Parameters
    ----------
    effects, yi, vi, labels, method : as in ``pool``; at least two studies.
    ci : how standard errors are computed; wald is metafor's default.

    Returns
    -------
    DataFrame
        One row per study: ``label``, ``rstudent`` (externally standardised residual), ``dffits``, ``cook_d``,
        ``cov_r``, ``tau2_del``, ``QE_del``, ``hat``, ``weight`` (percent), ``dfbs``, and ``flag``: True where
        abs(dffits) > 3 sqrt(1 / (k - 1)), or the chi-square(1) distribution below ``cook_d`` exceeds one half, or
        hat > 3 / k, or abs(dfbs) > 1.

    Raises
    ------
    InputError
        for fewer than two studies.
    """
    fits = _fit_all(effects, yi, vi, labels, method, ci)
    data, full, deleted = fits.data, fits.full, fits.deleted
    k = data.k
    mean = float(full.estimate[0])
    shift = mean - deleted.estimate
    hat = full.weights[:, 0] / full.total[0]
    variance = fits.full_factor / float(full.total[0])
    total_at_deleted_tau2 = (1.0 / (data.vi[:, None] + deleted.tau2)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        table = pd.DataFrame(
            {
                "label": list(data.labels),
                "rstudent": (data.yi - deleted.estimate)
                / np.sqrt(fits.deleted_factor * (data.vi + deleted.tau2) + deleted.se**2),
                "dffits": shift / np.sqrt(fits.deleted_factor * hat * (deleted.tau2 + data.vi)),
                "cook_d": shift**2 / variance,
                "cov_r": deleted.se**2 / variance,
                "tau2_del": deleted.tau2,
                "QE_del": deleted.q,
                "hat": hat,
                "weight": 100.0 * hat,
                "dfbs": shift / np.sqrt(fits.deleted_factor / total_at_deleted_tau2),
            }
        )
    table["flag"] = (
        (table["dffits"].abs() > 3 * np.sqrt(1 / (k - 1)))
        | (special.chdtr(1, table["cook_d"].to_numpy()) > 0.5)
        | (table["hat"] > 3 / k)
        | (table["dfbs"].abs() > 1)
    )
    return table


def baujat(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    method: str = "REML",
) -> pd.DataFrame:
    """Coordinates of the plot of Baujat et al. (2002), one row per study.

    ``x`` is the study's contribution to heterogeneity (its squared Pearson residual; with method FE, its share of Q),
    ``y`` its influence on the pooled estimate (squared change when it is left out, over the variance then).

    Raises
    ------
    InputError
        for fewer than two studies.
    """
    fits = _fit_all(effects, yi, vi, labels, method, "wald")
    contribution = fits.full.weights[:, 0] * np.square(fits.full.residuals[:, 0])
    change = np.square(fits.full.estimate[0] - fits.deleted.estimate) / np.square(fits.deleted.se)
    return pd.DataFrame({"label": list(fits.data.labels), "x": contribution, "y": change})


def _fit_all(
    effects: pd.DataFrame | None,
    yi: npt.ArrayLike | None,
    vi: npt.ArrayLike | None,
    labels: npt.ArrayLike | None,
    method: str,
    ci: str,
) -> _Fits:
    data = study_data(effects, yi=yi, vi=vi, labels=labels)
    if data.k < 2:
        raise InputError(f"Influence of a study needs others to compare with: {data.k} usable effect(s), at least 2.")
    method = check_method(method)
    check_ci_method(ci)
    y, v = data.yi[:, None], data.vi[:, None]
    tau2 = estimate_tau2(y, v, method)
    full = weighted_sums(y, v, tau2)
    remaining = others(data.k)
    y_rest, v_rest = data.yi[remaining], data.vi[remaining]
    deleted = pool_columns(y_rest, v_rest, method, ci)
    if data.k == 2:
        deleted = PooledColumns(**{**vars(deleted), "tau2": np.zeros(2), "q": np.zeros(2)})
    deleted_q = weighted_sums(y_rest, v_rest, deleted.tau2).q
    return _Fits(
        data,
        float(tau2[0]),
        full,
        float(knapp_hartung_factor(full.q, data.k, ci)[0]),
        deleted,
        knapp_hartung_factor(deleted_q, data.k - 1, ci),
    )
