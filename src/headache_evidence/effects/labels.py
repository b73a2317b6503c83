"""How a study is called in figures and tables: first author and year, or its title where no author was seen."""

from __future__ import annotations

import textwrap

import pandas as pd

TITLE_WIDTH = 34  # letters: with its year no wider than a long first author and what follows
NO_YEAR = "no year"


def study_labels(studies: pd.DataFrame) -> pd.Series:
    """Labels by study_id: 'Inan 2015'; where no author was seen the first words of the title and the year.

    A title stands in quotation marks; words of the extractor for a title that was not seen stand in brackets. Labels
    that coincide get a, b, ...

    Parameters
    ----------
    studies : rows of studies.csv with ``study_id``, ``authors``, ``year`` and ``title``.
    """
    ordered = studies.sort_values("study_id")
    first = (
        ordered["authors"].str.replace(r"\s+(et al\.?|and .*)$", "", regex=True).str.split(r"[,;]").str[0].str.strip()
    )
    unseen = first.str.lower().str.contains("not in|not visible|not shown") | (first == "")
    name = first.where(~unseen, ordered["title"].map(_short_title))
    name = name.where(name != "", ordered["study_id"])
    year = ordered["year"].astype("Int64").astype("string").fillna(NO_YEAR)
    label = name + " " + year
    twins = label.duplicated(keep=False)
    before = [" " if when == NO_YEAR else "" for when in year]
    nth = label.groupby(label).cumcount()
    letters = [gap + chr(ord("a") + i % 26) for gap, i in zip(before, nth, strict=True)]
    label = label.where(~twins, label + pd.Series(letters, index=label.index))
    return pd.Series(label.to_numpy(dtype=object), index=ordered["study_id"].to_numpy(dtype=object), name="label")


def _short_title(title: str) -> str:
    """The first words of a title in quotation marks, or in brackets where they are the extractor's; '' without one."""
    words, _, remark = title.partition("(")
    short = textwrap.shorten(words, TITLE_WIDTH, placeholder="…", break_on_hyphens=False)
    if not short:
        return ""
    return f"[{short}]" if "title" in remark else f"“{short}”"
