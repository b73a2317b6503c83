"""What can be chosen in the explorer: words with their titles, and where there is evidence at all."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.explore.exploration import DESIGNS, Explorer, measures_for
from headache_evidence.explore.explorer_settings import ANY, BY_PROTOCOL, ExplorerSettings
from headache_evidence.pools.confidence import CI_METHODS
from headache_evidence.pools.tau2_estimators import METHODS
from headache_evidence.tables.protocol import STREAM_TITLES, Question

Choices = list[tuple[str, str]]
"""(title, word) pairs, as ipywidgets wants them."""


def choices(explorer: Explorer, settings: ExplorerSettings, effects: pd.DataFrame) -> dict[str, Choices]:
    """The choices of every setting with a list; those of the arms come from the effects at hand.

    Parameters
    ----------
    effects : effects table of the settings' question.
    """
    protocol = explorer.protocol
    measures = measures_for(settings, protocol)
    found: dict[str, Choices] = {
        "headache_type": [(title, word) for word, title in protocol.headache_types.items()],
        "outcome": outcome_choices(explorer, settings.headache_type),
        "stream": [
            (STREAM_TITLES[word], word)
            for word in STREAM_TITLES
            if word in protocol.outcomes[settings.outcome].measures
        ],
        "intervention": [(item.title or "injection", word) for word, item in protocol.interventions.items()],
        "comparison": [(item.title, word) for word, item in protocol.comparisons.items()],
        "design": [(title, word) for word, title in DESIGNS.items()],
        "window": [(item.title, word) for word, item in protocol.windows.items()],
        "technique": _seen(effects["technique"]),
        "guidance": _seen(effects["guidance"]),
        "injectate": [
            *_seen(effects["injectate"])[:1],
            ("with a steroid", "steroid"),
            ("without a steroid", "no_steroid"),
            *_seen(effects["injectate"])[1:],
        ],
        "measure": [
            (f"protocol ({measures[0]})", BY_PROTOCOL),
            *((f"{measure_scale(m).title} ({m})", m) for m in measures),
        ],
        "method": [("protocol", BY_PROTOCOL), *((name, name) for name in METHODS)],
        "ci": [(f"protocol ({protocol.model.ci})", BY_PROTOCOL), *((name, name) for name in CI_METHODS)],
    }
    return {name: _with_current(pairs, getattr(settings, name)) for name, pairs in found.items()}


def outcome_choices(explorer: Explorer, headache_type: str) -> Choices:
    """Outcomes with the number of studies that report them."""
    return [
        (f"{explorer.protocol.outcomes[word].title} ({count} {'study' if count == 1 else 'studies'})", word)
        for word, count in explorer.reporting(headache_type).items()
    ]


def answered(explorer: Explorer, headache_type: str) -> list[tuple[str, ExplorerSettings]]:
    """The protocol's questions that at least one study answers, with k, most studies first within each stream."""
    found = []
    for question in explorer.protocol.questions_for(headache_type):
        settings = settings_of(question)
        usable = int(usable_effects(explorer.look_up(settings))["study_id"].nunique())
        if usable:
            found.append((question.stream, -usable, f"k = {usable}: {question.title}", settings))
    order = list(STREAM_TITLES)
    found.sort(key=lambda item: (order.index(item[0]), item[1]))
    return [(title, settings) for _, _, title, settings in found]


def settings_of(question: Question) -> ExplorerSettings:
    """The settings that ask a question of the protocol."""
    defaults = ExplorerSettings()
    return replace(
        defaults,
        headache_type=question.headache_type,
        outcome=question.outcome,
        stream=question.stream,
        intervention=question.intervention,
        comparison=question.comparison or defaults.comparison,
        design=question.design or defaults.design,
        window=question.window,
    )


def fitting(explorer: Explorer, settings: ExplorerSettings) -> ExplorerSettings:
    """The settings with a stream and a measure that the outcome has; unchanged where they fit."""
    streams = list(explorer.protocol.outcomes[settings.outcome].measures)
    if settings.stream not in streams:
        settings = replace(settings, stream=streams[0])
    if settings.measure not in (BY_PROTOCOL, *measures_for(settings, explorer.protocol)):
        settings = replace(settings, measure=BY_PROTOCOL)
    return settings


def _seen(values: pd.Series) -> Choices:
    parts = values.astype(str).str.split(r"\s*[;+]\s*", regex=True).explode() if len(values) else values
    words = sorted({str(word) for word in parts if str(word)})
    return [(ANY, ANY), *((word.replace("_", " "), word) for word in words)]


def _with_current(pairs: Choices, current: str) -> Choices:
    """A kept setting stays choosable where the evidence at hand does not have it."""
    if any(word == current for _, word in pairs):
        return pairs
    return [*pairs, (f"{current.replace('_', ' ')} (none here)", current)]
