"""Controlled effects from the arms' own numbers: means with SD, or events and totals."""

from __future__ import annotations

from headache_evidence.effects.arm_pair import ArmPair
from headache_evidence.effects.combine_arms import combine_means, split_shared_control
from headache_evidence.effects.derive_paired import crossover_mean_difference, crossover_standardised_difference
from headache_evidence.effects.effect_request import Record, accepted, column, distinct, join, one_row_per_arm, refused
from headache_evidence.effects.escalc import escalc
from headache_evidence.effects.extraction_tables import Rows

CONTINUOUS = ("MD", "SMD", "SMDH", "ROM")
PAIRED = {"MD": crossover_mean_difference, "SMD": crossover_standardised_difference}
KINDS = (("endpoint", "final scores"), ("change_from_baseline", "change scores"))


def from_means(pair: ArmPair, rows: Rows) -> Record:
    """Final scores of both sides, else change scores of both; never one against the other."""
    usable = [row for row in rows if row["reason_continuous"] == ""]
    for kind, words in KINDS:
        first, second = pair.split(one_row_per_arm([row for row in usable if row["kind"] == kind]))
        if first and second:
            return _difference(pair, first, second, words)
    if usable:
        return refused(pair.record_of_all(), "not estimable: only one of the arms has a mean with a spread")
    return refused(pair.record_of_all(), join(distinct(rows, "reason_continuous")))


def _difference(pair: ArmPair, first: Rows, second: Rows, words: str) -> Record:
    n1, m1, sd1 = combine_means(*(column(first, name) for name in ("n_used", "mean_used", "sd_used")))
    n2, m2, sd2 = combine_means(*(column(second, name) for name in ("n_used", "mean_used", "sd_used")))
    n2 = float(split_shared_control(n2, pair.comparisons))
    used = [*first, *second]
    derivation = join([f"{words}: {join(distinct(used, 'derivation'))}", *distinct(used, "n_note"), pair.sharing_words])
    if max(len(first), len(second)) > 1:
        derivation += f"; {len(first)} against {len(second)} arms, combined (Cochrane formula)"
    if pair.is_crossover and pair.request.measure in PAIRED:
        paired = PAIRED[pair.request.measure]
        yi, vi = (float(x) for x in paired(m1, sd1, m2, sd2, min(n1, n2), pair.tables.correlation.value))
        derivation += f"; crossover, paired variance, {pair.tables.correlation.words}"
    else:
        effect = escalc(pair.request.measure, m1i=[m1], sd1i=[sd1], n1i=[n1], m2i=[m2], sd2i=[sd2], n2i=[n2])
        yi, vi = float(effect["yi"].iloc[0]), float(effect["vi"].iloc[0])
    record = pair.record(distinct(first, "arm_id"), distinct(second, "arm_id"), used)
    numbers = {"n1": n1, "m1": m1, "sd1": sd1, "n2": n2, "m2": m2, "sd2": sd2}
    return accepted(record, yi, vi, derivation, join(distinct(used, "rule"), "+"), **numbers)


def from_counts(pair: ArmPair, rows: Rows) -> Record:
    """Events and totals of both sides; arms of one side are added up."""
    usable = one_row_per_arm([row for row in rows if row["reason_binary"] == ""])
    first, second = pair.split(usable)
    if not first or not second:
        reasons = join(distinct(rows, "reason_binary"))
        return refused(pair.record_of_all(), reasons or "not estimable: counts of one arm only")
    events1, total1 = column(first, "events_used").sum(), column(first, "total_used").sum()
    events2, total2 = (
        float(split_shared_control(column(second, c).sum(), pair.comparisons)) for c in ("events_used", "total_used")
    )
    used = [*first, *second]
    record = pair.record(distinct(first, "arm_id"), distinct(second, "arm_id"), used)
    numbers = {"n1": total1, "events1": events1, "n2": total2, "events2": events2}
    if events1 + events2 in (0, total1 + total2):
        which = "no" if events1 + events2 == 0 else "only"
        return refused(record | numbers, f"not estimable: {which} events in both arms")
    effect = escalc(pair.request.measure, ai=[events1], n1i=[total1], ci=[events2], n2i=[total2])
    derivation = join([*distinct(used, "derivation_events"), *distinct(used, "n_note"), pair.sharing_words])
    if pair.is_crossover:
        derivation += "; crossover counted as parallel arms: the pairs are not reported, the variance is too large"
    if min(events1, events2, total1 - events1, total2 - events2) == 0:
        derivation += "; 0.5 added to each cell because one is zero"
    return accepted(
        record,
        effect["yi"].iloc[0],
        effect["vi"].iloc[0],
        derivation,
        join(distinct(used, "rule_events"), "+"),
        **numbers,
    )
