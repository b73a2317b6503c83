"""Q between designs: none without a closed loop, and the textbook difference of direct and indirect with one."""

from __future__ import annotations

import pandas as pd
import pytest

from headache_evidence.pools.component_network import component_network
from headache_evidence.pools.network_inconsistency import inconsistency


def contrasts(rows: list[tuple[str, str, str, float, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["study_id", "treat1", "treat2", "yi", "vi"])


STAR = [("s1", "a", "c", 1.0, 0.1), ("s2", "a", "c", 1.4, 0.2), ("s3", "b", "c", 0.3, 0.1)]


def test_a_network_without_a_loop_has_nothing_to_disagree() -> None:
    found = inconsistency(contrasts(STAR))
    assert (found.q, found.df) == (0.0, 0)
    assert found.p_value != found.p_value


def test_one_loop_is_the_squared_difference_of_direct_and_indirect_over_its_variance() -> None:
    found = inconsistency(contrasts([*STAR, ("s4", "a", "b", 2.0, 0.3)]))
    ac, variance = (1.0 / 0.1 + 1.4 / 0.2) / (1 / 0.1 + 1 / 0.2), 1 / (1 / 0.1 + 1 / 0.2)
    expected = (2.0 - (ac - 0.3)) ** 2 / (0.3 + variance + 0.1)  # Bucher et al. 1997
    assert found.df == 1
    assert found.q == pytest.approx(expected, rel=1e-9)


def test_heterogeneity_within_designs_and_inconsistency_add_up_to_the_q_of_the_network() -> None:
    table = contrasts([*STAR, ("s4", "a", "b", 2.0, 0.3)])
    whole = component_network(table).heterogeneity.set_index("model").at["standard", "q"]
    within = (1.4 - 1.0) ** 2 / (0.1 + 0.2)
    assert inconsistency(table).q + within == pytest.approx(whole, rel=1e-9)


def test_a_loop_inside_one_three_arm_study_is_consistent_by_itself() -> None:
    arms = [("s1", "a", "b", 1.0, 0.2), ("s1", "a", "c", 1.5, 0.2), ("s1", "b", "c", 0.5, 0.2)]
    assert inconsistency(contrasts([*arms, ("s2", "a", "b", 1.4, 0.1)])).df == 1
    assert inconsistency(contrasts(arms)).df == 0
