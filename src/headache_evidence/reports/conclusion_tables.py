"""The tables of notebook 05: summary of findings, certainty domain by domain, judgements and thresholds."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from headache_evidence.conclusions.findings_table import findings_data, findings_fragment
from headache_evidence.conclusions.grading import certainty
from headache_evidence.conclusions.judgement import LOWERING, RAISING, DomainJudgement
from headache_evidence.conclusions.summary_of_findings import Findings
from headache_evidence.conclusions.thresholds import important_difference
from headache_evidence.pools.answers import Answer
from headache_evidence.reports.readable_tables import ReadableTable, links_cell
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol

SOURCES = {"choice": "our choice"}


@dataclass(frozen=True)
class ShownFindings:
    """The summary of findings as a notebook shows it."""

    findings: Findings

    def _repr_html_(self) -> str:
        if not self.findings.rows:
            return f"<p><strong>{html.escape(self.findings.title)}.</strong> No question has an answer.</p>"
        return findings_fragment(self.findings)

    def __repr__(self) -> str:
        return repr(ReadableTable(findings_data(self.findings).drop(columns=["In words"]), self.findings.title))


def show_findings(findings: Findings) -> ShownFindings:
    """The summary of findings, from ``summary_of_findings``."""
    return ShownFindings(findings)


def show_certainty(answers: Iterable[Answer], protocol: Protocol, evidence: Evidence) -> ReadableTable:
    """Each result with the levels by which every domain moves its certainty, and why."""
    rows = []
    for answer in answers:
        if not answer.pooled.k:
            continue
        rating = certainty(answer, protocol, evidence)
        raised = [rating.domain(name) for name in RAISING]
        rows.append(
            {"result": answer.question.title, "k": rating.k}
            | {_title(name): rating.domain(name).levels for name in LOWERING}
            | {
                "rated up": sum(domain.levels for domain in raised),
                "certainty": f"{rating.sign} {rating.words}, from {rating.start.replace('_', ' ')}",
                "why": _reasons([*(rating.domain(name) for name in LOWERING), *raised]),
            }
        )
    return ReadableTable(pd.DataFrame(rows), "Certainty, domain by domain", empty="No result to rate.")


def show_judgements(evidence: Evidence, headache_type: str) -> ReadableTable:
    """Reviewers' judgements that replace computed ones for the headache type."""
    table = evidence.certainty_judgements
    own = table.loc[table["question_id"].str.startswith(f"{headache_type}.")].drop(columns=["row"])
    return ReadableTable(own, "Judgements of reviewers", empty="None: every domain stands as the rules give it.")


def show_thresholds(answers: Iterable[Answer], protocol: Protocol, evidence: Evidence) -> ReadableTable:
    """The smallest effect that matters, outcome by outcome, and where it comes from."""
    outcomes = dict.fromkeys(answer.question.outcome for answer in answers)
    found = [important_difference(outcome, protocol, evidence.mcid) for outcome in outcomes]
    table = pd.DataFrame(
        {
            "outcome": [protocol.outcomes[item.outcome].title for item in found],
            "threshold": [item.size for item in found],
            "unit": [item.unit for item in found],
            "source": [SOURCES.get(item.source, item.source.replace("mcid.csv:", "mcid.csv: ")) for item in found],
            "reason": [item.reason for item in found],
        }
    )
    return ReadableTable(table, "The smallest effect that matters", empty="No outcome.")


def show_mcid(answers: Iterable[Answer], evidence: Evidence) -> ReadableTable:
    """Published minimal important differences of the outcomes at hand, as reported."""
    outcomes = {answer.question.outcome for answer in answers}
    table = evidence.mcid.loc[evidence.mcid["outcome"].isin(outcomes)]
    shown = pd.DataFrame(
        {
            "row of mcid.csv": table["id"],
            "outcome and scale": table["outcome"].str.replace("_", " ") + ", " + table["scale"].str.replace("_", " "),
            "population": table["population"],
            "level": table["level"].str.replace("_", " "),
            "value": table["value"],
            "percent": table["percent"],
            "method": table["method"],
            "source": table["source_url"],
        }
    )
    return ReadableTable(
        shown, "Published minimal important differences", {"source": links_cell}, empty="None for these outcomes."
    )


def _reasons(domains: list[DomainJudgement]) -> str:
    """Every reason once, after the domains that it is given for; judgements are told as such."""
    found: dict[str, list[str]] = {}
    for domain in domains:
        kept = domain.domain in RAISING and not domain.levels and not domain.overridden
        name = "not rated up" if kept else _title(domain.domain)
        found.setdefault(domain.reason, []).append(name)
    return "; ".join(f"{' and '.join(dict.fromkeys(names))}: {reason}" for reason, names in found.items()) + "."


def _title(name: str) -> str:
    return name.replace("_", " ")
