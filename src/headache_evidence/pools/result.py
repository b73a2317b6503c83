"""What a pooled result is: every number of it, plain floats, and the words that go with it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

Interval = tuple[float, float]
NOT_ESTIMABLE: Interval = (math.nan, math.nan)


@dataclass(frozen=True)
class PooledResult:
    """A random- or common-effect meta-analysis of k effects on the analysis scale of its measure.

    Numbers that do not exist (``tau2_ci`` of a single study, say) are NaN, and ``notes`` says why.
    """

    k: int
    n: float  # patients behind the effects, NaN when not known
    measure: str
    method: str  # FE, DL, HE, ML, REML, PM, SJ, EB
    ci_method: str  # wald, knapp-hartung, knapp-hartung-conservative
    level: float  # confidence level of every interval, 0.95
    estimate: float
    se: float
    ci: Interval
    statistic: float
    statistic_name: str  # "z" or "t"
    df: float  # degrees of freedom of t, NaN for z
    p_value: float
    tau2: float
    tau2_se: float
    tau2_ci: Interval  # Q-profile
    i2: float  # percent, from tau2
    i2_ci: Interval
    i2_q: float  # percent, from Q
    h2: float
    q: float
    q_df: int
    q_p: float
    prediction_interval: Interval
    prediction_df: float  # degrees of freedom of t, NaN for z
    prediction_rule: str  # which convention: "k-2" or "metafor"
    weights: tuple[float, ...]  # percent, in the order of the effects
    labels: tuple[str, ...]
    notes: tuple[str, ...]  # what a reader must know: "single study: its own interval", ...

    @property
    def estimable(self) -> bool:
        """False when there is no usable evidence (k = 0)."""
        return self.k > 0 and math.isfinite(self.estimate)

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON-ready values: tuples become lists, NaN and infinities become None."""
        return {key: json_ready(value) for key, value in asdict(self).items()} | {"estimable": self.estimable}


def json_ready(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, tuple | list):
        return [json_ready(item) for item in value]
    return value
