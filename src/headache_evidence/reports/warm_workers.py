"""Imported once by the fork server, so that every worker forked from it starts with these in memory.

Nothing here starts a thread or opens a socket. A page is rehearsed: checks of notebooks and colours of code are then at
hand.
"""

from __future__ import annotations

import contextlib
import sys

# jsonschema uses this module, if it can be imported, for one text format that notebooks do not have; its grammar alone
# takes longer to build than pandas to import.
_UNUSED = "rfc3987_syntax"
sys.modules.setdefault(_UNUSED, None)  # type: ignore[arg-type]


def rehearse() -> None:
    """Make a page and drop it."""
    import nbformat

    from headache_evidence.reports import building  # noqa: F401  # and all it imports
    from headache_evidence.reports.notebook_pages import merge_notebooks, page_of
    from headache_evidence.reports.provenance import package_versions

    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("x = 1")]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    nbformat.reads(nbformat.writes(notebook), as_version=4)  # type: ignore[no-untyped-call]
    page_of(merge_notebooks([notebook], "Title", {}))
    package_versions()


with contextlib.suppress(Exception):  # whatever fails here is told by the report that needs it
    import typer  # noqa: F401  # each process imports the command that it belongs to

    rehearse()

if sys.modules.get(_UNUSED) is None:
    sys.modules.pop(_UNUSED, None)
