"""Networks in the robustness notebook: an answer or a reason for every type, k and n beside every estimate."""

from __future__ import annotations

from pathlib import Path

import pytest

import headache_evidence as he
from headache_evidence.pools.network_effects import network_effects
from headache_evidence.reports import network_tables

DATA = Path(__file__).parents[2] / "data"
TYPES = tuple(he.load_protocol(DATA / "protocol.yml").headache_types)


@pytest.fixture(scope="module")
def evidence():
    return he.load_evidence(DATA)


@pytest.fixture(scope="module")
def protocol():
    return he.load_protocol(DATA / "protocol.yml")


@pytest.fixture(scope="module")
def of_type(evidence, protocol):
    return {name: he.networks(evidence, protocol, name) for name in TYPES}


@pytest.mark.parametrize("headache_type", TYPES)
def test_every_type_has_an_answer_or_a_reason_and_no_empty_cell(of_type, headache_type):
    found = of_type[headache_type]
    tables = [he.show_networks(found), he.show_network_components(found), he.show_network_league(found)]
    assert len(tables[0].data) == len(found) > 0
    for item in found:
        assert (item.network is None) == item.reason.startswith("not estimable: ")
    for table in tables:
        assert table.data.notna().all(axis=None)
        assert not (table.data.astype(str) == "").any(axis=None)
        assert table._repr_html_()


def test_migraine_has_a_network_with_k_and_n(of_type):
    found = of_type["migraine"]
    assert any(item.network is not None for item in found)
    components = he.show_network_components(found).data
    assert {"k", "n"} <= set(components.columns)
    without = components.loc[components["k"] == 0, "effect added (95% CI)"]
    assert without.str.startswith("not identifiable").all()


def test_networks_hold_randomised_controlled_contrasts_of_one_measure(of_type):
    for found in of_type.values():
        for item in found:
            usable = item.contrasts.loc[item.contrasts["usable"].astype(bool)]
            assert (usable["stream"] == "controlled").all()
            assert usable["randomised"].astype(bool).all()
            assert set(usable["measure"]) <= {item.measure}


def test_no_test_is_reported_below_three_studies(of_type):
    for found in of_type.values():
        shown = he.show_networks(found).data
        few = shown.loc[shown["k"] < network_tables.MIN_K_TEST, ["inconsistency", "additivity", "heterogeneity"]]
        assert not few.apply(lambda column: column.str.contains("p = ")).any(axis=None)


def test_only_the_outcomes_asked_for(evidence, protocol):
    found = he.networks(evidence, protocol, "migraine", ["pain_intensity", "adverse_event_any", "attacks"])
    assert [item.outcome for item in found] == ["pain_intensity"]
    assert "No headline outcome" in repr(he.show_networks(he.networks(evidence, protocol, "migraine", ["attacks"])))


def test_faulty_contrasts_become_a_reason(evidence, protocol):
    table = network_effects(evidence, headache_type="migraine", outcome="headache_days", protocol=protocol)
    usable = table["usable"].astype(bool)
    faulty = table.assign(treat1="usual_care", treat2="usual_care", arm_2=table["arm_1"])
    assert usable.sum() >= network_tables.MIN_CONTRASTS
    item = network_tables._network("migraine", "headache_days", protocol, faulty)
    assert item.network is None
    assert item.reason.startswith("not estimable: ")


def test_graphs_are_saved_under_stable_names(of_type, tmp_path):
    found = of_type["migraine"]
    figures = list(he.network_figures(found, tmp_path))
    expected = {f"{item.name}.svg" for item in found if item.network is not None}
    assert len(figures) == len(expected)
    assert {path.name for path in (tmp_path / "figures").glob("*.svg")} == expected
    assert all(he.alt_text(figure) for figure in figures)
