"""Harms of the procedures: counted events with exact intervals, bounds for zeros, and case reports one by one.

Hanley JA, Lippman-Hand A (1983), JAMA 249:1743-1745 (rule of three); Clopper CJ, Pearson ES (1934), Biometrika
26:404-413.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pandas as pd

from headache_evidence.effects.extraction_tables import ADVERSE_EVENT, extraction_tables
from headache_evidence.errors import InputError
from headache_evidence.pools.exact_intervals import clopper_pearson
from headache_evidence.tables.by_content import ByContent, evidence_by_content, settings_by_content
from headache_evidence.tables.by_study import addresses, distinct_texts
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol
from headache_evidence.tables.vocabulary import CORTICOSTEROIDS, LOCAL_ANAESTHETICS

REPORT_COLUMNS = (
    "study_id", "arm_id", "label", "headache_type", "design", "technique", "injectate", "event", "events", "total",
    "reason", "source_url", "source_row",
)  # fmt: skip
COUNTED = (
    "study_id", "arm_id", "headache_type", "adverse_event", "events_used", "total_used", "excluded", "reason_binary",
    "source_url", "source_row",
)  # fmt: skip
RATE_COLUMNS = (
    "event", "technique", "injectate", "k", "events", "patients", "rate", "ci_low", "ci_high", "lowest", "highest",
    "rule_of_three",
)  # fmt: skip


EVENT_TITLES = {
    "any": "any adverse event",
    "serious": "serious adverse event",
    "injection_site_pain": "injection-site pain",
    "injection_site_swelling": "injection-site swelling",
    "intra_articular_spread": "intra-articular spread",
    "alopecia_atrophy": "alopecia or atrophy",
    "vasovagal": "vasovagal reaction",
}


def event_title(event: str) -> str:
    """The name of an adverse event for readers."""
    return EVENT_TITLES.get(event, event.replace("_", " "))


def rule_of_three(patients: float) -> float:
    """Upper bound (one-sided 95%) of a risk when none of so many patients had the event: 3 / n, at most 1.

    Raises
    ------
    InputError
        when there are no patients.
    """
    if not patients > 0:
        raise InputError(f"The rule of three needs patients; got {patients}.")
    return min(3 / patients, 1.0)


def injectate_class(injectate: str) -> str:
    """What was injected, in the classes by which harms are shown."""
    words = set(injectate.split(";")) - {""}
    anaesthetic, steroid = not LOCAL_ANAESTHETICS.isdisjoint(words), not CORTICOSTEROIDS.isdisjoint(words)
    if steroid:
        return "steroid and anaesthetic" if anaesthetic else "steroid"
    if anaesthetic:
        return "anaesthetic"
    if "dextrose_5" in words:
        return "dextrose"
    return "saline" if words == {"saline"} else "other" if words else "not stated"


def harm_reports(evidence: Evidence, protocol: Protocol) -> pd.DataFrame:
    """Every reported adverse event of an arm with a technique of the protocol, usable or not, with the reason.

    Returns
    -------
    Columns as in REPORT_COLUMNS; ``events`` and ``total`` are missing where ``reason`` is not empty.

    Reports of equal evidence under an equal protocol, compared by content, are collected once in a process.
    """
    return _reports(evidence_by_content(evidence), settings_by_content(protocol)).copy(deep=False)


@lru_cache(maxsize=2)
def _reports(found: ByContent[Evidence], asked: ByContent[Protocol]) -> pd.DataFrame:
    protocol = asked.value
    tables = extraction_tables(found.value, protocol.extraction)
    techniques = {name for part in protocol.interventions.values() for name in part.techniques}
    rows = tables.rows.loc[tables.rows["outcome"] == ADVERSE_EVENT.rstrip("_"), list(COUNTED)]
    records = []
    for row in rows.to_dict("records"):
        arm = tables.arm_facts[row["study_id"], row["arm_id"]]
        if arm["technique"] not in techniques:
            continue
        reason = row["excluded"] or row["reason_binary"]
        if not reason and row["study_id"] in protocol.harms.case_reports and row["events_used"] == row["total_used"]:
            reason = "a series of harmed patients has no denominator"
        records.append(
            {
                "study_id": row["study_id"],
                "arm_id": row["arm_id"],
                "label": tables.studies.at[row["study_id"], "label"],
                "headache_type": row["headache_type"],
                "design": tables.studies.at[row["study_id"], "design"],
                "technique": arm["technique"],
                "injectate": injectate_class(arm["injectate"]),
                "event": row["adverse_event"],
                "events": math.nan if reason else float(row["events_used"]),
                "total": math.nan if reason else float(row["total_used"]),
                "reason": reason,
                "source_url": row["source_url"],
                "source_row": row["source_row"],
            }
        )
    return pd.DataFrame(records, columns=list(REPORT_COLUMNS)).sort_values(
        ["event", "technique", "study_id"], ignore_index=True
    )


def pooled_harms(reports: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Rate of each event by technique and injectate: events over patients of all studies, with its exact interval.

    The sum supposes one common risk; the lowest and highest rate of a study stand beside it. ``rule_of_three`` is the
    upper bound where no event was seen, else missing. Single patients (case reports) carry no rate and are left out.
    """
    counted = reports.loc[reports["total"] >= 2]
    rows = []
    for (event, technique, injectate), group in counted.groupby(["event", "technique", "injectate"]):
        events, patients = float(group["events"].sum()), float(group["total"].sum())
        low, high = clopper_pearson(events, patients, level)
        rates = group["events"] / group["total"]
        rows.append(
            {
                "event": event,
                "technique": technique,
                "injectate": injectate,
                "k": group["study_id"].nunique(),
                "events": events,
                "patients": patients,
                "rate": events / patients,
                "ci_low": float(low),
                "ci_high": float(high),
                "lowest": float(rates.min()),
                "highest": float(rates.max()),
                "rule_of_three": rule_of_three(patients) if events == 0 else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=list(RATE_COLUMNS))


def named_harms(reports: pd.DataFrame, protocol: Protocol, level: float = 0.95) -> pd.DataFrame:
    """What is known of each harm that the protocol names, by technique, whether or not a study counts it.

    Returns
    -------
    event, technique, k and patients (of studies of two or more patients that count it), events, rate, ci_low, ci_high,
    rule_of_three (upper bound where no event was seen), uncounted (studies that report it without a usable count).
    """
    techniques = [name for part in protocol.interventions.values() for name in part.techniques]
    told = dict(list(reports.groupby(["event", "technique"])))
    rows = []
    for event in protocol.harms.looked_for:
        for technique in techniques:
            own = told.get((event, technique), reports.iloc[:0])
            counted = own.loc[own["total"] >= 2]
            events, patients = float(counted["events"].sum()), float(counted["total"].sum())
            low, high = clopper_pearson(events, patients, level) if patients else (math.nan, math.nan)
            rows.append(
                {
                    "event": event,
                    "technique": technique,
                    "k": counted["study_id"].nunique(),
                    "events": events,
                    "patients": patients,
                    "rate": events / patients if patients else math.nan,
                    "ci_low": float(low),
                    "ci_high": float(high),
                    "rule_of_three": rule_of_three(patients) if patients and not events else math.nan,
                    "uncounted": len(set(own["study_id"]) - set(counted["study_id"])),
                }
            )
    return pd.DataFrame(rows)


def serious_harms(evidence: Evidence, protocol: Protocol, headache_type: str = "") -> pd.DataFrame:
    """Serious events one by one: case reports that the protocol names, and every study that counts a serious event.

    Returns
    -------
    study_id, year, headache_type, design, technique, what (the extractor's words), source_url.

    Raises
    ------
    InputError
        when the protocol names a study that the tables do not have.
    """
    named = set(protocol.harms.case_reports)
    unknown = sorted(named - set(evidence.studies["study_id"]))
    if unknown:
        raise InputError(f"harms.case_reports of the protocol names studies that are not in studies.csv: {unknown}.")
    events = evidence.outcomes
    serious = events.loc[(events["adverse_event"] == "serious") & (events["events"].fillna(0) > 0), "study_id"]
    studies = evidence.studies.loc[evidence.studies["study_id"].isin(named | set(serious))]
    if headache_type:
        studies = studies.loc[studies["headache_type"] == headache_type]
    arms, sources = (
        table.loc[table["study_id"].isin(studies["study_id"])] for table in (evidence.arms, evidence.sources)
    )
    table = studies[["study_id", "year", "headache_type", "design", "harms_summary"]].assign(
        technique=studies["study_id"].map(distinct_texts(arms, "technique")).fillna(""),
        source_url=studies["study_id"].map(addresses(sources)).fillna(""),
    )
    columns = ["study_id", "year", "headache_type", "design", "technique", "what", "source_url"]
    return table.rename(columns={"harms_summary": "what"})[columns].sort_values(["year", "study_id"], ignore_index=True)
