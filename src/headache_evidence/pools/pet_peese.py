"""PET-PEESE: the effect expected of a study without sampling error, from the regression of effects on their error.

Stanley TD, Doucouliagos H (2014), Research Synthesis Methods 5:60-78.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import study_data
from headache_evidence.errors import InputError
from headache_evidence.pools.result import NOT_ESTIMABLE, Interval
from headache_evidence.pools.small_study import DEFAULT_MIN_K, SmallStudyResult, override_note, refusal
from headache_evidence.pools.small_study_regression import LineFit, least_squares_line, mixed_effects_line


@dataclass(frozen=True, kw_only=True)
class PetPeese(SmallStudyResult):
    """Both regressions and the one that the conditional rule chose."""

    model: str  # lm or rma
    chosen: str = ""  # PET or PEESE
    estimate: float = math.nan  # of the chosen one
    se: float = math.nan
    ci: Interval = NOT_ESTIMABLE
    p_value: float = math.nan
    pet: float = math.nan  # intercept of the regression on the standard error
    pet_se: float = math.nan
    pet_ci: Interval = NOT_ESTIMABLE
    pet_p: float = math.nan
    peese: float = math.nan  # intercept of the regression on the variance
    peese_se: float = math.nan
    peese_ci: Interval = NOT_ESTIMABLE
    peese_p: float = math.nan
    level: float = 0.95


def pet_peese(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    model: Literal["lm", "rma"] = "lm",
    method: str = "REML",
    alpha: float = 0.10,
    min_k: int = DEFAULT_MIN_K,
    override: bool = False,
    level: float = 0.95,
) -> PetPeese:
    """PET, and PEESE when PET finds an effect.

    Parameters
    ----------
    effects : effects table, or give ``yi`` and ``vi``, shape (k,).
    model : "lm", weighted least squares (the authors' own), or "rma", mixed effects with tau2 by ``method``.
    alpha : PEESE is chosen when the two-sided p-value of PET's intercept is below it; .10 is 5 % one-sided.
    min_k, override : below ``min_k`` effects the result is "not assessable" unless ``override``.
    """
    if model not in ("lm", "rma"):
        raise InputError(f'model is "lm" or "rma"; got {model!r}.')
    data = study_data(effects, yi=yi, vi=vi)
    words = refusal(data.k, min_k, override)
    if words:
        return PetPeese(k=data.k, min_k=min_k, assessable=False, words=words, model=model, level=level)

    def line(x: npt.NDArray[np.float64]) -> LineFit:
        if model == "lm":
            return least_squares_line(data.yi, x, 1 / data.vi)
        return mixed_effects_line(data.yi, data.vi, x, method)

    pet, peese = line(np.sqrt(data.vi)), line(data.vi)
    chosen, fit = ("PEESE", peese) if pet.p_value[0] < alpha else ("PET", pet)
    return PetPeese(
        k=data.k,
        min_k=min_k,
        assessable=True,
        words=f"{chosen}: {fit.coefficients[0]:.3g} expected of a study without sampling error (k = {data.k})."
        + override_note(data.k, min_k),
        model=model,
        chosen=chosen,
        estimate=float(fit.coefficients[0]),
        se=float(fit.se[0]),
        ci=fit.interval(0, level),
        p_value=float(fit.p_value[0]),
        pet=float(pet.coefficients[0]),
        pet_se=float(pet.se[0]),
        pet_ci=pet.interval(0, level),
        pet_p=float(pet.p_value[0]),
        peese=float(peese.coefficients[0]),
        peese_se=float(peese.se[0]),
        peese_ci=peese.interval(0, level),
        peese_p=float(peese.p_value[0]),
        level=level,
    )
