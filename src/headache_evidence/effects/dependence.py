"""Several effects of one study: how they go together. Which time is chosen is decided in effect_request."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import study_data, usable_effects
from headache_evidence.errors import InputError

FloatArray = npt.NDArray[np.float64]


def covariance_matrix(effects: pd.DataFrame, rho: float, *, study: str = "study_id") -> FloatArray:
    """Covariance matrix of the usable effects, shape (k, k): ρ √(v_i v_j) within a study, 0 between studies.

    ρ = 0.5 is right for two arms against one shared control of equal size (each effect's variance is half control);
    for several outcomes or times it is an assumption to vary.

    Source: Hedges, Tipton and Johnson (2010), Res Synth Methods 1:39; Gleser and Olkin (2009) for shared controls.

    Raises
    ------
    InputError
        when ρ is outside 0 to 1, the study column is missing, or an effect has no usable variance.
    """
    if not 0 <= rho <= 1:
        raise InputError(f"rho must lie between 0 and 1; got {rho}.")
    if study not in effects.columns:
        raise InputError(f"The effects table lacks the column {study}.")
    se = np.sqrt(study_data(effects).vi)
    groups = usable_effects(effects)[study].to_numpy()
    together = groups[:, None] == groups[None, :]
    correlation = np.where(together, rho, 0.0)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation * np.outer(se, se))


def shared_control_covariance(sd_control: npt.ArrayLike, n_control: npt.ArrayLike) -> FloatArray:
    """Covariance of two mean differences that share a control arm: the variance of its mean, sd²/n.

    Source: Gleser and Olkin (2009), in The Handbook of Research Synthesis and Meta-Analysis, 2nd ed., ch. 19.
    """
    return np.asarray(np.asarray(sd_control, dtype=float) ** 2 / np.asarray(n_control, dtype=float))
