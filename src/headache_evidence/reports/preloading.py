"""Modules that the notebooks of reports import, imported once before their shells are forked."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable

_PARTS = "headache_evidence.reports"
FOR_EVIDENCE = (
    "pandas",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "scipy.stats",
    "scipy.optimize",
    "headache_evidence.conclusions.harms",
    f"{_PARTS}.evidence_figures",
    f"{_PARTS}.report_tables",
)
FOR_ANSWERS = (
    "pymare",
    "pymare.estimators",
    "great_tables",
    "docx",
    f"{_PARTS}.claim_tables",
    f"{_PARTS}.conclusion_tables",
    f"{_PARTS}.network_tables",
    f"{_PARTS}.report_data",
    f"{_PARTS}.report_figures",
    f"{_PARTS}.robustness_tables",
)


def preload(modules: Iterable[str]) -> None:
    """Import modules; one that cannot be imported fails again in the notebook that needs it, where it is reported."""
    for module in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(module)
