"""A pooled result in words: the heterogeneity, effect and model lines below a forest, and its text alternative."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from headache_evidence.figures.measure_scale import MeasureScale
from headache_evidence.figures.number_text import interval, interval_words, number, p_value
from headache_evidence.pools.result import PooledResult
from headache_evidence.pools.subgroups import MIN_K, difference_of_subgroups

CI_NAMES = {
    "wald": "Wald interval",
    "t, k - 1": "interval by t, df = k − 1",
    "knapp-hartung": "Knapp-Hartung interval",
    "knapp-hartung-conservative": "Knapp-Hartung interval, never narrower than Wald",
}
MODELS = {  # method: the model in words, and its short form over the column of effects
    "FE": ("Common-effect model, inverse variance", "IV, common"),
    "MH": ("Common-effect model, Mantel-Haenszel", "MH, common"),
    "Peto": ("Common-effect model, Peto", "Peto, common"),
    "GLMM": ("Generalised linear mixed model, random effects", "GLMM"),
}
NO_EVIDENCE = "No usable evidence: no study gives an effect with its variance."
ONE_STUDY = "One study: its own interval is shown and nothing is pooled."


def percent(level: float) -> str:
    """0.95 as '95%'."""
    return f"{100 * level:g}%"


def effect_words(result: PooledResult, scale: MeasureScale) -> str:
    """'−1.20 [−2.10, −0.30]' on the printed scale."""
    estimate = number(float(scale.printed(result.estimate)), scale.decimals)
    return f"{estimate} {interval(printed_interval(result.ci, scale), scale.decimals)}"


def printed_interval(bounds: tuple[float, float], scale: MeasureScale) -> tuple[float, float]:
    """Both bounds on the printed scale."""
    low, high = scale.printed(np.array(bounds)).tolist()
    return low, high


def heterogeneity_words(result: PooledResult, *, with_tau2: bool = True) -> str:
    """tau2 and I2 with their intervals, Q with its degrees of freedom and P; empty for fewer than two studies."""
    if result.k < 2:
        return ""
    parts = []
    if with_tau2 and math.isfinite(result.tau2):
        parts.append(f"τ² = {number(result.tau2, 3)} {interval(result.tau2_ci, 3)}".strip())
    if math.isfinite(result.i2):
        parts.append(f"I² = {number(result.i2, 1)}% {interval(result.i2_ci, 1)}".strip())
    if math.isfinite(result.q):
        parts.append(f"Q = {number(result.q)}, df = {result.q_df}, {p_value(result.q_p)}")
    return ", ".join(parts)


def effect_test_words(result: PooledResult) -> str:
    """The test of the mean effect; empty for fewer than three studies, which support no such wording."""
    if result.k < 3 or not math.isfinite(result.statistic):
        return ""
    df = f", df = {result.df:g}" if math.isfinite(result.df) else ""
    return f"{result.statistic_name} = {number(result.statistic)}{df}, {p_value(result.p_value)}"


def short_model(result: PooledResult) -> str:
    """The model as RevMan prints it over the effects: 'IV, random'; empty where nothing is pooled."""
    return "" if result.k < 2 else MODELS.get(result.method, ("", "IV, random"))[1]


def model_name(result: PooledResult) -> str:
    """'Random effects' or 'Common effect', for the label of a diamond."""
    return "Common effect" if result.method in ("FE", "MH", "Peto") else "Random effects"


def model_words(result: PooledResult) -> str:
    """How the studies were pooled and where each interval comes from."""
    model, _ = MODELS.get(result.method, (f"Random-effects model, τ² by {result.method}, inverse variance", ""))
    interval_rule = CI_NAMES.get(result.ci_method, f"interval by {result.ci_method}")
    parts = [model, f"{percent(result.level)} {interval_rule}"]
    if math.isfinite(result.prediction_interval[0]):
        law = f"t({result.prediction_df:g})" if math.isfinite(result.prediction_df) else "the normal distribution"
        parts.append(f"prediction interval by {law}")
    return "; ".join(parts) + "."


def footer_lines(
    result: PooledResult, subgroups: Mapping[str, PooledResult], scale: MeasureScale, *, with_tau2: bool = True
) -> list[str]:
    """The lines below the axis, as RevMan prints them, then the model and its notes."""
    if not result.estimable:
        return [NO_EVIDENCE]
    if result.k == 1:
        return [ONE_STUDY]
    lines = [f"Heterogeneity: {heterogeneity_words(result, with_tau2=with_tau2)}"]
    if effect_test_words(result) and scale.null is not None:
        lines.append(f"Test of the overall effect: {effect_test_words(result)}")
    if len(subgroups) > 1:
        lines.append(_difference_words(subgroups))
    return [*lines, model_words(result), *(_sentence(note) for note in result.notes)]


def _difference_words(subgroups: Mapping[str, PooledResult]) -> str:
    q, df, p = difference_of_subgroups(subgroups)
    if not math.isfinite(q):
        return f"No test of subgroup differences: it needs two subgroups of at least {MIN_K} studies."
    return f"Test of subgroup differences: Q = {number(q)}, df = {df}, {p_value(p)}"


def result_sentence(result: PooledResult, scale: MeasureScale) -> str:
    """The pooled result as one or two sentences for a reader who cannot see the figure."""
    if not result.estimable:
        return NO_EVIDENCE
    patients = f", {result.n:.0f} patients" if math.isfinite(result.n) else ""
    lead = f"Pooled from {result.k} studies{patients}" if result.k > 1 else f"One study{patients}, nothing pooled"
    estimate = number(float(scale.printed(result.estimate)), scale.decimals)
    ci = interval_words(printed_interval(result.ci, scale), scale.decimals)
    text = f"{lead}: {scale.name.lower()} {estimate} ({percent(result.level)} CI {ci})."
    if result.k > 1 and math.isfinite(result.i2):
        text += f" I² {number(result.i2, 0)}%."
    if math.isfinite(result.prediction_interval[0]):
        bounds = interval_words(printed_interval(result.prediction_interval, scale), scale.decimals)
        text += f" Prediction interval {bounds}."
    return text


def _sentence(note: str) -> str:
    note = note.strip().replace("tau2", "τ²")
    return note[:1].upper() + note[1:] + ("" if note.endswith((".", "!", "?")) else ".")
