"""What changed between two runs, result by result: studies, estimate, interval, tau2, certainty, conclusion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headache_evidence.errors import InputError
from headache_evidence.reports.publishing import publish_json, read_json

HISTORY = "history"
KEPT_SNAPSHOTS = 200
#: Smaller differences are rounding of the arithmetic, not news.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-8, 1e-10
#: Below this number of studies no conclusion is drawn.
MIN_K_CONCLUSION = 3

IMPORTANT, NOT_JUDGED = "smallest important difference", "not judged"
#: What results.json and snapshots of earlier versions lack.
ABSOLUTE = "absolute_per_1000"

Snapshot = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A result that is new, gone or different, with each difference in words."""

    headache_type: str
    title: str
    details: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.headache_type}: {self.title}: {'; '.join(self.details)}"


def snapshot(output_dir: Path, headache_types: Iterable[str], made: str) -> Snapshot:
    """The results of all published reports in short."""
    reports = {}
    for name in headache_types:
        document = read_json(output_dir / name / "results.json")
        if document:
            reports[name] = {r["question_id"]: short(r) for r in document.get("results", []) if "question_id" in r}
    return {"made": made, "reports": reports}


def short(result: Mapping[str, Any]) -> dict[str, Any]:
    """One result of results.json reduced to what is compared."""
    pooled = result.get("pooled", {})
    certainty = result.get("certainty")
    return {
        "title": result.get("title", ""),
        "measure": result.get("measure", ""),
        "studies": sorted(result.get("studies", [])),
        **{name: pooled.get(name) for name in ("k", "n", "estimate", "ci", "tau2")},
        **({ABSOLUTE: _difference(result[ABSOLUTE])} if ABSOLUTE in result else {}),
        "certainty": certainty.get("level") if isinstance(certainty, Mapping) else certainty,
        "conclusion": conclusion(result),
    }


def _difference(absolute: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if absolute is None else {name: absolute.get(name) for name in ("difference", "difference_ci")}


def conclusion(result: Mapping[str, Any]) -> dict[str, str]:
    """Where the interval lies towards no effect, and the estimate towards the smallest important difference."""
    pooled = result.get("pooled", {})
    limits, estimate = pooled.get("ci"), pooled.get("estimate")
    if not limits or None in limits or estimate is None or (pooled.get("k") or 0) < MIN_K_CONCLUSION:
        return {}
    found = {}
    if result.get("measure") != "PLO":
        low, high = limits
        found["no effect"] = "below" if high < 0 else "above" if low > 0 else "inside the interval"
    reached = _important(result, estimate)
    if reached:
        found[IMPORTANT] = reached
    return found


def _important(result: Mapping[str, Any], estimate: float) -> str:
    """Whether the estimate is at least as large as the threshold, and for better or worse; empty without a threshold.

    The threshold counts where it has the unit of the estimate: differences of means and of risks. Ratios are judged by
    their absolute effect per 1000; results that an earlier version wrote without one are not judged.
    """
    threshold = result.get("threshold")
    size = threshold.get("size") if isinstance(threshold, Mapping) else None
    if not isinstance(size, int | float) or not math.isfinite(size) or not size:
        return ""
    per_1000 = isinstance(threshold, Mapping) and "per 1000" in str(threshold.get("unit", ""))
    if per_1000 and ABSOLUTE in result:
        difference = (result[ABSOLUTE] or {}).get("difference")
        if difference is None:
            return "not estimable per 1000"
        estimate, unit = difference, 1
    else:
        unit = {("MD", False): 1, ("MC", False): 1, ("RD", True): 1000}.get((str(result.get("measure")), per_1000), 0)
    if not unit:
        return ""
    if abs(estimate) * unit < size * (1 - RELATIVE_TOLERANCE):
        return "not reached"
    better = (estimate < 0) == (result.get("better", "lower") == "lower")
    return "reached, for the better" if better else "reached, for the worse"


def compare(before: Snapshot, after: Snapshot) -> list[Change]:
    """Every difference between two snapshots, in the order of the second one; empty when nothing changed."""
    changes = []
    old_reports, new_reports = before.get("reports", {}), after.get("reports", {})
    for name in dict.fromkeys([*new_reports, *old_reports]):
        if name not in old_reports:
            changes.append(Change(name, "first report", (f"{len(new_reports[name])} results",)))
            continue
        old, new = old_reports[name], new_reports.get(name, {})
        for question in dict.fromkeys([*new, *old]):
            details = _details(old.get(question), new.get(question))
            if details:
                title = (new.get(question) or old[question])["title"]
                changes.append(Change(name, title, tuple(details)))
    return changes


def _details(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> list[str]:
    if old is None and new is not None:
        return [f"new result, k = {new['k']}"]
    if new is None or old is None:
        return ["result is gone"]
    from headache_evidence.effects.measure_scales import MEASURE_SCALES

    details = []
    added = sorted(set(new["studies"]) - set(old["studies"]))
    removed = sorted(set(old["studies"]) - set(new["studies"]))
    if added:
        details.append(f"new studies: {', '.join(added)}")
    if removed:
        details.append(f"removed studies: {', '.join(removed)}")
    measures = [str(result.get("measure", "")) for result in (old, new)]
    name = MEASURE_SCALES[measures[1]].title if measures[1] in MEASURE_SCALES else "estimate"
    for key, word in {"k": "k", "n": "patients", "estimate": name[:1].lower() + name[1:], "ci": "95% CI"}.items():
        if not _same(old.get(key), new.get(key)):
            was, now = (
                _read(result.get(key), key, measure) for result, measure in zip((old, new), measures, strict=True)
            )
            details.append(f"{word} {was} to {now}")
    if not _same(old.get("tau2"), new.get("tau2")):
        details.append(f"tau2 {_shown(old.get('tau2'))} to {_shown(new.get('tau2'))} (analysis scale)")
    if ABSOLUTE in old and ABSOLUTE in new:
        was, now = (_per_1000(result[ABSOLUTE]) for result in (old, new))
        if was != now:
            details.append(f"absolute effect {was} to {now}")
    if old.get("certainty") != new.get("certainty"):
        was, now = (str(result.get("certainty") or "not rated").replace("_", " ") for result in (old, new))
        details.append(f"certainty {was} to {now}")
    before, after = old.get("conclusion") or {}, new.get("conclusion") or {}
    for topic in dict.fromkeys([*before, *after]):
        was, now = before.get(topic, NOT_JUDGED), after.get(topic, NOT_JUDGED)
        judged_twice = topic in before and topic in after
        if was != now and (judged_twice or topic != IMPORTANT):
            details.append(f"CONCLUSION CHANGED, {topic}: {was} to {now}")
        elif was != now and (ABSOLUTE in old) != (ABSOLUTE in new):
            details.append(f"{topic}: {was} to {now}")
    return details


def _per_1000(absolute: Mapping[str, Any] | None) -> str:
    """'379 more of 1000 patients (95% CI 31 more to 718 more)', or that it is not estimable."""
    from headache_evidence.conclusions.number_words import more_or_fewer_words

    if not absolute or absolute["difference"] is None:
        return _shown(None)
    low, high = (math.nan if limit is None else limit for limit in absolute.get("difference_ci") or (None, None))
    return more_or_fewer_words(absolute["difference"], (low, high))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
    return bool(one == other)


def _read(value: Any, key: str, measure: str) -> str:
    """A number of a snapshot on the scale on which a reader reads it: ratios and percentages, not their logarithms."""
    if key not in {"estimate", "ci"} or value is None:
        return _shown(value)
    from headache_evidence.reports.results_table import displayed

    if isinstance(value, list):
        return _shown([displayed(item, measure) for item in value])
    return _shown(displayed(value, measure))


def _shown(value: Any) -> str:
    if value is None:
        return "not estimable"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_shown(item) for item in value)}]"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("-", "\N{MINUS SIGN}")


