"""The summary of findings as a table for pages, for LaTeX and for Word; the same bytes for the same findings."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import docx
import pandas as pd
from docx.enum.section import WD_ORIENT
from docx.oxml import OxmlElement
from docx.shared import Cm, Pt
from great_tables import GT

from headache_evidence.conclusions.summary_of_findings import Finding, Findings

COLUMNS = {  # heading and share of the width in LaTeX and Word
    "Outcome": 0.13,
    "Studies (patients)": 0.08,
    "With the comparator": 0.09,
    "Effect (95% CI)": 0.15,
    "Relative effect (95% CI)": 0.10,
    "Smallest effect that matters": 0.13,
    "Certainty": 0.11,
    "In words": 0.21,
}
KEY = (
    "Certainty by GRADE: ⊕⊕⊕⊕ high, ⊕⊕⊕○ moderate, ⊕⊕○○ low, ⊕○○○ very low. Numbers in brackets lead to the notes. "
    "Patients per 1000 at the median risk of the comparator arms. A published smallest effect that matters is named by "
    "its row in mcid.csv."
)
FIXED_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # of files in a Word document, so that equal tables are equal bytes
LATEX_SIGNS: dict[str, str | int | None] = {
    "\\": r"\textbackslash{}", "⊕": r"$\oplus$", "○": r"$\bigcirc$", "−": r"$-$", "≥": r"$\geq$", "≤": r"$\leq$",
    "×": r"$\times$", "²": r"$^2$", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$",
    "[": "{[}", "]": "{]}", "\N{NO-BREAK SPACE}": "~", **{sign: rf"\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip


def findings_data(findings: Findings) -> pd.DataFrame:
    """One row per finding with the columns of the table; ``group`` holds the heading above it."""
    rows = [[row.group, *_cells(findings, row)] for row in findings.rows]
    return pd.DataFrame(rows, columns=["group", *COLUMNS])


def findings_table(findings: Findings) -> GT:
    """The table for a page or a notebook: no script, nothing loaded from elsewhere, ids from the headache type."""
    table = GT(
        findings_data(findings),
        id=f"findings-{findings.headache_type.replace('_', '-')}",
        groupname_col="group",
        rowname_col="Outcome",
    ).tab_header(findings.title)
    table = table.tab_stubhead("Outcome").tab_source_note(KEY)
    for note in _notes(findings):
        table = table.tab_source_note(note)
    widths = {heading: f"{100 * share:.0f}%" for heading, share in COLUMNS.items()}
    return (
        table.cols_align("left")
        .cols_width(widths)
        .tab_options(
            table_width="100%",
            table_font_size="13px",
            heading_align="left",
            row_group_font_weight="bold",
            column_labels_font_weight="bold",
            table_additional_css=["td, th { vertical-align: top !important; }"],
        )
    )


@lru_cache(maxsize=4)
def findings_fragment(findings: Findings) -> str:
    """The table as a part of a page."""
    return str(findings_table(findings).as_raw_html())


def findings_html(findings: Findings) -> str:
    """The table as a complete page."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{findings.title}</title></head><body>\n{findings_fragment(findings)}\n</body></html>\n"
    )


def findings_latex(findings: Findings) -> str:
    """The table as a LaTeX document in landscape; it runs over pages and repeats its headings there."""
    gaps = rf"\dimexpr\linewidth-{2 * len(COLUMNS)}\tabcolsep\relax"
    columns = "".join(rf">{{\raggedright\arraybackslash}}p{{{share:.2f}{gaps}}}" for share in COLUMNS.values())
    heading = " & ".join(rf"\textbf{{{_latex(name)}}}" for name in COLUMNS) + r" \\"
    lines = []
    for group, rows in groupby(findings.rows, key=lambda row: row.group):
        lines.append(rf"\multicolumn{{{len(COLUMNS)}}}{{l}}{{\textbf{{{_latex(group)}}}}} \\* \midrule")
        lines += [" & ".join(_latex(cell) for cell in _cells(findings, row)) + r" \\ \addlinespace" for row in rows]
    notes = "\n\n".join(_latex(note) for note in (KEY, *_notes(findings)))
    body = "\n".join(lines)
    return rf"""\documentclass[a4paper,10pt]{{article}}
\usepackage[utf8]{{inputenc}}
\usepackage[T1]{{fontenc}}
\usepackage[landscape,margin=1.5cm]{{geometry}}
\usepackage{{array,booktabs,longtable}}
\setlength{{\tabcolsep}}{{3pt}}
\setlength{{\parindent}}{{0pt}}
\setlength{{\LTleft}}{{0pt}}
\begin{{document}}
\section*{{{_latex(findings.title)}}}
\footnotesize
\begin{{longtable}}{{{columns}}}
\toprule
{heading}
\midrule
\endhead
\bottomrule
\endfoot
{body}
\end{{longtable}}
{notes}
\end{{document}}
"""


