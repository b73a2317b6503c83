"""Boundaries for repeated looks: alpha and beta spending of the O'Brien-Fleming type, by recursive integration.

The cumulative score S = Z sqrt(t) has independent normal increments in the information fraction t. Its density within
the boundaries is carried from look to look on Gauss-Legendre panels.

Armitage P, McPherson CK, Rowe BC (1969), JRSS A 132:235-244; Lan KKG, DeMets DL (1983), Biometrika 70:659-663;
Jennison C, Turnbull BW (2000), Group Sequential Methods, ch. 19.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from headache_evidence.errors import InputError

FloatArray = npt.NDArray[np.float64]
NODES_PER_PANEL = 10
MAX_PANELS = 400
FAR = 9.0  # standard deviations beyond which a density is nothing
NOTHING = 1e-15  # probability too small to spend
NO_NEW_LOOK = 0.002  # a look that adds less than this share of the information so far is no look of its own


@dataclass(frozen=True)
class _State:
    """Mass of the score on nodes at information fraction t, among paths that have not stopped."""

    t: float
    nodes: FloatArray
    mass: FloatArray

    def beyond(self, score: float, t: float, drift: float) -> float:
        """Probability of a score above ``score`` at the next look, at t."""
        step = np.sqrt(t - self.t)
        return float(self.mass @ special.ndtr((self.nodes + drift * (t - self.t) - score) / step))

    def advance(self, low: float, high: float, t: float, drift: float) -> _State:
        """Mass on the nodes between the scores ``low`` and ``high`` at t."""
        centre, reach = drift * t, FAR * np.sqrt(t)
        low, high = max(low, centre - reach), min(high, centre + reach)
        if low >= high:
            return _State(t, np.array([0.0]), np.array([0.0]))
        step = np.sqrt(t - self.t)
        panels = int(min(MAX_PANELS, max(4, np.ceil((high - low) / step))))
        unit, weights = np.polynomial.legendre.leggauss(NODES_PER_PANEL)
        edges = np.linspace(low, high, panels + 1)
        half = (high - low) / (2 * panels)
        nodes = ((edges[:-1] + edges[1:]) / 2)[:, None] + half * unit
        nodes = nodes.ravel()
        z = (nodes[:, None] - self.nodes[None, :] - drift * (t - self.t)) / step
        density = np.exp(-0.5 * z**2) @ self.mass / (np.sqrt(2 * np.pi) * step)
        return _State(t, nodes, density * np.tile(half * weights, panels))


START = (0.0, np.array([0.0]), np.array([1.0]))


def obrien_fleming_spending(t: npt.ArrayLike, error: float) -> FloatArray:
    """One-sided error spent by information fraction t: 2 - 2 Phi(z_{1 - error/2} / sqrt(t)); all of it from t = 1."""
    fraction = np.minimum(np.asarray(t, dtype=float), 1.0)
    return np.asarray(2 * special.ndtr(special.ndtri(error / 2) / np.sqrt(fraction)))


def checked_fractions(fractions: Sequence[float] | FloatArray) -> FloatArray:
    """Information fractions as an array; they must be above 0 and rise."""
    t = np.asarray(fractions, dtype=float)
    if t.ndim != 1 or t.size == 0 or not np.all(np.isfinite(t)) or t[0] <= 0 or np.any(np.diff(t) <= 0):
        raise InputError(f"Information fractions must be above 0 and rise; got {list(map(float, t.ravel()))}.")
    return t


def exit_probabilities(
    fractions: Sequence[float] | FloatArray,
    upper: Sequence[float] | FloatArray,
    lower: Sequence[float] | FloatArray | None = None,
    drift: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Probability of first leaving through the upper and the lower z boundary at each look.

    Parameters
    ----------
    fractions : information fractions, rising. upper, lower : z boundaries; lower is -upper by default.
    drift : expected z at information fraction 1.
    """
    t = checked_fractions(fractions)
    high = np.asarray(upper, dtype=float)
    low = -high if lower is None else np.asarray(lower, dtype=float)
    above, below = np.zeros(t.size), np.zeros(t.size)
    state = _State(*START)
    for i, at in enumerate(t):
        root = np.sqrt(at)
        above[i] = state.beyond(high[i] * root, at, drift)
        below[i] = float(state.mass.sum()) - state.beyond(low[i] * root, at, drift)
        state = state.advance(low[i] * root, high[i] * root, at, drift)
    return above, below


def efficacy_boundaries(fractions: Sequence[float] | FloatArray, alpha: float = 0.05) -> FloatArray:
    """Two-sided symmetric z boundaries that spend alpha as O'Brien and Fleming would.

    Looks at or past t = 1 share the boundary of the first of them, a look that adds next to no information shares
    that of the look before it, and a look too early to spend anything has infinity.
    """
    t = checked_fractions(fractions)
    spent = obrien_fleming_spending(t, alpha / 2)
    boundaries = np.full(t.size, np.inf)
    state, before = _State(*START), 0.0
    for i, at in enumerate(np.minimum(t, 1.0)):
        if i and (t[i - 1] >= 1 or at - state.t < NO_NEW_LOOK * at):
            boundaries[i] = boundaries[i - 1]
            continue
        to_spend = spent[i] - before
        if to_spend > NOTHING:
            boundaries[i] = _solve(state, at, to_spend)
            before = spent[i]
        score = boundaries[i] * np.sqrt(at)
        state = state.advance(-score, score, at, 0.0)
    return boundaries


def futility_boundaries(
    fractions: Sequence[float] | FloatArray, efficacy: FloatArray, drift: float, beta: float
) -> FloatArray:
    """Inner z boundaries, non-binding, that spend beta under the effect sought; NaN where there is none yet.

    Parameters
    ----------
    fractions : information fractions. efficacy : outer z boundaries. drift : expected z at t = 1 under that effect.
    """
    t = checked_fractions(fractions)
    spent = obrien_fleming_spending(t, beta)
    inner = np.full(t.size, np.nan)
    state, before = _State(*START), 0.0
    for i, at in enumerate(np.minimum(t, 1.0)):
        if i and (t[i - 1] >= 1 or at - state.t < NO_NEW_LOOK * at):
            inner[i] = inner[i - 1]
            continue
        root = np.sqrt(at)
        alive = float(state.mass.sum())
        low = -np.inf
        if spent[i] - before > NOTHING and alive > spent[i] - before:
            bound = optimize.brentq(
                lambda z, s=state, a=at, r=root, m=alive, e=spent[i] - before: m - s.beyond(z * r, a, drift) - e,
                -2 * FAR,
                2 * FAR + drift,
                xtol=1e-10,
            )
            bound = min(float(bound), float(efficacy[i]))
            if bound > 0:
                low, before = bound * root, spent[i]
                inner[i] = bound
        state = state.advance(low, efficacy[i] * root, at, drift)
    return inner


def _solve(state: _State, t: float, probability: float) -> float:
    """z such that the score exceeds z sqrt(t) with the given probability."""
    root = np.sqrt(t)
    return float(
        optimize.brentq(
            lambda z: np.log(max(state.beyond(z * root, t, 0.0), 1e-300) / probability), 0.0, 12.0, xtol=1e-10
        )
    )
