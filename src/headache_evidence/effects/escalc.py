"""escalc: effect sizes and sampling variances, with metafor's measure codes and argument names."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects import measures_counts, measures_means, measures_paired
from headache_evidence.effects.escalc_inputs import EscalcInputs, FloatArray, read_inputs
from headache_evidence.errors import InputError, StatisticalWarning

Values = npt.ArrayLike | str | None
Effect = tuple[FloatArray, FloatArray]

VTYPES: dict[str, tuple[str, ...]] = {
    "MD": ("LS", "UB", "HO"),
    "SMD": ("LS", "LS2", "UB"),
    "SMDH": ("LS",),
    "ROM": ("LS", "HO"),
    "MC": ("LS",),
    "SMCC": ("LS", "LS2"),
    "SMCR": ("LS", "LS2"),
    "ROMC": ("LS",),
    "OR": ("LS",),
    "RR": ("LS",),
    "RD": ("LS", "UB"),
    "AS": ("LS",),
    "PETO": ("LS",),
    "PR": ("LS", "UB"),
    "PLN": ("LS",),
    "PLO": ("LS",),
    "PAS": ("LS",),
    "PFT": ("LS",),
}
TABLE_MEASURES = ("OR", "RR", "RD", "AS", "PETO")
PROPORTION_MEASURES = ("PR", "PLN", "PLO", "PAS", "PFT")
NOTHING_ADDED_BY_DEFAULT = ("AS", "PAS", "PFT")
STANDARDISED = ("SMD", "SMDH")
LARGE_SMD = 2.0  # metafor 5.1 warns from the same value


def escalc(
    measure: str,
    *,
    ai: Values = None,
    bi: Values = None,
    ci: Values = None,
    di: Values = None,
    n1i: Values = None,
    n2i: Values = None,
    m1i: Values = None,
    m2i: Values = None,
    sd1i: Values = None,
    sd2i: Values = None,
    ti: Values = None,
    xi: Values = None,
    mi: Values = None,
    ri: Values = None,
    ni: Values = None,
    add: float | None = None,
    to: str = "only0",
    drop00: bool = False,
    vtype: str = "LS",
    correct: bool = True,
    data: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Effect sizes ``yi`` and sampling variances ``vi``, one row per comparison.

    Parameters
    ----------
    measure : metafor's code.
        Two groups, means: MD, SMD (Hedges' g), SMDH (unequal variances), ROM (log ratio of means); they need
        ``m1i, sd1i, n1i, m2i, sd2i, n2i``. SMD also takes ``di`` (Cohen's d) or ``ti`` (t of the two groups) with
        ``n1i, n2i``; rows with both use d, rows with neither use means and SDs.
        Same patients twice: MC, SMCC (over the SD of change), SMCR (over ``sd1i``), ROMC (log ratio); they need
        ``m1i, m2i, sd1i, sd2i, ri, ni`` (SMCR: no ``sd2i``). The effect is m1 − m2, so m1 is the later mean for
        a change since baseline; SMCR then takes the baseline SD as ``sd1i``.
        Two groups, counts: OR, RR (both as logs), RD, AS, PETO (log); ``ai, ci`` events with ``n1i, n2i`` patients
        or ``bi, di`` non-events.
        One group, counts: PR, PLN (log), PLO (logit), PAS, PFT; ``xi`` events of ``ni`` patients, or ``mi``
        non-events.
    ai ... ni : array-likes of length k, single numbers, or names of columns of ``data``.
    add, to : number added to the cells of tables with a zero ("only0", the default), of all tables if one has a zero
        ("if0all"), of "all" tables or of "none". ``add`` is 1/2, and 0 for AS, PAS and PFT.
    drop00 : make tables without any event, or with events only, NaN.
    vtype : variance, "LS" (large sample); for some measures "LS2", "UB" (unbiased) or "HO" (equal variances).
    correct : apply the exact small-sample correction of SMD, SMDH, SMCC and SMCR.
    data : table that holds the columns; its index is kept.

    Returns
    -------
    DataFrame with float columns ``yi`` and ``vi``. NaN in gives NaN in what needs that number: a mean change without
    ``ri`` has yi but no vi, as in metafor.

    Raises
    ------
    InputError
        naming the argument and the row: more events than patients, negative counts or SDs, an SD of fewer than two
        patients, |r| above 1, unequal lengths, missing arguments.

    Warns
    -----
    StatisticalWarning
        when complete rows give no finite effect (an SD or a mean of 0; the row becomes NaN), or when a standardised
        difference of two groups is above 2, which often means that standard errors were entered as SDs.

    Notes
    -----
    Agrees with metafor 3.8-1. Later metafor gives other numbers for SMDH (since 4.6-0 its variance is not multiplied
    by J²) and for ROM and ROMC (since 5.0-1 corrected for bias unless ``correct=FALSE``); the rest is unchanged.
    metafor accepts groups of one patient or none; here they are refused. metafor's vtype "AV" is not offered,
    nor LS2 of SMDH, whose variance in metafor 3.8-1 depends on the unit of measurement.
    An SD of 0 gives MD a variance of 0 and makes SMD NaN, as in metafor; a pool refuses both.
    """
    _check_options(measure, to, vtype, correct)
    arguments = {
        "ai": ai, "bi": bi, "ci": ci, "di": di, "n1i": n1i, "n2i": n2i, "m1i": m1i, "m2i": m2i, "sd1i": sd1i,
        "sd2i": sd2i, "ti": ti, "xi": xi, "mi": mi, "ri": ri, "ni": ni,
    }  # fmt: skip
    inputs = read_inputs(arguments, data)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if measure in TABLE_MEASURES:
            yi, vi = _from_tables(measure, inputs, _added(measure, add), to, drop00, vtype)
        elif measure in PROPORTION_MEASURES:
            yi, vi = _from_proportions(measure, inputs, _added(measure, add), to, vtype)
        elif measure in ("MC", "SMCC", "SMCR", "ROMC"):
            yi, vi = _from_paired_means(measure, inputs, vtype, correct)
        else:
            yi, vi = _from_two_means(measure, inputs, vtype, correct)
    return _finish(measure, inputs, yi, vi, drop00)


