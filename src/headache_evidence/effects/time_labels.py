"""One time, one name: a number printed without words for its time stands at the time that the others name."""

from __future__ import annotations

import pandas as pd

KEYS = ["study_id", "outcome", "adverse_event", "is_baseline", "weeks"]
WEEKS_DECIMALS = 6


def with_shared_labels(rows: pd.DataFrame, contrasts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give an empty ``time_label`` the one label that the same study and outcome have at the same weeks.

    Rows of arms and contrasts between them are often printed in different places of a paper, one with words for the
    time ("2-4 days after the third injection") and one with the number alone. They are one time. Where several labels
    stand at the same weeks (sitting and supine pain, say) nothing tells which is meant, and the label stays empty.
    An unknown time without a label joins the only unknown time that has one.

    Parameters
    ----------
    rows, contrasts : tables with ``study_id``, ``outcome``, ``adverse_event``, ``is_baseline``, ``weeks``,
        ``time_label``.
    """
    both = pd.concat([rows[[*KEYS, "time_label"]], contrasts[[*KEYS, "time_label"]]], ignore_index=True)
    both = both.assign(weeks=both["weeks"].astype(float).round(WEEKS_DECIMALS))
    labels = both["time_label"].where(both["time_label"] != "")
    groups = labels.groupby([both[key] for key in KEYS], dropna=False)
    shared = groups.transform("first").where(groups.transform("nunique") == 1)
    filled = labels.fillna(shared).fillna("").to_numpy(dtype=object)
    return rows.assign(time_label=filled[: len(rows)]), contrasts.assign(time_label=filled[len(rows) :])
