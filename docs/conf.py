"""How the documentation is built: `make docs`. The API reference and the data dictionary are made from the sources."""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

project = "Headache evidence"
author = "The contributors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Headache evidence"
html_show_sourcelink = False
html_static_path: list[str] = []
myst_heading_anchors = 3
myst_enable_extensions = ["deflist", "colon_fence"]
nitpicky = False
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"

TITLES = {
    "tables": "Evidence tables",
    "effects": "Effect sizes",
    "pools": "Pooling and diagnostics",
    "figures": "Figures",
    "conclusions": "Conclusions",
    "reports": "Report tables",
    "explore": "Exploring",
}
PUBLIC = re.compile(r"^from \.(\w+)([\w.]*) import (\w+)", re.MULTILINE)


def api_reference() -> str:
    """Every public name by part of the package, from the stub that also makes them public."""
    stub = (ROOT / "src" / "headache_evidence" / "__init__.pyi").read_text(encoding="utf-8")
    found = sorted((list(TITLES).index(part), name) for part, _, name in PUBLIC.findall(stub))
    parts = []
    for position, members in groupby(found, key=lambda item: item[0]):
        parts.append(f"## {list(TITLES.values())[position]}\n")
        parts += [
            f"### {name}\n\n```{{eval-rst}}\n.. {_directive(name)}:: headache_evidence.{name}\n```\n"
            for _, name in members
        ]
    return "\n".join(parts)


def _directive(name: str) -> str:
    return "autoclass" if name[0].isupper() else "autofunction"


def fill_in(app: object, document: str, source: list[str]) -> None:
    """Put generated text where a page asks for it."""
    from headache_evidence.tables.codebook import codebook

    if document == "api":
        source[0] = source[0].replace("(the reference)", api_reference())
    if document == "data_dictionary":
        made = codebook(ROOT / "data").split("\n", 1)[1]
        source[0] = source[0].replace("(the dictionary)", made)


def plain_docstring(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Bars in formulas are no markup, and a literal cannot end in a space."""
    lines[:] = [re.sub(r"``(\S{1,3}) ``", r"``\1``", line).replace("|", r"\|") for line in lines]


def setup(app: object) -> None:
    """Connect the generated parts."""
    app.connect("source-read", fill_in)  # type: ignore[attr-defined]
    app.connect("autodoc-process-docstring", plain_docstring, priority=400)  # type: ignore[attr-defined]
