"""The network of the project's own evidence; the numbers change as evidence grows, what must hold does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from headache_evidence.pools.component_network import component_network
from headache_evidence.pools.network_effects import network_effects
from headache_evidence.tables.evidence import load_evidence
from headache_evidence.tables.protocol import load_protocol

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def contrasts():
    return network_effects(
        load_evidence(DATA),
        headache_type="migraine",
        outcome="headache_days",
        protocol=load_protocol(DATA / "protocol.yml"),
    )


def test_every_row_has_treatments_or_a_reason(contrasts):
    usable = contrasts["usable"].astype(bool)
    assert usable.any()
    assert (contrasts.loc[usable, ["treat1", "treat2"]] != "").all(axis=None)
    assert (contrasts.loc[~usable, "reason"] != "").all()
    assert not contrasts.duplicated(["study_id", "arm_1", "arm_2"]).any()


def test_the_network_counts_its_studies_and_names_what_it_cannot_tell(contrasts):
    result = component_network(contrasts)
    usable = contrasts.loc[contrasts["usable"].astype(bool)]
    assert result.k == usable["study_id"].nunique()
    assert len(result.left_out) == len(contrasts) - len(usable)
    unknown = result.components.loc[~result.components["estimable"]]
    assert unknown["estimate"].isna().all()
    assert (unknown["note"] != "").all()
