"""The evidence tables in memory, validated."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from headache_evidence.errors import EvidenceError
from headache_evidence.tables.faults import errors_of
from headache_evidence.tables.schema import Schema, read_schema
from headache_evidence.tables.validation import examine


@dataclass(frozen=True, eq=False, repr=False)
class Evidence:
    """All tables of a data folder.

    Every DataFrame has its columns in the order of the file and an int column ``row``, the line in its CSV file
    (header = 1). Numbers are float64 or Int64 with NaN or NA where the source shows none, text is ``str`` with ""
    where it shows none, ``retracted`` is bool. What each column means stands in data/README.md.
    """

    data_dir: Path
    schema: Schema
    studies: pd.DataFrame
    sources: pd.DataFrame
    arms: pd.DataFrame
    outcomes: pd.DataFrame
    contrasts: pd.DataFrame
    risk_of_bias: pd.DataFrame
    screening: pd.DataFrame
    flags: pd.DataFrame
    second_extraction: pd.DataFrame
    published_pools: pd.DataFrame
    guidelines: pd.DataFrame
    mcid: pd.DataFrame
    certainty_judgements: pd.DataFrame

    def __repr__(self) -> str:
        tables = ", ".join(f"{table.name}: {len(getattr(self, table.name))}" for table in self.schema.tables)
        return f"Evidence({tables})"

    def content(self) -> Hashable:
        """What the tables hold at this moment; equal content is equal."""
        tables = {table.name: getattr(self, table.name) for table in self.schema.tables}
        return tuple(
            (name, repr(table.index), tuple(table.dtypes.items()), tuple(_cells(cells) for _, cells in table.items()))
            for name, table in tables.items()
        )


def _cells(column: pd.Series) -> Hashable:
    """What the cells hold; numbers as bytes, in which missing ones are equal."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return bytes(column.to_numpy(float, na_value=np.nan).tobytes())
    cells = np.asarray(column.array).tolist()
    return tuple(cells) if isinstance(column.dtype, pd.StringDtype) else repr(cells)  # others are a caller's own


def load_evidence(data_dir: str | Path = "data") -> Evidence:
    """Read and validate the evidence tables.

    Parameters
    ----------
    data_dir : folder with the CSV files and ``datapackage.json``.

    Raises
    ------
    EvidenceError
        with all faults when there is any; warnings do not raise, ``check_evidence`` lists them.
    """
    folder = Path(data_dir)
    schema = read_schema(folder)
    frames = _examined(folder.resolve(), _content_of(folder))
    names = [name for name in Evidence.__dataclass_fields__ if name not in ("data_dir", "schema")]
    empty = pd.DataFrame({"row": pd.Series(dtype="int64")})
    return Evidence(folder, schema, **{name: frames.get(name, empty).copy(deep=False) for name in names})


def _content_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.glob("*") if path.is_file()):
        try:
            content = path.read_bytes()
        except OSError as error:
            content = str(error).encode()
        digest.update(f"{path.name} {len(content)} ".encode(errors="surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


@lru_cache(maxsize=2)
def _examined(folder: Path, content: str) -> Mapping[str, pd.DataFrame]:
    """The tables of a folder with this ``content``, examined once; callers hand out copies (pandas copies on write)."""
    frames, faults = examine(read_schema(folder), folder)
    errors = errors_of(faults)
    if errors:
        raise EvidenceError(errors)
    return frames
