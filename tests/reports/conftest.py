"""Small notebooks for the pipeline's tests; nothing in them is evidence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

PARAMETERS = 'headache_type: str = "migraine"\ndata_dir: str = "../data"\noutput_dir: str = ""'

MakeNotebook = Callable[..., Path]


@pytest.fixture
def make_notebook(tmp_path: Path) -> MakeNotebook:
    """Write a notebook with a parameters cell and the given code cells; returns its path."""

    def make(
        *cells: str, name: str = "01_test.ipynb", parameters: str | None = PARAMETERS, title: str = "Test"
    ) -> Path:
        kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernelspec})
        notebook.cells.append(nbformat.v4.new_markdown_cell(f"# {title}"))
        if parameters is not None:
            cell = nbformat.v4.new_code_cell(parameters)
            cell.metadata["tags"] = ["parameters"]
            notebook.cells.append(cell)
        notebook.cells += [nbformat.v4.new_code_cell(source) for source in cells]
        path = tmp_path / "notebooks" / name
        path.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, path)
        return path

    return make


@pytest.fixture(scope="session", autouse=True)
def _warm_kernels() -> None:
    """Start the fork server once for all tests."""
    from headache_evidence.reports.workers import prepare_warm_process

    prepare_warm_process()
