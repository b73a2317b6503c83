"""Permutation p-values of a meta-regression: which study has which moderators is shuffled, the model refitted."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.pools.meta_regression_model import Sums, estimate_tau2, sums

TIE_TOLERANCE = 1e-8  # relative: statistics this close to the observed one count as equal
BLOCK = 4096  # data sets fitted at once


class PermutationP(NamedTuple):
    """p-value of each coefficient (p,) and of all moderators together, and what they rest on."""

    coefficients: FloatArray
    moderators: float
    n: int
    exact: bool


def standard_error_factor(q: FloatArray, df: int, ci: str) -> FloatArray:
    """Knapp & Hartung's factor on the covariance; 1 for wald, never below 1 in the conservative form."""
    if ci == "wald":
        return np.ones_like(q)
    factor = q / df
    return np.maximum(factor, 1.0) if ci == "knapp-hartung-conservative" else factor


def statistics(fit: Sums, df: int, ci: str) -> tuple[FloatArray, FloatArray]:
    """z or t of each coefficient (p, D), and the chi-square or F of all but the intercept (D,)."""
    covariance = fit.covariance * standard_error_factor(fit.q, df, ci)[:, None, None]
    se = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)).T
    slopes = fit.coefficients[1:].T
    inner = np.linalg.solve(covariance[:, 1:, 1:], slopes[..., None])[..., 0]
    together = (slopes * inner).sum(axis=1)
    return fit.coefficients / se, together / (1 if ci == "wald" else len(slopes.T))


def permutation_p(
    yi: FloatArray, vi: FloatArray, X: FloatArray, method: str, ci: str, *, max_exact: int, n_random: int, seed: int
) -> PermutationP:
    """Two-sided permutation test (Higgins & Thompson 2004, Stat Med 23:1663-1682; metafor's ``permutest``).

    ``yi``, ``vi`` (k,), ``X`` (k, p) with the intercept first. All different arrangements of the rows of X when there
    are at most ``max_exact``, random ones otherwise (the observed one added, so that p is never 0).
    """
    orders, exact = _orders(X, max_exact, n_random, seed)
    df = X.shape[0] - X.shape[1]
    observed_each, observed_all = _fit(yi, vi, X, np.arange(len(yi))[:, None], method, ci, df)
    at_least = np.zeros(X.shape[1])
    at_least_all = 0
    for start in range(0, orders.shape[1], BLOCK):
        each, together = _fit(yi, vi, X, orders[:, start : start + BLOCK], method, ci, df)
        at_least += (np.abs(each) >= np.abs(observed_each) * (1 - TIE_TOLERANCE)).sum(axis=1)
        at_least_all += int((together >= observed_all * (1 - TIE_TOLERANCE)).sum())
    n = orders.shape[1]
    return PermutationP(at_least / n, at_least_all / n, n, exact)


def _fit(
    yi: FloatArray, vi: FloatArray, X: FloatArray, orders: npt.NDArray[np.intp], method: str, ci: str, df: int
) -> tuple[FloatArray, FloatArray]:
    """Statistics with the studies in each order (k, D): shuffling studies against a fixed X."""
    y, v = yi[orders], vi[orders]
    return statistics(sums(y, v, X, estimate_tau2(y, v, X, method)), df, ci)


def _orders(X: FloatArray, max_exact: int, n_random: int, seed: int) -> tuple[npt.NDArray[np.intp], bool]:
    """Orders of the studies (k, D), one for each arrangement of X's distinct rows if they are few enough."""
    k = len(X)
    _, kind = np.unique(X, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    sizes = Counter(kind.tolist())
    arrangements = math.factorial(k)
    for size in sizes.values():
        arrangements //= math.factorial(size)
    if arrangements <= max_exact:
        return _all_arrangements(kind), True
    rng = np.random.default_rng(seed)
    random = np.argsort(rng.random((k, n_random - 1)), axis=0)
    return np.column_stack([np.arange(k), random]), False


def _all_arrangements(kind: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """For each different sequence of the row kinds, one order of studies that realises it."""
    places = [np.flatnonzero(kind == value) for value in range(int(kind.max()) + 1)]
    orders = []
    for sequence in _sequences(tuple(kind.tolist())):
        at = np.array(sequence)
        order = np.empty(len(kind), dtype=np.intp)
        for value, rows in enumerate(places):
            order[rows] = np.flatnonzero(at == value)
        orders.append(order)
    return np.array(orders).T


def _sequences(kinds: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All different arrangements of a multiset, in lexicographic order."""
    if len(set(kinds)) == len(kinds):
        return list(permutations(sorted(kinds)))
    current = sorted(kinds)
    found = []
    while True:
        found.append(tuple(current))
        i = next((i for i in range(len(current) - 2, -1, -1) if current[i] < current[i + 1]), None)
        if i is None:
            return found
        j = next(j for j in range(len(current) - 1, i, -1) if current[j] > current[i])
        current[i], current[j] = current[j], current[i]
        current[i + 1 :] = reversed(current[i + 1 :])
