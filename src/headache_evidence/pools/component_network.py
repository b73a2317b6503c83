"""Component network meta-analysis: which ingredient of a compound treatment works?

The additive model says that the effect of a treatment is the sum of the effects of its components. It borrows
strength across treatments, works in disconnected networks, and is tested against the model without additivity.

Welton NJ et al. (2009), American Journal of Epidemiology 169:1158-1165; Ruecker G, Petropoulou M, Schwarzer G (2020),
Biometrical Journal 62:808-821.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from headache_evidence.errors import InputError
from headache_evidence.pools.network_contrasts import NetworkData, network_data, subnetworks
from headache_evidence.pools.network_graph import network_edges, network_nodes
from headache_evidence.pools.network_model import NetworkFit, aliased_with, fit_network
from headache_evidence.pools.result import json_ready

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ComponentNetwork:
    """An additive component model beside the plain network; effects on the analysis scale, treat1 minus treat2.

    ``components`` and ``treatments`` have the columns estimate, se, ci_low, ci_high, statistic (z), p_value, estimable,
    note. ``league`` has one row per pair of treatments with the estimates of both models. ``heterogeneity`` has the
    rows additive, standard and difference (the test of additivity) with q, df and p. ``nodes`` and ``edges`` are the
    graph. ``notes`` says which covariance was used, and what cannot be told apart.
    """

    k: int
    m: int  # independent contrasts
    n: float  # patients, NaN when not known
    model: str  # random or common
    level: float
    reference: str
    tau2: float  # of the additive model
    tau2_standard: float
    i2: float
    components: pd.DataFrame
    treatments: pd.DataFrame
    league: pd.DataFrame
    heterogeneity: pd.DataFrame
    nodes: pd.DataFrame
    edges: pd.DataFrame
    subnetworks: tuple[tuple[str, ...], ...]
    left_out: pd.DataFrame  # contrasts that were not usable, with the reason
    notes: tuple[str, ...]

    @property
    def connected(self) -> bool:
        """Whether every treatment can be reached from every other by direct comparisons."""
        return len(self.subnetworks) == 1

    def league_table(self, model: str = "additive") -> pd.DataFrame:
        """Square table of estimates, row treatment minus column treatment; NaN where not estimable.

        ``model`` is "additive" or "standard".
        """
        if model not in ("additive", "standard"):
            raise InputError(f'model must be "additive" or "standard"; got "{model}".')
        names = list(self.treatments["treatment"])
        square = pd.DataFrame(np.nan, index=names, columns=names)
        column = "estimate" if model == "additive" else "standard_estimate"
        for one, two, value in self.league[["treat1", "treat2", column]].itertuples(index=False):
            square.loc[one, two] = value
            square.loc[two, one] = -value
        return square

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON-ready values; tables become lists of records."""
        values: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, pd.DataFrame):
                records = value.astype(object).to_dict("records")
                value = [{str(key): json_ready(cell) for key, cell in record.items()} for record in records]
            values[name] = json_ready(value)
        return values | {"connected": self.connected}


def component_network(
    effects: pd.DataFrame,
    components: Sequence[str] | None = None,
    *,
    inactive: Sequence[str] = ("usual_care",),
    reference: str | None = None,
    random: bool = True,
    tau2: float | None = None,
    level: float = 0.95,
) -> ComponentNetwork:
    """Fit the additive component model and the plain network to a table of contrasts.

    Parameters
    ----------
    effects : one row per contrast: ``study_id``, ``treat1``, ``treat2`` (components joined by "+"), ``yi``, ``vi``, and
        for studies with several arms what `network_data` needs. `network_contrasts` makes it from effects and arms.
    components : names of the components, in the order wanted; all that occur by default.
    inactive : components without effect, the zero of the model.
    reference : treatment that the others are compared with; the first inactive one that occurs, else the one in most
        studies.
    random : random effects with one tau2, by the method of moments from Q of each model, unless ``tau2`` is given.

    Raises
    ------
    InputError
        for a component that is not in ``components``, an unknown reference, or faulty contrasts.
    """
    data = network_data(effects)
    parts = {name: _parts(name, inactive) for name in data.treatments}
    found = sorted({part for names in parts.values() for part in names})
    names = list(found if components is None else [c for c in components if c not in inactive])
    unknown = sorted(set(found) - set(names))
    if unknown:
        raise InputError(f"Component(s) {', '.join(unknown)} occur in the contrasts but not in components.")
    if not names:
        raise InputError("No treatment holds an active component.")
    coding = np.array([[float(name in parts[t]) for name in names] for t in data.treatments])
    additive = fit_network(data, data.incidence @ coding, random, tau2)
    standard = fit_network(data, data.incidence, random, tau2)
    base = _reference(data, inactive, reference)
    nodes = network_nodes(data)
    table, alias_notes = _component_table(data, additive, names, coding, level)
    return ComponentNetwork(
        k=data.k,
        m=data.yi.size,
        n=float(nodes["n"].sum(min_count=len(nodes))),
        model="random" if random else "common",
        level=level,
        reference=base,
        tau2=additive.tau2,
        tau2_standard=standard.tau2,
        i2=additive.i2,
        components=table,
        treatments=_against_reference(data, additive, coding, base, level),
        league=_league(data, additive, standard, coding, level),
        heterogeneity=_heterogeneity(additive, standard),
        nodes=nodes,
        edges=network_edges(data),
        subnetworks=subnetworks(data.incidence, data.treatments),
        left_out=_left_out(effects),
        notes=data.notes + alias_notes,
    )


