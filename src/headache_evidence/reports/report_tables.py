"""The tables of a report, each from evidence, effects or answers to a ReadableTable."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import pandas as pd

from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.pools.answers import Answer, few_studies_bayes, pooled_table, study_usage
from headache_evidence.reports.readable_tables import (
    ReadableTable,
    interval_text,
    links_cell,
    source_rows_cell,
)
from headache_evidence.tables.by_study import addresses, distinct_texts
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.integrity import screen
from headache_evidence.tables.protocol import Protocol

TABLE_NAMES = ("outcomes", "contrasts")
PLAIN_RULES = ("mean_sd", "change_mean_sd", "events")  # what a paper prints tidily


def show_studies(evidence: Evidence, headache_type: str) -> ReadableTable:
    """Every study of the headache type with design, arms, size and address."""
    studies = evidence.studies.loc[evidence.studies["headache_type"] == headache_type].sort_values(["year", "study_id"])
    arms, sources = (
        table.loc[table["study_id"].isin(studies["study_id"])] for table in (evidence.arms, evidence.sources)
    )
    guidance = distinct_texts(arms, "guidance", without=("not_reported",))
    table = pd.DataFrame(
        {
            "study": studies["study_id"],
            "year": studies["year"],
            "title": studies["title"],
            "design": studies["design"],
            "techniques": studies["study_id"].map(distinct_texts(arms, "technique")).fillna(""),
            "guidance": studies["study_id"].map(guidance).fillna(""),
            "randomised": studies["n_randomised"],
            "analysed": studies["n_analysed"],
            "retracted": studies["retracted"],
            "source": studies["study_id"].map(addresses(sources)).fillna(""),
        }
    )
    return ReadableTable(table, f"The {len(table)} studies", {"source": links_cell})


def show_risk_of_bias(evidence: Evidence, headache_type: str) -> ReadableTable:
    """The overall judgement of every study of the headache type with its tool and reason."""
    of_type = evidence.studies.loc[evidence.studies["headache_type"] == headache_type, "study_id"]
    overall = evidence.risk_of_bias.loc[evidence.risk_of_bias["domain"] == "overall"]
    table = overall.loc[overall["study_id"].isin(of_type), ["study_id", "tool", "judgement", "reason"]]
    table = table.assign(judgement=table["judgement"].str.replace("_", " ")).sort_values(["tool", "study_id"])
    table = table.rename(columns={"study_id": "study", "judgement": "overall", "reason": "why"})
    return ReadableTable(table, "Overall risk of bias", empty="No study is judged.")


def show_doubts(evidence: Evidence, headache_type: str) -> ReadableTable:
    """Doubts about the rows of the headache type's studies, and what is done about each."""
    of_type = evidence.studies.loc[evidence.studies["headache_type"] == headache_type, "study_id"]
    flags = evidence.flags.loc[evidence.flags["study_id"].isin(of_type)]
    table = flags[["study_id", "table", "doubt", "action", "reason"]].rename(
        columns={"study_id": "study", "action": "what we do"}
    )
    return ReadableTable(table, "Doubts about the numbers", empty="No doubt is recorded.")


def show_effects(answers: Iterable[Answer]) -> ReadableTable:
    """Every usable effect with how it came about, its source rows and address."""
    rows = [_effect_rows(answer) for answer in answers if len(answer.usable)]
    table = pd.concat(rows) if rows else pd.DataFrame()
    return ReadableTable(
        table,
        f"The {len(table)} effects",
        {"rows": source_rows_cell, "source": links_cell},
        empty="No study of this headache type gives an effect that can be used.",
    )


def _effect_rows(answer: Answer) -> pd.DataFrame:
    effects = answer.usable
    show = measure_scale(answer.question.measure).back_transform
    yi, half = effects["yi"].to_numpy(float), 1.959963984540054 * effects["vi"].to_numpy(float) ** 0.5
    first, second = (effects[column].to_numpy(float, na_value=0.0) for column in ("n1", "n2"))
    arms = zip(effects["arm_1_label"], effects["arm_2_label"], strict=True)
    return pd.DataFrame(
        {
            "study": effects["label"],
            "question": answer.question.title,
            "technique": effects["technique"],
            "arms": [f"{arm} against {other}" if other else arm for arm, other in arms],
            "n": first + second,
            "effect": show(yi),
            "95% CI": [interval_text(a, b) for a, b in zip(show(yi - half), show(yi + half), strict=True)],
            "how it came about": effects["derivation"],
            "doubts": effects["flags"],
            "rows": effects["source_rows"],
            "source": effects["source_url"],
        }
    )


def show_left_out(answers: Iterable[Answer]) -> ReadableTable:
    """Every study and question that could not be used, with the reason."""
    names = {"label": "study", "source_rows": "rows", "source_url": "source"}
    tables = [answer.left_out.assign(question=answer.question.title) for answer in answers]
    table = pd.concat(tables).rename(columns=names) if tables else pd.DataFrame()
    return ReadableTable(
        table.reindex(columns=["study", "question", "reason", "rows", "source"]),
        "Left out, with the reason",
        {"rows": source_rows_cell, "source": links_cell},
        empty="Nothing.",
    )


def show_usage(evidence: Evidence, answers: Iterable[Answer], headache_type: str) -> ReadableTable:
    """Study by study: in how many results it is used, or why in none."""
    table = study_usage(evidence, answers, headache_type).rename(
        columns={"study_id": "study", "results_used_in": "results", "why_in_none": "why in none"}
    )
    return ReadableTable(table, "Study by study")


