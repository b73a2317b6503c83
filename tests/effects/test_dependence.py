"""Several effects of one study: their covariance, and the protocol's choice between one of them and all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headache_evidence.effects.dependence import covariance_matrix, shared_control_covariance
from headache_evidence.errors import InputError
from headache_evidence.pools.answers import answer_questions
from headache_evidence.pools.cluster_robust import cluster_robust
from headache_evidence.tables.protocol import load_protocol
from synthetic_evidence_tables import outcome, synthetic_evidence, two_arm_trial

DATA = Path(__file__).parents[2] / "data"
PROTOCOL = load_protocol(DATA / "protocol.yml")


def with_times(choice: str) -> Any:
    return PROTOCOL.model_copy(update={"extraction": PROTOCOL.extraction.model_copy(update={"several_times": choice})})


def five_trials() -> Any:
    trials = [two_arm_trial(f"Synth{year}", year=year) for year in range(2015, 2020)]
    rows = [
        outcome(arm, trial["studies"][0]["study_id"], mean=mean + 0.2 * i * (arm == "B"), sd=2, time_value=weeks)
        for i, trial in enumerate(trials)
        for weeks in (2.0, 4.0)
        for arm, mean in (("A", 6.0), ("B", 4.0 + 0.1 * weeks))
    ]
    joined = {name: [row for trial in trials for row in trial[name]] for name in ("studies", "arms")}
    return synthetic_evidence(**joined, outcomes=rows)


def short_term_answer(choice: str) -> Any:
    answers = answer_questions(five_trials(), with_times(choice), "migraine", outcomes=["pain_intensity"])
    wanted = "migraine.pain_intensity.controlled.injection.inactive.randomised.short"
    return next(answer for answer in answers if answer.question.question_id == wanted)


def test_one_time_per_study_by_protocol() -> None:
    answer = short_term_answer("nearest")
    assert list(answer.effects["weeks"]) == [4.0] * 5
    assert answer.pooled.ci_method == "knapp-hartung-conservative"


def test_all_times_by_protocol_have_cluster_robust_errors() -> None:
    answer = short_term_answer("all")
    assert len(answer.effects) == answer.pooled.k == 10
    assert answer.pooled.ci_method == "cluster-robust CR2"
    assert answer.pooled.n == 200, "the patients of a study count once"
    assert answer.pooled.measure == "MD"
    expected = cluster_robust(answer.effects, cluster="study_id")
    assert (answer.pooled.estimate, answer.pooled.ci) == (expected.estimate, expected.ci)
    assert any("5 clusters" in note for note in answer.pooled.notes)


def test_arms_that_are_split_are_dependent_too() -> None:
    base = two_arm_trial()
    base["arms"].append({"study_id": "Synth2020", "arm_id": "C", "role": "intervention", "n_analysed": 20})
    rows = [outcome(arm, mean=mean, sd=2) for arm, mean in (("A", 6.0), ("B", 4.0), ("C", 5.0))]
    extraction = PROTOCOL.extraction.model_copy(update={"multi_arm": "split"})
    protocol = PROTOCOL.model_copy(update={"extraction": extraction})
    evidence = synthetic_evidence(**base, outcomes=rows)
    answers = answer_questions(evidence, protocol, "migraine", outcomes=["pain_intensity"])
    controlled = next(answer for answer in answers if answer.question.stream == "controlled")
    assert controlled.pooled.k == 2
    assert np.isnan(controlled.pooled.ci).all(), "one study gives no interval over studies"


def table(**columns: list[object]) -> pd.DataFrame:
    k = len(columns["study_id"])
    return pd.DataFrame({"yi": [0.1] * k, "vi": [0.04] * k, "usable": [True] * k} | columns)


def test_covariance_within_studies_only() -> None:
    effects = table(study_id=["A", "B", "A"], vi=[0.04, 0.09, 0.16])
    expected = [[0.04, 0, 0.04], [0, 0.09, 0], [0.04, 0, 0.16]]
    np.testing.assert_allclose(covariance_matrix(effects, 0.5), expected)


def test_half_is_right_for_equal_arms_with_a_shared_control() -> None:
    """Arms of 20, SD 2: variance of each difference 0.4, covariance 0.2."""
    effects = table(study_id=["A", "A"], vi=[0.4, 0.4])
    assert covariance_matrix(effects, 0.5)[0, 1] == pytest.approx(float(shared_control_covariance(2, 20)))


@given(variances=st.lists(st.floats(1e-3, 10), min_size=1, max_size=8), rho=st.floats(0, 1), groups=st.integers(1, 4))
def test_covariance_is_symmetric_and_positive(variances: list[float], rho: float, groups: int) -> None:
    effects = table(study_id=[str(i % groups) for i in range(len(variances))], vi=variances)
    matrix = covariance_matrix(effects, rho)
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_allclose(np.diag(matrix), variances)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9


def test_wrong_input_is_named() -> None:
    effects = table(study_id=["A"])
    with pytest.raises(InputError, match="rho"):
        covariance_matrix(effects, 1.2)
    with pytest.raises(InputError, match="column study_id"):
        covariance_matrix(effects.drop(columns="study_id"), 0.5)
