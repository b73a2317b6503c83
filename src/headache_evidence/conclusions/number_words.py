"""Numbers and titles as they stand in a sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headache_evidence.pools.result import Interval


def ratio_number(value: float) -> str:
    """A ratio with two digits; beyond 0.01 and 1000 only that it lies beyond."""
    return "below 0.01" if value < 0.01 else "above 1000" if value > 1000 else f"{value:.2f}"


def difference_words(estimate: float, ci: Interval, digits: int = 1) -> str:
    """'4.0 lower (95% CI 6.3 lower to 1.8 lower)'."""
    return f"{_one_side(estimate, digits)}{_interval_words(ci, digits, 'lower', 'higher')}"


def more_or_fewer_words(difference: float, ci: Interval) -> str:
    """'379 more of 1000 patients (95% CI 31 more to 718 more)'; no interval when a limit does not exist."""
    limits = _interval_words(ci, 0, "fewer", "more")
    return f"{_one_side(difference, 0, 'fewer', 'more')} of 1000 patients{limits}"


def span(low: float, high: float, digits: int = 0) -> str:
    """' (239 to 838)', empty when a limit does not exist."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f" (95% CI {low:.{digits}f} to {high:.{digits}f})".replace("-", "\N{MINUS SIGN}")


def in_sentence(title: str) -> str:
    """A title as it stands inside a sentence: 'Pain intensity (0-10)' becomes 'pain intensity (0-10)'."""
    capitals = sum(word[0].isupper() for word in title.split(" ") if word)
    return title if capitals > 1 and "(" not in title.split(" ")[1] else title[:1].lower() + title[1:]


def count(number: int, one: str, many: str) -> str:
    """'1 study', '2 studies'."""
    return f"{number} {one if number == 1 else many}"


def _one_side(value: float, digits: int, below: str = "lower", above: str = "higher") -> str:
    size = f"{abs(value):.{digits}f}"
    return size if float(size) == 0 else f"{size} {below if value < 0 else above}"


def _interval_words(ci: Interval, digits: int, below: str, above: str) -> str:
    if not all(map(math.isfinite, ci)):
        return ""
    low, high = (_one_side(limit, digits, below, above) for limit in ci)
    return f" (95% CI {low} to {high})"
