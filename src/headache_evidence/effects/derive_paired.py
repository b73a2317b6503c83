"""Designs in which the values are not independent: crossover trials, and several procedures in one patient."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headache_evidence.effects.derive_change import sd_of_change
from headache_evidence.effects.derive_checks import FloatArray, floats, refuse

Effect = tuple[FloatArray, FloatArray]


def crossover_mean_difference(
    m1: npt.ArrayLike, sd1: npt.ArrayLike, m2: npt.ArrayLike, sd2: npt.ArrayLike, n: npt.ArrayLike, r: npt.ArrayLike
) -> Effect:
    """MD of two treatments in the same n patients and its paired variance, sd_diff²/n.

    Source: Cochrane Handbook 5.1, 16.4.6. Raises InputError for negative SDs or |r| > 1.
    """
    m1, m2, n = floats(m1, m2, n)
    return m1 - m2, sd_of_change(sd1, sd2, r) ** 2 / n


def crossover_standardised_difference(
    m1: npt.ArrayLike, sd1: npt.ArrayLike, m2: npt.ArrayLike, sd2: npt.ArrayLike, n: npt.ArrayLike, r: npt.ArrayLike
) -> Effect:
    """SMD of two treatments in the same n patients, over the root mean square of their SDs.

    Variance (1/n + SMD²/(2n)) 2(1 − r), so that the SMD is comparable with that of parallel trials.

    Source: Cochrane Handbook 5.1, 16.4.6.2 to 16.4.6.4 (no small-sample correction, as there). The variance is
    disputed; keep crossover trials apart in a sensitivity analysis. Raises InputError for negative SDs or |r| > 1.
    """
    m1, sd1, m2, sd2, n, r = floats(m1, sd1, m2, sd2, n, r)
    refuse((sd1 < 0) | (sd2 < 0), "A standard deviation cannot be negative", sd1=sd1, sd2=sd2)
    refuse(np.abs(r) > 1, "A correlation lies between -1 and 1", r=r)
    with np.errstate(divide="ignore", invalid="ignore"):
        smd = (m1 - m2) / np.sqrt((sd1**2 + sd2**2) / 2)
    return np.asarray(smd), np.asarray((1 / n + smd**2 / (2 * n)) * 2 * (1 - r))


def design_effect(mean_cluster_size: npt.ArrayLike, icc: npt.ArrayLike) -> FloatArray:
    """Factor by which clustering (procedures or sides within patients) inflates a variance: 1 + (M − 1) ICC.

    Source: Cochrane Handbook 23.1.4. Raises InputError for M below 1 or an ICC outside 0 to 1.
    """
    size, icc = floats(mean_cluster_size, icc)
    refuse(size < 1, "A mean cluster size is at least 1", mean_cluster_size=size)
    refuse((icc < 0) | (icc > 1), "An intracluster correlation lies between 0 and 1", icc=icc)
    return np.asarray(1 + (size - 1) * icc)


def effective_sample_size(n: npt.ArrayLike, mean_cluster_size: npt.ArrayLike, icc: npt.ArrayLike) -> FloatArray:
    """Independent observations that n clustered ones are worth: n / design effect; events are divided likewise.

    Source: Cochrane Handbook 23.1.4. Raises InputError for M below 1 or an ICC outside 0 to 1.
    """
    (size,) = floats(n)
    return np.asarray(size / design_effect(mean_cluster_size, icc))
