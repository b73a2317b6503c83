"""Component networks: published examples, metafor (tests/reference/component_network.R), algebra by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headache_evidence.errors import InputError
from headache_evidence.pools.component_network import component_network
from headache_evidence.pools.pooling import pool

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "component_network.json").read_text())
CLOSED_FORM = 1e-6  # relative; both sides solve the same linear equations
PRINTED = 0.005  # published figures have two decimals


def contrasts(*rows: tuple[str, str, str, float, float], **columns) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["study_id", "treat1", "treat2", "yi", "vi"]).assign(**columns)


def by_component(result):
    return result.components.set_index("component")


@pytest.fixture(scope="module")
def copd():
    return pd.DataFrame(REFERENCE["multi_arm"]["contrasts"])


def test_copd_components_are_those_published(copd):
    """Balduzzi et al. (2023), Journal of Statistical Software 106(2), example 3: 38 trials, 74 comparisons."""
    result = component_network(copd, inactive=["Placebo"])
    table = by_component(result)
    published = {
        "Budesonide": (0.73, 0.58, 0.92, -2.64),
        "Fluticasone": (0.90, 0.81, 1.00, -2.06),
        "Formoterol": (0.94, 0.78, 1.14, -0.62),
        "Salmeterol": (0.82, 0.75, 0.90, -4.28),
        "Tiotropium": (0.69, 0.61, 0.77, -6.45),
    }
    for name, (ratio, low, high, z) in published.items():
        row = table.loc[name]
        assert np.exp([row["estimate"], row["ci_low"], row["ci_high"]]) == pytest.approx(
            [ratio, low, high], abs=PRINTED
        )
        assert row["statistic"] == pytest.approx(z, abs=PRINTED)
    assert result.k == 38
    assert len(copd) == 74
    assert result.n == 28217
    assert result.tau2 == pytest.approx(0.0101, abs=5e-5)
    assert result.tau2_standard == pytest.approx(0.0111, abs=5e-5)
    assert result.i2 == pytest.approx(23.5, abs=0.05)
    tests = result.heterogeneity.set_index("model")
    assert tests["q"].tolist() == pytest.approx([62.74, 60.86, 1.88], abs=PRINTED)
    assert tests["df"].tolist() == [48, 46, 2]
    assert tests["p_value"].tolist() == pytest.approx([0.0750, 0.0700, 0.3908], abs=5e-5)


def test_copd_plain_network_is_the_published_one(copd):
    league = component_network(copd, inactive=["Placebo"]).league
    row = league[(league["treat1"] == "Budesonide+Formoterol") & (league["treat2"] == "Placebo")].iloc[0]
    interval = np.exp([row["standard_estimate"], row["standard_ci_low"], row["standard_ci_high"]])
    assert interval == pytest.approx([0.67, 0.49, 0.90], abs=PRINTED)
    assert row["standard_statistic"] == pytest.approx(-2.63, abs=PRINTED)


def test_diabetes_network_is_the_published_one():
    """Senn 2013 as in Ruecker and Schwarzer, netmeta: tau2 .1087, Q 96.98 on 18 degrees of freedom."""
    table = pd.DataFrame(REFERENCE["diabetes"])
    result = component_network(table, inactive=["placebo"])
    estimates = result.treatments.set_index("treatment")
    assert estimates.loc["metformin", ["estimate", "ci_low", "ci_high"]].tolist() == pytest.approx(
        [-1.1268, -1.4291, -0.8244], abs=5e-5
    )
    assert estimates.loc["rosiglitazone", "estimate"] == pytest.approx(-1.2335, abs=5e-5)
    assert result.tau2 == pytest.approx(0.1087, abs=5e-5)
    assert result.heterogeneity["q"][0] == pytest.approx(96.98, abs=PRINTED)
    assert result.heterogeneity["df"][0] == 18


def test_multi_arm_studies_agree_with_metafor(copd):
    case = REFERENCE["multi_arm"]
    result = by_component(component_network(copd, inactive=["Placebo"], tau2=case["tau2"]))
    assert result.loc[case["components"], "estimate"].tolist() == pytest.approx(case["estimate"], rel=CLOSED_FORM)
    assert result.loc[case["components"], "se"].tolist() == pytest.approx(case["se"], rel=CLOSED_FORM)


def test_two_arm_studies_agree_with_metafor():
    case = REFERENCE["two_arm"]
    result = component_network(pd.DataFrame(case["contrasts"]), inactive=["Placebo"], random=False)
    table = by_component(result).loc[case["components"]]
    assert table["estimate"].tolist() == pytest.approx(case["estimate"], rel=CLOSED_FORM)
    assert table["se"].tolist() == pytest.approx(case["se"], rel=CLOSED_FORM)
    assert result.heterogeneity["q"][0] == pytest.approx(case["q"], rel=CLOSED_FORM)
    assert result.heterogeneity["df"][0] == case["df"]


def test_two_treatments_are_a_pairwise_meta_analysis():
    yi, vi = [0.5, 0.1, 0.9, -0.2], [0.02, 0.05, 0.03, 0.04]
    table = contrasts(*((f"s{i}", "a", "b", y, v) for i, (y, v) in enumerate(zip(yi, vi, strict=True))))
    result = component_network(table, inactive=["b"])
    pooled = pool(yi=yi, vi=vi, method="DL", ci="wald")
    row = by_component(result).loc["a"]
    assert row["estimate"] == pytest.approx(pooled.estimate, rel=1e-12)
    assert row["se"] == pytest.approx(pooled.se, rel=1e-12)
    assert result.tau2 == pytest.approx(pooled.tau2, rel=1e-12)
    assert result.heterogeneity["q"][0] == pytest.approx(pooled.q, rel=1e-12)


def test_components_that_are_treatments_give_the_plain_network():
    table = contrasts(
        ("s1", "a", "p", 1.0, 0.1), ("s2", "b", "p", 0.4, 0.1), ("s3", "a", "b", 0.9, 0.2), ("s4", "a", "p", 1.3, 0.3)
    )
    league = component_network(table, inactive=["p"]).league
    assert league["estimate"].tolist() == pytest.approx(league["standard_estimate"].tolist(), rel=1e-12)
    assert league["se"].tolist() == pytest.approx(league["standard_se"].tolist(), rel=1e-12)


def test_algebra_by_hand():
    """a = 1, b = 2 and a+b = 4 with equal variances: least squares moves each sum by a third of the gap of 1."""
    table = contrasts(("s1", "a", "p", 1.0, 1.0), ("s2", "b", "p", 2.0, 1.0), ("s3", "a+b", "p", 4.0, 1.0))
    result = component_network(table, inactive=["p"], random=False)
    assert by_component(result)["estimate"].tolist() == pytest.approx([4 / 3, 7 / 3])
    assert by_component(result)["se"].tolist() == pytest.approx([math.sqrt(2 / 3)] * 2)
    tests = result.heterogeneity.set_index("model")
    assert tests.loc["additive", "q"] == pytest.approx(1 / 3)
    assert tests.loc["standard", "df"] == 0
    assert tests.loc["difference", ["q", "df"]].tolist() == pytest.approx([1 / 3, 1])


def test_components_join_a_disconnected_network():
    """a v p and a+b v a+c share no treatment, yet b - c and a are known; a+b v p is not."""
    table = contrasts(("s1", "a", "p", 1.0, 0.1), ("s2", "a+b", "a+c", 0.5, 0.1), ("s3", "b", "p", 0.3, 0.1))
    result = component_network(table, inactive=["p"])
    assert result.subnetworks == (("a", "b", "p"), ("a+b", "a+c"))
    assert not result.connected
    assert by_component(result).loc["c", "estimate"] == pytest.approx(-0.2)
    assert result.league_table().loc["a+c", "p"] == pytest.approx(0.8)
    assert math.isnan(result.league_table("standard").loc["a+c", "p"])


def test_components_that_always_come_together_are_reported_as_aliased():
    table = contrasts(("s1", "a+b", "p", 1.0, 0.1), ("s2", "c", "p", 0.5, 0.1), ("s3", "a+b+c+d", "c+d", 1.2, 0.1))
    result = component_network(table, inactive=["p"])
    components = by_component(result)
    assert components["estimable"].tolist() == [False, False, True, False]
    assert math.isnan(components.loc["a", "estimate"])
    assert components.loc["a", "note"] == "not identifiable: cannot be told from b"
    assert components.loc["d", "note"] == "not identifiable: no study compares arms with and without it"
    assert result.treatments.set_index("treatment").loc["a+b", "estimate"] == pytest.approx(1.1)
    assert result.to_dict()["components"][0]["estimate"] is None
    json.dumps(result.to_dict(), allow_nan=False)


def test_shared_control_is_not_counted_twice():
    """Two contrasts with one control of variance 1: covariance 1, as the variance of b - a then shows."""
    table = contrasts(("s1", "a", "p", 1.0, 2.0), ("s1", "b", "p", 2.0, 2.0), var1=[1.0, 1.0], var2=[1.0, 1.0])
    league = component_network(table, inactive=["p"], random=False).league
    assert league.loc[0, ["estimate", "se"]].tolist() == pytest.approx([-1.0, math.sqrt(2)])


def test_arm_sizes_and_all_pairs_give_the_same_covariance(copd):
    sizes = {"a": 40, "b": 20, "p": 10}
    pairs = [("a", "p"), ("b", "p"), ("a", "b")]
    y = {"a": 1.0, "b": 0.4, "p": 0.0}
    rows = [("s1", i, j, y[i] - y[j], 1 / sizes[i] + 1 / sizes[j]) for i, j in pairs]
    full = contrasts(*rows)
    from_sizes = contrasts(*rows[:2], n1=[40, 20], n2=[10, 10])
    one = component_network(full, inactive=["p"])
    other = component_network(from_sizes, inactive=["p"])
    assert other.league["se"].tolist() == pytest.approx(one.league["se"].tolist(), rel=1e-12)
    assert any("arm sizes" in note for note in other.notes)
    assert one.m == 2


def test_unknown_covariance_is_refused():
    table = contrasts(("s1", "a", "p", 1.0, 2.0), ("s1", "b", "p", 2.0, 2.0))
    with pytest.raises(InputError, match="s1 has several contrasts"):
        component_network(table)


def test_contradicting_redundant_contrasts_are_noted():
    table = contrasts(("s1", "a", "p", 1.0, 2.0), ("s1", "b", "p", 2.0, 2.0), ("s1", "a", "b", 3.0, 2.0))
    assert any("redundant contrasts differ" in note for note in component_network(table).notes)


def test_order_and_direction_of_contrasts_do_not_matter(copd):
    one = component_network(copd, inactive=["Placebo"])
    flipped = copd.sample(frac=1, random_state=1).rename(
        columns={"treat1": "treat2", "treat2": "treat1", "n1": "n2", "n2": "n1"}
    )
    other = component_network(flipped.assign(yi=-flipped["yi"]), inactive=["Placebo"])
    assert other.components["estimate"].tolist() == pytest.approx(one.components["estimate"].tolist(), rel=1e-9)
    assert other.tau2 == pytest.approx(one.tau2, rel=1e-9)


def test_graph_counts_studies_and_patients_once(copd):
    result = component_network(copd, inactive=["Placebo"])
    nodes = result.nodes.set_index("treatment")
    assert nodes.loc["Placebo", "n"] == 8739
    assert nodes.loc["Tiotropium", ["k", "n"]].tolist() == [15, 5594]
    edges = result.edges.set_index(["treat1", "treat2"])
    assert edges.loc[("Budesonide", "Placebo"), "k"] == 2


def test_component_outside_the_list_and_unusable_rows_are_named():
    table = contrasts(("s1", "a", "p", 1.0, 0.1), ("s2", "b", "p", 0.5, 0.1))
    with pytest.raises(InputError, match="b occur"):
        component_network(table, components=["a"], inactive=["p"])
    table = table.assign(usable=[True, False], reason=["", "no spread"])
    result = component_network(table, inactive=["p"])
    assert result.left_out.to_dict("records") == [{"study_id": "s2", "reason": "no spread"}]
    assert list(result.components["component"]) == ["a"]
