"""From domain judgements to one overall judgement per study.

Three tools, by design: RoB 2 for randomised trials, ROBINS-I for controlled non-randomised studies, and five items in
the manner of the JBI checklists for studies without a comparison group. The judgements rest on abstracts and
registries. Where a source is silent the domain says ``no_information``; it is never raised to ``low``.

Working rules for the RoB 2 domains, since an abstract seldom answers every signalling question:

- randomisation: nothing on the method is ``no_information``; a described sequence without concealment is
  ``some_concerns``; so is an imbalance that chance can explain.
- missing data: at least 95 % analysed is ``low``, at least 80 % ``some_concerns``, less is ``high``, and so is a
  difference of more than 20 points between arms.
- measurement: patients rate their own pain, so an open arm without a sham is ``high`` and a double-blind trial ``low``.
- reporting: a registration that was not compared with the report is ``some_concerns``; none seen is ``no_information``.

Crossover trials are judged on the same five domains; carry-over is not judged.

Sources: Sterne et al. 2019, BMJ 366:l4898 (RoB 2); Sterne et al. 2016, BMJ 355:i4919 (ROBINS-I); Munn et al. 2020,
JBI Evidence Synthesis 18:2127-2133 (case series); Tufanaru et al. 2020, JBI Manual, chapter 3 (co-interventions,
follow-up).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from headache_evidence.errors import InputError

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

OVERALL = "overall"
ROB2 = "RoB 2"
ROBINS_I = "ROBINS-I"
JBI = "JBI case series (adapted)"

DOMAINS: dict[str, tuple[str, ...]] = {
    ROB2: ("randomisation", "deviations", "missing_data", "measurement", "reporting"),
    ROBINS_I: (
        "confounding",
        "selection",
        "classification",
        "deviations",
        "missing_data",
        "measurement",
        "reporting",
    ),
    JBI: ("inclusion", "co_interventions", "follow_up", "outcome_measurement", "outcome_reporting"),
}
ANSWERS: dict[str, tuple[str, ...]] = {
    ROB2: ("low", "some_concerns", "high", "no_information"),
    ROBINS_I: ("low", "moderate", "serious", "critical", "no_information"),
    JBI: ("yes", "unclear", "no"),
}

SEVERAL_SOME_CONCERNS = 3
"""RoB 2 leaves to the reviewer how many domains with some concerns make a trial high: here three of the five."""


def rob2_overall(judgements: Mapping[str, str]) -> tuple[str, str]:
    """Overall RoB 2 judgement and its reason, from ``{domain: judgement}``.

    High if any domain is high or if at least ``SEVERAL_SOME_CONCERNS`` raise some concerns; some concerns if one or
    two do; low only if all five are low. A domain without information cannot lower the judgement: with no concern
    elsewhere the overall is ``no_information``.
    """
    _check(ROB2, judgements)
    high, concerns, unknown = (_having(judgements, word) for word in ("high", "some_concerns", "no_information"))
    tail = f"; no information on {_names(unknown)}" if unknown else ""
    if high:
        return "high", f"high in {_names(high)}{tail}"
    if len(concerns) >= SEVERAL_SOME_CONCERNS:
        return "high", f"some concerns in {len(concerns)} domains ({_names(concerns)}){tail}"
    if concerns:
        return "some_concerns", f"some concerns in {_names(concerns)}{tail}"
    if len(unknown) == len(judgements):
        return "no_information", "no information in any domain"
    if unknown:
        return "no_information", f"no information on {_names(unknown)}; no concern in the other domains"
    return "low", "low in all domains"


def robins_i_overall(judgements: Mapping[str, str]) -> tuple[str, str]:
    """Overall ROBINS-I judgement and its reason: the worst domain.

    A domain without information leaves a serious or critical judgement standing; otherwise the overall is
    ``no_information``, as the tool has it.
    """
    _check(ROBINS_I, judgements)
    unknown = _having(judgements, "no_information")
    tail = f"; no information on {_names(unknown)}" if unknown else ""
    for word in ("critical", "serious"):
        found = _having(judgements, word)
        if found:
            return word, f"{word} in {_names(found)}{tail}"
    if len(unknown) == len(judgements):
        return "no_information", "no information in any domain"
    if unknown:
        return "no_information", f"no information on {_names(unknown)}; nothing serious in the other domains"
    moderate = _having(judgements, "moderate")
    if moderate:
        return "moderate", f"moderate in {_names(moderate)}"
    return "low", "low in all domains"


def jbi_overall(judgements: Mapping[str, str]) -> tuple[str, str]:
    """Overall judgement of a study without a comparison group and its reason.

    High if any item is answered no; ``some_concerns`` at best, if all are answered yes, because nothing separates the
    effect from the natural course; else ``no_information``. The JBI checklists themselves give no overall rule.
    """
    _check(JBI, judgements)
    failed, unclear = _having(judgements, "no"), _having(judgements, "unclear")
    tail = f"; unclear: {_names(unclear)}" if unclear else ""
    if failed:
        return "high", f"not met: {_names(failed)}{tail}; no comparison group"
    if unclear:
        return "no_information", f"unclear: {_names(unclear)}; no comparison group"
    return "some_concerns", "all items met; no comparison group"


def tool_for_design(design: str) -> str:
    """The tool for a design of studies.csv; a cohort that compares treatments needs ROBINS-I, named by hand."""
    if design.startswith("rct"):
        return ROB2
    return ROBINS_I if design == "nonrandomised_controlled" else JBI


OVERALL_RULES: dict[str, Callable[[Mapping[str, str]], tuple[str, str]]] = {
    ROB2: rob2_overall,
    ROBINS_I: robins_i_overall,
    JBI: jbi_overall,
}


def overall_judgements(domains: pd.DataFrame) -> pd.DataFrame:
    """Overall judgements from a table of domain judgements.

    Parameters
    ----------
    domains : columns study_id, tool, domain, judgement; rows of the domain ``overall`` are ignored.

    Returns
    -------
    DataFrame with study_id, tool, overall, reason: one row per study, sorted by study_id.

    Raises
    ------
    InputError
        if a study is judged with two tools, lacks a domain, or has an unknown tool, domain or judgement.
    """
    rows = []
    for study_id, group in domains.loc[domains["domain"] != OVERALL].groupby("study_id", sort=True):
        tools = sorted(set(group["tool"]))
        if len(tools) != 1 or tools[0] not in OVERALL_RULES:
            raise InputError(f"{study_id}: one of the tools {', '.join(OVERALL_RULES)} is expected, got {tools}.")
        if group["domain"].duplicated().any():
            raise InputError(f"{study_id}: a domain is judged twice.")
        judgements = dict(zip(group["domain"], group["judgement"], strict=True))
        try:
            overall, reason = OVERALL_RULES[tools[0]](judgements)
        except InputError as error:
            raise InputError(f"{study_id}: {error}") from error
        rows.append((study_id, tools[0], overall, reason))
    return pd.DataFrame(rows, columns=["study_id", "tool", "overall", "reason"])


def overall_risk_of_bias(ev: Evidence) -> pd.DataFrame:
    """Overall risk of bias per study: study_id, tool, overall, reason, sorted by study_id."""
    return overall_judgements(ev.risk_of_bias)


def _having(judgements: Mapping[str, str], word: str) -> list[str]:
    return [domain for domain, judgement in judgements.items() if judgement == word]


def _names(domains: list[str]) -> str:
    return ", ".join(domain.replace("_", " ") for domain in domains)


def _check(tool: str, judgements: Mapping[str, str]) -> None:
    expected = set(DOMAINS[tool])
    if set(judgements) != expected:
        odd = sorted(expected.symmetric_difference(judgements))
        raise InputError(f"{tool} needs exactly the domains {', '.join(DOMAINS[tool])}; missing or unknown: {odd}.")
    unknown = sorted(set(judgements.values()) - set(ANSWERS[tool]))
    if unknown:
        raise InputError(f"{tool} knows the judgements {', '.join(ANSWERS[tool])}; got {unknown}.")
