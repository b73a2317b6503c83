"""The integrity screen: doubts about the numbers in the tables, each with its rule, its reason and a human verdict.

The rules ask whether printed numbers can be true and whether they agree with each other. A hit is a question to a
reviewer, never a finding of misconduct: typing errors, rounding and unseen denominators explain most. The verdict
stands in flags.csv; a hit without one is ``unresolved``.

The areas of checks follow the INSPECT-SR project (Wilkinson et al. 2024, BMJ Open 14:e084164).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from headache_evidence.errors import InputError
from headache_evidence.tables import (
    integrity_rules_arms,
    integrity_rules_intervals,
    integrity_rules_rows,
    integrity_rules_spread,
    integrity_rules_studies,
)
from headache_evidence.tables.by_content import ByContent, evidence_by_content
from headache_evidence.tables.integrity_hits import HIT_COLUMNS, SEVERITIES

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

UNRESOLVED = "unresolved"
SCREEN_COLUMNS = (*HIT_COLUMNS, "verdict", "verdict_reason")

Rule = Callable[["Evidence"], pd.DataFrame]

RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        integrity_rules_studies.retracted,
        integrity_rules_studies.same_numbers_in_two_studies,
        integrity_rules_studies.arms_against_p,
        integrity_rules_rows.mean_fits_no_total,
        integrity_rules_rows.sd_fits_no_answers,
        integrity_rules_rows.percent_fits_no_count,
        integrity_rules_rows.events_against_percent,
        integrity_rules_rows.sd_impossible,
        integrity_rules_rows.mean_outside_scale,
        integrity_rules_rows.smaller_scale,
        integrity_rules_rows.mean_outside_interval,
        integrity_rules_rows.spread_unlabelled,
        integrity_rules_rows.share_against_spread,
        integrity_rules_spread.standard_error_as_sd,
        integrity_rules_spread.spread_jumps,
        integrity_rules_arms.arm_sum_against_study,
        integrity_rules_arms.unequal_loss,
        integrity_rules_arms.n_above_arm,
        integrity_rules_arms.n_grows,
        integrity_rules_arms.change_against_difference,
        integrity_rules_arms.change_direction,
        integrity_rules_arms.counts_do_not_add_up,
        integrity_rules_arms.arms_too_alike,
        integrity_rules_arms.baseline_imbalance,
        integrity_rules_intervals.estimate_outside_interval,
        integrity_rules_intervals.ratio_not_positive,
        integrity_rules_intervals.interval_not_symmetric,
        integrity_rules_intervals.interval_against_p,
        integrity_rules_intervals.interval_repeated,
        integrity_rules_intervals.intervals_quoted_differ,
    )
}

ANSWERED_BY: dict[str, tuple[str, ...]] = {
    "same_numbers_in_two_studies": ("duplicate_patients", "near_duplicate"),
    "arms_against_p": ("p_not_reproduced", "contradicts_itself"),
    "mean_fits_no_total": ("contradicts_itself", "spread_not_named"),
    "sd_fits_no_answers": ("contradicts_itself",),
    "percent_fits_no_count": ("denominator_unclear", "counts_do_not_add_up", "unit_not_patient", "not_comparable"),
    "events_against_percent": ("denominator_unclear", "counts_do_not_add_up", "unit_not_patient"),
    "sd_impossible": ("impossible_value",),
    "mean_outside_scale": ("impossible_value", "scale_doubt"),
    "smaller_scale": ("scale_doubt",),
    "mean_outside_interval": ("contradicts_itself", "impossible_value"),
    "spread_unlabelled": ("spread_not_named", "standard_error"),
    "share_against_spread": ("contradicts_itself",),
    "standard_error_as_sd": ("standard_error", "spread_not_named", "impossible_value"),
    "spread_jumps": ("impossible_value",),
    "arm_sum_against_study": ("arms_overlap", "unit_not_patient", "counts_do_not_add_up"),
    "unequal_loss": ("attrition",),
    "n_above_arm": ("denominator_unclear", "both_subtypes", "arms_overlap", "unit_not_patient"),
    "n_grows": ("denominator_unclear", "attrition"),
    "change_against_difference": ("contradicts_itself", "printed_as_reduction"),
    "change_direction": ("printed_as_reduction", "printed_as_improvement", "baseline_imbalance"),
    "arms_too_alike": ("identical_arms",),
    "estimate_outside_interval": ("contradicts_itself",),
    "interval_not_symmetric": ("contradicts_itself",),
    "interval_against_p": ("p_not_reproduced", "contradicts_itself"),
    "interval_repeated": ("contradicts_itself", "median_difference"),
    "intervals_quoted_differ": ("contradicts_itself", "sources_differ"),
}
"""Rules of flags.csv whose verdict answers a rule of the screen; a flag with the rule's own name always does."""

