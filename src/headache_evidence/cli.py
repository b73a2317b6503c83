"""The command line: make reports, check the evidence, add a study, compare runs, schedule, verify.

Exit codes: 0 all good; 1 a notebook failed, faults or differences were found; 2 bad input, nothing was done.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from headache_evidence.errors import EvidenceError, HeadacheEvidenceError

if TYPE_CHECKING:
    from headache_evidence.reports.nursery import WarmProcess
    from headache_evidence.reports.pipeline import Outcome
    from headache_evidence.reports.progress import Progress
    from headache_evidence.reports.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=__doc__,
)

STOPPED = 130
A_DAY = 86_400.0  # seconds

DataOption = Annotated[Path, typer.Option("--data", help="Folder with the evidence tables and protocol.yml.")]
OutputOption = Annotated[Path, typer.Option("--output", help="Folder of the published reports.")]

EXAMPLES = """
Examples:

  headache-evidence report

  headache-evidence report migraine cluster --jobs 2

  headache-evidence report --types migraine --outcomes headache_days --force

  headache-evidence report --dry-run

  headache-evidence report --watch
"""


@app.command(epilog=EXAMPLES)
def report(
    types: Annotated[list[str] | None, typer.Argument(help="Headache types; all of the protocol when none.")] = None,
    more_types: Annotated[list[str] | None, typer.Option("--types", help="The same, as an option; repeatable.")] = None,
    outcomes: Annotated[list[str] | None, typer.Option("--outcomes", help="Only these outcomes; repeatable.")] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A notebook parameter; repeatable.")
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=0, max=256, help="Notebooks run at a time; 0: one more than cores.")
    ] = 0,
    timeout: Annotated[float, typer.Option("--timeout", min=1, help="Seconds that one notebook may take.")] = 600,
    force: Annotated[bool, typer.Option("--force", help="Make reports that are current, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be made, and why.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and do it again after each change of data or notebooks.")
    ] = False,
    output: OutputOption = Path("reports"),
    data: DataOption = Path("data"),
) -> None:
    """Make the reports whose data, notebooks, code or parameters changed, and publish them."""

    def settings() -> Settings:
        from headache_evidence.reports.parameters import parse_assignments
        from headache_evidence.reports.settings import read_settings

        return read_settings(
            data,
            output,
            types=_split([*(types or []), *(more_types or [])]),
            outcomes=_split(outcomes or []),
            parameters=parse_assignments(assignments or []),
            jobs=jobs,
            force=force,
            timeout=timeout,
        )

    atexit.register(gc.freeze)  # looking for garbage in all that was imported would take half a second of the end
    if watch and (force or dry_run):
        _fail("--watch makes what has changed; it goes neither with --force nor with --dry-run.")
    with _errors():
        if dry_run:
            _tell_plan(settings())
        elif watch:
            _watch(settings)
        else:
            _bring_up_to_date(settings())


def _bring_up_to_date(settings: Settings, warm: WarmProcess | None = None, wait: float = 0.0) -> None:
    from headache_evidence.reports import pipeline

    outcome = pipeline.run(settings, _progress(), warm, wait)
    _tell_outcome(settings, outcome)
    if outcome.failed:
        raise typer.Exit(1)


def _watch(settings: Callable[[], Settings]) -> None:
    from headache_evidence.reports.watching import watch

    def bring_up_to_date(warm: WarmProcess | None) -> None:
        try:
            with _errors():
                _bring_up_to_date(settings(), warm, wait=A_DAY)
        except typer.Exit as told:
            if told.exit_code == STOPPED:
                raise
        typer.echo("Watching data and notebooks; Ctrl-C ends.")

    now = settings()
    watch(bring_up_to_date, now.data_dir, [now.data_dir, now.notebooks_dir, now.lock_file])


@app.command(epilog="Example:\n\n  headache-evidence check data")
def check(data: Annotated[Path, typer.Argument(help="Folder with the evidence tables.")] = Path("data")) -> None:
    """List every fault of the evidence tables: file, row, column, value and what is allowed."""
    with _errors():
        from headache_evidence.errors import InputError
        from headache_evidence.tables.faults import errors_of
        from headache_evidence.tables.validation import check_evidence

        if not data.is_dir():
            raise InputError(f"{data}: no such folder.")
        found = check_evidence(data)
    for fault in found:
        typer.echo(str(fault))
    errors = len(errors_of(found))
    typer.echo(f"{errors} fault(s), {len(found) - errors} warning(s) in {data}.")
    if errors:
        raise typer.Exit(1)


@app.command(
    epilog="Examples:\n\n  headache-evidence add --template Garcia2026.yml\n\n"
    "  headache-evidence add Garcia2026.yml --dry-run\n\n  headache-evidence add Garcia2026.yml"
)
def add(
    filled: Annotated[Path | None, typer.Argument(help="A filled template (or a folder of CSV files).")] = None,
    template: Annotated[Path | None, typer.Option("--template", help="Write an empty template to this file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and write nothing.")] = False,
    data: DataOption = Path("data"),
) -> None:
    """Add a study from a filled template: all of its rows or, when there is a fault, none."""
    with _errors():
        from headache_evidence.errors import InputError

        if (filled is None) == (template is None):
            raise InputError("Give a filled template, or --template FILE to get an empty one.")
        if template is not None:
            from headache_evidence.tables.study_template import scaffold_template

            if template.exists():
                raise InputError(f"{template} exists already; nothing was written.")
            template.write_text(scaffold_template(data, study_id=template.stem), encoding="utf-8")
            typer.echo(f"Fill in {template}, then run: headache-evidence add {template}")
            return
        from headache_evidence.tables.add_study import add_study

        assert filled is not None
        added = add_study(filled, data, dry_run)
        typer.echo(f"{added.study_id}: {'added' if added.written else 'could be added; nothing was written'}.")
        for table, count in added.rows.items():
            typer.echo(f"  {table}: {count} row(s), line(s) {', '.join(map(str, added.lines[table]))}")
        for warning in added.warnings:
            typer.echo(f"  {warning}")
        for doubt in added.doubts.to_dict("records"):
            typer.echo("  look again: " + "; ".join(str(value) for value in doubt.values() if str(value)))
        typer.echo(f"Results may change in: {', '.join(added.reports)}.")


@app.command(
    context_settings={"ignore_unknown_options": True},  # -1 is a snapshot, not an option
    epilog="Examples:\n\n  headache-evidence diff -2 -1\n\n  headache-evidence diff old-site/ reports/",
)
def diff(
    before: Annotated[str, typer.Argument(help="A snapshot (number, -1 newest), its file, or a folder of reports.")],
    after: Annotated[str, typer.Argument(help="The same.")],
    output: OutputOption = Path("reports"),
) -> None:
    """Tell, result by result, what differs between two runs; ends with 1 when something does."""
    with _errors():
        from headache_evidence.reports.changes import compare, load

        changes = compare(load(Path(before), output), load(Path(after), output))
    for change in changes:
        typer.echo(str(change))
    typer.echo(f"{len(changes)} result(s) differ." if changes else "No result differs.")
    if changes:
        raise typer.Exit(1)


@app.command(epilog="Example:\n\n  headache-evidence schedule --print systemd")
def schedule(
    kind: Annotated[str, typer.Option("--print", metavar="cron|systemd|github", help="Which kind of schedule.")],
) -> None:
    """Print a ready-to-use schedule for this folder."""
    with _errors():
        from headache_evidence.reports.schedule import schedule_text

        typer.echo(schedule_text(kind, Path.cwd()))


@app.command(epilog="Examples:\n\n  headache-evidence verify\n\n  headache-evidence verify cluster")
def verify(
    types: Annotated[list[str] | None, typer.Argument(help="Headache types; all published ones when none.")] = None,
    output: OutputOption = Path("reports"),
    data: DataOption = Path("data"),
    jobs: Annotated[
        int, typer.Option("--jobs", min=0, max=256, help="Notebooks run at a time; 0: one more than cores.")
    ] = 0,
) -> None:
    """Make the reports again in a temporary folder and compare results, effects and figures byte by byte."""
    with _errors():
        from headache_evidence.reports.verification import verify_site

        differences = verify_site(data, output, _split(types or []), jobs, _progress())
    for difference in differences:
        typer.echo(difference)
    typer.echo(f"{len(differences)} difference(s)." if differences else "All published results were reproduced.")
    if differences:
        raise typer.Exit(1)


@app.command("types", epilog="Example:\n\n  headache-evidence types")
def list_types(data: DataOption = Path("data")) -> None:
    """List the headache types of the protocol, one a line."""
    with _errors():
        from headache_evidence.reports.settings import read_settings

        for name in read_settings(data).titles:
            typer.echo(name)


@app.command(epilog="Example:\n\n  headache-evidence collect reports/.cluster/migraine reports/.cluster/cluster")
def collect(
    folders: Annotated[list[Path], typer.Argument(help="Folders that `report --output` wrote.")],
    output: OutputOption = Path("reports"),
    data: DataOption = Path("data"),
) -> None:
    """Publish reports that were made elsewhere, on other machines, say, and write the index."""
    with _errors():
        from headache_evidence.reports.pipeline import collect_reports
        from headache_evidence.reports.settings import read_settings

        outcome = collect_reports(read_settings(data, output), folders)
    typer.echo(f"{len(outcome.made)} published, {len(outcome.failed)} failed.")
    for name, reason in outcome.failed.items():
        typer.echo(f"FAILED {name}: {reason}", err=True)
    if outcome.failed:
        raise typer.Exit(1)


def _tell_plan(settings: Settings) -> None:
    from headache_evidence.reports.fingerprint import fingerprints
    from headache_evidence.reports.pipeline import stale_reports

    stale = stale_reports(settings, fingerprints(settings))
    for name in settings.selected:
        typer.echo(f"{name}: {'would be made: ' + ', '.join(stale[name]) if name in stale else 'current'}")


def _tell_outcome(settings: Settings, outcome: Outcome) -> None:
    if outcome.made or outcome.failed:
        from headache_evidence.reports.summary import summary_table

        typer.echo(summary_table(settings))
    typer.echo(f"{len(outcome.made)} made, {len(outcome.current)} current, {len(outcome.failed)} failed.")
    for name, reason in outcome.failed.items():
        typer.echo(f"FAILED {name}: {reason}", err=True)
    typer.echo(_shown(settings.output_dir / "index.html"))


def _progress() -> Progress:
    from headache_evidence.reports.progress import progress_for

    return progress_for(typer.echo, sys.stderr)


def _split(items: list[str]) -> list[str]:
    """'a,b' and repeated options are the same."""
    return [part for item in items for part in item.split(",")]


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


@contextmanager
def _errors() -> Iterator[None]:
    """Errors of ours as one message and exit code 2, without a traceback."""
    try:
        yield
    except EvidenceError as error:
        _fail(f"{error}\nNothing was made; `headache-evidence check` lists the same.")
    except HeadacheEvidenceError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("Stopped; the published reports are whole.", code=STOPPED)
    except (IsADirectoryError, NotADirectoryError) as error:
        _fail(f"{error.filename}: {error.strerror}; nothing was made.")
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{place}. The published reports are whole.", code=1)


def _fail(message: str, code: int = 2) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
