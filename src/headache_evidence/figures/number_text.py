"""Numbers as printed in figures: thin minus sign, fixed decimals, P values the way journals want them."""

from __future__ import annotations

import math

from headache_evidence.pools.result import Interval

MINUS = "−"


def number(value: float, decimals: int = 2) -> str:
    """Fixed decimals, fewer from 100 upwards, powers of ten from 100,000; empty when missing."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if abs(value) >= 1e5:
        return f"{value:.1e}".replace("e+0", "e").replace("e+", "e").replace("-", MINUS)
    text = f"{value:.{0 if abs(value) >= 100 else decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def plain(value: float) -> str:
    """A value as short as it can be: 12, 1.5, 0.05."""
    if math.isnan(value):
        return ""
    return f"{value:.6g}".replace("-", MINUS)


def count(value: float) -> str:
    """A whole number; empty when missing."""
    return "" if math.isnan(value) else f"{value:.0f}"


def interval(bounds: Interval, decimals: int = 2) -> str:
    """'[low, high]'; empty when a bound is missing."""
    low, high = bounds
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{number(low, decimals)}, {number(high, decimals)}]"


def interval_words(bounds: Interval, decimals: int = 2) -> str:
    """'low to high', for running text."""
    return f"{number(bounds[0], decimals)} to {number(bounds[1], decimals)}"


def p_value(p: float) -> str:
    """'P = 0.031', 'P < 0.001'; empty when missing."""
    if math.isnan(p):
        return ""
    if p < 0.001:
        return "P < 0.001"
    return f"P = {p:.3f}" if p < 0.1 else f"P = {p:.2f}"
