"""How often does the integrity screen raise an alarm on evidence without a fault?

Simulates clean studies patient by patient (whole-number pain scores, headache days, responders, losses, the intervals
and p values that a paper would print from them, rounded as papers round), runs every rule and prints the share of
studies with a hit. All of it is synthetic.

    python benchmarks/false_alarms.py [studies] [seed]
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.integrity import RULES, screen
from headache_evidence.tables.schema import Schema, read_schema

DATA = Path(__file__).parents[1] / "data"
WEEKS = (0, 4, 12, 24)

Row = dict[str, Any]


def evidence_from_rows(**rows: list[Row]) -> Evidence:
    """Evidence tables from partial rows: the columns and types of the schema, everything else empty."""
    schema = _schema()
    tables = {}
    for table in schema.tables:
        given = rows.get(table.name, [])
        columns: dict[str, Any] = {}
        for field in table.fields:
            values = [row.get(field.name) for row in given]
            if field.type == "boolean":
                columns[field.name] = pd.Series([bool(value) for value in values], dtype=bool)
            elif field.numeric:
                dtype = "Int64" if field.type == "integer" else "float64"
                columns[field.name] = pd.Series(values, dtype=dtype)
            else:
                columns[field.name] = pd.Series(["" if value is None else str(value) for value in values], dtype="str")
        frame = pd.DataFrame(columns)
        frame["row"] = np.arange(2, len(frame) + 2)
        tables[table.name] = frame
    unknown = {(name, key) for name in rows for row in rows[name] for key in row if key not in tables[name]}
    if unknown:
        raise KeyError(f"not columns of the schema: {sorted(unknown)}")
    return Evidence(DATA, schema, **tables)


@lru_cache(maxsize=1)
def _schema() -> Schema:
    return read_schema(DATA)


def outcome(study_id: str, arm_id: str, **values: Any) -> Row:
    """An outcome row of patients with the words every row needs."""
    row: Row = {
        "study_id": study_id,
        "arm_id": arm_id,
        "unit_of_analysis": "patient",
        "kind": "endpoint",
        "sign": "signed",
        "better": "lower",
    }
    return row | {"outcome_reported": values.get("outcome", "")} | values


def clean_evidence(studies: int, seed: int) -> Any:
    """Evidence of simulated two-arm trials whose printed numbers all come from patients that exist."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[Row]] = {name: [] for name in ("studies", "arms", "outcomes", "contrasts")}
    for number in range(studies):
        _simulate(f"Sim{number:05d}", rng, rows)
    return evidence_from_rows(**rows)


def _simulate(study_id: str, rng: np.random.Generator, rows: dict[str, list[Row]]) -> None:
    sizes = dict(zip("AB", rng.integers(8, 90, size=2).tolist(), strict=True))
    lost = {arm: int(rng.binomial(n, 0.08)) for arm, n in sizes.items()}
    places = int(rng.choice([1, 2]))
    effect = rng.uniform(0, 2.5)
    patients: dict[str, dict[str, np.ndarray]] = {}
    for arm, n in sizes.items():
        level = np.clip(rng.normal(7.2, 1.6, n), 1, 10)
        fall = rng.normal(1.5 + effect * (arm == "B"), 1.3, n)
        days = rng.gamma(4, 4, n)
        patients[arm] = {
            f"pain{week}": np.rint(np.clip(level - fall * (week > 0) + rng.normal(0, 0.8, n), 0, 10)) for week in WEEKS
        } | {f"days{week}": np.rint(np.clip(days - fall * (week > 0), 0, 28)) for week in WEEKS}
    whole = sum(sizes.values())
    analysed = whole - sum(lost.values())
    rows["studies"].append(
        {"study_id": study_id, "design": "rct_parallel", "n_randomised": whole, "n_analysed": analysed}
    )
    for arm, n in sizes.items():
        rows["arms"].append({"study_id": study_id, "arm_id": arm, "n_randomised": n, "n_analysed": n - lost[arm]})
        for week in WEEKS:
            stay = n if week == 0 else n - lost[arm]
            at: Row = {"time_value": week, "time_unit": "weeks", "n": stay}
            for name, measure, scale in (
                ("pain", "pain_intensity", "nrs_0_10"),
                ("days", "headache_days", "days_per_28_days"),
            ):
                values = patients[arm][f"{name}{week}"][:stay]
                rows["outcomes"].append(
                    outcome(study_id, arm, outcome=measure, scale=scale, **at)
                    | {"mean": round(values.mean(), places), "sd": round(values.std(ddof=1), places)}
                )
        stay = n - lost[arm]
        responders = patients[arm]["days12"][:stay] <= 0.5 * patients[arm]["days0"][:stay]
        count = int(responders.sum())
        words = {"outcome": "responder_50", "better": "higher", "time_value": 12, "time_unit": "weeks"}
        with_count = bool(rng.integers(2))
        rows["outcomes"].append(
            outcome(study_id, arm, **words)
            | {"kind": "event_count" if with_count else "percent", "percent": round(100 * count / stay, 1)}
            | ({"events": count, "total": stay} if with_count else {"n": stay})
        )
        patients[arm]["responder"] = responders.astype(float)
    _contrasts(study_id, sizes, lost, patients, rows)


