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


def _percent(values: npt.ArrayLike) -> FloatArray:
    return 100 * np.asarray(values, dtype=float)


def _percent_from_logit(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(100 * expit(np.asarray(values, dtype=float)))


def _percent_from_log(values: npt.ArrayLike) -> FloatArray:
    return 100 * _exp(values)


def _percent_from_arcsine(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(100 * np.sin(np.clip(np.asarray(values, dtype=float), 0, np.pi / 2)) ** 2)


def _difference(title: str) -> MeasureScale:
    return MeasureScale(title, _identity, 0.0)


def _ratio(title: str) -> MeasureScale:
    return MeasureScale(title, _exp, 0.0, ratio=True)


def _share(back_transform: Callable[[npt.ArrayLike], FloatArray]) -> MeasureScale:
    return MeasureScale("Proportion (%)", back_transform, np.nan, percent=True)


MEASURE_SCALES: dict[str, MeasureScale] = {
    "MD": _difference("Mean difference"),
    "SMD": _difference("Standardised mean difference"),
    "SMDH": _difference("Standardised mean difference"),
    "ROM": _ratio("Ratio of means"),
    "MC": _difference("Mean change"),
    "SMCC": _difference("Standardised mean change"),
    "SMCR": _difference("Standardised mean change"),
    "ROMC": _ratio("Ratio of means"),
    "OR": _ratio("Odds ratio"),
    "PETO": _ratio("Peto odds ratio"),
    "RR": _ratio("Risk ratio"),
    "HR": _ratio("Hazard ratio"),
    "IRR": _ratio("Rate ratio"),
    "RD": _difference("Risk difference"),
    "AS": _difference("Arcsine difference"),
    "PLO": _share(_percent_from_logit),
    "PLN": _share(_percent_from_log),
    "PAS": _share(_percent_from_arcsine),
    "PR": _share(_percent),
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
