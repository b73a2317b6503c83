"""Risk of bias: traffic lights for every study, and the share of judgements by domain."""

from __future__ import annotations

from collections import Counter

import pandas as pd
from matplotlib.patches import Rectangle

from headache_evidence.figures.chart import LINE, MARGIN, NOTE_SIZE, frame, nothing_to_show
from headache_evidence.figures.evidence_figure import EvidenceFigure, describe, house_style, new_figure
from headache_evidence.figures.judgement_lights import draw_lights, plain_judgement
from headache_evidence.figures.palette import INK, JUDGEMENTS
from headache_evidence.figures.risk_of_bias_lights import OVERALL, domains_by_tool
from headache_evidence.figures.sheet import AXIS_LINE, LABEL_SIZE, Sheet, axis_below, names_beside, page_sheet
from headache_evidence.figures.typeset import LINE_HEIGHT, capitalised, clean, text_width, words, wrap

PITCH = 15.0
HATCHES = {"low": "", "some_concerns": "\\\\\\", "high": "///", "critical": "xxx", "no_information": ""}


def risk_of_bias_plot(table: pd.DataFrame, *, title: str = "Risk of bias by study") -> EvidenceFigure:
    """Traffic lights, a row per study and a column per domain; one panel per tool, below each other.

    Parameters
    ----------
    table : ``study_id`` (or ``label``), ``tool``, ``domain``, ``judgement``; the domain ``overall`` comes last.
    title : bold line at the top.
    """
    domains = domains_by_tool(table)
    if table.empty:
        return nothing_to_show(title, "No risk-of-bias judgement.")
    names = table["label" if "label" in table.columns else "study_id"].map(clean)
    judgement = {
        (str(t), str(s), str(d)): str(j)
        for t, s, d, j in zip(table["tool"], table["study_id"], table["domain"], table["judgement"], strict=True)
    }
    label = dict(zip(table["study_id"].astype(str), names, strict=True))
    columns = {tool: [*found, OVERALL] if _has_overall(table, tool) else found for tool, found in domains.items()}
    studies = {tool: list(dict.fromkeys(table.loc[table["tool"] == tool, "study_id"].astype(str))) for tool in domains}
    label_width = min(max(text_width(text) for text in names), 180.0)
    label_width = max(label_width, *(text_width(tool, bold=True) for tool in domains))
    legend = "Signs: " + ", ".join(f"{symbol} {meaning}" for _, symbol, _, meaning in JUDGEMENTS.values()) + "."
    keys = {tool: _key(found) for tool, found in columns.items()}
    total = max(MARGIN * 2 + label_width + 14.0 + PITCH * max(len(c) for c in columns.values()), 330.0)
    note_lines = {tool: wrap(keys[tool], total - 2 * MARGIN, NOTE_SIZE) for tool in columns}
    legend_lines = wrap(legend, total - 2 * MARGIN, NOTE_SIZE)
    small = NOTE_SIZE * LINE_HEIGHT
    rows = {s: wrap(label[s], label_width) for s in label}
    heights = {tool: [max(PITCH, len(rows[s]) * LINE + 3.0) for s in studies[tool]] for tool in columns}
    height = MARGIN + 20.0 + sum(sum(heights[t]) + 2 * LINE + 12.0 + len(note_lines[t]) * small for t in columns)
    height += len(legend_lines) * small + MARGIN
    with house_style():
        figure = new_figure(total, height)
        canvas = page_sheet(figure, total, height)
        canvas.text(MARGIN, MARGIN + 6.0, title, size=10, weight="bold", va="center", gid="title-0")
        y = MARGIN + 20.0
        places: dict[str, list[tuple[float, float]]] = {}
        lights_left = MARGIN + label_width + 14.0
        for number, tool in enumerate(columns):
            canvas.text(MARGIN, y + LINE / 2, tool, weight="bold", va="center", gid=f"tool-{number}")
            for i, _ in enumerate(columns[tool]):
                letter = "Ov." if columns[tool][i] == OVERALL else chr(ord("A") + i)
                canvas.text(
                    lights_left + PITCH * (i + 0.5), y + LINE / 2, letter, weight="bold", ha="center", va="center",
                    gid=f"tool-{number}-letter-{i}",
                )  # fmt: skip
            y += LINE + 2.0
            canvas.plot([MARGIN, total - MARGIN], [y, y], color=INK, lw=0.6)
            y += 3.0
            for s, row_height in zip(studies[tool], heights[tool], strict=True):
                for k, text in enumerate(rows[s]):
                    middle = y + row_height / 2 + (k - (len(rows[s]) - 1) / 2) * LINE
                    canvas.text(MARGIN, middle, text, va="center_baseline", gid=f"study-{number}-{s}-{k}")
                for i, domain in enumerate(columns[tool]):
                    at = lights_left + PITCH * (i + 0.5)
                    if (tool, s, domain) in judgement:
                        places.setdefault(plain_judgement(judgement[tool, s, domain]), []).append(
                            (at, y + row_height / 2)
                        )
                y += row_height
            y += 4.0
            for text in note_lines[tool]:
                canvas.text(MARGIN, y + small / 2, text, size=NOTE_SIZE, va="center")
                y += small
            y += LINE + 3.0
        for key, at_points in sorted(places.items()):
            draw_lights(canvas, key, at_points, 10.4)
        for text in legend_lines:
            canvas.text(MARGIN, y - LINE / 2 + small / 2, text, size=NOTE_SIZE, va="center")
            y += small
    return describe(figure, title, _overall_words(table), table.reset_index(drop=True))


