"""Every fault that a table can have is found and named with file, row, column, value and what is allowed."""

from __future__ import annotations

import codecs
import json
import re

import pytest
from evidence_folder import ROWS, Folder, make_folder

from headache_evidence.errors import EvidenceError
from headache_evidence.tables.evidence import load_evidence
from headache_evidence.tables.faults import Fault
from headache_evidence.tables.validation import check_evidence

ROW_FAULTS = [
    # table, changed values, column, what the message must say
    ("studies", {"headache_type": "migrane"}, "headache_type", ["tension_type", "Did you mean 'migraine'?"]),
    ("studies", {"headache_type": "Migraine"}, "headache_type", ["Did you mean 'migraine'?"]),
    ("studies", {"headache_type": ""}, "headache_type", ["a value is required", "migraine"]),
    ("studies", {"retracted": "maybe"}, "retracted", ["yes, no"]),
    ("studies", {"year": "12020"}, "year", ["a whole number from 1950 to 2100"]),
    ("studies", {"year": "2020.5"}, "year", ["a whole number is needed"]),
    ("studies", {"doi": "doi:10.1/x"}, "doi", ["pattern"]),
    ("outcomes", {"mean": "about 12"}, "mean", ["a number is needed"]),
    ("outcomes", {"mean": "5-Jan"}, "mean", ["date that a spreadsheet made"]),
    ("outcomes", {"mean": "Jan-05"}, "mean", ["date that a spreadsheet made"]),
    ("outcomes", {"mean": "2025-03-04"}, "mean", ["date that a spreadsheet made"]),
    ("outcomes", {"mean": "04/03/2025"}, "mean", ["date that a spreadsheet made"]),
    ("outcomes", {"mean": "3,5"}, "mean", ["decimal comma: write 3.5"]),
    ("outcomes", {"mean": "\N{MINUS SIGN}3.5"}, "mean", ["typographic minus: write -3.5"]),
    ("outcomes", {"mean": "#REF!"}, "mean", ["error value of a spreadsheet"]),
    ("outcomes", {"mean": "NA"}, "mean", ["Leave the field empty"]),
    ("outcomes", {"mean": "inf"}, "mean", ["a number is needed"]),
    ("outcomes", {"percent": "40%", "mean": "", "sd": ""}, "percent", ["without the percent sign"]),
    ("outcomes", {"percent": "140", "mean": "", "sd": ""}, "percent", ["from 0 to 100"]),
    ("outcomes", {"sd": "-4.5"}, "sd", ["at least 0"]),
    ("outcomes", {"n": "20.5"}, "n", ["a whole number is needed"]),
    ("outcomes", {"n": "0"}, "n", ["at least 1"]),
    ("outcomes", {"mean": " 12.5"}, "mean", ["spaces before or after"]),
    ("outcomes", {"outcome": "headache_days "}, "outcome", ["spaces before or after"]),
    ("outcomes", {"outcome": "headache_day"}, "outcome", ["Did you mean 'headache_days'?"]),
    ("outcomes", {"ci_low": "14", "ci_high": "11"}, "ci_low, ci_high", ["ci_low must not be above ci_high"]),
    ("outcomes", {"median": "3", "q1": "4", "q3": "5"}, "q1, median, q3", ["ascending order"]),
    ("outcomes", {"min": "14", "max": "20"}, "min, mean, max", ["ascending order"]),
    ("outcomes", {"scale": "nrs_0_10", "mean": "62"}, "mean, sd, scale", ["is it 0 to 100?"]),
    ("outcomes", {"mean": "32"}, "mean, scale", ["no more days than the period has"]),
    ("outcomes", {"adverse_event": "any"}, "outcome, adverse_event", ["only then"]),
    ("outcomes", {"arm_id": "C"}, "arm_id", ["no arm_id 'C' of Synthetic2020 in arms.csv", "A, B"]),
    ("outcomes", {"source_id": "s9"}, "source_id", ["no source_id 's9' of Synthetic2020 in sources.csv"]),
    ("outcomes", {"study_id": "Synthetic2021"}, "study_id", ["no study_id 'Synthetic2021' in studies.csv"]),
    ("arms", {"nerves": "greater_ocipital"}, "nerves", ["joined by ';'", "Did you mean 'greater_occipital'?"]),
    ("arms", {"n_randomised": "19"}, "n_analysed, n_randomised", ["must not exceed n_randomised"]),
    ("contrasts", {"ci_low": "-1.6", "ci_high": "-7.2"}, "ci_low, ci_high", ["ci_low must not be above"]),
    ("contrasts", {"estimate": "4.4"}, "estimate, ci_low, ci_high", ["the estimate lies between"]),
    ("contrasts", {"measure": "OR"}, "measure, estimate, ci_low, ci_high", ["a ratio is above 0"]),
    ("contrasts", {"arm_1": "B+C"}, "arm_1", ["no arm_id 'C' of Synthetic2020"]),
    ("contrasts", {"p": "<0.05"}, "p", ["operator has its own column"]),
    ("contrasts", {"arm_2": ""}, "comparison", ["arm_2 is empty within an arm"]),
]


