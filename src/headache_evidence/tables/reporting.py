"""What each study reports of the procedure and of its outcomes, as far as its sources could be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from headache_evidence.tables.evidence import Evidence

PROCEDURE = {"guidance": "guidance", "nerves": "nerves", "injectate": "injectate", "volume": "volume_ml"}
OUTCOMES: dict[str, tuple[str, ...]] = {
    "headache_or_migraine_days": ("headache_days", "migraine_days", "headache_free_days"),
    "attacks": ("attacks",),
    "pain_intensity": ("pain_intensity", "pain_intensity_worst", "pain_intensity_overall"),
    "responders_or_pain_free": (
        "responder_50", "responder_any", "responder_good", "responder_complete", "responder_partial", "responder_30",
        "non_responder", "pain_free", "headache_relief", "treatment_success",
    ),
    "disability": ("hit6", "midas"),
    "harms": ("adverse_event",),
}  # fmt: skip
SPREADS = ("sd", "se", "ci_low", "q1", "min")
UNKNOWN = ("", "not_reported", "not_visible", "not_stated", "unclear")


def reported_items(evidence: Evidence) -> pd.DataFrame:
    """One row per study (index ``study_id``, as in studies.csv), one column per item: yes, partly or no.

    Procedure (guidance, nerves, injectate, volume of the treated arms): yes when every treated arm has it, partly when
    some have, empty when no arm is treated. Outcomes: yes when some row has what an effect needs, that is a mean or
    median with a spread, a count with its total, or an estimate with an interval; partly when all rows lack that.
    """
    studies = evidence.studies["study_id"]
    table = pd.DataFrame(index=pd.Index(studies, name="study_id"))
    treated = evidence.arms.loc[evidence.arms["comparator_kind"] == ""]
    for item, column in PROCEDURE.items():
        known = treated[column].notna() & ~treated[column].astype(str).isin(UNKNOWN)
        share = known.groupby(treated["study_id"]).mean().reindex(studies)
        table[item] = share.map(lambda value: "" if pd.isna(value) else _degree(value == 1, value > 0)).to_numpy()
    arm_rows = evidence.outcomes[["study_id", "outcome"]].assign(complete=_complete_arm_rows(evidence.outcomes))
    contrast_rows = evidence.contrasts[["study_id", "outcome"]].assign(
        complete=evidence.contrasts["estimate"].notna() & evidence.contrasts["ci_low"].notna()
    )
    rows = pd.concat([arm_rows, contrast_rows])
    for item, outcomes in OUTCOMES.items():
        complete = rows.loc[rows["outcome"].isin(outcomes)].groupby("study_id")["complete"].any()
        table[item] = [_degree(bool(complete.get(study, False)), study in complete.index) for study in studies]
    return table


def _complete_arm_rows(outcomes: pd.DataFrame) -> pd.Series:
    middle = outcomes[["mean", "median"]].notna().any(axis=1)
    counted = outcomes["events"].notna() & outcomes[["total", "n"]].notna().any(axis=1)
    share = outcomes["percent"].notna() & outcomes[["total", "n"]].notna().any(axis=1)
    return middle & outcomes[list(SPREADS)].notna().any(axis=1) | counted | share


def _degree(whole: bool, some: bool) -> str:
    return "yes" if whole else "partly" if some else "no"
