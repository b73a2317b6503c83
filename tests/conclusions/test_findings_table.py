"""The summary of findings in its forms: page, LaTeX and Word open, hold the same rows, and are the same bytes again."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import docx
import pytest

import headache_evidence as he
from headache_evidence.conclusions.findings_table import (
    COLUMNS,
    findings_data,
    findings_docx,
    findings_html,
    findings_latex,
)
from headache_evidence.conclusions.plain_language import size_class, statement
from headache_evidence.conclusions.summary_of_findings import Findings, absolute_of, conclusions_of
from headache_evidence.conclusions.thresholds import important_difference
from headache_evidence.tables.protocol import Protocol

DAYS = "migraine.headache_days.controlled.injection.inactive.randomised.short"
RESPONDERS = "migraine.responder_50.controlled.injection.inactive.randomised.any"
SHARE = "migraine.responder_good.proportion.injection.any"


@pytest.fixture(scope="module")
def answers(make_answer: Any) -> tuple[Any, ...]:
    nan = float("nan")
    return (
        make_answer(DAYS, [-4.0, -4.2, -3.9], [0.2, 0.2, 0.2], m2=12.0, risk_of_bias="high"),
        make_answer(RESPONDERS, [1.0], [0.2], events1=70.0, events2=50.0, better="higher", unit=""),
        make_answer(SHARE, [0.0], [0.1], n1=40.0, n2=nan, events1=20.0, better="higher", unit=""),
    )


@pytest.fixture(scope="module")
def findings(answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence) -> Findings:
    return he.summary_of_findings(answers, protocol, evidence, "migraine")


class Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.rows = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.rows += tag == "tr"
        self.ids += [value or "" for name, value in attrs if name == "id"]


def test_page_loads_nothing_and_has_unique_ids(findings: Findings) -> None:
    page = findings_html(findings)
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    cells = Cells()
    cells.feed(page)
    assert len(cells.ids) == len(set(cells.ids))
    assert "findings-migraine" in cells.ids
    assert cells.rows > len(findings.rows)
    assert findings_html(findings) == page


def test_text_from_the_tables_is_escaped(findings: Findings) -> None:
    row = replace(findings.rows[0], statement="<script>alert(1)</script>")
    page = findings_html(replace(findings, rows=(row,)))
    assert "<script>" not in page


def test_word_document_opens_with_every_row_and_note(findings: Findings) -> None:
    content = findings_docx(findings)
    document = docx.Document(io.BytesIO(content))
    texts = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert texts[0] == list(COLUMNS)
    shown = findings_data(findings)
    assert [row for row in texts[1:] if len(set(row)) > 1] == shown[list(COLUMNS)].to_numpy().tolist()
    notes = [paragraph.text for paragraph in document.paragraphs]
    assert all(any(note in text for text in notes) for note in findings.footnotes)
    assert findings_docx(findings) == content


def test_word_rows_stay_whole_and_the_heading_repeats(findings: Findings) -> None:
    rows = docx.Document(io.BytesIO(findings_docx(findings))).tables[0].rows
    marks = [
        {child.tag.rpartition("}")[2] for child in row._tr.trPr} if row._tr.trPr is not None else set() for row in rows
    ]
    assert marks[0] == {"cantSplit", "tblHeader"}
    texts = [len({cell.text for cell in row.cells}) > 1 for row in rows[1:]]
    assert [("cantSplit" in own) for own in marks[1:]] == texts


def test_latex_is_whole(findings: Findings) -> None:
    text = findings_latex(findings)
    opened = re.findall(r"\\begin\{(\w+)\*?\}", text)
    closed = re.findall(r"\\end\{(\w+)\*?\}", text)
    assert sorted(opened) == sorted(closed)
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    body = [line for line in text.splitlines() if line.endswith(r"\\ \addlinespace")]
    assert len(body) == len(findings.rows)
    assert all(len(re.findall(r"(?<!\\)&", line)) == len(COLUMNS) - 1 for line in body)
    assert text.isascii()
    assert findings_latex(findings) == text


AWKWARD = r"50% of R&D_cost #1 {set} $5 ~ ^ \end{longtable} [a] <b> ≥ 2, ≤ 3 × 4² − Müller"


def test_latex_signs_in_texts_are_escaped(findings: Findings) -> None:
    text = findings_latex(
        replace(findings, rows=(replace(findings.rows[0], statement=AWKWARD),), footnotes=findings.footnotes)
    )
    assert text.count(r"\end{longtable}") == 1
    assert r"50\% of R\&D\_cost \#1 \{set\} \$5" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles_inside_the_page_whatever_the_texts(findings: Findings, tmp_path: Path) -> None:
    rows = (*findings.rows, *(replace(row, statement=AWKWARD) for row in findings.rows * 8))
    (tmp_path / "table.tex").write_text(findings_latex(replace(findings, rows=rows)), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "table.tex"]
    for _ in range(2):  # a long table settles its widths in the second run
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
        assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull" not in run.stdout
    assert (tmp_path / "table.pdf").stat().st_size > 10_000


def test_files_are_written_only_into_a_folder(findings: Findings, tmp_path: Path) -> None:
    he.write_findings(findings, "")
    he.write_findings(findings, tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".docx", ".html", ".tex"]


def test_headline_outcomes_without_evidence_keep_a_row(findings: Findings, protocol: Protocol) -> None:
    shown = {row.outcome for row in findings.rows}
    assert {protocol.outcomes[name].title for name in protocol.headline.outcomes} <= shown
    empty = [row for row in findings.rows if row.rating is None]
    assert all(row.statement.startswith("No usable study") for row in empty)


def test_numbers_of_a_row(findings: Findings) -> None:
    days, responders, share = findings.rows[:3]
    assert days.studies == "3 (1200)"
    assert days.comparator == "mean 12.0 days per 28 days"
    assert days.effect.startswith("4.0 lower (95% CI")
    assert days.threshold == "2 days per 28 days (our choice): whole interval at least as large"
    assert responders.comparator == "250 per 1000"
    assert responders.effect.startswith("225 more of 1000 patients")
    assert responders.relative.startswith("OR 2.72 (95% CI")
    assert share.effect.startswith("500 of 1000 patients")
    assert "Without a comparison group" in share.statement


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([0.0], "none of 40 patients (exact 95% CI 0 to 88 of 1000)"),
        ([40.0], "all of 40 patients (exact 95% CI 912 to 1000 of 1000)"),
        ([0.0, 0.0], "none of 80 patients (exact 95% CI 0 to 45 of 1000)"),
        ([0.0, 1.0], "of 1000 patients (95% CI"),
    ],
)
def test_nobody_and_everybody_are_counted_and_not_modelled(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence, events: list[float], words: str
) -> None:
    """R: binom.test(0, 40) and binom.test(0, 80) give upper limits of 0.0881 and 0.0451."""
    k = len(events)
    answer = make_answer(
        SHARE, [-4.4] * k, [2.0] * k, n1=40.0, n2=float("nan"), events1=events, better="higher", unit=""
    )
    row = he.summary_of_findings((answer,), protocol, evidence, "migraine").rows[0]
    assert words in row.effect
    assert words in row.statement


@pytest.mark.parametrize(
    ("risk_of_bias", "words"),
    [("low", "Nerve block lowers "), ("some_concerns", "probably lowers"), ("high", "may lower")],
)
def test_sentence_says_no_more_than_the_certainty(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence, risk_of_bias: str, words: str
) -> None:
    answer = make_answer(DAYS, [-4.0, -4.2, -3.9], [0.2, 0.2, 0.2], risk_of_bias=risk_of_bias)
    threshold = important_difference("headache_days", protocol, evidence.mcid)
    rating = he.certainty(answer, protocol, evidence)
    assert words in statement(answer, rating, threshold, absolute_of(answer), protocol)


def test_very_low_certainty_gives_no_direction(make_answer: Any, protocol: Protocol, evidence: he.Evidence) -> None:
    answer = make_answer(DAYS, [-4.0], [9.0], n1=10.0, n2=10.0, risk_of_bias="high")
    threshold = important_difference("headache_days", protocol, evidence.mcid)
    rating = he.certainty(answer, protocol, evidence)
    words = statement(answer, rating, threshold, None, protocol)
    assert words.startswith("It is very uncertain whether")
    assert "(k = 1, n = 20)" in words


@pytest.mark.parametrize(
    ("size", "ci", "threshold", "expected"),
    [
        (-4.0, (-5, -3), 2.0, "important"),
        (-1.5, (-2, -1), 2.0, "small"),
        (-0.5, (-1, 0), 2.0, "trivial"),
        (-0.5, (-1, -0.1), float("nan"), "present"),
        (-0.5, (-1, 0.1), float("nan"), "unclear"),
    ],
)
def test_size_words(size: float, ci: tuple[float, float], threshold: float, expected: str) -> None:
    assert size_class(size, ci, threshold) == expected


def test_results_gain_certainty_sentence_and_threshold(
    answers: tuple[Any, ...], protocol: Protocol, evidence: he.Evidence
) -> None:
    added = conclusions_of(answers, protocol, evidence)
    assert set(added) == {DAYS, RESPONDERS, SHARE}
    assert set(added[DAYS]) == {"certainty", "plain_language", "threshold"}
    assert added[DAYS]["certainty"]["level"] == "low"
    assert len(added[DAYS]["certainty"]["domains"]) == 8


def test_ratios_with_a_threshold_per_1000_gain_the_absolute_effect_of_the_summary_of_findings(
    answers: tuple[Any, ...], make_answer: Any, protocol: Protocol, evidence: he.Evidence
) -> None:
    added = conclusions_of(answers, protocol, evidence)
    kept = added[RESPONDERS]["absolute_per_1000"]
    shown = absolute_of(answers[1])
    assert shown is not None
    assert (kept["difference"], kept["difference_ci"]) == (shown.difference, list(shown.difference_ci))
    assert f"{kept['difference']:.0f} more of 1000 patients" in added[RESPONDERS]["plain_language"]
    assert "absolute_per_1000" not in added[SHARE]
    without_counts = make_answer(RESPONDERS, [1.0], [0.2], better="higher", unit="")
    assert conclusions_of([without_counts], protocol, evidence)[RESPONDERS]["absolute_per_1000"] is None