def _check_options(measure: str, to: str, vtype: str, correct: bool) -> None:
    if measure not in VTYPES:
        raise InputError(f'measure="{measure}" is unknown; allowed: {", ".join(VTYPES)}.')
    if to not in measures_counts.TO:
        raise InputError(f'to="{to}" is unknown; allowed: {", ".join(measures_counts.TO)}.')
    if vtype not in VTYPES[measure]:
        raise InputError(f'vtype="{vtype}" does not exist for {measure}; allowed: {", ".join(VTYPES[measure])}.')
    if vtype == "UB" and measure == "SMD" and not correct:
        raise InputError('vtype="UB" of SMD is defined for the corrected g only; use correct=True.')


def _added(measure: str, add: float | None) -> float:
    if add is not None:
        return add
    return 0.0 if measure in NOTHING_ADDED_BY_DEFAULT else 0.5


def _from_two_means(measure: str, inputs: EscalcInputs, vtype: str, correct: bool) -> Effect:
    n1, n2 = inputs.require(measure, "n1i", "n2i")
    inputs.check("at least 2 (an SD needs two patients)", lambda n: n < 2, "n1i", "n2i")
    inputs.check("0 or more", lambda sd: sd < 0, "sd1i", "sd2i")
    if measure == "SMD":
        return measures_means.standardised_difference(_cohens_d(inputs, n1, n2), n1, n2, vtype, correct)
    m1, sd1, m2, sd2 = inputs.require(measure, "m1i", "sd1i", "m2i", "sd2i")
    if measure == "SMDH":
        return measures_means.standardised_difference_unequal_variances(m1, sd1, n1, m2, sd2, n2, correct)
    if measure == "ROM":
        return measures_means.log_ratio_of_means(m1, sd1, n1, m2, sd2, n2, vtype)
    return measures_means.mean_difference(m1, sd1, n1, m2, sd2, n2, vtype)


def _cohens_d(inputs: EscalcInputs, n1: FloatArray, n2: FloatArray) -> FloatArray:
    d = inputs.get("di")
    t = inputs.get("ti")
    given = np.full(n1.shape, np.nan) if d is None else d
    if t is not None:
        given = np.where(np.isnan(given), t * np.sqrt(1 / n1 + 1 / n2), given)
    if (d is not None or t is not None) and inputs.get("m1i") is None:
        return given
    m1, sd1, m2, sd2 = inputs.require("SMD", "m1i", "sd1i", "m2i", "sd2i")
    return np.where(np.isnan(given), (m1 - m2) / measures_means.pooled_sd(sd1, n1, sd2, n2), given)


