from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.errors import InputError
from headache_evidence.tables import risk_of_bias as rob

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(DATA / "risk_of_bias.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def studies() -> pd.DataFrame:
    return pd.read_csv(DATA / "studies.csv", dtype=str, keep_default_na=False)


def rob2(**changed: str) -> dict[str, str]:
    return dict.fromkeys(rob.DOMAINS[rob.ROB2], "low") | changed


def robins(**changed: str) -> dict[str, str]:
    return dict.fromkeys(rob.DOMAINS[rob.ROBINS_I], "low") | changed


@pytest.mark.parametrize(
    ("judgements", "expected"),
    [
        (rob2(), "low"),
        (rob2(measurement="some_concerns"), "some_concerns"),
        (rob2(measurement="some_concerns", reporting="some_concerns"), "some_concerns"),
        (rob2(measurement="some_concerns", reporting="some_concerns", deviations="some_concerns"), "high"),
        (rob2(missing_data="high"), "high"),
        (rob2(missing_data="high", reporting="no_information"), "high"),
        (rob2(reporting="no_information"), "no_information"),
        (rob2(reporting="no_information", measurement="some_concerns"), "some_concerns"),
    ],
)
def test_rob2_overall(judgements: dict[str, str], expected: str) -> None:
    assert rob.rob2_overall(judgements)[0] == expected


@pytest.mark.parametrize(
    ("judgements", "expected"),
    [
        (robins(), "low"),
        (robins(confounding="moderate"), "moderate"),
        (robins(confounding="moderate", selection="serious"), "serious"),
        (robins(confounding="critical", selection="serious"), "critical"),
        (robins(confounding="moderate", selection="no_information"), "no_information"),
        (robins(confounding="serious", selection="no_information"), "serious"),
    ],
)
def test_robins_i_overall_is_the_worst_domain(judgements: dict[str, str], expected: str) -> None:
    assert rob.robins_i_overall(judgements)[0] == expected


def test_a_study_without_comparison_is_never_low() -> None:
    met = dict.fromkeys(rob.DOMAINS[rob.JBI], "yes")
    assert rob.jbi_overall(met)[0] == "some_concerns"
    assert rob.jbi_overall(met | {"follow_up": "unclear"})[0] == "no_information"
    assert rob.jbi_overall(met | {"follow_up": "no", "inclusion": "unclear"})[0] == "high"


@given(st.lists(st.sampled_from(rob.ANSWERS[rob.ROB2]), min_size=5, max_size=5), st.integers(0, 4))
def test_worse_in_one_domain_is_never_better_overall(answers: list[str], place: int) -> None:
    order = ["low", "no_information", "some_concerns", "high"]
    domains = rob.DOMAINS[rob.ROB2]
    before = rob.rob2_overall(dict(zip(domains, answers, strict=True)))[0]
    answers[place] = "high"
    after = rob.rob2_overall(dict(zip(domains, answers, strict=True)))[0]
    assert order.index(after) >= order.index(before)


def test_missing_domain_and_unknown_word_are_named() -> None:
    with pytest.raises(InputError, match="reporting"):
        rob.rob2_overall({d: "low" for d in rob.DOMAINS[rob.ROB2] if d != "reporting"})
    with pytest.raises(InputError, match="medium"):
        rob.rob2_overall(rob2(reporting="medium"))


def test_faults_name_the_study() -> None:
    rows = [("X1", rob.ROB2, domain, "low") for domain in rob.DOMAINS[rob.ROB2]]
    frame = pd.DataFrame(rows, columns=["study_id", "tool", "domain", "judgement"])
    with pytest.raises(InputError, match=r"X1.*twice"):
        rob.overall_judgements(pd.concat([frame, frame.head(1)]))
    with pytest.raises(InputError, match=r"X1.*tools"):
        rob.overall_judgements(frame.assign(tool="coin toss"))


def test_overall_rows_follow_the_algorithm(table: pd.DataFrame) -> None:
    computed = rob.overall_risk_of_bias(SimpleNamespace(risk_of_bias=table)).set_index("study_id")  # type: ignore[arg-type]
    printed = table[table["domain"] == rob.OVERALL].set_index("study_id")
    assert printed["judgement"].sort_index().equals(computed["overall"].rename("judgement"))
    assert printed["reason"].sort_index().equals(computed["reason"])


def test_every_study_is_judged_with_the_tool_of_its_design(table: pd.DataFrame, studies: pd.DataFrame) -> None:
    tool = table.drop_duplicates("study_id").set_index("study_id")["tool"]
    design = studies.set_index("study_id")["design"]
    assert set(tool.index) == set(design.index)
    randomised = design.str.startswith("rct")
    assert (tool[design.index[randomised]] == rob.ROB2).all()
    assert (tool[design.index[~randomised]] != rob.ROB2).all()
    assert (tool[design.index[design == "nonrandomised_controlled"]] == rob.ROBINS_I).all()


def test_every_judgement_has_a_reason_and_a_good_one_has_a_signal(table: pd.DataFrame) -> None:
    assert (table["reason"] != "").all()
    good = table[table["judgement"].isin(["low", "yes"]) & (table["domain"] != rob.OVERALL)]
    assert (good["signal"] != "").all()


def test_signals_are_quoted_from_the_studies_table(table: pd.DataFrame, studies: pd.DataFrame) -> None:
    by_study = studies.set_index("study_id")
    for row in table[table["signal"].str.startswith("bias_")].itertuples():
        column, _, text = row.signal.partition(": ")
        assert text.startswith(by_study.at[row.study_id, column]), f"{row.study_id} {row.domain}"


def test_randomisation_without_a_method_is_no_information(table: pd.DataFrame) -> None:
    """'Random number table' alone is not low, and 'method not in abstract' is no information."""
    judged = table[table["domain"] == "randomisation"].set_index("study_id")["judgement"]
    assert judged["Abdelaziz2023"] == "no_information"
    assert judged["YuQ2022"] == judged["LinJS2024"] == "some_concerns"
    assert "low" not in set(judged)
