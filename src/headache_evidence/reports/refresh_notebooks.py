"""Run the committed notebooks in place and drop what changes from machine to machine: `make notebooks`."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

KEPT_METADATA = ("kernelspec", "language_info")
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_TIMEOUT = 300
LIVE_VIEW = "application/vnd.jupyter.widget-view+json"  # names a model of a kernel that is gone


def refresh(path: Path) -> None:
    """Execute one notebook and write it back normalised."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = nbformat.NotebookNode(kernelspec=KERNELSPEC)
    client = NotebookClient(
        notebook, timeout=CELL_TIMEOUT, record_timing=False, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    nbformat.write(normalised(notebook), path)


def normalised(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with outputs kept, cell ids in order, and only tags and the kernel's name as metadata."""
    notebook.metadata = nbformat.NotebookNode(kernelspec=KERNELSPEC, language_info=nbformat.NotebookNode(name="python"))
    for position, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        cell.metadata = nbformat.NotebookNode(tags=tags) if tags else nbformat.NotebookNode()
        cell.id = f"cell-{position:02d}"
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = nbformat.NotebookNode()
            output.get("data", {}).pop(LIVE_VIEW, None)
    return notebook


def main() -> None:
    """Refresh the notebooks named on the command line."""
    for name in sys.argv[1:]:
        refresh(Path(name))
        sys.stdout.write(f"refreshed {name}\n")


if __name__ == "__main__":
    main()
