"""What a process does once so that every shell forked from it starts with it in memory: imports, a figure, evidence.

Nothing here starts a thread or opens a socket: a fork of the process must be like a fresh one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
from pathlib import Path

from headache_evidence.reports.ahead import prepare_evidence, try_ahead

REPORT_PARTS = (
    "claim_tables",
    "conclusion_tables",
    "evidence_figures",
    "network_tables",
    "report_data",
    "report_figures",
    "report_tables",
    "robustness_tables",
)
MODULES = (
    "pandas",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "scipy.stats",
    "scipy.optimize",
    "pymare",
    "pymare.estimators",
    "great_tables",
    "docx",
    *(f"headache_evidence.reports.{name}" for name in REPORT_PARTS),
)


def get_ready(data_dir: Path, *, screen: bool) -> None:
    """Import, rehearse a figure, and prepare the evidence.

    screen : also screen it, when several reports show the result.

    Whatever fails here is told by the notebook that needs it.
    """
    gc.disable()  # what is imported stays
    for module in MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    with contextlib.suppress(Exception):
        from headache_evidence.reports.notebook_shell import process_shell

        process_shell()
        rehearse()
    try_ahead(lambda: prepare_evidence(data_dir, screen=screen))
    gc.enable()


def rehearse() -> None:
    """Make a figure and drop it: fonts are then at hand."""
    from headache_evidence.figures.evidence_figure import new_figure
    from headache_evidence.figures.saving import svg_text

    figure = new_figure(100, 100)
    figure.add_axes((0.2, 0.2, 0.6, 0.6)).set_title("Title", weight="bold")
    svg_text(figure)
    figure.canvas.draw()
