"""Multiverse: the pooled result under every defensible set of choices, and which choice moves it most.

Steegen et al. (2016), Perspect Psychol Sci 11:702; specification curve: Simonsohn, Simmons & Nelson (2020), Nat Hum
Behav 4:1208; for meta-analyses: Voracek, Kossmeier & Tran (2019), Z Psychol 227:64.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.effect_table import FloatArray
from headache_evidence.effects.extraction_tables import ExtractionTables, extraction_tables
from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.errors import InputError, ParameterError
from headache_evidence.pools.multiverse_choices import CHOICES, EFFECT_CHOICES, MODEL_CHOICES, choices_of, main_choice
from headache_evidence.pools.multiverse_effects import EXTRACTION_CHOICES, EffectArrays, SettingEffects
from headache_evidence.pools.multiverse_scale import CommonScale, median_of
from headache_evidence.pools.multiverse_sweep import EffectSets, Sweep, sweep
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol, Question

MIN_K_SIGNIFICANCE = 3  # below it a p-value says nothing worth counting
ROUNDING = 1e-9  # relative: mean estimates this close are the same
INFLUENCE_COLUMNS = (
    "choice",
    "options",
    "with_estimate",
    "range",
    "variance_share",
    "lowest",
    "highest",
    "lowest_mean",
    "highest_mean",
)


@dataclass(frozen=True, eq=False)
class Multiverse:
    """The specifications of one question.

    ``table`` has one row per combination of choices: the columns in CHOICES; ``k``, ``n`` (patients); ``estimate``,
    ``ci_low``, ``ci_high`` on the analysis scale of ``measure_main``; ``own_estimate`` in the specification's own
    measure; ``tau2`` (own measure); ``p``; ``significant`` (missing below k = 3 and for measures without a null);
    ``beyond_threshold`` (missing without a threshold); ``distinct``: False for a row that repeats an earlier analysis
    or has k = 0. ``main`` is the row of the main analysis.
    """

    question: Question
    measure_main: str
    level: float
    threshold: float
    options: Mapping[str, tuple[str, ...]]
    table: pd.DataFrame
    main: int
    sets_pooled: int

    @property
    def choices(self) -> tuple[str, ...]:
        """Choices with more than one option."""
        return tuple(name for name, options in self.options.items() if len(options) > 1)

    @property
    def distinct(self) -> pd.DataFrame:
        """Each different analysis once: k of at least 1, and another set of effects, estimator or interval."""
        return self.table.loc[self.table["distinct"]]

    @property
    def empty(self) -> int:
        """Number of specifications that no study answers (k = 0)."""
        return int((self.table["k"] == 0).sum())

    @property
    def share_significant(self) -> float:
        """Share of the distinct specifications of at least three studies with p below 1 - level; NaN when none is."""
        tested = self.distinct["significant"].dropna()
        return float(tested.mean()) if len(tested) else math.nan

    def share_beyond(self, x: float, direction: str | None = None) -> float:
        """Share of the distinct specifications whose estimate lies beyond ``x``, on the scale of ``measure_main``.

        ``direction`` is "below" or "above"; without it, away from 0. NaN when there is no estimate.
        """
        estimate = self.distinct["estimate"].to_numpy(dtype=float)
        estimate = estimate[~np.isnan(estimate)]
        return float(_beyond(estimate, x, direction).mean()) if estimate.size else math.nan

    @property
    def influence(self) -> pd.DataFrame:
        """Which choice moves the result most: one row per choice with more than one option, the strongest first.

        ``range`` is the largest minus the smallest mean estimate over a choice's options, the other choices averaged
        over; ``lowest`` and ``highest`` name the two options (empty when nothing moves); ``variance_share`` is the
        share of the variance of the estimates that the choice alone accounts for (eta squared). Infinite and missing
        estimates take no part: ``with_estimate`` counts the ``options`` that have one.
        """
        used = self.table.loc[np.isfinite(self.table["estimate"])]
        rows = [_influence_of(name, self.options[name], used) for name in self.choices]
        table = pd.DataFrame(rows, columns=list(INFLUENCE_COLUMNS))
        return table.sort_values("range", ascending=False, kind="stable", ignore_index=True)


def multiverse(
    evidence: Evidence,
    protocol: Protocol,
    headache_type: str,
    outcome: str,
    stream: str = "controlled",
    *,
    intervention: str = "injection",
    comparison: str = "inactive",
    design: str = "randomised",
    window: str | None = None,
    threshold: float = math.nan,
) -> Multiverse:
    """Pool a question of the protocol under every combination of the choices that ``multiverse:`` there declares.

    Parameters
    ----------
    evidence, protocol : from load_evidence and load_protocol.
    headache_type, outcome, stream, intervention, comparison, design, window : which question; comparison and design
        bear on the controlled stream only. Without ``window`` the outcome must have one only.
    threshold : of a change that matters to patients, in units of the main measure on its analysis scale.

    Raises
    ------
    ParameterError
        when the protocol has no such question; the message lists what comes near.
    """
    controlled = stream == "controlled"
    near = [
        question
        for question in protocol.questions_for(headache_type)
        if (question.outcome, question.stream, question.intervention) == (outcome, stream, intervention)
        and (not controlled or (question.comparison, question.design) == (comparison, design))
    ]
    found = [question for question in near if window is None or question.window == window]
    if len(found) != 1:
        known = ", ".join(question.question_id for question in near) or "no question with these parts"
        raise ParameterError(
            f"The multiverse takes one question; {len(found)} fit {outcome}, {stream}, {intervention}, window "
            f"{window or '(not given)'}. The protocol has: {known}."
        )
    tables = extraction_tables(evidence, protocol.extraction).about(headache_type, outcome)
    return question_multiverse(tables, protocol, found[0], threshold)


def question_multiverse(
    tables: ExtractionTables, protocol: Protocol, question: Question, threshold: float = math.nan
) -> Multiverse:
    """The multiverse of one question; ``tables`` are narrowed to its headache type and outcome."""
    options = choices_of(question, protocol, tables.correlation.value)
    effects = SettingEffects(tables, question, protocol)
    scale = _common_scale(effects, options, question.measure)
    sets = EffectSets()
    combinations = list(product(*(options[name] for name in EFFECT_CHOICES)))
    selected = [_selected(effects, dict(zip(EFFECT_CHOICES, values, strict=True)), sets) for values in combinations]
    pooled = sweep(sets.sets, options["tau2_method"], options["ci_method"], protocol.model.level)
    table = _table(combinations, selected, sets, pooled, options, scale)
    null = measure_scale(question.measure).null
    table["significant"] = (table["p"] < 1 - protocol.model.level).astype("boolean")
    table.loc[(table["k"] < MIN_K_SIGNIFICANCE) | table["p"].isna() | math.isnan(null), "significant"] = pd.NA
    if math.isnan(null):
        table["p"] = math.nan
    table["beyond_threshold"] = pd.Series(pd.NA, index=table.index, dtype="boolean")
    if not math.isnan(threshold):
        known = ~table["estimate"].isna()
        table.loc[known, "beyond_threshold"] = _beyond(table.loc[known, "estimate"].to_numpy(), threshold, None)
    main = main_choice(options)
    at_main = np.logical_and.reduce([table[name].to_numpy() == main[name] for name in CHOICES])
    return Multiverse(
        question=question,
        measure_main=question.measure,
        level=protocol.model.level,
        threshold=threshold,
        options=options,
        table=table,
        main=int(np.flatnonzero(at_main)[0]),
        sets_pooled=len(sets.sets),
    )


def _selected(effects: SettingEffects, option: dict[str, str], sets: EffectSets) -> tuple[int, int, float]:
    """Number of the set of effects, k and patients under one combination of the choices about effects."""
    arrays = effects.arrays(tuple(option[name] for name in EXTRACTION_CHOICES))
    kept = arrays.members(option)
    size = option["sample_size"]
    number = sets.number_of(arrays.yi[size][kept], arrays.vi[size][kept])
    return number, int(kept.sum()), float(arrays.n[size][kept].sum())


def _common_scale(effects: SettingEffects, options: Mapping[str, tuple[str, ...]], measure: str) -> CommonScale:
    """Comparator risk and SD of the main setting; the SD from its last measure, which needs one of every study."""
    main = main_choice(options)
    found: list[EffectArrays] = [
        effects.arrays(tuple((main | {"measure": name})[choice] for choice in EXTRACTION_CHOICES))
        for name in options["measure"]
    ]
    return CommonScale(
        measure=measure,
        sd=median_of(found[-1].sd),
        comparator_risk=median_of(found[0].comparator_risk),
    )


def _table(
    combinations: list[tuple[str, ...]],
    selected: list[tuple[int, int, float]],
    sets: EffectSets,
    pooled: Sweep,
    options: Mapping[str, tuple[str, ...]],
    scale: CommonScale,
) -> pd.DataFrame:
    methods, intervals = (options[name] for name in MODEL_CHOICES)
    models = list(product(methods, intervals))
    each, rows = len(models), len(combinations) * len(models)
    columns: dict[str, npt.NDArray[np.generic]] = {
        name: np.repeat(np.array([values[i] for values in combinations], dtype=object), each)
        for i, name in enumerate(EFFECT_CHOICES)
    }
    for i, name in enumerate(MODEL_CHOICES):
        columns[name] = np.tile(np.array([model[i] for model in models], dtype=object), len(combinations))
    number = np.array([item[0] for item in selected], dtype=int)
    k = np.array([item[1] for item in selected], dtype=int)
    columns["k"], columns["n"] = np.repeat(k, each), np.repeat(np.array([item[2] for item in selected]), each)

    def spread(values: FloatArray) -> FloatArray:
        of_combination = values.reshape(len(sets.sets), each)[number] if len(sets.sets) else np.empty((0, each))
        empty = np.full((len(combinations), each), np.nan)
        return np.where(number[:, None] < 0, empty, of_combination if len(sets.sets) else empty)

    measures = np.array([values[EFFECT_CHOICES.index("measure")] for values in combinations], dtype=object)
    for name in ("estimate", "ci_low", "ci_high"):
        own = spread(getattr(pooled, name))
        shown = own.copy()
        for measure in options["measure"]:
            shown[measures == measure] = scale.to_main(measure, own[measures == measure])
        columns[name] = shown.reshape(rows)
    columns["own_estimate"] = spread(pooled.estimate).reshape(rows)
    columns["tau2"], columns["p"] = spread(pooled.tau2).reshape(rows), spread(pooled.p).reshape(rows)
    columns["distinct"] = _first_of_their_kind(number, k, measures, each)
    return pd.DataFrame(columns)


def _first_of_their_kind(
    number: npt.NDArray[np.int_], k: npt.NDArray[np.int_], measures: npt.NDArray[np.object_], each: int
) -> npt.NDArray[np.bool_]:
    """True for the first row of each analysis; a single study has one, whatever the estimator and interval."""
    first = np.zeros(number.size, dtype=bool)
    first[np.unique(number, return_index=True)[1]] = True
    first &= number >= 0
    model = np.arange(each)
    return np.asarray((first[:, None] & ((k[:, None] > 1) | (model == 0))).reshape(-1))


def _influence_of(name: str, options: tuple[str, ...], table: pd.DataFrame) -> dict[str, object]:
    estimate, option = table["estimate"].to_numpy(dtype=float), table[name].to_numpy()
    groups = {words: estimate[option == words] for words in options if (option == words).any()}
    row: dict[str, object] = {"choice": name, "options": len(options), "with_estimate": len(groups)}
    if not groups:
        return row | {"range": math.nan, "variance_share": math.nan, "lowest": "", "highest": ""}
    means = {words: float(values.mean()) for words, values in groups.items()}
    mean, total = float(estimate.mean()), float(np.square(estimate - estimate.mean()).sum())
    between = sum(values.size * (means[words] - mean) ** 2 for words, values in groups.items())
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    moves = means[high] - means[low] > ROUNDING * max(1.0, abs(mean))
    return row | {
        "range": means[high] - means[low] if moves else 0.0,
        "variance_share": between / total if moves else 0.0,
        "lowest": low if moves else "",
        "highest": high if moves else "",
        "lowest_mean": means[low],
        "highest_mean": means[high],
    }


def _beyond(values: FloatArray, x: float, direction: str | None) -> npt.NDArray[np.bool_]:
    if direction is None:
        if x == 0:
            raise InputError("Beyond 0 in which direction? Give direction='below' or 'above'.")
        direction = "below" if x < 0 else "above"
    if direction not in ("below", "above"):
        raise InputError(f"direction must be 'below' or 'above'; got {direction!r}.")
    return np.asarray(values < x if direction == "below" else values > x)
