"""Several procedures in one patient: what counts of procedures are worth in patients, or the reason why not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.derive_paired import effective_sample_size

PATIENT = "patient"
PROCEDURE_UNITS = ("injection", "procedure", "encounter", "attack")
NOT_WHOLE_ARM = "the procedures of a part of the arm, whose patients are not counted"


def with_effective_counts(table: pd.DataFrame, patients: npt.ArrayLike, correlation: float) -> pd.DataFrame:
    """Shrink events and totals that count procedures by the design effect 1 + (M - 1) ICC, M procedures per patient.

    Only where the whole arm's procedures and its patients are both known, and the procedures are more. An arm as large
    as its procedures is no number of patients: the source gives one number for both.

    Parameters
    ----------
    table : outcome rows with ``unit_of_analysis``, ``population_subset``, ``events_used``, ``total_used``,
        ``rule_events``, ``derivation_events``, ``reason_continuous``.
    patients : patients of each row's arm, shape (rows,), NaN when not reported.
    correlation : intracluster correlation of the procedures of one patient, 0 to 1 (protocol).

    Returns
    -------
    The rows with ``events_used`` and ``total_used`` as effective whole numbers, the design effect in
    ``derivation_events``, "_of_procedures" in ``rule_events``, and ``reason_unit``: why a row that does not count
    patients cannot be used; empty otherwise.

    Notes
    -----
    Source: Cochrane Handbook 23.1.4, which rounds effective numbers to whole ones.
    """
    unit = table["unit_of_analysis"].to_numpy(dtype=object)
    count = np.asarray(patients, dtype=float)
    total, events = (table[name].to_numpy(dtype=float) for name in ("total_used", "events_used"))
    countable = np.isin(unit, PROCEDURE_UNITS)
    whole = (table["population_subset"] == "").to_numpy(dtype=bool)
    shrunk = countable & whole & np.isfinite(total) & (count >= 1) & (total > count)
    shrunk &= (table["reason_continuous"] != "").to_numpy(dtype=bool)
    reason = np.select(
        [
            (unit == PATIENT) | shrunk,
            ~countable,
            ~np.isfinite(total),
            ~whole,
            ~(count >= 1),
        ],
        [
            "",
            "",
            "no count with its number of procedures",
            NOT_WHOLE_ARM,
            "the number of patients in the arm is not reported",
        ],
        default="the arm's number is the same as that of the procedures; its patients are not reported",
    )
    named = "the unit is not the patient but: " + table["unit_of_analysis"]
    reasons = np.where((unit == PATIENT) | shrunk, "", named + np.where(reason == "", "", "; ") + reason)
    if not shrunk.any():
        return table.assign(reason_unit=reasons.astype(object))
    size = np.where(shrunk, total / np.where(shrunk, count, 1.0), 1.0)
    effective = np.round(effective_sample_size(total, size, correlation))
    effective_events = np.round(effective_sample_size(events, size, correlation))
    within = f"at a correlation of {correlation:g} within a patient"
    words = [
        f"; {procedures:g} procedures in {of:g} patients, as {worth:g} {within}"
        for procedures, of, worth in zip(total, count, effective, strict=True)
    ]
    derivation, rule = (table[name].to_numpy(dtype=object) for name in ("derivation_events", "rule_events"))
    return table.assign(
        events_used=np.where(shrunk, effective_events, events),
        total_used=np.where(shrunk, effective, total),
        derivation_events=np.where(shrunk, derivation + np.array(words, dtype=object), derivation),
        rule_events=np.where(shrunk, rule + "_of_procedures", rule),
        reason_unit=reasons.astype(object),
    )
