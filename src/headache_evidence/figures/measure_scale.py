"""From the analysis scale to the printed page: what a measure is called, how it is back-transformed, where ticks go."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import MaxNLocator

from headache_evidence.effects.measure_scales import MEASURE_SCALES
from headache_evidence.effects.measure_scales import MeasureScale as DisplayScale
from headache_evidence.figures.number_text import MINUS, plain

FloatArray = npt.NDArray[np.float64]

_UNKNOWN = DisplayScale("Effect", np.asarray, 0.0)
_RATIO_STEPS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))


@dataclass(frozen=True)
class MeasureScale:
    """How one measure is drawn: the axis position and the printed value of a number on the analysis scale."""

    measure: str

    @property
    def _display(self) -> DisplayScale:
        return MEASURE_SCALES.get(self.measure, _UNKNOWN)

    @property
    def name(self) -> str:
        """The measure in words."""
        return self._display.title

    @property
    def is_ratio(self) -> bool:
        """True for measures analysed as logarithms: the axis is a log axis."""
        return self._display.ratio

    @property
    def is_proportion(self) -> bool:
        """True for single proportions: the axis runs from 0 to 100 %."""
        return self._display.percent

    @property
    def null(self) -> float | None:
        """Axis position of 'no effect'; None for single proportions, which have none."""
        return None if self.is_proportion else self._display.null

    @property
    def decimals(self) -> int:
        """Decimals of printed values."""
        return 1 if self.is_proportion else 2

    def position(self, value: npt.ArrayLike) -> FloatArray:
        """Axis position of a value on the analysis scale (percent for proportions, else the value itself)."""
        return self.printed(value) if self.is_proportion else np.asarray(value, dtype=float)

    def printed(self, value: npt.ArrayLike) -> FloatArray:
        """The value that is printed: exp for ratios, percent for proportions, else the value itself."""
        return np.asarray(self._display.back_transform(value), dtype=float)

    def ticks(self, low: float, high: float, at_most: int = 6) -> list[tuple[float, str]]:
        """Positions and labels of round values between the axis positions ``low`` and ``high``."""
        if self.is_ratio:
            return _ratio_ticks(low, high, at_most)
        values = MaxNLocator(nbins=max(at_most - 1, 1), steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        inside = [float(v) for v in values if low - 1e-9 * abs(low) <= v <= high + 1e-9 * abs(high)]
        return [(v, plain(round(v, 10)).replace("-", MINUS)) for v in inside]


def analysis_ticks(scale: MeasureScale, low: float, high: float, at_most: int = 6) -> list[tuple[float, str]]:
    """Round printed values on an axis that shows the analysis scale itself (logits as logits), as funnels do."""
    if not scale.is_proportion:
        return scale.ticks(low, high, at_most)
    grid = np.linspace(low, high, 4001)
    printed = scale.printed(grid)
    chosen: list[float] = []
    for values in (
        (5.0, 50.0, 95.0),
        (5.0, 20.0, 50.0, 80.0, 95.0),
        tuple(range(10, 100, 10)),
        tuple(range(5, 100, 5)),
    ):
        inside = [float(v) for v in values if printed[0] <= v <= printed[-1]]
        chosen = inside if len(chosen) < len(inside) <= at_most else chosen
    return [(float(np.interp(v, printed, grid)), plain(v)) for v in chosen]


def _ratio_ticks(low: float, high: float, at_most: int) -> list[tuple[float, str]]:
    """1, 2, 5 steps, or whole powers of ten where the range is wide: the finest set that is not too many."""
    chosen: list[float] = []
    exponents = range(math.floor(low / math.log(10)) - 1, math.ceil(high / math.log(10)) + 1)
    for stride in (8, 4, 3, 2):
        values = [10.0**e for e in exponents if e % stride == 0]
        chosen = _finer(values, chosen, low, high, at_most)
    for steps in _RATIO_STEPS:
        chosen = _finer([s * 10.0**e for e in exponents for s in steps], chosen, low, high, at_most)
    if len(chosen) < 2:
        grid = MaxNLocator(nbins=max(at_most - 1, 1)).tick_values(math.exp(low), math.exp(high))
        chosen = [float(v) for v in grid if v > 0 and low <= math.log(v) <= high]
    return [(math.log(v), plain(v)) for v in chosen]


def _finer(values: list[float], chosen: list[float], low: float, high: float, at_most: int) -> list[float]:
    inside = [v for v in values if low - 1e-9 <= math.log(v) <= high + 1e-9]
    return inside if len(chosen) < len(inside) <= at_most else chosen


def axis_limits(
    estimates: FloatArray, lows: FloatArray, highs: FloatArray, null: float | None, bounded: tuple[float, float]
) -> tuple[float, float]:
    """Axis limits that hold every estimate and the null, and every interval that is not far wider than the rest.

    An interval may reach beyond the estimates by as much as the larger of their spread and the median interval; what
    is cut there gets an arrow.

    Parameters
    ----------
    estimates, lows, highs : arrays of shape (k,), axis positions; not-finite entries are ignored.
    null : position of no effect, held within the limits.
    bounded : smallest and largest possible position.
    """
    estimates = estimates[np.isfinite(estimates)]
    if estimates.size == 0:
        low, high = (-1.0, 1.0) if null is not None else bounded
        return (low, high) if math.isfinite(low) and math.isfinite(high) else (-1.0, 1.0)
    anchors = estimates if null is None else np.append(estimates, null)
    widths = highs - lows
    widths = widths[np.isfinite(widths)]
    reach = max(float(np.ptp(anchors)), float(np.median(widths)) if widths.size else 0.0, 1e-6)
    ends = [estimates, lows[np.isfinite(lows)], highs[np.isfinite(highs)]]
    everything = np.concatenate([*ends, anchors])
    low = max(float(everything.min()), float(anchors.min()) - reach)
    high = min(float(everything.max()), float(anchors.max()) + reach)
    margin = 0.04 * (high - low)
    return max(low - margin, bounded[0]), min(high + margin, bounded[1])
