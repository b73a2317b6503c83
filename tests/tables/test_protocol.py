"""The protocol: the real one loads, and a wrong one says where and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from headache_evidence.errors import ProtocolError
from headache_evidence.tables.protocol import load_protocol

PATH = Path(__file__).parents[2] / "data" / "protocol.yml"
TEXT = PATH.read_text(encoding="utf-8")


def test_question_ids_are_unique() -> None:
    ids = [question.question_id for question in load_protocol(PATH).all_questions]
    assert len(ids) == len(set(ids)) > 0


def test_every_headache_type_asks_the_same_questions() -> None:
    protocol = load_protocol(PATH)
    asked = {
        name: {q.question_id.split(".", 1)[1] for q in protocol.questions_for(name)} for name in protocol.headache_types
    }
    assert len(set(map(frozenset, asked.values()))) == 1


def test_randomised_and_nonrandomised_are_never_one_question() -> None:
    controlled = [q for q in load_protocol(PATH).all_questions if q.stream == "controlled"]
    assert {q.design for q in controlled} == {"randomised", "nonrandomised"}


def test_an_unknown_headache_type_names_the_known_ones() -> None:
    with pytest.raises(ProtocolError, match=r"'migrane'.*migraine"):
        load_protocol(PATH).questions_for("migrane")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("method: REML", "method: MAGIC", "model.method"),
        ("level: 0.95", "level: 95", "model.level"),
        ("    windows: [any]", "    windows: [someday]", "unknown window"),
        ("    outcomes: [headache_days,", "    outcomes: [happiness,", "unknown outcome"),
        ("version: 1", "version: 1\nsurprise: yes", "surprise"),
        ("weeks: [6.1, 16]", "weeks: [16, 6.1]", "weeks must be"),
    ],
)
def test_a_wrong_protocol_says_where(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in TEXT
    path = tmp_path / "protocol.yml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(ProtocolError, match=words):
        load_protocol(path)


@pytest.mark.parametrize("text", ["a: [", "- just\n- a list\n", "", "!!python/object/apply:os.system ['true']"])
def test_what_is_no_protocol_is_refused_without_running_anything(tmp_path: Path, text: str) -> None:
    path = tmp_path / "protocol.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolError):
        load_protocol(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"nowhere\.yml"):
        load_protocol(tmp_path / "nowhere.yml")
