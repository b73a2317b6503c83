"""The explorer's figures as SVG text."""

from __future__ import annotations

import re

from headache_evidence.explore.exploration import Exploration
from headache_evidence.figures.evidence_figure import EvidenceFigure
from headache_evidence.figures.forest import forest_plot
from headache_evidence.figures.funnel import funnel_plot
from headache_evidence.figures.saving import font_faces, svg_text
from headache_evidence.reports.report_figures import risk_of_bias_of
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol

OTHER_SIGNS = "²³₀₁₂√∞−×±≤≥≈†‡→←•✓✗"


def forest_of(exploration: Exploration, evidence: Evidence, protocol: Protocol) -> EvidenceFigure:
    """The forest plot of an exploration; studies that are left out are listed beside the figure, not in it."""
    answer = exploration.answer
    sides = None
    if answer.question.stream == "before_after" and len(answer.effects):
        lower = answer.effects["better"].iloc[0] != "higher"
        sides = ("improved", "worsened") if lower else ("worsened", "improved")
    return forest_plot(
        answer.effects,
        answer.pooled,
        subgroups=answer.subgroups,
        subgroup_by=protocol.subgroup_by,
        title=answer.question.title,
        risk_of_bias=risk_of_bias_of(evidence, answer.effects["study_id"]) if exploration.settings.lights else None,
        favours=sides,
        left_out=False,
    )


def funnel_of(exploration: Exploration) -> EvidenceFigure:
    """The funnel plot of an exploration."""
    return funnel_plot(exploration.effects, exploration.pooled, title=exploration.answer.question.title)


def screen_svg(figure: EvidenceFigure) -> str:
    """SVG for a page that shows one figure after another: as wide as its place, scrolled where that is a phone."""
    svg = svg_text(figure, embed_font=False)
    return re.sub(r"<svg ", '<svg style="max-width: max(100%, 560px); height: auto" ', svg, count=1)


def page_font() -> str:
    """CSS with the figures' font, for a page that shows ``screen_svg``: Latin, Greek and the signs in use."""
    ranges = ((0x20, 0x7F), (0xA0, 0x180), (0x391, 0x3CA), (0x2010, 0x2027))
    text = "".join(chr(code) for start, end in ranges for code in range(start, end)) + OTHER_SIGNS
    return font_faces({"normal": text, "bold": text})
