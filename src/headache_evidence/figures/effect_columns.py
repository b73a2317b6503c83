"""Which text columns a forest has and what stands in them, read from an effects table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from headache_evidence.errors import InputError
from headache_evidence.figures.number_text import count, number, plain
from headache_evidence.figures.row_table import Column
from headache_evidence.figures.typeset import capitalised, clean, words

DESCRIPTIVE = ("technique", "guidance", "comparator", "weeks")
HEADINGS = {
    "arm_1_label": "Intervention",
    "arm_2_label": "Comparator",
    "volume_ml": "mL per site",
    "time_label": "Time",
    "risk_of_bias": "Risk of bias",
    "headache_type": "Headache type",
    "tau2": "τ²",
    "i2": "I² (%)",
}
DIRECT_RULES = frozenset({"", "mean_sd", "events", "reported_interval"})  # read, not derived
DECIMALS = {"weeks": 1, "i2": 1, "tau2": 3}
RIGHT_ALIGNED = frozenset({"weeks", "volume_ml", "year", "tau2", "i2", "n1", "n2"})
DAGGERS = ("†", "‡", "§", "¶", "††", "‡‡", "§§", "¶¶")
CELL_WIDTH = 96.0
LABEL_WIDTH = 190.0


def column_values(effects: pd.DataFrame, name: str) -> list[str]:
    """A column of the effects table as printable words, one per row."""
    if name not in effects.columns:
        raise InputError(f"The effects table has no column {name!r}; its columns are {', '.join(effects.columns)}.")
    values = effects[name].to_list()
    if pd.api.types.is_bool_dtype(effects[name]):
        return ["yes" if value is True else "no" if value is False else "" for value in values]
    if pd.api.types.is_numeric_dtype(effects[name]):
        decimals = DECIMALS.get(name)
        return [_number_cell(float(value), decimals) if pd.notna(value) else "" for value in values]
    return [words(value) for value in values]


def choose_descriptive(effects: pd.DataFrame, leave_out: Sequence[str]) -> tuple[list[str], list[str]]:
    """Columns whose values differ between studies, and one phrase for each column that says the same everywhere."""
    shown, constant = [], []
    for name in DESCRIPTIVE:
        if name not in effects.columns or name in leave_out or not len(effects):
            continue
        values = set(column_values(effects, name)) - {"", "none", "not reported"}
        if len(values) > 1 or (values and len(set(column_values(effects, name))) > 1):
            shown.append(name)
        elif values:
            constant.append(f"{_heading(name).lower()} {values.pop()}")
    return shown, constant


def descriptive_columns(names: Sequence[str]) -> list[Column]:
    """One wrapping text column per name."""
    return [
        Column(name, _heading(name), "right" if name in RIGHT_ALIGNED else "left", max_width=CELL_WIDTH)
        for name in names
    ]


def arm_columns(effects: pd.DataFrame, arm_names: tuple[str, str]) -> list[Column]:
    """Mean (SD) and n, or events / total, or n alone, per arm: whatever the table holds."""
    both = _has(effects, "n2") or _has(effects, "m2") or _has(effects, "events2")
    columns: list[Column] = []
    for arm, name in (("1", arm_names[0]), ("2", arm_names[1])):
        if arm == "2" and not both:
            continue
        group = name if both else ""
        if _has(effects, "events1"):
            columns.append(Column(f"count{arm}", "Events / total", "right", group, gap=14.0))
            continue
        if _has(effects, "m1"):
            heading = "Mean (SD)" if both else "Mean change (SD)"
            columns.append(Column(f"mean{arm}", heading, "right", group, gap=14.0))
        if _has(effects, f"n{arm}"):
            columns.append(Column(f"n{arm}", "n", "right", group, gap=7.0 if _has(effects, "m1") else 14.0))
    return columns


def arm_cells(row: Mapping[str, object]) -> dict[str, str]:
    """The texts of the arm columns of one effect."""
    cells = {}
    for arm in ("1", "2"):
        m, sd, n, events = (_float(row.get(f"{field}{arm}")) for field in ("m", "sd", "n", "events"))
        spread = f" ({number(sd)})" if np.isfinite(sd) else ""
        cells[f"mean{arm}"] = f"{number(m)}{spread}" if np.isfinite(m) else ""
        cells[f"n{arm}"] = count(n)
        cells[f"count{arm}"] = f"{count(events)} / {count(n)}" if np.isfinite(events) else count(n)
    return cells


def totals_cells(effects: pd.DataFrame) -> dict[str, str]:
    """Sums of n and of events / total, where every study of the block has the number and no arm comes twice."""
    cells = {}
    for arm in ("1", "2"):
        once = not _arm_repeats(effects, f"arm_{arm}")
        n = _sum(effects, f"n{arm}") if once else float("nan")
        events = _sum(effects, f"events{arm}") if once else float("nan")
        cells[f"n{arm}"] = count(n)
        cells[f"count{arm}"] = f"{count(events)} / {count(n)}" if np.isfinite(events) else count(n)
    return cells


def effect_columns(measure: str, model: str, level: str, brackets: tuple[str, str, str]) -> list[Column]:
    """Estimate and the two bounds, each aligned on its last digit so that decimal points line up."""
    interval = f"{brackets[0]}{level} CI{brackets[2]}"
    return [
        Column("estimate", "", "right", measure, gap=12.0),
        Column("low", "", "right", measure, gap=5.0),
        Column("high", f"{model} {interval}".strip(), "right", measure, gap=3.5, overhang=True),
    ]


def effect_cells(
    bounds: Sequence[float], decimals: int, brackets: tuple[str, str, str] = ("[", ",", "]")
) -> dict[str, str]:
    """The texts of an estimate and its lower and upper bound, from printed-scale numbers."""
    estimate, low, high = bounds
    if not np.isfinite(low) or not np.isfinite(high):
        return {"estimate": number(estimate, decimals)}
    return {
        "estimate": number(estimate, decimals),
        "low": f"{brackets[0]}{number(low, decimals)}{brackets[1]}",
        "high": f"{number(high, decimals)}{brackets[2]}",
    }


def study_labels(effects: pd.DataFrame) -> list[str]:
    """Author and year of each row; the year is added where the label does not have it."""
    name = next((c for c in ("label", "study_id") if c in effects.columns), None)
    if name is None:
        return [f"study {i + 1}" for i in range(len(effects))]
    labels = [clean(value) for value in effects[name]]
    if "year" not in effects.columns:
        return labels
    years = ["" if pd.isna(year) else f"{year:.0f}" for year in effects["year"]]
    return [text if not year or year in text else f"{text} {year}" for text, year in zip(labels, years, strict=True)]


def dagger_notes(effects: pd.DataFrame) -> tuple[list[str], list[str]]:
    """A mark per row whose numbers were derived, not read, and one footnote per way of deriving them."""
    if not {"derivation", "derivation_rule"} <= set(effects.columns):
        return [""] * len(effects), []
    derived = [not set(clean(rule).split("+")) <= DIRECT_RULES for rule in effects["derivation_rule"]]
    ways = [clean(way) if is_derived else "" for way, is_derived in zip(effects["derivation"], derived, strict=True)]
    distinct = list(dict.fromkeys(way for way in ways if way))
    marks = dict(zip(distinct, [*DAGGERS, *(f"†{i}" for i in range(9, len(distinct) + 1))], strict=False))
    return [marks.get(way, "") for way in ways], [f"{marks[way]} {capitalised(way)}." for way in distinct]


def _number_cell(value: float, decimals: int | None) -> str:
    """As short as it can be, or with fixed decimals so that a column lines up; '<0.1' for what would print as zero."""
    if decimals is None:
        return plain(round(value, 2))
    least = 10.0**-decimals
    return f"<{least:g}" if 0 < value < least / 2 else number(value, decimals)


def _heading(name: str) -> str:
    return HEADINGS.get(name, capitalised(words(name)))


def _float(value: object) -> float:
    return float("nan") if value is None or pd.isna(value) else float(value)  # type: ignore[arg-type,call-overload]


def _has(effects: pd.DataFrame, name: str) -> bool:
    return name in effects.columns and bool(effects[name].notna().any())


def _arm_repeats(effects: pd.DataFrame, name: str) -> bool:
    """Whether an arm of a study stands in more than one row, so that a sum would count its patients twice."""
    if not {"study_id", name} <= set(effects.columns):
        return False
    arms = [
        (study, arm) for study, joined in zip(effects["study_id"], effects[name], strict=True)
        for arm in clean(joined).split("+") if arm
    ]  # fmt: skip
    return len(set(arms)) < len(arms)


def _sum(effects: pd.DataFrame, name: str) -> float:
    if name not in effects.columns or not len(effects) or effects[name].isna().any():
        return float("nan")
    return float(effects[name].astype(float).sum())
