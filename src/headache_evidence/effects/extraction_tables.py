"""The evidence joined once for extraction: rows with their arm statistics, contrasts, flags and addresses."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from headache_evidence.effects.arm_statistics import arm_statistics
from headache_evidence.effects.labels import study_labels
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.harmonise import harmonise_contrasts, harmonise_outcomes
from headache_evidence.tables.protocol import Extraction

ROW_KEY = ("arm_id", "outcome", "time_value", "time_unit")


@dataclass(frozen=True)
class ExtractionTables:
    """What extraction reads, one lookup away.

    rows : outcome rows in analysis units with arm statistics, ``headache_type``, ``source_url``, ``flags`` (words)
        and ``excluded`` (the reason when a flag excludes the row or its study).
    contrasts : between-arm statistics with the same three columns.
    studies : by study_id, with ``label`` and ``risk_of_bias``.
    arms : by study_id (first) and arm_id.
    """

    rows: pd.DataFrame
    contrasts: pd.DataFrame
    studies: pd.DataFrame
    arms: pd.DataFrame


def extraction_tables(evidence: Evidence, settings: Extraction) -> ExtractionTables:
    """Join the evidence for extraction under the given choices."""
    studies = evidence.studies.set_index("study_id", drop=False)
    studies = studies.assign(label=study_labels(evidence.studies), risk_of_bias=_overall_risk_of_bias(evidence))
    rows = arm_statistics(harmonise_outcomes(evidence.outcomes), evidence.arms, settings)
    rows = _with_context(rows, "outcomes", evidence, studies)
    contrasts = harmonise_contrasts(evidence.contrasts).assign(headache_type="")
    contrasts = _with_context(contrasts, "contrasts", evidence, studies)
    arms = evidence.arms.set_index(["study_id", "arm_id"], drop=False).sort_index()
    return ExtractionTables(rows=rows, contrasts=contrasts, studies=studies, arms=arms)


def _overall_risk_of_bias(evidence: Evidence) -> pd.Series:
    overall = evidence.risk_of_bias.loc[evidence.risk_of_bias["domain"] == "overall"]
    return overall.set_index("study_id")["judgement"].reindex(evidence.studies["study_id"]).fillna("no_information")


def _with_context(table: pd.DataFrame, name: str, evidence: Evidence, studies: pd.DataFrame) -> pd.DataFrame:
    own_type = table["headache_type"]
    study_type = table["study_id"].map(studies["headache_type"])
    urls = evidence.sources.set_index(["study_id", "source_id"])["url"]
    keys = pd.MultiIndex.from_frame(table[["study_id", "source_id"]])
    flags, excluded = _flag_words(table, name, evidence)
    return table.assign(
        headache_type=own_type.where(own_type != "", study_type),
        source_url=urls.reindex(keys).fillna("").to_numpy(),
        source_row=name + ".csv:" + table["row"].astype(str),
        flags=flags,
        excluded=excluded,
    )


def _flag_words(table: pd.DataFrame, name: str, evidence: Evidence) -> tuple[pd.Series, pd.Series]:
    """Doubts about each row in words, and the doubt that excludes it (empty when none does)."""
    positions = table.reset_index(drop=True).rename_axis("position").reset_index()
    hits = positions.merge(evidence.flags, on="study_id", suffixes=("", "_flag"))
    applies = hits["table"].isin([name, "studies"])
    for key in ROW_KEY:
        flag_key = hits[f"{key}_flag"] if f"{key}_flag" in hits.columns else hits[key]
        if key in positions.columns:
            applies &= (flag_key.isna()) | (flag_key.astype("string") == "") | (flag_key == hits[key]).fillna(False)
    hits = hits.loc[applies]
    every = hits.groupby("position")["doubt"].agg(lambda doubts: "; ".join(dict.fromkeys(doubts)))
    excluding = hits.loc[hits["action"] == "exclude"].groupby("position")["doubt"].first()
    index = pd.RangeIndex(len(table))
    return (
        every.reindex(index).fillna("").set_axis(table.index),
        excluding.reindex(index).fillna("").set_axis(table.index),
    )
