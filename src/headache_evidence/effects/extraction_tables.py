"""The evidence joined once for extraction: rows with their arm statistics, contrasts, flags and addresses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import pandas as pd

from headache_evidence.effects.arm_statistics import arm_statistics
from headache_evidence.effects.clustered import PATIENT
from headache_evidence.effects.correlation import PrePostCorrelation, assumed_correlation, pre_post_correlations
from headache_evidence.effects.labels import study_labels
from headache_evidence.effects.time_labels import with_shared_labels
from headache_evidence.tables.by_content import ByContent, evidence_by_content, settings_by_content
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.harmonise import harmonise_contrasts, harmonise_outcomes
from headache_evidence.tables.protocol import Extraction
from headache_evidence.tables.vocabulary import holds_steroid

Row = Mapping[str, Any]
Rows = list[Row]
ADVERSE_EVENT = "adverse_event_"
NOT_NEEDED = ["scale", "scale_reported", "sign", "other_statistic", "value", "value_kind", "note", "outcome_reported"]
BEFORE_TREATMENT = r"(?i)^(?:baseline|pre-test|pre-procedure|before(?! injection [2-9]))|pre-injection"
CHOSEN_BY_OUTCOME = r"(?i)responder|repeat block|became attack free|relieved|failed"


@dataclass(frozen=True)
class ExtractionTables:
    """What extraction reads, one lookup away.

    rows : outcome rows in analysis units with arm statistics, ``headache_type``, ``source_url``, ``is_baseline``,
        ``flags`` (doubts in words), ``doubtful`` (left out in the sensitivity analysis) and ``excluded`` (the reason).
    contrasts : between-arm statistics with the same added columns.
    studies : by study_id, with ``label`` and ``risk_of_bias``.
    arms : by study_id (first) and arm_id.
    arm_facts : the same arms as plain records, by (study_id, arm_id).
    study_arms : the same records by study_id, in the order of arm_id.
    study_facts : the studies as plain records.
    correlations : between baseline and final values, by headache type: from its trials, or assumed.
    correlation : the one of the headache type that the tables are about.
    """

    rows: pd.DataFrame
    contrasts: pd.DataFrame
    studies: pd.DataFrame
    arms: pd.DataFrame
    arm_facts: Mapping[tuple[str, str], Mapping[str, Any]]
    study_arms: Mapping[str, tuple[Mapping[str, Any], ...]]
    study_facts: Mapping[str, Mapping[str, Any]]
    correlations: Mapping[str, PrePostCorrelation]
    correlation: PrePostCorrelation

    def about(self, headache_type: str, outcome: str) -> ExtractionTables:
        """Only the rows and contrasts of one headache type and outcome, at any time."""
        return replace(
            self,
            rows=self.rows.loc[_is_about(self.rows, headache_type, outcome)],
            contrasts=self.contrasts.loc[_is_about(self.contrasts, headache_type, outcome)],
            correlation=self.correlations.get(headache_type, self.correlation),
        )

    def of_studies(self, studies: Collection[str]) -> ExtractionTables:
        """Only the rows and contrasts of some studies."""
        rows, contrasts = (table.loc[table["study_id"].isin(studies)] for table in (self.rows, self.contrasts))
        return self._with_records_of(replace(self, rows=rows, contrasts=contrasts), studies)

    def with_correlation(self, correlation: PrePostCorrelation) -> ExtractionTables:
        """The same rows and contrasts under another correlation."""
        return self._with_records_of(replace(self, correlation=correlation), self.study_facts)

    def _with_records_of(self, other: ExtractionTables, studies: Collection[str]) -> ExtractionTables:
        """``other``, which holds the same rows of ``studies``, with their plain records taken over."""
        for name in ("rows_of_study", "contrasts_of_study"):
            vars(other)[name] = {study: own for study, own in getattr(self, name).items() if study in studies}
        return other

    @cached_property
    def rows_of_study(self) -> Mapping[str, Rows]:
        """The outcome rows as plain records, by study in the order of their names."""
        return _records_by_study(self.rows)

    @cached_property
    def contrasts_of_study(self) -> Mapping[str, Rows]:
        """The contrasts as plain records, by study in the order of their names."""
        return _records_by_study(self.contrasts)

    @property
    def empty(self) -> bool:
        """True when nothing is reported."""
        return self.rows.empty and self.contrasts.empty


def _records_by_study(table: pd.DataFrame) -> dict[str, Rows]:
    by_study: dict[str, Rows] = {study_id: [] for study_id in sorted(set(table["study_id"]))}
    names = list(table.columns)
    for values in zip(*(table[name].tolist() for name in names), strict=True):
        record = dict(zip(names, values, strict=True))
        by_study[record["study_id"]].append(record)
    return by_study


def _is_about(table: pd.DataFrame, headache_type: str, outcome: str) -> pd.Series:
    """``adverse_event_any`` means the outcome adverse_event of the kind any."""
    of_type = table["headache_type"] == headache_type
    if outcome.startswith(ADVERSE_EVENT):
        kind = outcome.removeprefix(ADVERSE_EVENT)
        return of_type & (table["outcome"] == "adverse_event") & (table["adverse_event"] == kind)
    return of_type & (table["outcome"] == outcome)


def extraction_tables(evidence: Evidence, settings: Extraction) -> ExtractionTables:
    """Join the evidence for extraction under the given choices.

    Equal evidence and choices, compared by content, are joined once in a process; the tables are not to be changed.
    """
    return _joined(evidence_by_content(evidence), settings_by_content(settings))


@lru_cache(maxsize=2)
def _joined(asked: ByContent[Evidence], choices: ByContent[Extraction]) -> ExtractionTables:
    evidence, settings = asked.value, choices.value
    studies = evidence.studies.set_index("study_id", drop=False)
    studies = studies.assign(label=study_labels(evidence.studies), risk_of_bias=_overall_risk_of_bias(evidence))
    outcomes = harmonise_outcomes(evidence.outcomes)
    outcomes = outcomes.assign(is_baseline=_before_treatment(outcomes))
    contrasts = harmonise_contrasts(evidence.contrasts)
    contrasts = contrasts.assign(headache_type="", is_baseline=_before_treatment(contrasts))
    outcomes, contrasts = with_shared_labels(outcomes, contrasts)
    rows = arm_statistics(outcomes, evidence.arms, settings)
    rows = _with_context(rows, "outcomes", evidence, studies)
    contrasts = _with_context(contrasts, "contrasts", evidence, studies)
    arms = evidence.arms.set_index(["study_id", "arm_id"], drop=False).sort_index()
    arms = _quick_to_filter(arms.assign(steroid=holds_steroid(arms["injectate"])))
    facts = dict(zip(arms.index, arms.to_dict("records"), strict=True))
    of_study: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for (study_id, _), arm in facts.items():
        of_study[study_id] = (*of_study.get(study_id, ()), arm)
    studies = _quick_to_filter(studies)
    study_facts = dict(zip(studies.index, studies.to_dict("records"), strict=True))
    correlations = pre_post_correlations(rows, settings.pre_post_correlation)
    correlation = assumed_correlation(settings.pre_post_correlation)
    return ExtractionTables(rows, contrasts, studies, arms, facts, of_study, study_facts, correlations, correlation)


def _overall_risk_of_bias(evidence: Evidence) -> pd.Series:
    overall = evidence.risk_of_bias.loc[evidence.risk_of_bias["domain"] == "overall"]
    return overall.set_index("study_id")["judgement"].reindex(evidence.studies["study_id"]).fillna("no_information")


def _with_context(table: pd.DataFrame, name: str, evidence: Evidence, studies: pd.DataFrame) -> pd.DataFrame:
    own_type = table["headache_type"]
    study_type = table["study_id"].map(studies["headache_type"])
    urls = evidence.sources.set_index(["study_id", "source_id"])["url"]
    keys = pd.MultiIndex.from_frame(table[["study_id", "source_id"]])
    table = table.reset_index(drop=True)
    hits = _flag_hits(table, name, evidence.flags)
    excluded = _doubts(table, hits.loc[hits["action"] == "exclude"])
    if "population_subset" in table.columns:
        chosen = table["population_subset"].str.contains(CHOSEN_BY_OUTCOME, regex=True) & (excluded == "")
        excluded = excluded.mask(chosen, "a subgroup chosen by its outcome: " + table["population_subset"])
    unit = table["unit_of_analysis"]
    wrong_unit = table.get("reason_unit", ("the unit is not the patient but: " + unit).where(unit != PATIENT, ""))
    excluded = excluded.mask((excluded == "") & (wrong_unit != ""), wrong_unit)
    shrunk = (unit != PATIENT) & (wrong_unit == "")
    table = table.assign(
        headache_type=own_type.where(own_type != "", study_type).to_numpy(),
        source_url=urls.reindex(keys).fillna("").to_numpy(),
        source_row=name + ".csv:" + table["row"].astype(str),
        flags=_doubts(table, hits),
        doubtful=(_doubts(table, hits.loc[hits["action"] == "sensitivity"]) != "") | shrunk,
        excluded=excluded,
    )
    return _quick_to_filter(table.drop(columns=[column for column in NOT_NEEDED if column in table.columns]))


def _before_treatment(table: pd.DataFrame) -> pd.Series:
    """Rows read before the treatment: negative times, and time 0 or unknown with a label that says so."""
    weeks = table["weeks"]
    named = table["time_label"].str.contains(BEFORE_TREATMENT, regex=True)
    return (weeks < 0) | (((weeks == 0) | weeks.isna()) & named)


def _quick_to_filter(table: pd.DataFrame) -> pd.DataFrame:
    """Texts as plain objects in one block: a few hundred small selections then cost a tenth."""
    texts = [column for column, dtype in table.dtypes.items() if isinstance(dtype, pd.StringDtype)]
    numbers = [column for column, dtype in table.dtypes.items() if dtype in (pd.Int64Dtype(), pd.Float64Dtype())]
    return table.astype(dict.fromkeys(texts, object) | dict.fromkeys(numbers, float)).copy()


def _flag_hits(table: pd.DataFrame, name: str, flags: pd.DataFrame) -> pd.DataFrame:
    """Pairs of a row's position and a flag that applies to it: same study, and every key part the flag names."""
    rows = table.rename_axis("position").reset_index()
    hits = rows.merge(flags, on="study_id", suffixes=("", "_flag"))
    applies = hits["table"].isin([name, "studies", "arms"])
    for key in ("outcome", "source_id"):
        applies &= (hits[f"{key}_flag"] == "") | (hits[f"{key}_flag"] == hits[key])
    time_flagged = hits["time_value_flag"].notna()
    same_time = (hits["time_value_flag"] == hits["time_value"]) & (hits["time_unit_flag"] == hits["time_unit"])
    applies &= ~time_flagged | same_time.fillna(False)
    arm = hits["arm_id_flag"] if "arm_id_flag" in hits.columns else hits["arm_id"]
    arm_columns = [column for column in ("arm_id", "arm_1", "arm_2") if column in table.columns]
    same_arm = pd.concat([hits[column] == arm for column in arm_columns], axis=1).any(axis=1)
    return hits.loc[applies & ((arm == "") | same_arm), ["position", "doubt", "action"]]


def _doubts(table: pd.DataFrame, hits: pd.DataFrame) -> pd.Series:
    """The doubts about each row in words, empty where there is none."""
    words = hits.groupby("position")["doubt"].agg(lambda doubts: "; ".join(dict.fromkeys(doubts)))
    return words.reindex(table.index).fillna("").astype(object)
