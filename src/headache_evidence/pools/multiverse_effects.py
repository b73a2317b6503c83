"""The effects behind a multiverse: extracted once per setting, then only selected."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from headache_evidence.effects.correlation import PrePostCorrelation
from headache_evidence.effects.effect_request import EffectRequest
from headache_evidence.effects.effect_table import FloatArray, usable_effects
from headache_evidence.effects.escalc import escalc
from headache_evidence.effects.extract import effects_of, request_for
from headache_evidence.effects.extraction_tables import ExtractionTables
from headache_evidence.pools.multiverse_choices import ACTIVE_TOO, ALL_TECHNIQUES, NOT_APPLICABLE, correlation_words
from headache_evidence.tables.protocol import Protocol, Question

EXTRACTION_CHOICES = ("measure", "window", "techniques", "comparators", "pre_post_correlation")
CORRELATION_BEARS = "final_minus_baseline"  # in the derivation_rule of effects that the correlation bears on
HIGH_RISK = ("high", "serious", "critical")
MEANS, COUNTS = ("MD", "SMD", "SMDH", "ROM"), ("OR", "RR", "RD")

BoolArray = npt.NDArray[np.bool_]
Setting = tuple[str, ...]  # one option of each of EXTRACTION_CHOICES


@dataclass(frozen=True)
class EffectArrays:
    """Usable effects of one extraction as arrays over its studies (k,).

    yi, vi, n : by sample size, ``analysed`` or ``randomised``.
    sd, comparator_risk : what turns another measure into the main one; NaN where unknown.
    """

    studies: tuple[str, ...]
    yi: Mapping[str, FloatArray]
    vi: Mapping[str, FloatArray]
    n: Mapping[str, FloatArray]
    randomised: BoolArray
    doubtful: BoolArray
    high_risk: BoolArray
    sd: FloatArray
    comparator_risk: FloatArray

    def members(self, option: Mapping[str, str]) -> BoolArray:
        """Which studies stay under the options ``design``, ``doubtful`` and ``risk_of_bias``."""
        kept = np.ones(len(self.studies), dtype=bool)
        if option["design"] in ("randomised", "nonrandomised"):
            kept &= self.randomised == (option["design"] == "randomised")
        if option["doubtful"] == "left_out":
            kept &= ~self.doubtful
        if option["risk_of_bias"] == "not_high":
            kept &= ~self.high_risk
        return kept


class SettingEffects:
    """Extracts the effects of a question under each setting; a study again only where a setting can change its effect.

    ``tables`` are narrowed to the headache type and outcome of the question (ExtractionTables.about).
    """

    def __init__(self, tables: ExtractionTables, question: Question, protocol: Protocol) -> None:
        self._question, self._protocol = question, protocol
        asked = set(protocol.interventions[question.intervention].techniques)
        self._techniques: dict[str, set[str]] = {}  # asked techniques among the arms of each study
        for (study, _), arm in tables.arm_facts.items():
            if arm["technique"] in asked:
                self._techniques.setdefault(study, set()).add(arm["technique"])
        self._tables = tables.of_studies(self._techniques)
        self._rows_of_part = _rows_about_part_of_an_arm(tables)
        self._frames: dict[Setting, pd.DataFrame] = {}
        self._arrays: dict[int, EffectArrays] = {}  # by the identity of the table: many settings change no effect

    def arrays(self, setting: Setting) -> EffectArrays:
        """The effects of one setting."""
        frame = self._frame(setting)
        if id(frame) not in self._arrays:
            self._arrays[id(frame)] = effect_arrays(frame, self._tables, self._rows_of_part)
        return self._arrays[id(frame)]

    def _frame(self, setting: Setting) -> pd.DataFrame:
        if setting not in self._frames:
            self._frames[setting] = self._extracted(*setting)
        return self._frames[setting]

    def _extracted(
        self, measure: str, window: str, techniques: str, comparators: str, correlation: str
    ) -> pd.DataFrame:
        request = self._request(measure, window, techniques)
        protocols = correlation_words(self._tables.correlation.value)
        if techniques != ALL_TECHNIQUES:
            main = self._frame((measure, window, ALL_TECHNIQUES, comparators, correlation))
            pure = {study for study, found in self._techniques.items() if found == {techniques}}
            mixed = {study for study, found in self._techniques.items() if techniques in found and len(found) > 1}
            if not mixed and pure.issuperset(main["study_id"]):
                return main
            return self._replaced(main.loc[main["study_id"].isin(pure)], request, comparators, mixed)
        if correlation not in (NOT_APPLICABLE, protocols):
            main = self._frame((measure, window, techniques, comparators, protocols))
            bears = main["derivation_rule"].str.contains(CORRELATION_BEARS)
            if not bears.any():
                return main
            tables = self._tables.of_studies(set(main.loc[bears, "study_id"]))
            value = PrePostCorrelation(float(correlation), f"correlation {correlation} assumed")
            return _stacked(main.loc[~bears], usable_effects(effects_of(tables.with_correlation(value), request)))
        if window != self._question.window:
            main = self._frame((measure, self._question.window, techniques, comparators, correlation))
            changed = self._changed_between(request, request_for(self._question, self._protocol))
            if not changed:
                return main
            return self._replaced(main.loc[~main["study_id"].isin(changed)], request, comparators, changed)
        if comparators == ACTIVE_TOO:
            main = self._frame((measure, window, techniques, request.comparison, correlation))
            return self._with_active(main, request, set(self._techniques))
        return self._usable(request, set(self._techniques))

    def _changed_between(self, one: EffectRequest, two: EffectRequest) -> set[str]:
        """Studies with other rows in the two windows, or with several times of which another may be nearest."""
        changed: set[str] = set()
        for table in (self._tables.rows, self._tables.contrasts):
            inside = one.in_window(table["weeks"])
            changed |= set(table.loc[inside != two.in_window(table["weeks"]), "study_id"])
        if one.target_weeks != two.target_weeks:
            timed = pd.concat(
                [table[["study_id", "weeks", "time_label"]] for table in (self._tables.rows, self._tables.contrasts)]
            )
            times = timed.loc[one.in_window(timed["weeks"])].drop_duplicates().groupby("study_id").size()
            changed |= set(times.index[times > 1])
        return changed

    def _replaced(
        self, kept: pd.DataFrame, request: EffectRequest, comparators: str, studies: set[str]
    ) -> pd.DataFrame:
        new = self._usable(request, studies) if studies else kept.iloc[:0]
        if studies and comparators == ACTIVE_TOO:
            new = self._with_active(new, request, studies)
        return _stacked(kept, new)

    def _usable(self, request: EffectRequest, studies: Collection[str]) -> pd.DataFrame:
        return usable_effects(effects_of(self._tables.of_studies(studies), request))

    def _with_active(self, found: pd.DataFrame, request: EffectRequest, studies: set[str]) -> pd.DataFrame:
        """Studies without an effect against an asked comparator join with the first active one of the protocol's."""
        for comparison in self._protocol.multiverse.active_comparators[request.comparison]:
            comparator_kinds = self._protocol.comparisons[comparison].comparators
            wider = replace(request, comparison=comparison, comparators=comparator_kinds)
            found = _stacked(found, self._usable(wider, studies - set(found["study_id"])))
        return found

    def _request(self, measure: str, window: str, techniques: str) -> EffectRequest:
        """The question's request under a setting, all designs; the main target stays in a window that holds it."""
        request = request_for(self._question, self._protocol)
        span = self._protocol.windows[window]
        target = request.target_weeks
        return replace(
            request,
            measure=measure,
            weeks=span.weeks,
            target_weeks=target if span.weeks[0] < target <= span.weeks[1] else span.target,
            accept_unknown_time=span.accept_unknown_time,
            techniques=request.techniques if techniques == ALL_TECHNIQUES else (techniques,),
            design="all",
        )


