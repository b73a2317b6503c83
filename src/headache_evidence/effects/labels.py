"""How a study is called in figures and tables: first author and year."""

from __future__ import annotations

import pandas as pd


def study_labels(studies: pd.DataFrame) -> pd.Series:
    """Labels by study_id: 'Inan 2015'; 'author not visible (study_id)' where none was seen; a, b where two coincide.

    Parameters
    ----------
    studies : rows of studies.csv with ``study_id``, ``authors`` and ``year``.
    """
    ordered = studies.sort_values("study_id")
    first = (
        ordered["authors"].str.replace(r"\s+(et al\.?|and .*)$", "", regex=True).str.split(r"[,;]").str[0].str.strip()
    )
    unseen = first.str.lower().str.contains("not in|not visible|not shown") | (first == "")
    year = ordered["year"].astype("Int64").astype("string").fillna("year not visible")
    label = (first + " " + year).where(~unseen, "author not visible (" + ordered["study_id"] + ")")
    twins = label.duplicated(keep=False)
    letter = label.groupby(label).cumcount().map(lambda i: chr(ord("a") + i % 26))
    label = label.where(~twins, label + letter)
    return pd.Series(label.to_numpy(dtype=object), index=ordered["study_id"].to_numpy(dtype=object), name="label")
