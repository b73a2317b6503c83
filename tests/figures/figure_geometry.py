"""What the figure tests share: synthetic effects tables, and the geometry of a drawn figure."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.text import Text

from headache_evidence.effects.escalc import escalc
from headache_evidence.figures.evidence_figure import house_style
from headache_evidence.figures.sheet import Sheet

TOLERANCE = 1.0  # pixels at 100 dpi: measured and rendered widths differ by less
TECHNIQUES = ("perineural_block", "hydrodissection", "topical_block")
HOSTILE_LABELS = (
    "$\\frac{a}{b$ _under_ ^hat & <tag> 'quote' \"double\" 2001",
    "A very long name of a collaborating group, the International Registry of Nerve Blocks for Headache 2002",
    "שלום עולם\n2003",
    "الصداع 2004",
    "Łukasz Çelik Ångström-Ñandú 2005",
    "W" * 120,
    "",
    "tab\tand\x07bell 2008",
)


def synthetic_effects(k: int, measure: str = "MD", refused: int = 0, seed: int = 1) -> pd.DataFrame:
    """A made-up effects table; none of it is evidence."""
    rng = np.random.default_rng(seed)
    n1 = rng.integers(12, 90, k).astype(float)
    n2 = n1 + rng.integers(-3, 4, k)
    table = pd.DataFrame(
        {
            "study_id": [f"Synthetic{i}" for i in range(k)],
            "label": [f"Synthetic {chr(65 + i % 26)} {1990 + i % 30}" for i in range(k)],
            "year": [1990 + i % 30 for i in range(k)],
            "headache_type": "migraine",
            "stream": "proportion" if measure == "PLO" else "controlled",
            "technique": [TECHNIQUES[i % 3] for i in range(k)],
            "guidance": [("ultrasound", "landmark")[i % 2] for i in range(k)],
            "comparator": "none" if measure == "PLO" else "placebo",
            "weeks": [(4.0, 8.0)[i % 2] for i in range(k)],
            "measure": measure,
            "outcome": "headache_days" if measure == "MD" else "responder_50",
            "unit": "days per 28 days" if measure == "MD" else "",
            "better": "lower" if measure == "MD" else "higher",
            "n1": n1,
            "n2": n2 if measure != "PLO" else np.nan,
            "derivation_rule": ["sd_from_ci" if i % 5 == 4 else "mean_sd" for i in range(k)],
            "derivation": ["SD from the confidence interval" if i % 5 == 4 else "as reported" for i in range(k)],
        }
    )
    if measure == "MD":
        means = {"m1": rng.normal(8, 1, k), "m2": rng.normal(9.5, 1, k)}
        spreads = {"sd1": rng.uniform(2, 6, k), "sd2": rng.uniform(2, 6, k)}
        table = table.assign(**means, **spreads)
        effect = escalc("MD", m1i=table.m1, sd1i=table.sd1, n1i=n1, m2i=table.m2, sd2i=table.sd2, n2i=n2)
    elif measure == "OR":
        table = table.assign(events1=rng.binomial(n1.astype(int), 0.5), events2=rng.binomial(n2.astype(int), 0.3))
        effect = escalc("OR", ai=table.events1, n1i=n1, ci=table.events2, n2i=n2)
    else:
        table = table.assign(events1=rng.binomial(n1.astype(int), 0.6))
        effect = escalc("PLO", xi=table.events1, ni=n1)
    table = table.assign(yi=effect["yi"].to_numpy(), vi=effect["vi"].to_numpy(), usable=True, reason="")
    bad = synthetic_effects(refused, measure, seed=seed + 1) if refused else table.iloc[:0]
    bad = bad.assign(usable=False, reason="not estimable: no SD", yi=np.nan, vi=np.nan)
    return pd.concat([table, bad], ignore_index=True) if refused else table


def synthetic_risk_of_bias(effects: pd.DataFrame) -> pd.DataFrame:
    """Made-up RoB 2 judgements for the studies of an effects table."""
    domains = ("randomisation", "deviations", "missing_data", "measurement", "reporting", "overall")
    answers = ("low", "some_concerns", "high", "no_information")
    rows = [
        (study, "RoB 2", domain, answers[(i + j) % 4])
        for i, study in enumerate(effects["study_id"].unique())
        for j, domain in enumerate(domains)
    ]
    return pd.DataFrame(rows, columns=["study_id", "tool", "domain", "judgement"])


def artists(figure: Figure, ending: str) -> dict[str, object]:
    """Artists by gid, those whose gid ends with ``ending``."""
    found = figure.findobj(lambda a: bool(a.get_gid()) and str(a.get_gid()).endswith(ending))
    return {str(a.get_gid()): a for a in found}


def plot_sheet(figure: Figure) -> Sheet:
    """The part of a forest that has an axis."""
    (sheet,) = (sheet for sheet in figure.findobj(Sheet) if sheet.get_gid() == "plot")
    return sheet


def texts(figure: Figure) -> list[Text]:
    """All text that is drawn: placed text, axis titles, tick labels within the limits, legends."""
    found = [text for sheet in figure.findobj(Sheet) for text in sheet.findobj(Text)] + list(figure.texts)
    for axes in figure.axes:
        found += [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
        for axis, (low, high) in ((axes.xaxis, sorted(axes.get_xlim())), (axes.yaxis, sorted(axes.get_ylim()))):
            if axes.axison:
                ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
                found += [label for at, label in ticks if low - 1e-9 <= at <= high + 1e-9]
        if axes.get_legend() is not None:
            found += axes.get_legend().get_texts()
    return [text for text in found if text.get_text().strip() and text.get_visible()]


def boxes(figure: Figure) -> list[tuple[str, np.ndarray]]:
    """Text and its box (left, bottom, right, top) in pixels."""
    figure.draw_without_rendering()
    found = []
    with house_style():
        renderer = figure.canvas.get_renderer()
        for text in texts(figure):
            box = Text.get_window_extent(text, renderer)
            found.append((text.get_text(), np.array([box.x0, box.y0, box.x1, box.y1])))
    return found


def assert_text_fits(figure: Figure) -> None:
    """No text leaves the canvas and no two texts overlap."""
    found = boxes(figure)
    assert found
    width, height = figure.get_size_inches() * figure.dpi
    corners = np.array([box for _, box in found])
    outside = (corners[:, :2] < -TOLERANCE).any(axis=1) | (corners[:, 2] > width + TOLERANCE)
    outside |= corners[:, 3] > height + TOLERANCE
    assert not outside.any(), [found[i][0] for i in np.flatnonzero(outside)]
    left, bottom, right, top = corners.T
    across = np.minimum(right[:, None], right[None, :]) - np.maximum(left[:, None], left[None, :])
    along = np.minimum(top[:, None], top[None, :]) - np.maximum(bottom[:, None], bottom[None, :])
    clash = np.triu((across > TOLERANCE) & (along > 2 * TOLERANCE), 1)
    assert not clash.any(), [(found[i][0], found[j][0]) for i, j in np.argwhere(clash)][:5]


def row_texts(figure: Figure, row: int) -> dict[str, str]:
    """The texts of one row by column."""
    start = f"row-{row}-"
    found = figure.findobj(lambda a: isinstance(a, Text) and str(a.get_gid() or "").startswith(start))
    return {str(a.get_gid())[len(start) :]: a.get_text() for a in found}


def rising(values: list[float]) -> bool:
    """Strictly increasing."""
    return all(a < b for a, b in pairwise(values))
