"""The graph of a network: a node for each treatment, an edge for each direct comparison."""

from __future__ import annotations

import numpy as np
import pandas as pd

from headache_evidence.pools.network_contrasts import NetworkData


def network_nodes(data: NetworkData) -> pd.DataFrame:
    """One row per treatment: ``treatment``, ``k`` (studies), ``n`` (patients, NaN when not known).

    Patients of an arm that takes part in several contrasts count once.
    """
    ends = _ends(data.table).drop_duplicates(["study_id", "end"])
    nodes = ends.groupby("treatment", sort=True).agg(
        k=("study_id", "nunique"), n=("n", lambda n: n.sum(min_count=len(n)))
    )
    return nodes.reset_index()


def network_edges(data: NetworkData) -> pd.DataFrame:
    """One row per direct comparison, treat1 before treat2 by name: ``k`` (studies) and ``n`` (patients)."""
    table = data.table
    first = np.minimum(table["treat1"].astype(str), table["treat2"].astype(str))
    second = np.maximum(table["treat1"].astype(str), table["treat2"].astype(str))
    n = table["n1"] + table["n2"] if {"n1", "n2"} <= set(table.columns) else pd.Series(np.nan, index=table.index)
    edges = (
        pd.DataFrame({"treat1": first, "treat2": second, "study_id": table["study_id"], "n": n})
        .groupby(["treat1", "treat2"], sort=True)
        .agg(k=("study_id", "nunique"), n=("n", lambda n: n.sum(min_count=len(n))))
    )
    return edges.reset_index()


def _ends(table: pd.DataFrame) -> pd.DataFrame:
    sides = []
    for number in ("1", "2"):
        sides.append(
            pd.DataFrame(
                {
                    "study_id": table["study_id"],
                    "end": table[f"end{number}"],
                    "treatment": table[f"treat{number}"].astype(str),
                    "n": table[f"n{number}"].astype(float) if f"n{number}" in table.columns else np.nan,
                }
            )
        )
    return pd.concat(sides, ignore_index=True)
