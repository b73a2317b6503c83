"""The command line: exit codes, help with examples, errors without a traceback, and that it starts fast."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from headache_evidence.cli import app


@pytest.fixture
def call(project, monkeypatch):
    """Call a command in the project's folder."""
    monkeypatch.chdir(project.root)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), catch_exceptions=False)

    return call


@pytest.mark.parametrize("command", ["report", "check", "add", "diff", "schedule", "verify"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"headache-evidence {command}" in result.output


def test_report_ends_with_the_results_and_the_path_of_the_index(call) -> None:
    result = call("report", "cluster")
    assert result.exit_code == 0
    lines = result.output.strip().splitlines()
    assert lines[-1] == "reports/index.html"
    assert any(line.startswith("cluster") and "−1.00 [−2.00 to −0.50]" in line for line in lines)
    assert "cluster: 01_effects.ipynb ran in" in result.output
    result = call("report", "--types", "cluster")
    assert "0 made, 1 current, 0 failed." in result.output


def test_a_failed_notebook_ends_with_1_and_names_it(call, project) -> None:
    project.make_notebook("1/0", name="02_second.ipynb")
    result = call("report", "cluster")
    assert result.exit_code == 1
    assert "FAILED cluster: 02_second.ipynb, cell 3: ZeroDivisionError" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "--types", "../../x"),
        ("report", "'; import os"),
        ("report", "--set", "output_dir=/etc"),
        ("report", "--set", "method=__import__('os')"),
        ("report", "--outcomes", "<script>"),
        ("report", "--data", "nowhere"),
        ("report", "--jobs", "-1"),
        ("report", "--watch", "--force"),
        ("check", "nowhere"),
        ("diff", "1", "2"),
        ("schedule", "--print", "at"),
        ("verify",),
        ("add",),
    ],
    ids=" ".join,
)
def test_bad_input_ends_with_2_and_one_message(call, project, arguments: tuple[str, ...]) -> None:
    before = sorted(project.root.rglob("*"))
    result = call(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert sorted(project.root.rglob("*")) == before


def test_dry_run_tells_what_and_why_and_makes_nothing(call, project) -> None:
    result = call("report", "--dry-run", "migraine")
    assert result.output == "migraine: would be made: never made\n"
    assert not (project.output / "migraine").exists()


def test_check_lists_every_fault_and_ends_with_1(call, project) -> None:
    assert call("check").exit_code == 0
    project.replace("studies.csv", ",cluster,", ",klaster,")
    project.replace("studies.csv", ",rct_parallel,", ",rct_paralel,")
    result = call("check", "data")
    assert result.exit_code == 1
    assert "klaster" in result.output
    assert "rct_paralel" in result.output


def test_faulty_data_are_refused_by_report_with_2(call, project) -> None:
    project.replace("studies.csv", ",cluster,", ",klaster,")
    result = call("report", "cluster")
    assert result.exit_code == 2
    assert "klaster" in result.output


def test_diff_tells_what_changed_and_nothing_when_nothing_changed(call, project) -> None:
    call("report", "cluster")
    call("report", "cluster", "--force")
    result = call("diff", "-2", "-1")
    assert (result.exit_code, result.output) == (0, "No result differs.\n")
    path = project.output / "cluster" / "results.json"
    results = json.loads(path.read_text())
    results["results"][0]["pooled"]["ci"] = [-2.0, 0.5]
    path.write_text(json.dumps(results))
    result = call("diff", "-1", "reports")
    assert result.exit_code == 1
    assert "CONCLUSION CHANGED, no effect: below to inside the interval" in result.output


def test_verify_reproduces_the_published_results_and_finds_tampering(call, project) -> None:
    call("report", "cluster")
    result = call("verify", "cluster")
    assert result.exit_code == 0
    assert "All published results were reproduced." in result.output
    with (project.output / "cluster" / "effects.csv").open("a") as file:
        file.write("Invented2026\n")
    result = call("verify")
    assert result.exit_code == 1
    assert "cluster: effects.csv differs (with the same inputs)" in result.output


def test_add_writes_a_template_and_refuses_an_unfilled_one(call, project) -> None:
    assert call("add", "--template", "Garcia2026.yml").exit_code == 0
    assert "Garcia2026" in (project.root / "Garcia2026.yml").read_text()
    result = call("add", "Garcia2026.yml")
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize("kind", ["cron", "systemd", "github"])
def test_schedules_run_the_command_that_is_tested_here(call, project, kind: str) -> None:
    result = call("schedule", "--print", kind)
    assert result.exit_code == 0
    runs = {
        "cron": f"cd {project.root} && .venv/bin/headache-evidence report ",
        "systemd": f'ExecStart="{project.root}/.venv/bin/headache-evidence" report\n',
        "github": "run: make report\n",
    }
    assert runs[kind] in result.output
    assert "@" not in result.output.replace("actions/", "").replace("@v", "")


def test_the_cron_line_runs_in_a_shell_even_where_the_folder_has_a_space(project, tmp_path: Path) -> None:
    from headache_evidence.reports.schedule import schedule_text

    folder = tmp_path / "my project"
    os.rename(project.root / "data", tmp_path / "data_moved")
    folder.mkdir()
    os.rename(tmp_path / "data_moved", folder / "data")
    os.rename(tmp_path / "notebooks", folder / "notebooks")
    (folder / ".venv" / "bin").mkdir(parents=True)
    command = folder / ".venv" / "bin" / "headache-evidence"
    command.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "from headache_evidence.cli import app; app()" "$@" --dry-run\n'
    )
    command.chmod(0o755)
    line = schedule_text("cron", folder).strip().splitlines()[-1]
    shell_command = line.split(maxsplit=5)[5]
    subprocess.run(["/bin/sh", "-c", shell_command], check=True, env={"PATH": "/usr/bin:/bin"})
    assert "cluster: would be made: never made" in (folder / "reports.log").read_text()


