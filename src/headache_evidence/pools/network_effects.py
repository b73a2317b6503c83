"""The contrasts of a network, taken from the evidence: every comparator class of the controlled stream together."""

from __future__ import annotations

import pandas as pd

from headache_evidence.effects.extract import extract_effects
from headache_evidence.pools.network_components import network_contrasts
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol, load_protocol


def network_effects(
    evidence: Evidence,
    *,
    headache_type: str,
    outcome: str,
    weeks: tuple[float, float] | None = None,
    design: str = "randomised",
    large_volume_ml: float | None = None,
    protocol: Protocol | None = None,
) -> pd.DataFrame:
    """Contrasts for `component_network`: all intervention and comparator classes of the protocol.

    Parameters
    ----------
    evidence : from load_evidence.
    headache_type, outcome, weeks, design : as in ``extract_effects``; randomised studies only by default.
    large_volume_ml : see `components_of_arm`.
    protocol : read from data/protocol.yml when None.

    Returns
    -------
    pandas.DataFrame
        effects with ``treat1``, ``treat2`` and ``comparison_class``; rows that a network cannot use keep their reason.
        A study that combines arms of different components in one effect is such a row.
    """
    protocol = protocol or load_protocol()
    parts = [
        extract_effects(
            evidence,
            headache_type=headache_type,
            outcome=outcome,
            stream="controlled",
            weeks=weeks,
            intervention=intervention,
            comparison=comparison,
            design=design,
            protocol=protocol,
        ).assign(comparison_class=comparison)
        for intervention in protocol.interventions
        for comparison in protocol.comparisons
    ]
    found = pd.concat([part for part in parts if not part.empty] or parts[:1], ignore_index=True)
    usable = found.loc[found["usable"].astype(bool)]
    idle = found.loc[~found["usable"].astype(bool) & ~found["study_id"].isin(usable["study_id"])]
    rows = pd.concat([usable, idle], ignore_index=True).drop_duplicates(["study_id", "arm_1", "arm_2"])
    ordered = rows.sort_values(["study_id", "arm_1", "arm_2"], ignore_index=True)
    return network_contrasts(ordered, evidence.arms, large_volume_ml)
