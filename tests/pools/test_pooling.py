"""What pool promises beyond the reference figures: edges, errors, notes, invariances, PyMARE and batch agreement."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headache_evidence.effects.effect_table import StudyData
from headache_evidence.errors import InputError
from headache_evidence.pools import pymare_adapter
from headache_evidence.pools.pool_columns import PooledColumns, pool_columns
from headache_evidence.pools.pooling import pool
from headache_evidence.pools.tau2_estimators import METHODS, estimate_tau2
from headache_evidence.pools.tau2_likelihood import profile_log_likelihood
from headache_evidence.pools.tau2_moments import solve_generalised_q
from headache_evidence.pools.weighted_sums import weighted_sums

CI_METHODS = ("wald", "knapp-hartung", "knapp-hartung-conservative")


def simulated(k: int, columns: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Synthetic effects: variances over three orders of magnitude, tau2 from 0 to large."""
    rng = np.random.default_rng(seed)
    vi = 10 ** rng.uniform(-2, 1, (k, columns))
    tau2 = rng.choice([0.0, 0.05, 1.0, 10.0], columns)
    return rng.normal(0.3, np.sqrt(vi + tau2)), vi


def studies(smallest: int = 2, largest: int = 8) -> st.SearchStrategy[tuple[list[float], list[float]]]:
    effect = st.floats(-5, 5).map(lambda x: round(x, 6))
    variance = st.floats(-3, 2).map(lambda x: round(10**x, 6))
    pairs = st.lists(st.tuples(effect, variance), min_size=smallest, max_size=largest)
    return pairs.map(lambda rows: ([row[0] for row in rows], [row[1] for row in rows]))


def test_no_evidence_is_a_result() -> None:
    result = pool(pd.DataFrame({"yi": [], "vi": [], "label": []}))
    assert not result.estimable
    assert result.k == 0
    assert result.notes == ("no usable evidence",)
    assert json.loads(json.dumps(result.to_dict()))["estimate"] is None


def test_single_study_keeps_its_own_wald_interval() -> None:
    result = pool(yi=[0.5], vi=[0.04], ci="knapp-hartung")
    half = 1.959963984540054 * 0.2
    assert result.ci == pytest.approx((0.5 - half, 0.5 + half))
    assert (result.ci_method, result.statistic_name, result.weights) == ("wald", "z", (100.0,))
    assert math.isnan(result.tau2)
    assert math.isnan(result.prediction_interval[0])
    assert "single study" in result.notes[0]


def test_two_studies_are_flagged() -> None:
    result = pool(yi=[0.1, 0.9], vi=[0.04, 0.09])
    assert result.df == 1
    assert any("1 degree of freedom" in note for note in result.notes)
    assert math.isnan(result.prediction_interval[0])


def test_conservative_interval_does_not_collapse() -> None:
    yi, vi = [0.50, 0.49, 0.51], [0.10, 0.05, 0.20]
    plain, guarded, wald = (pool(yi=yi, vi=vi, ci=ci) for ci in ("knapp-hartung", CI_METHODS[2], "wald"))
    assert plain.se < 0.006
    assert guarded.se == pytest.approx(wald.se)
    assert guarded.ci[1] - guarded.ci[0] > wald.ci[1] - wald.ci[0]


def test_identical_effects_give_no_test() -> None:
    result = pool(yi=[0.3] * 4, vi=[0.1, 0.2, 0.3, 0.4], ci="knapp-hartung")
    assert result.se == 0
    assert math.isnan(result.statistic)
    assert any("identical effects" in note for note in result.notes)


@pytest.mark.parametrize("bad", [0.0, -0.1, math.nan, math.inf])
def test_unusable_variance_names_the_study(bad: float) -> None:
    with pytest.raises(InputError, match="Smith 2020"):
        pool(yi=[1.0, 2.0], vi=[0.1, bad], labels=["Jones 2019", "Smith 2020"])


