"""Every public name is documented, and every page of the documentation is reachable."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import headache_evidence as he

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def conf() -> ModuleType:
    spec = importlib.util.spec_from_file_location("documentation_conf", DOCS / "conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_name_stands_in_the_reference_with_a_docstring(conf: ModuleType) -> None:
    named = set(re.findall(r"^### (\w+)$", conf.api_reference(), re.MULTILINE))
    assert named == set(he.__all__)
    assert [name for name in he.__all__ if not (getattr(he, name).__doc__ or "").strip()] == []


def test_generated_pages_are_filled(conf: ModuleType) -> None:
    for document, expected in (("api", "### open_explorer"), ("data_dictionary", "| study_id | string |")):
        source = [(DOCS / f"{document}.md").read_text(encoding="utf-8")]
        conf.fill_in(None, document, source)
        assert expected in source[0]


def test_every_page_is_in_the_contents() -> None:
    contents = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {line.strip() for line in contents.splitlines()}
    assert {path.stem for path in DOCS.glob("*.md")} - {"index"} <= listed


def test_code_files_that_the_methods_name_exist() -> None:
    package = DOCS.parent / "src" / "headache_evidence"
    named = re.findall(r"`((?:effects|pools|conclusions|figures)/[\w/.]*)`", (DOCS / "methods.md").read_text("utf-8"))
    assert len(named) > 20
    assert [name for name in named if not (package / name).exists()] == []
