"""The `discover` command: parse, call, write. Heavy libraries are imported inside the commands."""

from __future__ import annotations

import io
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discovery.cli.cache import cache, warn_plainly
from discovery.cli.inputs import reads_from, spec_of, study_of
from discovery.cli.options import (
    AsJson,
    ExposureFile,
    Inputs,
    Memory,
    NoCache,
    OptionalInputs,
    Out,
    Quiet,
    Seed,
    Settings,
    ShowAccounts,
)
from discovery.cli.signals import INTERRUPTED, Signals
from discovery.errors import DiscoveryError

if TYPE_CHECKING:
    from discovery.study import Study

app = typer.Typer(
    name="discover",
    help="Find the early behaviour that separates accounts that stay from accounts that leave.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

BAD_INPUT = 2
BROKEN = 70


@app.command()
def run(
    inputs: Inputs,
    out: Out = Path("discovery-report"),
    settings: Settings = [],  # noqa: B006
    as_json: AsJson = False,
    quiet: Quiet = False,
    seed: Seed = None,
    show_accounts: ShowAccounts = False,
    exposure: ExposureFile = None,
    memory: Memory = None,
    no_cache: NoCache = False,
) -> None:
    """Study events and accounts, and write a report of candidate activation ladders."""
    study = study_of(inputs, settings, seed, memory, no_cache, exposure)
    _run_and_write(study, out, as_json=as_json, quiet=quiet, show_accounts=show_accounts)


@app.command()
def init(
    events: Annotated[str, typer.Argument(metavar="EVENTS", help="The events: a file, a glob or a folder.")],
    accounts: Annotated[
        str | None,
        typer.Argument(metavar="[ACCOUNTS]", help="The accounts; without them they are read off the events."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="New file to write the spec to; never replaced.")] = Path(
        "discover.toml"
    ),
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; take what is suggested.")] = False,
    settings: Settings = [],  # noqa: B006
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was found as JSON on standard output; ask nothing.")
    ] = False,
    quiet: Quiet = False,
    show_accounts: Annotated[
        bool, typer.Option("--show-accounts", help="Name accounts and users that may be left out.")
    ] = False,
    memory: Memory = None,
    no_cache: NoCache = False,
) -> None:
    """Look at events and accounts, ask a few questions, and write a commented spec."""
    from discovery.cli.init import Sources, write_spec
    from discovery.cli.terminal import Console

    reading = {"memory": memory, "cache": not no_cache}
    given = Sources(events=events, accounts=accounts, settings=settings, show_accounts=show_accounts, reading=reading)
    write_spec(given, out, Console(quiet=quiet, as_json=as_json), yes=yes, as_json=as_json)


@app.command()
def check(
    inputs: Inputs,
    out: Out = Path("discovery-check"),
    settings: Settings = [],  # noqa: B006
    as_json: AsJson = False,
    quiet: Quiet = False,
    seed: Seed = None,
    show_accounts: ShowAccounts = False,
    memory: Memory = None,
    no_cache: NoCache = False,
) -> None:
    """Check the data and write a report of their quality; exit with 1 if something would stop a run."""
    from discovery.cli.check import check_and_write, exit_code, print_check
    from discovery.cli.terminal import Console

    console = Console(quiet=quiet, as_json=as_json)
    study = study_of(inputs, settings, seed, memory, no_cache)
    result = check_and_write(study, out, reads_from(study), console, show_accounts=show_accounts)
    given = [*inputs, *(word for setting in settings for word in ("--set", setting))]
    print_check(console, result, out, given, as_json=as_json)
    raise typer.Exit(exit_code(result))


@app.command()
def validate(
    inputs: Inputs,
    milestone: Annotated[
        list[str], typer.Option("--milestone", metavar="MILESTONE", help="A proposed milestone; repeatable.")
    ] = [],  # noqa: B006
    ladder: Annotated[
        str | None,
        typer.Option("--ladder", metavar="RESULT#N", help="Ladder N of a result.json: its milestone and its steps."),
    ] = None,
    registered: Annotated[
        datetime | None,
        typer.Option(
            "--registered",
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="When the proposal was written down; only accounts that signed up from then on decide.",
        ),
    ] = None,
    independent: Annotated[
        bool, typer.Option("--independent", help="You vouch that the proposal did not come from these data.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print and write the experiment that would prove it, as plan.md.")
    ] = False,
    compare: Annotated[
        Path | None,
        typer.Option("--compare", metavar="OLD", help="An earlier result.json or validation.json: say what changed."),
    ] = None,
    out: Out = Path("discovery-validation"),
    settings: Settings = [],  # noqa: B006
    as_json: AsJson = False,
    quiet: Quiet = False,
    seed: Seed = None,
    show_accounts: ShowAccounts = False,
    memory: Memory = None,
    no_cache: NoCache = False,
) -> None:
    """Judge a proposed milestone; exit with 0 if it holds, 1 if it does not, 3 if the data cannot say."""
    from discovery.cli.terminal import Console
    from discovery.cli.validate import Asked, exit_code, print_answer, validate_and_write

    asked = Asked(
        milestones=tuple(milestone),
        ladder=ladder,
        registered=registered.date() if registered else None,
        independent=independent,
        compare=compare,
        plan=plan,
    )
    study = study_of(inputs, settings, seed, memory, no_cache)
    console = Console(quiet=quiet, as_json=as_json)
    result = validate_and_write(study, asked, out, reads_from(study), console, show_accounts=show_accounts)
    print_answer(console, result, asked, out, as_json=as_json)
    raise typer.Exit(exit_code(result))