def risk_of_bias_summary_plot(
    table: pd.DataFrame, *, tool: str | None = None, title: str = "Risk of bias by domain"
) -> EvidenceFigure:
    """Share of each judgement per domain, as stacked bars with the number of studies printed in them.

    Parameters
    ----------
    table : as for :func:`risk_of_bias_plot`.
    tool : the tool to show; the one with most judgements when not given.
    title : bold line at the top.
    """
    domains = domains_by_tool(table)
    if table.empty:
        return nothing_to_show(title, "No risk-of-bias judgement.")
    tool = tool or str(table["tool"].value_counts().sort_index().idxmax())
    part = table.loc[table["tool"] == tool]
    shown = [*domains.get(tool, []), *([OVERALL] if _has_overall(table, tool) else [])]
    judged = part["judgement"].map(plain_judgement)
    names = [capitalised(words(domain)) for domain in shown]
    with house_style():
        figure, box = frame(
            300.0, 20.0 * len(shown) + 6.0, title=f"{title} ({tool}, k = {part['study_id'].nunique()})",
            x_title="Studies (%)", y_labels=names, legend=[words_ for *_, words_ in JUDGEMENTS.values()],
        )  # fmt: skip
        bars = Sheet(figure, (0.0, 100.0), (len(shown) - 0.4, -0.6), box)
        bars.set_gid("plot")
        axis_below(bars, [(share, str(share)) for share in range(0, 101, 20)])
        bars.plot([0, 0], bars.y_limits, color=INK, lw=AXIS_LINE, clip_on=False, zorder=2.5)
        names_beside(bars, list(enumerate(names)))
        counts = []
        for row, domain in enumerate(shown):
            here = Counter(judged[part["domain"] == domain])
            start = 0.0
            for key, (fill, symbol, _, _) in JUDGEMENTS.items():
                n = here[key]
                counts.append((domain, key, n))
                if not n:
                    continue
                share = 100 * n / here.total()
                bar = Rectangle((start, row - 0.38), share, 0.76, facecolor=fill, edgecolor=INK, linewidth=0.5)
                bar.set(hatch=HATCHES[key], gid=f"bar-{domain}-{key}", clip_on=False)
                bars.add(bar)
                if share >= 3:
                    count = f"{symbol} {n}" if share >= 7 else str(n)
                    bars.text(
                        start + share / 2, row, count, ha="center", va="center_baseline", weight="bold",
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8}, size=7.0,
                        gid=f"count-{domain}-{key}",
                    )  # fmt: skip
                start += share
        _legend(bars)
    numbers = pd.DataFrame(counts, columns=["domain", "judgement", "studies"])
    return describe(figure, title, _overall_words(part), numbers)


def _legend(bars: Sheet) -> None:
    """Swatches and words right of the bars."""
    left, top = bars.x_limits[1] + 9.0 * bars.x_point, bars.y_limits[1]
    for place, (key, (fill, symbol, _, meaning)) in enumerate(JUDGEMENTS.items()):
        base = top + (8.7 + 1.5 * LABEL_SIZE * place) * bars.y_point
        width, height = 15.0 * bars.x_point, 5.25 * bars.y_point
        swatch = Rectangle((left, base - height), width, height, facecolor=fill, edgecolor=INK, linewidth=0.5)
        swatch.set(hatch=HATCHES[key], clip_on=False)
        bars.add(swatch)
        bars.text(left + 21.0 * bars.x_point, base, f"{symbol} {meaning}", size=LABEL_SIZE, gid=f"legend-{key}")


def _has_overall(table: pd.DataFrame, tool: str) -> bool:
    return bool(((table["tool"] == tool) & (table["domain"] == OVERALL)).any())


def _key(domains: list[str]) -> str:
    letters = [f"{chr(ord('A') + i)}\N{NO-BREAK SPACE}{words(d)}" for i, d in enumerate(domains) if d != OVERALL]
    return ", ".join(letters) + (", Ov.\N{NO-BREAK SPACE}overall." if OVERALL in domains else ".")


def _overall_words(table: pd.DataFrame) -> str:
    overall = table.loc[table["domain"] == OVERALL]
    part = overall if len(overall) else table
    what = "overall judgements" if len(overall) else "judgements"
    counted = part["judgement"].map(plain_judgement).value_counts()
    shares = ", ".join(f"{JUDGEMENTS[key][3]} {int(counted[key])}" for key in JUDGEMENTS if key in counted)
    return f"{table['study_id'].nunique()} studies; {what}: {shares}."
