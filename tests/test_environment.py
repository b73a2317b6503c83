"""The three descriptions of the environment say the same: pyproject.toml, requirements.lock, environment.yml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK_TEXT = (ROOT / "requirements.lock").read_text(encoding="utf-8")
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def locked_versions() -> dict[str, set[Version]]:
    versions: dict[str, set[Version]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", LOCK_TEXT, flags=re.MULTILINE):
        versions.setdefault(canonicalize_name(name), set()).add(Version(version))
    return versions


def required() -> list[Requirement]:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    return [Requirement(line) for line in PROJECT["dependencies"] + extras]


@pytest.mark.parametrize("requirement", required(), ids=lambda r: r.name)
def test_the_lock_satisfies_every_requirement(requirement: Requirement) -> None:
    versions = locked_versions().get(canonicalize_name(requirement.name))
    assert versions, f"{requirement.name} is not in requirements.lock: run make lock"
    assert all(version in requirement.specifier for version in versions)


def test_every_locked_package_has_a_hash() -> None:
    blocks = re.split(r"^(?=[A-Za-z0-9])", LOCK_TEXT, flags=re.MULTILINE)
    unhashed = [block.split("==")[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
    assert unhashed == []


def test_the_lock_names_no_index() -> None:
    assert not re.search(r"index-url|find-links|https?://", LOCK_TEXT)


def test_conda_installs_the_same_package_set() -> None:
    pip_lines = next(item["pip"] for item in CONDA["dependencies"] if isinstance(item, dict))
    assert pip_lines == ["-r requirements.lock"]


def test_conda_and_project_agree_on_python() -> None:
    python = next(item for item in CONDA["dependencies"] if isinstance(item, str) and item.startswith("python"))
    assert python.removeprefix("python").strip() == PROJECT["requires-python"]


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lines = re.findall(r'^    "[A-Za-z0-9_.-]+[<>=!~][^"]*",(.*)$', text, flags=re.MULTILINE)
    assert len(lines) >= len(required())
    assert all(line.strip().startswith("#") for line in lines)
