"""The choices of a multiverse: which options the protocol declares for a question, the protocol's own option first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headache_evidence.tables.protocol import Protocol, Question

ALL_TECHNIQUES = "all"
ACTIVE_TOO = "active too"
NOT_APPLICABLE = "not applicable"
EFFECT_CHOICES = (  # these decide which effects are pooled; the two after them decide how
    "measure",
    "window",
    "techniques",
    "comparators",
    "pre_post_correlation",
    "design",
    "sample_size",
    "doubtful",
    "risk_of_bias",
)
MODEL_CHOICES = ("tau2_method", "ci_method")
CHOICES = (*EFFECT_CHOICES, *MODEL_CHOICES)


def choices_of(question: Question, protocol: Protocol, correlation: float) -> dict[str, tuple[str, ...]]:
    """Options of every choice in CHOICES, as words; the first is the one of the main analysis.

    ``correlation`` is the one between baseline and final values in the main analysis, measured or assumed.

    A choice that cannot matter in the question's stream has one option: comparators, designs and other measures belong
    to the controlled stream, the correlation of baseline and final values to changes from baseline.
    """
    declared, model = protocol.multiverse, protocol.model
    controlled = question.stream == "controlled"
    techniques = protocol.interventions[question.intervention].techniques
    wider = declared.active_comparators.get(question.comparison or "", ())
    correlations = [correlation_words(r) for r in (correlation, *declared.pre_post_correlations)]
    return {
        "measure": _first(question.measure, declared.measures.get(question.measure, ()) if controlled else ()),
        "window": _first(question.window, declared.windows.get(question.window, ())),
        "techniques": _first(
            ALL_TECHNIQUES,
            [name for name in declared.techniques if name in techniques] if len(techniques) > 1 else (),
        ),
        "comparators": _first(question.comparison or NOT_APPLICABLE, [ACTIVE_TOO] if wider else ()),
        "pre_post_correlation": (
            _first(correlations[0], correlations) if question.stream == "before_after" else (NOT_APPLICABLE,)
        ),
        "design": _first(
            question.design or NOT_APPLICABLE, ["all"] if question.design and "all" in declared.designs else ()
        ),
        "sample_size": _first("analysed", declared.sample_sizes),
        "doubtful": _first("kept", declared.doubtful),
        "risk_of_bias": _first("any", declared.risk_of_bias),
        "tau2_method": _first(model.method, declared.tau2_methods),
        "ci_method": _first(model.ci, declared.ci_methods),
    }


def correlation_words(correlation: float) -> str:
    """A correlation as the name of an option."""
    return f"{correlation:.3g}"


def _first(main: str, others: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((main, *others)))


def main_choice(choices: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The option of the main analysis for every choice."""
    return {name: options[0] for name, options in choices.items()}
