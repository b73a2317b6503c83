"""Harms: exact rates, the rule of three, what has no denominator, and the list of serious events."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

import headache_evidence as he
from headache_evidence.conclusions.harms import (
    REPORT_COLUMNS,
    injectate_class,
    named_harms,
    pooled_harms,
    rule_of_three,
    serious_harms,
)
from headache_evidence.errors import InputError
from headache_evidence.tables.protocol import Protocol


def reports(*rows: dict[str, Any]) -> pd.DataFrame:
    base = dict.fromkeys(REPORT_COLUMNS, "") | {"event": "dizziness", "technique": "t", "injectate": "i"}
    return pd.DataFrame([base | row for row in rows])


@given(st.integers(30, 5000))
def test_rule_of_three_is_close_to_the_exact_one_sided_bound(patients: int) -> None:
    assert binom.cdf(0, patients, rule_of_three(patients)) == pytest.approx(0.05, abs=0.01)


def test_rule_of_three_needs_patients_and_never_exceeds_all() -> None:
    assert rule_of_three(2) == 1.0
    with pytest.raises(InputError):
        rule_of_three(0)


def test_rates_add_up_and_keep_their_range() -> None:
    rates = pooled_harms(
        reports({"study_id": "a", "events": 0.0, "total": 20.0}, {"study_id": "b", "events": 3.0, "total": 10.0})
    ).iloc[0]
    assert (rates["k"], rates["events"], rates["patients"]) == (2, 3.0, 30.0)
    assert (rates["lowest"], rates["highest"]) == (0.0, 0.3)
    assert pd.isna(rates["rule_of_three"])
    assert rates["ci_low"] == pytest.approx(0.0211, abs=1e-4)  # R: binom.test(3, 30)
    assert rates["ci_high"] == pytest.approx(0.2653, abs=1e-4)


def test_zeros_are_bounded_and_single_patients_have_no_rate() -> None:
    rates = pooled_harms(
        reports({"study_id": "a", "events": 0.0, "total": 60.0}, {"study_id": "b", "events": 1.0, "total": 1.0})
    )
    assert rates["events"].tolist() == [0.0]
    assert rates["rule_of_three"].tolist() == [0.05]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("lidocaine;triamcinolone", "steroid and anaesthetic"),
        ("triamcinolone", "steroid"),
        ("bupivacaine;saline", "anaesthetic"),
        ("dextrose_5", "dextrose"),
        ("saline", "saline"),
        ("ozone", "other"),
        ("", "not stated"),
    ],
)
def test_injectate_classes(words: str, expected: str) -> None:
    assert injectate_class(words) == expected


def test_real_reports_are_counted_once_or_have_a_reason(protocol: Protocol, evidence: he.Evidence) -> None:
    table = he.harm_reports(evidence, protocol)
    assert (table["reason"].ne("") == table["events"].isna()).all()
    atrophy = table.loc[table["study_id"].isin(["Lambru2012", "SuboccipitalAtrophy"])]
    assert atrophy["reason"].str.contains("no denominator").all()
    assert "Bratbak2016" not in set(table["study_id"])


def test_serious_harms_hold_the_named_reports_and_every_counted_event(
    protocol: Protocol, evidence: he.Evidence
) -> None:
    table = serious_harms(evidence, protocol)
    assert set(protocol.harms.case_reports) <= set(table["study_id"])
    assert {"Bratbak2016", "Yilmaz2020"} <= set(table["study_id"])
    assert table["what"].ne("").all()
    faulty = protocol.model_copy(update={"harms": protocol.harms.model_copy(update={"case_reports": ("Nobody1900",)})})
    with pytest.raises(InputError, match="Nobody1900"):
        serious_harms(evidence, faulty)


def test_every_named_harm_has_a_row_counted_or_not(protocol: Protocol) -> None:
    table = named_harms(
        reports(
            {"study_id": "a", "event": "dizziness", "technique": "perineural_block", "events": 0.0, "total": 60.0},
            {"study_id": "b", "event": "dizziness", "technique": "perineural_block", "events": None, "total": None},
            {"study_id": "c", "event": "worsening", "technique": "hydrodissection", "events": 2.0, "total": 20.0},
            {"study_id": "d", "event": "worsening", "technique": "hydrodissection", "events": 1.0, "total": 1.0},
        ).astype({"events": float, "total": float}),
        protocol,
    ).set_index(["event", "technique"])
    assert set(table.index.get_level_values("event")) == {
        "injection_site_pain", "sensory_disturbance", "allergic_reaction", "vasovagal", "alopecia_atrophy", "dizziness",
        "worsening", "serious",
    }  # fmt: skip
    zero = table.loc[("dizziness", "perineural_block")]
    assert (zero["k"], zero["patients"], zero["rule_of_three"], zero["uncounted"]) == (1, 60.0, 0.05, 1)
    seen = table.loc[("worsening", "hydrodissection")]
    assert (seen["k"], seen["rate"], seen["uncounted"]) == (1, 0.1, 1)
    assert seen["ci_high"] == pytest.approx(0.3170, abs=1e-4)  # R: binom.test(2, 20)
    assert table.loc[("vasovagal", "perineural_block"), "k"] == 0


def test_readers_are_told_of_harms_that_nobody_counts(protocol: Protocol, evidence: he.Evidence) -> None:
    table = he.show_named_harms(he.harm_reports(evidence, protocol), protocol).data.set_index("harm")
    assert len(table) == 8
    assert table.loc["allergic reaction", "perineural block"] == "not counted by any study"
    assert "rule of three" in table.loc["serious adverse event", "perineural block"]
