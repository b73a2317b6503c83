"""The short table with which a run ends."""

from __future__ import annotations

from headache_evidence.reports.results_table import read_results, result_rows
from headache_evidence.reports.settings import Settings

WIDTHS = (22, 3, 6, 30)


def summary_table(settings: Settings, longest: int = 40) -> str:
    """Pooled results of the reports on disk, those on most studies first, as fixed-width text."""
    rows = [
        (row.k, name, row)
        for name in settings.titles
        for row in result_rows(read_results(settings.output_dir / name / "results.json"))
        if row.k
    ]
    rows.sort(key=lambda item: (-item[0], item[1], item[2].question_id))
    lines = [_line("headache type", "k", "n", "estimate [95% CI]", "question")]
    lines += [_line(name, str(row.k), row.n, row.estimate, row.title) for _, name, row in rows[:longest]]
    if len(rows) > longest:
        lines.append(f"... and {len(rows) - longest} more on the index page")
    return "\n".join(lines)


def _line(name: str, k: str, n: str, estimate: str, question: str) -> str:
    cells = [name.ljust(WIDTHS[0]), k.rjust(WIDTHS[1]), n.rjust(WIDTHS[2]), estimate.rjust(WIDTHS[3])]
    return "  ".join([*cells, question])
