"""How much information a conclusion needs: required (optimal) information size, and diversity.

Wetterslev J et al. (2008), Journal of Clinical Epidemiology 61:64-75; Wetterslev J et al. (2009), BMC Medical Research
Methodology 9:86 (diversity). Without the diversity adjustment this is GRADE's optimal information size.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy.typing as npt
import pandas as pd
from scipy import special

from headache_evidence.effects.effect_table import study_data
from headache_evidence.errors import InputError
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.result import json_ready


@dataclass(frozen=True)
class InformationSize:
    """Patients and statistical information needed to detect ``delta``."""

    kind: str  # continuous, binary or effect
    delta: float  # difference to detect: in the outcome's unit, a risk difference, or on the analysis scale
    alpha: float  # two-sided
    power: float
    diversity: float  # D2, between 0 and 1
    n: float  # patients in both arms, adjusted for diversity; NaN when only delta on the analysis scale is known
    n_unadjusted: float  # GRADE's optimal information size
    information: float  # 1 / variance of the pooled effect on the scale of delta

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON-ready values."""
        return {key: json_ready(value) for key, value in asdict(self).items()}


def required_information_size(
    delta: float | None = None,
    *,
    sd: float | None = None,
    control_risk: float | None = None,
    intervention_risk: float | None = None,
    alpha: float = 0.05,
    power: float = 0.80,
    diversity: float = 0.0,
    ratio: float = 1.0,
) -> InformationSize:
    """Required information size of a meta-analysis of two arms.

    Parameters
    ----------
    delta : difference of means to detect with ``sd``, or, alone, an effect on the analysis scale.
    sd : standard deviation of the outcome within an arm.
    control_risk, intervention_risk : risks that make the difference to detect, in place of ``delta``.
    alpha, power : two-sided type I error and power of the one test.
    diversity : D2 between 0 and 1, or an I2; patients are divided by 1 - D2.
    ratio : patients of the intervention arm per patient of the control arm.

    Notes
    -----
    n = (1 + r)^2 / r (z_{1 - alpha/2} + z_{power})^2 variance / delta^2, rounded up; for risks the variance is that at
    their mean. With r = 1 this is four times the single term.

    Raises
    ------
    InputError
        when the difference is zero or not given in one of the three ways, or a share is out of range.
    """
    for name, share in (("alpha", alpha), ("power", power)):
        if not 0 < share < 1:
            raise InputError(f"{name} must lie between 0 and 1; got {share}.")
    if not 0 <= diversity < 1:
        raise InputError(f"diversity is a share, at least 0 and below 1; got {diversity}.")
    if ratio <= 0:
        raise InputError(f"ratio must be above 0; got {ratio}.")
    kind, difference, variance = _difference(delta, sd, control_risk, intervention_risk)
    squared = float(special.ndtri(1 - alpha / 2) + special.ndtri(power)) ** 2
    needed = (1 + ratio) ** 2 / ratio * squared * variance / difference**2
    return InformationSize(
        kind=kind,
        delta=difference,
        alpha=alpha,
        power=power,
        diversity=diversity,
        n=needed if math.isnan(needed) else float(math.ceil(needed / (1 - diversity))),
        n_unadjusted=needed if math.isnan(needed) else float(math.ceil(needed)),
        information=squared / difference**2,
    )


def diversity(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    method: str = "REML",
) -> float:
    """Diversity D2: the share by which heterogeneity raises the variance of the pooled effect, between 0 and 1."""
    data = study_data(effects, yi=yi, vi=vi)
    random = pool(yi=data.yi, vi=data.vi, method=method, ci="wald")
    common = 1 / float((1 / data.vi).sum())
    return 1 - common / random.se**2 if random.tau2 > 0 else 0.0


def _difference(
    delta: float | None, sd: float | None, control_risk: float | None, intervention_risk: float | None
) -> tuple[str, float, float]:
    """Kind, difference and variance per patient (NaN when not known)."""
    if control_risk is not None and intervention_risk is not None:
        if delta is not None or sd is not None:
            raise InputError("Give delta (with sd) or both risks, not both.")
        if not (0 < control_risk < 1 and 0 < intervention_risk < 1):
            raise InputError(f"Risks must lie between 0 and 1; got {control_risk} and {intervention_risk}.")
        mean = (control_risk + intervention_risk) / 2
        found = "binary", intervention_risk - control_risk, mean * (1 - mean)
    elif control_risk is not None or intervention_risk is not None or delta is None:
        raise InputError("Give delta (with sd), or both control_risk and intervention_risk.")
    else:
        if sd is not None and sd <= 0:
            raise InputError(f"sd must be above 0; got {sd}.")
        found = ("effect", delta, math.nan) if sd is None else ("continuous", delta, sd**2)
    if found[1] == 0 or not math.isfinite(found[1]):
        raise InputError("The difference to detect must not be zero.")
    return found
