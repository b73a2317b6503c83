"""cluster/: Snakemake runs the same command, one job per report, and publishes the same site."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


class EmptyBucket(BaseHTTPRequestHandler):
    """Answers as an object store does for a bucket that exists and holds nothing."""

    def do_HEAD(self) -> None:
        bucket = self.path.split("?")[0].strip("/").count("/") == 0
        self._answer(200 if bucket else 404)

    def do_GET(self) -> None:
        self._answer(
            200, b"<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
        )

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def empty_bucket() -> Iterator[str]:
    """Address of an object store with one empty bucket, on this machine only."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyBucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@needs_snakemake
def test_the_kubernetes_profile_plans_jobs_whose_reports_travel_through_the_bucket(
    project, command: Path, empty_bucket: str, monkeypatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "test")
    folder = str(ROOT / "cluster" / "profiles" / "kubernetes")
    config = [f"data={project.root / 'data'}", f"command={command}", "types=cluster,migraine"]
    line = [str(SNAKEMAKE), "--snakefile", str(ROOT / "cluster" / "Snakefile"), "--profile", folder, "--dry-run"]
    line += ["--storage-s3-endpoint-url", empty_bucket, "--config", *config]
    result = subprocess.run(line, cwd=project.root, capture_output=True, text=True, env=dict(os.environ))
    told = result.stdout + result.stderr
    assert result.returncode == 0, told[-3000:]
    assert re.search(r"^report +2$", told, re.MULTILINE)
    for name in ("cluster", "migraine"):
        assert f"s3://your-bucket/headache-evidence/reports/.cluster/{name} (send to storage)" in told
    assert "output: reports/.cluster/published" in told  # the site itself is written where the command was given


@needs_snakemake
def test_a_failed_report_is_published_as_failed_beside_the_others_and_made_again(project, command: Path) -> None:
    project.make_notebook("if headache_type == 'cluster':\n    1/0", name="02_second.ipynb")
    result = snakemake(project, command, "--cores", "2")
    assert result.returncode != 0
    assert "FAILED cluster: 02_second.ipynb, cell 3: ZeroDivisionError" in result.stdout + result.stderr
    index = (project.output / "index.html").read_text()
    assert 'href="failed/cluster/failure.html"' in index
    assert 'href="migraine/report.html"' in index
    project.make_notebook("print('mended')", name="02_second.ipynb")
    assert snakemake(project, command, "--cores", "2").returncode == 0
    assert (project.output / "cluster" / "report.html").exists()
    assert "failure.html" not in (project.output / "index.html").read_text()
    again = snakemake(project, command, "--cores", "2")
    assert "Nothing to be done" in again.stdout + again.stderr


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
