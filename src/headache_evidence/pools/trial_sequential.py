"""Trial sequential analysis: a cumulative meta-analysis judged against boundaries that allow for repeated looks.

Wetterslev J et al. (2008), Journal of Clinical Epidemiology 61:64-75; Thorlund K et al. (2011), User manual for trial
sequential analysis. Information is the sum of 1 / vi shrunk by the diversity of all studies, so that it grows with
every study; the cumulative z comes from a random-effects fit at each look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from headache_evidence.effects.effect_table import StudyData, study_data, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.planning import InformationSize, diversity, required_information_size
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.result import Interval, json_ready
from headache_evidence.pools.sequential_boundaries import efficacy_boundaries, futility_boundaries

FloatArray = npt.NDArray[np.float64]
MIN_K_CONCLUSION = 3  # fewer studies get numbers, but no conclusion


@dataclass(frozen=True)
class TrialSequentialAnalysis:
    """A cumulative meta-analysis with its boundaries.

    ``looks`` has one row per study added: label, fraction (of the required information), estimate, se, z, boundary
    (efficacy, plus and minus), futility (inner boundary, NaN while there is none).
    """

    k: int
    required: InformationSize
    fraction: float  # of the required information that the studies hold
    diversity: float  # D2 of all studies
    looks: pd.DataFrame
    estimate: float
    adjusted_ci: Interval  # at the last look, with its boundary as critical value; infinite while it is infinite
    conclusion: str  # efficacy, futility, inconclusive or not assessable
    words: str

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON-ready values; infinite boundaries become None."""
        records = self.looks.to_dict("records")
        return {
            "k": self.k,
            "required": self.required.to_dict(),
            "fraction": json_ready(self.fraction),
            "diversity": json_ready(self.diversity),
            "looks": [{str(name): json_ready(value) for name, value in row.items()} for row in records],
            "estimate": json_ready(self.estimate),
            "adjusted_ci": json_ready(self.adjusted_ci),
            "conclusion": self.conclusion,
            "words": self.words,
        }


def trial_sequential_analysis(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    delta: float,
    alpha: float = 0.05,
    power: float = 0.80,
    method: str = "REML",
    futility: bool = True,
    order: Literal["year", "given"] = "year",
) -> TrialSequentialAnalysis:
    """Trial sequential analysis with O'Brien-Fleming type spending.

    Parameters
    ----------
    effects : effects table, or give ``yi`` and ``vi``, shape (k,), in the order of their publication.
    delta : effect worth detecting on the analysis scale, the minimal important difference say; its sign does not
        matter, since the test is two-sided.
    alpha, power : of the whole sequence.
    method : tau2 estimator of the cumulative fits (Wald z, as the method requires).
    futility : add non-binding inner boundaries.
    order : sort an effects table by its ``year`` (ties by label), or take its rows as given.

    Raises
    ------
    InputError
        for a delta of zero, or a missing year when sorting by it.
    """
    if order not in ("year", "given"):
        raise InputError(f'order is "year" or "given"; got {order!r}.')
    data = study_data(_sorted(effects) if effects is not None and order == "year" else effects, yi=yi, vi=vi)
    required = required_information_size(delta, alpha=alpha, power=power, diversity=0.0)
    spread = diversity(yi=data.yi, vi=data.vi, method=method) if data.k > 1 else 0.0
    fractions = np.cumsum(1 / data.vi) * (1 - spread) / required.information
    estimate, se = _cumulative(data, method)
    outer = efficacy_boundaries(fractions, alpha)
    drift = float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
    inner = futility_boundaries(fractions, outer, drift, 1 - power) if futility else np.full(data.k, np.nan)
    z = estimate / se
    conclusion, words = _conclusion(data, z, outer, inner, fractions)
    half = outer[-1] * se[-1]
    return TrialSequentialAnalysis(
        k=data.k,
        required=required,
        fraction=float(fractions[-1]),
        diversity=spread,
        looks=pd.DataFrame(
            {
                "label": list(data.labels),
                "fraction": fractions,
                "estimate": estimate,
                "se": se,
                "z": z,
                "boundary": outer,
                "futility": inner,
            }
        ),
        estimate=float(estimate[-1]),
        adjusted_ci=(float(estimate[-1] - half), float(estimate[-1] + half)),
        conclusion=conclusion,
        words=words,
    )


def _sorted(effects: pd.DataFrame) -> pd.DataFrame:
    rows = usable_effects(effects)
    if "year" not in rows.columns:
        raise InputError('The effects table has no column year; give order="given".')
    if bool(rows["year"].isna().any()):
        raise InputError('Some effects have no year; fill it in, or give order="given".')
    by = ["year", "label"] if "label" in rows.columns else ["year"]
    return rows.sort_values(by, kind="stable")


def _cumulative(data: StudyData, method: str) -> tuple[FloatArray, FloatArray]:
    fits = [pool(yi=data.yi[:k], vi=data.vi[:k], method=method, ci="wald") for k in range(1, data.k + 1)]
    return np.array([fit.estimate for fit in fits]), np.array([fit.se for fit in fits])


def _conclusion(
    data: StudyData, z: FloatArray, outer: FloatArray, inner: FloatArray, fractions: FloatArray
) -> tuple[str, str]:
    share = f"{100 * fractions[-1]:.0f} % of the required information (k = {data.k})"
    if data.k < MIN_K_CONCLUSION:
        return "not assessable", f"Not assessable: {share}; fewer than {MIN_K_CONCLUSION} studies allow no conclusion."
    crossed = np.flatnonzero(np.abs(z) >= outer)
    if crossed.size:
        at = int(crossed[0])
        later = "" if abs(z[-1]) >= outer[-1] else "; the z of all studies lies inside it again"
        return "efficacy", f"The boundary was crossed with {data.labels[at]}{later}; {share}."
    idle = math.isfinite(inner[-1]) and abs(z[-1]) <= inner[-1]
    if idle:
        return (
            "futility",
            f"The z of all studies lies within the futility boundaries: an effect as sought is unlikely; {share}.",
        )
    if fractions[-1] >= 1:
        return "inconclusive", f"The required information is reached without crossing a boundary; {share}."
    return "inconclusive", f"No boundary is crossed and information is lacking: {share}."
