"""The effects table: which columns it has, and how the statistics read it.

An effects table is a DataFrame with one row per effect. Rows that could not be used stay in the table with
``usable`` False and the reason in ``reason``; every analysis takes the usable rows and lists the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.errors import InputError

FloatArray = npt.NDArray[np.float64]

EFFECT_COLUMNS: dict[str, str] = {
    "effect_id": "unique name: study_id, arms, outcome, weeks, stream",
    "study_id": "study (report group)",
    "label": "study as printed in figures: first author and year",
    "year": "year of publication, missing when not visible",
    "headache_type": "ICHD-3 type of the study",
    "design": "design of the study as in studies.csv",
    "randomised": "True for randomised designs",
    "stream": "controlled, before_after or proportion",
    "outcome": "harmonised outcome",
    "unit": "unit of the harmonised outcome",
    "better": "lower or higher: which direction is good for the patient",
    "weeks": "time after the (first) procedure in weeks",
    "time_label": "time as the source words it",
    "measure": "metafor's measure code (MD, SMD, ROM, OR, RR, RD, MC, SMCC, PLO ...)",
    "yi": "effect size on the analysis scale (log for OR, RR, ROM; logit for PLO)",
    "vi": "its sampling variance",
    "arm_1": "arm_id of the intervention arm(s), joined by '+'",
    "arm_2": "arm_id of the comparator arm(s), joined by '+'; empty outside the controlled stream",
    "arm_1_label": "intervention arm in words",
    "arm_2_label": "comparator arm in words",
    "n1": "patients in arm 1 (or the single arm)",
    "n2": "patients in arm 2; missing outside the controlled stream",
    "m1": "mean of arm 1 (change score or final score), harmonised unit",
    "sd1": "SD of arm 1",
    "m2": "mean of arm 2",
    "sd2": "SD of arm 2",
    "events1": "events in arm 1",
    "events2": "events in arm 2",
    "technique": "hydrodissection, perineural_block, topical_block or other: technique of arm 1",
    "comparator": "placebo, active, usual_care, or none: what arm 2 is",
    "guidance": "guidance of arm 1",
    "nerves": "nerves of arm 1, joined by ';'",
    "injectate": "injectate of arm 1, joined by ';'",
    "volume_ml": "volume per site of arm 1",
    "steroid": "True when the injectate of arm 1 holds a corticosteroid",
    "risk_of_bias": "overall judgement: low, some_concerns, high, ..., no_information",
    "flags": "doubts about the rows used, in words",
    "doubtful": "True when a doubt calls for leaving the row out in the sensitivity analysis",
    "derivation": "how yi and vi came about, readable",
    "derivation_rule": "name of the rule that gave the numbers",
    "source_id": "sources used",
    "source_url": "their addresses, joined by ' ; '",
    "source_rows": "rows of data/ used, as 'outcomes.csv:12', joined by '; '",
    "usable": "True when yi and vi are estimable and nothing excludes the row",
    "reason": "why the row is not usable; empty when it is",
}


@dataclass(frozen=True)
class StudyData:
    """Effects ready for the statistics: aligned arrays of length k, all finite, all variances above zero."""

    yi: FloatArray
    vi: FloatArray
    labels: tuple[str, ...]

    @property
    def k(self) -> int:
        """Number of effects."""
        return len(self.labels)


def usable_effects(effects: pd.DataFrame) -> pd.DataFrame:
    """The rows an analysis may use; a table without a ``usable`` column is used whole."""
    if "usable" not in effects.columns:
        return effects
    usable = effects["usable"].to_numpy(dtype=bool)
    return effects.copy(deep=False) if usable.all() else effects.loc[usable]


def patients_behind(effects: pd.DataFrame | None) -> float:
    """Patients behind the usable effects; NaN when any study's number is unknown, or when the table has none."""
    if effects is None or "n1" not in effects.columns:
        return float("nan")
    rows = usable_effects(effects)
    first = rows["n1"].to_numpy(dtype=float, na_value=np.nan)
    second = rows["n2"].to_numpy(dtype=float, na_value=np.nan) if "n2" in rows.columns else np.zeros(len(rows))
    one_arm = rows["stream"].ne("controlled").to_numpy() if "stream" in rows.columns else np.zeros(len(rows), bool)
    return float((first + np.where(one_arm, 0.0, second)).sum())


def study_data(
    effects: pd.DataFrame | None = None,
    *,
    yi: npt.ArrayLike | None = None,
    vi: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
) -> StudyData:
    """Read ``yi``, ``vi`` and labels from an effects table or from plain arrays, and check them.

    Parameters
    ----------
    effects : table with at least ``yi`` and ``vi`` (and ``label`` or ``study_id`` for names), or
    yi, vi : arrays of shape (k,), effect sizes and sampling variances.
    labels : k names used in error messages; "study 1" ... when not given.

    Raises
    ------
    InputError
        if both or neither forms are given, lengths differ, or a value is missing, infinite, or a variance is not
        above zero; the message names the study.
    """
    if effects is not None:
        if yi is not None or vi is not None:
            raise InputError("Give an effects table or yi and vi, not both.")
        missing = [column for column in ("yi", "vi") if column not in effects.columns]
        if missing:
            raise InputError(f"The effects table lacks the column(s) {', '.join(missing)}.")
        rows = usable_effects(effects)
        yi, vi = rows["yi"].to_numpy(), rows["vi"].to_numpy()
        name_column = next((c for c in ("label", "study_id") if c in rows.columns), None)
        labels = rows[name_column].to_numpy() if name_column else None
    if yi is None or vi is None:
        raise InputError("Give an effects table, or both yi and vi.")
    try:
        y = np.atleast_1d(np.asarray(yi, dtype=float))
        v = np.atleast_1d(np.asarray(vi, dtype=float))
    except (TypeError, ValueError) as error:
        raise InputError(f"yi and vi must be numbers: {error}.") from error
    if y.ndim != 1 or y.shape != v.shape:
        raise InputError(f"yi and vi must be one-dimensional and of equal length; got {y.shape} and {v.shape}.")
    names = (
        tuple(f"study {i + 1}" for i in range(y.size))
        if labels is None
        else tuple(str(name) for name in np.atleast_1d(np.asarray(labels, dtype=object)))
    )
    if len(names) != y.size:
        raise InputError(f"{len(names)} labels for {y.size} studies.")
    _refuse(~np.isfinite(y), y, names, "yi", "a finite number")
    _refuse(~(np.isfinite(v) & (v > 0)), v, names, "vi", "a finite number above 0")
    return StudyData(yi=y, vi=v, labels=names)


def _refuse(bad: npt.NDArray[np.bool_], values: FloatArray, names: tuple[str, ...], what: str, allowed: str) -> None:
    if bad.any():
        listed = "; ".join(f"{names[i]}: {what} = {values[i]:g}" for i in np.flatnonzero(bad))
        raise InputError(f"{what} must be {allowed}. Not so in {listed}.")
