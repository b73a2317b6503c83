"""What escalc accepts, refuses and warns about, and its mathematical properties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headache_evidence as he
from headache_evidence.errors import InputError, StatisticalWarning

MEANS = {"m1i": 7.0, "sd1i": 2.38, "n1i": 10, "m2i": 6.5, "sd2i": 2.21, "n2i": 10}
EXACT = 1e-9


def test_published_smd_of_the_anchors_trial() -> None:
    """Figures from metafor 3.8-1 for 7 (2.38), n 10, against 6.5 (2.21), n 10."""
    got = he.escalc("SMD", **MEANS).iloc[0]
    assert got["yi"] == pytest.approx(0.20849461, abs=5e-9)
    assert got["vi"] == pytest.approx(0.20108675, abs=5e-9)
    assert he.escalc("SMD", vtype="UB", **MEANS)["vi"].iloc[0] == pytest.approx(0.20133658, abs=5e-9)


def test_columns_of_a_table_keep_its_index() -> None:
    table = pd.DataFrame(
        {"e1": [4, 6], "n1": [123, 306], "e2": pd.array([11, None], dtype="Int64"), "n2": [139, 303]}, index=["a", "b"]
    )
    got = he.escalc("RR", ai="e1", n1i="n1", ci="e2", n2i="n2", data=table)
    assert list(got.index) == ["a", "b"]
    assert got.loc["a", "yi"] == pytest.approx(-0.8893113339, abs=1e-9)  # first BCG trial
    assert got.loc["b"].isna().all()


def test_missing_correlation_keeps_the_mean_change() -> None:
    got = he.escalc("MC", m1i=5, m2i=8, sd1i=2, sd2i=3, ri=[0.5, None], ni=20)
    assert got["yi"].tolist() == [-3, -3]
    assert got["vi"].isna().tolist() == [False, True]


def test_double_zero_tables_can_be_dropped() -> None:
    got = he.escalc("OR", ai=[0, 1], n1i=20, ci=[0, 3], n2i=20, drop00=True)
    assert got["yi"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("measure", "arguments", "words"),
    [
        ("XX", MEANS, "unknown; allowed: MD, SMD"),
        ("MD", MEANS | {"vtype": "XX"}, 'vtype="XX" does not exist for MD'),
        ("OR", {"ai": 1, "n1i": 9, "ci": 1, "n2i": 9, "to": "some"}, "only0"),
        ("MD", {"m1i": 1, "m2i": 2, "n1i": 9, "n2i": 9, "sd1i": 1}, "not given: sd2i="),
        ("MD", MEANS | {"sd2i": [1.0, -2.0]}, "row 2: sd2i = -2"),
        ("MD", MEANS | {"n2i": [1, 10]}, "row 1: n2i = 1"),
        ("MD", MEANS | {"m1i": [1.0, np.inf]}, "row 2: m1i = inf"),
        ("MD", MEANS | {"m1i": ["many"]}, "m1i must hold numbers"),
        ("MD", MEANS | {"m1i": [1, 2, 3], "m2i": [1, 2]}, "m2i= has 2"),
        ("MC", {"m1i": 1, "m2i": 2, "sd1i": 1, "sd2i": 1, "ri": [0.5, 1.1], "ni": 9}, "row 2: ri = 1.1"),
        ("OR", {"ai": [1, 10], "n1i": 9, "ci": 1, "n2i": 9}, "row 2: ai = 10"),
        ("OR", {"ai": -1, "n1i": 9, "ci": 1, "n2i": 9}, "ai = -1"),
        ("OR", {"ai": 0, "n1i": 0, "ci": 1, "n2i": 9}, "n1i must be above 0"),
        ("OR", {"ai": 0, "bi": 0, "ci": 1, "n2i": 9}, "without patients"),
        ("OR", {"ai": 1, "bi": 2, "n1i": 4, "ci": 1, "n2i": 9}, "ai + bi"),
        ("OR", {"ai": 1, "ci": 1, "n2i": 9}, "bi= or n1i="),
        ("PR", {"xi": "events", "ni": 9}, "no data="),
        ("PR", {}, "no numbers"),
        ("SMD", MEANS | {"vtype": "UB", "correct": False}, "correct=True"),
    ],
)
def test_wrong_input_is_named(measure: str, arguments: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words.replace("+", r"\+")):
        he.escalc(measure, **arguments)


def test_errors_name_the_study() -> None:
    table = pd.DataFrame({"study_id": ["Lee2019", "Kim2021"], "x": [3, 12], "n": [10, 10]})
    with pytest.raises(InputError, match=r"row 2 \(Kim2021\): xi = 12"):
        he.escalc("PLO", xi="x", ni="n", data=table)
    with pytest.raises(InputError, match="not a column of data; it has study_id, x, n"):
        he.escalc("PLO", xi="events", ni="n", data=table)


def test_series_of_different_tables_are_refused() -> None:
    with pytest.raises(InputError, match="different indices"):
        he.escalc("PR", xi=pd.Series([1, 2], index=[0, 1]), ni=pd.Series([9, 9], index=[1, 0]))


def test_se_entered_as_sd_is_doubted() -> None:
    with pytest.warns(StatisticalWarning, match=r"row 2.*standard errors entered as standard deviations"):
        he.escalc("SMD", m1i=[5, 5], sd1i=[2, 0.3], n1i=40, m2i=6, sd2i=[2, 0.3], n2i=40)


def test_effect_without_spread_is_not_estimable() -> None:
    with pytest.warns(StatisticalWarning, match="not estimable from the numbers of row 1"):
        got = he.escalc("SMD", m1i=5, sd1i=0, n1i=40, m2i=6, sd2i=0, n2i=40)
    assert got.isna().all(axis=None)


def test_uncorrected_smd_is_cohens_d() -> None:
    got = he.escalc("SMD", correct=False, **MEANS)["yi"].iloc[0]
    assert got == pytest.approx(0.5 / np.sqrt((2.38**2 + 2.21**2) / 2), abs=EXACT)


mean, sd = st.floats(-50, 50), st.floats(0.5, 30)
size = st.integers(2, 500)
group = st.tuples(mean, sd, size)


@given(first=group, second=group, scale=st.floats(0.1, 10), measure=st.sampled_from(["MD", "SMD", "SMDH"]))
@pytest.mark.filterwarnings("ignore::headache_evidence.errors.StatisticalWarning")
def test_unit_of_measurement(first: tuple, second: tuple, scale: float, measure: str) -> None:
    """MD scales with the unit and its variance with the square; standardised differences do not depend on it."""
    names = ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")
    one = he.escalc(measure, **dict(zip(names, (*first, *second), strict=True)))
    scaled = [(m * scale, s * scale, n) for m, s, n in (first, second)]
    other = he.escalc(measure, **dict(zip(names, (*scaled[0], *scaled[1]), strict=True)))
    factor = scale if measure == "MD" else 1.0
    np.testing.assert_allclose(other["yi"], one["yi"] * factor, rtol=EXACT, atol=1e-9)
    np.testing.assert_allclose(other["vi"], one["vi"] * factor**2, rtol=EXACT)


@given(first=group, second=group, measure=st.sampled_from(["MD", "SMD", "SMDH"]))
@pytest.mark.filterwarnings("ignore::headache_evidence.errors.StatisticalWarning")
def test_swapping_groups_of_means_changes_the_sign_only(first: tuple, second: tuple, measure: str) -> None:
    names = ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")
    one = he.escalc(measure, **dict(zip(names, (*first, *second), strict=True)))
    other = he.escalc(measure, **dict(zip(names, (*second, *first), strict=True)))
    np.testing.assert_allclose(other["yi"], -one["yi"], rtol=EXACT, atol=1e-12)
    np.testing.assert_allclose(other["vi"], one["vi"], rtol=EXACT)


@given(
    counts=st.tuples(*[st.integers(0, 40)] * 4).filter(lambda c: c[0] + c[1] > 0 and c[2] + c[3] > 0),
    measure=st.sampled_from(["OR", "PETO", "RD", "RR", "AS"]),
)
@pytest.mark.filterwarnings("ignore::headache_evidence.errors.StatisticalWarning")
def test_swapping_groups_of_counts_changes_the_sign_only(counts: tuple[int, ...], measure: str) -> None:
    a, b, c, d = counts
    one = he.escalc(measure, ai=a, bi=b, ci=c, di=d)
    other = he.escalc(measure, ai=c, bi=d, ci=a, di=b)
    np.testing.assert_allclose(other["yi"], -one["yi"], rtol=EXACT, atol=1e-12)
    np.testing.assert_allclose(other["vi"], one["vi"], rtol=EXACT)


@given(n=st.integers(2, 200), r=st.floats(-0.9, 0.8))
def test_variance_of_a_change_falls_with_n_and_r(n: int, r: float) -> None:
    change = {"m1i": 5, "m2i": 8, "sd1i": 2, "sd2i": 3}
    v = he.escalc("MC", **change, ri=[r, r + 0.1, r], ni=[n, n, n + 1])["vi"]
    assert v[0] > v[1]
    assert v[0] > v[2]
