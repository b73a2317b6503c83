"""The command line: check the evidence, make reports, compare, schedule, verify."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, add_completion=True)
