"""Notebooks stay thin and honest: a question, a call, a figure, a sentence."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("**/*.ipynb"))
NUMBERED = [path for path in NOTEBOOKS if re.match(r"\d\d_", path.name)]
MAX_CODE_CELLS, MAX_LINES = 15, 10
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(home|root|Users|tmp|work|var|opt)/|[A-Z]:\\\\")
RESULT_NUMBER = re.compile(r"\d+[.,]\d+|\d+ ?%|\bp ?[<=>]|\bk ?= ?\d|\bn ?= ?\d", re.IGNORECASE)

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def cells(path: Path, kind: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def code(path: Path) -> list[str]:
    return [re.sub(r"^\s*[%!].*$", "", cell.source, flags=re.MULTILINE) for cell in cells(path, "code")]


def test_is_valid(path: Path) -> None:
    nbformat.validate(nbformat.read(path, as_version=4))


def test_numbered_notebooks_have_one_parameters_cell_with_types_and_comments(path: Path) -> None:
    if path not in NUMBERED:
        pytest.skip("only numbered notebooks take parameters")
    tagged = [cell for cell in cells(path, "code") if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    for line in tagged[0].source.splitlines():
        assert re.match(r"^\w+: (str|int|float|bool|list\[str\]) = .+  # [^=]+$", line), line


def test_imports_stand_in_one_cell(path: Path) -> None:
    with_imports = [
        i
        for i, source in enumerate(code(path))
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(source)))
    ]
    assert with_imports == [0]


def test_holds_no_logic_of_its_own(path: Path) -> None:
    forbidden = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda | ast.While | ast.Try
    for source in code(path):
        assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, forbidden)], source


def test_is_short(path: Path) -> None:
    sources = code(path)
    assert len(sources) <= MAX_CODE_CELLS
    assert all(len(source.splitlines()) <= MAX_LINES for source in sources)


def test_has_one_main_heading_and_skips_no_level(path: Path) -> None:
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


def test_prose_holds_no_result_numbers(path: Path) -> None:
    for cell in cells(path, "markdown"):
        assert not RESULT_NUMBER.search(cell.source), cell.source


def test_is_executed_in_order_without_errors(path: Path) -> None:
    counts = [cell.execution_count for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1)), "stripped or out of order: nbval would not compare it"
    outputs = [output for cell in cells(path, "code") for output in cell.outputs]
    assert outputs, "no outputs are committed: nbval would have nothing to compare"
    assert not [output for output in outputs if output.output_type in ("error", "stream")]


def test_names_no_machine_path_and_carries_no_volatile_metadata(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not MACHINE_PATH.search(text)
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert all(not set(cell.metadata) - {"tags"} for cell in notebook.cells)
