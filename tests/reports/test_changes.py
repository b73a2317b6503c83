"""What changed between two runs is told, result by result, and nothing is told when nothing changed."""

from __future__ import annotations

import copy
import dataclasses
import math
from pathlib import Path

import pytest

from headache_evidence.errors import InputError
from headache_evidence.reports.changes import compare, load, short, snapshots, store

RESULT = {
    "question_id": "q",
    "title": "Headache days",
    "measure": "MD",
    "studies": ["A2020", "B2021", "C2022"],
    "pooled": {"k": 3, "n": 90.0, "estimate": -1.0, "ci": [-1.8, -0.2], "tau2": 0.1},
    "certainty": {"level": "low"},
    "better": "lower",
    "threshold": {"size": 1.0, "unit": "days per 28 days"},
}


def changed(**values: object) -> list[str]:
    new = copy.deepcopy(RESULT)
    pooled = values.pop("pooled", {})
    new |= values
    new["pooled"] |= pooled  # type: ignore[operator]
    before = {"reports": {"migraine": {"q": short(RESULT)}}}
    after = {"reports": {"migraine": {"q": short(new)}}}
    return [detail for change in compare(before, after) for detail in change.details]


def test_nothing_changed_tells_nothing() -> None:
    assert changed() == []
    assert changed(pooled={"estimate": -1.0 + 1e-12}) == []


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"studies": ["A2020", "B2021", "D2023"]}, ["new studies: D2023", "removed studies: C2022"]),
        ({"pooled": {"estimate": -1.2}}, ["mean difference −1 to −1.2"]),
        ({"pooled": {"ci": [-1.9, -0.1]}}, ["95% CI [−1.8, −0.2] to [−1.9, −0.1]"]),
        ({"pooled": {"tau2": None}}, ["tau2 0.1 to not estimable (analysis scale)"]),
        ({"certainty": {"level": "very_low"}}, ["certainty low to very low"]),
        ({"pooled": {"k": 4, "n": 95.0}}, ["k 3 to 4", "patients 90 to 95"]),
        ({"pooled": {"ci": [-1.8, 0.2]}}, ["CONCLUSION CHANGED, no effect: below to inside the interval"]),
        ({"pooled": {"estimate": -0.9}},
         ["CONCLUSION CHANGED, smallest important difference: reached, for the better to not reached"]),
        ({"pooled": {"estimate": 1.1}},
         ["CONCLUSION CHANGED, smallest important difference: reached, for the better to reached, for the worse"]),
    ],
)  # fmt: skip
def test_each_kind_of_change_is_told(values: dict[str, object], told: list[str]) -> None:
    assert set(told) <= set(changed(**values))


def test_ratios_and_shares_are_told_as_a_reader_reads_them() -> None:
    odds = {
        **RESULT,
        "measure": "OR",
        "pooled": {**RESULT["pooled"], "estimate": math.log(2), "ci": [0.0, math.log(4)]},
    }
    share = {**RESULT, "measure": "PLO", "pooled": {**RESULT["pooled"], "estimate": 0.0}}

    def told(old: dict[str, object], **pooled: object) -> str:
        new = {**old, "pooled": {**old["pooled"], **pooled}}  # type: ignore[dict-item]
        pair = ({"reports": {"migraine": {"q": short(result)}}} for result in (old, new))
        return "; ".join(detail for change in compare(*pair) for detail in change.details)

    assert "odds ratio 2 to 3; 95% CI [1, 4] to [1.5, 4]" in told(
        odds, estimate=math.log(3), ci=[math.log(1.5), math.log(4)]
    )
    assert told(share, estimate=math.log(3)) == "proportion (%) 50 to 75"


@pytest.mark.parametrize(
    ("measure", "threshold", "told"),
    [
        ("MC", {"size": 1.0, "unit": "points"}, "reached, for the better"),
        ("MD", {"size": 1.2, "unit": "points"}, "not reached"),
        ("RD", {"size": 100.0, "unit": "per 1000"}, "reached, for the better"),
        ("OR", {"size": 100.0, "unit": "per 1000"}, None),  # as written before results held absolute effects
        ("MD", {"size": None, "unit": "attacks"}, None),
        ("MD", None, None),
    ],
)
def test_the_threshold_counts_where_it_has_the_unit_of_the_estimate(measure, threshold, told) -> None:
    result = {**RESULT, "measure": measure, "threshold": threshold}
    assert short(result)["conclusion"].get("smallest important difference") == told


