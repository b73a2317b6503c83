"""escalc against metafor 3.8-1 over a grid with zeros, groups of two and extreme values (tests/reference/escalc.R)."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import headache_evidence as he
from headache_evidence.effects.escalc import VTYPES
from headache_evidence.effects.measures_means import bias_correction
from headache_evidence.errors import StatisticalWarning

REFERENCE = pd.read_csv(Path(__file__).parents[1] / "reference" / "escalc.csv", dtype={"to": "string"})
RELATIVE = 1e-8
# metafor takes the variance of the change from a difference of squares; where it cancels (r = 1 and equal SDs) both
# programs keep only rounding noise of the size of the inputs.
ABSOLUTE = 1e-12
# vtype "UB" takes 1 - (m-2)/(m J²), about 1/(2m): metafor's J from log-gammas keeps about 10 digits at m = 100000, of
# which the difference loses 5. The package's J is exact there, see test_bias_correction_of_large_studies.
RELATIVE_UB_LARGE = 2e-5
CASES = REFERENCE.groupby(["measure", "vtype", REFERENCE["to"].fillna("only0")])


@pytest.mark.parametrize("case", sorted(CASES.groups), ids="-".join)
def test_effects_equal_metafor(case: tuple[str, str, str]) -> None:
    measure, vtype, to = case
    expected = CASES.get_group(case)
    arguments = [c for c in expected.columns.drop(["measure", "vtype", "to", "yi", "vi"]) if expected[c].notna().any()]
    if measure == "SMD":
        layouts = expected.groupby(expected[["di", "ti"]].notna().agg(tuple, axis=1))
        parts = [part for _, part in layouts]
    elif measure in ("OR", "RR", "RD", "AS", "PETO"):
        parts = [part for _, part in expected.groupby(expected["n1i"].notna())]
    else:
        parts = [expected]
    for part in parts:
        given = {c: part[c] for c in arguments if part[c].notna().any()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StatisticalWarning)
            got = he.escalc(measure, vtype=vtype, to=to, **given)
        pd.testing.assert_index_equal(got.index, part.index)
        np.testing.assert_allclose(got["yi"], part["yi"], rtol=RELATIVE, atol=ABSOLUTE, err_msg=f"yi of {case}")
        large = (part["n1i"] + part["n2i"] > 1000) & (measure == "SMD" and vtype == "UB")
        for rows, relative in ((~large, RELATIVE), (large, RELATIVE_UB_LARGE)):
            np.testing.assert_allclose(
                got["vi"][rows], part["vi"][rows], rtol=relative, atol=ABSOLUTE, err_msg=f"{case}"
            )


def test_reference_covers_every_measure_and_variance() -> None:
    covered = set(REFERENCE[["measure", "vtype"]].itertuples(index=False, name=None))
    assert covered == {(measure, vtype) for measure, vtypes in VTYPES.items() for vtype in vtypes}


def test_bias_correction_of_large_studies() -> None:
    """Value at m = 100005 from 40-digit arithmetic: 1 - (m-2)/(m J²)."""
    m, expected = 100005.0, 4.9998375051873373e-6
    factor = 1 - (m - 2) / (m * bias_correction(m) ** 2)
    assert factor == pytest.approx(expected, rel=1e-10)
