"""Diagnostics and permutation tests against metafor 3.8-1 (tests/reference/pooling.R)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headache_evidence.pools.gosh import gosh
from headache_evidence.pools.influence import baujat, influence
from headache_evidence.pools.leave_one_out import cumulative, leave_one_out
from headache_evidence.pools.permutation import permutation_test

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "pooling.json").read_text(encoding="utf-8"))
SETS: dict[str, dict[str, Any]] = REFERENCE["sets"]
TOLERANCE = 1e-5  # metafor refits with its own stopping rule when it leaves a study out
ROUNDING = 1e-13  # metafor leaves such remainders where tau2 or a change is zero
ROUNDING_PERCENT = 1e-9
DIAGNOSED = [name for name, entry in SETS.items() if "leave_one_out" in entry]

RESULT_COLUMNS = {
    "estimate": "estimate",
    "se": "se",
    "statistic": "zval",
    "p_value": "pval",
    "ci_lower": "ci.lb",
    "ci_upper": "ci.ub",
    "q": "Q",
    "q_p": "Qp",
    "tau2": "tau2",
    "i2": "I2",
    "h2": "H2",
}
INFLUENCE_COLUMNS = {
    "rstudent": "rstudent",
    "dffits": "dffits",
    "cook_d": "cook.d",
    "cov_r": "cov.r",
    "tau2_del": "tau2.del",
    "QE_del": "QE.del",
    "hat": "hat",
    "weight": "weight",
    "dfbs": "dfbs",
}


def compare(found: pd.DataFrame, expected: dict[str, Any], names: dict[str, str]) -> None:
    for ours, theirs in names.items():
        wanted = np.array(expected[theirs], dtype=float)
        finite = wanted[np.isfinite(wanted)]
        scale = float(np.abs(finite).max()) if finite.size else 1.0
        rounding = ROUNDING_PERCENT if ours == "i2" else ROUNDING
        np.testing.assert_allclose(
            found[ours],
            wanted,
            rtol=TOLERANCE,
            atol=TOLERANCE * scale + rounding,
            equal_nan=True,
            err_msg=f"{ours} ~ {theirs}",
        )


def test_grid_is_complete() -> None:
    assert len(DIAGNOSED) >= 12
    for name in DIAGNOSED:
        assert {"influence_z", "leave_one_out", "baujat"} <= set(SETS[name])


@pytest.mark.parametrize("name", DIAGNOSED)
def test_leave_one_out(name: str) -> None:
    entry = SETS[name]
    compare(leave_one_out(yi=entry["yi"], vi=entry["vi"], ci="wald"), entry["leave_one_out"], RESULT_COLUMNS)


@pytest.mark.parametrize("test", ["z", "knha"])
@pytest.mark.parametrize("name", [name for name in DIAGNOSED if name != "identical_effects"])
def test_influence(name: str, test: str) -> None:
    entry = SETS[name]
    found = influence(yi=entry["yi"], vi=entry["vi"], ci="wald" if test == "z" else "knapp-hartung")
    expected = entry[f"influence_{test}"]
    compare(found, expected, INFLUENCE_COLUMNS)
    assert found["flag"].tolist() == expected["flag"]


@pytest.mark.parametrize("name", DIAGNOSED)
def test_baujat(name: str) -> None:
    entry = SETS[name]
    compare(baujat(yi=entry["yi"], vi=entry["vi"]), entry["baujat"], {"x": "x", "y": "y"})


def test_cumulative_by_year() -> None:
    entry = SETS["bcg_rr"]
    found = cumulative(yi=entry["yi"], vi=entry["vi"], order=entry["year"], ci="wald")
    assert found["order"].is_monotonic_increasing
    later = found.iloc[1:]
    expected = {key: values[1:] for key, values in entry["cumulative"].items()}
    compare(later, expected, {key: value for key, value in RESULT_COLUMNS.items() if value in expected})
    first = found.iloc[0]
    assert first["k"] == 1
    assert np.isnan(first["tau2"])  # metafor prints 0 for a single study
    assert first["estimate"] == pytest.approx(entry["cumulative"]["estimate"][0])


def test_gosh_of_six_studies() -> None:
    entry = SETS["hine1989_rd"]
    expected = pd.DataFrame(entry["gosh"]).sort_values("members", ignore_index=True)
    found = gosh(yi=entry["yi"], vi=entry["vi"])
    assert found["members"].tolist() == expected["members"].tolist() == list(range(1, 64))
    assert found["k"].tolist() == expected["k"].tolist()
    several = found["k"] > 1
    columns = expected[several].to_dict("list")
    compare(found[several], columns, {"estimate": "estimate", "tau2": "tau2", "i2": "I2", "q": "QE"})
    np.testing.assert_allclose(found["estimate"][~several], expected["estimate"][~several], rtol=TOLERANCE, atol=1e-12)
    assert found.loc[~several, ["tau2", "i2", "q"]].isna().all(axis=None)


@pytest.mark.parametrize("ci", ["wald", "knapp-hartung"])
@pytest.mark.parametrize("name", [name for name, entry in SETS.items() if "permutation" in entry])
def test_exact_permutation(name: str, ci: str) -> None:
    entry = SETS[name]
    found = permutation_test(yi=entry["yi"], vi=entry["vi"], ci=ci)
    assert found.exact
    assert found.p_value == pytest.approx(entry["permutation"][ci], abs=1e-12)
