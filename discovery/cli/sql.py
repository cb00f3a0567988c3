"""What the SQL of a milestone and that of aggregates share: what is refused, what is looked at, how it is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from discovery.cli.inputs import Sources
from discovery.cli.terminal import Console, print_utf8
from discovery.engines.dialects import dialect_named
from discovery.errors import InputError, SourceError
from discovery.export.single_file import refuse_existing, write_whole
from discovery.export.sql import has_all_columns, on_one_line, read_types
from discovery.spec import StudySpec

if TYPE_CHECKING:
    from discovery.intake.heads import Heads


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be written, and where; `idle` are options given that only a run of a study heeds."""

    dialect: str
    events_table: str
    accounts_table: str
    types: Sequence[str]
    dbt: bool
    out: Path | None
    idle: Sequence[str] = ()


class Select(Protocol):
    """A SELECT with the notes above it."""

    @property
    def dialect(self) -> str:
        """Whose SQL it is."""

    @property
    def sql(self) -> str:
        """The SELECT, without a semicolon."""

    @property
    def notes(self) -> Sequence[str]:
        """What it takes for granted."""

    @property
    def commented(self) -> str:
        """The SELECT below its notes."""


def refuse_unwritable(request: Request) -> None:
    """Refuse what cannot be written, and options that would change nothing, before anything is read."""
    if request.idle:
        changes, them = ("change", "them") if len(request.idle) > 1 else ("changes", "it")
        raise InputError(
            f"No study is run for SQL, so {' and '.join(request.idle)} {changes} nothing. Leave {them} out."
        )
    if request.dbt and request.out is None:
        raise InputError("A dbt model is several files. Give a new folder to write them to: --out DIR.")
    if request.out is not None and not request.dbt:
        refuse_existing(request.out)
    dialect_named(request.dialect)
    read_types(request.types)


def sources_named(sources: Sources, spec: StudySpec) -> tuple[str, str]:
    """Return events and accounts as given, else as the spec names them; empty where neither does."""
    return sources[0] or spec.events.source, sources[1] or spec.accounts.source


def heads_of(sources: Sources, spec: StudySpec, look: Callable[[], Heads], console: Console) -> Heads | None:
    """Look at the sources; None where those that a spec names are gone, if it names every column."""
    try:
        with console.working() as progress:
            progress("Looking at the columns")
            return look()
    except SourceError as error:
        if any(sources) or not has_all_columns(spec):
            raise
        console.say(f"{on_one_line(str(error))} What the columns hold is assumed; the comment on top says what.")
        return None


def write_sql(
    select: Select, request: Request, console: Console, *, as_json: bool, beside: Mapping[str, Any] | None = None
) -> None:
    """Print the SQL, or write it to a file; as JSON, with `beside` ahead, it is printed in any case."""
    if request.out is not None and not request.dbt:
        write_whole(request.out, select.commented)
        console.say(f"SQL: {request.out}")
    if as_json:
        values = {**(beside or {}), "dialect": select.dialect, "notes": select.notes, "sql": select.sql}
        print_utf8(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    elif request.out is None:
        print_utf8(select.commented)
