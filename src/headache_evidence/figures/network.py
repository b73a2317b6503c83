"""Network graph: treatments as nodes by patients, direct comparisons as edges by studies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from headache_evidence.errors import InputError
from headache_evidence.figures.chart import chart, needs, nothing_to_show
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.palette import BLUE, INK, PAPER, QUIET, RULE
from headache_evidence.figures.typeset import text_width, words, wrap

LABEL_WIDTH = 110.0


def network_plot(nodes: pd.DataFrame, edges: pd.DataFrame, *, title: str = "Network of comparisons") -> EvidenceFigure:
    """Treatments on a circle, joined where studies compare them.

    Parameters
    ----------
    nodes : ``treatment``, ``k`` (studies), ``n`` (patients, may be missing): the area of a node is patients, or studies
        where no patients are known.
    edges : ``treat1``, ``treat2``, ``k`` (studies): the width of an edge; its number stands beside its middle.
    title : bold line at the top.

    Raises
    ------
    InputError
        when a column is missing or an edge ends at an unknown treatment.
    """
    needs(nodes, ("treatment", "k"), "The table of nodes")
    needs(edges, ("treat1", "treat2", "k"), "The table of edges")
    if nodes.empty:
        return nothing_to_show(title, "No comparison with usable evidence.")
    names = [str(name) for name in nodes["treatment"]]
    unknown = sorted({*edges["treat1"].astype(str), *edges["treat2"].astype(str)} - set(names))
    if unknown:
        raise InputError(f"Edges end at treatments that are no nodes: {', '.join(unknown)}.")
    by_patients = "n" in nodes.columns and nodes["n"].notna().all()
    size = nodes["n" if by_patients else "k"].to_numpy(float)
    ends = (edges[column].astype(str).to_list() for column in ("treat1", "treat2"))
    joined = list(zip(*ends, edges["k"].astype(float).to_list(), strict=True))
    start = np.pi if len(names) == 2 else np.pi / 2  # a pair lies side by side
    angle = start - 2 * np.pi * np.arange(len(names)) / len(names)
    place = {name: (float(np.cos(a)), float(np.sin(a))) for name, a in zip(names, angle, strict=True)}
    radius = max(95.0, 15.0 * len(names))
    texts = [_label(nodes, i) for i in range(len(names))]
    side = max(text_width(line) for lines in texts for line in lines) + 22.0
    across = max(x for x, _ in place.values()) - min(x for x, _ in place.values())
    bottom, top = min(y for _, y in place.values()), max(y for _, y in place.values())
    room = 0.35 if len(names) == 2 else 0.15
    with house_style():
        note = f"Area of a node: {'patients' if by_patients else 'studies'}. Width and number of an edge: studies."
        figure, axes = chart(
            (across + 2 * room) * radius,
            (top - bottom + 2 * room) * radius,
            title=title,
            y_labels=(),
            left=side - 14.0,
            right=side,
            top=30.0,
            x_label_room=16.0,
            notes=[note],
        )
        middle = (max(x for x, _ in place.values()) + min(x for x, _ in place.values())) / 2
        half = across / 2 + room
        axes.set(xlim=(middle - half, middle + half), ylim=(bottom - room, top + room))
        axes.axis("off")
        most = max(float(edges["k"].max()), 1.0) if len(edges) else 1.0
        for i, (first, second, studies) in enumerate(joined):
            (x1, y1), (x2, y2) = place[first], place[second]
            axes.plot([x1, x2], [y1, y2], color=RULE, lw=1.0 + 5.0 * float(studies) / most, zorder=1, gid=f"edge-{i}")
            at = 0.42
            axes.text(
                x1 + at * (x2 - x1), y1 + at * (y2 - y1), f"{studies:.0f}", ha="center", va="center", zorder=2,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.2}, size=7.0, gid=f"edge-{i}-k",
            )  # fmt: skip
        biggest = max(float(size.max()), 1.0)
        for i, name in enumerate(names):
            x, y = place[name]
            area = max(450 * size[i] / biggest, 20.0)
            axes.scatter([x], [y], s=area, facecolor=BLUE, edgecolor=INK, lw=0.7, zorder=3, gid=f"node-{i}")
            gap = np.sqrt(area / np.pi) + 4
            align = "left" if x > 0.2 else "right" if x < -0.2 else "center"
            upright = "bottom" if y > 0.9 else "top" if y < -0.9 else "center"
            shift_x = gap if align == "left" else -gap if align == "right" else 0
            shift_y = gap if upright == "bottom" else -gap if upright == "top" else 0
            axes.annotate(
                "\n".join(texts[i]), (x, y), (shift_x, shift_y), textcoords="offset points", ha=align, va=upright,
                annotation_clip=False, linespacing=1.1, gid=f"node-{i}-label",
            )  # fmt: skip
        for text in axes.texts:
            text.set_color(INK if "label" in str(text.get_gid()) else QUIET)
    parts = [f"{words(first)} against {words(second)} ({studies:.0f})" for first, second, studies in joined]
    summary = f"{len(names)} treatments, {len(edges)} direct comparisons (studies): {'; '.join(parts)}."
    return describe(figure, title, summary, edges.reset_index(drop=True))


def _label(nodes: pd.DataFrame, i: int) -> list[str]:
    row = nodes.iloc[i]
    patients = f", n = {row['n']:.0f}" if "n" in nodes.columns and pd.notna(row["n"]) else ""
    treatment = words(row["treatment"]).replace("+", " + ")
    return [*wrap(treatment, LABEL_WIDTH), f"k = {row['k']:.0f}{patients}"]
