"""Which comparisons within a study tell about one feature alone: guidance, site, technique, fluid, or the patients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.vocabulary import CORTICOSTEROIDS, LOCAL_ANAESTHETICS

FEATURES = ("technique", "guidance", "nerves", "injectate")
PROCEDURE = (  # all that is recorded of what was done; arms alike in all of it differ in their patients
    *("technique", "technique_reported", "guidance", "nerves", "nerves_reported", "laterality", "injectate"),
    *("injectate_reported", "dose", "volume_ml", "sessions"),
)
GUIDED = ("ultrasound", "mri", "ct", "fluoroscopy")
UNKNOWN = ("", "not_reported")
CONTROLLED = ("rct_parallel", "rct_crossover", "nonrandomised_controlled")  # their arms differ in what was given
NO_PROCEDURE = ("drug", "usual_care", "sham_injection", "sham_topical", "other")

Arm = Mapping[Any, Any]  # a row of arms.csv
Arms = Sequence[Arm]


@dataclass(frozen=True)
class ArmsOfStudy:
    """A study's design and arms."""

    study_id: str
    design: str
    arms: tuple[Arm, ...]


@dataclass(frozen=True)
class Contrast:
    """One part of a claim about a feature.

    holds : whether two sides of a comparison differ in it alone. sign : +1 when a benefit of the first side speaks for
    the claim, -1 when one of the second does; None when a difference in either direction does.
    """

    name: str
    title: str
    compares: str  # 'a study compares ..., all else alike'
    holds: Callable[[Arms, Arms], bool]
    sign: Callable[[Arms, Arms], int] | None = None


def contrasts_of(feature: str) -> tuple[Contrast, ...]:
    """The parts that one feature of the protocol's claims is judged by."""
    return CONTRASTS[feature]


def differ_only_in(feature: str, first: Arms, second: Arms) -> bool:
    """Whether two sets of arms differ in one feature, both known, and in no other known one."""
    own = _values(first, feature), _values(second, feature)
    if own[0] & own[1] or any(value in UNKNOWN for value in own[0] | own[1]):
        return False
    return all(_values(first, name) == _values(second, name) for name in FEATURES if name != feature)


def differ_in_patients(first: Arms, second: Arms) -> bool:
    """Whether two sets of arms had the same procedure in all that is recorded of it."""
    return all(_values(first, name) == _values(second, name) for name in PROCEDURE if name in first[0])


def differ_in_technique(first: Arms, second: Arms) -> bool:
    """Whether two sets of arms had different procedures, all else alike; drugs and shams are none."""
    procedures = (_values(first, "technique") | _values(second, "technique")).isdisjoint(NO_PROCEDURE)
    return procedures and differ_only_in("technique", first, second)


def differ_in_substances(substances: frozenset[str], others: frozenset[str], first: Arms, second: Arms) -> bool:
    """Whether the fluid of just one side holds such a substance, both or none hold the others, all else alike."""
    if not differ_only_in("injectate", first, second):
        return False
    return _holds(first, substances) != _holds(second, substances) and _holds(first, others) == _holds(second, others)


def comparing_studies(studies: Iterable[ArmsOfStudy], technique: str, contrast: Contrast) -> tuple[str, ...]:
    """Studies with two arms that differ as the contrast asks, one of them of the technique.

    Kinds of patients are compared only by studies whose arms were not given different care: see ``tells_of``.
    """
    found = []
    for study in studies:
        pairs = combinations(study.arms, 2) if tells_of(contrast, study.design) else ()
        if any(technique in (a["technique"], b["technique"]) and contrast.holds([a], [b]) for a, b in pairs):
            found.append(study.study_id)
    return tuple(found)


def arms_by_study(evidence: Evidence, headache_type: str) -> tuple[ArmsOfStudy, ...]:
    """The studies of a headache type that were not retracted, with their arms."""
    studies = evidence.studies.loc[
        (evidence.studies["headache_type"] == headache_type) & ~evidence.studies["retracted"]
    ]
    designs = dict(zip(studies["study_id"], studies["design"], strict=True))
    groups: dict[str, list[Arm]] = {study: [] for study in sorted(designs)}
    for arm in evidence.arms.to_dict("records"):
        if arm["study_id"] in groups:
            groups[str(arm["study_id"])].append(arm)
    return tuple(ArmsOfStudy(study, designs[study], tuple(arms)) for study, arms in groups.items())


def tells_of(contrast: Contrast, design: str) -> bool:
    """Whether a design can compare so: the arms of controlled studies differ in care, even if not in the procedure."""
    return contrast.name != "selection" or design not in CONTROLLED


def guided_against_unguided(modality: str, first: Arms, second: Arms) -> bool:
    """Whether one side was guided by the modality and the other by none, all else alike."""
    if not differ_only_in("guidance", first, second):
        return False
    sides = [_values(first, "guidance"), _values(second, "guidance")]
    return {modality} in sides and any(side.isdisjoint(GUIDED) for side in sides)


def _guided(modality: str) -> Contrast:
    name = {"mri": "MRI"}.get(modality, modality)
    return Contrast(
        modality,
        f"efficacy with {name}",
        f"guidance by {name} with none",
        lambda first, second: guided_against_unguided(modality, first, second),
        lambda first, second: 1 if _values(first, "guidance") == {modality} else -1,
    )


def _values(arms: Arms, name: str) -> set[str]:
    return {str(arm[name]) for arm in arms}


def _holds(arms: Arms, substances: frozenset[str]) -> bool:
    return any(not substances.isdisjoint(str(arm["injectate"]).split(";")) for arm in arms)


CONTRASTS = {
    "guidance": (_guided("ultrasound"), _guided("mri")),
    "selection": (Contrast("selection", "patient selection", "kinds of patients", differ_in_patients),),
    "nerves": (Contrast("site", "site", "nerves to inject at", lambda a, b: differ_only_in("nerves", a, b)),),
    "technique": (Contrast("technique", "technique", "techniques", differ_in_technique),),
    "injectate": (
        Contrast(
            "anaesthetic", "an anaesthetic in the fluid", "fluids with and without an anaesthetic",
            lambda a, b: differ_in_substances(LOCAL_ANAESTHETICS, CORTICOSTEROIDS, a, b),
        ),
        Contrast(
            "steroid", "a steroid in the fluid", "fluids with and without a steroid",
            lambda a, b: differ_in_substances(CORTICOSTEROIDS, LOCAL_ANAESTHETICS, a, b),
        ),
    ),
}  # fmt: skip
