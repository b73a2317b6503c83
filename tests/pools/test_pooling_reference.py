"""Pooling against metafor 3.8-1: 26 data sets, eight estimators, three intervals (tests/reference/pooling.R)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headache_evidence.pools.pooling import pool

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "pooling.json").read_text(encoding="utf-8"))
SETS: dict[str, dict[str, Any]] = REFERENCE["sets"]
METHODS = ("FE", "DL", "HE", "ML", "REML", "PM", "SJ", "EB")
CLOSED_FORMS = ("FE", "DL", "HE", "SJ")
INTERVALS = ("wald", "knapp-hartung", "knapp-hartung-conservative")

CLOSED_TOLERANCE = 1e-9  # the effects in the file are rounded to 12 digits
ITERATIVE_TOLERANCE = 1e-8  # metafor stops when tau2 moves less than 1e-12 of the variance of the effects
CELLS = [(name, method, ci) for name in SETS for method in METHODS for ci in INTERVALS]


def close(found: float | tuple[float, ...], expected: Any, tolerance: float, scale: float = 0.0) -> None:
    """Equal within a relative tolerance; ``scale`` adds what rounding of quantities that large may leave."""
    wanted = np.array(expected, dtype=float)
    np.testing.assert_allclose(np.array(found), wanted, rtol=tolerance, atol=tolerance * scale, equal_nan=True)


def test_grid_is_complete() -> None:
    assert len(SETS) >= 18
    assert (
        sum(not name.startswith(("two_", "three_", "identical", "eight", "tiny", "large", "dom")) for name in SETS)
        >= 12
    )
    present = {(name, method) for name, entry in SETS.items() for method in entry["pooled"]}
    assert present == {(name, method) for name in SETS for method in METHODS}
    for entry in SETS.values():
        for cells in entry["pooled"].values():
            assert set(cells["fits"]) == set(INTERVALS)


@pytest.mark.parametrize(("name", "method", "ci"), CELLS)
def test_agrees_with_metafor(name: str, method: str, ci: str) -> None:
    entry = SETS[name]
    expected = entry["pooled"][method]
    cell = expected["fits"][ci]
    tolerance = CLOSED_TOLERANCE if method in CLOSED_FORMS else ITERATIVE_TOLERANCE
    spread = math.sqrt(max(np.var(entry["yi"]), min(entry["vi"])))
    result = pool(yi=entry["yi"], vi=entry["vi"], method=method, ci=ci)
    close(result.tau2, expected["tau2"], tolerance, spread**2)
    close(result.tau2_se, expected["tau2_se"], tolerance)
    close(result.i2, expected["i2"], tolerance, 100)
    close(result.h2, expected["h2"], tolerance)
    close(result.estimate, cell["estimate"], tolerance, spread)
    close(result.se, cell["se"], tolerance, spread if name == "identical_effects" else 0)
    close(result.ci, cell["ci"], tolerance, spread)
    if result.se > 0:
        close(result.statistic, cell["statistic"], tolerance, 1)
        close(result.p_value, cell["p_value"], 100 * tolerance)
    close(result.prediction_interval, cell.get("prediction", [None, None]), tolerance, spread)
    other = pool(yi=entry["yi"], vi=entry["vi"], method=method, ci=ci, prediction="k-2")
    close(other.prediction_interval, cell.get("prediction_k2", [None, None]), tolerance, spread)


@pytest.mark.parametrize("name", list(SETS))
def test_heterogeneity_agrees_with_metafor(name: str) -> None:
    entry = SETS[name]
    result = pool(yi=entry["yi"], vi=entry["vi"], method="DL")
    scale = float(np.var(entry["yi"]))
    close(result.q, entry["q"], CLOSED_TOLERANCE, 1)
    close(result.q_p, entry["q_p"], 100 * CLOSED_TOLERANCE)
    close(result.tau2_ci, entry["tau2_ci"], ITERATIVE_TOLERANCE, scale)
    close(result.i2_ci, entry["i2_ci"], ITERATIVE_TOLERANCE, 100)
    empty = any("Q-profile interval of tau2 is empty" in note for note in result.notes)
    assert empty == (entry["tau2_ci"] == [0, 0])
