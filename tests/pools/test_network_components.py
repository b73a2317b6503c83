"""Which components an arm holds."""

from __future__ import annotations

import pandas as pd
import pytest

from headache_evidence.errors import InputError
from headache_evidence.pools.network_components import components_of_arm, network_contrasts, treatment_of_arm


def arm(technique="perineural_block", injectate="", guidance="not_reported", volume_ml=None, label="arm", **more):
    return {
        "technique": technique,
        "injectate": injectate,
        "guidance": guidance,
        "volume_ml": volume_ml,
        "label": label,
    } | more


@pytest.mark.parametrize(
    ("row", "components"),
    [
        (arm(injectate="lidocaine"), ("injection", "local_anaesthetic")),
        (arm(injectate="lidocaine;bupivacaine;triamcinolone"), ("injection", "local_anaesthetic", "steroid")),
        (arm(injectate="lidocaine;saline"), ("injection", "saline_volume", "local_anaesthetic")),
        (arm("sham_injection", "saline"), ("injection",)),
        (arm("sham_injection", "saline;lidocaine"), ("injection",)),
        (arm("sham_injection", "saline", "ultrasound"), ("injection", "ultrasound_guidance")),
        (
            arm("hydrodissection", "dextrose_5", "ultrasound"),
            ("injection", "dextrose", "hydrodissection", "ultrasound_guidance"),
        ),
        (arm("usual_care"), ()),
        (arm("topical_block", "lidocaine"), ("topical_application", "topical_local_anaesthetic")),
        (arm("sham_topical", "saline"), ("topical_application",)),
        (arm("botulinum_toxin", "botulinum_toxin"), ("injection", "botulinum_toxin")),
        (arm("pulsed_radiofrequency"), ("pulsed_radiofrequency",)),
        (arm(injectate="local_anaesthetic;contrast_medium"), ("injection", "local_anaesthetic")),
        (arm(), ("injection", "unspecified_injectate")),
        (arm(injectate="ozone"), ("injection", "ozone")),
        (arm("drug", label="oral steroids + taper"), ("drug: oral steroids taper",)),
    ],
)
def test_components_of_arm(row, components):
    assert components_of_arm(row) == components


def test_large_volume_is_a_component_only_on_request():
    row = arm(injectate="lidocaine", volume_ml=6.0)
    assert "large_volume" not in components_of_arm(row)
    assert "large_volume" in components_of_arm(row, large_volume_ml=5.0)
    assert "large_volume" not in components_of_arm(arm(volume_ml=float("nan")), large_volume_ml=5.0)


def test_treatment_is_joined_and_usual_care_is_named():
    assert treatment_of_arm(arm(injectate="lidocaine")) == "injection+local_anaesthetic"
    assert treatment_of_arm(arm("usual_care")) == "usual_care"


def test_contrasts_get_treatments_and_reasons():
    arms = pd.DataFrame(
        [
            arm(injectate="lidocaine", study_id="s", arm_id="A"),
            arm("sham_injection", "saline", study_id="s", arm_id="B"),
            arm(injectate="bupivacaine", study_id="s", arm_id="C"),
            arm(injectate="dexamethasone", study_id="s", arm_id="D"),
        ]
    )
    effects = pd.DataFrame(
        {"study_id": "s", "arm_1": ["A", "A", "A+D", "A+C"], "arm_2": ["B", "C", "B", "B"], "yi": 1.0, "vi": 1.0}
    )
    table = network_contrasts(effects, arms)
    assert table["treat1"].tolist()[0] == "injection+local_anaesthetic"
    assert table["treat2"].tolist()[0] == "injection"
    assert table["usable"].tolist() == [True, False, False, True]
    assert "both arms hold the same components" in table["reason"][1]
    assert "arms combined that differ" in table["reason"][2]


def test_unknown_arm_is_named():
    effects = pd.DataFrame({"study_id": ["s"], "arm_1": ["A"], "arm_2": ["B"], "yi": [1.0], "vi": [1.0]})
    with pytest.raises(InputError, match="Study s: no arm named A"):
        network_contrasts(effects, pd.DataFrame([arm(study_id="s", arm_id="B")]))
