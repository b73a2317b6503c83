"""What the rows of a study hold together, as one text."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd


def distinct_texts(table: pd.DataFrame, column: str, without: Collection[str] = ()) -> pd.Series:
    """The different values of a column in alphabetical order, joined by commas, by study_id."""
    return table.groupby("study_id")[column].agg(lambda values: ", ".join(sorted(set(values) - set(without))))


def addresses(sources: pd.DataFrame) -> pd.Series:
    """The web addresses of sources.csv in the order of the file, by study_id."""
    return sources.groupby("study_id")["url"].agg(" ; ".join)
