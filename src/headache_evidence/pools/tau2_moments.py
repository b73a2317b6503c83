"""Between-study variance by moments: DerSimonian-Laird, Hedges, Sidik-Jonkman, Paule-Mandel, empirical Bayes.

All functions work on columns, arrays of shape (k, D) with k >= 2, and return shape (D,).
"""

from __future__ import annotations

import numpy as np

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.pools.weighted_sums import weighted_sums

MAX_ITERATIONS = 200
RELATIVE_PRECISION = 1e-13


def dersimonian_laird(yi: FloatArray, vi: FloatArray) -> FloatArray:
    """DerSimonian & Laird (1986)."""
    sums = weighted_sums(yi, vi, 0.0)
    trace = sums.total - np.square(sums.weights).sum(axis=0) / sums.total
    return np.asarray(np.maximum(0.0, (sums.q - (len(yi) - 1)) / trace))


def hedges(yi: FloatArray, vi: FloatArray) -> FloatArray:
    """Hedges (1983), also known as Hedges-Olkin or the variance-component estimator."""
    return np.asarray(np.maximum(0.0, yi.var(axis=0, ddof=1) - vi.mean(axis=0)))


def sidik_jonkman(yi: FloatArray, vi: FloatArray) -> FloatArray:
    """Sidik & Jonkman (2005), started from the crude variance of the effects; never below zero by construction."""
    start = yi.var(axis=0)
    safe = np.where(start > 0, start, 1.0)
    return np.where(start > 0, safe * weighted_sums(yi, vi, safe).q / (len(yi) - 1), 0.0)


def paule_mandel(yi: FloatArray, vi: FloatArray) -> FloatArray:
    """Paule & Mandel (1982): generalised Q equals its degrees of freedom. Morris's empirical Bayes has this root."""
    return solve_generalised_q(yi, vi, np.full(yi.shape[1], len(yi) - 1.0))


def solve_generalised_q(yi: FloatArray, vi: FloatArray, target: FloatArray) -> FloatArray:
    """The tau2 >= 0 at which generalised Q equals ``target``, per column; 0 where Q is below it already at 0.

    Q(tau2) is decreasing and convex. Newton steps on 1 / Q, which is nearly a line, converge in a few iterations;
    a step that leaves the bracket is replaced by a plain Newton step from its lower end, which cannot overshoot.
    """
    yi, vi, _ = np.broadcast_arrays(yi, vi, target)
    tau2 = np.zeros(yi.shape[1])
    lower, upper = tau2.copy(), np.full_like(tau2, np.inf)
    safe_step = tau2.copy()
    active = np.arange(tau2.size)
    y, v, c = yi, vi, target
    for _ in range(MAX_ITERATIONS):
        sums = weighted_sums(y, v, tau2[active])
        gap = sums.q - c
        left = gap > 0
        if not left.all():
            upper[active[~left]] = tau2[active[~left]]
        lower[active[left]] = tau2[active[left]]
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = gap / sums.q_slope
            step = newton * sums.q / c
        safe_step[active[left]] = lower[active[left]] + newton[left]
        proposal = tau2[active] + step
        inside = (proposal > lower[active]) & (proposal < upper[active])
        proposal = np.where(inside, proposal, safe_step[active])
        at_zero = ~left & (tau2[active] == 0)
        settled = np.abs(newton) <= RELATIVE_PRECISION * tau2[active]
        moved = ~settled & ~at_zero & np.isfinite(proposal) & (proposal != tau2[active])
        tau2[active[moved]] = proposal[moved]
        if not moved.any():
            break
        if not moved.all():
            active, y, v, c = active[moved], y[:, moved], v[:, moved], c[moved]
    return tau2