def test_the_workflow_of_this_project_is_the_one_that_is_printed() -> None:
    import yaml

    from headache_evidence.reports.schedule import schedule_text

    workflow = Path(__file__).parents[2] / ".github" / "workflows" / "report.yml"
    assert workflow.read_text(encoding="utf-8") == schedule_text("github", Path("."))
    assert set(yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]) == {"report"}


def test_nothing_heavy_is_imported_where_nothing_is_to_be_made() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom headache_evidence.cli import app\n"
        "CliRunner().invoke(app, ['report', '--dry-run', '--output', sys.argv[1]])\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'matplotlib', 'papermill', 'nbconvert', 'nbformat', 'jinja2', 'doit'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code, "nowhere"], check=True, cwd=root)


def test_a_comma_locale_and_no_network_change_nothing(project) -> None:
    environment = {
        **os.environ,
        "LC_ALL": "de_DE.UTF-8",
        "LANG": "de_DE.UTF-8",
        "http_proxy": "http://127.0.0.1:9",
        "HOME": "/nonexistent",
    }
    environment["https_proxy"] = environment["http_proxy"]
    project.make_notebook("print(0.5, f'{1234.5:,}')", name="02_second.ipynb")
    code = "import sys\nfrom headache_evidence.cli import app\napp(sys.argv[1:])"
    command = [sys.executable, "-c", code, "report", "cluster"]
    result = subprocess.run(
        command, cwd=project.root, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert result.returncode == 0, result.stderr
    assert "0.5 1,234.5" in (project.output / "cluster" / "report.html").read_text(encoding="utf-8")


def test_on_a_terminal_a_bar_shows_how_far_a_run_is() -> None:
    from headache_evidence.reports.progress import Bar, progress_for

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, lines = Terminal(), []
    bar = progress_for(lines.append, terminal)
    assert isinstance(bar, Bar)
    bar.start(2)
    bar.step("migraine", "01_x.ipynb", 1.0)
    bar.say("migraine: FAILED")
    bar.end()
    assert "1/2" in terminal.getvalue()
    assert "migraine: FAILED" in terminal.getvalue()
    assert not isinstance(progress_for(lines.append, io.StringIO()), Bar)
