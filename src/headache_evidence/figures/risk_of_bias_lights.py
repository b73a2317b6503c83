"""Risk-of-bias judgements as rows of traffic lights: which letters, which lights, which legend."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from headache_evidence.errors import InputError
from headache_evidence.figures.palette import JUDGEMENTS
from headache_evidence.figures.typeset import words

OVERALL = "overall"


@dataclass(frozen=True)
class Lights:
    """Letters over the lights, one tuple of judgements per study, and the legend lines."""

    letters: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[str, ...]


def domains_by_tool(table: pd.DataFrame) -> dict[str, list[str]]:
    """The domains of each tool in the order of the table, without 'overall'."""
    missing = {"study_id", "tool", "domain", "judgement"} - set(table.columns)
    if missing:
        raise InputError(f"A risk-of-bias table needs the column(s) {', '.join(sorted(missing))}.")
    tools = dict.fromkeys(table["tool"].astype(str))
    return {
        tool: [d for d in dict.fromkeys(table.loc[table["tool"] == tool, "domain"].astype(str)) if d != OVERALL]
        for tool in tools
    }


def lights_of(table: pd.DataFrame, effects: pd.DataFrame) -> Lights:
    """Lights for each row of an effects table, by its ``study_id``; studies without a judgement get none.

    Tools differ in their domains: letters count the domains of each study's own tool, and the legend spells them out.
    """
    if "study_id" not in effects.columns:
        raise InputError("Traffic lights need the column study_id in the effects table.")
    relevant = table.loc[table["study_id"].isin(effects["study_id"])]
    domains = domains_by_tool(relevant)
    most = max((len(names) for names in domains.values()), default=0)
    letters = [chr(ord("A") + i) for i in range(most)]
    has_overall = bool((relevant["domain"] == OVERALL).any())
    judgement = {
        (s, t, d): str(j)
        for s, t, d, j in relevant[["study_id", "tool", "domain", "judgement"]].itertuples(index=False)
    }
    tool_of = dict(zip(relevant["study_id"], relevant["tool"].astype(str), strict=True))
    rows = []
    for study in effects["study_id"]:
        tool = tool_of.get(study)
        names = domains.get(tool, []) if tool is not None else []
        found = [judgement.get((study, tool, name), "") for name in names] + [""] * (most - len(names))
        if has_overall:
            found.append(judgement.get((study, tool, OVERALL), ""))
        rows.append(tuple(found))
    legend = [
        f"{tool}: " + ", ".join(f"{letter} {words(name)}" for letter, name in zip(letters, names, strict=False)) + "."
        for tool, names in domains.items()
    ]
    if legend:
        signs = ", ".join(f"{symbol} {meaning}" for _, symbol, _, meaning in JUDGEMENTS.values())
        legend = [
            f"Risk of bias by {legend[0]}",
            *legend[1:],
            f"Ov. overall; signs: {signs}." if has_overall else f"Signs: {signs}.",
        ]
    return Lights((*letters, "Ov.") if has_overall else tuple(letters), tuple(rows), tuple(legend))
