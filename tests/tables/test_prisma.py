from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.errors import EvidenceError, InputError
from headache_evidence.tables.prisma import NOT_RECORDED, PrismaFlow, prisma_flow

DATA = Path(__file__).parents[2] / "data"
OUTCOMES = [
    ("screening", "excluded", "not_headache"),
    ("retrieval", "not_retrieved", "not_retrievable"),
    ("eligibility", "excluded", "retracted"),
    ("eligibility", "included", ""),
]


def evidence(records: pd.DataFrame) -> SimpleNamespace:
    return SimpleNamespace(screening=records)


def records(*outcomes: tuple[str, str, str]) -> pd.DataFrame:
    rows = [
        (f"r{i}", f"s{i}" if decision == "included" else "", "migraine", stage, decision, reason)
        for i, (stage, decision, reason) in enumerate(outcomes)
    ]
    return pd.DataFrame(rows, columns=["record_id", "report_of", "headache_type", "stage", "decision", "reason"])


@pytest.fixture(scope="module")
def screening() -> pd.DataFrame:
    return pd.read_csv(DATA / "screening.csv", dtype=str, keep_default_na=False)


def test_every_study_has_one_record_and_every_record_is_counted(screening: pd.DataFrame) -> None:
    studies = pd.read_csv(DATA / "studies.csv", dtype=str, keep_default_na=False)
    assert screening["record_id"].is_unique
    assert sorted(screening.loc[screening["study_id"] != "", "study_id"]) == sorted(studies["study_id"])
    flow = prisma_flow(evidence(screening))
    assert flow.records_screened == len(screening)
    assert flow.reports_not_retrieved == 26, "the list of works sought in vain"
    assert dict(flow.reports_excluded)["retracted"] == 1
    assert flow.reports_included - flow.studies_included == 3, "three reports tell of patients of another report"


def test_flows_by_headache_type_add_up_to_the_whole(screening: pd.DataFrame) -> None:
    flows = [prisma_flow(evidence(screening), kind) for kind in sorted(set(screening["headache_type"]))]
    whole = prisma_flow(evidence(screening))
    for field in ("records_screened", "reports_not_retrieved", "reports_assessed", "reports_included"):
        assert sum(getattr(flow, field) for flow in flows) == getattr(whole, field)


def test_unknown_numbers_are_not_recorded_and_said_so(screening: pd.DataFrame) -> None:
    flow = prisma_flow(evidence(screening))
    boxes = flow.boxes().set_index("box")["number"]
    assert boxes["identified_databases"] == NOT_RECORDED
    assert "not systematic" in flow.note


@given(st.lists(st.sampled_from(OUTCOMES)))
def test_the_numbers_always_add_up(outcomes: list[tuple[str, str, str]]) -> None:
    flow = prisma_flow(evidence(records(*outcomes)))
    assert flow.records_screened == len(outcomes)
    assert flow.reports_included == sum(decision == "included" for _, decision, _ in outcomes)
    assert isinstance(flow, PrismaFlow)


def test_a_flow_that_does_not_add_up_cannot_be_made() -> None:
    flow = prisma_flow(evidence(records(*OUTCOMES)))
    with pytest.raises(InputError, match="reports sought"):
        replace(flow, reports_not_retrieved=5)
    with pytest.raises(InputError, match="cannot come from"):
        replace(flow, studies_included=2)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (("eligibility", "maybe", ""), "allowed are included"),
        (("screening", "included", ""), "at stage 'screening'"),
        (("eligibility", "excluded", "boring"), "reason is 'boring'"),
    ],
)
def test_contradictory_records_are_named(outcome: tuple[str, str, str], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        prisma_flow(evidence(records(outcome)))


def test_every_study_of_the_tables_has_its_place_in_the_flow(screening: pd.DataFrame) -> None:
    """By headache type: studies of studies.csv = included + reports of their patients + excluded + not retrieved."""
    studies = pd.read_csv(DATA / "studies.csv", dtype=str, keep_default_na=False)
    type_of = studies.set_index("study_id")["headache_type"]
    own = screening[screening["study_id"] != ""].set_index("study_id")
    assert (own["headache_type"] == type_of.reindex(own.index)).all()
    for kind, of_type in own.groupby("headache_type"):
        included = of_type[of_type["decision"] == "included"]
        flow = prisma_flow(evidence(screening), str(kind))
        assert flow.reports_included == len(included)
        assert flow.studies_included == included["report_of"].nunique()
        others = of_type["decision"].isin(["excluded", "not_retrieved"]).sum()
        assert (type_of == kind).sum() == flow.reports_included + others


def test_where_the_migraine_studies_of_the_tables_went(screening: pd.DataFrame) -> None:
    """67 rows: 64 studies included, Yue2025 a second report of Zhao2025, one retracted, one not retrieved."""
    own = screening[(screening["headache_type"] == "migraine") & (screening["study_id"] != "")]
    flow = prisma_flow(evidence(screening), "migraine")
    assert (len(own), flow.reports_included, flow.studies_included) == (67, 65, 64)
    assert list(own.loc[(own["decision"] == "included") & (own["report_of"] != own["study_id"]), "study_id"]) == [
        "Yue2025"
    ]
    assert dict(zip(own["study_id"], own["reason"], strict=True))["Gul2017"] == "not_retrievable"
    assert dict(zip(own["study_id"], own["reason"], strict=True))["RetractedPMID20464617"] == "retracted"