@app.command()
def simulate(
    world: Annotated[str, typer.Argument(help="Name of the world; an unknown name lists those there are.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to; written whole or not at all.")],
    accounts: Annotated[int, typer.Option("--accounts", min=1, help="Number of accounts.")] = 5000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")] = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the events and accounts of a made-up world whose truth is known."""
    from discovery.cli.terminal import Console, print_utf8
    from discovery.export import written_whole
    from discovery.simulate import simulate_world

    with written_whole(out) as folder:
        made = simulate_world(world, accounts=accounts, seed=seed)
        made.write(folder)
        truth = (folder / "truth.json").read_text(encoding="utf-8")
    if as_json:
        print_utf8(truth)
    Console(quiet=quiet, as_json=as_json).say(
        f"{made.accounts.num_rows:,} accounts and {made.events.num_rows:,} events of the world “{world}”: {out}"
    )


@app.command()
def demo(
    out: Out = Path("discovery-report"),
    as_json: AsJson = False,
    quiet: Quiet = False,
    seed: Seed = None,
    show_accounts: ShowAccounts = False,
) -> None:
    """Do the whole job on the small world that comes with the package."""
    from discovery.cli.demo import demo_sources
    from discovery.study import Study

    study = Study(*demo_sources(), spec_of([], [], seed))
    _run_and_write(study, out, as_json=as_json, quiet=quiet, show_accounts=show_accounts)


@app.command()
def export(
    inputs: OptionalInputs = [],  # noqa: B006
    milestone: Annotated[
        str | None, typer.Option("--milestone", metavar="MILESTONE", help="Write the SQL of when accounts reached it.")
    ] = None,
    exposure: Annotated[
        bool, typer.Option("--exposure", help="Write the SQL of the aggregates that run --exposure goes on from.")
    ] = False,
    worksheet: Annotated[
        bool, typer.Option("--worksheet", help="Write the worksheet of a ladder, as Markdown.")
    ] = False,
    ladder: Annotated[
        str | None,
        typer.Option("--ladder", metavar="RESULT#N", help="Ladder N of a result.json; nothing is run then."),
    ] = None,
    dialect: Annotated[
        str | None,
        typer.Option(
            "--dialect",
            help="Whose SQL: duckdb (unless given), postgres, snowflake, bigquery, spark, databricks, clickhouse, "
            "trino or redshift. With --ladder alone, the SQL of its milestone.",
        ),
    ] = None,
    events_table: Annotated[
        str, typer.Option("--events-table", metavar="TABLE", help="Name of the table of events.")
    ] = "events",
    accounts_table: Annotated[
        str, typer.Option("--accounts-table", metavar="TABLE", help="Name of the table of accounts.")
    ] = "accounts",
    types: Annotated[
        list[str],
        typer.Option(
            "--type",
            metavar="COLUMN=TYPE",
            help="What a column of the tables holds where it differs from the files, as in events.time=timestamptz; "
            "repeatable.",
        ),
    ] = [],  # noqa: B006
    dbt: Annotated[
        bool, typer.Option("--dbt", help="Write the SQL as a dbt model with its tests; needs --out DIR.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="New file (with --dbt, folder) to write; standard output unless given.")
    ] = None,
    settings: Settings = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print what is exported as JSON on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but what is exported, and errors.")] = False,
    seed: Seed = None,
    memory: Memory = None,
    no_cache: NoCache = False,
) -> None:
    """Write the SQL of a milestone or of aggregates, or a ladder as a worksheet to be completed by the team."""
    from discovery.cli.export import Asked, export_asked
    from discovery.cli.terminal import Console

    asked = Asked(
        inputs=inputs,
        settings=settings,
        milestone=milestone,
        exposure=exposure,
        worksheet=worksheet,
        ladder=ladder,
        dialect=dialect,
        events_table=events_table,
        accounts_table=accounts_table,
        types=types,
        dbt=dbt,
        out=out,
        seed=seed,
        memory=memory,
        no_cache=no_cache,
    )
    export_asked(asked, Console(quiet=quiet, as_json=as_json or out is None), as_json=as_json)


app.command()(cache)


def _run_and_write(study: Study, out: Path, *, as_json: bool, quiet: bool, show_accounts: bool) -> None:
    from discovery.cli.terminal import Console, print_study, print_utf8
    from discovery.export import written_whole
    from discovery.export.tables import write_study

    console = Console(quiet=quiet, as_json=as_json)
    with written_whole(out, reads_from(study)) as folder:
        with console.working() as progress:
            result = study.run(progress=progress, show_accounts=show_accounts)
            progress("Writing the report")
            write_study(result, folder)
        (folder / "run.log").write_text(console.log(result), encoding="utf-8")
    if as_json:
        print_utf8(result.to_json())
    if not quiet:
        print_study(console, result, out)


def main() -> None:
    """Run the command; a known error becomes one message and exit code 2, never a traceback."""
    signals = Signals()
    warn_plainly()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except DiscoveryError as error:
        from discovery.intake.addresses import masked
        from discovery.wording import shown

        sys.stderr.write(f"discover: {shown(masked(str(error)))}\n")
        raise SystemExit(BAD_INPUT) from None
    except (KeyboardInterrupt, SystemExit) as end:
        # The library that parses the command turns a KeyboardInterrupt into a silent exit with 130.
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:
            raise
        sys.stderr.write("discover: stopped; nothing was written.\n")
        raise SystemExit(signals.exit_code) from None
    except BrokenPipeError:
        raise SystemExit(1) from None
    except Exception as error:
        if os.environ.get("DISCOVER_TRACEBACK"):
            raise
        sys.stderr.write(
            f"discover: an error of this program, not of your data ({type(error).__name__}: {error}). Nothing was "
            "written. Please report it with the output of the same command under DISCOVER_TRACEBACK=1.\n"
        )
        raise SystemExit(BROKEN) from None
