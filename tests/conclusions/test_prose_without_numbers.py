"""No result stands as a literal in a notebook's text, and every number in a sentence is one of its results."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

import headache_evidence as he
from headache_evidence.conclusions.summary_of_findings import absolute_of, conclusions_of
from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.pools.answers import Answer
from headache_evidence.tables.protocol import Protocol

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
NOT_PROSE = re.compile(r"`[^`]*`|\]\([^)]*\)|https?://\S+|ICHD-3|GRADE|RoB 2|\bI2\b|\btau2\b")
COUNTED = (
    "stud(?:y|ies)|trials?|patients|people|participants|reports?|results|events|arms|comparisons|days|points|weeks"
)
WORDS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|half|most|none|no"
IN_WORDS = re.compile(rf"\b(?:{WORDS})(?: of(?: the)?)? (?:\w+ )?(?:{COUNTED})\b", re.IGNORECASE)
GENERAL = ("no study",)  # of a rule, not of a result


def literal_numbers(markdown: str) -> list[str]:
    """Digits, and number words before what is counted in results."""
    prose = NOT_PROSE.sub(" ", markdown)
    words = [found for found in IN_WORDS.findall(prose) if found.lower() not in GENERAL]
    return re.findall(r"\S*\d\S*", prose) + words


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_state_no_result_in_their_text(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            assert literal_numbers(cell.source) == [], cell.source


@pytest.mark.parametrize(
    "planted",
    [
        "Nerve blocks lower headache days by 4.0 (95% CI 6.3 to 1.8).",
        "Blocks lower headache days by 4 a month.",
        "There are 52 studies of nerve blocks.",
        "Three randomised trials agree.",
        "Two of the studies are at low risk of bias.",
        "Most trials are at high risk of bias.",
        "The difference is −4 days.",
        "k=2, n=115",
        "Half of the patients responded.",
        "| Inan | 84 |",
    ],
)
def test_a_planted_result_is_found(planted: str, tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOKS[-1], as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell(planted))
    nbformat.write(notebook, tmp_path / "planted.ipynb")
    with pytest.raises(AssertionError):
        test_notebooks_state_no_result_in_their_text(tmp_path / "planted.ipynb")


@pytest.mark.parametrize(
    "general", ["One study is one study.", "Types follow ICHD-3; see [the list](x/1.html).", "`he.pool(k=2)`"]
)
def test_text_without_results_passes(general: str) -> None:
    assert literal_numbers(general) == []


QUESTIONS = {
    "migraine.headache_days.controlled.injection.inactive.randomised.short": {},
    "migraine.responder_50.controlled.injection.inactive.randomised.any": {"events2": 50.0, "better": "higher"},
    "migraine.headache_days.before_after.injection.short": {"n2": float("nan")},
    "migraine.responder_good.proportion.injection.any": {"n2": float("nan"), "events1": 90.0, "better": "higher"},
}


@pytest.mark.parametrize("question_id", list(QUESTIONS))
@pytest.mark.parametrize("yi", [[-1.37], [-0.91, -1.83, -1.26], [0.0, 0.4, -0.3]])
@pytest.mark.parametrize("risk_of_bias", ["low", "high"])
def test_every_number_in_a_sentence_is_one_of_its_results(
    make_answer: Any, protocol: Protocol, evidence: he.Evidence, question_id: str, yi: list[float], risk_of_bias: str
) -> None:
    answer = make_answer(
        question_id,
        yi,
        [0.07] * len(yi),
        risk_of_bias=risk_of_bias,
        **{"n1": 211.0, "n2": 197.0} | QUESTIONS[question_id],
    )
    sentence = conclusions_of([answer], protocol, evidence)[question_id]["plain_language"]
    title = protocol.outcomes[answer.question.outcome].title
    found = re.findall(r"\d+(?:\.\d+)?", re.sub(re.escape(title[1:]), "", sentence.replace("95% CI", "")))
    window = protocol.windows[answer.question.window].title
    assert found, sentence
    assert set(found) <= results_as_text(answer) | set(re.findall(r"\d+", window)), sentence


def results_as_text(answer: Answer) -> set[str]:
    """Every number of an answer as a sentence may show it."""
    pooled, scale = answer.pooled, measure_scale(answer.question.measure)
    values = [pooled.estimate, *pooled.ci]
    shown = np.abs(np.asarray([float(scale.back_transform(value)) for value in values]))
    texts = {f"{value:.{digits}f}" for value in shown for digits in (1, 2)} | {f"{10 * value:.0f}" for value in shown}
    absolute = absolute_of(answer)
    if absolute is not None:
        texts |= {f"{abs(value):.0f}" for value in (absolute.difference, *absolute.difference_ci)}
    return texts | {str(pooled.k), f"{pooled.n:.0f}", "1000"}
