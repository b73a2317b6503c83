"""Step-function selection models against metafor::selmodel (tests/reference/selection_model.R)."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headache_evidence.errors import InputError
from headache_evidence.pools.selection_model import selection_model
from headache_evidence.pools.selection_model_likelihood import step_likelihood

CASES = json.loads((Path(__file__).parents[1] / "reference" / "selection_model.json").read_text())["cases"]
# Both programs maximise numerically. Estimates near zero are compared on the scale of their standard error.
ITERATIVE = 1e-4
LIKELIHOOD = 2e-5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_agrees_with_metafor(case):
    delta = case["fixed_delta"] if isinstance(case["fixed_delta"], list) else None
    fit = selection_model(
        yi=case["yi"], vi=case["vi"], steps=case["steps"], alternative=case["alternative"], delta=delta
    )
    assert fit.assessable
    assert fit.counts == tuple(case["counts"])
    assert fit.log_likelihood == pytest.approx(case["ll"], abs=LIKELIHOOD)
    assert fit.log_likelihood >= case["ll"] - 1e-6
    on_se = {"rel": ITERATIVE, "abs": ITERATIVE * case["se"]}
    assert fit.estimate == pytest.approx(case["estimate"], **on_se)
    assert fit.tau2 == pytest.approx(case["tau2"], rel=ITERATIVE, abs=ITERATIVE * case["se"])
    assert fit.delta == pytest.approx(case["delta"], rel=2 * ITERATIVE)
    assert fit.unadjusted == pytest.approx(case["unadjusted"], **on_se)
    assert fit.lrt == pytest.approx(case["lrt"], rel=ITERATIVE, abs=LIKELIHOOD)
    assert fit.lrt_df == case["lrt_df"]
    assert fit.tau2_lrt == pytest.approx(case["tau2_lrt"], rel=ITERATIVE, abs=LIKELIHOOD)
    assert fit.se == pytest.approx(case["se"], rel=ITERATIVE)
    if fit.tau2 > 0:  # on the boundary metafor differentiates across a kink; we give no standard error
        assert fit.tau2_se == pytest.approx(case["tau2_se"], rel=2 * ITERATIVE)
    else:
        assert math.isnan(fit.tau2_se)
    for ours, theirs in zip(fit.delta_se, case["delta_se"], strict=True):
        assert math.isnan(ours) if theirs is None else ours == pytest.approx(theirs, rel=2 * ITERATIVE)


@pytest.mark.parametrize("alternative", ["greater", "less", "two.sided"])
def test_gradient_is_the_derivative_of_the_likelihood(alternative):
    rng = np.random.default_rng(3)
    yi, vi = rng.normal(0.2, 0.4, 12), rng.uniform(0.01, 0.2, 12)
    likelihood = step_likelihood(yi, vi, np.array([0.05, 0.5, 1.0]), alternative)
    at = np.array([0.1, 0.07, 1.0, 0.6, 0.3])
    _, gradient = likelihood.value_and_gradient(at[0], at[1], at[2:])
    for i in range(at.size):
        step = np.zeros(at.size)
        step[i] = 1e-6
        up, down = at + step, at - step
        difference = (
            likelihood.value_and_gradient(up[0], up[1], up[2:])[0]
            - likelihood.value_and_gradient(down[0], down[1], down[2:])[0]
        ) / 2e-6
        assert gradient[i] == pytest.approx(difference, rel=1e-6, abs=1e-7)


def test_mirrored_effects_give_the_mirrored_fit():
    case = CASES[0]
    one = selection_model(yi=case["yi"], vi=case["vi"], alternative="less")
    other = selection_model(yi=-np.array(case["yi"]), vi=case["vi"], alternative="greater")
    assert other.estimate == pytest.approx(-one.estimate, rel=1e-6)
    assert other.se == pytest.approx(one.se, rel=1e-5)


def test_planted_selection_is_undone():
    """Synthetic: true mean .2, four in five studies without a significant result unpublished."""
    rng = np.random.default_rng(11)
    vi = rng.uniform(0.01, 0.15, 4000)
    yi = rng.normal(0.2, np.sqrt(vi + 0.02))
    published = (yi / np.sqrt(vi) > 1.96) | (rng.random(4000) < 0.2)
    fit = selection_model(yi=yi[published], vi=vi[published])
    assert fit.unadjusted > 0.3
    assert fit.estimate == pytest.approx(0.2, abs=4 * fit.se)
    assert fit.delta[1] == pytest.approx(0.2, abs=4 * fit.delta_se[1])
    assert fit.lrt_p < 1e-6


def test_too_few_studies_are_not_assessable():
    fit = selection_model(yi=[0.1, 0.5, 0.3, 0.2], vi=[0.01, 0.02, 0.03, 0.02])
    assert not fit.assessable
    assert fit.words == "not assessable (k = 4)"
    assert fit.to_dict()["estimate"] is None


def test_override_says_that_the_protocol_was_overridden():
    fit = selection_model(yi=[0.1, 0.5, 0.3, 0.2], vi=[0.01, 0.02, 0.03, 0.02], override=True)
    assert fit.assessable
    assert "below the protocol's 10" in fit.words


def test_an_interval_without_p_values_is_named():
    fit = selection_model(yi=np.full(12, 1.0), vi=np.full(12, 0.01))
    assert not fit.assessable
    assert "no p-value above 0.025 and up to 1" in fit.words


def test_the_direction_is_read_from_the_effects_table():
    case = CASES[0]
    effects = pd.DataFrame({"yi": case["yi"], "vi": case["vi"], "better": "lower"})
    assert selection_model(effects).alternative == "less"
    effects.loc[0, "better"] = "higher"
    with pytest.raises(InputError, match="give alternative"):
        selection_model(effects)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"steps": [1.2]}, "steps must be"), ({"steps": [1.0]}, "below 1"), ({"delta": [1.0]}, "one value for each")],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        selection_model(yi=CASES[0]["yi"], vi=CASES[0]["vi"], **arguments)
