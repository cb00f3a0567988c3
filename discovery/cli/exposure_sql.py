"""The SQL of the aggregates that a study goes on from, printed or written to a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from discovery.cli.milestone_sql import Request
from discovery.cli.terminal import Console, print_json
from discovery.engines.dialects import dialect_named
from discovery.errors import InputError, SourceError
from discovery.export.exposure import ExposureSelect, exposure_select, without_rewriting
from discovery.export.single_file import refuse_existing, write_whole
from discovery.export.sql import has_all_columns, on_one_line, read_types
from discovery.spec import StudySpec

_DIALECT = "duckdb"


def refuse_beside(inputs: Sequence[str], request: Request, *, others: bool, seeded: bool) -> None:
    """Refuse what cannot be written, before anything is read; `others`: a milestone, a ladder or a worksheet."""
    if others or request.dbt:
        raise InputError(
            "--exposure writes the SQL of the aggregates alone. Leave out --milestone, --ladder, --worksheet and --dbt."
        )
    if not inputs:
        raise InputError("Give a spec (discover.toml) that names the columns, or EVENTS and ACCOUNTS to look at.")
    if seeded:
        raise InputError("Nothing is drawn at random for SQL, so --seed changes nothing. Leave it out.")
    if request.out is not None:
        refuse_existing(request.out)
    dialect_named(request.dialect or _DIALECT)
    read_types(request.types)


def write_exposure(
    spec: StudySpec, sources: tuple[str | None, str | None], request: Request, console: Console, *, as_json: bool
) -> None:
    """Print the SQL, or write it to a file; as JSON it is printed in any case."""
    select = _select_of(spec, sources, request, console)
    if request.out is not None:
        write_whole(request.out, select.commented)
        console.say(f"SQL: {request.out}")
    if as_json:
        values = {"dialect": select.dialect, "notes": select.notes, "sql": select.sql}
        print_json(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    elif request.out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(select.commented.encode("utf-8"))
        sys.stdout.buffer.flush()


def _select_of(
    spec: StudySpec, sources: tuple[str | None, str | None], request: Request, console: Console
) -> ExposureSelect:
    """Look at the sources, if there are any; without them the spec must name every column."""
    from discovery.intake.heads import look

    events, accounts = sources[0] or spec.events.source, sources[1] or spec.accounts.source
    heads = None
    if events and accounts:
        try:
            with console.working() as progress:
                progress("Looking at the columns")
                heads = look(events, accounts, without_rewriting(spec))
        except SourceError as error:
            if any(sources) or not has_all_columns(spec):
                raise
            console.say(f"{on_one_line(str(error))} What the columns hold is assumed; the comment on top says what.")
    return exposure_select(
        spec,
        request.dialect or _DIALECT,
        heads=heads,
        events_table=request.events_table,
        accounts_table=request.accounts_table,
        types=read_types(request.types),
    )
