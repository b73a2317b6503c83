"""Which versions of which packages made a report."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata


@cache
def package_versions() -> dict[str, str]:
    """Installed version of this package and of everything it asks for directly, sorted by name."""
    names = {"headache-evidence"}
    try:
        requirements = metadata.requires("headache-evidence") or []
    except metadata.PackageNotFoundError:
        requirements = []
    names |= {re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0] for line in requirements if "extra ==" not in line}
    versions = {}
    for name in sorted(names, key=str.lower):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions
