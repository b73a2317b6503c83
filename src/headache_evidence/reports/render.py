"""Pages from templates: one self-contained file each, no request leaves it, its script is pinned by hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

from headache_evidence.reports.results_table import ResultRow

COLLECTION = "Headache evidence: hydrodissection and nerve blocks"
CITATION = "Headache evidence synthesis contributors. Hydrodissection and nerve blocks for headache, a living synthesis"
LICENCE = "code MIT; the evidence tables cite their sources row by row"

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class ReportPage:
    """What a report page says besides its notebooks."""

    title: str
    limits: str
    facts: Pairs
    downloads: Pairs
    provenance: Pairs
    figures: Pairs = ()
    results: Sequence[ResultRow] = field(default_factory=tuple)
    changed_parameters: str = ""


def render(template: str, **values: Any) -> str:
    """A page from a template; every value is escaped unless the template marks it as safe."""
    script = _resource("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = _environment().get_template(template).render(
        css=_resource("page.css"),
        script=script,
        script_hash=f"sha256-{digest}",
        collection=COLLECTION,
        citation=CITATION,
        licence=LICENCE,
        **values,
    )  # fmt: skip
    return text.rstrip() + "\n"


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )


@cache
def _resource(name: str) -> str:
    return (files("headache_evidence.reports") / "templates" / name).read_text(encoding="utf-8")
