"""Arm-level statistics: n, mean and SD, or events and total, out of whatever a row of outcomes.csv reports.

The rules are tried in the order of ``SPREAD_RULES``; the first that applies gives the numbers, and its words go into
the derivation. A row that no rule serves keeps the reason why. Where quartiles and range are both printed, all five
numbers decide on the skewness: a row that fails is not tried again with fewer of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.clustered import with_effective_counts
from headache_evidence.effects.derive_events import events_from_percent
from headache_evidence.effects.derive_from_quantiles import (
    mean_from_five_numbers,
    mean_from_quartiles,
    mean_from_range,
    sd_from_five_numbers,
    sd_from_quartiles,
    sd_from_range,
    skew_check_five_numbers,
    skew_check_quartiles,
    skew_check_range,
)
from headache_evidence.effects.derive_spread import sd_from_ci, sd_from_se
from headache_evidence.tables.protocol import Extraction

COUNT_KINDS = ("percent", "event_count")  # a percent_change is the size of a change, not a share of patients
FIVE_NUMBERS = ("min", "q1", "median", "q3", "max")
FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SpreadRule:
    """One way from reported numbers to a mean and an SD."""

    name: str
    derivation: str
    applies: Callable[[pd.DataFrame, Extraction], Mask]
    derive: Callable[[pd.DataFrame], tuple[FloatArray, FloatArray]]


def _has(table: pd.DataFrame, *columns: str) -> Mask:
    return np.asarray(table[list(columns)].notna().to_numpy().all(axis=1), dtype=bool)


def _values(table: pd.DataFrame, *columns: str) -> list[FloatArray]:
    return [table[column].to_numpy(dtype=float, na_value=np.nan) for column in columns]


def _from_se(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    mean, se, n = _values(table, "mean", "se", "n_used")
    return mean, sd_from_se(se, n)


def _from_ci(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    mean, low, high, n = _values(table, "mean", "ci_low", "ci_high", "n_used")
    return mean, sd_from_ci(low, high, n)


def _from_quartiles(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    q1, median, q3, n = _values(table, "q1", "median", "q3", "n_used")
    return mean_from_quartiles(q1, median, q3, n), sd_from_quartiles(q1, q3, n)


def _from_five_numbers(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    low, q1, median, q3, high, n = _values(table, *FIVE_NUMBERS, "n_used")
    return mean_from_five_numbers(low, q1, median, q3, high, n), sd_from_five_numbers(low, q1, q3, high, n)


def _from_range(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    mean, low, high, n = _values(table, "mean", "min", "max", "n_used")
    return mean, sd_from_range(low, high, n)


def _from_median_and_range(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    low, median, high, n = _values(table, "min", "median", "max", "n_used")
    return mean_from_range(low, median, high, n), sd_from_range(low, high, n)


def _median_and_range_allowed(table: pd.DataFrame, settings: Extraction) -> Mask:
    allowed = settings.range_based_sd & _has(table, "median", "min", "max", "n_used") & ~_has(table, *FIVE_NUMBERS)
    if settings.medians == "if_not_skewed":
        low, median, high, n = _values(table, "min", "median", "max", "n_used")
        allowed = allowed & ~skew_check_range(low, median, high, n)
    return np.asarray(allowed & (settings.medians != "never"), dtype=bool)


def _is_final(table: pd.DataFrame) -> Mask:
    return (table["kind"] == "endpoint").to_numpy(dtype=bool)


def _quartiles_allowed(table: pd.DataFrame, settings: Extraction) -> Mask:
    allowed = _has(table, "median", "q1", "q3", "n_used") & ~_has(table, *FIVE_NUMBERS)
    if settings.medians == "never":
        return np.zeros(len(table), dtype=bool)
    if settings.medians == "if_not_skewed":
        q1, median, q3, n = _values(table, "q1", "median", "q3", "n_used")
        allowed = allowed & ~skew_check_quartiles(q1, median, q3, n)
    return allowed


def _five_numbers_allowed(table: pd.DataFrame, settings: Extraction) -> Mask:
    allowed = _has(table, *FIVE_NUMBERS, "n_used") & (settings.medians != "never")
    if settings.medians == "if_not_skewed":
        allowed = allowed & ~skew_check_five_numbers(*_values(table, *FIVE_NUMBERS, "n_used"))
    return np.asarray(allowed, dtype=bool)


SPREAD_RULES: tuple[SpreadRule, ...] = (
    SpreadRule(
        "mean_sd",
        "mean and SD as reported",
        lambda table, _: _has(table, "mean", "sd"),
        lambda table: (table["mean"].to_numpy(float), table["sd"].to_numpy(float)),
    ),
    SpreadRule("sd_from_se", "SD from the standard error", lambda t, _: _has(t, "mean", "se", "n_used"), _from_se),
    SpreadRule(
        "sd_from_ci",
        "SD from the confidence interval of the mean",
        lambda table, _: _has(table, "mean", "ci_low", "ci_high", "n_used"),
        _from_ci,
    ),
    SpreadRule(
        "five_numbers",
        "mean (Luo 2018) and SD (Shi 2020) from median, quartiles and range",
        _five_numbers_allowed,
        _from_five_numbers,
    ),
    SpreadRule(
        "quartiles",
        "mean (Luo 2018) and SD (Wan 2014) from median and quartiles",
        _quartiles_allowed,
        _from_quartiles,
    ),
    SpreadRule(
        "range",
        "SD from the range (Wan 2014)",
        lambda table, settings: settings.range_based_sd & _has(table, "mean", "min", "max", "n_used"),
        _from_range,
    ),
    SpreadRule(
        "median_range",
        "mean (Luo 2018) and SD (Wan 2014) from median and range",
        _median_and_range_allowed,
        _from_median_and_range,
    ),
    SpreadRule(
        "baseline_sd",
        "SD of the same arm at baseline",
        lambda table, settings: settings.baseline_sd_for_final & _is_final(table) & _has(table, "mean", "baseline_sd"),
        lambda table: (table["mean"].to_numpy(float), table["baseline_sd"].to_numpy(float)),
    ),
)


def arm_statistics(outcomes: pd.DataFrame, arms: pd.DataFrame, settings: Extraction) -> pd.DataFrame:
    """Add to each harmonised outcome row what an effect size needs.

    Parameters
    ----------
    outcomes : harmonised outcome rows (tables.harmonise) with ``is_baseline``.
    arms : arms of the same studies, for n where the outcome row has none.
    settings : the protocol's extraction choices.

    Returns
    -------
    The rows with ``n_used``, ``n_note``, ``mean_used``, ``sd_used``, ``rule``, ``derivation``, ``reason_continuous``
    (why no mean with SD), ``events_used``, ``total_used``, ``rule_events``, ``derivation_events``, ``reason_binary``
    and ``reason_unit`` (why a row that does not count patients cannot be used).
    """
    table = _with_baseline_sd(_with_sample_size(outcomes, arms))
    table = _with_events(_with_mean_and_sd(table, settings))
    patients = table["arm_n_analysed"].fillna(table["arm_n_randomised"]).to_numpy(dtype=float, na_value=np.nan)
    return with_effective_counts(table, patients, settings.procedure_correlation)


def _with_sample_size(outcomes: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """n of the row, else the arm's analysed n, else the arm's randomised n, with a note that says which."""
    sizes = arms[["study_id", "arm_id", "n_analysed", "n_randomised"]].rename(
        columns={"n_analysed": "arm_n_analysed", "n_randomised": "arm_n_randomised"}
    )
    table = outcomes.merge(sizes, on=["study_id", "arm_id"], how="left", validate="many_to_one")
    own, total, analysed, randomised = (
        table[c].to_numpy(dtype=float, na_value=np.nan) for c in ("n", "total", "arm_n_analysed", "arm_n_randomised")
    )
    candidates = (own, total, analysed, randomised)
    present = [np.isfinite(candidate) for candidate in candidates]
    return table.assign(
        n_used=np.select(present, candidates, default=np.nan),
        n_note=np.select(
            present,
            ("", "", "n: analysed in the arm", "n: randomised to the arm, analysed n not reported"),
            default="",
        ),
    )


def _with_baseline_sd(table: pd.DataFrame) -> pd.DataFrame:
    """The SD that the same arm and group of patients had before treatment, where it is reported."""
    keys = ["study_id", "arm_id", "outcome", "population_subset"]
    baseline = table.loc[table["is_baseline"] & table["sd"].notna(), [*keys, "sd"]].drop_duplicates(keys)
    return table.merge(baseline.rename(columns={"sd": "baseline_sd"}), on=keys, how="left", validate="many_to_one")


def _with_mean_and_sd(table: pd.DataFrame, settings: Extraction) -> pd.DataFrame:
    k = len(table)
    mean, sd = np.full(k, np.nan), np.full(k, np.nan)
    rule, derivation = np.full(k, "", dtype=object), np.full(k, "", dtype=object)
    for spread_rule in SPREAD_RULES:
        chosen = spread_rule.applies(table, settings) & (rule == "")
        if chosen.any():
            mean[chosen], sd[chosen] = spread_rule.derive(table.loc[chosen])
            rule[chosen], derivation[chosen] = spread_rule.name, spread_rule.derivation
    n = table["n_used"].to_numpy(dtype=float)
    reason = np.select(
        [
            (table["unit"] == "").to_numpy(),
            (rule != "") & (n >= 2) & (sd > 0),
            (rule != "") & ~np.isfinite(n),
            (rule != "") & (n < 2),
            rule != "",
            _has(table, "median", "q1", "q3"),
            _has(table, "median"),
            _has(table, "spread_unlabelled"),
            _has(table, "mean"),
        ],
        [
            ("not estimable: " + table["conversion"]).to_numpy(dtype=object),
            "",
            "not estimable: n of the arm is not reported",
            "not estimable: a single patient has no sampling variance",
            "not estimable: the SD is 0",
            "not estimable: quartiles are too skewed (or n unknown) for a mean",
            "not estimable: only a median without quartiles",
            "not estimable: the spread is not named (SD or SE)",
            "not estimable: no SD",
        ],
        default="not estimable: no mean or median",
    )
    converted = table["conversion"].to_numpy(dtype=object)
    derivation = np.where((rule != "") & (converted != ""), derivation + "; " + converted, derivation)
    return table.assign(mean_used=mean, sd_used=sd, rule=rule, derivation=derivation, reason_continuous=reason)


def _with_events(table: pd.DataFrame) -> pd.DataFrame:
    events, percent, n = _values(table, "events", "percent", "n_used")
    (total,) = _values(table, "total")
    total = np.where(np.isfinite(total), total, n)
    counted = np.isfinite(events)
    percent_only = ~counted & np.isfinite(percent) & table["kind"].isin(COUNT_KINDS).to_numpy()
    derived, consistent = events_from_percent(percent, total)
    reason = np.select(
        [
            (counted | percent_only) & ~np.isfinite(total),
            counted,
            percent_only & consistent,
            percent_only,
        ],
        [
            "not estimable: the denominator is not reported",
            "",
            "",
            "not estimable: the percentage fits no whole number of patients",
        ],
        default="not estimable: no count or percentage",
    )
    usable = reason == ""
    return table.assign(
        events_used=np.where(usable, np.where(counted, events, derived), np.nan),
        total_used=np.where(usable, total, np.nan),
        rule_events=np.select([~usable, counted], ["", "events"], default="events_from_percent"),
        derivation_events=np.select(
            [~usable, counted], ["", "events and total as reported"], default="events from the percentage and n"
        ),
        reason_binary=reason,
    )
