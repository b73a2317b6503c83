"""Harms as dots: the rate of each adverse event with its exact interval, by technique."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import beta

from headache_evidence.errors import InputError
from headache_evidence.figures.chart import needs, nothing_to_show
from headache_evidence.figures.effect_columns import LABEL_WIDTH, effect_cells, effect_columns
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style
from headache_evidence.figures.forest_data import fitting_ticks
from headache_evidence.figures.forest_words import numbers_shown
from headache_evidence.figures.measure_scale import MeasureScale
from headache_evidence.figures.row_drawing import draw
from headache_evidence.figures.row_marks import PlotAxis
from headache_evidence.figures.row_table import Column, Row, lay_out
from headache_evidence.figures.typeset import capitalised, clean, words

RATES = MeasureScale("PR")


def harms_plot(
    table: pd.DataFrame, *, block_by: str = "technique", level: float = 0.95, title: str = "Adverse events"
) -> EvidenceFigure:
    """Rates of adverse events with Clopper-Pearson intervals: one row per event and study, in blocks by technique.

    Rows without events or total are listed with their ``reason``, or with "count not reported" where the table gives
    none; zero events keep their upper bound.

    Parameters
    ----------
    table : ``label`` (study), ``event`` (adverse event), ``events``, ``total`` and the column ``block_by``.
    block_by : column whose values become headings.
    level : of the intervals.
    title : bold line at the top.

    Raises
    ------
    InputError
        when a column is missing or events exceed the total.
    """
    needs(table, ("label", "event", "events", "total", block_by), "The table of harms")
    if table.empty:
        return nothing_to_show(title, "No study reports adverse events; that is not evidence of safety.")
    events, total = table["events"].to_numpy(float), table["total"].to_numpy(float)
    wrong = np.flatnonzero((events > total) | (events < 0))
    if wrong.size:
        rows = ", ".join(f"{table['label'].iloc[i]} ({events[i]:g} of {total[i]:g})" for i in wrong)
        raise InputError(f"Events must lie between 0 and the total. Not so in {rows}.")
    low, high = exact_interval(events, total, level)
    rate = 100 * np.divide(events, total, out=np.full(len(total), np.nan), where=total > 0)
    order = np.lexsort((np.arange(len(table)), -np.nan_to_num(rate, nan=-1.0), _codes(table[block_by])))
    reasons = table["reason"].map(clean).to_list() if "reason" in table.columns else [""] * len(table)
    drawn: list[Row] = []
    block = None
    for i in order.tolist():
        heading = capitalised(words(table[block_by].iloc[i])) or "Not stated"
        if heading != block:
            drawn += [Row("space")] if drawn else []
            drawn.append(Row("heading", words=heading))
            block = heading
        cells = {"label": capitalised(words(table["event"].iloc[i])), "study": clean(table["label"].iloc[i])}
        if not np.isfinite(rate[i]):
            if reasons[i]:
                words_beside = f"{cells['study']}: {reasons[i]}"
                drawn.append(Row("words", {"label": cells["label"]}, words=words_beside, indent=8.0))
            else:
                drawn.append(Row("words", cells | {"count": "count not reported"}, indent=8.0))
            continue
        cells["count"] = f"{events[i]:.0f} / {total[i]:.0f}"
        cells |= effect_cells((float(rate[i]), float(low[i]), float(high[i])), 1)
        resting = f"{cells['label']}, {cells['study']}\n{events[i]:.0f} of {total[i]:.0f} patients\n"
        resting += clean(table["source_url"].iloc[i]) if "source_url" in table.columns else ""
        drawn.append(
            Row("study", cells, float(rate[i]), float(low[i]), float(high[i]), indent=8.0, hover=resting.strip())
        )
    finite = np.isfinite(high)
    top = 100.0
    if finite.any():  # nine tenths of the intervals end within the axis, far longer ones in an arrow
        longest, most = float(np.nanmax(high)), max(float(np.nanmax(rate)), float(np.nanquantile(high, 0.9)))
        top = min(100.0, 1.04 * (longest if longest < 1.25 * most else most))
    columns = [
        Column("label", "Event", max_width=LABEL_WIDTH),
        Column("study", "Study", max_width=LABEL_WIDTH),
        Column("count", "Events / total", "right", gap=14.0),
        *effect_columns("Rate (%)", "", f"{100 * level:g}%", ("[", ",", "]")),
    ]
    with house_style():
        axis = PlotAxis(0.0, top, fitting_ticks(RATES, 0.0, top, 150.0))
        layout = lay_out(
            drawn, columns, title=title, plot_width=180.0, axis_title="Patients with the event (%)",
            footer=[f"Exact (Clopper-Pearson) {100 * level:g}% intervals. Rates are not pooled."],
        )  # fmt: skip
        figure = draw(layout, axis)
    reported = int(np.isfinite(rate).sum())
    text = f"{len(table)} reports of adverse events, {reported} with counts."
    if reported:
        worst = int(np.nanargmax(rate))
        text += f" Highest rate: {words(table['event'].iloc[worst])} in {clean(table['label'].iloc[worst])}, "
        text += f"{events[worst]:.0f} of {total[worst]:.0f} ({rate[worst]:.1f}%)."
    return describe(figure, title, text, numbers_shown(drawn, RATES))


def exact_interval(events: np.ndarray, total: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Clopper-Pearson bounds in percent; 0 and 100 at the ends of the range, NaN where a count is missing."""
    tail = (1 - level) / 2
    known = np.isfinite(events) & np.isfinite(total) & (total > 0)
    with np.errstate(invalid="ignore"):
        low = np.where(events > 0, beta.ppf(tail, events, total - events + 1), 0.0)
        high = np.where(events < total, beta.ppf(1 - tail, events + 1, total - events), 1.0)
    return 100 * np.where(known, low, np.nan), 100 * np.where(known, high, np.nan)


def _codes(values: pd.Series) -> np.ndarray:
    return np.asarray(pd.factorize(values.map(words), sort=True)[0])
