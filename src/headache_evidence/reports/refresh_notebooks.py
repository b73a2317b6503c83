"""Run the committed notebooks in place and drop what changes from machine to machine: `make notebooks`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_TIMEOUT = 300
ONLY_NORMALISE = "--only-normalise"


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


def normalise(path: Path) -> None:
    """Drop what changes from machine to machine; the file is written only when that changes it."""
    before = path.read_text(encoding="utf-8")
    after = nbformat.writes(normalised(nbformat.reads(before, as_version=4))) + "\n"  # type: ignore[no-untyped-call]
    if after != before:
        path.write_text(after, encoding="utf-8")


def main() -> None:
    """Refresh the notebooks named on the command line; with ``--only-normalise`` they are not run."""
    names = [name for name in sys.argv[1:] if name != ONLY_NORMALISE]
    for name in names:
        if ONLY_NORMALISE in sys.argv[1:]:
            normalise(Path(name))
        else:
            refresh(Path(name))
            sys.stdout.write(f"refreshed {name}\n")


if __name__ == "__main__":
    main()