def only_error(folder: Folder, *, column: str | None = None) -> Fault:
    """The one error (of that column) that the check finds."""
    errors = [fault for fault in check_evidence(folder.path) if fault.severity == "error"]
    found = [fault for fault in errors if column is None or fault.column == column]
    assert len(found) == 1, "\n".join(map(str, errors))
    return found[0]


def test_synthetic_folder_has_no_fault(folder: Folder) -> None:
    assert check_evidence(folder.path) == []


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[str, int, list[Fault]]]:
    """Every case of ROW_FAULTS in a row of its own: file, row and the faults found there, by case."""
    folder = make_folder(tmp_path_factory.mktemp("planted"))
    own_key = {"studies": "study_id", "arms": "arm_id"}
    places: dict[int, tuple[str, int]] = {}
    for table in ("studies", "arms", "outcomes", "contrasts"):
        rows = [dict(row) for row in ROWS[table]]
        for case, (of_table, values, _, _) in enumerate(ROW_FAULTS):
            if of_table == table:
                rows.append(rows[0] | {own_key.get(table, "time_label"): f"Planted{case}"} | values)
                places[case] = (folder.schema.table(table).path, len(rows) + 1)
        folder.write(table, rows)
    faults = check_evidence(folder.path)
    assert {fault.row for fault in faults} == {row for _, row in places.values()}
    return {
        case: (file, row, [fault for fault in faults if (fault.file, fault.row) == (file, row)])
        for case, (file, row) in places.items()
    }


@pytest.mark.parametrize(
    "case", range(len(ROW_FAULTS)), ids=lambda case: "-".join(map(str, ROW_FAULTS[case][1].values()))
)
def test_fault_in_a_row_is_named(planted: dict[int, tuple[str, int, list[Fault]]], case: int) -> None:
    _, _, column, says = ROW_FAULTS[case]
    file, row, faults = planted[case]
    (fault,) = [fault for fault in faults if fault.column == column]
    assert fault.severity == "error"
    for text in says:
        assert text in fault.message
    shown = str(fault)
    assert "\n" not in shown
    assert shown.startswith(f"{file}, row {row}, column {column}")


def test_events_above_total_name_both_numbers(folder: Folder) -> None:
    folder.edit("outcomes", 2, events="21", total="20")
    fault = only_error(folder)
    assert str(fault) == (
        "outcomes.csv, row 4, column events, total, value 'events=21, total=20': events must not exceed total"
    )


def test_sd_without_any_n_is_a_warning_and_an_arm_size_is_enough(folder: Folder) -> None:
    folder.edit("outcomes", n="")
    assert check_evidence(folder.path) == []
    folder.edit("arms", n_analysed="")
    (fault,) = check_evidence(folder.path)
    assert (fault.severity, fault.file, fault.row, fault.column) == ("warning", "outcomes.csv", 2, "sd")
    assert "needs n here" in fault.message
    assert len(load_evidence(folder.path).outcomes) == 4


