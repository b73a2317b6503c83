"""The slice of the evidence that counts for staleness holds all that a report's results use."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pytest

import headache_evidence as he
from headache_evidence.reports.fingerprint import WHOLE_TABLES

DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize("headache_type", ["cluster", "post_traumatic"])
def test_results_are_the_same_from_the_slice_alone(headache_type: str) -> None:
    evidence, protocol = he.load_evidence(DATA), he.load_protocol(DATA / "protocol.yml")
    tables = {field.name: getattr(evidence, field.name) for field in fields(evidence)}
    frames = {name: table for name, table in tables.items() if isinstance(table, pd.DataFrame)}
    studies: set[str] = set()
    for table in frames.values():
        if {"study_id", "headache_type"} <= set(table.columns):
            studies |= set(table.loc[table["headache_type"] == headache_type, "study_id"]) - {""}
    cut = {
        name: table[table["study_id"].isin(studies)]
        for name, table in frames.items()
        if name not in WHOLE_TABLES and "study_id" in table.columns
    }
    assert sum(map(len, cut.values())) < sum(len(frames[name]) for name in cut) / 4
    whole = he.answer_questions(evidence, protocol, headache_type)
    part = he.answer_questions(replace(evidence, **cut), protocol, headache_type)
    assert json.dumps([item.to_dict() for item in whole]) == json.dumps([item.to_dict() for item in part])