STRICTEST = {"exclude": 0, "sensitivity": 1, "keep": 2}
PLACE = ("arm_id", "outcome", "time_value", "time_unit")


def screen(ev: Evidence, rules: list[str] | None = None) -> pd.DataFrame:
    """Every doubt the rules raise about the evidence, one row per hit.

    Parameters
    ----------
    ev : the evidence.
    rules : names from ``RULES`` to run; all when None.

    Returns
    -------
    DataFrame with study_id (the review for published pools), table, row (line in its CSV file), column, rule, severity
    (error, doubt, information), found, expected, why, verdict (keep, exclude, sensitivity from flags.csv; ``noted`` for
    a published pool with its doubt written down; else ``unresolved``) and verdict_reason. Sorted by severity, study,
    table, row and rule.

    Raises
    ------
    InputError
        if a rule is unknown; the message lists the known ones.
    """
    chosen = list(RULES) if rules is None else rules
    unknown = [name for name in chosen if name not in RULES]
    if unknown:
        raise InputError(f"Unknown rule(s) {', '.join(unknown)}; known are {', '.join(RULES)}.")
    return _screened(evidence_by_content(ev), tuple(chosen)).copy(deep=False)


@lru_cache(maxsize=2)
def _screened(evidence: ByContent[Evidence], chosen: tuple[str, ...]) -> pd.DataFrame:
    """Equal evidence, compared by content, is screened once in a process."""
    ev = evidence.value
    found = [RULES[name](ev) for name in chosen]
    hits = pd.concat([table for table in found if len(table)] or found[:1], ignore_index=True)
    verdicts = _verdicts(hits, ev)
    hits["verdict"] = [verdict for verdict, _ in verdicts]
    hits["verdict_reason"] = [reason for _, reason in verdicts]
    order = hits["severity"].map({name: place for place, name in enumerate(SEVERITIES)})
    hits = hits.assign(order=order).sort_values(["order", "study_id", "table", "row", "rule", "found"], kind="stable")
    return hits[list(SCREEN_COLUMNS)].reset_index(drop=True)


def rule_table(screened: pd.DataFrame | None = None) -> pd.DataFrame:
    """The rules in words: columns rule, question and, when hits are given, hits and unresolved."""
    rows = [
        (name, (inspect.getdoc(rule) or "").partition("\n\n")[0].replace("\n", " ")) for name, rule in RULES.items()
    ]
    table = pd.DataFrame(rows, columns=["rule", "question"])
    if screened is not None:
        open_hits = screened.loc[screened["verdict"] == UNRESOLVED, "rule"]
        table["hits"] = table["rule"].map(screened["rule"].value_counts()).fillna(0).astype(int)
        table["unresolved"] = table["rule"].map(open_hits.value_counts()).fillna(0).astype(int)
    return table


def _verdicts(hits: pd.DataFrame, ev: Evidence) -> list[tuple[str, str]]:
    places = {
        name: frame.reindex(columns=["row", *PLACE]).set_index("row")
        for name, frame in (("outcomes", ev.outcomes), ("contrasts", ev.contrasts), ("arms", ev.arms))
    }
    doubts = dict(zip(ev.published_pools["row"].tolist(), ev.published_pools["doubt"].tolist(), strict=True))
    flags: dict[str, list[dict[Hashable, Any]]] = {}
    for flag in ev.flags.to_dict("records"):
        flags.setdefault(flag["study_id"], []).append(flag)
    verdicts = []
    columns = [hits[name].tolist() for name in ("study_id", "table", "row", "rule")]
    for study_id, table, row, rule in zip(*columns, strict=True):
        if table == "published_pools":
            doubt = doubts.get(row, "")
            verdicts.append(("noted", doubt) if doubt else (UNRESOLVED, ""))
            continue
        place = places[table].loc[row].to_dict() if table in places else {}
        known = (rule, *ANSWERED_BY.get(rule, ()))
        answers = [
            (STRICTEST[flag["action"]], flag["action"], flag["reason"])
            for flag in flags.get(study_id, [])
            if flag["rule"] in known and _same_place(flag, place)
        ]
        verdicts.append(min(answers)[1:] if answers else (UNRESOLVED, ""))
    return verdicts


def _same_place(flag: Mapping[Hashable, Any], place: Mapping[Hashable, Any]) -> bool:
    """Whether a flag speaks of the place of a hit: what both name must be equal."""
    for name in PLACE:
        of_flag, of_hit = flag[name], place.get(name, "")
        if not _blank(of_flag) and not _blank(of_hit) and of_flag != of_hit:
            return False
    return True


def _blank(value: object) -> bool:
    return value is None or value is pd.NA or value != value or value == ""