def test_repeated_key_names_the_first_row(folder: Folder) -> None:
    folder.add("outcomes")
    fault = only_error(folder)
    assert (fault.file, fault.row) == ("outcomes.csv", 6)
    assert "repeats the key of row 5" in fault.message


def test_repeated_study_is_found(folder: Folder) -> None:
    folder.add("studies")
    faults = check_evidence(folder.path)
    assert {fault.message.split(";")[0] for fault in faults} == {
        "the value must be unique in this column",
        "the row repeats the key of row 2",
    }


def test_all_faults_are_listed_in_order(folder: Folder) -> None:
    folder.edit("studies", headache_type="x")
    rows = [dict(row) for row in ROWS["outcomes"]]
    rows[0]["sd"], rows[1]["mean"], rows[3]["events"] = "-1", "1,5", "99"
    folder.write("outcomes", rows)
    faults = check_evidence(folder.path)
    assert [(fault.file, fault.row) for fault in faults] == [
        ("studies.csv", 2),
        ("outcomes.csv", 2),
        ("outcomes.csv", 3),
        ("outcomes.csv", 5),
    ]
    with pytest.raises(EvidenceError) as caught:
        load_evidence(folder.path)
    assert len(caught.value.faults) == 4
    assert all(str(fault) in str(caught.value) for fault in faults)


def test_missing_and_extra_columns(folder: Folder) -> None:
    columns = ["headache_typ" if name == "headache_type" else name for name in folder.schema.table("studies").columns]
    folder.write("studies", ROWS["studies"], columns)
    faults = {fault.column: fault.message for fault in check_evidence(folder.path)}
    assert faults["headache_type"] == "the column is missing"
    assert "not in the schema" in faults["headache_typ"]
    assert "Did you mean 'headache_type'?" in faults["headache_typ"]


def test_column_that_stands_twice(folder: Folder) -> None:
    folder.write("mcid", [], [*folder.schema.table("mcid").columns, "value"])
    assert only_error(folder).message == "the column stands twice"


def test_missing_file_and_empty_file(folder: Folder) -> None:
    (folder.path / "arms.csv").unlink()
    (folder.path / "mcid.csv").write_text("")
    faults = {fault.file: fault.message for fault in check_evidence(folder.path)}
    assert faults["arms.csv"] == "the file is missing"
    assert faults["mcid.csv"].startswith("the file is empty; its first row must hold id,outcome,")


def test_unknown_files(folder: Folder) -> None:
    (folder.path / "outcome.csv").write_text("x\n")
    (folder.path / "notes.txt").write_text("x\n")
    (folder.path / ".hidden").write_text("x\n")
    faults = {fault.file: fault for fault in check_evidence(folder.path)}
    assert set(faults) == {"outcome.csv", "notes.txt"}
    assert "Did you mean 'outcomes.csv'?" in faults["outcome.csv"].message
    assert (faults["outcome.csv"].severity, faults["notes.txt"].severity) == ("error", "warning")


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_delimiters_are_named(folder: Folder, delimiter: str, name: str) -> None:
    file = folder.path / "studies.csv"
    file.write_text(file.read_text().replace(",", delimiter))
    fault = next(fault for fault in check_evidence(folder.path) if fault.file == "studies.csv")
    assert fault.message == f"columns are separated by {name}; a comma is needed"


def test_other_encodings_are_named(folder: Folder) -> None:
    file = folder.edit("studies", title="Kopfschmerz und \N{LATIN SMALL LETTER O WITH DIAERESIS}dem")
    text = file.read_text(encoding="utf-8")
    file.write_bytes(text.encode("latin-1"))
    fault = next(fault for fault in check_evidence(folder.path) if fault.file == "studies.csv")
    assert (fault.row, fault.message) == (2, "byte 0xf6 is not UTF-8; save the file as CSV UTF-8")
    file.write_bytes(text.encode("utf-16"))
    assert "UTF-16" in next(fault for fault in check_evidence(folder.path) if fault.file == "studies.csv").message
    file.write_bytes(b"PK\x03\x04rest")
    assert "spreadsheet file" in next(f for f in check_evidence(folder.path) if f.file == "studies.csv").message


