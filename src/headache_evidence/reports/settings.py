"""What one run of the pipeline is asked to do, checked against the protocol before anything starts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from headache_evidence.errors import InputError, ProtocolError
from headache_evidence.reports.parameters import Parameter, check_choices, check_parameters, declared_parameters
from headache_evidence.tables.safe_yaml import read_yaml

NOTEBOOK_PATTERN = "[0-9][0-9]_*.ipynb"
NOTEBOOK_TIMEOUT = 600.0
#: Allowed values of notebook parameters that name a choice; the protocol adds outcomes.
CHOICES = {
    "method": frozenset({"FE", "DL", "HE", "ML", "REML", "PM", "SJ", "EB"}),
    "ci": frozenset({"wald", "knapp-hartung", "knapp-hartung-conservative"}),
}


@dataclass(frozen=True)
class Settings:
    """Folders, the headache types of the protocol with their titles, what to make of them and how."""

    data_dir: Path
    notebooks_dir: Path
    output_dir: Path
    titles: Mapping[str, str]
    limits: str
    selected: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    jobs: int = 2
    force: bool = False
    timeout: float = NOTEBOOK_TIMEOUT

    @property
    def notebooks(self) -> tuple[Path, ...]:
        """The notebooks of a report in the order in which they run."""
        return tuple(sorted(self.notebooks_dir.glob(NOTEBOOK_PATTERN)))

    @property
    def lock_file(self) -> Path:
        """The lock that pins every package."""
        return self.notebooks_dir.parent / "requirements.lock"

    def only(self, headache_type: str) -> Settings:
        """The same settings for one report."""
        return replace(self, selected=(headache_type,))


def read_settings(
    data_dir: Path = Path("data"),
    output_dir: Path = Path("reports"),
    types: Iterable[str] = (),
    outcomes: Iterable[str] = (),
    parameters: Mapping[str, Any] | None = None,
    jobs: int = 0,
    force: bool = False,
    timeout: float = NOTEBOOK_TIMEOUT,
    notebooks_dir: Path | None = None,
) -> Settings:
    """Settings with every choice checked.

    Parameters
    ----------
    types, outcomes : empty means all of the protocol. jobs : notebooks at a time; 0 means one more than cores, since
        some step of a notebook always waits.
    notebooks_dir : ``notebooks`` beside the data folder when None.

    Raises
    ------
    InputError, ProtocolError, ParameterError, NotebookError
        a folder is missing, the protocol cannot be read, or a choice is not in it.
    """
    data_dir = data_dir.resolve()
    notebooks_dir = (notebooks_dir or data_dir.parent / "notebooks").resolve()
    if not data_dir.is_dir():
        raise InputError(
            f"{data_dir}: no such folder with evidence tables; give --data, or run in the project's folder."
        )
    protocol = _protocol(data_dir / "protocol.yml")
    titles = {str(name): str(title) for name, title in protocol["headache_types"].items()}
    given: dict[str, Any] = dict(parameters or {})
    known_outcomes = [str(name) for name in protocol.get("outcomes") or ()]
    if outcomes := tuple(outcomes):
        given["outcomes"] = check_choices(outcomes, known_outcomes, "outcome")
    settings = Settings(
        data_dir=data_dir,
        notebooks_dir=notebooks_dir,
        output_dir=output_dir.resolve(),
        titles=titles,
        limits=str(protocol.get("search_limits", "")).strip(),
        selected=tuple(check_choices(types, list(titles), "headache type")) or tuple(titles),
        jobs=jobs or (os.cpu_count() or 1) + 1,
        force=force,
        timeout=timeout,
    )
    if not settings.notebooks:
        raise InputError(f"{notebooks_dir}: no notebooks named like 01_name.ipynb.")
    choices = CHOICES | {"outcomes": frozenset(known_outcomes)}
    return replace(settings, parameters=_checked(given, settings, choices))


def parameters_for(notebook: Path, settings: Settings) -> dict[str, Any]:
    """The user's parameters that this notebook knows."""
    declared = declared_parameters(notebook)
    return {name: value for name, value in settings.parameters.items() if name in declared}


def _checked(given: Mapping[str, Any], settings: Settings, choices: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    declared: dict[str, Parameter] = {}
    for notebook in settings.notebooks:
        own = declared_parameters(notebook)
        if "headache_type" not in own:
            raise InputError(f"{notebook.name}: a notebook of a report must declare the parameter headache_type.")
        declared |= own
    for name, allowed in choices.items():
        if name in declared:
            declared[name] = replace(declared[name], allowed=allowed)
    return check_parameters(given, declared, "The notebooks")


def _protocol(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            protocol = read_yaml(file)
    except FileNotFoundError as error:
        raise ProtocolError(f"{path}: the protocol is missing.") from error
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path.name}: {error}") from error
    types = protocol.get("headache_types") if isinstance(protocol, dict) else None
    if not isinstance(types, dict) or not types:
        raise ProtocolError(f"{path.name}: headache_types must list at least one 'name: title'.")
    names = [str(name) for name in types]
    bad = [name for name in names if not name.replace("_", "").isalnum() or not name.isascii()]
    if bad:
        raise ProtocolError(f"{path.name}: headache type names may hold letters, digits and _ only, not {bad[0]!r}.")
    return dict(protocol)