def _contrasts(
    study_id: str,
    sizes: dict[str, int],
    lost: dict[str, int],
    patients: dict[str, dict[str, np.ndarray]],
    rows: dict[str, list[Row]],
) -> None:
    common = {"study_id": study_id, "comparison": "between_arms", "arm_1": "B", "arm_2": "A", "sign": "signed"}
    stay = {arm: sizes[arm] - lost[arm] for arm in sizes}
    for week in WEEKS[1:]:
        b, a = (patients[arm][f"pain{week}"][: stay[arm]] for arm in "BA")
        test = stats.ttest_ind(b, a, equal_var=False)
        interval = test.confidence_interval()
        names = {"outcome": "pain_intensity", "outcome_reported": "pain_intensity"}
        rows["contrasts"].append(
            common
            | names
            | {"time_value": week, "time_unit": "weeks", "scale": "nrs_0_10", "measure": "MD"}
            | {"estimate": round(b.mean() - a.mean(), 2), "ci_low": round(interval.low, 2)}
            | {"ci_high": round(interval.high, 2)}
            | _printed_p(float(test.pvalue))
        )
    b, a = (patients[arm]["responder"] for arm in "BA")
    cells = np.array([b.sum(), len(b) - b.sum(), a.sum(), len(a) - a.sum()])
    if (cells > 0).all():
        log_or, se = np.log(cells[0] * cells[3] / (cells[1] * cells[2])), np.sqrt((1 / cells).sum())
        low, high = np.exp(log_or - 1.96 * se), np.exp(log_or + 1.96 * se)
        rows["contrasts"].append(
            common
            | {"outcome": "responder_50", "outcome_reported": "responder_50", "measure": "OR"}
            | {"time_value": 12, "time_unit": "weeks", "estimate": round(float(np.exp(log_or)), 2)}
            | {"ci_low": round(float(low), 2), "ci_high": round(float(high), 2)}
            | _printed_p(float(2 * stats.norm.sf(abs(log_or) / se)))
        )


def _printed_p(p: float) -> Row:
    return {"p": 0.001, "p_operator": "<"} if p < 0.001 else {"p": round(p, 3), "p_operator": "="}


def false_alarm_rates(studies: int, seed: int) -> pd.DataFrame:
    """Per rule: hits, studies with a hit, their share, and that share without hits of severity information."""
    hits = screen(clean_evidence(studies, seed))
    rows = []
    for rule in RULES:
        own = hits[hits["rule"] == rule]
        serious = own[own["severity"] != "information"]
        rows.append((rule, len(own), own["study_id"].nunique() / studies, serious["study_id"].nunique() / studies))
    return pd.DataFrame(rows, columns=["rule", "hits", "studies_hit", "studies_hit_seriously"])


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    first_seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rates = false_alarm_rates(number, first_seed)
    shown = rates.assign(**{name: rates[name].map("{:.2%}".format) for name in rates.columns[2:]})
    sys.stdout.write(f"{number} simulated clean studies, seed {first_seed}\n{shown.to_string(index=False)}\n")
