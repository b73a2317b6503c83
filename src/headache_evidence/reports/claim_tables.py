"""The tables and paragraphs of notebook 06: overview, harms, claims, gaps, the next trial, published reviews."""

from __future__ import annotations

import html
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from headache_evidence.conclusions.claims import AuditedClaim
from headache_evidence.conclusions.gaps import (
    TRIAL_SIZES,
    evidence_gaps,
    information_needed,
    missing_comparisons,
    next_trials,
    reporting_needed,
)
from headache_evidence.conclusions.grading import certainties
from headache_evidence.conclusions.guidelines import beside_guidelines
from headache_evidence.conclusions.harms import event_title, named_harms, pooled_harms, serious_harms
from headache_evidence.conclusions.number_words import count
from headache_evidence.conclusions.prose import claims_summary, harms_summary, overview
from headache_evidence.conclusions.published import beside_published
from headache_evidence.figures.evidence_figure import EvidenceFigure
from headache_evidence.figures.evidence_maps import evidence_gap_plot
from headache_evidence.figures.harms import harms_plot
from headache_evidence.figures.saving import save_figure
from headache_evidence.pools.answers import Answer
from headache_evidence.reports.readable_tables import ReadableTable, as_text, interval_text, links_cell
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol


@dataclass(frozen=True)
class Paragraphs:
    """Sentences rendered from results."""

    sentences: tuple[str, ...]

    def _repr_html_(self) -> str:
        return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences)

    def __repr__(self) -> str:
        return "\n".join(self.sentences)


def show_overview(evidence: Evidence, protocol: Protocol, answers: Iterable[Answer], headache_type: str) -> Paragraphs:
    """What there is, in sentences."""
    answers = tuple(answers)
    ratings = certainties(answers, protocol, evidence).values()
    return Paragraphs(overview(evidence, protocol, answers, ratings, headache_type))


def show_claims_summary(claims: Sequence[AuditedClaim]) -> Paragraphs:
    """How the claims fare, in sentences."""
    return Paragraphs(claims_summary(claims))


def show_claims(claims: Sequence[AuditedClaim]) -> ReadableTable:
    """Each claim with its verdict for hydrodissection and what nerve blocks say indirectly."""
    table = pd.DataFrame(
        [
            {
                "statement": f"\N{EM DASH} {claim.part}" if claim.part else claim.text,
                "hydrodissection": claim.verdict,
                "why": _why(claim.why, claim.direct_studies, claim),
                "nerve blocks": claim.indirect_verdict,
                "why, indirectly": _why(claim.indirect_why, claim.indirect_studies, claim),
            }
            for claim in claims
        ]
    )
    return ReadableTable(table, "The claims against the evidence", empty="No claim bears on this headache type.")


def _why(reason: str, studies: Sequence[str] | int, claim: AuditedClaim) -> str:
    """The reason, for a whole statement after the studies of the technique, named where they are listed."""
    if claim.part:
        return reason
    number = studies if isinstance(studies, int) else len(studies)
    names = "" if isinstance(studies, int) or not studies else f" ({', '.join(studies)})"
    return f"{count(number, 'study', 'studies') if number else 'no study'}{names}; {reason}"


def show_harms_summary(harms: pd.DataFrame, evidence: Evidence, protocol: Protocol, headache_type: str) -> Paragraphs:
    """How many harms were counted in the headache type, in sentences."""
    serious = serious_harms(evidence, protocol, headache_type)
    return Paragraphs(harms_summary(pooled_harms(of_type(harms, headache_type)), serious))


def show_harms(harms: pd.DataFrame, headache_type: str = "") -> ReadableTable:
    """Rates of harms by event, technique and injectate with exact intervals; of all headache types when not given."""
    rates = pooled_harms(of_type(harms, headache_type))
    table = pd.DataFrame(
        {
            "event": rates["event"].map(event_title),
            "technique": rates["technique"].str.replace("_", " "),
            "injectate": rates["injectate"],
            "k": rates["k"],
            "events": rates["events"].astype(int),
            "patients": rates["patients"].astype(int),
            "rate %": 100 * rates["rate"],
            "exact 95% CI": [
                interval_text(100 * a, 100 * b, 1) for a, b in zip(rates["ci_low"], rates["ci_high"], strict=True)
            ],
            "range over studies": [
                interval_text(100 * a, 100 * b, 1) if k > 1 else ""
                for a, b, k in zip(rates["lowest"], rates["highest"], rates["k"], strict=True)
            ],
            "at most % (rule of three)": 100 * rates["rule_of_three"],
        }
    )
    where = "all headache types" if not headache_type else "this headache type"
    return ReadableTable(table, f"Harms, {where}", empty="No study counts a harm; that is no evidence of safety.")


def show_named_harms(harms: pd.DataFrame, protocol: Protocol, headache_type: str = "") -> ReadableTable:
    """Each harm that the protocol names, by technique, counted or not; of all headache types when not given."""
    table = named_harms(of_type(harms, headache_type), protocol)
    words = table.assign(
        harm=table["event"].map(event_title),
        technique=table["technique"].str.replace("_", " "),
        found=[_harm_words(row) for row in table.to_dict("records")],
    )
    wide = words.pivot(index="harm", columns="technique", values="found")
    wide = wide.loc[words["harm"].unique(), words["technique"].unique()].reset_index()
    wide.columns.name = None
    return ReadableTable(wide, "The harms looked for", empty="The protocol names no harm.")


