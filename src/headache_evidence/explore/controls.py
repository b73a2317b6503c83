"""The explorer's controls: one widget per setting, filled from the choices at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from headache_evidence.explore.choices import Choices
from headache_evidence.explore.explorer_settings import ExplorerSettings

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Question": {
        "headache_type": "Headache",
        "outcome": "Outcome",
        "stream": "Evidence",
        "intervention": "Treatment",
        "comparison": "Against",
        "design": "Design",
        "window": "Time",
    },
    "Studies": {
        "technique": "Technique",
        "guidance": "Guidance",
        "injectate": "Injectate",
        "leave_out_doubtful": "Leave out doubtful numbers",
        "leave_out_high_risk": "Leave out high risk of bias",
    },
    "Statistics": {
        "measure": "Measure",
        "method": "Estimator",
        "ci": "Interval",
        "pre_post_correlation": "Pre-post r",
    },
    "Figure": {"lights": "Risk of bias beside the studies"},
}
ONLY_CONTROLLED = ("comparison", "design")
LABEL = {"description_width": "78px"}


def make_control(name: str, title: str) -> widgets.ValueWidget:
    """The widget of one setting."""
    default = getattr(ExplorerSettings(), name)
    layout = widgets.Layout(width="300px")
    if isinstance(default, bool):
        return widgets.Checkbox(description=title, indent=False, layout=layout)
    if isinstance(default, float):
        return widgets.BoundedFloatText(
            value=default, min=-0.95, max=0.95, step=0.1, description=title, style=LABEL, layout=layout
        )
    return widgets.Dropdown(description=title, style=LABEL, layout=layout)


def fill(controls: Mapping[str, Any], choices: Mapping[str, Choices], settings: ExplorerSettings) -> None:
    """Bring every control to the settings; what has not changed is not sent again."""
    for name, control in controls.items():
        value = getattr(settings, name)
        if name in choices and list(control.options) != choices[name]:
            control.options = choices[name]
        if control.value != value:
            control.value = value
        if name in ONLY_CONTROLLED:
            control.disabled = settings.stream != "controlled"
