"""Standardised mean differences and log odds ratios turned into each other, where the protocol allows it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from headache_evidence.effects.derive_checks import FloatArray, floats

LOGISTIC_SD = math.pi / math.sqrt(3)


def smd_to_log_odds_ratio(yi: npt.ArrayLike, vi: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """ln OR = SMD π/√3 and its variance, under logistic distributions of equal SD.

    Source: Chinn (2000), Stat Med 19:3127; Cochrane Handbook 10.6.
    """
    y, v = floats(yi, vi)
    return np.asarray(y * LOGISTIC_SD), np.asarray(v * LOGISTIC_SD**2)


def log_odds_ratio_to_smd(yi: npt.ArrayLike, vi: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """SMD = ln OR √3/π and its variance, under logistic distributions of equal SD.

    Source: Chinn (2000), Stat Med 19:3127; Cochrane Handbook 10.6.
    """
    y, v = floats(yi, vi)
    return np.asarray(y / LOGISTIC_SD), np.asarray(v / LOGISTIC_SD**2)
