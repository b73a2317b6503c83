"""The multiverse of real questions against extraction and pooling done one by one, and its summaries by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headache_evidence.effects.correlation import PrePostCorrelation
from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.effects.escalc import escalc
from headache_evidence.effects.extract import effects_of, extract_effects, request_for
from headache_evidence.effects.extraction_tables import extraction_tables
from headache_evidence.errors import InputError, ParameterError
from headache_evidence.pools.multiverse import Multiverse, multiverse
from headache_evidence.pools.multiverse_choices import CHOICES
from headache_evidence.pools.multiverse_effects import effect_arrays
from headache_evidence.pools.multiverse_scale import CommonScale
from headache_evidence.pools.multiverse_sweep import EffectSets, sweep
from headache_evidence.pools.pooling import pool
from headache_evidence.tables.evidence import load_evidence
from headache_evidence.tables.protocol import load_protocol

DATA = Path(__file__).parents[2] / "data"
CONTROLLED = {"outcome": "headache_days", "window": "medium"}
BEFORE_AFTER = {"outcome": "pain_intensity", "stream": "before_after", "window": "medium"}
ROUNDING = {"rel": 1e-9, "abs": 1e-12}  # pool and pool_columns share their solver


@pytest.fixture(scope="module")
def protocol():
    return load_protocol(DATA / "protocol.yml")


@pytest.fixture(scope="module")
def evidence():
    return load_evidence(DATA)


@pytest.fixture(scope="module")
def controlled(evidence, protocol):
    return multiverse(evidence, protocol, "migraine", **CONTROLLED)


@pytest.fixture(scope="module")
def before_after(evidence, protocol):
    return multiverse(evidence, protocol, "migraine", **BEFORE_AFTER, threshold=-2.0)


def only_row(result, **options):
    main = {name: values[0] for name, values in result.options.items()} | options
    table = result.table
    at = np.logical_and.reduce([table[name] == main[name] for name in CHOICES])
    assert at.sum() == 1
    return table.loc[at].iloc[0]


def one_by_one(evidence, protocol, question, window, *, design="all", measure=None, technique=None):
    """The effects of one specification, extracted by themselves."""
    techniques = (technique,) if technique else protocol.interventions["injection"].techniques
    narrowed = {"injection": protocol.interventions["injection"].model_copy(update={"techniques": techniques})}
    return usable_effects(
        extract_effects(
            evidence,
            headache_type="migraine",
            outcome=question["outcome"],
            stream=question.get("stream", "controlled"),
            weeks=protocol.windows[window].weeks,
            target_weeks=protocol.windows["medium"].target,
            accept_unknown_time=protocol.windows[window].accept_unknown_time,
            design=design,
            measure=measure,
            protocol=protocol.model_copy(update={"interventions": narrowed}),
        )
    )


@pytest.mark.parametrize("name", ["controlled", "before_after"])
def test_has_one_row_per_combination_of_the_declared_choices(name, request):
    result = request.getfixturevalue(name)
    assert len(result.table) == math.prod(len(options) for options in result.options.values())
    assert not result.table.duplicated(list(CHOICES)).any()
    assert result.empty == (result.table["k"] == 0).sum()
    assert result.table.loc[result.table["k"] == 0, ["estimate", "p", "significant"]].isna().all(axis=None)


def test_main_row_is_the_protocols_own_analysis(evidence, protocol, controlled):
    effects = one_by_one(evidence, protocol, CONTROLLED, "medium", design="randomised")
    expected = pool(effects, method=protocol.model.method, ci=protocol.model.ci)
    main = controlled.table.iloc[controlled.main]
    assert main["k"] == expected.k
    assert main["n"] == expected.n
    assert main[["estimate", "ci_low", "ci_high", "p"]].tolist() == pytest.approx(
        [expected.estimate, *expected.ci, expected.p_value], **ROUNDING
    )


@pytest.mark.parametrize("window", ["medium", "any"])
@pytest.mark.parametrize("method", ["DL", "SJ"])
@pytest.mark.parametrize("ci", ["wald", "knapp-hartung"])
@pytest.mark.parametrize(("doubtful", "risk_of_bias"), [("kept", "not_high"), ("left_out", "any")])
def test_each_specification_is_what_pool_gives(
    evidence, protocol, before_after, window, method, ci, doubtful, risk_of_bias
):
    effects = one_by_one(evidence, protocol, BEFORE_AFTER, window)
    if doubtful == "left_out":
        effects = effects.loc[~effects["doubtful"].astype(bool)]
    if risk_of_bias == "not_high":
        effects = effects.loc[~effects["risk_of_bias"].isin(["high", "serious", "critical"])]
    row = only_row(
        before_after, window=window, tau2_method=method, ci_method=ci, doubtful=doubtful, risk_of_bias=risk_of_bias
    )
    assert row["k"] == len(effects)
    if len(effects):
        expected = pool(effects, method=method, ci=ci)
        found = row[["estimate", "ci_low", "ci_high"]].tolist()
        assert found == pytest.approx([expected.estimate, *expected.ci], **ROUNDING)


@pytest.mark.parametrize("correlation", [0.3, 0.8])
def test_another_correlation_is_extracted_as_by_itself(evidence, protocol, before_after, correlation):
    tables = extraction_tables(evidence, protocol.extraction).about("migraine", "pain_intensity")
    tables = replace(tables, correlation=PrePostCorrelation(correlation, "assumed"))
    request = replace(request_for(before_after.question, protocol), weeks=(0.0, 600.0), accept_unknown_time=True)
    effects = usable_effects(effects_of(tables, request))
    expected = pool(effects, method=protocol.model.method, ci=protocol.model.ci)
    row = only_row(before_after, window="any", pre_post_correlation=f"{correlation:g}")
    assert [row["estimate"], row["ci_low"]] == pytest.approx([expected.estimate, expected.ci[0]], **ROUNDING)
    other = only_row(before_after, window="any")
    assert row["ci_low"] != other["ci_low"], "the fixture must hold an effect that the correlation bears on"


@pytest.mark.parametrize("technique", ["hydrodissection", "perineural_block"])
def test_one_technique_is_extracted_as_by_itself(evidence, protocol, before_after, technique):
    effects = one_by_one(evidence, protocol, BEFORE_AFTER, "any", technique=technique)
    row = only_row(before_after, window="any", techniques=technique)
    assert row["k"] == len(effects)
    expected = pool(effects, method=protocol.model.method, ci=protocol.model.ci)
    assert row["estimate"] == pytest.approx(expected.estimate, nan_ok=True, **ROUNDING)


def test_standardised_differences_are_shown_in_the_main_unit(evidence, protocol, controlled):
    effects = one_by_one(evidence, protocol, CONTROLLED, "medium", design="randomised", measure="SMD")
    expected = pool(effects, method=protocol.model.method)
    within = ((effects["n1"] - 1) * effects["sd1"] ** 2 + (effects["n2"] - 1) * effects["sd2"] ** 2) / (
        effects["n1"] + effects["n2"] - 2
    )
    row = only_row(controlled, measure="SMD")
    assert row["own_estimate"] == pytest.approx(expected.estimate, **ROUNDING)
    assert row["estimate"] == pytest.approx(expected.estimate * np.sqrt(within).median(), **ROUNDING)


def test_active_comparators_only_fill_gaps(controlled):
    keys = [name for name in CHOICES if name != "comparators"]
    wide = controlled.table.pivot(index=keys, columns="comparators", values="k")
    assert (wide["active too"] >= wide["inactive"]).all()


def test_equal_sets_are_pooled_once(before_after):
    distinct = before_after.distinct
    assert before_after.sets_pooled < len(before_after.table) / 21
    assert not distinct.duplicated(["own_estimate", "ci_low", "tau2", "tau2_method", "ci_method", "k"]).any()
    assert (distinct["k"] > 0).all()
    sets = EffectSets()
    one, two = np.array([1.0, 2.0]), np.array([0.5, 0.6])
    assert [sets.number_of(one, two), sets.number_of(two, one), sets.number_of(one.copy(), two)] == [0, 1, 0]
    assert sets.number_of(one[:0], two[:0]) == -1
    assert len(sets.sets) == 2


@pytest.mark.parametrize("method", ["REML", "DL", "SJ"])
@pytest.mark.parametrize("ci", ["wald", "knapp-hartung-conservative"])
def test_sweep_is_pool_set_by_set(method, ci):
    rng = np.random.default_rng(4)
    sets = [(rng.normal(size=k), rng.uniform(0.1, 1.0, k)) for k in (1, 5, 2, 5, 3)]
    found = sweep(sets, ["PM", method], [ci], 0.9)
    for i, (yi, vi) in enumerate(sets):
        expected = pool(yi=yi, vi=vi, method=method, ci=ci, level=0.9)
        numbers = [found.estimate[i, 1, 0], found.ci_low[i, 1, 0], found.ci_high[i, 1, 0], found.p[i, 1, 0]]
        assert numbers == pytest.approx([expected.estimate, *expected.ci, expected.p_value], **ROUNDING)


def test_patients_lost_count_as_without_the_event(evidence, protocol):
    tables = extraction_tables(evidence, protocol.extraction)
    effects = usable_effects(
        extract_effects(
            evidence, headache_type="migraine", outcome="responder_50", stream="proportion", protocol=protocol
        )
    ).sort_values("study_id")
    single = ~effects["arm_1"].str.contains("+", regex=False)
    effects = effects.loc[single]
    doubled = {key: {**arm, "n_randomised": math.nan} for key, arm in tables.arm_facts.items()}
    first, *others = zip(effects["study_id"], effects["arm_1"], effects["n1"], strict=True)
    doubled[first[0], first[1]] = {**doubled[first[0], first[1]], "n_randomised": 2 * first[2]}
    arrays = effect_arrays(effects, replace(tables, arm_facts=doubled), frozenset())
    expected = escalc("PLO", xi=[effects["events1"].iloc[0]], ni=[2 * first[2]])
    assert arrays.yi["randomised"][0] == pytest.approx(expected["yi"].iloc[0])
    assert arrays.vi["randomised"][0] == pytest.approx(expected["vi"].iloc[0])
    assert arrays.n["randomised"][0] == 2 * arrays.n["analysed"][0]
    assert others
    np.testing.assert_array_equal(arrays.yi["randomised"][1:], arrays.yi["analysed"][1:])
    part = frozenset(effects["source_rows"].iloc[0].split("; "))
    assert effect_arrays(effects, replace(tables, arm_facts=doubled), part).n["randomised"][0] == first[2]


def test_a_risk_ratio_becomes_the_odds_ratio_of_the_same_table():
    scale = CommonScale("OR", comparator_risk=0.2)
    odds = math.log((0.5 / 0.5) / (0.2 / 0.8))
    converted = scale.to_main("RR", np.log([0.5 / 0.2, 1.0, 5.1, 6.0]))
    assert converted[:2] == pytest.approx([odds, 0.0], abs=1e-12)
    assert np.isposinf(converted[2:]).all()
    assert np.isnan(CommonScale("OR", comparator_risk=0.0).to_main("RR", np.array([0.1]))).all()
    assert np.isnan(scale.to_main("SMD", np.array([0.1]))).all()


def planted(effect_of_window=2.0, effect_of_design=0.5):
    """A multiverse of two choices whose effects add up, three studies each."""
    options = dict.fromkeys(CHOICES, ("only",)) | {"window": ("a", "b"), "design": ("c", "d", "none")}
    rows = [
        {name: values[0] for name, values in options.items()}
        | {"window": window, "design": design, "k": 3 if design != "none" else 0, "distinct": design != "none"}
        | {"estimate": effect_of_window * (window == "b") + effect_of_design * (design == "d") - 1}
        for window in options["window"]
        for design in options["design"]
    ]
    table = pd.DataFrame(rows)
    table.loc[table["design"] == "none", "estimate"] = math.nan
    table["significant"] = pd.array([True, False, pd.NA, False, False, pd.NA], dtype="boolean")
    question = load_protocol(DATA / "protocol.yml").all_questions[0]
    return Multiverse(question, "MD", 0.95, math.nan, options, table, 0, 4)


def test_influence_finds_the_choice_that_moves_the_result():
    table = planted().influence.set_index("choice")
    assert list(table.index) == ["window", "design"]
    assert table["range"].tolist() == pytest.approx([2.0, 0.5])
    assert table["variance_share"].tolist() == pytest.approx([4 / 4.25, 0.25 / 4.25])
    assert table.loc["window", ["lowest", "highest"]].tolist() == ["a", "b"]
    assert table.loc["design", ["options", "with_estimate"]].tolist() == [3, 2]
    still = planted(effect_of_design=0.0).influence.set_index("choice")
    assert still.loc["design", ["range", "variance_share"]].tolist() == [0, 0]
    assert still.loc["design", "lowest"] == ""


def test_shares_count_what_has_an_estimate():
    result = planted()
    assert result.share_significant == 0.25
    assert result.share_beyond(-0.6) == 0.25
    assert result.share_beyond(0.9) == 0.5
    assert result.share_beyond(-0.6, "above") == 0.75
    assert result.empty == 2
    with pytest.raises(InputError, match="direction"):
        result.share_beyond(0)
    with pytest.raises(InputError, match="sideways"):
        result.share_beyond(1, "sideways")


def test_significance_is_not_counted_for_two_studies_nor_for_shares_of_patients(evidence, protocol, controlled):
    few = controlled.table.loc[controlled.table["k"] < 3]
    assert len(few)
    assert few["significant"].isna().all()
    shares = multiverse(evidence, protocol, "migraine", "responder_50", "proportion")
    assert shares.table["p"].isna().all()
    assert math.isnan(shares.share_significant)


def test_beyond_threshold_follows_the_threshold(before_after):
    known = before_after.table.dropna(subset="estimate")
    assert (known["beyond_threshold"] == (known["estimate"] < -2.0)).all()
    assert before_after.share_beyond(-2.0) == pytest.approx((before_after.distinct["estimate"].dropna() < -2.0).mean())


def test_an_ambiguous_or_unknown_question_says_what_there_is(evidence, protocol):
    with pytest.raises(ParameterError, match=r"migraine\.headache_days\.controlled\.injection\.inactive.*short"):
        multiverse(evidence, protocol, "migraine", "headache_days")
    with pytest.raises(ParameterError, match="no question with these parts"):
        multiverse(evidence, protocol, "migraine", "mood")
