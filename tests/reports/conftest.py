"""Small notebooks for the pipeline's tests; nothing in them is evidence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from headache_evidence.reports.fingerprint import package_hash, whole_data_hash
from headache_evidence.reports.nursery import Nursery, WarmProcess, warm_process
from headache_evidence.reports.pipeline import Outcome, run
from headache_evidence.reports.progress import Progress
from headache_evidence.reports.settings import Settings, read_settings

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


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmProcess | None]:
    """A warm process for all tests of this folder."""
    with warm_process(Path(__file__).parents[2] / "data") as process:
        yield process


@pytest.fixture(scope="session")
def warm_nursery(warm: WarmProcess | None) -> Iterator[Nursery | None]:
    """A nursery for all tests of this folder."""
    nursery = warm.open_nursery() if warm is not None else None
    yield nursery
    if nursery is not None:
        nursery.connection.close()


EFFECTS_CELLS = (
    "import csv, json, pathlib",
    """rows = list(csv.DictReader(open(f"{data_dir}/studies.csv", encoding="utf-8")))
mine = [row for row in rows if row["headache_type"] == headache_type]
folder = pathlib.Path(output_dir)
if output_dir:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "effects.csv").write_text("study_id\\n" + "".join(row["study_id"] + "\\n" for row in mine))
    pooled = {"k": len(mine), "n": float(sum(float(row["n_randomised"] or 0) for row in mine)), "estimate": -1.0,
              "ci": [-2.0, -0.5], "tau2": 0.1, "prediction_interval": [None, None]}
    result = {"question_id": "q1", "title": "A test question", "outcome": "headache_days", "measure": "MD",
              "studies": [row["study_id"] for row in mine], "pooled": pooled, "left_out": []}
    (folder / "results.json").write_text(json.dumps({"headache_type": headache_type, "results": [result]}))""",
    "[row['title'] for row in mine][:3]",
)  # a stand-in for the real notebooks that needs no imports


@dataclass(frozen=True)
class Project:
    """A copy of the project's data with two quick notebooks."""

    root: Path
    make_notebook: MakeNotebook
    warm: WarmProcess | None

    @property
    def output(self) -> Path:
        return self.root / "reports"

    def settings(self, *types: str, **options: Any) -> Settings:
        return read_settings(self.root / "data", self.output, types=types, jobs=2, **options)

    def run(self, *types: str, **options: Any) -> Outcome:
        return run(self.settings(*types, **options), Progress(lambda _: None), self.warm)

    def replace(self, table: str, old: str, new: str) -> None:
        path = self.root / "data" / table
        text = path.read_text(encoding="utf-8")
        assert old in text
        aside = self.root / table
        aside.write_text(text.replace(old, new, 1), encoding="utf-8")
        aside.replace(path)


@pytest.fixture
def project(tmp_path: Path, make_notebook: MakeNotebook, warm: WarmProcess | None) -> Project:
    """A project in a temporary folder."""
    shutil.copytree(Path(__file__).parents[2] / "data", tmp_path / "data")
    (tmp_path / "requirements.lock").write_text("numpy==2.0 --hash=sha256:0\n")
    passed = {"data": whole_data_hash(tmp_path / "data"), "package": package_hash()}
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / ".checked.json").write_text(json.dumps(passed))  # the data as they are have their own test
    make_notebook(*EFFECTS_CELLS, name="01_effects.ipynb", title="Effects")
    make_notebook("print('second')", name="02_second.ipynb", title="Second")
    return Project(tmp_path, make_notebook, warm)