@pytest.mark.parametrize(
    "wrong",
    [{"method": "XX"}, {"ci": "hksj"}, {"level": 95}, {"prediction": "riley"}, {"n": [1, 2, 3]}],
)
def test_unknown_option_says_what_is_allowed(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        pool(yi=[1.0, 2.0], vi=[0.1, 0.2], **wrong)  # type: ignore[arg-type]


def test_effects_table_gives_patients_measure_and_usable_rows() -> None:
    table = pd.DataFrame(
        {
            "label": ["A", "B", "C"],
            "yi": [0.1, 0.2, math.nan],
            "vi": [0.1, 0.1, math.nan],
            "n1": [10, 20, 30],
            "n2": [11, 21, 31],
            "measure": "MD",
            "stream": "controlled",
            "usable": [True, True, False],
        }
    )
    result = pool(table)
    assert (result.k, result.n, result.measure, result.labels) == (2, 62, "MD", ("A", "B"))
    assert math.isnan(pool(table.assign(n2=[11, math.nan, 31])).n)
    assert pool(table.assign(stream="before_after", n2=math.nan)).n == 30
    assert "different measures" in pool(table.assign(measure=["MD", "SMD", "SMD"])).notes[0]


def test_common_effect_has_aliases_and_no_prediction() -> None:
    result = pool(yi=[0.1, 0.9, 0.4], vi=[0.04, 0.09, 0.1], method="EE")
    assert (result.method, result.tau2) == ("FE", 0.0)
    assert math.isnan(result.prediction_interval[0])
    assert result.i2 == result.i2_q


@pytest.mark.parametrize("method", ["ML", "REML"])
def test_tau2_agrees_with_pymare(method: str) -> None:
    yi, vi = simulated(8, 60)
    ours = estimate_tau2(yi, vi, method)
    for column in range(yi.shape[1]):
        data = StudyData(yi[:, column], vi[:, column], tuple("abcdefgh"))
        theirs = pymare_adapter.fit(data, method, "wald").tau2
        scale = vi[:, column].mean()  # PyMARE's search resolves tau2 in units of it
        assert ours[column] == pytest.approx(theirs, rel=1e-4, abs=1e-6 * scale)


@pytest.mark.parametrize("restricted", [True, False])
def test_likelihood_maximum_is_the_highest_hill(restricted: bool) -> None:
    rng = np.random.default_rng(3)
    vi = 10 ** rng.uniform(-4, 4, (4, 200))
    yi = rng.normal(0, np.sqrt(vi + 10 ** rng.uniform(-4, 3, 200)))
    found = profile_log_likelihood(yi, vi, estimate_tau2(yi, vi, "REML" if restricted else "ML"), restricted)
    for tau2 in [0.0, *10 ** np.arange(-8, 9, 0.1)]:
        assert (profile_log_likelihood(yi, vi, np.full(200, tau2), restricted) <= found + 1e-9).all()


@pytest.mark.parametrize("k", [1, 2, 3, 7])
@pytest.mark.parametrize("ci", CI_METHODS)
@pytest.mark.parametrize("method", METHODS)
def test_columns_agree_with_single_fits(method: str, ci: str, k: int) -> None:
    yi, vi = simulated(k, 5)
    columns = pool_columns(yi, vi, method, ci)
    for column in range(5):
        one = pool(yi=yi[:, column], vi=vi[:, column], method=method, ci=ci)
        single = {**vars(one), "ci_lower": one.ci[0], "ci_upper": one.ci[1]}
        for field in fields(PooledColumns):
            found = getattr(columns, field.name)[column]
            assert found == pytest.approx(single[field.name], rel=1e-9, abs=1e-12, nan_ok=True), field.name


def test_columns_do_not_depend_on_their_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    yi, vi = simulated(6, 50)
    whole = pool_columns(yi, vi)
    monkeypatch.setattr("headache_evidence.pools.pool_columns.CHUNK_ELEMENTS", 42)
    for field in fields(PooledColumns):
        np.testing.assert_array_equal(getattr(whole, field.name), getattr(pool_columns(yi, vi), field.name))


def test_columns_refuse_bad_input_by_name() -> None:
    with pytest.raises(InputError, match="study 2 of column 3"):
        pool_columns(np.zeros((2, 3)), np.array([[1.0, 1, 1], [1, 1, 0]]))
    with pytest.raises(InputError, match="shape"):
        pool_columns(np.zeros(3), np.ones(3))


@settings(max_examples=40)
@given(studies())
def test_generalised_q_is_solved(rows: tuple[list[float], list[float]]) -> None:
    yi, vi = (np.array(values)[:, None] for values in rows)
    targets = np.array([0.01, 1.0, 5.0, 30.0])
    tau2 = solve_generalised_q(yi, vi, targets)
    at_zero = float(weighted_sums(yi, vi, 0.0).q[0])
    for target, root in zip(targets, tau2, strict=True):
        expected = target if at_zero > target else at_zero
        assert float(weighted_sums(yi, vi, root).q[0]) == pytest.approx(expected, rel=1e-7, abs=1e-12)


@settings(max_examples=40)
@given(studies(), st.sampled_from(METHODS), st.sampled_from(CI_METHODS))
def test_shift_scale_and_order(rows: tuple[list[float], list[float]], method: str, ci: str) -> None:
    yi, vi = (np.array(values) for values in rows)
    base = pool(yi=yi, vi=vi, method=method, ci=ci)
    size = float(np.abs(yi).max()) + 1
    shifted = pool(yi=yi + 3, vi=vi, method=method, ci=ci)
    assert shifted.estimate == pytest.approx(base.estimate + 3, abs=1e-6 * size)
    assert shifted.tau2 == pytest.approx(base.tau2, rel=1e-5, abs=1e-7)
    scaled = pool(yi=10 * yi, vi=100 * vi, method=method, ci=ci)
    assert scaled.estimate == pytest.approx(10 * base.estimate, rel=1e-5, abs=1e-5)
    assert scaled.tau2 == pytest.approx(100 * base.tau2, rel=1e-5, abs=1e-5)
    turned = pool(yi=yi[::-1], vi=vi[::-1], method=method, ci=ci)
    assert turned.estimate == pytest.approx(base.estimate, rel=1e-6, abs=1e-7)
    assert turned.weights[::-1] == pytest.approx(base.weights, rel=1e-5)
    assert sum(base.weights) == pytest.approx(100)
    assert base.ci[0] <= base.estimate <= base.ci[1]
    assert yi.min() - 1e-9 <= base.estimate <= yi.max() + 1e-9


def test_import_does_not_load_pymare() -> None:
    code = "import sys, headache_evidence.pools.pooling; sys.exit('pymare' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("method", ["ML", "REML"])
@pytest.mark.parametrize("effect", [0.0, 0.1, 0.3, -100.7, 1e6])
@pytest.mark.parametrize("k", [2, 3, 12])
def test_tau2_of_identical_effects_is_zero_whatever_the_rounding_of_their_mean(method, effect, k):
    vi = np.linspace(0.1, 0.25, k)
    assert pool(yi=np.full(k, effect), vi=vi, method=method).tau2 == 0.0
