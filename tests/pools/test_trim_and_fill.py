"""Trim and fill against metafor::trimfill (tests/reference/small_study.R)."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from headache_evidence.errors import InputError
from headache_evidence.pools.trim_and_fill import trim_and_fill

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "small_study.json").read_text())
FILLS = [(case, fill) for case in REFERENCE["cases"] for fill in case["trim_and_fill"]]
ITERATIVE = 1e-4  # relative; tau2 by REML
CLOSED_FORM = 1e-6  # relative; FE and DL
NEAR_ZERO = 1e-9


@pytest.mark.parametrize(
    ("case", "fill"), FILLS, ids=[f"{case['name']}-{fill['estimator']}-{fill['method']}" for case, fill in FILLS]
)
def test_agrees_with_metafor(case, fill):
    found = trim_and_fill(
        yi=case["yi"],
        vi=case["vi"],
        estimator=fill["estimator"],
        method=fill["method"],
        ci="wald",
        override=True,
    )
    tolerance = ITERATIVE if fill["method"] == "REML" else CLOSED_FORM
    assert (found.k0, found.side) == (fill["k0"], fill["side"])
    assert found.k0_se == pytest.approx(fill["se_k0"], rel=CLOSED_FORM)
    if fill["estimator"] == "R0":
        assert found.k0_p == pytest.approx(fill["p_k0"], rel=CLOSED_FORM)
    assert found.filled_yi == pytest.approx(fill["filled_yi"], rel=tolerance)
    assert found.filled_vi == pytest.approx(fill["filled_vi"], rel=CLOSED_FORM)
    assert found.adjusted.estimate == pytest.approx(fill["estimate"], rel=tolerance, abs=NEAR_ZERO)
    assert found.adjusted.se == pytest.approx(fill["se"], rel=tolerance)
    assert found.adjusted.tau2 == pytest.approx(fill["tau2"], rel=tolerance, abs=NEAR_ZERO)


def test_cut_off_side_of_a_symmetric_funnel_is_found_and_filled():
    """Synthetic: a symmetric funnel around 1 without its five lowest small studies."""
    vi = np.array([0.01, 0.02, 0.04, 0.05, 0.07, 0.09, 0.11, 0.13, 0.15, 0.17])
    lift = np.array([0.0, 0.02, 0.1, 0.16, 0.3, 0.42, 0.5, 0.6, 0.75, 0.9])
    yi = 1 + lift
    found = trim_and_fill(yi=yi, vi=vi, method="FE", ci="wald")
    assert found.side == "left"
    assert found.k0 > 0
    assert found.adjusted.estimate < found.unadjusted.estimate
    assert found.adjusted.k == 10 + found.k0
    mirrored = trim_and_fill(yi=-yi, vi=vi, method="FE", ci="wald")
    assert mirrored.side == "right"
    assert mirrored.adjusted.estimate == pytest.approx(-found.adjusted.estimate, rel=1e-9)


def test_symmetric_funnel_is_left_as_it_is():
    yi, vi = [0.01, 0.5, -0.49, 1.0, -1.01, 0.2, -0.21], [0.01, 0.1, 0.1, 0.3, 0.3, 0.05, 0.05]
    found = trim_and_fill(yi=yi, vi=vi, method="FE", ci="wald", override=True)
    assert found.k0 == 0
    assert found.adjusted == found.unadjusted


def test_few_studies_are_not_assessable():
    found = trim_and_fill(yi=[0.1, 0.2, 0.4, 0.3], vi=[0.01, 0.02, 0.03, 0.04])
    assert found.words == "not assessable (k = 4)"
    assert found.adjusted is None
    assert math.isnan(found.k0_se)
    json.dumps(found.to_dict(), allow_nan=False)


def test_result_is_json_ready():
    case = REFERENCE["cases"][0]
    found = trim_and_fill(yi=case["yi"], vi=case["vi"]).to_dict()
    json.dumps(found, allow_nan=False)
    assert found["adjusted"]["k"] == 14


def test_wrong_arguments_are_named():
    with pytest.raises(InputError, match="estimator is"):
        trim_and_fill(yi=[1.0], vi=[1.0], estimator="L1")
