"""Which ingredient works? Component networks of the headline outcomes: tables, sentences and graphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.effects.extraction_tables import ADVERSE_EVENT, extraction_tables
from headache_evidence.effects.measure_scales import measure_scale
from headache_evidence.errors import InputError
from headache_evidence.figures.evidence_figure import EvidenceFigure
from headache_evidence.figures.network import network_plot
from headache_evidence.figures.number_text import number
from headache_evidence.figures.saving import save_figure
from headache_evidence.figures.typeset import words
from headache_evidence.pools.component_network import ComponentNetwork, component_network
from headache_evidence.pools.network_effects import network_effects
from headache_evidence.pools.network_inconsistency import Inconsistency, inconsistency
from headache_evidence.reports.readable_tables import ReadableTable
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol

ANY_TIME = "any"  # window of the protocol: each study once, at its time nearest to the target
MIN_CONTRASTS = 2
MIN_K_TEST = 3  # studies below which no test is made
NOT_ESTIMABLE = "not estimable"
NO_NETWORK = "No headline outcome has a network of two or more randomised contrasts."


@dataclass(frozen=True)
class OutcomeNetwork:
    """The component network of one outcome; ``network`` is None where it is not estimable, and ``reason`` says why."""

    headache_type: str
    outcome: str
    title: str
    measure: str
    contrasts: pd.DataFrame
    network: ComponentNetwork | None
    inconsistency: Inconsistency | None
    reason: str

    @property
    def name(self) -> str:
        """Stable name for files."""
        return f"{self.headache_type}.{self.outcome}.network"


def networks(
    evidence: Evidence, protocol: Protocol, headache_type: str, outcomes: Iterable[str] | None = None
) -> tuple[OutcomeNetwork, ...]:
    """The component network of each headline outcome of benefit, from randomised controlled contrasts only.

    Each study enters once, at its time nearest to the target of the protocol's window ``any``.

    Parameters
    ----------
    outcomes : only these of the headline outcomes; all when None or empty.
    """
    wanted = set(outcomes or protocol.headline.outcomes)
    tables = extraction_tables(evidence, protocol.extraction)
    window = protocol.windows[ANY_TIME]
    found = []
    for outcome in protocol.headline.outcomes:
        if outcome not in wanted or outcome.startswith(ADVERSE_EVENT):
            continue
        contrasts = network_effects(
            evidence,
            headache_type=headache_type,
            outcome=outcome,
            weeks=window.weeks,
            target_weeks=window.target,
            accept_unknown_time=window.accept_unknown_time,
            protocol=protocol,
            tables=tables,
        )
        found.append(_network(headache_type, outcome, protocol, contrasts))
    return tuple(found)


def _network(headache_type: str, outcome: str, protocol: Protocol, contrasts: pd.DataFrame) -> OutcomeNetwork:
    network, split, reason = None, None, _too_few(contrasts)
    if not reason:
        try:
            network = component_network(contrasts, level=protocol.model.level)
            split = inconsistency(contrasts)
        except InputError as error:
            network, reason = None, f"{NOT_ESTIMABLE}: {error}"
    item = protocol.outcomes[outcome]
    return OutcomeNetwork(
        headache_type, outcome, item.title, item.measures["controlled"], contrasts, network, split, reason
    )


def _too_few(contrasts: pd.DataFrame) -> str:
    usable = usable_effects(contrasts)
    if len(usable) >= MIN_CONTRASTS:
        return ""
    count = "no usable randomised contrast" if usable.empty else "one usable randomised contrast, which is no network"
    out = contrasts.loc[~contrasts["usable"].astype(bool)]
    kinds = dict.fromkeys(
        part.removeprefix(f"{NOT_ESTIMABLE}: ") for text in out["reason"] for part in text.split("; ")
    )
    left = f"; {out['study_id'].nunique()} left out ({'; '.join(kinds)})" if len(out) else ""
    return f"{NOT_ESTIMABLE}: {count}{left}"


def show_networks(found: Iterable[OutcomeNetwork]) -> ReadableTable:
    """One row per outcome: its studies and treatments, what the components do, and whether the studies agree."""
    return ReadableTable(
        pd.DataFrame([_row(item) for item in found]),
        "Which ingredient works",
        empty="No headline outcome was asked for.",
    )


def _row(item: OutcomeNetwork) -> dict[str, object]:
    network = item.network
    if network is None:
        used = usable_effects(item.contrasts)
        return {
            "outcome": item.title,
            "k": used["study_id"].nunique(),
            "n": _patients(used),
            "treatments": "no network",
            "answer": item.reason,
            "heterogeneity": "not assessable",
            "inconsistency": "not assessable",
            "additivity": "not assessable",
        }
    parts = len(network.subnetworks)
    return {
        "outcome": item.title,
        "k": network.k,
        "n": _patients(usable_effects(item.contrasts)),
        "treatments": f"{len(network.nodes)}" + (f" in {parts} unconnected parts" if parts > 1 else ""),
        "answer": _answer(item, network),
        "heterogeneity": _heterogeneity(network),
        "inconsistency": _test(item.inconsistency, network.k, "no closed loop of comparisons"),
        "additivity": _additivity(network),
    }


def _answer(item: OutcomeNetwork, network: ComponentNetwork) -> str:
    table = network.components
    known = table.loc[table["estimable"].astype(bool)]
    told = [f"{words(row['component'])} {_estimate(item, row)} (k = {row['k']})" for row in known.to_dict("records")]
    unknown = [words(name) for name in table.loc[~table["estimable"].astype(bool), "component"]]
    sentence = (
        f"{item.measure} added by a component: {'; '.join(told)}."
        if told
        else "No component can be told from the others."
    )
    return sentence + (f" Not identifiable: {', '.join(unknown)}." if unknown else "")


def _heterogeneity(network: ComponentNetwork) -> str:
    row = _of_model(network, "additive")
    if row["df"] == 0:
        return "not assessable: as many components as contrasts"
    return f"tau\N{SUPERSCRIPT TWO} = {number(network.tau2)}, Q = {number(row['q'])}, df = {row['df']:.0f}"


def _of_model(network: ComponentNetwork, model: str) -> Mapping[Any, Any]:
    return next(row for row in network.heterogeneity.to_dict("records") if row["model"] == model)


def _additivity(network: ComponentNetwork) -> str:
    row = _of_model(network, "difference")
    split = Inconsistency(float(row["q"]), int(row["df"]), float(row["p_value"]))
    return _test(split, network.k, "these comparisons do not test it")


def _test(found: Inconsistency | None, k: int, when_none: str) -> str:
    if found is None or found.df <= 0:
        return f"not assessable: {when_none}"
    if k < MIN_K_TEST:
        return f"not assessable (k = {k})"
    return f"Q = {number(found.q)}, df = {found.df}, p = {found.p_value:.3f}"


def show_network_components(found: Iterable[OutcomeNetwork]) -> ReadableTable:
    """The effect that each component adds; one that the studies cannot tell from others says so."""
    rows = [
        {
            "outcome": item.title,
            "component": words(row["component"]),
            "k": row["k"],
            "n": _patients(_that_differ_in(item.contrasts, row["component"])),
            "measure": item.measure,
            "effect added (95% CI)": _estimate(item, row) if row["estimable"] else row["note"].replace("_", " "),
        }
        for item in found
        if item.network is not None
        for row in item.network.components.to_dict("records")
    ]
    return ReadableTable(pd.DataFrame(rows), "What each component adds", empty=NO_NETWORK)


def show_network_league(found: Iterable[OutcomeNetwork]) -> ReadableTable:
    """Every pair of treatments that a model can compare, by both models; the other pairs of an outcome in one row.

    k and n are those of the direct comparisons; a pair without any is compared through others.
    """
    rows: list[dict[str, object]] = []
    for item in found:
        if item.network is not None:
            rows += _league_rows(item, item.network)
    return ReadableTable(pd.DataFrame(rows), "Treatments compared (league table)", empty=NO_NETWORK)


def _league_rows(item: OutcomeNetwork, network: ComponentNetwork) -> list[dict[str, object]]:
    league = network.league.merge(network.edges, on=["treat1", "treat2"], how="left")
    compared = np.isfinite(league["estimate"]) | np.isfinite(league["standard_estimate"])
    rows: list[dict[str, object]] = [
        {
            "outcome": item.title,
            "treatment": _treatment(row["treat1"]),
            "against": _treatment(row["treat2"]),
            "k direct": 0 if pd.isna(row["k"]) else int(row["k"]),
            "n direct": 0 if pd.isna(row["k"]) else _count(row["n"]),
            "measure": item.measure,
            "sum of components (95% CI)": _estimate(item, row),
            "plain network (95% CI)": _estimate(item, row, "standard_"),
        }
        for row in league.loc[compared].to_dict("records")
    ]
    if missing := int((~compared).sum()):
        rows.append(
            {
                "outcome": item.title,
                "treatment": f"{missing} other pair{'s' if missing > 1 else ''}",
                "against": "each other",
                "k direct": 0,
                "n direct": 0,
                "measure": item.measure,
                "sum of components (95% CI)": f"{NOT_ESTIMABLE}: components cannot be told apart",
                "plain network (95% CI)": f"{NOT_ESTIMABLE}: no chain of comparisons joins them",
            }
        )
    return rows


def network_figures(found: Iterable[OutcomeNetwork], output_dir: str | Path = "") -> Iterator[EvidenceFigure]:
    """The graph of each network that is estimable; saved into ``output_dir``/figures unless that is empty."""
    for item in found:
        if item.network is None:
            continue
        figure = network_plot(item.network.nodes, item.network.edges, title=f"{item.title}: randomised comparisons")
        if str(output_dir):
            save_figure(figure, Path(output_dir) / "figures" / item.name)
        yield figure


def _estimate(item: OutcomeNetwork, row: Mapping[Any, Any], prefix: str = "") -> str:
    values = [float(row[f"{prefix}{name}"]) for name in ("estimate", "ci_low", "ci_high")]
    if not np.isfinite(values).all():
        return NOT_ESTIMABLE
    estimate, low, high = (number(value) for value in measure_scale(item.measure).back_transform(values).tolist())
    return f"{estimate} ({low} to {high})"


def _that_differ_in(contrasts: pd.DataFrame, component: str) -> pd.DataFrame:
    """The usable contrasts of which one side holds the component and the other does not."""
    usable = usable_effects(contrasts)
    held = [usable[side].str.split("+").map(lambda parts: component in parts) for side in ("treat1", "treat2")]
    return usable.loc[(held[0] != held[1]).astype(bool)]


def _patients(contrasts: pd.DataFrame) -> object:
    """Patients in the arms of these contrasts, each arm once; words where a number is not known."""
    ends = pd.concat(
        [
            contrasts[["study_id", f"arm_{side}", f"n{side}"]].set_axis(["study_id", "arm", "n"], axis=1)
            for side in (1, 2)
        ]
    ).drop_duplicates(["study_id", "arm"])
    return _count(ends["n"].astype(float).sum(min_count=len(ends)))


def _count(n: float) -> object:
    return "not known" if pd.isna(n) else int(n)


def _treatment(name: str) -> str:
    return words(name).replace("+", " + ")
