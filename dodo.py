"""`doit list` shows the reports and why one is stale; `doit report:migraine` makes one. `make report` makes all."""

from headache_evidence.reports.pipeline import doit_tasks

DOIT_CONFIG = {"default_tasks": ["report"], "backend": "json", "dep_file": "build/doit.json"}


def task_report():
    """One report per headache type."""
    yield from doit_tasks()
