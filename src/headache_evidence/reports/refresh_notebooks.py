"""Run the committed notebooks in place and drop what changes from machine to machine: `make notebooks`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_TIMEOUT = 300


def refresh(path: Path) -> None:
    """Execute one notebook and write it back normalised."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    notebook.metadata.clear()
    notebook.metadata["kernelspec"] = KERNELSPEC
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=CELL_TIMEOUT, record_timing=False, resources=resources).execute()
    nbformat.write(normalised(notebook), path)  # type: ignore[no-untyped-call]


def normalised(notebook: Any) -> Any:
    """The notebook with outputs kept, cell ids in order, and only tags and the kernel's name as metadata."""
    notebook.metadata.clear()
    notebook.metadata.update({"kernelspec": KERNELSPEC, "language_info": {"name": "python"}})
    for position, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        cell.metadata.clear()
        if tags:
            cell.metadata["tags"] = tags
        cell["id"] = f"cell-{position:02d}"
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata.clear()
    return notebook


def main() -> None:
    """Refresh the notebooks named on the command line."""
    for name in sys.argv[1:]:
        refresh(Path(name))
        sys.stdout.write(f"refreshed {name}\n")


if __name__ == "__main__":
    main()
