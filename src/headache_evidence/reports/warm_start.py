"""What a process does once so that every shell forked from it starts with it in memory: imports, a figure, evidence.

Nothing here starts a thread or opens a socket: a fork of the process must be like a fresh one.
"""

from __future__ import annotations

import contextlib
import gc
from pathlib import Path

from headache_evidence.reports.ahead import prepare_evidence, try_ahead
from headache_evidence.reports.preloading import FOR_ANSWERS, FOR_EVIDENCE, preload


def get_ready(data_dir: Path, *, several: bool) -> None:
    """Import, rehearse a figure, and prepare the evidence.

    several : several reports are to be made. All that they share is then got ready here; for a single one its nursery
        imports what answers need, and the first notebook screens the evidence, at the same time.

    Whatever fails here is told by the notebook that needs it.
    """
    gc.disable()  # what is imported stays
    preload(FOR_EVIDENCE + FOR_ANSWERS if several else FOR_EVIDENCE)
    with contextlib.suppress(Exception):
        from headache_evidence.reports.notebook_shell import process_shell

        process_shell()
        rehearse()
    try_ahead(lambda: prepare_evidence(data_dir, screen=several))
    gc.enable()


def rehearse() -> None:
    """Make a figure and drop it: fonts, their usual characters and the glyphs that pages embed are then at hand."""
    from headache_evidence.figures.evidence_figure import house_style, new_figure
    from headache_evidence.figures.saving import USUAL_CHARACTERS, draw_both_formats, svg_text
    from headache_evidence.figures.sheet import page_sheet
    from headache_evidence.figures.typeset import text_width

    figure = new_figure(100, 100)
    with house_style():
        sheet = page_sheet(figure, 100, 100)
        for weight in ("normal", "bold"):
            text_width(USUAL_CHARACTERS, bold=weight == "bold")
            sheet.text(0, 50, USUAL_CHARACTERS, weight=weight)
        figure.add_axes((0.2, 0.2, 0.6, 0.6)).set_title("Title", weight="bold")
    draw_both_formats(figure)
    svg_text(figure)
