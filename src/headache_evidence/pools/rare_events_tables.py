"""Two-by-two tables of events as the rare-event methods read them, and the result they share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from headache_evidence.effects.effect_table import FloatArray, usable_effects
from headache_evidence.errors import InputError
from headache_evidence.pools.confidence import check_level, interval_from_se
from headache_evidence.pools.heterogeneity import i2_from_q
from headache_evidence.pools.result import NOT_ESTIMABLE, PooledResult

MEASURES = ("OR", "RR", "RD")
TABLE_COLUMNS = ("events1", "n1", "events2", "n2")


@dataclass(frozen=True)
class TwoByTwo:
    """Events ``ai`` of ``n1i`` patients in arm 1 and ``ci`` of ``n2i`` in arm 2; arrays of shape (k,)."""

    ai: FloatArray
    n1i: FloatArray
    ci: FloatArray
    n2i: FloatArray
    labels: tuple[str, ...]

    @property
    def bi(self) -> FloatArray:
        """Patients without the event in arm 1."""
        return self.n1i - self.ai

    @property
    def di(self) -> FloatArray:
        """Patients without the event in arm 2."""
        return self.n2i - self.ci

    @property
    def total(self) -> FloatArray:
        """Patients of both arms."""
        return self.n1i + self.n2i

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.labels)

    @property
    def has_zero_cell(self) -> npt.NDArray[np.bool_]:
        """True where any of the four cells is zero."""
        return np.asarray((self.ai == 0) | (self.bi == 0) | (self.ci == 0) | (self.di == 0))

    @property
    def says_nothing_of_ratios(self) -> npt.NDArray[np.bool_]:
        """True where both arms have no event, or both have nothing else."""
        return np.asarray(((self.ai == 0) & (self.ci == 0)) | ((self.bi == 0) & (self.di == 0)))

    def rows(self, chosen: npt.NDArray[np.bool_]) -> TwoByTwo:
        """The chosen studies."""
        labels = tuple(label for label, keep in zip(self.labels, chosen.tolist(), strict=True) if keep)
        return TwoByTwo(self.ai[chosen], self.n1i[chosen], self.ci[chosen], self.n2i[chosen], labels)


def two_by_two(
    effects: pd.DataFrame | None = None,
    *,
    ai: npt.ArrayLike | None = None,
    n1i: npt.ArrayLike | None = None,
    ci: npt.ArrayLike | None = None,
    n2i: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
) -> TwoByTwo:
    """Read tables from the columns events1, n1, events2, n2 of an effects table, or from arrays, and check them.

    Raises
    ------
    InputError
        for missing or negative numbers, an empty arm, or more events than patients; the message names the study.
    """
    if effects is not None:
        rows = usable_effects(effects)
        missing = [column for column in TABLE_COLUMNS if column not in rows.columns]
        if missing:
            raise InputError(f"The effects table lacks the column(s) {', '.join(missing)}.")
        ai, n1i, ci, n2i = (rows[column].to_numpy(dtype=float, na_value=np.nan) for column in TABLE_COLUMNS)
        labels = rows["label"].to_numpy() if "label" in rows.columns else labels
    given = {"ai": ai, "n1i": n1i, "ci": ci, "n2i": n2i}
    absent = [name for name, value in given.items() if value is None]
    if absent:
        raise InputError(f"Give an effects table or ai, n1i, ci and n2i; {', '.join(absent)} is missing.")
    events1, patients1, events2, patients2 = (np.atleast_1d(np.asarray(v, dtype=float)) for v in given.values())
    names = study_names(labels, events1.size)
    check_counts(events1, patients1, names, "arm 1")
    check_counts(events2, patients2, names, "arm 2")
    return TwoByTwo(events1, patients1, events2, patients2, names)


def study_names(labels: npt.ArrayLike | None, k: int) -> tuple[str, ...]:
    """Names of k studies; "study 1" ... when not given."""
    if labels is None:
        return tuple(f"study {i + 1}" for i in range(k))
    names = tuple(str(name) for name in np.atleast_1d(np.asarray(labels, dtype=object)))
    if len(names) != k:
        raise InputError(f"{len(names)} labels for {k} studies.")
    return names


def check_counts(events: FloatArray, patients: FloatArray, names: tuple[str, ...], where: str) -> None:
    """Refuse events and patients that are not counts of the same k studies."""
    if not events.shape == patients.shape == (len(names),):
        raise InputError(f"Events {events.shape} and patients {patients.shape} of {where} differ in length.")
    with np.errstate(invalid="ignore"):
        bad = ~(np.isfinite(events) & np.isfinite(patients) & (events >= 0) & (patients > 0) & (events <= patients))
    if bad.any():
        listed = "; ".join(f"{names[i]}: {events[i]:g} of {patients[i]:g}" for i in np.flatnonzero(bad))
        raise InputError(f"Events must lie between 0 and the patients of {where}. Not so in {listed}.")


def check_measure(measure: str) -> str:
    """Return ``measure`` or say what is allowed."""
    if measure not in MEASURES:
        raise InputError(f"measure = {measure!r}; allowed are {', '.join(MEASURES)}.")
    return measure


def common_effect_result(
    table: TwoByTwo,
    *,
    measure: str,
    method: str,
    estimate: float,
    se: float,
    weights: FloatArray,
    yi: FloatArray,
    vi: FloatArray,
    level: float,
    notes: list[str],
) -> PooledResult:
    """A pooled result without random effects; Q from the studies' own ``yi``, ``vi`` around the estimate."""
    check_level(level)
    own = interval_from_se(np.array([estimate]), np.array([se]), math.nan, level)
    q = float(((yi - estimate) ** 2 / vi).sum()) if math.isfinite(estimate) and yi.size else math.nan
    df = max(yi.size - 1, 0)
    total = float(weights.sum())
    return PooledResult(
        k=table.k,
        n=float(table.total.sum()),
        measure=measure,
        method=method,
        ci_method="wald",
        level=level,
        estimate=estimate,
        se=se,
        ci=(float(own.lower[0]), float(own.upper[0])),
        statistic=float(own.statistic[0]),
        statistic_name="z",
        df=math.nan,
        p_value=float(own.p_value[0]),
        tau2=0.0 if math.isfinite(estimate) else math.nan,
        tau2_se=math.nan,
        tau2_ci=NOT_ESTIMABLE,
        i2=i2_from_q(q, df),
        i2_ci=NOT_ESTIMABLE,
        i2_q=i2_from_q(q, df),
        h2=q / df if df else math.nan,
        q=q,
        q_df=df,
        q_p=_chi_square_p(q, df),
        prediction_interval=NOT_ESTIMABLE,
        prediction_df=math.nan,
        prediction_rule="none",
        weights=tuple((100 * weights / total).tolist()) if total > 0 else (0.0,) * table.k,
        labels=table.labels,
        notes=(*notes, "common-effect model: tau2 is 0 by assumption; I2 and H2 are from Q"),
    )


def _chi_square_p(q: float, df: int) -> float:
    return float(special.chdtrc(df, q)) if df else math.nan