def _from_paired_means(measure: str, inputs: EscalcInputs, vtype: str, correct: bool) -> Effect:
    m1, m2, sd1, r, n = inputs.require(measure, "m1i", "m2i", "sd1i", "ri", "ni")
    inputs.check("at least 2 (an SD needs two patients)", lambda n: n < 2, "ni")
    inputs.check("0 or more", lambda sd: sd < 0, "sd1i", "sd2i")
    inputs.check("between -1 and 1", lambda r: np.abs(r) > 1, "ri")
    if measure == "SMCR":
        return measures_paired.standardised_change_raw((m1 - m2) / sd1, r, n, vtype, correct)
    (sd2,) = inputs.require(measure, "sd2i")
    if measure == "SMCC":
        sd_change = np.sqrt(sd1**2 + sd2**2 - 2 * r * sd1 * sd2)
        return measures_paired.standardised_change((m1 - m2) / sd_change, n, vtype, correct)
    if measure == "ROMC":
        return measures_paired.log_ratio_of_paired_means(m1, sd1, m2, sd2, r, n)
    return measures_paired.mean_change(m1, sd1, m2, sd2, r, n)


def _from_tables(measure: str, inputs: EscalcInputs, add: float, to: str, drop00: bool, vtype: str) -> Effect:
    a, b = _events_and_others(measure, inputs, "ai", "bi", "n1i")
    c, d = _events_and_others(measure, inputs, "ci", "di", "n2i")
    if drop00:
        uninformative = ((a == 0) & (c == 0)) | ((b == 0) & (d == 0))
        a, b, c, d = (np.where(uninformative, np.nan, cell) for cell in (a, b, c, d))
    a, b, c, d = measures_counts.add_to_cells((a, b, c, d), add, to)
    if measure == "RD":
        return measures_counts.risk_difference(a, b, c, d, vtype)
    function = {
        "OR": measures_counts.log_odds_ratio,
        "RR": measures_counts.log_risk_ratio,
        "AS": measures_counts.arcsine_difference,
        "PETO": measures_counts.peto_log_odds_ratio,
    }[measure]
    return function(a, b, c, d)


def _from_proportions(measure: str, inputs: EscalcInputs, add: float, to: str, vtype: str) -> Effect:
    x, m = measures_counts.add_to_cells(_events_and_others(measure, inputs, "xi", "mi", "ni"), add, to)
    if measure == "PR":
        return measures_counts.proportion(x, m, vtype)
    function = {
        "PLN": measures_counts.log_proportion,
        "PLO": measures_counts.logit_proportion,
        "PAS": measures_counts.arcsine_proportion,
        "PFT": measures_counts.freeman_tukey_proportion,
    }[measure]
    return function(x, m)


def _events_and_others(
    measure: str, inputs: EscalcInputs, events: str, others: str, total: str
) -> tuple[FloatArray, FloatArray]:
    """Events and non-events of one group, from either non-events or the total (checked against each other)."""
    (x,) = inputs.require(measure, events)
    m, n = inputs.get(others), inputs.get(total)
    if m is None and n is None:
        raise InputError(f'escalc("{measure}") needs {others}= or {total}= beside {events}=.')
    inputs.check("0 or more", lambda count: count < 0, events, others)
    inputs.check("above 0 (a group without patients has no risk)", lambda size: size <= 0, total)
    if n is not None:
        inputs.refuse(events, x > n, f"at most {total}, the patients of its group")
        if m is not None:
            inputs.refuse(total, _complete(n, x, m) & (n != x + m), f"{events} + {others}")
            return x, np.where(np.isnan(m), n - x, m)
        return x, n - x
    assert m is not None
    inputs.refuse(others, x + m == 0, f"above 0 when {events} is 0: a group without patients has no risk")
    return x, m


def _complete(*arrays: FloatArray) -> npt.NDArray[np.bool_]:
    return np.asarray(~np.any([np.isnan(array) for array in arrays], axis=0))


def _finish(measure: str, inputs: EscalcInputs, yi: FloatArray, vi: FloatArray, drop00: bool) -> pd.DataFrame:
    complete = _complete(*inputs.values.values())
    lost = np.isinf(yi) | np.isinf(vi) | (complete & (np.isnan(yi) | np.isnan(vi)))
    yi, vi = np.where(lost, np.nan, yi), np.where(lost | (vi < 0), np.nan, vi)
    unexpected = complete & np.isnan(vi)
    if unexpected.any() and not drop00:
        _warn(f"{measure} is not estimable from the numbers of {inputs.where(unexpected)}; set to NaN.")
    if measure in STANDARDISED and (large := np.abs(yi) > LARGE_SMD).any():
        _warn(
            f"{measure} is above {LARGE_SMD:g} in {inputs.where(large)}. "
            "Are these standard errors entered as standard deviations?"
        )
    return pd.DataFrame({"yi": yi, "vi": vi}, index=inputs.index)


def _warn(message: str) -> None:
    warnings.warn(message, StatisticalWarning, stacklevel=4)
