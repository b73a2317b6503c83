"""What a person can set when exploring, and how it is kept: as JSON, as a web address, as papermill parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from headache_evidence.errors import ParameterError

ANY = "any"
BY_PROTOCOL = "protocol"


@dataclass(frozen=True)
class ExplorerSettings:
    """One state of the explorer.

    ``measure`` and ``method`` are ``protocol`` for what the protocol says. ``technique``, ``guidance`` and
    ``injectate`` are ``any`` or the one value kept; ``injectate`` also knows ``steroid`` and ``no_steroid``.
    ``taken_out`` names studies taken out by hand. ``lights`` puts the risk of bias beside the forest plot.
    """

    headache_type: str = "migraine"
    outcome: str = "headache_days"
    stream: str = "controlled"
    intervention: str = "injection"
    comparison: str = "inactive"
    design: str = "randomised"
    window: str = "medium"
    technique: str = ANY
    guidance: str = ANY
    injectate: str = ANY
    measure: str = BY_PROTOCOL
    method: str = BY_PROTOCOL
    ci: str = BY_PROTOCOL
    pre_post_correlation: float = 0.5
    leave_out_doubtful: bool = False
    leave_out_high_risk: bool = False
    taken_out: tuple[str, ...] = ()
    lights: bool = False

    def changed(self) -> dict[str, Any]:
        """What differs from the defaults, JSON-ready, in the order of the fields."""
        values, defaults = asdict(self), asdict(ExplorerSettings())
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value != defaults[name]
        }

    def to_json(self) -> str:
        """All settings as JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def to_query(self) -> str:
        """What differs from the defaults as the query part of a web address, without the question mark."""
        return urlencode({name: _query_text(value) for name, value in self.changed().items()})


def settings_from(values: Mapping[str, object]) -> ExplorerSettings:
    """Settings from names and values; what is not named keeps its default.

    Raises
    ------
    ParameterError
        for an unknown name or a value of the wrong type. Whether a word exists in the protocol is checked when it is
        used.
    """
    defaults = ExplorerSettings()
    known = {item.name: getattr(defaults, item.name) for item in fields(defaults)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ParameterError(f"Unknown setting(s) {', '.join(unknown)}; known: {', '.join(known)}.")
    return ExplorerSettings(**{name: _like(known[name], value, name) for name, value in values.items()})


def settings_from_query(query: str) -> ExplorerSettings:
    """Settings from the query part of a web address; names that are not settings are ignored.

    Raises
    ------
    ParameterError
        for a value of the wrong type.
    """
    known = {item.name for item in fields(ExplorerSettings)}
    return settings_from({name: value for name, value in parse_qsl(query.lstrip("?")) if name in known})


def read_settings_file(path: str | Path) -> ExplorerSettings:
    """Settings from a JSON file.

    Raises
    ------
    ParameterError
        when the file is missing, is not JSON, or holds something unknown.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path}: not a text file in UTF-8.") from error
    return settings_from_json(text)


def settings_from_json(text: str) -> ExplorerSettings:
    """Settings from the text of a JSON file; ParameterError when it is not JSON or holds something unknown."""
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ParameterError(f"Not a file of settings: {error}.") from error
    if not isinstance(values, dict):
        raise ParameterError("Not a file of settings: names with values are needed.")
    return settings_from(values)


def _query_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, list) else str(value)


def _like(default: object, value: object, name: str) -> Any:
    """``value`` as the type of ``default``; text is read, so that web addresses need no types."""
    if isinstance(default, bool):
        truths: dict[object, bool] = {"yes": True, "no": False, "true": True, "false": False, True: True, False: False}
        key = value.lower() if isinstance(value, str) else value
        if isinstance(key, str | bool) and key in truths:
            return truths[key]
        raise ParameterError(f"The setting {name} is yes or no, not {value!r}.")
    if isinstance(default, float):
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise ParameterError(f"The setting {name} is a number, not {value!r}.") from None
    if isinstance(default, tuple):
        parts = value.split(",") if isinstance(value, str) else value
        if isinstance(parts, list | tuple) and all(isinstance(part, str) for part in parts):
            return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
        raise ParameterError(f"The setting {name} is a list of study names, not {value!r}.")
    if not isinstance(value, str):
        raise ParameterError(f"The setting {name} is a word, not {value!r}.")
    return value
