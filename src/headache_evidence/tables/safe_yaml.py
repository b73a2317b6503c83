"""YAML read as plain values, never as objects: by libyaml where PyYAML has it, which takes a tenth of the time."""

from __future__ import annotations

from typing import IO, Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(content: str | IO[bytes] | IO[str]) -> Any:
    """The value of a YAML document; yaml.YAMLError when it is none."""
    return yaml.load(content, Loader=LOADER)
