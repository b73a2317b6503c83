"""Between-study variance by maximum likelihood (ML) and restricted maximum likelihood (REML), exact to rounding.

Works on columns, arrays of shape (k, D) with k >= 2. A coarse scan over tau2 finds the highest hill of the profile
likelihood, which can have more than one; Newton steps on its derivative, kept inside the bracket, then climb it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headache_evidence.effects.effect_table import FloatArray

SCAN_POINTS = 16
SCAN_ELEMENTS = 2**15  # numbers per array of the scan: they stay in the processor's cache
LOG_BLOCK = 8  # weights multiplied before one logarithm: no overflow for variances from 1e-38 to 1e38
MAX_ITERATIONS = 100
NEGLIGIBLE = 1e-10  # spread of effects in standard errors of the most precise study: too small for tau2 > 0
SMALL_STEP = 1e-6  # relative; convergence is quadratic, so the error left after such a step is about its square


def profile_log_likelihood(yi: FloatArray, vi: FloatArray, tau2: FloatArray, restricted: bool) -> FloatArray:
    """Log-likelihood of tau2 with the mean profiled out (or integrated out, REML), up to a constant; shape (D,)."""
    weights = vi + tau2
    np.reciprocal(weights, out=weights)
    total = weights.sum(axis=0)
    pulls = yi - (weights * yi).sum(axis=0) / total
    np.square(pulls, out=pulls)
    pulls *= weights
    logs = np.log(np.multiply.reduceat(weights, np.arange(0, len(weights), LOG_BLOCK), axis=0)).sum(axis=0)
    value = logs - pulls.sum(axis=0)
    if restricted:
        value -= np.log(total)
    return np.asarray(0.5 * value)


def score_and_curvature(
    yi: FloatArray, vi: FloatArray, tau2: FloatArray, restricted: bool
) -> tuple[FloatArray, FloatArray]:
    """First derivative of the profile log-likelihood and minus its second derivative; each of shape (D,)."""
    weights = 1.0 / (vi + tau2)
    total = weights.sum(axis=0)
    squared = weights * weights
    pulls = weights * (yi - (weights * yi).sum(axis=0) / total)
    pulls2 = pulls * pulls
    sum2 = squared.sum(axis=0)
    cross = (weights * pulls).sum(axis=0)
    curvature = (weights * pulls2).sum(axis=0) - cross * cross / total
    if restricted:
        ratio = sum2 / total
        sum3 = (weights * squared).sum(axis=0)
        score = 0.5 * (pulls2.sum(axis=0) - (total - ratio))
        return score, curvature - 0.5 * (sum2 - 2 * sum3 / total + ratio * ratio)
    return 0.5 * (pulls2.sum(axis=0) - total), curvature - 0.5 * sum2


def likelihood_tau2(yi: FloatArray, vi: FloatArray, restricted: bool) -> FloatArray:
    """tau2 that maximises the ML or REML likelihood of each column; 0 where the maximum is on the boundary."""
    yi, vi = np.broadcast_arrays(yi, vi)
    spread = yi.var(axis=0, ddof=1)
    rounding = 4 * np.finfo(float).eps * np.abs(yi).max(axis=0) + NEGLIGIBLE * np.sqrt(vi.min(axis=0))
    spread = np.where(spread > np.square(rounding), spread, 0.0)  # effects equal but for rounding are equal
    ceiling = spread + np.sqrt(spread * vi.max(axis=0))  # no stationary point lies above it
    grid = np.vstack([np.zeros_like(spread), _geometric_grid(vi.min(axis=0), ceiling)])
    heights = _heights(yi, vi, grid, restricted)
    tau2 = _climb_from(yi, vi, grid, heights.argmax(axis=0), restricted)
    rival, has_rival = _second_peak(heights)
    if has_rival.any():
        y, v = yi[:, has_rival], vi[:, has_rival]
        other = _climb_from(y, v, grid[:, has_rival], rival[has_rival], restricted)
        first = tau2[has_rival]
        higher = profile_log_likelihood(y, v, other, restricted) > profile_log_likelihood(y, v, first, restricted)
        tau2[has_rival] = np.where(higher, other, first)
    return tau2


def _heights(yi: FloatArray, vi: FloatArray, grid: FloatArray, restricted: bool) -> FloatArray:
    """Log-likelihood at every grid point of every column, a block of columns at a time; shape of ``grid``."""
    heights = np.empty_like(grid)
    width = max(1, SCAN_ELEMENTS // (len(yi) * len(grid)))
    for start in range(0, grid.shape[1], width):
        part = slice(start, start + width)
        heights[:, part] = profile_log_likelihood(yi[:, None, part], vi[:, None, part], grid[:, part], restricted)
    return heights


def _second_peak(heights: FloatArray) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Grid point of the second highest local maximum of each column, and whether there is one."""
    walls = np.full_like(heights[:1], -np.inf)
    padded = np.vstack([walls, heights, walls])
    peaks = np.where((heights >= padded[:-2]) & (heights > padded[2:]), heights, -np.inf)
    np.put_along_axis(peaks, heights.argmax(axis=0)[None], -np.inf, axis=0)
    return peaks.argmax(axis=0), np.isfinite(peaks.max(axis=0))


def _climb_from(
    yi: FloatArray, vi: FloatArray, grid: FloatArray, point: npt.NDArray[np.intp], restricted: bool
) -> FloatArray:
    columns = np.arange(point.size)
    lower = grid[np.maximum(point - 1, 0), columns]
    upper = grid[np.minimum(point + 1, len(grid) - 1), columns]
    return _climb(yi, vi, grid[point, columns], lower, upper, restricted)


def _geometric_grid(smallest_variance: FloatArray, ceiling: FloatArray) -> FloatArray:
    top = np.maximum(ceiling, np.finfo(float).tiny)
    bottom = np.minimum(0.1 * smallest_variance, 1e-3 * top)
    exponents = np.linspace(0.0, 1.0, SCAN_POINTS)[:, None]
    return np.asarray(bottom * np.power(top / bottom, exponents))


def _climb(
    yi: FloatArray, vi: FloatArray, start: FloatArray, lower: FloatArray, upper: FloatArray, restricted: bool
) -> FloatArray:
    tau2 = start.copy()
    active = np.arange(tau2.size)
    y, v, lo, hi = yi, vi, lower, upper
    for _ in range(MAX_ITERATIONS):
        now = tau2[active]
        score, curvature = score_and_curvature(y, v, now, restricted)
        rising = score > 0
        lo, hi = np.where(rising, now, lo), np.where(rising, hi, now)
        step = score / np.where(curvature == 0, np.nan, curvature)
        proposal = now + step
        settled = (curvature > 0) & (np.abs(step) <= SMALL_STEP * now)
        at_zero = (now == 0) & ~rising
        inside = (curvature > 0) & (proposal > lo) & (proposal < hi)
        proposal = np.where(inside, proposal, 0.5 * (lo + hi))
        tau2[active] = np.where(at_zero | (settled & ~inside), now, proposal)
        going = ~settled & ~at_zero & (proposal != now)
        if not going.any():
            break
        if not going.all():
            active, y, v, lo, hi = active[going], y[:, going], v[:, going], lo[going], hi[going]
    return tau2
