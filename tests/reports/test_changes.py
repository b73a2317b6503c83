"""What changed between two runs is told, result by result, and nothing is told when nothing changed."""

from __future__ import annotations

import copy
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
    "mcid": {"value": 1.0},
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
        ({"pooled": {"estimate": -1.2}}, ["estimate −1 to −1.2 (analysis scale)"]),
        ({"pooled": {"ci": [-1.9, -0.1]}}, ["95% CI [−1.8, −0.2] to [−1.9, −0.1] (analysis scale)"]),
        ({"pooled": {"tau2": None}}, ["tau2 0.1 to not estimable (analysis scale)"]),
        ({"certainty": {"level": "moderate"}}, ["certainty low to moderate"]),
        ({"pooled": {"ci": [-1.8, 0.2]}}, ["CONCLUSION CHANGED, no effect: below to inside the interval"]),
        ({"pooled": {"estimate": -0.9}}, ["CONCLUSION CHANGED, smallest important difference: reached to not reached"]),
    ],
)  # fmt: skip
def test_each_kind_of_change_is_told(values: dict[str, object], told: list[str]) -> None:
    assert set(told) <= set(changed(**values))


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
