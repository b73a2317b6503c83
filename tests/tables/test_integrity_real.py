"""The doubts that a reader wrote down beside the real tables and that a number can show: the screen finds each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from headache_evidence.tables.evidence import load_evidence
from headache_evidence.tables.integrity import SCREEN_COLUMNS, UNRESOLVED, rule_table, screen

DATA = Path(__file__).parents[2] / "data"

NAMED_DOUBTS = [
    ("RetractedPMID20464617", "retracted", "retracted"),
    ("Gursoy2024", "sd_impossible", "SD 2.69"),
    ("ChowdhuryTopiramate", "percent_fits_no_count", "62.4%"),
    ("Miller2019", "percent_fits_no_count", "55.4% of 119"),
    ("Goldberg2008", "events_against_percent", "10 of 39, printed 24%"),
    ("Shim2011", "standard_error_as_sd", "spread 0.2"),
    ("Dergin2012", "spread_unlabelled", "1.43"),
    ("Dergin2012", "standard_error_as_sd", "spread 1.43"),
    ("Hong2025", "spread_unlabelled", "1.6"),
    ("Hou2022", "spread_unlabelled", "10.5"),
    ("GONSONacute191", "share_against_spread", "SD 1.9746"),
    ("Takmaz2008", "spread_jumps", "55.2 at first, 4.7 later"),
    ("Brandt2025", "estimate_outside_interval", "estimate 60"),
    ("Brandt2025", "interval_against_p", "p = 0.23"),
    ("CvetkovicGONb", "intervals_quoted_differ", "0.6 to 3.7"),
    ("Cohen2015", "arms_against_p", "p < 0.001"),
    ("Cohen2015", "arms_against_p", "p = 0.037"),
    ("Leroux2011", "arms_against_p", "p = 0.012"),
    ("Ashkenazi2008", "arms_against_p", "p = 0.67"),
    ("Szperka2024", "arms_against_p", "p = 0.01"),
    ("Avcu2017", "interval_repeated", "0.1 to 2.1"),
    ("Zhao2025", "interval_not_symmetric", "26.7"),
    ("WuSJ2016", "arms_too_alike", "B and C at 3 times"),
    ("Ea2016", "arm_sum_against_study", "63"),
    ("SahaiSrivastava2010", "arm_sum_against_study", "89"),
    ("Seeger2015", "n_above_arm", "15"),
    ("Gaul2013", "n_above_arm", "101"),
    ("Leinisch2005", "counts_do_not_add_up", "non_responder 11"),
    ("Ozer2019", "unequal_loss", "lost 15 of 43"),
    ("IlhanAlp2013", "smaller_scale", "mean 3.2"),
    ("Kissoon2022", "change_direction", "0.5"),
    ("HidayatiND", "estimate_outside_interval", "-3.7"),
    ("HidayatiND", "interval_against_p", "p = 0.02"),
    ("CureusRFAESI2023", "ratio_not_positive", "-0.5"),
    ("Shauly2019", "interval_against_p", "p < 1e-05"),
    ("Shauly2019", "interval_against_p", "p = 0.0121"),
]


@pytest.fixture(scope="module")
def hits() -> pd.DataFrame:
    return screen(load_evidence(DATA))


@pytest.mark.parametrize(("study_id", "rule", "found"), NAMED_DOUBTS)
def test_named_doubt_is_found(hits: pd.DataFrame, study_id: str, rule: str, found: str) -> None:
    own = hits[(hits["study_id"] == study_id) & (hits["rule"] == rule)]
    assert own["found"].str.contains(found, regex=False).any(), f"{rule} does not find {found!r} in {study_id}"


def test_known_doubts_show_their_verdict(hits: pd.DataFrame) -> None:
    def verdicts(study_id: str, rule: str) -> set[str]:
        return set(hits.loc[(hits["study_id"] == study_id) & (hits["rule"] == rule), "verdict"])

    assert verdicts("Gursoy2024", "sd_impossible") == {"exclude"}
    assert verdicts("Miller2019", "percent_fits_no_count") == {"sensitivity"}
    assert verdicts("Cohen2015", "arms_against_p") == {"keep"}
    assert verdicts("Binfalah2018", "percent_fits_no_count") == {UNRESOLVED}
    assert verdicts("HidayatiND", "estimate_outside_interval") == {"noted"}
    resolved = hits[hits["verdict"] != UNRESOLVED]
    assert (resolved["verdict_reason"] != "").all()


def test_a_verdict_of_one_place_does_not_answer_another(hits: pd.DataFrame) -> None:
    """The flag on arm C of this study says nothing about arm D."""
    own = hits[(hits["study_id"] == "GONdistalproximalCS") & (hits["rule"] == "percent_fits_no_count")]
    assert sorted(own["verdict"]) == ["exclude", UNRESOLVED]


def test_every_hit_points_to_a_row_and_says_why(hits: pd.DataFrame) -> None:
    assert tuple(hits.columns) == SCREEN_COLUMNS
    assert not hits.isna().any().any()
    assert (hits[["found", "expected", "why", "column"]] != "").all().all()
    for table, group in hits.groupby("table"):
        text = (DATA / f"{table}.csv").read_text(encoding="utf-8").splitlines()
        for hit in group.itertuples():
            assert text[hit.row - 1].startswith(f"{hit.study_id},"), f"{table} row {hit.row}"


def test_hits_stay_worth_a_reviewers_time(hits: pd.DataFrame) -> None:
    """Fewer than 60 errors and doubts on 676 outcome rows, 201 contrasts and 72 pools; more asks for a better rule."""
    assert (hits["severity"] != "information").sum() < 60
    table = rule_table(hits)
    assert table["hits"].sum() == len(hits)
    assert table["question"].str.len().min() > 20
