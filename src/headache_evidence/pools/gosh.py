"""GOSH: the pooled result of every subset of the studies (Olkin, Dahabreh & Trikalinos 2012)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import study_data
from headache_evidence.errors import InputError
from headache_evidence.pools.pool_columns import PooledColumns, pool_columns

MAX_STUDIES = 62  # members of a subset are the bits of a 64-bit integer
BLOCK_SUBSETS = 2**17
GOSH_COLUMNS = ("estimate", "tau2", "i2", "q")

Masks = npt.NDArray[np.int64]


def gosh(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    method: str = "REML",
    max_subsets: int = 2**20,
    seed: int = 1,
) -> pd.DataFrame:
    """Pool every non-empty subset of the studies.

    Parameters
    ----------
    effects, yi, vi, labels, method : as in ``pool``.
    max_subsets : above it, this many different subsets are drawn at random, each equally likely.
    seed : of the draw.

    Returns
    -------
    DataFrame
        One row per subset, ordered by ``members``: ``members`` (bit i set: study i is in; see ``gosh_members``), ``k``,
        ``estimate``, ``tau2``, ``i2`` (percent) and ``q``; the last three are NaN for single studies. ``attrs`` holds
        ``labels``, ``subsets`` (2^k - 1), ``sampled`` (True when drawn) and ``seed``.

    Raises
    ------
    InputError
        for more than 62 studies or ``max_subsets`` below 1.
    """
    data = study_data(effects, yi=yi, vi=vi, labels=labels)
    if data.k > MAX_STUDIES:
        raise InputError(f"GOSH takes at most {MAX_STUDIES} studies; got {data.k}.")
    if max_subsets < 1:
        raise InputError(f"max_subsets = {max_subsets}; at least 1.")
    subsets = 2**data.k - 1
    sampled = subsets > max_subsets
    masks = _draw_masks(data.k, max_subsets, seed) if sampled else np.arange(1, subsets + 1, dtype=np.int64)
    sizes = np.bitwise_count(masks).astype(np.int64)
    columns = {name: np.empty(masks.size) for name in GOSH_COLUMNS}
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        for start in range(0, rows.size, BLOCK_SUBSETS):
            block = rows[start : start + BLOCK_SUBSETS]
            chosen = _members_by_size(masks[block], data.k, int(size))
            pooled: PooledColumns = pool_columns(data.yi[chosen], data.vi[chosen], method, "wald")
            for name, values in columns.items():
                values[block] = getattr(pooled, name)
    table = pd.DataFrame({"members": masks, "k": sizes, **columns})
    table.attrs = {"labels": list(data.labels), "subsets": subsets, "sampled": sampled, "seed": seed}
    return table


def gosh_members(subsets: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which studies are in which subset: a row per row of a GOSH table, a column per study."""
    return _bits(subsets["members"].to_numpy(dtype=np.int64), len(subsets.attrs["labels"]))


def _bits(masks: Masks, k: int) -> npt.NDArray[np.bool_]:
    return np.asarray((masks[:, None] >> np.arange(k, dtype=np.int64)) & 1, dtype=bool)


def _members_by_size(masks: Masks, k: int, size: int) -> npt.NDArray[np.intp]:
    """Study numbers of subsets of one size; shape (size, subsets)."""
    return np.ascontiguousarray(np.nonzero(_bits(masks, k))[1].reshape(-1, size).T)


def _draw_masks(k: int, count: int, seed: int) -> Masks:
    """``count`` different non-empty subsets of k studies, all equally likely, in ascending order."""
    rng = np.random.default_rng(seed)
    drawn = np.empty(0, dtype=np.int64)
    while drawn.size < count:
        drawn = np.unique(np.concatenate([drawn, rng.integers(1, 2**k, size=count, dtype=np.int64)]))
    return np.sort(rng.permutation(drawn)[:count])
