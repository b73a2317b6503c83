"""Hypothesis settings: no time limit per example, because a busy machine is not a fault."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