def _parts(treatment: str, inactive: Sequence[str]) -> tuple[str, ...]:
    parts = [part.strip() for part in treatment.split("+")]
    if not all(parts):
        raise InputError(f'Treatment "{treatment}" has an empty component.')
    return tuple(part for part in parts if part not in inactive)


def _reference(data: NetworkData, inactive: Sequence[str], reference: str | None) -> str:
    if reference is not None:
        if reference not in data.treatments:
            raise InputError(f'No treatment "{reference}"; treatments: {", ".join(data.treatments)}.')
        return reference
    for name in inactive:
        if name in data.treatments:
            return name
    nodes = network_nodes(data)
    return str(nodes["treatment"].iloc[int(nodes["k"].argmax())])


def _interval_table(value: FloatArray, se: FloatArray, level: float, prefix: str = "") -> pd.DataFrame:
    half = stats.norm.isf((1 - level) / 2) * se
    z = np.divide(value, se, out=np.full_like(value, np.nan), where=se > 0)
    return pd.DataFrame(
        {
            f"{prefix}estimate": value,
            f"{prefix}se": se,
            f"{prefix}ci_low": value - half,
            f"{prefix}ci_high": value + half,
            f"{prefix}statistic": z,
            f"{prefix}p_value": 2 * stats.norm.sf(np.abs(z)),
        }
    )


def _component_table(
    data: NetworkData, fit: NetworkFit, names: Sequence[str], coding: FloatArray, level: float
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    value, se = fit.estimates(np.eye(len(names)))
    informed = data.incidence @ coding != 0
    studies = np.array(data.studies)
    notes = [_alias_words(j, others, names) for j, others in enumerate(aliased_with(fit))]
    table = _interval_table(value, se, level)
    table.insert(0, "component", list(names))
    table.insert(1, "k", [len(set(studies[informed[:, j]])) for j in range(len(names))])
    table["estimable"] = fit.estimable(np.eye(len(names)))
    table["note"] = notes
    return table, tuple(f"{name}: {note}." for name, note in zip(names, notes, strict=True) if note)


def _alias_words(index: int, others: tuple[int, ...], names: Sequence[str]) -> str:
    if not others:
        return ""
    if others == (index,):
        return "not identifiable: no study compares arms with and without it"
    return f"not identifiable: cannot be told from {', '.join(names[i] for i in others)}"


def _against_reference(
    data: NetworkData, fit: NetworkFit, coding: FloatArray, reference: str, level: float
) -> pd.DataFrame:
    differences = coding - coding[data.treatments.index(reference)]
    value, se = fit.estimates(differences)
    table = _interval_table(value, se, level)
    table.insert(0, "treatment", list(data.treatments))
    table["estimable"] = fit.estimable(differences)
    table["note"] = np.where(table["estimable"], "", f"not estimable against {reference}")
    return table


def _league(
    data: NetworkData, additive: NetworkFit, standard: NetworkFit, coding: FloatArray, level: float
) -> pd.DataFrame:
    first, second = np.triu_indices(len(data.treatments), k=1)
    table = pd.DataFrame({"treat1": np.array(data.treatments)[first], "treat2": np.array(data.treatments)[second]})
    plain = np.eye(len(data.treatments))
    sums = _interval_table(*additive.estimates(coding[first] - coding[second]), level)
    pairs = _interval_table(*standard.estimates(plain[first] - plain[second]), level, "standard_")
    return pd.concat([table, sums, pairs], axis=1)


def _heterogeneity(additive: NetworkFit, standard: NetworkFit) -> pd.DataFrame:
    q = max(0.0, additive.q - standard.q)
    df = standard.rank - additive.rank
    p = float(stats.chi2.sf(q, df)) if df > 0 else np.nan
    return pd.DataFrame(
        {
            "model": ["additive", "standard", "difference"],
            "q": [additive.q, standard.q, q],
            "df": [additive.q_df, standard.q_df, df],
            "p_value": [additive.q_p, standard.q_p, p],
        }
    )


def _left_out(effects: pd.DataFrame) -> pd.DataFrame:
    columns = ["study_id", "reason"]
    if "usable" not in effects.columns:
        return pd.DataFrame(columns=columns)
    rows = effects.loc[~effects["usable"].astype(bool)]
    reason = rows["reason"] if "reason" in rows.columns else "not usable"
    return rows.assign(reason=reason)[columns].reset_index(drop=True)
