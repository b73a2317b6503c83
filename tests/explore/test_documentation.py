"""Every public name is documented, and every page of the documentation is reachable."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import typer
import yaml

import headache_evidence as he
from headache_evidence.cli import app
from headache_evidence.effects.escalc import VTYPES
from headache_evidence.pools.tau2_estimators import METHODS

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


def test_every_measure_and_estimator_stands_on_the_methods_page() -> None:
    words = set(re.findall(r"\w+", (DOCS / "methods.md").read_text(encoding="utf-8")))
    assert {*VTYPES, *METHODS} - words == set()


def test_tables_of_the_methods_page_say_source_and_when_not_to_use() -> None:
    rows = re.findall(r"^\|(.+)\|$", (DOCS / "methods.md").read_text(encoding="utf-8"), re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    assert len(cells) > 35
    assert [row for row in cells if len(row) < 4 or not all(row)] == []


def test_completion_of_the_shell_knows_the_commands() -> None:
    words = {"COMP_WORDS": "headache-evidence ", "COMP_CWORD": "1"}
    asked = os.environ | {"_HEADACHE_EVIDENCE_COMPLETE": "complete_bash"} | words
    program = Path(sys.executable).with_name("headache-evidence")
    offered = subprocess.run([program], env=asked, capture_output=True, text=True, check=True).stdout.split()
    assert {"report", "check", "add", "diff", "schedule", "verify"} <= set(offered)


def test_every_command_is_documented_and_shows_an_example() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    for command in typer.main.get_command(app).commands.values():  # type: ignore[attr-defined]
        assert f"headache-evidence {command.name}" in page
        assert "xample" in (command.epilog or ""), command.name


def test_pre_commit_hooks_call_what_is_in_the_lock() -> None:
    hooks = yaml.safe_load((DOCS.parent / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repository["repo"] for repository in hooks] == ["local"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks[0]["hooks"])


def test_the_citation_names_the_version_of_the_package_and_no_person() -> None:
    cited = yaml.safe_load((DOCS.parent / "CITATION.cff").read_text(encoding="utf-8"))
    package = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert str(cited["version"]) == importlib.metadata.version("headache-evidence")
    assert cited["license"] == package["license"]
    assert cited["authors"] == [{"name": "The Headache Evidence contributors"}]


def test_links_between_the_files_of_the_repository_lead_somewhere() -> None:
    root = DOCS.parent
    pages = [*root.glob("*.md"), *DOCS.glob("*.md"), *root.glob("data/*.md"), *root.glob("notebooks/**/*.md")]
    linked = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if not target.startswith(("http", "mailto:"))
    ]
    assert len(linked) > 10
    assert [f"{page.name}: {target}" for page, target in linked if not (page.parent / target).exists()] == []