def test_byte_order_mark_crlf_and_blank_lines_are_accepted(folder: Folder) -> None:
    file = folder.path / "outcomes.csv"
    lines = file.read_bytes().splitlines()
    spoiled = [lines[0], b"", *lines[1:3], b"", *lines[3:], b"", b""]
    file.write_bytes(codecs.BOM_UTF8 + b"\r\n".join(spoiled))
    assert check_evidence(folder.path) == []
    evidence = load_evidence(folder.path)
    assert list(evidence.outcomes["row"]) == [3, 4, 6, 7]
    assert evidence.outcomes.columns[0] == "study_id"


def test_rows_of_commas_and_of_another_length(folder: Folder) -> None:
    file = folder.path / "sources.csv"
    file.write_text(file.read_text() + ",,,,\nSynthetic2020,s2\nSynthetic2020,s2,x,abstract,3,5\n")
    messages = [str(fault) for fault in check_evidence(folder.path)]
    assert messages == [
        "sources.csv, row 3: a row without any value; delete it",
        "sources.csv, row 4, value 'Synthetic2020,s2': 2 fields where the header has 5; is a comma missing?",
        "sources.csv, row 5, value 'Synthetic2020,s2,x,abstract,3,5': 6 fields where the header has 5; "
        "a decimal comma, or a missing quote?",
    ]


@pytest.mark.parametrize("text", ['study_id,"open\nSynthetic2020', "study_id\0,x\n", "\n\n\n", '"'])
def test_garbled_files_are_faults_and_never_a_traceback(folder: Folder, text: str) -> None:
    (folder.path / "studies.csv").write_text(text)
    assert any(fault.file == "studies.csv" for fault in check_evidence(folder.path))
    with pytest.raises(EvidenceError):
        load_evidence(folder.path)


def test_row_is_the_line_where_a_quoted_record_starts(folder: Folder) -> None:
    rows = [dict(row) for row in ROWS["outcomes"]]
    rows[0]["note"] = "two\nlines"
    folder.write("outcomes", rows)
    assert list(load_evidence(folder.path).outcomes["row"]) == [2, 4, 5, 6]


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "not valid JSON"), ("{}", "lacks the key 'resources'"), ("[]", "not a Frictionless"), (None, "is missing")],
)
def test_spoiled_schema_is_a_fault(folder: Folder, text: str | None, says: str) -> None:
    file = folder.path / "datapackage.json"
    file.unlink() if text is None else file.write_text(text)
    assert says in only_error(folder).message
    with pytest.raises(EvidenceError, match=re.escape(says)):
        load_evidence(folder.path)


def test_folder_that_does_not_exist(folder: Folder) -> None:
    (fault,) = check_evidence(folder.path / "nowhere")
    assert "is not a folder of evidence tables" in fault.message


def test_rule_that_cannot_be_evaluated_is_a_fault_of_the_schema(folder: Folder) -> None:
    file = folder.path / "datapackage.json"
    package = json.loads(file.read_text())
    package["resources"][3]["rowRules"][0]["violation"] = "events >"
    file.write_text(json.dumps(package))
    assert "cannot be evaluated" in only_error(folder).message


def test_a_fault_is_found_among_a_hundred_thousand_rows(folder: Folder) -> None:
    base = ROWS["outcomes"][0]
    rows = [base | {"time_value": str(i), "mean": f"{i % 28}.25"} for i in range(100_000)]
    rows[77_777]["mean"] = "3,5"
    folder.write("outcomes", rows)
    assert str(only_error(folder)).startswith("outcomes.csv, row 77779, column mean, value '3,5'")
