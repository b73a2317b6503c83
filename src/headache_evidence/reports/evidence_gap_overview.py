"""The evidence-gap maps of the index page: headache type by outcome and follow-up, from the published reports' files.

A map is drawn again only when its numbers or the package change: they are kept in ``.evidence_gaps.json`` of the
output folder.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headache_evidence.reports.fingerprint import package_hash
from headache_evidence.reports.publishing import publish_json, read_json
from headache_evidence.reports.results_table import read_results
from headache_evidence.reports.settings import Settings
from headache_evidence.tables.safe_yaml import read_yaml

KEPT = ".evidence_gaps.json"
LEVELS = ("", "very_low", "low", "moderate", "high")
ANY_TIME = "any"  # window of outcomes that are counted once
WITHOUT_COMPARISON = "only studies without a comparison group"
TITLES = ("How often and how severe: where there is evidence", "Patients who respond, need more or are harmed")


@dataclass(frozen=True)
class GapCell:
    """One headache type, outcome and follow-up: studies, patients and the best certainty; k = 0 is a gap.

    Studies with a comparison group count first; only where there is none do others count, and then ``certainty`` is
    empty.
    """

    headache_type: str
    outcome: str
    follow_up: str
    k: int
    n: float
    certainty: str


@dataclass(frozen=True)
class GapMaps:
    """Maps as SVG, each with its text alternative, and the same in sentences; one sentence per headache type."""

    figures: tuple[tuple[str, str], ...] = ()
    sentences: tuple[tuple[str, str], ...] = ()


def gap_maps(settings: Settings, *, draw: bool) -> GapMaps:
    """The maps of the reports on disk; without ``draw`` those that were drawn last, if any."""
    path = settings.output_dir / KEPT
    kept = read_json(path)
    if not draw:
        return _restored(kept)
    tables = gap_tables(settings)
    content = json.dumps([[asdict(cell) for cell in table] for table in tables])
    mark = hashlib.sha256((package_hash() + content).encode()).hexdigest()[:24]
    if kept.get("mark") != mark:
        drawn = [_figure(table, title) for table, title in zip(tables, TITLES, strict=True) if _filled(table)]
        cells = [cell for table in tables for cell in table]
        kept = {"mark": mark, "figures": drawn, "sentences": gap_sentences(cells)}
        publish_json(path, kept)
    return _restored(kept)


def gap_tables(settings: Settings) -> tuple[list[GapCell], list[GapCell]]:
    """The cells of outcomes measured at several times, and of outcomes counted at any time.

    Outcomes are the protocol's headline and all for which some headache type has a study with a comparison group.
    """
    with (settings.data_dir / "protocol.yml").open(encoding="utf-8") as file:
        protocol = read_yaml(file)
    windows = {name: str(part["title"]) for name, part in protocol.get("windows", {}).items()}
    results = {name: _results(settings.output_dir / name) for name in settings.titles}
    compared = {r["outcome"] for found in results.values() for r in found if r["stream"] == "controlled"}
    shown = compared | set(protocol.get("headline", {}).get("outcomes", []))
    patients = {name: _patients(settings.output_dir / name / "effects.csv") for name in settings.titles}
    tables: tuple[list[GapCell], list[GapCell]] = ([], [])
    for name, title in settings.titles.items():
        for outcome, part in protocol.get("outcomes", {}).items():
            if outcome not in shown:
                continue
            once = "proportion" in part["measures"]
            for window in [ANY_TIME] if once else [w for w in windows if w != ANY_TIME]:
                own = [r for r in results[name] if (r["outcome"], r["window"]) == (outcome, window)]
                cell = _cell(own, patients[name])
                tables[once].append(GapCell(title, str(part["title"]), windows.get(window, window), *cell))
    return tables


def gap_sentences(cells: Iterable[GapCell]) -> list[tuple[str, str]]:
    """Headache type and, in words, what has a comparison, what has none, and what has nothing."""
    found: dict[str, tuple[list[str], list[str], list[str]]] = {}
    for cell in cells:
        compared, alone, nothing = found.setdefault(cell.headache_type, ([], [], []))
        place = f"{cell.outcome}, {cell.follow_up}"
        if not cell.k:
            nothing.append(place)
        elif cell.certainty:
            certainty = cell.certainty.replace("_", " ")
            compared.append(f"{place} (k = {cell.k}{_patients_words(cell.n)}, {certainty} certainty)")
        else:
            alone.append(f"{place} (k = {cell.k}{_patients_words(cell.n)})")
    return [
        (
            title,
            f"with a comparison group: {'; '.join(compared) or 'nothing'}. Only without one: "
            f"{'; '.join(alone) or 'nothing'}. No usable study: {'; '.join(nothing) or 'no gap'}.",
        )
        for title, (compared, alone, nothing) in found.items()
    ]


def _results(folder: Path) -> list[dict[str, Any]]:
    """The results on injections that rest on a study."""
    return [
        result
        for result in read_results(folder / "results.json")
        if result.get("pooled", {}).get("k") and result.get("intervention") == "injection" and result.get("window")
    ]


def _patients(path: Path) -> dict[tuple[str, str], float]:
    """Patients of each usable effect by question and study; NaN where a report does not show them."""
    if not path.exists():
        return {}
    found = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row.get("usable") == "True":
                first, second = (float(row[name] or math.nan) for name in ("n1", "n2"))
                found[row["question_id"], row["study_id"]] = first + (0.0 if math.isnan(second) else second)
    return found


def _cell(results: Sequence[Mapping[str, Any]], patients: Mapping[tuple[str, str], float]) -> tuple[int, float, str]:
    """Studies, patients and best certainty; a study in several comparisons counts once, by its largest."""
    compared = [result for result in results if result["stream"] == "controlled"]
    sizes: dict[str, float] = {}
    for result in compared or results:
        for study in result["studies"]:
            size = patients.get((result["question_id"], study), math.nan)
            sizes[study] = max(sizes.get(study, 0.0), 0.0 if math.isnan(size) else size)
    levels = [str(result.get("certainty", {}).get("level", "")) for result in compared]
    best = max((level for level in levels if level in LEVELS), key=LEVELS.index, default="")
    total = sum(sizes.values())
    return len(sizes), total if total > 0 else math.nan, best


def _filled(table: Iterable[GapCell]) -> bool:
    return any(cell.k for cell in table)


def _figure(table: Sequence[GapCell], title: str) -> tuple[str, str]:
    import pandas as pd

    from headache_evidence.figures.evidence_figure import alt_text
    from headache_evidence.figures.evidence_maps import evidence_gap_plot
    from headache_evidence.figures.saving import svg_text
    from headache_evidence.reports.clean_html import clean_svg

    frame = pd.DataFrame([asdict(cell) for cell in table])
    figure = evidence_gap_plot(frame, title=title, unrated=WITHOUT_COMPARISON)
    words = alt_text(figure)
    return clean_svg(svg_text(figure, embed_font=False), 1 + TITLES.index(title), words), words


def _patients_words(n: float) -> str:
    return "" if math.isnan(n) else f", n = {n:.0f}"


def _restored(kept: Mapping[str, Any]) -> GapMaps:
    figures, sentences = (
        tuple((str(first), str(second)) for first, second in kept.get(name, ())) for name in ("figures", "sentences")
    )
    return GapMaps(figures, sentences)
