"""Write the pictures of the docs: `python benchmarks/draw_gallery.py`.

docs/figures.md and docs/images/gallery/*.svg come from the executed notebook gallery.ipynb, the one source: the page
repeats its text, its code and its figures, each with its text alternative. docs/images/forest.png, the figure of the
README, is drawn from the tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

import headache_evidence as he
from headache_evidence.reports.report_figures import risk_of_bias_of

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "gallery.ipynb"
PAGE = ROOT / "docs" / "figures.md"
IMAGES = ROOT / "docs" / "images" / "gallery"
HINT = "This page is written from `notebooks/gallery.ipynb` by `benchmarks/draw_gallery.py`."


def main() -> None:
    """Write the gallery and the figure of the README."""
    write_gallery()
    draw_readme_figure()


def draw_readme_figure() -> None:
    """The forest of responders in cluster headache, as in its report."""
    evidence, protocol = he.load_evidence(ROOT / "data"), he.load_protocol(ROOT / "data" / "protocol.yml")
    answers = he.answer_questions(evidence, protocol, "cluster", ["responder_any"])
    answer = next(item for item in answers if item.question.stream == "proportion")
    figure = he.forest_plot(
        answer.effects,
        answer.pooled,
        subgroups=answer.subgroups,
        title="Cluster headache after a nerve block: responders as the study defined them, share of patients",
        risk_of_bias=risk_of_bias_of(evidence, answer.effects["study_id"]),
    )
    he.save_figure(figure, ROOT / "docs" / "images" / "forest", formats=("png",))


def write_gallery() -> None:
    """Replace page and images; images that no figure of the notebook gives any more are removed."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    IMAGES.mkdir(parents=True, exist_ok=True)
    kept = set()
    parts = []
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = slug(cell.source.splitlines()[0])
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        drawn = list(figures(cell))
        for number, (svg, alt) in enumerate(drawn, start=1):
            name = f"{heading}-{number}.svg" if len(drawn) > 1 else f"{heading}.svg"
            (IMAGES / name).write_text(svg, encoding="utf-8", newline="\n")
            kept.add(name)
            parts.append(f"![{alt}](images/gallery/{name})")
    for path in IMAGES.glob("*.svg"):
        if path.name not in kept:
            path.unlink()
    PAGE.write_text("\n\n".join([parts[0], HINT, *parts[1:]]) + "\n", encoding="utf-8", newline="\n")


def figures(cell: Any) -> Iterator[tuple[str, str]]:
    """SVG and text alternative of each figure that a cell shows."""
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/svg+xml" in data:
            yield data["image/svg+xml"], " ".join(data["text/plain"].replace("[", "(").replace("]", ")").split())


def slug(heading: str) -> str:
    """'## Forest plot' -> 'forest-plot'."""
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


if __name__ == "__main__":
    main()
