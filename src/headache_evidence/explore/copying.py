"""The settings to take away: as papermill parameters and as Python that gives the same result."""

from __future__ import annotations

from dataclasses import asdict

import yaml

from headache_evidence.effects.effect_table import usable_effects
from headache_evidence.explore.exploration import Exploration
from headache_evidence.explore.explorer_settings import BY_PROTOCOL, ExplorerSettings
from headache_evidence.tables.protocol import Protocol


def as_parameters(settings: ExplorerSettings) -> str:
    """The settings as a YAML file of papermill parameters for notebooks/explore.ipynb."""
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(settings).items()}
    text = yaml.safe_dump({"settings": values}, sort_keys=False, allow_unicode=True)
    return (
        "# save as explored.yml in the notebooks folder, then in that folder:\n"
        "#   ../.venv/bin/papermill explore.ipynb explored.ipynb -f explored.yml -p output_dir explored\n"
        f"{text}"
    )


def as_python(exploration: Exploration, protocol: Protocol, data_dir: str = "data") -> str:
    """Python that gives the same pooled result without the explorer."""
    settings, question = exploration.settings, exploration.answer.question
    window = protocol.windows[settings.window]
    lines = [
        "import headache_evidence as he",
        *_imports(settings),
        "",
        f"evidence = he.load_evidence({data_dir!r})",
        f"protocol = he.load_protocol({data_dir + '/protocol.yml'!r})",
        *_correlation(settings, protocol),
        "effects = he.extract_effects(",
        "    evidence,",
        f"    headache_type={settings.headache_type!r},",
        f"    outcome={settings.outcome!r},",
        f"    stream={settings.stream!r},",
        f"    weeks={window.weeks!r},",
        f"    target_weeks={window.target!r},",
        f"    accept_unknown_time={window.accept_unknown_time!r},",
        f"    intervention={settings.intervention!r},",
        *_controlled(settings),
        f"    measure={question.measure!r},",
        "    protocol=protocol,",
        ")",
        *_taken_out(exploration),
        *_pooling(settings, question.measure, protocol),
        f"he.forest_plot(effects, result, title={question.title!r}{_lights(settings)})",
    ]
    return "\n".join(lines) + "\n"


def _imports(settings: ExplorerSettings) -> list[str]:
    if settings.method != BY_PROTOCOL:
        return []
    return ["from headache_evidence.pools.model_choice import pool_by_protocol"]


def _correlation(settings: ExplorerSettings, protocol: Protocol) -> list[str]:
    if settings.pre_post_correlation == protocol.extraction.pre_post_correlation:
        return []
    return [
        "extraction = protocol.extraction.model_copy(",
        f"    update={{'pre_post_correlation': {settings.pre_post_correlation!r}}}",
        ")",
        "protocol = protocol.model_copy(update={'extraction': extraction})",
    ]


def _controlled(settings: ExplorerSettings) -> list[str]:
    if settings.stream != "controlled":
        return []
    return [f"    comparison={settings.comparison!r},", f"    design={settings.design!r},"]


def _taken_out(exploration: Exploration) -> list[str]:
    """The studies that remain are named, so that the lines say what was pooled whatever filter chose them."""
    effects = exploration.effects
    if effects.empty or not effects["reason"].str.startswith("left out here").any():
        return []
    kept = sorted(usable_effects(effects)["study_id"])
    return [f"kept = {kept!r}", "effects.loc[~effects['study_id'].isin(kept), 'usable'] = False"]


def _lights(settings: ExplorerSettings) -> str:
    return ", risk_of_bias=evidence.risk_of_bias" if settings.lights else ""


def _pooling(settings: ExplorerSettings, measure: str, protocol: Protocol) -> list[str]:
    ci = protocol.model.ci if settings.ci == BY_PROTOCOL else settings.ci
    if settings.method == BY_PROTOCOL:
        model = (
            f"protocol.model.model_copy(update={{'ci': {ci!r}}})" if settings.ci != BY_PROTOCOL else "protocol.model"
        )
        return [f"result = pool_by_protocol(effects, {measure!r}, {model})"]
    rule = protocol.model.prediction
    return [
        f"result = he.pool(effects, method={settings.method!r}, ci={ci!r}, level={protocol.model.level!r},",
        f"                 prediction={rule!r}, measure={measure!r})",
    ]
