"""What a viewer shows when the pointer rests on a study: its effect, its numbers, where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from headache_evidence.effects.effect_table import StudyData
from headache_evidence.figures.effect_columns import arm_cells
from headache_evidence.figures.measure_scale import MeasureScale
from headache_evidence.figures.number_text import interval, number
from headache_evidence.figures.typeset import capitalised, clean, words

NOT_SAID = frozenset({"", "none", "not reported"})


def effect_hover(label: str, effect: str, record: Mapping[str, Any]) -> str:
    """Lines for one effect.

    Parameters
    ----------
    label : study as printed.
    effect : measure, estimate, interval and weight as printed.
    record : the row of the effects table; columns it lacks are left out.
    """
    cells = arm_cells(record)
    arms = [
        f"{_arm(record, arm)}: {numbers}"
        for arm in ("1", "2")
        if (numbers := cells[f"count{arm}"] if _known(record, f"events{arm}") else _mean(cells, arm))
    ]
    setting = [words(record.get(name)) for name in ("technique", "guidance", "nerves", "injectate")]
    if _known(record, "weeks"):
        setting.append(f"{record['weeks']:.3g} weeks")
    lines = [
        label,
        effect,
        capitalised(", ".join(text for text in setting if text not in NOT_SAID)),
        *arms,
        _line("Derivation", record.get("derivation")),
        _line("Doubts", record.get("flags")),
        _line("Rows", record.get("source_rows")),
        _line("Source", record.get("source_url")),
    ]
    return "\n".join(line for line in lines if line)


def point_words(data: StudyData, scale: MeasureScale) -> list[str]:
    """Label, effect and 95% interval of each study."""
    half = 1.959964 * np.sqrt(data.vi)
    printed = scale.printed(np.column_stack([data.yi, data.yi - half, data.yi + half])).reshape(-1, 3).tolist()
    return [
        f"{label}\n{scale.name} {number(y, scale.decimals)} {interval((low, high), scale.decimals)}"
        for label, (y, low, high) in zip(data.labels, printed, strict=True)
    ]


def _arm(record: Mapping[str, Any], arm: str) -> str:
    name = clean(record.get(f"arm_{arm}_label"))
    return capitalised(name) or ("Intervention" if arm == "1" else "Comparator")


def _mean(cells: Mapping[str, str], arm: str) -> str:
    parts = [cells[f"mean{arm}"], f"n = {cells[f'n{arm}']}" if cells[f"n{arm}"] else ""]
    return ", ".join(part for part in parts if part)


def _known(record: Mapping[str, Any], name: str) -> bool:
    value = record.get(name)
    return value is not None and bool(pd.notna(value))


def _line(heading: str, value: object) -> str:
    text = clean(value)
    return f"{heading}: {text}" if text else ""
