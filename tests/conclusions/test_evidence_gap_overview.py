"""The evidence-gap maps of the index page follow the reports on disk; the numbers here are synthetic."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from headache_evidence.reports.evidence_gap_overview import GapCell, gap_maps, gap_sentences, gap_tables
from headache_evidence.reports.render import render
from headache_evidence.reports.settings import Settings, read_settings
from headache_evidence.reports.site import write_site

DATA = Path(__file__).parents[2] / "data"
NAMES = ("question_id", "study_id", "usable", "n1", "n2")


def result(question_id: str, outcome: str, window: str, stream: str, level: str, *studies: str) -> dict[str, Any]:
    return {
        "question_id": question_id, "outcome": outcome, "window": window, "stream": stream, "studies": list(studies),
        "intervention": "injection", "title": "A synthetic question", "measure": "MD", "left_out": [],
        "pooled": {"k": len(studies), "n": 1.0, "estimate": -1.0, "ci": [-2.0, -0.5]}, "certainty": {"level": level},
    }  # fmt: skip


def publish(
    settings: Settings, headache_type: str, results: list[dict[str, Any]], sizes: list[tuple[str, ...]]
) -> None:
    folder = settings.output_dir / headache_type
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps({"results": results}))
    with (folder / "effects.csv").open("w", newline="") as file:
        csv.writer(file).writerows([NAMES, *sizes])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = read_settings(DATA, tmp_path / "reports")
    results = [
        result("a", "pain_intensity", "short", "controlled", "very_low", "S1", "S2"),
        result("b", "pain_intensity", "short", "controlled", "moderate", "S2"),
        result("c", "pain_intensity", "short", "before_after", "low", "S9"),
        result("d", "pain_intensity", "long", "before_after", "low", "S9"),
        result("e", "pain_intensity", "medium", "controlled", "high", "S3") | {"intervention": "topical"},
        result("f", "responder_50", "any", "proportion", "low", "S9"),
    ]
    sizes = [
        ("a", "S1", "True", "10", "20"),
        ("a", "S2", "True", "30", "30"),
        ("b", "S2", "True", "30", "40"),
        ("b", "S1", "False", "900", "900"),
        ("d", "S9", "True", "5", ""),
    ]
    publish(found, "migraine", results, sizes)
    return found


def cell(settings: Settings, table: int, outcome: str, follow_up: str) -> GapCell:
    return next(
        c
        for c in gap_tables(settings)[table]
        if (c.headache_type, c.outcome.split(" (")[0], c.follow_up) == ("Migraine", outcome, follow_up)
    )


def test_studies_count_once_and_compared_ones_come_first(settings: Settings) -> None:
    compared = cell(settings, 0, "Pain intensity", "up to 6 weeks")
    assert (compared.k, compared.n, compared.certainty) == (2, 30.0 + 70.0, "moderate")
    alone = cell(settings, 0, "Pain intensity", "beyond 16 weeks")
    assert (alone.k, alone.n, alone.certainty) == (1, 5.0, "")
    assert cell(settings, 0, "Pain intensity", "over 6 to 16 weeks").k == 0
    responders = cell(settings, 1, "Responders", "at any time")
    assert responders.k == 1
    assert math.isnan(responders.n)


def test_every_headache_type_and_headline_outcome_has_its_fields(settings: Settings) -> None:
    timed, counted = gap_tables(settings)
    assert {c.headache_type for c in timed} == {c.headache_type for c in counted} == set(settings.titles.values())
    assert {c.outcome for c in timed} == {"Headache days per 28 days", "Pain intensity (0-10)"}
    assert {c.outcome for c in counted} == {"Responders (at least half fewer or milder)", "Any adverse event"}


def test_sentences_say_what_the_map_shows(settings: Settings) -> None:
    words = dict(gap_sentences([c for table in gap_tables(settings) for c in table]))
    assert "up to 6 weeks (k = 2, n = 100, moderate certainty)" in words["Migraine"]
    assert "Only without one: Pain intensity (0-10), beyond 16 weeks (k = 1, n = 5)" in words["Migraine"]
    assert words["Cluster headache"].startswith("with a comparison group: nothing. Only without one: nothing.")


def test_maps_are_safe_described_and_drawn_again_only_when_numbers_change(settings: Settings) -> None:
    assert gap_maps(settings, draw=False).figures == ()
    first = gap_maps(settings, draw=True)
    svg, words = first.figures[0]
    assert not re.search(r"<script|https?://(?!www\.w3\.org)|url\((?!#)", svg)
    assert 'role="img"' in svg
    assert "usable evidence" in words
    kept = settings.output_dir / ".evidence_gaps.json"
    kept.write_text(kept.read_text().replace("where there is evidence", "kept as it was"))
    assert "kept as it was" in gap_maps(settings, draw=True).figures[0][0]
    publish(settings, "cluster", [result("g", "pain_intensity", "short", "controlled", "low", "S5")], [])
    again = gap_maps(settings, draw=True)
    assert "kept as it was" not in again.figures[0][0]
    assert gap_maps(settings, draw=False) == again


def test_index_shows_the_maps_and_stays_whole_without_them(settings: Settings) -> None:
    write_site(settings, {}, finished=True)
    page = (settings.output_dir / "index.html").read_text(encoding="utf-8")
    assert page.count("<figure") == page.count("<svg") == 2
    assert "Where evidence is missing" in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    empty = render(
        "index.html.j2", limits="", states=[], rows={}, changes=[], since="", first=True, made="", provenance=[]
    )
    assert "<svg" not in empty


def test_results_between_arms_come_first_and_the_others_are_folded(settings: Settings) -> None:
    named = [
        result("migraine.pain_intensity.controlled.x", "pain_intensity", "short", "controlled", "low", "S1"),
        result("migraine.pain_intensity.before_after.x", "pain_intensity", "short", "before_after", "low", "S2"),
    ]
    publish(settings, "migraine", named, [])
    publish(settings, "cluster", named[1:], [])
    write_site(settings, {}, finished=True)
    page = (settings.output_dir / "index.html").read_text(encoding="utf-8")
    shown = page[page.index("<h2>Summary of findings") : page.index("<summary>Results without a comparison group")]
    folded = page[page.index("<summary>Results without a comparison group") : page.index("<h2>What changed")]
    assert (shown.count("A synthetic question</td>"), folded.count("A synthetic question</td>")) == (1, 2)
    assert "no usable study with a comparison group; 1 result without one below" in shown
