"""PRISMA 2020 flow diagram: boxes sized by their text, what was not recorded said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd
from matplotlib.patches import FancyArrowPatch, Rectangle

from headache_evidence.figures.chart import LINE, MARGIN, NOTE_SIZE, needs
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style, new_figure
from headache_evidence.figures.palette import INK
from headache_evidence.figures.sheet import Sheet, page_sheet
from headache_evidence.figures.typeset import LINE_HEIGHT, clean, text_width, wrap

BOX_WIDTH = 205.0
SIDE_GAP = 34.0
DOWN_GAP = 20.0
PADDING = 6.0
PHASE_WIDTH = 18.0
# the boxes of a row: phase, boxes in the main column, boxes at the side
FLOW: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Identification", ("identified_databases", "identified_registers"), ("duplicates_removed",)),
    ("Screening", ("records_screened",), ("records_excluded",)),
    ("Screening", ("reports_sought",), ("reports_not_retrieved",)),
    ("Screening", ("reports_assessed",), ("reports_excluded",)),
    ("Included", ("studies_included", "reports_included"), ()),
)


class Flow(Protocol):
    """What has the boxes of a flow, as ``prisma_flow`` returns it."""

    def boxes(self) -> pd.DataFrame:
        """Columns box, text, number, reasons."""


@dataclass(frozen=True)
class _Box:
    lines: list[tuple[str, bool]]  # text, bold
    x: float
    y: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def prisma_plot(flow: Flow | pd.DataFrame, *, title: str = "Flow of records (PRISMA 2020)") -> EvidenceFigure:
    """Flow diagram of Page et al. (2021), BMJ 372:n71.

    Parameters
    ----------
    flow : result of ``prisma_flow``, or its ``boxes()``: ``box``, ``text``, ``number`` (text), ``reasons``
        (``reason: n`` joined by ``; ``). Boxes that are not there are not drawn.
    title : bold line at the top.
    """
    boxes = flow if isinstance(flow, pd.DataFrame) else flow.boxes()
    needs(boxes, ("box", "text", "number", "reasons"), "The flow")
    note = clean(getattr(flow, "note", ""))
    by_name = {str(row["box"]): row for row in boxes.to_dict("records")}
    main_x, side_x = MARGIN + PHASE_WIDTH + 10.0, MARGIN + PHASE_WIDTH + 10.0 + BOX_WIDTH + SIDE_GAP
    total = side_x + BOX_WIDTH + MARGIN
    y = MARGIN + 24.0
    placed: list[tuple[str, _Box | None, _Box | None]] = []
    for phase, main, side in FLOW:
        left = _box([by_name[name] for name in main if name in by_name], main_x, y)
        right = _box([by_name[name] for name in side if name in by_name], side_x, y)
        if left is None and right is None:
            continue
        placed.append((phase, left, right))
        y += max(b.height for b in (left, right) if b is not None) + DOWN_GAP
    note_lines = wrap(note, total - 2 * MARGIN, NOTE_SIZE) if note else []
    height = y - DOWN_GAP + 8.0 + len(note_lines) * NOTE_SIZE * LINE_HEIGHT + MARGIN
    with house_style():
        figure = new_figure(total, height)
        canvas = page_sheet(figure, total, height)
        canvas.text(MARGIN, MARGIN + 6.0, title, size=10, weight="bold", va="center", gid="title-0")
        for i, (_, left, right) in enumerate(placed):
            for side_name, box in (("main", left), ("side", right)):
                if box is not None:
                    _draw_box(canvas, box, f"{side_name}-{i}")
            if left is not None and right is not None:
                _arrow(canvas, (left.x + BOX_WIDTH, left.middle), (right.x, left.middle))
            below = placed[i + 1][1] if i + 1 < len(placed) else None
            if left is not None and below is not None:
                _arrow(canvas, (left.x + BOX_WIDTH / 2, left.y + left.height), (left.x + BOX_WIDTH / 2, below.y))
        _draw_phases(canvas, placed)
        for i, text in enumerate(note_lines):
            at = height - MARGIN - (len(note_lines) - i - 0.5) * NOTE_SIZE * LINE_HEIGHT
            canvas.text(MARGIN, at, text, size=NOTE_SIZE, va="center", gid=f"note-{i}")
    parts = [_sentence(row) for row in boxes.to_dict("records")]
    return describe(figure, title, " ".join(parts), boxes.reset_index(drop=True))


def _box(rows: Sequence[dict[object, object]], x: float, y: float) -> _Box | None:
    if not rows:
        return None
    lines: list[tuple[str, bool]] = []
    room = BOX_WIDTH - 2 * PADDING
    for row in rows:
        number = clean(row["number"])
        shown = f"n = {number}" if number.isdigit() else number.replace(" ", "\N{NO-BREAK SPACE}")
        lines += [(text, True) for text in wrap(f"{clean(row['text'])} ({shown})", room, bold=True)]
        for reason in (part.strip() for part in clean(row["reasons"]).split(";")):
            if reason:
                first, *rest = wrap(reason, room - 8.0)
                lines += [(f"  {first}", False), *((f"    {text}", False) for text in rest)]
    return _Box(lines, x, y, len(lines) * LINE + 2 * PADDING)


def _draw_box(canvas: Sheet, box: _Box, name: str) -> None:
    canvas.add(
        Rectangle((box.x, box.y), BOX_WIDTH, box.height, facecolor="white", edgecolor=INK, lw=0.8, gid=f"box-{name}")
    )
    for i, (text, bold) in enumerate(box.lines):
        y = box.y + PADDING + (i + 0.5) * LINE
        weight = "bold" if bold else "normal"
        canvas.text(box.x + PADDING, y, text, va="center", weight=weight, gid=f"box-{name}-{i}")


def _draw_phases(canvas: Sheet, placed: Sequence[tuple[str, _Box | None, _Box | None]]) -> None:
    for phase in dict.fromkeys(name for name, _, _ in placed):
        inside = [b for name, left, right in placed if name == phase for b in (left, right) if b is not None]
        top, bottom = min(b.y for b in inside), max(b.y + b.height for b in inside)
        short = max(text_width(phase, 7.0, bold=True) + 6.0 - (bottom - top), 0.0)
        top, bottom = top - short / 2, bottom + short / 2
        bar = Rectangle((MARGIN, top), PHASE_WIDTH, bottom - top, facecolor="#dfe9f1", edgecolor=INK, lw=0.6)
        canvas.add(bar)
        room = bottom - top - 4.0
        size = next((z for z in (8.0, 7.5) if text_width(phase, z, bold=True) <= room), 7.0)
        canvas.text(
            MARGIN + PHASE_WIDTH / 2, (top + bottom) / 2, phase, rotation=90, ha="center", va="center", weight="bold",
            size=size, gid=f"phase-{phase}",
        )  # fmt: skip


def _arrow(canvas: Sheet, start: tuple[float, float], end: tuple[float, float]) -> None:
    canvas.add(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=8, color=INK, lw=0.8, shrinkA=0, shrinkB=0))


def _sentence(row: dict[object, object]) -> str:
    number = clean(row["number"])
    reasons = f" ({clean(row['reasons'])})" if clean(row["reasons"]) else ""
    return f"{clean(row['text'])}: {number}{reasons}."
