"""The real tables: they validate, they keep their promises, and frictionless agrees with our own checks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from evidence_folder import ROWS, Folder
from frictionless import system, validate

import headache_evidence as he
from headache_evidence.errors import EvidenceError
from headache_evidence.tables.schema import read_schema
from headache_evidence.tables.validation import check_evidence

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def evidence() -> he.Evidence:
    """The real tables."""
    return he.load_evidence(DATA)


def test_real_tables_have_no_error_and_only_known_warnings() -> None:
    faults = check_evidence(DATA)
    assert [str(fault) for fault in faults if fault.severity == "error"] == []
    assert {(fault.file, fault.column.split(",")[0]) for fault in faults} <= {
        ("outcomes.csv", "sd"),
        ("published_pools.csv", "measure"),
        ("published_pools.csv", "estimate"),
    }


def test_tables_have_all_that_was_extracted(evidence: he.Evidence) -> None:
    sizes = {"studies": 242, "arms": 405, "outcomes": 676, "contrasts": 201, "sources": 321, "second_extraction": 302}
    sizes |= {"published_pools": 72, "guidelines": 7, "mcid": 23}
    assert {name: len(getattr(evidence, name)) >= size for name, size in sizes.items()} == dict.fromkeys(sizes, True)


def test_a_changed_file_is_read_anew_and_tables_handed_out_may_be_changed(folder: Folder) -> None:
    first = he.load_evidence(folder.path)
    mark = first.content()
    first.studies["year"] = 1900
    assert first.content() != mark
    first.studies["notes_of_mine"] = [["one", "two"]]
    first.studies["band"] = first.studies["year"].astype("category").cat.set_categories([2020])
    assert hash(first.content()) != hash(mark)
    assert first.content() == first.content()
    again = he.load_evidence(folder.path)
    assert again.studies["year"].tolist() == [2020]
    assert again.content() == mark
    folder.edit("studies", 0, year="2021")
    assert he.load_evidence(folder.path).studies["year"].tolist() == [2021]
    folder.edit("studies", 0, year="last year")
    for _ in range(2):
        with pytest.raises(EvidenceError, match="last year"):
            he.load_evidence(folder.path)


def test_types_and_row_numbers(evidence: he.Evidence) -> None:
    for table in evidence.schema.tables:
        frame = getattr(evidence, table.name)
        assert list(frame.columns) == [*table.columns, "row"]
        assert frame["row"].dtype == "int64"
        for field in table.fields:
            expected = {"number": "float64", "integer": "Int64", "boolean": "bool"}.get(field.type, "str")
            assert frame[field.name].dtype == expected, (table.name, field.name)
            if expected == "str":
                assert frame[field.name].notna().all()
    lines = (DATA / "outcomes.csv").read_text(encoding="utf-8").splitlines()
    for record in evidence.outcomes.iloc[[0, 300, -1]].itertuples():
        assert lines[record.row - 1].startswith(f"{record.study_id},{record.arm_id},")


def test_files_are_utf8_with_lf_and_sorted_by_key(evidence: he.Evidence) -> None:
    for table in evidence.schema.tables:
        raw = (DATA / table.path).read_bytes()
        assert b"\r" not in raw
        assert not raw.startswith(b"\xef\xbb\xbf")
        assert raw.endswith(b"\n")
        first = getattr(evidence, table.name)[table.primary_key[0]]
        assert list(first) == sorted(first) or sorted(first, key=str.lower) == list(first), table.path


def test_retracted_work_is_in_the_table_and_excluded(evidence: he.Evidence) -> None:
    retracted = evidence.studies.loc[evidence.studies["retracted"], "study_id"]
    assert list(retracted) == ["RetractedPMID20464617"]
    flags = evidence.flags.loc[evidence.flags["study_id"].isin(retracted)]
    assert set(flags.loc[flags["table"] == "studies", "action"]) == {"exclude"}


def test_one_of_each_pair_of_reports_on_the_same_patients_is_excluded(evidence: he.Evidence) -> None:
    flags = evidence.flags
    excluded = set(flags.loc[(flags["table"] == "studies") & (flags["action"] == "exclude"), "study_id"])
    for pair in ({"AbuBakar2010", "Lambru2014"}, {"Yue2025", "Zhao2025"}, {"Aschehoug2018", "Bratbak2016"}):
        assert len(pair & excluded) == 1, pair


def test_every_flag_meets_a_row(evidence: he.Evidence) -> None:
    arm_columns = {"outcomes": ["arm_id"], "arms": ["arm_id"], "contrasts": ["arm_1", "arm_2"], "studies": []}
    for flag in evidence.flags.itertuples():
        rows = getattr(evidence, flag.table)
        rows = rows.loc[rows["study_id"] == flag.study_id]
        if flag.arm_id:
            rows = rows.loc[rows[arm_columns[flag.table]].eq(flag.arm_id).any(axis=1)]
        for key in ("outcome", "time_unit", "source_id"):
            if getattr(flag, key):
                rows = rows.loc[rows[key] == getattr(flag, key)]
        if pd.notna(flag.time_value):
            rows = rows.loc[rows["time_value"] == flag.time_value]
        assert len(rows), flag


def test_rows_whose_unit_is_not_the_patient_are_flagged(evidence: he.Evidence) -> None:
    rows = evidence.outcomes.loc[~evidence.outcomes["unit_of_analysis"].isin(["patient", "event"])]
    assert set(rows["study_id"]) <= set(evidence.flags["study_id"])


def test_topical_blocks_are_not_injections(evidence: he.Evidence) -> None:
    words = evidence.arms["label"].str.contains("transnasal|intranasal|nasal spray", case=False)
    assert set(evidence.arms.loc[words, "technique"]) == {"topical_block", "sham_topical"}


def test_saline_controls_are_placebo(evidence: he.Evidence) -> None:
    arms = evidence.arms
    saline = arms.loc[(arms["injectate"] == "saline") & (arms["role"] == "control")]
    assert set(saline["comparator_kind"]) == {"placebo_saline"}
    assert set(saline["technique"]) == {"sham_injection", "sham_topical"}


def test_allowed_words_and_their_meanings_are_the_same_list() -> None:
    package = json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))
    for resource in package["resources"]:
        for field in resource["schema"]["fields"]:
            assert field["description"], (resource["name"], field["name"])
            enum = field.get("constraints", {}).get("enum")
            assert enum == ([entry["value"] for entry in field["categories"]] if "categories" in field else None)


def test_rules_name_the_columns_they_use() -> None:
    for table in read_schema(DATA).tables:
        for rule in table.rules:
            words = set(re.findall(r"[a-z_0-9]+", re.sub(r'"[^"]*"', "", rule.violation)))
            assert words & set(table.columns) <= set(rule.fields), rule.name


def frictionless_faults(folder: Path) -> set[tuple[str, int | None]]:
    """(file, row) of every error that frictionless finds; row None for faults of a whole file or header."""
    with system.use_context(trusted=True):
        report = validate(str(folder / "datapackage.json"))
    return {
        (Path(str(task.place)).name, getattr(error, "row_number", None))
        for task in report.tasks
        for error in task.errors
    }


def test_frictionless_finds_the_real_tables_valid() -> None:
    assert frictionless_faults(DATA) == set()


def test_frictionless_and_we_agree_on_planted_faults(folder: Folder) -> None:
    outcomes = [dict(row) for row in ROWS["outcomes"]]
    outcomes[0]["mean"], outcomes[1]["sd"], outcomes[2]["arm_id"] = "3,5", "-1", "Z"
    folder.write("outcomes", [*outcomes, dict(outcomes[3])])
    arms = [dict(row) for row in ROWS["arms"]]
    arms[0]["technique"], arms[1]["sessions"] = "acupuncture", "1.5"
    folder.write("arms", arms)
    folder.edit("sources", url="see paper", kind="")
    folder.edit("studies", retracted="maybe", year="20")
    folder.write("mcid", [], [name for name in folder.schema.table("mcid").columns if name != "value"])
    ours = {
        (fault.file, fault.row if fault.row > 1 else None)
        for fault in check_evidence(folder.path)
        if fault.severity == "error"
    }
    assert ours == frictionless_faults(folder.path)
    assert len(ours) == 9