def _stacked(one: pd.DataFrame, two: pd.DataFrame) -> pd.DataFrame:
    if one.empty or two.empty:
        return two if one.empty else one
    return pd.concat([one, two], ignore_index=True)


def _rows_about_part_of_an_arm(tables: ExtractionTables) -> frozenset[str]:
    own_type = tables.rows["study_id"].map(tables.studies["headache_type"])
    of_part = (tables.rows["population_subset"] != "") | (tables.rows["headache_type"] != own_type)
    return frozenset(tables.rows.loc[of_part, "source_row"])


def effect_arrays(effects: pd.DataFrame, tables: ExtractionTables, rows_of_part: frozenset[str]) -> EffectArrays:
    """Arrays of the usable effects, in the order of study_id, with a second version at randomised sample sizes."""
    rows = usable_effects(effects).sort_values("study_id", ignore_index=True)
    number = {
        name: rows[name].to_numpy(dtype=float, na_value=np.nan)
        for name in ("yi", "vi", "n1", "n2", "m1", "m2", "sd1", "sd2", "events1", "events2")
    }
    larger = _randomised_sizes(rows, tables, rows_of_part)
    n1, n2 = (np.where(np.isfinite(new), new, number[name]) for name, new in zip(("n1", "n2"), larger, strict=True))
    changed = np.isfinite(larger[0]) & ((n1 != number["n1"]) | (rows["arm_2"].ne("").to_numpy() & (n2 != number["n2"])))
    yi, vi = _recomputed(rows, number, n1, n2, changed)
    controlled = rows["stream"].eq("controlled").to_numpy(dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(
            ((number["n1"] - 1) * number["sd1"] ** 2 + (number["n2"] - 1) * number["sd2"] ** 2)
            / (number["n1"] + number["n2"] - 2)
        )
        risk = number["events2"] / number["n2"]
    return EffectArrays(
        studies=tuple(rows["study_id"]),
        yi={"analysed": number["yi"], "randomised": yi},
        vi={"analysed": number["vi"], "randomised": vi},
        n={
            "analysed": number["n1"] + np.where(controlled, number["n2"], 0.0),
            "randomised": n1 + np.where(controlled, n2, 0.0),
        },
        randomised=rows["randomised"].to_numpy(dtype=bool),
        doubtful=rows["doubtful"].to_numpy(dtype=bool),
        high_risk=rows["risk_of_bias"].isin(HIGH_RISK).to_numpy(dtype=bool),
        sd=sd,
        comparator_risk=risk,
    )


def _randomised_sizes(
    rows: pd.DataFrame, tables: ExtractionTables, rows_of_part: frozenset[str]
) -> tuple[FloatArray, FloatArray]:
    """Patients randomised (or enrolled) to the arms of each effect; NaN where unknown or where it does not apply.

    It does not apply to crossover trials, to rows about part of an arm, and where it is below the number analysed.
    """
    sizes = np.full((2, len(rows)), np.nan)
    needed = rows[["study_id", "design", "source_rows", "arm_1", "arm_2", "n1", "n2"]]
    for i, row in enumerate(needed.to_dict("records")):
        if row["design"] == "rct_crossover" or rows_of_part.intersection(str(row["source_rows"]).split("; ")):
            continue
        sides = [str(row[name]).split("+") for name in ("arm_1", "arm_2") if row[name]]
        known = [sum(tables.arm_facts[row["study_id"], arm]["n_randomised"] for arm in side) for side in sides]
        if all(n >= row[name] for n, name in zip(known, ("n1", "n2"), strict=False)):
            sizes[: len(known), i] = known
    return sizes[0], sizes[1]


def _recomputed(
    rows: pd.DataFrame, number: Mapping[str, FloatArray], n1: FloatArray, n2: FloatArray, changed: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """yi and vi at sizes n1 and n2: the same means and SDs, or the same events among all randomised."""
    yi, vi = number["yi"].copy(), number["vi"].copy()
    measures = rows["measure"].to_numpy(dtype=object)
    means = np.isfinite(number["sd1"])
    counts = np.isfinite(number["events1"])
    for measure in sorted(set(measures[changed])):
        at = changed & (measures == measure) & (means | counts)
        if not at.any():
            continue
        value = {name: values[at] for name, values in number.items()}
        if measure in MEANS:
            new = escalc(
                measure, m1i=value["m1"], sd1i=value["sd1"], n1i=n1[at], m2i=value["m2"], sd2i=value["sd2"], n2i=n2[at]
            )
        elif measure in COUNTS:
            new = escalc(measure, ai=value["events1"], n1i=n1[at], ci=value["events2"], n2i=n2[at])
        elif measure == "MC":
            new = pd.DataFrame({"yi": value["yi"], "vi": value["sd1"] ** 2 / n1[at]})
        else:
            new = escalc(measure, xi=value["events1"], ni=n1[at])
        yi[at], vi[at] = new["yi"].to_numpy(dtype=float), new["vi"].to_numpy(dtype=float)
    return yi, vi
