"""The contrasts of a network, taken from the evidence: every comparator class of the controlled stream together."""

from __future__ import annotations

import pandas as pd

from headache_evidence.effects.effect_request import EffectRequest
from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.effects.extract import effects_table, records_of
from headache_evidence.effects.extraction_tables import ExtractionTables, extraction_tables
from headache_evidence.errors import ParameterError
from headache_evidence.pools.network_components import network_contrasts
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import DESIGN_TITLES, Protocol, load_protocol


def network_effects(
    evidence: Evidence,
    *,
    headache_type: str,
    outcome: str,
    weeks: tuple[float, float] | None = None,
    target_weeks: float | None = None,
    accept_unknown_time: bool = False,
    design: str = "randomised",
    large_volume_ml: float | None = None,
    protocol: Protocol | None = None,
    tables: ExtractionTables | None = None,
) -> pd.DataFrame:
    """Contrasts for `component_network`: all intervention and comparator classes of the protocol.

    Parameters
    ----------
    evidence : from load_evidence.
    headache_type, outcome, weeks, target_weeks, accept_unknown_time, design : as in ``extract_effects``; randomised
        studies only by default, and one time of each study.
    large_volume_ml : see `components_of_arm`.
    protocol : read from data/protocol.yml when None.
    tables : of this evidence and protocol (``extraction_tables``), where several networks share them.

    Returns
    -------
    pandas.DataFrame
        effects with ``treat1``, ``treat2`` and ``comparison_class``; rows that a network cannot use keep their reason.
        A study that combines arms of different components in one effect is such a row.

    Raises
    ------
    ParameterError
        for an unknown headache type, outcome or design, or an outcome without a measure for controlled studies.
    """
    protocol = protocol or load_protocol()
    _check(headache_type, outcome, design, protocol)
    joined = tables or extraction_tables(evidence, protocol.extraction)
    narrowed = joined.about(headache_type, outcome)
    low, high = weeks if weeks is not None else (0.0, float("inf"))
    middle = (low + high) / 2 if high != float("inf") else low
    records = []
    for intervention in protocol.interventions.values():
        for comparison, kind in protocol.comparisons.items():
            request = EffectRequest(
                headache_type=headache_type,
                outcome=outcome,
                stream="controlled",
                measure=protocol.outcomes[outcome].measures["controlled"],
                weeks=(low, high),
                target_weeks=middle if target_weeks is None else target_weeks,
                accept_unknown_time=accept_unknown_time,
                techniques=intervention.techniques,
                comparators=kind.comparators,
                comparison=comparison,
                design=design,
                settings=protocol.extraction,
                every_time=False,
            )
            records += [record | {"comparison_class": comparison} for record in records_of(narrowed, request)]
    found = effects_table(records, ("comparison_class",))
    idle = ~found["study_id"].isin(usable_effects(found)["study_id"])
    rows = found.loc[found["usable"].astype(bool) | idle].drop_duplicates(["study_id", "arm_1", "arm_2"])
    ordered = rows.sort_values(["study_id", "arm_1", "arm_2"], ignore_index=True)
    return network_contrasts(ordered, evidence.arms, large_volume_ml)


def _check(headache_type: str, outcome: str, design: str, protocol: Protocol) -> None:
    for what, value, known in (
        ("headache_type", headache_type, list(protocol.headache_types)),
        ("outcome", outcome, [name for name, item in protocol.outcomes.items() if "controlled" in item.measures]),
        ("design", design, [*DESIGN_TITLES, "all"]),
    ):
        if value not in known:
            raise ParameterError(f"Unknown {what} {value!r} for a network; known: {', '.join(known)}.")
