"""Funnel asymmetry, PET-PEESE and limit meta-analysis against metafor and R's lm (tests/reference/small_study.R)."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headache_evidence.errors import InputError
from headache_evidence.pools.limit_meta_analysis import limit_meta_analysis
from headache_evidence.pools.pet_peese import pet_peese
from headache_evidence.pools.small_study_regression import mixed_effects_line
from headache_evidence.pools.small_study_tests import begg, egger, harbord, peters

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "small_study.json").read_text())
CASES = pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: case["name"])
TABLES = pytest.mark.parametrize("table", REFERENCE["binary"], ids=lambda table: table["name"])
CLOSED_FORM = 1e-6  # relative
ITERATIVE = 1e-4  # relative; tau2 is found numerically by both programs
NEAR_ZERO = 1e-9  # absolute, for values that are zero but for rounding


def data(case):
    return {"yi": case["yi"], "vi": case["vi"], "override": True}


@CASES
def test_egger_lm_agrees_with_regtest(case):
    reference = case["egger_lm"]
    found = egger(**data(case))
    assert found.statistic == pytest.approx(reference["t"], rel=CLOSED_FORM)
    assert found.df == reference["df"]
    assert found.p_value == pytest.approx(reference["p"], rel=CLOSED_FORM)
    assert found.limit == pytest.approx(reference["limit"], rel=CLOSED_FORM)
    assert found.limit_ci == pytest.approx(tuple(reference["ci"]), rel=CLOSED_FORM)
    by_variance = egger(**data(case), predictor="vi")
    assert by_variance.statistic == pytest.approx(case["egger_vi"]["t"], rel=CLOSED_FORM)
    assert by_variance.limit == pytest.approx(case["egger_vi"]["limit"], rel=CLOSED_FORM)


@CASES
def test_egger_rma_agrees_with_regtest(case):
    reference = case["egger_rma"]
    found = egger(**data(case), model="rma")
    assert found.tau2 == pytest.approx(reference["tau2"], rel=ITERATIVE, abs=NEAR_ZERO)
    assert found.statistic == pytest.approx(reference["z"], rel=ITERATIVE)
    assert found.p_value == pytest.approx(reference["p"], rel=ITERATIVE)
    assert found.limit == pytest.approx(reference["limit"], rel=ITERATIVE)
    assert found.limit_ci == pytest.approx(tuple(reference["ci"]), rel=ITERATIVE)
    moments = egger(**data(case), model="rma", method="DL")
    assert moments.tau2 == pytest.approx(case["egger_rma_dl"]["tau2"], rel=CLOSED_FORM, abs=NEAR_ZERO)
    assert moments.statistic == pytest.approx(case["egger_rma_dl"]["z"], rel=CLOSED_FORM)


@CASES
def test_begg_agrees_with_ranktest(case):
    found = begg(**data(case))
    assert found.statistic == pytest.approx(case["begg"]["tau"], rel=CLOSED_FORM, abs=NEAR_ZERO)
    assert found.p_value == pytest.approx(case["begg"]["p"], rel=CLOSED_FORM)


@TABLES
def test_peters_and_harbord_agree_with_lm(table):
    counts = {name: table[name] for name in ("ai", "n1i", "ci", "n2i")}
    for test, reference in ((peters, table["peters"]), (harbord, table["harbord"])):
        found = test(**counts, override=True)
        assert found.statistic == pytest.approx(reference["t"], rel=CLOSED_FORM)
        assert found.p_value == pytest.approx(reference["p"], rel=CLOSED_FORM)
        assert found.limit == pytest.approx(reference["limit"], rel=CLOSED_FORM)
    effects = pd.DataFrame(
        {"events1": table["ai"], "n1": table["n1i"], "events2": table["ci"], "n2": table["n2i"], "usable": True}
    )
    assert peters(effects, override=True).statistic == pytest.approx(table["peters"]["t"], rel=CLOSED_FORM)


@CASES
def test_pet_peese_agrees_with_lm_and_rma(case):
    found = pet_peese(**data(case))
    assert (found.pet, found.pet_se, found.pet_p) == pytest.approx(
        (case["pet"]["estimate"], case["pet"]["se"], case["pet"]["p"]), rel=CLOSED_FORM
    )
    assert (found.peese, found.peese_se, found.peese_p) == pytest.approx(
        (case["peese"]["estimate"], case["peese"]["se"], case["peese"]["p"]), rel=CLOSED_FORM
    )
    assert found.chosen == ("PEESE" if case["pet"]["p"] < 0.10 else "PET")
    mixed = pet_peese(**data(case), model="rma")
    assert (mixed.pet, mixed.pet_se) == pytest.approx(
        (case["pet_rma"]["estimate"], case["pet_rma"]["se"]), rel=ITERATIVE
    )
    assert (mixed.peese, mixed.peese_se) == pytest.approx(
        (case["peese_rma"]["estimate"], case["peese_rma"]["se"]), rel=ITERATIVE
    )


@CASES
def test_limit_meta_analysis_agrees_with_its_regressions(case):
    for reference in case["limit"]:
        found = limit_meta_analysis(**data(case), method=reference["method"])
        assert found.alpha == pytest.approx(reference["alpha"], rel=ITERATIVE)
        assert found.beta == pytest.approx(reference["beta"], rel=ITERATIVE)
        assert found.estimate == pytest.approx(reference["adjusted"], rel=ITERATIVE)
        assert found.se == pytest.approx(reference["se"], rel=ITERATIVE)
        assert found.q == pytest.approx(reference["q"], rel=CLOSED_FORM)
        assert found.q_residual == pytest.approx(reference["q_residual"], rel=CLOSED_FORM)
        assert found.g2 == pytest.approx(100 * reference["g2"], rel=ITERATIVE)


def test_bcg_figures_known_from_metafor():
    """Figures noted on the BCG log risk ratios before this code existed."""
    case = REFERENCE["cases"][0]
    assert egger(**data(case)).statistic == pytest.approx(-1.4013, abs=5e-5)
    assert egger(**data(case), model="rma").statistic == pytest.approx(-0.8033, abs=5e-5)
    assert begg(**data(case)).statistic == pytest.approx(0.0256, abs=5e-5)
    assert begg(**data(case)).p_value == pytest.approx(0.9524, abs=5e-5)


def test_without_heterogeneity_the_limit_is_eggers():
    yi, vi = [0.10, 0.12, 0.09, 0.15, 0.11], [0.01, 0.02, 0.04, 0.08, 0.03]
    limit = limit_meta_analysis(yi=yi, vi=vi, override=True)
    assert limit.tau2 == 0
    assert limit.estimate == pytest.approx(egger(yi=yi, vi=vi, override=True).limit, rel=1e-9)
    assert limit.g2 == pytest.approx(0, abs=1e-9) or limit.g2 <= 100


@pytest.mark.parametrize("method", ["ML", "REML", "PM", "HE", "DL"])
def test_residual_heterogeneity_of_an_exact_line_is_zero(method):
    x = np.array([0.1, 0.2, 0.3, 0.4])
    fit = mixed_effects_line(1 + 2 * x, x**2, x, method)
    assert fit.coefficients == pytest.approx([1, 2])
    assert fit.tau2 == 0


@pytest.mark.parametrize("function", [egger, begg, pet_peese, limit_meta_analysis])
def test_below_min_k_there_are_words_and_no_numbers(function):
    found = function(yi=[0.1, 0.2, 0.4, 0.3], vi=[0.01, 0.02, 0.03, 0.04])
    assert not found.assessable
    assert found.words == "not assessable (k = 4)"
    numbers = {key: value for key, value in found.to_dict().items() if isinstance(value, float)}
    assert set(numbers) <= {"level"}
    assert function(yi=[0.1, 0.2, 0.4, 0.3], vi=[0.01, 0.02, 0.03, 0.04], min_k=4).assessable
    assert (
        "below the protocol's 10"
        in function(**data({"yi": [0.1, 0.2, 0.4, 0.3], "vi": [0.01, 0.02, 0.03, 0.04]})).words
    )


@pytest.mark.parametrize("function", [peters, harbord])
def test_tables_below_min_k_and_without_information(function):
    counts = {"ai": [1, 2, 3, 0], "n1i": [9, 9, 9, 9], "ci": [2, 3, 5, 0], "n2i": [9, 8, 7, 9]}
    assert function(**counts).words == "not assessable (k = 3)"
    assert "Left out 1" in function(**counts, override=True).words


@pytest.mark.parametrize("k", [1, 2])
def test_override_cannot_conjure_a_regression_from_two_studies(k):
    assert not egger(yi=[0.1] * k, vi=[0.1] * k, override=True).assessable


def test_equal_sizes_are_refused_with_the_reason():
    with pytest.raises(InputError, match="same size"):
        egger(yi=[0.1, 0.2, 0.3], vi=[0.1, 0.1, 0.1], override=True)
    assert "equally precise" in limit_meta_analysis(yi=[0.1, 0.2, 0.3], vi=[0.1] * 3, override=True).words


def test_wrong_arguments_are_named():
    with pytest.raises(InputError, match="model is"):
        egger(yi=[1.0], vi=[1.0], model="glm")
    with pytest.raises(InputError, match="regression on study size knows"):
        egger(yi=[0.1, 0.2, 0.3], vi=[0.1, 0.2, 0.3], model="rma", method="SJ", override=True)
    with pytest.raises(InputError, match="all of ai"):
        peters(ai=[1])
    with pytest.raises(InputError, match=r"not so in row\(s\) 2"):
        harbord(ai=[1, 9], n1i=[5, 5], ci=[1, 1], n2i=[5, 5])
    with pytest.raises(InputError, match="events2"):
        peters(pd.DataFrame({"events1": [1], "n1": [2]}))


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 1)), min_size=4, max_size=12, unique_by=lambda pair: pair[1]),
    st.floats(-2, 2),
)
def test_a_shift_moves_limits_and_leaves_tests_alone(pairs, shift):
    yi, vi = np.array(pairs).T
    if np.ptp(vi) < 0.05 or np.ptp(yi) < 0.05:
        return
    one, other = egger(yi=yi, vi=vi, override=True), egger(yi=yi + shift, vi=vi, override=True)
    assert other.limit == pytest.approx(one.limit + shift, rel=1e-6, abs=1e-6)
    assert other.statistic == pytest.approx(one.statistic, rel=1e-5, abs=1e-6)
    mirrored = egger(yi=-yi, vi=vi, override=True)
    assert mirrored.statistic == pytest.approx(-one.statistic, rel=1e-6, abs=1e-9)
    assert math.isclose(mirrored.p_value, one.p_value, rel_tol=1e-6)
