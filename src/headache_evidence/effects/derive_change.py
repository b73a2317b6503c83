"""Changes since baseline: SD of the change, the correlation behind it, and differences of changes between groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headache_evidence.effects.derive_checks import FloatArray, floats, refuse


def sd_of_change(sd_baseline: npt.ArrayLike, sd_final: npt.ArrayLike, r: npt.ArrayLike) -> FloatArray:
    """SD of the change = √(sd_b² + sd_f² − 2 r sd_b sd_f), r the correlation of baseline and final values.

    Source: Cochrane Handbook 6.5.2.8. Raises InputError for negative SDs or |r| > 1.
    """
    sd_baseline, sd_final, r = floats(sd_baseline, sd_final, r)
    _check(r, sd_baseline=sd_baseline, sd_final=sd_final)
    variance = sd_baseline**2 + sd_final**2 - 2 * r * sd_baseline * sd_final
    return np.asarray(np.sqrt(np.maximum(variance, 0)))


def correlation_from_sds(sd_baseline: npt.ArrayLike, sd_final: npt.ArrayLike, sd_change: npt.ArrayLike) -> FloatArray:
    """Correlation of baseline and final values from the three SDs of a trial that reports them all.

    NaN when no correlation between −1 and 1 fits: then the SDs contradict each other, or one is an SE.

    Source: Cochrane Handbook 6.5.2.8. Raises InputError for negative SDs.
    """
    sd_baseline, sd_final, sd_change = floats(sd_baseline, sd_final, sd_change)
    _check(np.zeros(()), sd_baseline=sd_baseline, sd_final=sd_final, sd_change=sd_change)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (sd_baseline**2 + sd_final**2 - sd_change**2) / (2 * sd_baseline * sd_final)
    return np.asarray(np.where(np.abs(r) <= 1, r, np.nan))


def sd_of_final(sd_baseline: npt.ArrayLike, sd_change: npt.ArrayLike, r: npt.ArrayLike) -> FloatArray:
    """SD of final values from the SDs of baseline and change: r sd_b + √(sd_c² − (1 − r²) sd_b²).

    The formula of sd_of_change solved for sd_f. NaN when there is no solution, or when two SDs fit (a change that
    varies less than the baseline, with r above 0).

    Raises InputError for negative SDs or |r| > 1.
    """
    sd_baseline, sd_change, r = floats(sd_baseline, sd_change, r)
    _check(r, sd_baseline=sd_baseline, sd_change=sd_change)
    with np.errstate(invalid="ignore"):
        final = r * sd_baseline + np.sqrt(sd_change**2 - (1 - r**2) * sd_baseline**2)
    return np.asarray(np.where(sd_change >= sd_baseline, final, np.nan))


def change_from_baseline(
    m_baseline: npt.ArrayLike,
    sd_baseline: npt.ArrayLike,
    m_final: npt.ArrayLike,
    sd_final: npt.ArrayLike,
    r: npt.ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Mean change (final − baseline) and its SD.

    Source: Cochrane Handbook 6.5.2.8. Raises InputError for negative SDs or |r| > 1.
    """
    m_baseline, m_final = floats(m_baseline, m_final)
    return m_final - m_baseline, sd_of_change(sd_baseline, sd_final, r)


def difference_of_changes(
    change_1: npt.ArrayLike, sd_1: npt.ArrayLike, n_1: npt.ArrayLike,
    change_2: npt.ArrayLike, sd_2: npt.ArrayLike, n_2: npt.ArrayLike,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Difference of two groups' mean changes and its variance, sd_1²/n_1 + sd_2²/n_2.

    Source: Cochrane Handbook 10.5.2: a mean difference may be taken of changes as of final values.
    Raises InputError for negative SDs.
    """
    change_1, sd_1, n_1, change_2, sd_2, n_2 = floats(change_1, sd_1, n_1, change_2, sd_2, n_2)
    _check(np.zeros(()), sd_1=sd_1, sd_2=sd_2)
    return change_1 - change_2, sd_1**2 / n_1 + sd_2**2 / n_2


def _check(r: FloatArray, **sds: FloatArray) -> None:
    refuse(np.abs(r) > 1, "A correlation lies between -1 and 1", r=r)
    for name, sd in sds.items():
        refuse(sd < 0, "A standard deviation cannot be negative", **{name: sd})
