"""The card of one study: who and what, arms, numbers as reported, how the effect came about, doubts, addresses."""

from __future__ import annotations

import html
import re

import numpy as np
import pandas as pd

from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.explore.exploration import Exploration
from headache_evidence.pools.answers import Answer
from headache_evidence.reports.readable_tables import ReadableTable, interval_text, links_cell
from headache_evidence.reports.report_tables import show_source_rows
from headache_evidence.tables.evidence import Evidence

ARM_COLUMNS = {
    "arm_id": "arm",
    "label": "what",
    "technique": "technique",
    "guidance": "guidance",
    "nerves": "nerves",
    "injectate": "injectate",
    "dose": "dose",
    "volume_ml": "ml per site",
    "n_randomised": "randomised",
}
FACTS = {
    "design": "Design",
    "blinding": "Blinding",
    "country": "Country",
    "n_randomised": "Randomised",
    "n_analysed": "Analysed",
    "population": "Patients",
    "registration": "Registration",
    "funding": "Funding",
    "harms_summary": "Harms",
    "gaps": "Not visible in the sources",
}


def study_card(exploration: Exploration, evidence: Evidence, study_id: str) -> str:
    """The card of a study as HTML; every text is escaped. Empty when the evidence has no such study."""
    found = evidence.studies.loc[evidence.studies["study_id"] == study_id]
    if found.empty:
        return ""
    effects = exploration.effects.loc[exploration.effects["study_id"] == study_id]
    parts = [
        _heading(found.iloc[0]),
        *(_effect(exploration, record) for _, record in effects.iterrows()),
        _facts(found.iloc[0]),
        _arms(evidence, study_id)._repr_html_(),
        show_source_rows(
            evidence, [Answer(exploration.answer.question, effects, exploration.pooled, {})]
        )._repr_html_(),
        _doubts(evidence, study_id)._repr_html_(),
        _risk_of_bias(evidence, study_id)._repr_html_(),
        _sources(evidence, study_id)._repr_html_(),
    ]
    return f'<article class="study-card" aria-label="{html.escape(study_id, quote=True)}">{"".join(parts)}</article>'


def _heading(study: pd.Series) -> str:
    retracted = " <strong>(retracted)</strong>" if bool(study["retracted"]) else ""
    year = "" if pd.isna(study["year"]) else f" {study['year']}"
    who = html.escape(f"{study['authors']}{year}" if study["authors"] else str(study["study_id"]))
    journal = f" <em>{html.escape(str(study['journal']))}</em>" if study["journal"] else ""
    return f'<h2 class="group">{who}{retracted}</h2><p>{html.escape(str(study["title"]))}.{journal}</p>'


def _effect(exploration: Exploration, record: pd.Series) -> str:
    arms = html.escape(record["arm_1_label"] + (f" against {record['arm_2_label']}" if record["arm_2_label"] else ""))
    if not record["usable"]:
        return f"<p><strong>Left out:</strong> {html.escape(str(record['reason']))}. <br>{arms}</p>"
    show = measure_scale(exploration.answer.question.measure)
    half = 1.959963984540054 * float(np.sqrt(record["vi"]))
    estimate = float(show.back_transform(record["yi"]))
    low, high = show.back_transform([record["yi"] - half, record["yi"] + half])
    numbers = f"{show.title} {estimate:.2f} (95% CI {interval_text(float(low), float(high))})".replace("-", "\u2212")
    doubts = f"<br><strong>Doubts:</strong> {html.escape(record['flags'])}" if record["flags"] else ""
    return (
        f"<p><strong>{html.escape(numbers)}</strong>, {html.escape(str(record['time_label']))}<br>{arms}<br>"
        f"<strong>How it came about:</strong> {html.escape(record['derivation'])}{doubts}</p>"
    )


def _facts(study: pd.Series) -> str:
    shown = {
        title: str(study[name]).replace("_", " ") if name in ("design", "blinding") else str(study[name])
        for name, title in FACTS.items()
        if pd.notna(study[name]) and str(study[name])
    }
    items = "".join(f"<dt>{title}</dt><dd>{html.escape(_spaced(text))}</dd>" for title, text in shown.items())
    return f"<dl>{items}</dl>"


def _spaced(text: str) -> str:
    """Parts of a list that the tables join by ';', with a space after it."""
    return re.sub(r";(?=\S)", "; ", text)


def _arms(evidence: Evidence, study_id: str) -> ReadableTable:
    arms = evidence.arms.loc[evidence.arms["study_id"] == study_id, list(ARM_COLUMNS)]
    return ReadableTable(arms.rename(columns=ARM_COLUMNS), "Arms")


def _doubts(evidence: Evidence, study_id: str) -> ReadableTable:
    flags = evidence.flags.loc[evidence.flags["study_id"] == study_id, ["table", "doubt", "action", "reason"]]
    return ReadableTable(flags.rename(columns={"action": "what we do"}), "Doubts", empty="None is recorded.")


def _risk_of_bias(evidence: Evidence, study_id: str) -> ReadableTable:
    table = evidence.risk_of_bias
    rows = table.loc[table["study_id"] == study_id, ["domain", "judgement", "reason"]]
    return ReadableTable(rows, "Risk of bias", empty="Not judged.")


def _sources(evidence: Evidence, study_id: str) -> ReadableTable:
    rows = evidence.sources.loc[evidence.sources["study_id"] == study_id, ["source_id", "kind", "locator", "url"]]
    return ReadableTable(
        rows.rename(columns={"source_id": "source", "url": "address"}), "Sources", {"address": links_cell}
    )
