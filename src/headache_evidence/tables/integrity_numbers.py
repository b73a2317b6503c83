"""What printed numbers allow: bounds and consistency tests on plain arrays.

Every function takes arrays (or scalars) that broadcast and gives an array back; a missing number (NaN) is never
inconsistent. Printed numbers are rounded, so each test asks whether *some* value that rounds to the printed one passes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special, stats

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FLOAT_SLACK = 1e-9
"""Room for binary rounding of decimal numbers, far below the last digit any paper prints."""


def decimals(values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Decimal places of each number as its shortest decimal text shows them; a trailing zero is not seen.

    ``9.0`` counts as no decimal, so tests that use this err towards calling a number possible.
    """
    numbers = np.atleast_1d(np.asarray(values, dtype=float))
    texts = [np.format_float_positional(number, trim="-") if np.isfinite(number) else "" for number in numbers]
    return np.array([len(text.partition(".")[2]) for text in texts], dtype=np.int64)


def half_unit(values: npt.ArrayLike) -> FloatArray:
    """Half a unit of the last printed decimal."""
    return 0.5 * 10.0 ** -decimals(values).astype(float)


def grim_possible(mean: npt.ArrayLike, n: npt.ArrayLike, step: npt.ArrayLike = 1.0) -> BoolArray:
    """Whether ``n`` values, each a multiple of ``step``, can have this printed mean.

    Brown and Heathers 2017, Soc Psychol Personal Sci 8:363-369 (GRIM).
    """
    m, size, unit = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (mean, n, step))
    nearest = np.rint(m * size / unit) * unit / size
    possible: BoolArray = ~(np.abs(nearest - m) > half_unit(m) + FLOAT_SLACK)
    return possible


def grimmer_possible(mean: npt.ArrayLike, sd: npt.ArrayLike, n: npt.ArrayLike) -> BoolArray:
    """Whether ``n`` whole numbers can have this printed mean together with this printed SD.

    The sum of squares must be a whole number of the same parity as the sum. Allard 2018, "Analytic-GRIMMER";
    Anaya 2016, PeerJ Preprints 4:e2400v1.
    """
    m, s, size = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, dtype=float)) for x in (mean, sd, n)))
    total = np.rint(m * size)[:, None] + np.array([-1.0, 0.0, 1.0])
    fits_mean = np.abs(total / size[:, None] - m[:, None]) <= half_unit(m)[:, None] + FLOAT_SLACK
    slack = half_unit(s)
    base = total**2 / size[:, None]
    low = base + ((size - 1) * np.clip(s - slack, 0, None) ** 2)[:, None] - FLOAT_SLACK * (1 + base)
    high = base + ((size - 1) * (s + slack) ** 2)[:, None] + FLOAT_SLACK * (1 + base)
    first = np.ceil(low)
    first += np.mod(first - total, 2)
    possible: BoolArray = (fits_mean & (first <= high)).any(axis=1) | ~np.isfinite(m + s + size)
    return possible


def percent_possible(percent: npt.ArrayLike, n: npt.ArrayLike) -> BoolArray:
    """Whether some whole number out of ``n`` rounds to the printed percent."""
    return grim_possible(np.asarray(percent, dtype=float), n, step=100.0)


def percent_truncated(percent: npt.ArrayLike, n: npt.ArrayLike) -> BoolArray:
    """Whether some whole number out of ``n`` gives the printed percent when digits are cut off, not rounded."""
    p, size = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (percent, n))
    above = np.ceil(p * size / 100 - FLOAT_SLACK) * 100 / size
    possible: BoolArray = above - p < 2 * half_unit(p) - FLOAT_SLACK
    return possible


def largest_sd(mean: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, n: npt.ArrayLike) -> FloatArray:
    """Largest sample SD that ``n`` values between ``low`` and ``high`` with this mean can have.

    Bhatia and Davis 2000, Am Math Mon 107:353-357, times n / (n - 1); without n the factor is 2, its largest value.
    The printed mean may lie anywhere within its rounding, so the widest bound is given.
    """
    m, lo, hi, size = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, dtype=float)) for x in (mean, low, high, n)))
    slack = half_unit(m)
    nearest_to_middle = np.clip((lo + hi) / 2, m - slack, m + slack)
    variance = np.clip((hi - nearest_to_middle) * (nearest_to_middle - lo), 0, None)
    factor = np.where(np.isfinite(size) & (size > 1), size / np.where(size > 1, size - 1, 1), 2.0)
    bound: FloatArray = np.sqrt(variance * factor)
    return bound


