"""Maps of the evidence: gaps by headache type, outcome and follow-up; what each study reports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection

from headache_evidence.figures.chart import LINE, chart, frame, needs, nothing_to_show
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.palette import BLUE, INK, PALE, QUIET
from headache_evidence.figures.point_labels import hover_points
from headache_evidence.figures.sheet import Sheet, names_above, names_beside
from headache_evidence.figures.typeset import capitalised, clean, text_width, words, wrap

CERTAINTY = {  # fill and sign
    "high": ("#08519c", "⊕⊕⊕⊕"),
    "moderate": ("#4292c6", "⊕⊕⊕○"),
    "low": ("#9ecae1", "⊕⊕○○"),
    "very_low": ("#deebf7", "⊕○○○"),
    "": ("white", "not rated"),
}
REPORTED: dict[str, dict[str, Any]] = {  # marks of what a study says about an item
    "yes": {"marker": "o", "ms": 7.5, "mfc": BLUE, "mec": INK, "mew": 0.5},
    "partly": {"marker": "o", "ms": 7.5, "mfc": BLUE, "mec": INK, "mew": 0.5, "mfcalt": "white", "fillstyle": "left"},
    "no": {"marker": "_", "ms": 4.0, "mec": QUIET, "mew": 0.8},
}
LARGEST = 22.0  # diameter of the largest bubble in points
CELL = 34.0
LEAST_BLOCK = 84.0  # width of an outcome, for its heading


def evidence_gap_plot(
    table: pd.DataFrame,
    *,
    title: str = "Where there is evidence, and where there is none",
    unrated: str = "not rated",
) -> EvidenceFigure:
    """Bubbles by patients on a grid of headache type against outcome and follow-up; colour and sign by certainty.

    Parameters
    ----------
    table : ``headache_type``, ``outcome``, ``follow_up`` (in the order to show; only the pairs of outcome and
        follow-up that occur get a column), ``k`` (studies), ``n`` (patients,
        may be missing), ``certainty`` (high, moderate, low, very_low, or empty). Combinations that are absent or have
        k = 0 are the gaps and stay empty.
    title : bold line at the top.
    unrated : what a bubble without certainty means, for the note below.
    """
    needs(table, ("headache_type", "outcome", "follow_up", "k", "n", "certainty"), "The table of the evidence map")
    if table.empty:
        return nothing_to_show(title, "No combination to show.")
    types = list(dict.fromkeys(table["headache_type"].map(words)))
    outcomes = list(dict.fromkeys(table["outcome"].map(words)))
    order = {time: i for i, time in enumerate(dict.fromkeys(table["follow_up"].map(words)))}
    asked = set(zip(table["outcome"].map(words), table["follow_up"].map(words), strict=True))
    times = {o: [time for time in order if (o, time) in asked] for o in outcomes}
    places = [(outcome, time) for outcome in outcomes for time in times[outcome]]
    n = table["n"].to_numpy(float)
    most = max(float(np.nanmax(n)) if np.isfinite(n).any() else 1.0, 1.0)
    time_room = max(text_width(time) for time in order)
    longest = [max(text_width(word, bold=True) for word in capitalised(o).split(" ")) + 6.0 for o in outcomes]
    blocks = [max(CELL * len(times[o]), least, LEAST_BLOCK) for o, least in zip(outcomes, longest, strict=True)]
    starts = [sum(blocks[:i]) for i in range(len(blocks))]
    heads = [wrap(capitalised(o), block - 4.0, bold=True) for o, block in zip(outcomes, blocks, strict=True)]
    edges = [
        start + block * j / len(times[o])
        for o, start, block in zip(outcomes, starts, blocks, strict=True)
        for j in range(len(times[o]))
    ]
    width, height = sum(blocks), CELL * len(types)
    middles = [(left + right) / 2 for left, right in zip(edges, [*edges[1:], width], strict=True)]
    with house_style():
        ring = "" if np.isfinite(n[table["k"].to_numpy(float) > 0]).all() else " (open ring: number not known)"
        notes = [f"Area: patients{ring}. Number: studies. Empty: no usable evidence."]
        signs = [f"{sign} {words(key)}" for key, (_, sign) in CERTAINTY.items() if key]
        notes.append(f"Certainty, darker is higher: {', '.join(signs)}; white without sign: {unrated}.")
        figure, axes = chart(
            width, height, title=title, y_labels=[capitalised(name) for name in types], x_label_room=time_room + 4.0,
            top=max(len(h) for h in heads) * LINE + 6.0, notes=notes,
        )  # fmt: skip
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.set_yticks([CELL * (i + 0.5) for i in range(len(types))], labels=[capitalised(name) for name in types])
        axes.set_xticks(middles, labels=[time for _, time in places], rotation=90)
        axes.tick_params(length=0)
        axes.hlines([CELL * i for i in range(len(types) + 1)], 0, width, colors=PALE, linewidths=0.5, zorder=0)
        between, around = [at for at in edges if at not in starts], [*starts, width]
        for at, color, line in ((between, PALE, 0.5), (around, QUIET, 0.7)):
            axes.vlines(at, 0, height, colors=color, linewidths=line, zorder=0, clip_on=False)
        for i, lines in enumerate(heads):
            middle = starts[i] + blocks[i] / 2
            for k, text in enumerate(lines):
                axes.annotate(
                    text, (middle, 0), (0, 4 + LINE * (len(lines) - 1 - k)), textcoords="offset points", ha="center",
                    va="bottom", weight="bold", annotation_clip=False, gid=f"outcome-{i}-{k}",
                )  # fmt: skip
        for i, row in enumerate(table.to_dict("records")):
            if not float(row["k"]) > 0:
                continue
            x = middles[places.index((words(row["outcome"]), words(row["follow_up"])))]
            y = CELL * (types.index(words(row["headache_type"])) + 0.5)
            known = bool(pd.notna(row["n"]))
            diameter = max(LARGEST * np.sqrt(float(row["n"]) / most), 10.0) if known else 10.0
            fill, sign = CERTAINTY.get(clean(row["certainty"]).replace(" ", "_"), CERTAINTY[""])
            axes.scatter(
                [x], [y - 4.0], s=diameter**2, facecolor=fill if known else "white", edgecolor=INK, lw=0.7,
                gid=f"bubble-{i}",
            )  # fmt: skip
            dark = known and fill in ("#08519c", "#4292c6")
            axes.text(
                x, y - 4.0, f"{row['k']:.0f}", ha="center", va="center", size=6.5, weight="bold",
                color="white" if dark else INK, gid=f"studies-{i}",
            )  # fmt: skip
            if sign != "not rated":
                axes.text(x, y + 12.5, sign, ha="center", va="center", size=5.5, color=INK, gid=f"certainty-{i}")
    filled = table.loc[table["k"].astype(float) > 0]
    hover_points(
        figure,
        axes,
        [middles[places.index((words(r["outcome"]), words(r["follow_up"])))] for r in filled.to_dict("records")],
        [CELL * (types.index(words(r["headache_type"])) + 0.5) for r in filled.to_dict("records")],
        [_cell_words(r) for r in filled.to_dict("records")],
        [CELL / 2] * len(filled),
    )
    all_cells = len(types) * len(places)
    text = f"{len(filled)} of {all_cells} combinations of headache type, outcome and follow-up have usable evidence. "
    largest = filled.sort_values("n", ascending=False, kind="stable").head(3)
    text += "Most patients: " + "; ".join(
        f"{words(r['headache_type'])}, {words(r['outcome'])}, {words(r['follow_up'])} "
        f"(k = {r['k']:.0f}, n = {r['n']:.0f})"
        for r in largest.to_dict("records")
        if pd.notna(r["n"])
    )
    return describe(figure, title, f"{text}.", table.reset_index(drop=True))


def reporting_map_plot(
    table: pd.DataFrame, *, title: str = "What each study reports", partly: str = "partly"
) -> EvidenceFigure:
    """A grid of studies against items: filled for reported, half for partly, a dash for not.

    Parameters
    ----------
    table : first column the study label, then one column per item with "yes", "partly", "no" or empty (not applicable);
        booleans are understood.
    title : bold line at the top.
    partly : what a half circle means, for the note below.
    """
    if table.shape[1] < 2 or table.empty:
        return nothing_to_show(title, "No study to show.")
    labels = [clean(value) for value in table.iloc[:, 0]]
    items = [str(name) for name in table.columns[1:]]
    answers = [[_answer(value) for value in table[name]] for name in table.columns[1:]]
    heads = [capitalised(words(item)) for item in items]
    cell_x, cell_y = 18.0, 12.5
    width, height = cell_x * len(items), cell_y * len(labels)
    with house_style():
        counts = [sum(answer == "yes" for answer in column) for column in answers]
        figure, box = frame(
            width, height, title=title, y_labels=labels, top=max(text_width(h) for h in heads) + 6.0, x_label_room=0.1,
            notes=[f"● reported, ◐ {partly}, – not in what could be seen, empty: does not apply."],
        )  # fmt: skip
        grid = Sheet(figure, (0.0, width), (height, 0.0), box)
        grid.set_gid("plot")
        names_beside(grid, [(cell_y * (i + 0.5), label) for i, label in enumerate(labels)])
        names_above(grid, [(cell_x * (i + 0.5), head) for i, head in enumerate(heads)])
        across = [[(0.0, cell_y * i), (width, cell_y * i)] for i in range(len(labels) + 1)]
        down = [[(cell_x * j, 0.0), (cell_x * j, height)] for j in range(len(items) + 1)]
        for lines in (across, down):
            grid.add(LineCollection(lines, color=PALE, lw=0.5, clip_on=False))
        for answer, style in REPORTED.items():
            at = [(i, j) for j, column in enumerate(answers) for i, given in enumerate(column) if given == answer]
            x, y = [cell_x * (j + 0.5) for _, j in at], [cell_y * (i + 0.5) for i, _ in at]
            grid.plot(x, y, ls="none", gid=f"items-{answer}", **style)
    shares = ", ".join(f"{head.lower()} {count}" for head, count in zip(heads, counts, strict=True))
    return describe(figure, title, f"{len(labels)} studies; reported by: {shares}.", table.reset_index(drop=True))


def _cell_words(row: dict[Any, Any]) -> str:
    patients = f"{row['n']:.0f} patients" if pd.notna(row["n"]) else "patients not known"
    rated = words(row["certainty"]) or "not rated"
    return (
        f"{capitalised(words(row['headache_type']))}, {words(row['outcome'])}, {words(row['follow_up'])}\n"
        f"{row['k']:.0f} studies, {patients}\nCertainty: {rated}"
    )


def _answer(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    text = clean(value).lower()
    return text if text in REPORTED else ""
