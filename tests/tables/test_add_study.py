from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from evidence_folder import Folder

from headache_evidence.errors import EvidenceError
from headache_evidence.tables import add_study as module
from headache_evidence.tables.add_study import add_study, scaffold_template
from headache_evidence.tables.evidence import load_evidence
from headache_evidence.tables.prisma import prisma_flow
from headache_evidence.tables.risk_of_bias import overall_risk_of_bias

DATA = Path(__file__).parents[2] / "data"

Template = dict[str, Any]


def sound(study_id: str = "Madeup2026") -> Template:
    """A synthetic two-arm trial of migraine."""
    outcome = {
        "unit_of_analysis": "patient",
        "outcome": "headache_days",
        "outcome_reported": "headache days per month",
        "scale": "days_per_month",
        "better": "lower",
        "kind": "endpoint",
        "sign": "signed",
        "time_value": "4",
        "time_unit": "weeks",
        "source_id": "s1",
        "n": "20",
        "sd": "4.5",
    }
    return {
        "study": {
            "study_id": study_id,
            "identity": "seen",
            "title": "A made-up trial, for tests",
            "design": "rct_parallel",
            "blinding": "double_blind",
            "headache_type": "migraine",
            "retracted": "no",
        },
        "sources": [{"source_id": "s1", "url": "https://example.org/x", "kind": "abstract", "locator": "Abstract"}],
        "arms": [
            {"arm_id": "A", "role": "control", "comparator_kind": "placebo_saline", "label": "saline"}
            | {"technique": "sham_injection", "guidance": "not_reported"},
            {"arm_id": "B", "role": "intervention", "label": "block", "technique": "perineural_block"}
            | {"guidance": "ultrasound"},
        ],
        "outcomes": [outcome | {"arm_id": "A", "mean": "12.50"}, outcome | {"arm_id": "B", "mean": "8.1"}],
    }


