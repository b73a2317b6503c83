"""Which components an arm of the evidence holds, and the contrasts of components that a set of effects gives.

Coding, so that a sum of components describes an arm:

* ``injection``: needle, ritual and fluid, the part that a placebo injection shares. Every injected arm has it; a sham
  injection has nothing else, whatever small amount of anaesthetic it holds to feel alike.
* ``topical_application``: the same for topical blocks and their sham. What a topical block holds is a component of its
  own, ``topical_local_anaesthetic`` say: a drop on the mucosa is not assumed to do what an injection does.
* ``local_anaesthetic``, ``steroid``, ``dextrose``, ``botulinum_toxin``, ``neurolytic`` ...: from the injectate.
* ``saline_volume``: saline meant as treatment or to add volume, that is, in an arm that is not a sham.
* ``hydrodissection``, ``pulsed_radiofrequency``: from the technique. ``ultrasound_guidance``: from the guidance.
* ``large_volume``: only when a threshold in mL is given.
* ``unspecified_injectate``: an injection whose content is not reported; never read as "nothing".
* drugs and other techniques are one component each, named by the arm's label: they are not taken apart or merged.
* usual care has no component: it is the zero of the model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.errors import InputError

USUAL_CARE = "usual_care"
INJECTED = ("perineural_block", "hydrodissection", "ganglion_block", "botulinum_toxin", "neurolysis")
ANAESTHETICS = (
    "local_anaesthetic",
    "lidocaine",
    "bupivacaine",
    "levobupivacaine",
    "ropivacaine",
    "mepivacaine",
    "prilocaine",
    "cocaine",
)
STEROIDS = (
    "steroid",
    "corticosteroid",
    "dexamethasone",
    "methylprednisolone",
    "triamcinolone",
    "betamethasone",
    "cortivazol",
)
COMPONENT_OF_INJECTATE: dict[str, str] = {
    **dict.fromkeys(ANAESTHETICS, "local_anaesthetic"),
    **dict.fromkeys(STEROIDS, "steroid"),
    "dextrose_5": "dextrose",
    "saline": "saline_volume",
    "alcohol": "neurolytic",
}
INERT = ("contrast_medium",)
ORDER = (
    "injection",
    "topical_application",
    "saline_volume",
    "large_volume",
    "local_anaesthetic",
    "steroid",
    "dextrose",
    "botulinum_toxin",
    "hydrodissection",
    "ultrasound_guidance",
)


def components_of_arm(row: Mapping[str, Any], large_volume_ml: float | None = None) -> tuple[str, ...]:
    """Components of an arm, in a fixed order; empty for usual care.

    Parameters
    ----------
    row : a row of arms.csv: ``technique``, ``injectate`` (joined by ";"), ``guidance``, ``volume_ml``, ``label``.
    large_volume_ml : volume per site from which ``large_volume`` is a component; off by default.
    """
    technique = _text(row, "technique")
    if technique == USUAL_CARE:
        return ()
    if technique in ("drug", "other", ""):
        return (f"{technique or 'unknown'}: {_name(_text(row, 'label'))}",)
    found: set[str] = set()
    if technique in ("topical_block", "sham_topical"):
        found.add("topical_application")
    elif technique in (*INJECTED, "sham_injection"):
        found.add("injection")
    else:
        found.add(technique)
    if not technique.startswith("sham"):
        held = _injectate_components(technique, _text(row, "injectate"))
        found |= {f"topical_{name}" for name in held} if technique == "topical_block" else held
        if technique == "hydrodissection":
            found.add("hydrodissection")
    if _text(row, "guidance") == "ultrasound":
        found.add("ultrasound_guidance")
    volume = _text(row, "volume_ml")
    if large_volume_ml is not None and volume and float(volume) >= large_volume_ml:
        found.add("large_volume")
    return tuple(sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)))


def treatment_of_arm(row: Mapping[str, Any], large_volume_ml: float | None = None) -> str:
    """The components of an arm joined by "+", or "usual_care"."""
    return "+".join(components_of_arm(row, large_volume_ml)) or USUAL_CARE


def network_contrasts(effects: pd.DataFrame, arms: pd.DataFrame, large_volume_ml: float | None = None) -> pd.DataFrame:
    """Effects of the controlled stream with the columns ``treat1`` and ``treat2`` that a network needs.

    An effect against several arms together is kept when these hold the same components. Otherwise ``usable`` is
    False and ``reason`` says so; the same for arms of equal components, which say nothing about a component.

    Raises
    ------
    InputError
        for an arm that the table of arms does not hold.
    """
    table = effects.copy()
    if "usable" not in table.columns:
        table["usable"] = True
    if "reason" not in table.columns:
        table["reason"] = ""
    needed = arms.loc[arms["study_id"].isin(set(table["study_id"]))]
    treatment = {
        (str(row["study_id"]), str(row["arm_id"])): treatment_of_arm(row, large_volume_ml)
        for row in map(_named, needed.to_dict("records"))
    }
    usable = usable_effects(table).index
    for column, arm_column in (("treat1", "arm_1"), ("treat2", "arm_2")):
        pairs = zip(table.loc[usable, "study_id"].astype(str), table.loc[usable, arm_column].astype(str), strict=True)
        names = pd.Series(
            [_treatments(study, arm_ids, treatment) for study, arm_ids in pairs], index=usable, dtype=object
        )
        table[column] = names.map(lambda found: found[0]).reindex(table.index, fill_value="")
        mixed = names.index[names.map(len) > 1]
        table.loc[mixed, "usable"] = False
        table.loc[mixed, "reason"] = "arms combined that differ: " + names[mixed].map(" | ".join)
    same = table["usable"].astype(bool) & (table["treat1"] == table["treat2"])
    table.loc[same, "reason"] = "both arms hold the same components: " + table.loc[same, "treat1"]
    table.loc[same, "usable"] = False
    return table


def _treatments(study_id: str, arm_ids: str, treatment: Mapping[tuple[str, str], str]) -> list[str]:
    absent = [arm for arm in arm_ids.split("+") if (study_id, arm) not in treatment]
    if absent:
        raise InputError(f"Study {study_id}: no arm named {', '.join(absent)} in the table of arms.")
    return sorted({treatment[study_id, arm] for arm in arm_ids.split("+")})


def _injectate_components(technique: str, injectate: str) -> set[str]:
    tokens = [token.strip() for token in injectate.split(";") if token.strip()]
    found = {COMPONENT_OF_INJECTATE.get(token, token) for token in tokens if token not in INERT}
    if technique == "botulinum_toxin":
        return found | {"botulinum_toxin"}
    if technique == "pulsed_radiofrequency" or found:
        return found
    return {"unspecified_injectate"}


def _named(record: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in record.items()}


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key, "")
    return (
        "" if value is None or value is pd.NA or (isinstance(value, float) and value != value) else str(value).strip()
    )


def _name(label: str) -> str:
    return re.sub(r"[+\s]+", " ", label).strip() or "not described"
