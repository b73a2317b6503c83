"""Permutation test of the pooled mean: under no effect, every sign pattern of the effects is equally likely."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import FloatArray, study_data
from headache_evidence.errors import InputError
from headache_evidence.pools.pool_columns import pool_columns

EXACT_UP_TO = 16  # studies: 2^15 different fits
TIE_TOLERANCE = 1e-9  # relative: statistics this close to the observed one count as equal
BLOCK_PATTERNS = 2**17


@dataclass(frozen=True)
class PermutationTest:
    """Result of a sign-flip test of the pooled mean."""

    k: int
    statistic: float
    p_value: float
    permutations: int  # sign patterns behind the p-value, the observed one included
    exact: bool
    smallest_possible_p: float  # a test of few studies cannot go below it
    method: str
    ci_method: str
    seed: int
    notes: tuple[str, ...]


def permutation_test(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    method: str = "REML",
    ci: str = "wald",
    exact: bool | None = None,
    n_permutations: int = 10_000,
    seed: int = 1,
) -> PermutationTest:
    """Two-sided permutation test of no average effect (Follmann & Proschan 1999), the model refitted each time.

    Parameters
    ----------
    effects, yi, vi, labels, method : as in ``pool``; at least two studies.
    ci : which statistic is compared: z of wald or t of a Knapp-Hartung fit.
    exact : all 2^k sign patterns (default up to 16 studies) or random ones.
    n_permutations : random patterns; the observed one is added, so that p is never 0.
    seed : of the random patterns.

    Raises
    ------
    InputError
        for fewer than two studies, an exact test of more than 24, or ``n_permutations`` below 1.
    """
    data = study_data(effects, yi=yi, vi=vi, labels=labels)
    k = data.k
    if k < 2:
        raise InputError(f"A permutation test needs at least 2 usable effects; got {k}.")
    if exact is None:
        exact = k <= EXACT_UP_TO
    if exact and k > 24:
        raise InputError(f"An exact test of {k} studies has 2^{k} sign patterns; leave exact unset to draw at random.")
    if n_permutations < 1:
        raise InputError(f"n_permutations = {n_permutations}; at least 1.")
    signs = all_sign_patterns(k) if exact else random_sign_patterns(k, n_permutations, seed)
    observed = sign_flip_statistics(data.yi, data.vi, np.ones((k, 1)), method, ci)[0]
    smallest = 2.0 / 2**k
    notes = [f"{k} studies: p cannot fall below {smallest:g}"] if smallest > 0.05 else []
    if math.isnan(observed):
        p_value = math.nan
        notes.append("identical effects: the statistic does not exist")
    else:
        flipped = sign_flip_statistics(data.yi, data.vi, signs, method, ci)
        as_extreme = ~(np.abs(flipped) < abs(observed) * (1 - TIE_TOLERANCE))
        p_value = float(as_extreme.mean()) if exact else float((as_extreme.sum() + 1) / (as_extreme.size + 1))
    return PermutationTest(
        k=k,
        statistic=float(observed),
        p_value=p_value,
        permutations=2**k if exact else n_permutations + 1,
        exact=exact,
        smallest_possible_p=smallest if exact else max(smallest, 1 / (n_permutations + 1)),
        method=method,
        ci_method=ci,
        seed=seed,
        notes=tuple(notes),
    )


def sign_flip_statistics(yi: FloatArray, vi: FloatArray, signs: FloatArray, method: str, ci: str) -> FloatArray:
    """z or t of the pooled mean for each sign pattern; ``yi``, ``vi`` of shape (k,), ``signs`` (k, patterns)."""
    parts = [
        pool_columns(yi[:, None] * signs[:, start : start + BLOCK_PATTERNS], vi[:, None], method, ci).statistic
        for start in range(0, signs.shape[1], BLOCK_PATTERNS)
    ]
    return np.concatenate(parts)


def all_sign_patterns(k: int) -> FloatArray:
    """Half of the 2^k sign patterns, the first study's sign kept: the other half mirrors the statistic's sign."""
    flips = (np.arange(2 ** (k - 1)) >> np.arange(k)[:, None]) & 1
    return np.asarray(1.0 - 2.0 * flips[::-1])


def random_sign_patterns(k: int, count: int, seed: int) -> FloatArray:
    """``count`` random sign patterns, shape (k, count)."""
    return np.asarray(np.random.default_rng(seed).choice([-1.0, 1.0], size=(k, count)))
