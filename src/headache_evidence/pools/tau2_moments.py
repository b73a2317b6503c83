"""Between-study variance by moments: DerSimonian-Laird, Hedges, Sidik-Jonkman, Paule-Mandel, empirical Bayes.

All functions work on columns, arrays of shape (k, D) with k >= 2, and return shape (D,).
"""

from __future__ import annotations

import numpy as np

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.pools.weighted_sums import weighted_sums

MAX_ITERATIONS = 200
SMALL_STEP = 1e-12  # relative


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
    y, v, c = np.broadcast_arrays(yi, vi, target)
    c = c[0]
    tau2 = np.zeros(y.shape[1])
    active = np.arange(tau2.size)
    now, lower, safe = tau2.copy(), tau2.copy(), tau2.copy()
    upper = np.full_like(tau2, np.inf)
    for _ in range(MAX_ITERATIONS):
        sums = weighted_sums(y, v, now)
        left = sums.q > c
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = (sums.q - c) / sums.q_slope
            proposal = now + newton * sums.q / c
        lower, upper = np.where(left, now, lower), np.where(left, upper, now)
        safe = np.where(left, now + newton, safe)
        proposal = np.where((proposal > lower) & (proposal < upper), proposal, safe)
        proposal = np.where(~left & (now == 0), 0.0, proposal)
        tau2[active] = proposal
        going = (np.abs(proposal - now) > SMALL_STEP * now) & np.isfinite(proposal)
        if not going.any():
            break
        if not going.all():
            active, y, v, c, safe = active[going], y[:, going], v[:, going], c[going], safe[going]
            lower, upper, proposal = lower[going], upper[going], proposal[going]
        now = proposal
    return tau2
