"""The next trial: simulation and closed form."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from headache_evidence.errors import InputError
from headache_evidence.pools.next_trial import next_trial
from headache_evidence.pools.pooling import pool

YI, VI = [-1.5, -0.4, -2.6, -0.9], [0.6, 0.5, 0.8, 0.7]


def test_what_the_trial_must_show_is_confirmed_by_pooling_it():
    """Common effect and Wald: adding a trial with that result puts the interval exactly at the target."""
    result = next_trial(yi=YI, vi=VI, sd=3.0, threshold=-1.0, method="FE", ci="wald", n_per_arm=[50])
    row = result.table.iloc[0]
    for column, target in (("must_show_null", 0.0), ("must_show_threshold", -1.0)):
        updated = pool(yi=[*YI, row[column]], vi=[*VI, 2 * 9 / 50], method="FE", ci="wald")
        assert updated.ci[1] == pytest.approx(target, abs=1e-9)


def test_higher_is_better_mirrors_lower():
    lower = next_trial(yi=YI, vi=VI, sd=3.0, threshold=-1.0, n_per_arm=[50], method="FE", ci="wald").table
    higher = next_trial(
        yi=[-y for y in YI], vi=VI, sd=3.0, threshold=1.0, n_per_arm=[50], method="FE", ci="wald", better="higher"
    ).table
    assert higher["must_show_null"][0] == pytest.approx(-lower["must_show_null"][0], rel=1e-9)
    assert higher["excludes_null"][0] == pytest.approx(lower["excludes_null"][0], abs=0.05)


def test_probability_agrees_with_its_closed_form():
    """Common effect: the updated z is normal, so the chance to exclude 0 has a formula."""
    yi, vi, n, sd = [-0.5, -0.7], [0.2, 0.3], 60, 3.0
    simulated = next_trial(yi=yi, vi=vi, sd=sd, n_per_arm=[n], method="FE", ci="wald", simulations=40_000).table.iloc[0]
    old = pool(yi=yi, vi=vi, method="FE", ci="wald")
    variance = 2 * sd**2 / n
    needed = simulated["must_show_null"]
    expected = stats.norm.cdf((needed - old.estimate) / math.sqrt(variance + old.se**2))
    assert simulated["excludes_null"] == pytest.approx(expected, abs=4 * simulated["monte_carlo_error"])


def test_equal_seeds_give_equal_tables_and_others_do_not():
    one = next_trial(yi=YI, vi=VI, sd=3.0, threshold=-0.5)
    again = next_trial(yi=YI, vi=VI, sd=3.0, threshold=-0.5)
    other = next_trial(yi=YI, vi=VI, sd=3.0, threshold=-0.5, seed=2)
    pd.testing.assert_frame_equal(one.table, again.table)
    assert not one.table.equals(other.table)
    json.dumps(one.to_dict(), allow_nan=False)


def test_larger_trials_decide_more_while_the_answer_is_open():
    chances = next_trial(
        yi=[-1.0, -0.9], vi=[1.0, 1.0], sd=3.0, n_per_arm=[10, 100, 1000], method="FE", ci="wald"
    ).table
    assert chances["trial_alone"].is_monotonic_increasing
    assert chances["excludes_null"].is_monotonic_increasing


def test_standard_deviation_and_direction_are_read_from_the_table():
    effects = pd.DataFrame({"yi": YI, "vi": VI, "n1": [30, 20, 25, 25], "n2": [30, 20, 25, 25], "better": "lower"})
    result = next_trial(effects)
    assert result.standard_deviation == pytest.approx(
        math.sqrt(np.median([0.6 * 15, 0.5 * 10, 0.8 * 12.5, 0.7 * 12.5]))
    )
    assert result.better == "lower"
    assert math.isnan(result.table["must_show_threshold"][0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"yi": [1.0], "vi": [1.0], "sd": 1.0}, "two or more"),
        ({"yi": YI, "vi": VI}, "Give sd"),
        ({"yi": YI, "vi": VI, "sd": 0.0}, "above 0"),
        ({"yi": YI, "vi": VI, "sd": 1.0, "better": "up"}, "better is"),
        ({"yi": YI, "vi": VI, "sd": 1.0, "n_per_arm": [1]}, "at least 2"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        next_trial(**arguments)