ABSOLUTE = {"comparator": 300.0, "difference": 140.0, "difference_ci": [20.0, 260.0]}
ODDS = {
    **RESULT,
    "measure": "OR",
    "better": "higher",
    "pooled": {"k": 3, "n": 90.0, "estimate": 0.6, "ci": [0.1, 1.1], "tau2": 0.1},
    "threshold": {"size": 100.0, "unit": "per 1000"},
    "absolute_per_1000": ABSOLUTE,
}


def odds_changed(old: dict[str, object], new: dict[str, object]) -> list[str]:
    pair = ({"reports": {"migraine": {"q": short(result)}}} for result in (old, new))
    return [detail for change in compare(*pair) for detail in change.details]


def absolute(difference: float, low: float, high: float) -> dict[str, object]:
    return ODDS | {"absolute_per_1000": ABSOLUTE | {"difference": difference, "difference_ci": [low, high]}}


def test_an_odds_ratio_that_crosses_a_threshold_per_1000_is_told() -> None:
    assert odds_changed(ODDS, absolute(90.0, 10.0, 200.0)) == [
        "absolute effect 140 more of 1000 patients (95% CI 20 more to 260 more)"
        " to 90 more of 1000 patients (95% CI 10 more to 200 more)",
        "CONCLUSION CHANGED, smallest important difference: reached, for the better to not reached",
    ]
    worse = odds_changed(absolute(90.0, 10.0, 200.0), absolute(-120.0, -200.0, -10.0))
    assert "CONCLUSION CHANGED, smallest important difference: not reached to reached, for the worse" in worse


def test_an_odds_ratio_that_stays_beyond_the_threshold_changes_no_conclusion() -> None:
    told = odds_changed(ODDS, absolute(150.0, 30.0, 270.0))
    assert len(told) == 1
    assert told[0].startswith("absolute effect 140 more")
    assert odds_changed(ODDS, ODDS) == []


def test_an_absolute_effect_that_is_no_longer_estimable_is_told() -> None:
    told = odds_changed(ODDS, ODDS | {"absolute_per_1000": None})
    assert told == [
        "absolute effect 140 more of 1000 patients (95% CI 20 more to 260 more) to not estimable",
        "CONCLUSION CHANGED, smallest important difference: reached, for the better to not estimable per 1000",
    ]


def test_a_result_from_before_absolute_effects_were_kept_is_not_judged() -> None:
    old = {name: value for name, value in ODDS.items() if name != "absolute_per_1000"}
    assert odds_changed(old, old) == []
    assert odds_changed(old, ODDS) == ["smallest important difference: not judged to reached, for the better"]
    assert odds_changed(ODDS, old) == ["smallest important difference: reached, for the better to not judged"]


def test_the_results_of_this_projects_notebooks_have_the_fields_that_are_compared() -> None:
    from headache_evidence.conclusions.thresholds import ImportantDifference

    assert {"size", "unit"} <= {field.name for field in dataclasses.fields(ImportantDifference)}


def test_no_conclusion_is_drawn_from_fewer_than_three_studies() -> None:
    assert short({**RESULT, "pooled": {**RESULT["pooled"], "k": 2}})["conclusion"] == {}


def test_a_share_of_patients_has_no_null_to_cross() -> None:
    assert "no effect" not in short({**RESULT, "measure": "PLO"})["conclusion"]


def test_new_and_removed_results_and_reports_are_told() -> None:
    one, two = {"reports": {"migraine": {"q": short(RESULT)}}}, {"reports": {"migraine": {}, "cluster": {}}}
    assert [str(change) for change in compare(one, two)] == [
        "migraine: Headache days: result is gone",
        "cluster: first report: 0 results",
    ]
    assert compare(two, one)[0].details == ("new result, k = 3",)


def test_snapshots_are_found_by_number_by_file_and_by_folder(tmp_path: Path) -> None:
    for number in range(3):
        store(tmp_path, {"made": str(number), "reports": {}})
    assert [path.stem for path in snapshots(tmp_path)] == ["000001", "000002", "000003"]
    assert load(Path("-1"), tmp_path)["made"] == "2"
    assert load(Path("1"), tmp_path)["made"] == "0"
    assert load(tmp_path / "history" / "000002.json", tmp_path)["made"] == "1"
    for bad in ("9", "-9", "nothing", str(tmp_path / "history")):
        with pytest.raises(InputError):
            load(Path(bad), tmp_path)
