"""Imported once by the fork server, so that every worker and kernel forked from it starts with these in memory.

Nothing here starts a thread or opens a socket: a fork of this process must be like a fresh one. A small report is
rehearsed; then the evidence is examined, if the environment names any.
"""

from __future__ import annotations

import contextlib
import importlib
import sys

from headache_evidence.reports.ahead import prepare_evidence_of_environment

REPORT_PARTS = (
    "building",
    "claim_tables",
    "conclusion_tables",
    "evidence_figures",
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
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "zmq.eventloop.zmqstream",
    "tornado.platform.asyncio",
    "sqlite3",
    "psutil",
    "faulthandler",
    "matplotlib_inline.config",
    "papermill",
    "nbconvert.exporters.html",
    "great_tables",
    "docx",
    *(f"headache_evidence.reports.{name}" for name in REPORT_PARTS),
)

# jsonschema uses this module, if it can be imported, for one text format that notebooks do not have; its grammar alone
# takes longer to build than pandas to import.
_UNUSED = "rfc3987_syntax"
sys.modules.setdefault(_UNUSED, None)  # type: ignore[arg-type]

for _module in MODULES:
    with contextlib.suppress(ImportError):
        importlib.import_module(_module)

if sys.modules.get(_UNUSED) is None:
    sys.modules.pop(_UNUSED, None)

# It hooks into the kernel's shell when it is imported, so each kernel has to import it anew.
sys.modules.pop("matplotlib_inline.backend_inline", None)


def rehearse() -> None:
    """Make a figure and a page and drop them: fonts, checks of notebooks and colours of code are then at hand."""
    import nbformat

    from headache_evidence.figures.evidence_figure import new_figure
    from headache_evidence.figures.saving import svg_text
    from headache_evidence.reports.notebook_pages import merge_notebooks, page_of
    from headache_evidence.reports.provenance import package_versions

    figure = new_figure(100, 100)
    figure.add_axes((0.2, 0.2, 0.6, 0.6)).set_title("Title", weight="bold")
    svg_text(figure)
    figure.canvas.draw()
    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("x = 1")]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    nbformat.reads(nbformat.writes(notebook), as_version=4)  # type: ignore[no-untyped-call]
    page_of(merge_notebooks([notebook], "Title", {}))
    package_versions()


with contextlib.suppress(Exception):  # whatever fails here is told by the notebook or report that needs it
    rehearse()
prepare_evidence_of_environment()
