"""The figures of the evidence base hold every study of their headache type, and are saved under steady names."""

from __future__ import annotations

from pathlib import Path

import pytest

import headache_evidence as he
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return he.load_evidence(DATA)


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return he.load_protocol(DATA / "protocol.yml")


@pytest.mark.parametrize("headache_type", ["migraine", "post_traumatic"])
def test_every_study_is_in_each_figure(evidence: Evidence, protocol: Protocol, headache_type: str) -> None:
    studies = evidence.studies.loc[evidence.studies["headache_type"] == headache_type]
    judged = evidence.risk_of_bias.loc[evidence.risk_of_bias["study_id"].isin(studies["study_id"])]
    reported = sum(len(figure.numbers) for figure in he.reporting_map_figures(evidence, headache_type))
    assert reported == len(studies)
    assert len(he.study_timeline_figure(evidence, protocol, headache_type).numbers) == studies["year"].notna().sum()
    bars = list(he.risk_of_bias_summary_figures(evidence, headache_type))
    assert sum(figure.numbers.query("domain == 'overall'")["studies"].sum() for figure in bars) == len(
        judged["study_id"].unique()
    )
    with_lights = {study for f in he.risk_of_bias_figures(evidence, headache_type) for study in f.numbers["study_id"]}
    uncontrolled = set(judged.loc[judged["tool"].str.startswith("JBI"), "study_id"])
    assert with_lights | uncontrolled == set(judged["study_id"])


def test_the_table_gives_every_judged_study_a_reason(evidence: Evidence) -> None:
    shown = he.show_risk_of_bias(evidence, "cluster").data
    assert len(shown) == (evidence.studies["headache_type"] == "cluster").sum()
    assert (shown["why"] != "").all()


def test_a_study_with_hydrodissection_counts_as_such(evidence: Evidence, protocol: Protocol) -> None:
    hydro = set(evidence.arms.loc[evidence.arms["technique"] == "hydrodissection", "study_id"])
    dated = evidence.studies.loc[evidence.studies["study_id"].isin(hydro) & evidence.studies["year"].notna()]
    found = sum(
        (he.study_timeline_figure(evidence, protocol, headache_type).numbers["technique"] == "hydrodissection").sum()
        for headache_type in dated["headache_type"].unique()
    )
    assert found == len(dated)


def test_the_evidence_map_counts_a_study_of_several_answers_once(evidence: Evidence, protocol: Protocol) -> None:
    answers = he.answer_questions(evidence, protocol, "migraine", ["responder_50"])
    table = he.evidence_map_figure(evidence, protocol, answers).numbers
    assert set(table["headache_type"]) == set(protocol.headache_types.values())
    row = table.loc[(table["headache_type"] == "Migraine") & (table["k"] > 0)]
    studies = {s for a in answers for s in a.effects.loc[a.effects["usable"], "study_id"]}
    assert row["k"].tolist() == [len(studies)]
    assert row["n"].iloc[0] <= sum(a.pooled.n for a in answers if a.pooled.k)


def test_figures_are_saved_under_the_headache_type(evidence: Evidence, tmp_path: Path) -> None:
    he.study_flow_figure(evidence, "cluster", tmp_path)
    list(he.risk_of_bias_figures(evidence, "cluster", tmp_path))
    names = sorted(path.name for path in (tmp_path / "figures").glob("*.svg"))
    assert names == ["cluster.bias.rob_2.svg", "cluster.bias.robins_i.svg", "cluster.flow.svg"]


def test_courses_start_at_the_baseline(evidence: Evidence, protocol: Protocol) -> None:
    table = he.course_figure(evidence, protocol, "migraine", "headache_days").numbers
    assert (table.groupby(["label", "arm"])["weeks"].size() > 1).all()
    assert (table["weeks"] == 0).any()