def write(path: Path, template: Template) -> Path:
    file = path / "template.yml"
    file.write_text(yaml.safe_dump(template, sort_keys=False), encoding="utf-8")
    return file


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def faults_of(template: Path, data: Path) -> str:
    before = contents(data)
    with pytest.raises(EvidenceError) as raised:
        add_study(template, data)
    assert contents(data) == before, "a refused study must leave every file untouched, and none beside them"
    return str(raised.value)


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for templates, apart from the data."""
    return tmp_path_factory.mktemp("desk")


def test_study_is_added_whole_and_counted_everywhere(folder: Folder, desk: Path) -> None:
    added = add_study(write(desk, sound()), folder.path)
    assert added.written
    assert added.reports == ("migraine",)
    assert {name: added.rows[name] for name in ("studies", "arms", "outcomes")} == {
        "studies": 1,
        "arms": 2,
        "outcomes": 2,
    }
    evidence = load_evidence(folder.path)
    assert "Madeup2026" in set(evidence.studies["study_id"])
    assert prisma_flow(evidence).studies_included == 1
    overall = overall_risk_of_bias(evidence).set_index("study_id")
    assert overall.at["Madeup2026", "overall"] == "no_information"
    assert "12.50" in (folder.path / "outcomes.csv").read_text(encoding="utf-8"), "numbers stay as they were typed"


def test_new_rows_stand_in_order_and_old_lines_stay_as_they_were(tmp_path: Path, desk: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(DATA, data)
    before = {name: text.decode().splitlines() for name, text in contents(data).items()}
    added = add_study(write(desk, sound("Kmadeup2026")), data)
    for name, numbers in added.lines.items():
        lines = (data / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        new = [lines[number - 1] for number in numbers]
        assert all(line.startswith("Kmadeup2026,") for line in new)
        assert [line for number, line in enumerate(lines, start=1) if number not in numbers] == before[f"{name}.csv"]
        ids = [line.split(",")[0] for line in lines[1:]]
        assert ids == sorted(ids), name
    unchanged = set(before) - {f"{name}.csv" for name in added.lines}
    assert all((data / name).read_text(encoding="utf-8").splitlines() == before[name] for name in unchanged)


def test_dry_run_tells_the_same_and_writes_nothing(folder: Folder, desk: Path) -> None:
    before = contents(folder.path)
    planned = add_study(write(desk, sound()), folder.path, dry_run=True)
    assert not planned.written
    assert contents(folder.path) == before
    done = add_study(write(desk, sound()), folder.path)
    assert (planned.rows, planned.lines, planned.reports) == (done.rows, done.lines, done.reports)


def test_scaffold_is_a_template_that_can_be_filled(folder: Folder, desk: Path) -> None:
    text = scaffold_template(
        folder.path, study_id="Madeup2026", headache_type="cluster", design="single_arm", title="T"
    )
    text = text.replace('source_id: ""', 'source_id: "s1"', 1).replace('url: ""', 'url: "https://example.org"', 1)
    text = text.replace('kind: ""', 'kind: "abstract"', 1).replace('arm_id: ""', 'arm_id: "A"', 1)
    text = text.replace('role: ""', 'role: "intervention"', 1).replace('label: ""', 'label: "block"', 1)
    text = text.replace('technique: ""', 'technique: "perineural_block"', 1)
    file = desk / "filled.yml"
    file.write_text(text, encoding="utf-8")
    added = add_study(file, folder.path)
    assert added.reports == ("cluster",)
    assert "outcomes" not in added.rows, "an entry left as it came is no row"


def test_every_column_of_the_schema_stands_in_the_scaffold(folder: Folder) -> None:
    text = scaffold_template(folder.path)
    for table in ("studies", "sources", "arms", "outcomes", "contrasts", "risk_of_bias", "flags"):
        assert all(f"{column}: " in text for column in folder.schema.table(table).columns)


def test_folder_of_csv_files_is_a_template_too(folder: Folder, desk: Path) -> None:
    (desk / "studies.csv").write_text(
        "study_id,identity,title,design,blinding,headache_type,retracted\n"
        "Madeup2026,seen,T,case_report,open,cluster,no\n"
    )
    (desk / "sources.csv").write_text("source_id,url,kind\ns1,https://example.org,abstract\n")
    added = add_study(desk, folder.path)
    assert added.rows["sources"] == 1
    assert added.reports == ("cluster",)


def test_reports_follow_outcomes_of_another_type(folder: Folder, desk: Path) -> None:
    template = sound()
    template["outcomes"][0]["headache_type"] = "cluster"
    assert add_study(write(desk, template), folder.path, dry_run=True).reports == ("cluster", "migraine")


def test_judgements_given_are_kept_and_the_rest_is_no_information(folder: Folder, desk: Path) -> None:
    template = sound() | {"risk_of_bias": [{"domain": "measurement", "judgement": "high", "reason": "unblinded"}]}
    add_study(write(desk, template), folder.path)
    table = load_evidence(folder.path).risk_of_bias
    own = table[table["study_id"] == "Madeup2026"].set_index("domain")["judgement"]
    assert own["measurement"] == own["overall"] == "high"
    assert own["randomisation"] == "no_information"


def test_retracted_study_is_recorded_as_excluded(folder: Folder, desk: Path) -> None:
    template = sound()
    template["study"]["retracted"] = "yes"
    add_study(write(desk, template), folder.path)
    assert dict(prisma_flow(load_evidence(folder.path)).reports_excluded) == {"retracted": 1}


def test_integrity_doubts_of_the_new_study_are_shown(folder: Folder, desk: Path) -> None:
    template = sound()
    template["outcomes"][0] |= {"mean": "30.5", "sd": "9"}
    doubts = add_study(write(desk, template), folder.path, dry_run=True).doubts
    assert set(doubts["rule"]) == {"sd_impossible"}


def test_all_faults_are_listed_in_the_words_of_the_template(folder: Folder, desk: Path) -> None:
    template = sound()
    template["study"]["design"] = "rct"
    template["outcomes"][1] |= {"mean": "8,1", "arm_id": "Z"}
    text = faults_of(write(desk, template), folder.path)
    assert "template.yml, column study, design, value 'rct'" in text
    assert "outcomes, entry 2, mean" in text
    assert "write 8.1" in text
    assert "'Z' is not a arm_id" in text or "'Z'" in text


HOSTILE: dict[str, tuple[str, str]] = {
    "path as study_id": ("study: {study_id: ../../etc/passwd, title: T}", "pattern"),
    "formula": ("study: {study_id: X1, title: '=HYPERLINK(\"http://x\")'}", "formula"),
    "line break in a value": ('study: {study_id: X1, title: "a\\nMadeup,b"}', "line break"),
    "hidden direction mark": ('study: {study_id: X1, title: "a\\u202eb"}', "invisible"),
    "nul": ('study: {study_id: X1, title: "a\\0b"}', "invisible"),
    "object construction": ("study: !!python/object/apply:os.system ['true']", "columns with values"),
    "list where a value belongs": ("study: {study_id: X1, title: [a, b]}", "one plain value"),
    "unknown column": ("study: {study_id: X1, titel: T}", "Did you mean 'title'?"),
    "unknown section": ("study: {study_id: X1}\noutcome: []", "Did you mean 'outcomes'?"),
    "two values for one column": ("study: {study_id: X1, title: a, title: b}", "stands twice"),
    "no study": ("arms: []", "one study is needed, 0 are given"),
    "two studies": (
        "study: {study_id: X1}\nstudies: [{study_id: X2, title: T}, {study_id: X3, title: T}]",
        "one study",
    ),
    "rows of another study": ("study: {study_id: X1, title: T}\narms: [{study_id: X2, arm_id: A}]", "another study"),
    "no mapping": ("- 1\n- 2", "sections are needed"),
    "empty file": ("", "sections are needed"),
    "no YAML": ("study: {study_id: X1", "not valid YAML"),
    "name missing": ("study: {[a]: b}", "name is needed"),
    "merge key": ("study: {<<: {title: T}, study_id: X1}", "not in the schema"),
    "deep nesting": ("study: " + "[" * 1500, "not valid YAML"),
}


@pytest.mark.parametrize("case", sorted(HOSTILE))
def test_hostile_templates_are_refused_with_a_reason(folder: Folder, desk: Path, case: str) -> None:
    text, message = HOSTILE[case]
    file = desk / "template.yml"
    file.write_text(text, encoding="utf-8")
    assert message in faults_of(file, folder.path)


def test_an_alias_bomb_is_refused_without_being_expanded(folder: Folder, desk: Path) -> None:
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 40)]
    file = desk / "bomb.yml"
    file.write_text("\n".join([*levels, "study: {study_id: X1, title: *l39}"]), encoding="utf-8")
    assert "one plain value" in faults_of(file, folder.path)


def test_unreadable_templates_are_refused(folder: Folder, desk: Path) -> None:
    latin = desk / "latin.yml"
    latin.write_bytes("study: {title: caf\xe9}".encode("latin-1"))
    assert "not UTF-8" in faults_of(latin, folder.path)
    assert "cannot be read" in faults_of(desk / "absent.yml", folder.path)
    (desk / "none").mkdir()
    assert "no CSV file" in faults_of(desk / "none", folder.path)
    huge = desk / "huge.yml"
    huge.write_text("#" * 2_000_001)
    assert "this is no template" in faults_of(huge, folder.path)


@pytest.mark.parametrize("name", ["Synthetic2020", "synthetic2020"])
def test_study_already_there_is_refused_whatever_its_case(folder: Folder, desk: Path, name: str) -> None:
    assert "in the tables already" in faults_of(write(desk, sound(name)), folder.path)


def test_same_report_under_another_name_is_refused(folder: Folder, desk: Path) -> None:
    template = sound()
    template["study"]["doi"] = "10.1000/x"
    add_study(write(desk, template), folder.path)
    again = sound("Other2026")
    again["study"]["doi"] = "10.1000/X"
    assert "Madeup2026 has the same doi" in faults_of(write(desk, again), folder.path)


def test_faulty_tables_are_named_before_anything_is_added(folder: Folder, desk: Path) -> None:
    folder.edit("studies", design="coin_toss")
    assert "studies.csv, row 2" in faults_of(write(desk, sound()), folder.path)


def test_a_write_that_fails_half_way_is_taken_back(folder: Folder, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.replace, []

    def failing(source: str, target: str) -> None:
        calls.append(target)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(module.os, "replace", failing)
    assert "all are as before" in faults_of(write(desk, sound()), folder.path)


def test_a_table_changed_meanwhile_is_not_overwritten(
    folder: Folder, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.screen

    def slow_screen(evidence: Any) -> Any:
        path = folder.path / "arms.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("block", "BLOCK"), encoding="utf-8")
        return real(evidence)

    monkeypatch.setattr(module, "screen", slow_screen)
    with pytest.raises(EvidenceError, match=r"arms\.csv: the file was changed meanwhile"):
        add_study(write(desk, sound()), folder.path)
    assert "BLOCK" in (folder.path / "arms.csv").read_text(encoding="utf-8")
    assert "Madeup2026" not in (folder.path / "studies.csv").read_text(encoding="utf-8")


def test_windows_line_ends_stay(folder: Folder, desk: Path) -> None:
    path = folder.path / "arms.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    add_study(write(desk, sound()), folder.path)
    raw = path.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