def show_derivations(answers: Iterable[Answer]) -> ReadableTable:
    """How many effects each derivation rule gave, by stream, and how many plain means, SDs and counts alone give."""
    effects = [answer.usable for answer in answers]
    table = pd.concat(effects) if effects else pd.DataFrame(columns=["stream", "derivation_rule"])
    counted = table.groupby(["stream", "derivation_rule"]).size().rename("effects").reset_index()
    gained = ~counted["derivation_rule"].isin(PLAIN_RULES)
    controlled = counted["stream"] == "controlled"

    def words(rows: pd.Series) -> str:
        more = int(counted.loc[rows & gained, "effects"].sum())
        return f"{int(counted.loc[rows, 'effects'].sum())}, {more} more than plain means, SDs and counts alone give"

    return ReadableTable(
        counted.rename(columns={"derivation_rule": "rule"}),
        f"Effects gained by each rule: in all {words(controlled | ~controlled)}; controlled {words(controlled)}",
        empty="No effect.",
    )


def show_pooled(answers: Iterable[Answer]) -> ReadableTable:
    """The pooled results on the display scale, k and n beside each."""
    table = pooled_table(answers)
    if table.empty:
        return ReadableTable(table, "Pooled results", empty="No usable evidence.")
    table = table.loc[table["k"] > 0]
    shown = pd.DataFrame(
        {
            "question": table["question"],
            "group": table["group"],
            "k": table["k"],
            "n": table["n"],
            "measure": table["measure"],
            "estimate": table["estimate"],
            "95% CI": [interval_text(a, b) for a, b in zip(table["ci_low"], table["ci_high"], strict=True)],
            "95% prediction": [interval_text(a, b) for a, b in zip(table["pi_low"], table["pi_high"], strict=True)],
            "tau2": table["tau2"],
            "I2 %": table["i2"],
            "left out": table["left_out"],
            "notes": table["notes"],
        }
    )
    return ReadableTable(shown, "Pooled results", empty="No study gives an effect that can be pooled.")


def show_bayes(answers: Iterable[Answer], protocol: Protocol) -> ReadableTable:
    """Pools of few studies beside their Bayesian counterpart, on the display scale."""
    rows = [
        {
            "question": item.question.title,
            "k": item.pooled.k,
            "n": item.pooled.n,
            **_beside(item, "frequentist", item.pooled.estimate, item.pooled.ci),
            **_beside(item, "Bayesian", result.estimate, result.ci),
            "95% prediction": interval_text(
                *measure_scale(item.question.measure).back_transform(result.prediction_interval)
            ),
            "prior of tau": str(result.tau_prior),
        }
        for item in answers
        if (result := few_studies_bayes(item, protocol)) is not None
    ]
    return ReadableTable(pd.DataFrame(rows), "Few studies", empty="No pool holds two studies or more, and few.")


def _beside(item: Answer, name: str, estimate: float, interval: tuple[float, float]) -> dict[str, object]:
    show = measure_scale(item.question.measure).back_transform
    return {name: float(show(estimate)), f"{name} 95% interval": interval_text(*show(interval))}


def show_screen(evidence: Evidence, headache_type: str) -> ReadableTable:
    """Hits of the integrity screen on the studies of the headache type, unresolved ones first."""
    of_type = evidence.studies.loc[evidence.studies["headache_type"] == headache_type, "study_id"]
    hits = screen(evidence)
    hits = hits.loc[hits["study_id"].isin(of_type)]
    table = hits[["study_id", "table", "row", "column", "rule", "why", "verdict"]].rename(columns={"study_id": "study"})
    return ReadableTable(
        table, f"{len(table)} hits of the integrity screen", empty="No number contradicts another or its own scale."
    )


def show_source_rows(evidence: Evidence, answers: Iterable[Answer]) -> ReadableTable:
    """The rows of data/ behind every effect, as reported, with locator and address; effects link here."""
    wanted = {
        row.strip() for answer in answers for cell in answer.effects["source_rows"] for row in cell.split(";") if row
    }
    parts = [_reported_rows(evidence, name, wanted) for name in TABLE_NAMES]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return ReadableTable(
        table, "Source rows, as reported", {"source": links_cell}, anchor_column="row", empty="No row is used."
    )


def _reported_rows(evidence: Evidence, name: str, wanted: set[str]) -> pd.DataFrame:
    rows: pd.DataFrame = getattr(evidence, name)
    keys = name + ".csv:" + rows["row"].astype(str)
    rows = rows.assign(key=keys).loc[keys.isin(wanted)]
    sources = evidence.sources.set_index(["study_id", "source_id"])
    where = pd.MultiIndex.from_frame(rows[["study_id", "source_id"]])
    identity = {"row", "key", "study_id", "source_id", "time_value", "time_unit", "time_label", "outcome_reported"}
    arms = [column for column in ("arm_id", "arm_1", "arm_2") if column in rows.columns]
    reported = [c for c in rows.columns if c not in identity and c not in arms]
    return pd.DataFrame(
        {
            "row": rows["key"].to_numpy(),
            "study": rows["study_id"].to_numpy(),
            "arms": rows[arms].agg(" vs ".join, axis=1).to_numpy() if len(rows) else [],
            "outcome as reported": rows["outcome_reported"].to_numpy(),
            "time": [
                " ".join(str(part) for part in parts if pd.notna(part) and str(part) != "")
                for parts in rows[["time_value", "time_unit", "time_label"]].itertuples(index=False, name=None)
            ],
            "reported": [_reported_values(row) for row in rows[reported].to_dict("records")],
            "seen in": sources["kind"].reindex(where).fillna("").to_numpy(),
            "place": sources["locator"].reindex(where).fillna("").to_numpy(),
            "source": sources["url"].reindex(where).fillna("").to_numpy(),
        }
    )


def _reported_values(row: dict[Hashable, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if pd.notna(value) and str(value) != "")