def _harm_words(row: Mapping[Hashable, Any]) -> str:
    uncounted = count(row["uncounted"], "study reports", "studies report")
    without = f"{uncounted} it without a rate" if row["uncounted"] else ""
    if not row["k"]:
        return without or "not counted by any study"
    limits = interval_text(100 * row["ci_low"], 100 * row["ci_high"], 1)
    words = (
        f"{row['events']:.0f} of {row['patients']:.0f} patients, {100 * row['rate']:.1f}% ({limits}), k = {row['k']}"
    )
    if not row["events"]:
        words += f"; at most {100 * row['rule_of_three']:.1f}% by the rule of three"
    return f"{words}; {without}" if without else words


def show_serious_harms(evidence: Evidence, protocol: Protocol, headache_type: str = "") -> ReadableTable:
    """Serious events and reports of harm one by one; of all headache types when not given."""
    table = serious_harms(evidence, protocol, headache_type).rename(
        columns={"study_id": "study", "headache_type": "headache", "source_url": "source"}
    )
    return ReadableTable(table, "Serious harms, one by one", {"source": links_cell}, empty="None is reported.")


def harms_figure(harms: pd.DataFrame, headache_type: str, output_dir: str | Path = "") -> EvidenceFigure:
    """Every reported harm of the headache type with its exact interval, by technique; saved when a folder is given."""
    table = of_type(harms, headache_type)
    table = table.assign(event=table["event"].map(event_title))
    return _saved(harms_plot(table), output_dir, f"{headache_type}.harms")


def of_type(harms: pd.DataFrame, headache_type: str) -> pd.DataFrame:
    """The rows of one headache type; all when it is empty."""
    return harms.loc[harms["headache_type"] == headache_type] if headache_type else harms


def evidence_gap_figure(
    evidence: Evidence, protocol: Protocol, answers: Iterable[Answer], headache_type: str, output_dir: str | Path = ""
) -> EvidenceFigure:
    """Kinds of evidence against headline outcome and follow-up, by patients and certainty."""
    answers = tuple(answers)
    table = evidence_gaps(answers, certainties(answers, protocol, evidence), protocol, headache_type)
    return _saved(evidence_gap_plot(table), output_dir, f"{headache_type}.evidence_gaps")


def _saved(figure: EvidenceFigure, output_dir: str | Path, name: str) -> EvidenceFigure:
    if str(output_dir):
        save_figure(figure, Path(output_dir) / "figures" / name)
    return figure


def show_missing(answers: Iterable[Answer], protocol: Protocol, headache_type: str) -> ReadableTable:
    """Randomised comparisons of the headline outcomes that no usable study makes."""
    table = missing_comparisons(answers, protocol, headache_type).rename(
        columns={
            "follow_up": "no usable study",
            "reported_without_usable_numbers": "studies that report without usable numbers",
        }
    )
    return ReadableTable(table, "Missing comparisons", empty="Every randomised comparison has a usable study.")


def show_information(answers: Iterable[Answer], protocol: Protocol, evidence: Evidence) -> ReadableTable:
    """Patients there are and patients needed."""
    table = information_needed(answers, protocol, evidence).rename(
        columns={"needed_adjusted": "needed, with diversity", "missing": "still missing"}
    )
    return ReadableTable(table, "Required information size", empty="No randomised comparison to plan from.")


def show_next_trial(answers: Iterable[Answer], protocol: Protocol, evidence: Evidence) -> ReadableTable:
    """Size of the next trial, alone and within the updated pool."""
    names = {f"updated_{size}": f"chance with {size} per arm" for size in TRIAL_SIZES}
    table = next_trials(answers, protocol, evidence).rename(
        columns={"planned_from": "planned from", "per_arm_alone": "patients per arm, alone"} | names
    )
    table = table.dropna(axis="columns", how="all")
    return ReadableTable(table, "The next trial against placebo, sham or no block", empty="No outcome to plan for.")


def show_reporting(answers: Iterable[Answer]) -> ReadableTable:
    """What the reports would have had to show."""
    return ReadableTable(reporting_needed(answers), "Reporting that would have made results usable", empty="Nothing.")


def show_published(
    answers: Iterable[Answer], evidence: Evidence, protocol: Protocol, headache_type: str
) -> ReadableTable:
    """Published pools with ours beside them."""
    found = beside_published(answers, evidence, protocol, headache_type)
    rows = found.to_dict("records")
    table = pd.DataFrame(
        {
            "review": [f"{_joined(r['review_id'], as_text(r['year']))}: {r['comparison']}" for r in rows],
            "outcome and time": [_joined(r["outcome"], r["timepoint"]) for r in rows],
            "published": [_with_k(r["published"], r["k"]) for r in rows],
            "ours": [_with_k(r["ours"], r["ours_k"]) for r in rows],
            "verdict": found["verdict"],
            "which trials explain it": [
                "; ".join(part for part in (r["explanation"], r["doubt"] and f"doubt: {r['doubt']}") if part)
                for r in rows
            ],
            "source": found["source_url"],
        }
    )
    return ReadableTable(table, "Beside published reviews", {"source": links_cell}, empty="No published pool.")


def _joined(*parts: object) -> str:
    return ", ".join(text for text in map(str, parts) if text)


def _with_k(result: str, k: object) -> str:
    return f"{result}, k = {k}" if result and k != "" else result


def show_guidelines(
    answers: Iterable[Answer], evidence: Evidence, protocol: Protocol, headache_type: str
) -> ReadableTable:
    """Our results in the first row, below them the guidelines on the headache type; open wording is marked."""
    found = beside_guidelines(answers, evidence, protocol, headache_type)
    ours = pd.DataFrame({"body": "Our results", "position": found["ours"].head(1), "wording": "", "source_url": ""})
    shown = pd.concat([ours, found[["body", "position", "wording", "source_url"]]], ignore_index=True)
    table = shown.rename(columns={"source_url": "source"})
    return ReadableTable(
        table, "Beside guidelines", {"source": links_cell}, empty="No position in the tables names this headache type."
    )