def findings_docx(findings: Findings) -> bytes:
    """The table as a Word document in landscape."""
    document = docx.Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21.0)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(1.5)
    document.core_properties.created = document.core_properties.modified = FIXED_TIME
    document.core_properties.title = findings.title
    document.core_properties.author = ""
    document.styles["Normal"].font.size = Pt(8)
    document.add_heading(findings.title, level=1)
    table = document.add_table(rows=1, cols=len(COLUMNS))
    table.style = "Table Grid"
    _fill(table.rows[0].cells, list(COLUMNS), bold=True)
    _mark(table.rows[0], "w:cantSplit", "w:tblHeader")
    for group, rows in groupby(findings.rows, key=lambda row: row.group):
        cells = table.add_row().cells
        heading = cells[0].merge(cells[-1])
        _fill([heading], [group], bold=True)
        heading.paragraphs[0].paragraph_format.keep_with_next = True
        for row in rows:
            _fill(table.add_row().cells, _cells(findings, row))
            _mark(table.rows[-1], "w:cantSplit")
    for position, share in enumerate(COLUMNS.values()):
        table.columns[position].width = Cm(26.7 * share)
    for note in (KEY, *_notes(findings)):
        document.add_paragraph(note)
    stream = io.BytesIO()
    document.save(stream)
    return _without_times(stream.getvalue())


def write_findings(findings: Findings, output_dir: str | Path) -> None:
    """Write summary_of_findings.html, .tex and .docx into ``output_dir``; nothing when it is empty."""
    if not str(output_dir):
        return
    folder = Path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary_of_findings.html").write_text(findings_html(findings), encoding="utf-8")
    (folder / "summary_of_findings.tex").write_text(findings_latex(findings), encoding="utf-8")
    (folder / "summary_of_findings.docx").write_bytes(findings_docx(findings))


def _cells(findings: Findings, row: Finding) -> list[str]:
    marks = findings.marks(row)
    outcome = f"{row.outcome}: {row.details}" if row.details else row.outcome
    return [
        outcome,
        row.studies,
        row.comparator,
        row.effect,
        row.relative,
        row.threshold,
        f"{row.certainty} [{marks}]" if marks else row.certainty,
        row.statement,
    ]


def _latex(text: str) -> str:
    """A text for LaTeX: its own signs escaped, and the signs that its fonts lack written as commands."""
    return text.translate(str.maketrans(LATEX_SIGNS))


def _notes(findings: Findings) -> list[str]:
    return [f"[{number}] {note}" for number, note in enumerate(findings.footnotes, start=1)]


def _fill(cells: Sequence[docx.table._Cell], texts: Sequence[str], *, bold: bool = False) -> None:
    for cell, text in zip(cells, texts, strict=True):
        run = cell.paragraphs[0].add_run(text)
        if bold:
            run.bold = True


def _mark(row: docx.table._Row, *names: str) -> None:
    """Properties of a row: ``w:cantSplit`` keeps it on one page, ``w:tblHeader`` repeats it on every page."""
    for name in names:
        row._tr.get_or_add_trPr().append(OxmlElement(name))


def _without_times(content: bytes) -> bytes:
    """A zip file with one fixed time on all members."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, FIXED_TIME.timetuple()[:6]), source.read(name), zipfile.ZIP_DEFLATED)
    return result.getvalue()
