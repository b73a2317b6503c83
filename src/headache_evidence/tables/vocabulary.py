"""What the closed words of the tables mean for analysis: units, conversions with their reasons, injectate classes.

Which words are allowed stands in data/datapackage.json; a test checks that every scale there has an entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

DAYS_PER_MONTH = 365.25 / 12
"""A month of follow-up or of a diary: the mean month of the Julian year, 30.4375 days."""

WEEKS_PER_TIME_UNIT: Mapping[str, float] = {
    "minutes": 1 / (60 * 24 * 7),
    "hours": 1 / (24 * 7),
    "days": 1 / 7,
    "weeks": 1.0,
    "months": DAYS_PER_MONTH / 7,
}


@dataclass(frozen=True)
class Conversion:
    """``value * factor`` is the value on the scale ``scale`` with the unit ``unit``; ``reason`` says why."""

    scale: str
    unit: str
    factor: float
    reason: str


_HEADACHE_DAYS = ("days_per_28_days", "days per 28 days")
_ATTACKS = ("attacks_per_28_days", "attacks per 28 days")
_PAIN = "points (0-10)"
_MONTH_REASON = "28 of the 30.4375 days of a mean month"

CONVERSIONS: Mapping[str, Conversion] = {
    "days_per_month": Conversion(*_HEADACHE_DAYS, 28 / DAYS_PER_MONTH, _MONTH_REASON),
    "days_per_week": Conversion(*_HEADACHE_DAYS, 4.0, "four weeks"),
    "days_per_28_days": Conversion(*_HEADACHE_DAYS, 1.0, ""),
    "attacks_per_day": Conversion(*_ATTACKS, 28.0, "28 days"),
    "attacks_per_week": Conversion(*_ATTACKS, 4.0, "four weeks"),
    "attacks_per_15_days": Conversion(*_ATTACKS, 28 / 15, "28 of 15 days"),
    "attacks_per_month": Conversion(*_ATTACKS, 28 / DAYS_PER_MONTH, _MONTH_REASON),
    "attacks_per_28_days": Conversion(*_ATTACKS, 1.0, ""),
    "vas_0_10": Conversion("vas_0_10", _PAIN, 1.0, ""),
    "nrs_0_10": Conversion("nrs_0_10", _PAIN, 1.0, ""),
    "vrs_0_10": Conversion("vrs_0_10", _PAIN, 1.0, ""),
    "pain_0_10": Conversion("pain_0_10", _PAIN, 1.0, ""),
    "pain_0_10_presumed": Conversion("pain_0_10_presumed", _PAIN, 1.0, "range not stated, presumed 0 to 10"),
    "vas_0_100": Conversion("vas_0_10", _PAIN, 0.1, "0 to 100 read as 0 to 10"),
    "hit6_36_78": Conversion("hit6_36_78", "HIT-6 points", 1.0, ""),
    "midas_score": Conversion("midas_score", "MIDAS points", 1.0, ""),
    "midas_grade": Conversion("midas_grade", "MIDAS grade", 1.0, ""),
    "total_pain_index": Conversion("total_pain_index", "Total Pain Index", 1.0, ""),
    "percent_of_baseline": Conversion("percent_of_baseline", "percent of baseline", 1.0, ""),
    "asc12": Conversion("asc12", "ASC-12 points", 1.0, ""),
    "msq": Conversion("msq", "MSQ points", 1.0, ""),
    "mg_per_day": Conversion("mg_per_day", "mg per day", 1.0, ""),
    "doses_per_month": Conversion("doses_per_28_days", "doses per 28 days", 28 / DAYS_PER_MONTH, _MONTH_REASON),
    "doses_per_28_days": Conversion("doses_per_28_days", "doses per 28 days", 1.0, ""),
}
"""Scales with one analysis unit; durations depend on the outcome, see ``conversion``."""

NOT_CONVERTIBLE: Mapping[str, str] = {
    "pain_range_unknown": "the range of the pain scale is not known",
    "unit_not_stated": "the unit is not stated",
    "": "no scale",
}

_HOURS: Mapping[str, float] = {
    "seconds": 1 / 3600,
    "minutes": 1 / 60,
    "hours": 1.0,
    "days": 24.0,
    "weeks": 168.0,
    "months": 24 * DAYS_PER_MONTH,
}

_DURATION_UNITS: Mapping[str, str] = {
    "headache_duration": "hours",
    "attack_duration": "hours",
    "time_to_relief": "hours",
    "response_duration": "weeks",
    "time_to_recurrence": "weeks",
    "hospital_stay": "days",
    "procedure_time": "minutes",
}

_OUTCOME_UNITS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "headache_days",
            "migraine_days",
            "moderate_or_severe_headache_days",
            "moderate_or_severe_migraine_days",
            "severe_migraine_days",
            "headache_free_days",
            "acute_medication_days",
        ),
        _HEADACHE_DAYS[1],
    ),
    "attacks": _ATTACKS[1],
    "severe_attacks": _ATTACKS[1],
    **dict.fromkeys(
        ("pain_intensity", "pain_intensity_worst", "pain_intensity_overall", "neck_pain_intensity", "procedure_pain"),
        _PAIN,
    ),
    "hit6": "HIT-6 points",
    "midas": "MIDAS points",
    "midas_grade": "MIDAS grade",
    "total_pain_index": "Total Pain Index",
    "pain_reduction_percent": "percent of baseline",
    "allodynia": "ASC-12 points",
    "quality_of_life": "MSQ points",
    "analgesic_use": "doses per 28 days",
    "prophylactic_drug_dose": "mg per day",
    **_DURATION_UNITS,
}

CORTICOSTEROIDS = frozenset(
    ("betamethasone", "corticosteroid", "cortivazol", "dexamethasone", "methylprednisolone", "triamcinolone")
)
LOCAL_ANAESTHETICS = frozenset(
    (
        "bupivacaine",
        "cocaine",
        "levobupivacaine",
        "lidocaine",
        "local_anaesthetic",
        "mepivacaine",
        "prilocaine",
        "ropivacaine",
    )
)


HIGHER_IS_BETTER = frozenset(
    (
        "completed",
        "diagnostic_block_positive",
        "discharge_ready",
        "global_impression",
        "headache_free_days",
        "headache_relief",
        "medication_overuse_resolved",
        "pain_free",
        "pain_reduction_percent",
        "responder_30",
        "responder_50",
        "responder_any",
        "responder_complete",
        "responder_good",
        "responder_partial",
        "response_duration",
        "sensory_block",
        "sustained_headache_relief",
        "sustained_response",
        "time_to_recurrence",
        "treatment_success",
    )
)


def better_direction(outcome: str) -> str:
    """Which direction of an outcome is good for the patient: higher or lower."""
    return "higher" if outcome in HIGHER_IS_BETTER else "lower"


def outcome_unit(outcome: str) -> str:
    """The one unit in which an outcome is analysed; empty for counts of patients and for outcomes without one."""
    return _OUTCOME_UNITS.get(outcome, "")


def conversion(outcome: str, scale: str) -> Conversion | None:
    """How a number on ``scale`` reaches the analysis unit of ``outcome``; None when it cannot."""
    if outcome in _DURATION_UNITS and scale in _HOURS:
        target = _DURATION_UNITS[outcome]
        factor = _HOURS[scale] / _HOURS[target]
        return Conversion(target, target, factor, "" if scale == target else f"{scale} read as {target}")
    found = CONVERSIONS.get(scale)
    return found if found is not None and found.unit == outcome_unit(outcome) else None


def why_not_convertible(outcome: str, scale: str) -> str:
    """The reason why ``conversion`` has nothing to offer, in words."""
    wanted = outcome_unit(outcome)
    if not wanted:
        return ""
    return NOT_CONVERTIBLE.get(scale, f"the scale {scale} cannot be read as {wanted}")


def weeks_after(time_value: pd.Series, time_unit: pd.Series) -> pd.Series:
    """Time in weeks, shape (rows,); NaN where value or unit is not known."""
    return time_value.astype("float64") * time_unit.map(WEEKS_PER_TIME_UNIT).astype("float64")


def holds_steroid(injectate: pd.Series) -> pd.Series:
    """Whether an injectate (words joined by ``;``) holds a corticosteroid."""
    return _holds(injectate, CORTICOSTEROIDS)


def holds_local_anaesthetic(injectate: pd.Series) -> pd.Series:
    """Whether an injectate (words joined by ``;``) holds a local anaesthetic."""
    return _holds(injectate, LOCAL_ANAESTHETICS)


def _holds(injectate: pd.Series, substances: frozenset[str]) -> pd.Series:
    return injectate.map(lambda words: not substances.isdisjoint(words.split(";"))).astype(bool)
