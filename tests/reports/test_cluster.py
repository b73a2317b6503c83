"""cluster/: Snakemake runs the same command, one job per report, and publishes the same site."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from headache_evidence.reports.pipeline import collect_reports
from headache_evidence.reports.verification import compare_folders

ROOT = Path(__file__).parents[2]
SNAKEMAKE = shutil.which("snakemake", path=str(ROOT / "cluster" / ".venv" / "bin")) or shutil.which("snakemake")
needs_snakemake = pytest.mark.skipif(
    SNAKEMAKE is None, reason="Snakemake is not installed (docs/scale_out.md: pip install -r cluster/requirements.lock)"
)


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """The console command of this environment."""
    path = tmp_path / "headache-evidence"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from headache_evidence.cli import app; app()" "$@"\n')
    path.chmod(0o755)
    return path


def snakemake(project, command: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert SNAKEMAKE is not None
    config = [
        f"data={project.root / 'data'}",
        f"output={project.output}",
        f"command={command}",
        "types=cluster,migraine",
    ]
    line = [SNAKEMAKE, "--snakefile", str(ROOT / "cluster" / "Snakefile"), *arguments, "--config", *config]
    return subprocess.run(line, cwd=project.root, capture_output=True, text=True)


@needs_snakemake
def test_snakemake_makes_the_same_results_as_the_command(project, command: Path, tmp_path: Path) -> None:
    project.run("cluster", "migraine")
    shutil.move(project.output, tmp_path / "direct")
    result = snakemake(project, command, "--cores", "2")
    assert result.returncode == 0, (result.stdout + result.stderr)[-3000:]
    for name in ("cluster", "migraine"):
        assert compare_folders(tmp_path / "direct" / name, project.output / name) == []
    assert 'href="migraine/report.html"' in (project.output / "index.html").read_text()


@needs_snakemake
@pytest.mark.parametrize("profile", ["local", "slurm"])
def test_each_profile_plans_one_job_per_report(project, command: Path, profile: str) -> None:
    folder = str(ROOT / "cluster" / "profiles" / profile)
    result = snakemake(project, command, "--profile", folder, "--dry-run")
    assert result.returncode == 0, result.stderr[-2000:]
    assert re.search(r"^report +2$", result.stdout + result.stderr, re.MULTILINE)


@needs_snakemake
def test_every_key_of_every_profile_is_an_option_of_snakemake() -> None:
    assert SNAKEMAKE is not None
    known = subprocess.run([SNAKEMAKE, "--help"], capture_output=True, text=True, check=True).stdout
    for path in (ROOT / "cluster" / "profiles").glob("*/config.yaml"):
        for key in yaml.safe_load(path.read_text(encoding="utf-8")):
            assert f"--{key}" in known, f"{path.parent.name}: {key}"


def test_reports_made_apart_are_collected_into_one_site(project, tmp_path: Path) -> None:
    parts = []
    for name in ("cluster", "migraine"):
        project.run(name)
        parts.append(Path(shutil.move(project.output, tmp_path / f"part-{name}")))
        project.output.mkdir()
    outcome = collect_reports(project.settings(), parts)
    assert outcome.made == ["cluster", "migraine"]
    assert compare_folders(parts[0] / "cluster", project.output / "cluster") == []
    assert project.run("cluster", "migraine").made == []
