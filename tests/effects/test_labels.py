"""A study is named by author and year, or by its title where no author was seen; never by an internal id."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import headache_evidence as he
from headache_evidence.effects.labels import study_labels

DATA = Path(__file__).parents[2] / "data"


def labels(*studies: tuple[str, str, object, str]) -> dict[str, str]:
    table = pd.DataFrame(studies, columns=["study_id", "authors", "year", "title"])
    return study_labels(table.astype({"year": "Int64"})).to_dict()


def test_first_author_and_year() -> None:
    assert labels(("Inan2015", "Inan et al.", 2015, "A trial")) == {"Inan2015": "Inan 2015"}


def test_the_title_stands_where_no_author_was_seen() -> None:
    long = "Cerebellar syndrome after occipital nerve block. A case report"
    assert labels(("X1", "", 2020, long)) == {"X1": "“Cerebellar syndrome after…” 2020"}
    unseen = "Modified ganglion block (title not seen)"
    assert labels(("X2", "", None, unseen)) == {"X2": "[Modified ganglion block] no year"}
    assert labels(("X3", "", 2001, "")) == {"X3": "X3 2001"}


def test_labels_that_coincide_get_letters() -> None:
    twins = labels(
        ("A1", "Inan", 2015, ""), ("A2", "Inan", 2015, ""), ("B1", "Afridi", None, ""), ("B2", "Afridi", None, "")
    )
    assert list(twins.values()) == ["Inan 2015a", "Inan 2015b", "Afridi no year a", "Afridi no year b"]


def test_real_labels_are_different_and_say_no_id() -> None:
    studies = he.load_evidence(DATA).studies
    found = study_labels(studies)
    assert found.is_unique
    assert found.str.len().max() <= 45
    unnamed = found[found.str.contains("“|\\[", regex=True)]
    assert len(unnamed) == 48
    assert not any(study_id in label for study_id, label in unnamed.items())