def smallest_sd(mean: npt.ArrayLike, share: npt.ArrayLike, cut: npt.ArrayLike, n: npt.ArrayLike) -> FloatArray:
    """Smallest sample SD of values with this mean when a ``share`` (0-1) of them is at or above ``cut``.

    The spread is least when the share sits at the cut and the rest at one point, so the between-group sum of squares
    is the bound (law of total variance); 0 when the mean is at or above the cut.
    """
    m, p, c, size = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (mean, share, cut, n))
    rest = (m - p * c) / (1 - p)
    variance = np.where(c > m, p * (c - m) ** 2 + (1 - p) * (rest - m) ** 2, 0.0)
    bound: FloatArray = np.sqrt(variance * size / (size - 1))
    return bound


def interval_p(
    estimate: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, null: npt.ArrayLike, df: npt.ArrayLike = np.inf
) -> FloatArray:
    """Two-sided p of an estimate with its 95 % interval, on the scale on which the interval is symmetric.

    Altman and Bland 2011, BMJ 343:d2304; with a t distribution when ``df`` is finite.
    """
    e, lo, hi, at, degrees = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (estimate, low, high, null, df))
    se = (hi - lo) / (2 * stats.t.ppf(0.975, degrees))
    p: FloatArray = 2 * stats.t.sf(np.abs(e - at) / se, degrees)
    return p


def welch_p(
    mean1: npt.ArrayLike,
    sd1: npt.ArrayLike,
    n1: npt.ArrayLike,
    mean2: npt.ArrayLike,
    sd2: npt.ArrayLike,
    n2: npt.ArrayLike,
) -> FloatArray:
    """Two-sided p of Welch's t test from summary numbers (Welch 1947, Biometrika 34:28-35)."""
    m1, s1, k1, m2, s2, k2 = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (mean1, sd1, n1, mean2, sd2, n2))
    v1, v2 = s1**2 / k1, s2**2 / k2
    with np.errstate(divide="ignore", invalid="ignore"):
        df = (v1 + v2) ** 2 / (v1**2 / (k1 - 1) + v2**2 / (k2 - 1))
        t = np.abs(m1 - m2) / np.sqrt(v1 + v2)
    p: FloatArray = 2 * special.stdtr(df, -t)
    return p


def fisher_p(events1: float, total1: float, events2: float, total2: float) -> float:
    """Two-sided p of Fisher's exact test for one two-by-two table."""
    table = [[events1, total1 - events1], [events2, total2 - events2]]
    return float(stats.fisher_exact(table).pvalue)


def p_contradicts(
    p_low: npt.ArrayLike,
    p_high: npt.ArrayLike,
    printed: npt.ArrayLike,
    operator: npt.NDArray[np.object_],
    factor: float,
) -> BoolArray:
    """Whether a printed p lies beyond ``factor`` times the range of recomputed p values, read with its operator.

    ``operator`` is ``=``, ``<``, ``<=`` or ``>``; for the inequalities only the side they exclude counts.
    """
    low, high, p = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (p_low, p_high, printed))
    slack = half_unit(p)
    too_small = p + slack < low / factor
    too_large = p - slack > high * factor
    less, more = np.isin(operator, ("<", "<=")), np.isin(operator, (">", ">="))
    return np.where(less, p < low / factor, np.where(more, p > high * factor, too_small | too_large))


def robust_z(values: npt.ArrayLike) -> FloatArray:
    """Distance from the median in units of 1.4826 MAD; 0 everywhere when the MAD is 0 (Iglewicz and Hoaglin 1993)."""
    x = np.atleast_1d(np.asarray(values, dtype=float))
    centre = np.nanmedian(x)
    spread = 1.4826 * np.nanmedian(np.abs(x - centre))
    z: FloatArray = (x - centre) / spread if spread > 0 else np.zeros_like(x)
    return z
