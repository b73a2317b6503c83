"""From the units of the papers to the units of analysis: one per outcome, time in weeks, a fall negative.

Both functions keep every row and every column, change the numbers and add three columns: ``weeks``; ``unit``, empty
where a number cannot be brought to the analysis unit of its outcome (it is then left as printed); and ``conversion``,
what was done or why nothing could be, in words. ``scale`` and ``sign`` afterwards describe the new numbers, so that
harmonising twice changes nothing; ``scale_reported`` keeps the source's wording.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from headache_evidence.tables.vocabulary import conversion, weeks_after, why_not_convertible

LOCATIONS = ("mean", "median", "value")
SPREADS = ("sd", "se", "spread_unlabelled")
BOUNDS = (("ci_low", "ci_high"), ("q1", "q3"), ("min", "max"))
DIFFERENCES = ("MD", "MDN")
REVERSED = "sign turned: the source prints a fall, or a lower value in arm 1, as a positive number"
UNCLEAR = "the direction cannot be told"


def harmonise_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Arm-level statistics in analysis units.

    Parameters
    ----------
    outcomes : ``Evidence.outcomes``, one row per reported statistic.

    Returns
    -------
    A copy in which mean, median, value, SD, SE, unlabelled spread, interval limits, quartiles, minimum and maximum are
    multiplied by the factor of their scale; rows whose ``sign`` is ``reversed`` change sign, their lower and upper
    bounds change places. Spreads never change sign.
    """
    plan = _plan(outcomes)
    turned = (outcomes["sign"] == "reversed").to_numpy()
    result = _scaled(outcomes, plan, turned, locations=LOCATIONS, spreads=SPREADS, bounds=BOUNDS)
    return _described(result, plan, turned)


def harmonise_contrasts(contrasts: pd.DataFrame) -> pd.DataFrame:
    """Between-arm statistics in analysis units.

    Differences (MD, MDN) are converted and signed like ``harmonise_outcomes`` does; risk differences in percentage
    points become proportions; ratios, numbers needed to treat and P values stay. A negative difference means a lower
    value in ``arm_1``.
    """
    plan = _plan(contrasts)
    difference = contrasts["measure"].isin(DIFFERENCES).to_numpy()
    points = (contrasts["estimate_unit"] == "percentage_points").to_numpy()
    plan = plan.assign(
        factor=np.where(points, 0.01, np.where(difference, plan["factor"], 1.0)),
        unit=np.where(difference, plan["unit"], np.where(contrasts["measure"] == "RD", "proportion", "")),
        scale=np.where(difference, plan["scale"], contrasts["scale"]),
        words=np.where(points, "percentage points read as proportion", np.where(difference, plan["words"], "")),
    )
    turned = (contrasts["sign"] == "reversed").to_numpy() & difference
    result = _scaled(contrasts, plan, turned, locations=("estimate",), spreads=(), bounds=(("ci_low", "ci_high"),))
    result["estimate_unit"] = result["estimate_unit"].mask(points, "proportion")
    return _described(result, plan, turned)


def _plan(table: pd.DataFrame) -> pd.DataFrame:
    """Per row: factor, unit, new scale and the words that explain them."""
    pairs = table[["outcome", "scale"]].drop_duplicates()
    rows = []
    for outcome, scale in pairs.itertuples(index=False, name=None):
        found = conversion(outcome, scale)
        if found is None:
            rows.append((1.0, "", scale, why_not_convertible(outcome, scale)))
        else:
            words = f"x {found.factor:.6g} ({found.reason})" if found.factor != 1.0 else found.reason
            rows.append((found.factor, found.unit, found.scale, words))
    plan = pairs.assign(
        factor=[row[0] for row in rows],
        unit=[row[1] for row in rows],
        new_scale=[row[2] for row in rows],
        words=[row[3] for row in rows],
    )
    joined = table[["outcome", "scale"]].merge(plan, on=["outcome", "scale"], how="left")
    unclear = (table["sign"] == "unclear").to_numpy()
    return pd.DataFrame(
        {
            "factor": np.where(unclear, 1.0, joined["factor"]),
            "unit": np.where(unclear, "", joined["unit"]),
            "scale": np.where(unclear, table["scale"], joined["new_scale"]),
            "words": np.where(unclear, UNCLEAR, joined["words"]),
        },
        index=table.index,
    )


def _scaled(
    table: pd.DataFrame,
    plan: pd.DataFrame,
    turned: np.ndarray,
    *,
    locations: tuple[str, ...],
    spreads: tuple[str, ...],
    bounds: tuple[tuple[str, str], ...],
) -> pd.DataFrame:
    result = table.copy()
    factor = plan["factor"].to_numpy(dtype=float)
    signed = np.where(turned, -factor, factor)
    for name in locations:
        result[name] = table[name].astype("float64") * signed
    for name in spreads:
        result[name] = table[name].astype("float64") * factor
    for low, high in bounds:
        lower: pd.Series = table[low].astype("float64") * signed
        upper: pd.Series = table[high].astype("float64") * signed
        result[low], result[high] = lower.mask(turned, upper), upper.mask(turned, lower)
    return result


def _described(result: pd.DataFrame, plan: pd.DataFrame, turned: np.ndarray) -> pd.DataFrame:
    words = plan["words"].astype("str")
    both = words.where(words == "", words + "; ")
    return result.assign(
        scale=plan["scale"].astype("str"),
        sign=result["sign"].mask(turned, "signed"),
        weeks=weeks_after(result["time_value"], result["time_unit"]),
        unit=plan["unit"].astype("str"),
        conversion=words.mask(turned, both + REVERSED),
    )
