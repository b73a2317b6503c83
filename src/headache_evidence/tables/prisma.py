"""The PRISMA 2020 flow of the records in screening.csv.

The search behind the tables was not systematic: records came from abstracts, registries, journal pages, full texts and
reference tables that could be reached, and how many each database would have returned was not recorded. The flow
therefore starts with the records that were looked at, and says "not recorded" where PRISMA asks for more.

Source: Page et al. 2021, BMJ 372:n71 (PRISMA 2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

from headache_evidence.errors import EvidenceError, InputError

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

NOT_RECORDED = "not recorded"
SEARCH_NOTE = (
    "The search was not systematic. The flow counts only the records listed in screening.csv; how many records each "
    "database or register returned, and how many were dropped on title alone, was not recorded."
)

DECISIONS = ("included", "excluded", "not_retrieved")
STAGES = ("screening", "retrieval", "eligibility")
REASONS: dict[str, str] = {
    "not_headache": "not about headache",
    "not_block": "no block, perineural injection or hydrodissection",
    "duplicate_publication": "copy of another publication",
    "no_headache_outcome": "no headache outcome",
    "no_results_yet": "registry entry without results",
    "retracted": "retracted publication",
    "not_retrievable": "abstract and full text not reachable",
}


@dataclass(frozen=True)
class PrismaFlow:
    """The numbers in the boxes of a PRISMA 2020 flow diagram.

    Fields that nobody recorded are None; ``boxes`` prints them as "not recorded". Construction fails unless every box
    equals the sum of the boxes it splits into.
    """

    headache_type: str | None
    records_identified_databases: int | None
    records_identified_registers: int | None
    duplicates_removed: int | None
    records_screened: int
    records_excluded: Mapping[str, int]
    reports_sought: int
    reports_not_retrieved: int
    reports_assessed: int
    reports_excluded: Mapping[str, int]
    reports_included: int
    studies_included: int
    note: str = SEARCH_NOTE

    def __post_init__(self) -> None:
        out_early, out_late = sum(self.records_excluded.values()), sum(self.reports_excluded.values())
        sums = (
            ("records screened", self.records_screened, "excluded + sought", out_early + self.reports_sought),
            (
                "reports sought",
                self.reports_sought,
                "not retrieved + assessed",
                self.reports_not_retrieved + self.reports_assessed,
            ),
            ("reports assessed", self.reports_assessed, "excluded + included", out_late + self.reports_included),
        )
        for box, number, parts, total in sums:
            if number != total:
                raise InputError(f"The flow does not add up: {box} is {number}, {parts} is {total}.")
        if self.studies_included > self.reports_included:
            raise InputError(f"{self.studies_included} studies cannot come from {self.reports_included} reports.")

    def boxes(self) -> pd.DataFrame:
        """The boxes in reading order: columns box, text, number (as text), reasons (``reason: n`` joined by ``; ``)."""
        rows = [
            ("identified_databases", "Records identified from databases", self.records_identified_databases, {}),
            ("identified_registers", "Records identified from registers", self.records_identified_registers, {}),
            ("duplicates_removed", "Duplicate records removed before screening", self.duplicates_removed, {}),
            ("records_screened", "Records screened", self.records_screened, {}),
            (
                "records_excluded",
                "Records excluded",
                sum(self.records_excluded.values()),
                self.records_excluded,
            ),
            ("reports_sought", "Reports sought for retrieval", self.reports_sought, {}),
            ("reports_not_retrieved", "Reports not retrieved", self.reports_not_retrieved, {}),
            ("reports_assessed", "Reports assessed for eligibility", self.reports_assessed, {}),
            ("reports_excluded", "Reports excluded", sum(self.reports_excluded.values()), self.reports_excluded),
            ("studies_included", "Studies included in the review", self.studies_included, {}),
            ("reports_included", "Reports of included studies", self.reports_included, {}),
        ]
        return pd.DataFrame(
            [
                (
                    box,
                    text,
                    NOT_RECORDED if number is None else str(number),
                    "; ".join(f"{REASONS.get(reason, reason)}: {count}" for reason, count in reasons.items()),
                )
                for box, text, number, reasons in rows
            ],
            columns=["box", "text", "number", "reasons"],
        )


def prisma_flow(ev: Evidence, headache_type: str | None = None) -> PrismaFlow:
    """Count the records of screening.csv into the boxes of a PRISMA 2020 flow.

    Parameters
    ----------
    ev : the evidence; uses ``ev.screening`` (record_id, report_of, headache_type, stage, decision, reason).
    headache_type : count only the records of this type; all records when None.

    Raises
    ------
    EvidenceError
        if a record has an unknown stage, decision or reason, or the two contradict each other.
    """
    records = ev.screening
    if headache_type is not None:
        records = records.loc[records["headache_type"] == headache_type]
    _refuse_contradictions(records)
    decision, stage = records["decision"], records["stage"]
    excluded = decision == "excluded"
    early, late = excluded & (stage == "screening"), excluded & (stage == "eligibility")
    included = records.loc[decision == "included"]
    not_retrieved = int((decision == "not_retrieved").sum())
    assessed = int(late.sum()) + len(included)
    return PrismaFlow(
        headache_type=headache_type,
        records_identified_databases=None,
        records_identified_registers=None,
        duplicates_removed=None,
        records_screened=len(records),
        records_excluded=_by_reason(records.loc[early, "reason"]),
        reports_sought=not_retrieved + assessed,
        reports_not_retrieved=not_retrieved,
        reports_assessed=assessed,
        reports_excluded=_by_reason(records.loc[late, "reason"]),
        reports_included=len(included),
        studies_included=int(included["report_of"].nunique()),
    )


def _by_reason(reasons: pd.Series) -> Mapping[str, int]:
    counts = reasons.value_counts().sort_index()
    return MappingProxyType(dict(zip(counts.index.astype(str), counts.to_numpy().tolist(), strict=True)))


def _refuse_contradictions(records: pd.DataFrame) -> None:
    expected_stage = {"included": ("eligibility",), "excluded": ("screening", "eligibility")}
    faults = []
    for number, record in enumerate(records.itertuples(index=False), start=2):
        where = f"screening.csv, row {getattr(record, 'row', number)}, {record.record_id!s}"
        allowed = expected_stage.get(str(record.decision), ("retrieval",))
        if record.decision not in DECISIONS:
            faults.append(f"{where}: decision is {record.decision!r}; allowed are {', '.join(DECISIONS)}.")
        elif record.stage not in allowed:
            faults.append(f"{where}: {record.decision!s} at stage {record.stage!r}; allowed: {', '.join(allowed)}.")
        if record.decision == "included" and record.report_of == "":
            faults.append(f"{where}: included, but report_of names no study.")
        if record.decision in ("excluded", "not_retrieved") and record.reason not in REASONS:
            faults.append(f"{where}: reason is {record.reason!r}; allowed are {', '.join(REASONS)}.")
    if faults:
        raise EvidenceError(faults)
