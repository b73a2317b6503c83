"""What counts as reported, on a planted study base."""

from __future__ import annotations

import numpy as np
import pandas as pd

from headache_evidence.tables.reporting import OUTCOMES, PROCEDURE, reported_items


class Planted:
    """Three studies: one reports all, one in part, one is silent and has no treated arm."""

    studies = pd.DataFrame({"study_id": ["A", "B", "C"]})
    arms = pd.DataFrame(
        {
            "study_id": ["A", "A", "B", "B", "C"],
            "comparator_kind": ["", "placebo_saline", "", "", "usual_care"],
            "guidance": ["ultrasound", "not_reported", "landmark", "not_reported", "ultrasound"],
            "nerves": ["greater_occipital", "", "", "", "x"],
            "injectate": ["lidocaine", "", "lidocaine", "saline", ""],
            "volume_ml": [2.0, np.nan, np.nan, np.nan, 3.0],
        }
    )
    outcomes = pd.DataFrame(
        [
            {"study_id": "A", "outcome": "pain_intensity", "mean": 4.0, "sd": 1.0, "n": 20},
            {"study_id": "B", "outcome": "pain_intensity", "mean": 4.0, "n": 20},
            {"study_id": "B", "outcome": "responder_50", "percent": 40.0},
            {"study_id": "A", "outcome": "responder_50", "events": 3.0, "total": 20},
        ],
        columns=(
            [
                "study_id",
                "outcome",
                "mean",
                "median",
                "sd",
                "se",
                "ci_low",
                "q1",
                "min",
                "events",
                "total",
                "percent",
                "n",
            ]  # as in outcomes.csv
        ),
    )
    contrasts = pd.DataFrame(
        [
            {"study_id": "C", "outcome": "attacks", "estimate": -2.0, "ci_low": -3.0},
            {"study_id": "C", "outcome": "hit6", "estimate": np.nan, "ci_low": np.nan},
        ]
    )


def test_whole_part_and_silence() -> None:
    table = reported_items(Planted())  # type: ignore[arg-type]
    assert list(table.columns) == [*PROCEDURE, *OUTCOMES]
    assert table["guidance"].to_dict() == {"A": "yes", "B": "partly", "C": ""}
    assert table["nerves"].to_dict() == {"A": "yes", "B": "no", "C": ""}
    assert table["volume"].to_dict() == {"A": "yes", "B": "no", "C": ""}
    assert table["pain_intensity"].to_dict() == {"A": "yes", "B": "partly", "C": "no"}
    assert table["responders_or_pain_free"].to_dict() == {"A": "yes", "B": "partly", "C": "no"}
    assert table["attacks"].to_dict() == {"A": "no", "B": "no", "C": "yes"}
    assert table["disability"].to_dict() == {"A": "no", "B": "no", "C": "partly"}
