"""The SQL of the aggregates that a study goes on from, printed or written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from discovery.cli.inputs import Sources
from discovery.cli.sql import Request, heads_of, refuse_unwritable, sources_named, write_sql
from discovery.cli.terminal import Console
from discovery.errors import InputError
from discovery.export.exposure import exposure_select, refuse_what_is_not_held, without_rewriting
from discovery.export.sql import has_all_columns, read_types
from discovery.spec import StudySpec

if TYPE_CHECKING:
    from discovery.intake.heads import Heads


def refuse_beside(inputs: Sequence[str], request: Request, *, others: bool) -> None:
    """Refuse what cannot be written, before anything is read; `others`: a milestone, a ladder or a worksheet."""
    if others or request.dbt:
        raise InputError(
            "--exposure writes the SQL of the aggregates alone. Leave out --milestone, --ladder, --worksheet and --dbt."
        )
    if not inputs:
        raise InputError("Give a spec (discover.toml) that names the columns, or EVENTS and ACCOUNTS to look at.")
    refuse_unwritable(request)


def write_exposure(spec: StudySpec, sources: Sources, request: Request, console: Console, *, as_json: bool) -> None:
    """Print the SQL, or write it to a file; as JSON it is printed in any case."""
    refuse_what_is_not_held(spec)
    select = exposure_select(
        spec,
        request.dialect,
        heads=_heads(spec, sources, console),
        events_table=request.events_table,
        accounts_table=request.accounts_table,
        types=read_types(request.types),
    )
    write_sql(select, request, console, as_json=as_json)


def _heads(spec: StudySpec, sources: Sources, console: Console) -> Heads | None:
    """Look at the sources, if both are there; else the spec must name every column."""
    from discovery.intake.heads import look

    events, accounts = sources_named(sources, spec)
    if events and accounts:
        return heads_of(sources, spec, lambda: look(events, accounts, without_rewriting(spec)), console)
    if (events or accounts) and (any(sources) or not has_all_columns(spec)):
        raise InputError(
            f"No {'accounts' if events else 'events'} were given, and the SQL reads the events of accounts from their "
            "signup on. Give EVENTS and ACCOUNTS, or a spec (discover.toml) that names both or every column of them."
        )
    return None
