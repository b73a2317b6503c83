"""Parameters are refused before a kernel starts: unknown names, wrong types, values that are not allowed, code."""

from __future__ import annotations

import pytest

from headache_evidence.errors import NotebookError, ParameterError
from headache_evidence.reports.parameters import (
    Parameter,
    check_choices,
    check_parameters,
    convert,
    declared_parameters,
    parse_assignments,
)

HOSTILE = [
    "../../x", "/etc/passwd", "..", ".", "a/b", "a\\b", "C:\\x", "~", "~root", "$HOME", "${HOME}", "`id`", "$(id)",
    "a;id", "a|id", "a&id", "a>b", "a<b", "a\nb", "a\rb", "a\tb", "a\0b", "'", '"', "''", '"""', "'; import os #",
    '"); import os; ("', "__import__('os')", "f'{1}'", "{x}", "{headache_type}", "%s", "%(x)s", "{{7*7}}", "{%x%}",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "=1+1", "=HYPERLINK(\"x\")",
    "@SUM(A1)", "-rf", "--force", " ", "a b", "\u202eabc", "\u200b", "\ufeffmigraine", "ｍigraine", "mígraine", "💥",
    "migraine ", " migraine", "migraine\n", "nan;", "1,5", "1_000;", "a" * 101, "!!python/object:os.system",
    "&anchor", "*alias", "file:///etc/passwd", "http://example.org", "%2e%2e%2f", "..%2f", "con\u0000", "\x1b[31m",
]  # fmt: skip


def test_the_list_of_hostile_strings_is_long_enough() -> None:
    assert len(set(HOSTILE)) >= 50


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_is_refused_as_type_and_as_parameter(text: str) -> None:
    with pytest.raises(ParameterError):
        check_choices([text], ["migraine", "cluster"], "headache type")
    with pytest.raises(ParameterError, match="allowed"):
        convert(text, Parameter("method", "str", "REML"))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [("3", "int", 3), ("-2", "int", -2), ("0.5", "float", 0.5), ("1e-3", "float", 0.001), ("true", "bool", True),
     ("False", "bool", False), ("REML", "str", "REML"), ("a,b", "list[str]", ["a", "b"]), ([1, 2], "list[int]", [1, 2]),
     ("007", "int", 7)],
)  # fmt: skip
def test_text_becomes_the_declared_type(text: object, kind: str, value: object) -> None:
    assert convert(text, Parameter("x", kind, None)) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [("1_000", "int"), ("1.0", "int"), ("hello", "int"), (True, "int"), ("nan", "float"), ("inf", "float"),
     ("1e999", "float"), ("0,5", "float"), ("yes", "bool"), ("1", "bool"), ("a,../b", "list[str]")],
)  # fmt: skip
def test_wrong_types_are_refused(text: object, kind: str) -> None:
    with pytest.raises(ParameterError, match="x ="):
        convert(text, Parameter("x", kind, None))


def test_a_value_outside_the_allowed_ones_is_refused_with_the_list() -> None:
    with pytest.raises(ParameterError, match="allowed are DL, REML"):
        convert("XX", Parameter("method", "str", "REML", frozenset({"REML", "DL"})))


def test_all_faults_are_told_at_once(make_notebook) -> None:
    declared = declared_parameters(make_notebook(parameters="seed: int = 1\nlevel: float = 0.95"))
    with pytest.raises(ParameterError) as caught:
        check_parameters({"seed": "x", "sede": 2, "level": "high"}, declared, "n.ipynb")
    assert all(word in str(caught.value) for word in ("seed =", "'sede'", "level ="))


@pytest.mark.parametrize(
    "source",
    ["seed = 1", "seed: int | None = 1", "seed: 'int' = 1", "seed: int = f()", "import os", "seed: int", "x ="],
)
def test_a_parameters_cell_with_anything_but_plain_annotated_literals_is_refused(make_notebook, source: str) -> None:
    with pytest.raises(NotebookError, match="parameters"):
        declared_parameters(make_notebook(parameters=source))


def test_papermill_sees_the_parameters_that_we_see(make_notebook) -> None:
    import papermill

    path = make_notebook(parameters='a: str = "x"  # a comment\nb: list[str] = ["y"]\nc: float = 1.5')
    assert set(papermill.inspect_notebook(str(path))) == set(declared_parameters(path)) == {"a", "b", "c"}


@pytest.mark.parametrize("text", ["seed", "=3", "Seed=3", "a b=3", "headache_type=x", "output_dir=/", "data_dir=.."])
def test_malformed_and_reserved_assignments_are_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        parse_assignments([text])


def test_a_repeated_assignment_is_refused() -> None:
    with pytest.raises(ParameterError, match="twice"):
        parse_assignments(["seed=1", "seed=2"])


def test_the_notebooks_of_this_project_take_the_outcomes_of_the_protocol() -> None:
    from pathlib import Path

    from headache_evidence.reports.settings import parameters_for, read_settings

    data = Path(__file__).parents[2] / "data"
    settings = read_settings(data, outcomes=["headache_days", "pain_intensity"])
    told = {path.name: parameters_for(path, settings).get("outcomes") for path in settings.notebooks}
    assert told.pop("01_evidence_base.ipynb") is None  # it shows studies, not outcomes
    assert all(value == ["headache_days", "pain_intensity"] for value in told.values())
    for bad in ("nothing_like_it", "headache_days,../x"):
        with pytest.raises(ParameterError, match=r"allowed are .*headache_days|only letters"):
            read_settings(data, parameters={"outcomes": bad})