def snapshots(output_dir: Path) -> list[Path]:
    """Stored snapshots, oldest first. Their numbers count up whatever the clock says."""
    return sorted((output_dir / HISTORY).glob("[0-9]*.json"))


def store(output_dir: Path, taken: Snapshot) -> None:
    """Keep a snapshot as the newest one, and forget the oldest beyond :data:`KEPT_SNAPSHOTS`."""
    folder = output_dir / HISTORY
    folder.mkdir(exist_ok=True)
    kept = snapshots(output_dir)
    number = int(kept[-1].stem) + 1 if kept else 1
    publish_json(folder / f"{number:06d}.json", taken)
    for old in kept[: max(0, len(kept) + 1 - KEPT_SNAPSHOTS)]:
        old.unlink(missing_ok=True)


def load(place: Path, output_dir: Path) -> Snapshot:
    """A snapshot by its number (``3`` or ``-1`` for the newest), its file, or the folder of a published site.

    Raises
    ------
    InputError
        there is no such snapshot.
    """
    if place.is_dir():
        types = [path.parent.name for path in sorted(place.glob("*/results.json"))]
        if types:
            return snapshot(place, types, made=str(read_json(place / "manifest.json").get("made", "")))
    stored = snapshots(output_dir)
    text = str(place)
    if text.removeprefix("-").isdigit():
        by_number = {int(path.stem): path for path in stored}
        number = int(text)
        if number < 0 and -number <= len(stored):
            return read_json(stored[number])
        if number in by_number:
            return read_json(by_number[number])
        known = f"{stored[0].stem} to {stored[-1].stem}" if stored else "none yet"
        raise InputError(f"No snapshot {text} in {output_dir.name}/{HISTORY}; stored are {known}.")
    document = read_json(place) if place.is_file() else {}
    if "reports" not in document:
        raise InputError(f"{place}: neither a snapshot, a number of one, nor a folder with reports.")
    return document
