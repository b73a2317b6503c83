"""Labels and hovers of points: beside each point where there is room, and never left out without a word."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from headache_evidence.figures.chart import add_note
from headache_evidence.figures.evidence_figure import EvidenceFigure, Hover
from headache_evidence.figures.palette import FONT_SIZE, PAPER, QUIET
from headache_evidence.figures.typeset import clean, text_width

FloatArray = npt.NDArray[np.float64]
SIZE = FONT_SIZE - 1.0
STEP = 3.0  # points between the samples of a line that labels stay clear of
CLEAR = 5.0  # a label this near to another point could be taken for its label
BEHIND = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.3}


def label_points(
    axes: Axes, x: npt.ArrayLike, y: npt.ArrayLike, labels: Sequence[str], radii: Sequence[float] = ()
) -> int:
    """Write labels beside their points where there is room; returns how many found none.

    ``radii`` are those of the marks in points (2.5 when not given). Each label tries the right, left, upper and lower
    side, then the diagonals, clear of all points, of the labels that stand already and, where possible, of the lines.
    Points far from the middle choose first.
    """
    points = _in_points(axes, x, y)
    if not len(points):
        return 0
    radius = np.asarray(list(radii) or [2.5] * len(points))[:, None]
    marks = np.hstack([points - radius, points + radius])
    lines = _line_boxes(axes)
    box = axes.get_window_extent()
    room = np.array([box.x0, box.y0, box.x1, box.y1]) * 72.0 / axes.figure.dpi
    standing: list[FloatArray] = []
    left_out = 0
    order = np.argsort(-np.abs(points - np.median(points, axis=0)).sum(axis=1), kind="stable")
    for i in order.tolist():
        text = clean(labels[i])
        if not text:
            continue
        corners = _candidates(points[i], float(radius[i, 0]), text_width(text, SIZE) + 1.0, SIZE * 1.15)
        others = np.delete(marks, i, axis=0)
        free = (corners[:, :2] >= room[:2]).all(axis=1) & (corners[:, 2:] <= room[2:]).all(axis=1)
        free &= ~_touching(corners, np.vstack([others, *standing]))
        if not free.any():
            left_out += 1
            continue
        crosses = _touching(corners, lines)
        doubtful = _touching(corners, others + np.array([-CLEAR, -CLEAR, CLEAR, CLEAR]))
        best = int(np.argmin(np.where(free, 2 * doubtful + crosses, 9)))
        chosen = corners[best]
        standing.append(chosen[None, :])
        offset = chosen[:2] - points[i]
        axes.annotate(
            text, (float(np.asarray(x)[i]), float(np.asarray(y)[i])), (float(offset[0]), float(offset[1])),
            textcoords="offset points", size=SIZE, va="bottom", color=QUIET, annotation_clip=False, zorder=4,
            bbox=BEHIND if crosses[best] else None, gid=f"label-{i}",
        )  # fmt: skip
    return left_out


def say_unlabelled(figure: EvidenceFigure, left_out: int, k: int, what: str = "studies") -> str:
    """A note below the chart, and the sentence for its text alternative, when labels found no room."""
    if not left_out:
        return ""
    sentence = f"No room for the labels of {left_out} of {k} {what}; the table of numbers names them."
    add_note(figure, sentence)
    return f" {sentence}"


def hover_points(
    figure: EvidenceFigure, axes: Axes, x: npt.ArrayLike, y: npt.ArrayLike, words: Sequence[str],
    radii: Sequence[float] = (),
) -> None:  # fmt: skip
    """Words for a pointer that rests on one of the points."""
    points = _in_points(axes, x, y)
    radius = [max(r, 3.0) for r in (list(radii) or [3.5] * len(points))]
    height = figure.get_figheight() * 72.0
    figure.hovers += tuple(
        Hover(text, (px - r, height - py - r, 2 * r, 2 * r))
        for (px, py), r, text in zip(points.tolist(), radius, words, strict=True)
    )


def _in_points(axes: Axes, x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
    data = np.column_stack([np.asarray(x, float), np.asarray(y, float)])
    return np.asarray(axes.transData.transform(data) * 72.0 / axes.figure.dpi, dtype=float).reshape(-1, 2)


def _line_boxes(axes: Axes) -> FloatArray:
    """Small boxes along all lines of the axes, in points."""
    boxes = [np.empty((0, 4))]
    for line in axes.lines:
        data = np.asarray(line.get_xydata(), dtype=float)
        if line.get_linestyle() == "None" or not len(data):
            continue
        path = line.get_transform().transform(data) * 72.0 / axes.figure.dpi
        for start, end in pairwise(path[np.isfinite(path).all(axis=1)]):
            samples = min(max(int(np.hypot(*(end - start)) / STEP), 1), 400)
            between = np.linspace(start, end, samples + 1)
            boxes.append(np.hstack([between - 0.5, between + 0.5]))
    return np.vstack(boxes)


def _candidates(point: FloatArray, radius: float, width: float, height: float) -> FloatArray:
    """Boxes (left, bottom, right, top) around a point, the best places first."""
    px, py = point.tolist()
    far, near = radius + 1.5, 0.7 * radius + 1.0
    corners = np.array(
        [
            (px + far, py - height / 2),
            (px - far - width, py - height / 2),
            (px - width / 2, py + far),
            (px - width / 2, py - far - height),
            (px + near, py + near),
            (px + near, py - near - height),
            (px - near - width, py + near),
            (px - near - width, py - near - height),
        ]
    )
    return np.hstack([corners, corners + np.array([width, height])])


def _touching(boxes: FloatArray, others: FloatArray) -> npt.NDArray[np.bool_]:
    """For each box whether it overlaps any of the others."""
    starts = (boxes[:, None, :2] < others[None, :, 2:]).all(axis=2)
    ends = (others[None, :, :2] < boxes[:, None, 2:]).all(axis=2)
    return np.asarray(np.any(starts & ends, axis=1))
