"""Controlled effects where one arm reports final scores and the other a change: both become changes from baseline."""

from __future__ import annotations

import numpy as np

from headache_evidence.effects.arm_pair import ArmPair
from headache_evidence.effects.before_after import ArmChange, arm_change
from headache_evidence.effects.combine_arms import combine_means, split_shared_control
from headache_evidence.effects.derive_change import difference_of_changes
from headache_evidence.effects.effect_request import Record, accepted, join
from headache_evidence.effects.extraction_tables import Rows


def from_changes(pair: ArmPair) -> Record | None:
    """Difference of the arms' changes, reported or final minus baseline; None where an arm gives neither.

    For mean differences of parallel arms only: an SMD of changes has another SD, a crossover trial another pairing.
    """
    if pair.request.measure != "MD" or pair.is_crossover or not pair.rows:
        return None
    first, second = (_changes(pair, rows) for rows in pair.split(pair.rows))
    if not first or not second:
        return None
    n1, m1, sd1 = _combined(first)
    n2, m2, sd2 = _combined(second)
    n2 = float(split_shared_control(n2, pair.comparisons))
    yi, vi = (float(value) for value in difference_of_changes(m1, sd1, n1, m2, sd2, n2))
    used = [*first, *second]
    arms_1, arms_2 = ([change.arm_id for change in side] for side in (first, second))
    record = pair.record(arms_1, arms_2, [row for change in used for row in change.rows])
    derivation = join(
        ["difference of changes from baseline", *(f"{c.arm_id}: {c.derivation}" for c in used), pair.sharing_words]
    )
    numbers = {"n1": n1, "m1": m1, "sd1": sd1, "n2": n2, "m2": m2, "sd2": sd2}
    return accepted(record, yi, vi, derivation, "difference_of_changes", **numbers)


def _changes(pair: ArmPair, rows: Rows) -> list[ArmChange]:
    """The usable changes of one side's arms."""
    baseline = [row for row in pair.tables.rows_of_study[pair.study_id] if row["is_baseline"]]
    changes = [
        arm_change(_of_arm(baseline, arm), _of_arm(rows, arm), pair.tables.correlation)
        for arm in sorted({row["arm_id"] for row in rows})
    ]
    return [change for change in changes if not change.reason]


def _of_arm(rows: Rows, arm_id: str) -> Rows:
    return [row for row in rows if row["arm_id"] == arm_id]


def _combined(changes: list[ArmChange]) -> tuple[float, float, float]:
    n, mean, sd = (np.array([getattr(change, name) for change in changes]) for name in ("n", "mean", "sd"))
    return combine_means(n, mean, sd)
