"""The scale of each measure: how yi is shown to a reader, and which value means no effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from headache_evidence.errors import InputError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MeasureScale:
    """How a measure is displayed.

    title : name in words. back_transform : from the analysis scale of yi to the display scale.
    null : value of no effect on the analysis scale, NaN where none exists (proportions).
    ratio : True when the display axis is logarithmic. percent : True when the display scale is a share of patients.
    """

    title: str
    back_transform: Callable[[npt.ArrayLike], FloatArray]
    null: float
    ratio: bool = False
    percent: bool = False


def _identity(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=float)


def _exp(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(np.exp(np.asarray(values, dtype=float)))


def _percent_from_logit(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(100 * expit(np.asarray(values, dtype=float)))


MEASURE_SCALES: dict[str, MeasureScale] = {
    "MD": MeasureScale("Mean difference", _identity, 0.0),
    "SMD": MeasureScale("Standardised mean difference (Hedges g)", _identity, 0.0),
    "SMDH": MeasureScale("Standardised mean difference, unequal variances", _identity, 0.0),
    "ROM": MeasureScale("Ratio of means", _exp, 0.0, ratio=True),
    "MC": MeasureScale("Mean change from baseline", _identity, 0.0),
    "SMCC": MeasureScale("Standardised mean change", _identity, 0.0),
    "SMCR": MeasureScale("Standardised mean change (raw SD)", _identity, 0.0),
    "ROMC": MeasureScale("Ratio of means, change from baseline", _exp, 0.0, ratio=True),
    "OR": MeasureScale("Odds ratio", _exp, 0.0, ratio=True),
    "PETO": MeasureScale("Odds ratio (Peto)", _exp, 0.0, ratio=True),
    "RR": MeasureScale("Risk ratio", _exp, 0.0, ratio=True),
    "RD": MeasureScale("Risk difference", _identity, 0.0),
    "PLO": MeasureScale("Share of patients (%)", _percent_from_logit, np.nan, percent=True),
}


def measure_scale(measure: str) -> MeasureScale:
    """The scale of a measure code.

    Raises
    ------
    InputError
        for a code without a display scale; the message lists the known ones.
    """
    try:
        return MEASURE_SCALES[measure]
    except KeyError:
        raise InputError(f"No display scale for measure {measure!r}; known: {', '.join(MEASURE_SCALES)}.") from None
