"""The SQL of one milestone, proposed or at the top of a ladder, printed or written to a file or a dbt project."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from discovery.cli.terminal import Console, print_json
from discovery.engines.dialects import dialect_named
from discovery.errors import InputError, SourceError
from discovery.export import written_whole
from discovery.export.dbt import write_dbt
from discovery.export.single_file import refuse_existing, write_whole
from discovery.export.sql import MilestoneSelect, has_all_columns, milestone_select, on_one_line, read_types
from discovery.milestone import BY_OTHER, Milestone
from discovery.results import read_ladder
from discovery.spec import StudySpec, build_spec, override

if TYPE_CHECKING:
    from discovery.intake.heads import Heads

_DIALECT = "duckdb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be written, and where; no dialect is DuckDB's."""

    dialect: str | None
    events_table: str
    accounts_table: str
    types: Sequence[str]
    dbt: bool
    out: Path | None


def refuse_contradictions(
    inputs: Sequence[str], milestone: str | None, ladder: str | None, request: Request, *, seeded: bool
) -> None:
    """Refuse what cannot be written, before anything is read."""
    if milestone is None and ladder is None:
        raise InputError(
            'No milestone was named. Give --milestone "report_shared >= 3 within 7d", or --ladder result.json#1.'
        )
    if milestone is not None and ladder is not None:
        raise InputError("--milestone and --ladder each name a milestone. Keep one.")
    if ladder is not None and inputs:
        raise InputError(f"--ladder names a ladder of an earlier result; leave out {' '.join(inputs)}, or --ladder.")
    if ladder is None and not inputs:
        raise InputError("Give a spec (discover.toml) that names the columns, or EVENTS and ACCOUNTS to look at.")
    if seeded:
        raise InputError("Nothing is drawn at random for SQL, so --seed changes nothing. Leave it out.")
    if request.dbt and request.out is None:
        raise InputError("A dbt model is several files. Give a new folder to write them to: --out DIR.")
    if request.out is not None and not request.dbt:
        refuse_existing(request.out)
    dialect_named(request.dialect or _DIALECT)
    read_types(request.types)


def of_ladder(reference: str, settings: Sequence[str], console: Console) -> tuple[Milestone, StudySpec]:
    """Return the milestone of a ladder of an earlier result, and the spec as it was run."""
    result, ladder = read_ladder(reference)
    if ladder.persona is not None:
        console.say(f"This ladder was found for {ladder.persona}; the SQL is of all accounts.")
    return Milestone.parse(ladder.milestone), build_spec(override(result.settings, settings), origin=reference)


def select_of(
    milestone: Milestone, spec: StudySpec, sources: tuple[str | None, str | None], request: Request, console: Console
) -> MilestoneSelect:
    """Return the SELECT; say on standard error what may be wrong with it."""
    heads = _heads(milestone, spec, sources, console)
    for name in heads.absent if heads is not None else ():
        console.say(f"Warning: the event {name!r} never occurs in the events looked at. Check its spelling.")
    return milestone_select(
        milestone,
        spec,
        request.dialect or _DIALECT,
        heads=heads,
        events_table=request.events_table,
        accounts_table=request.accounts_table,
        types=read_types(request.types),
    )


def write_select(select: MilestoneSelect, request: Request, console: Console, *, as_json: bool) -> None:
    """Print the SQL, or write it to a file, or as a dbt model to a folder; as JSON it is printed in any case."""
    if request.dbt and request.out is not None:
        with written_whole(request.out) as folder:
            files = write_dbt(select, folder)
        console.say(f"dbt model: {request.out}, with {', '.join(files)}")
    elif request.out is not None:
        write_whole(request.out, select.commented)
        console.say(f"SQL: {request.out}")
    if as_json:
        values = {"milestone": str(select.milestone), "dialect": select.dialect, "notes": select.notes}
        print_json(json.dumps({**values, "sql": select.sql}, indent=2, ensure_ascii=False) + "\n")
    elif request.out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(select.commented.encode("utf-8"))
        sys.stdout.buffer.flush()


def _heads(
    milestone: Milestone, spec: StudySpec, sources: tuple[str | None, str | None], console: Console
) -> Heads | None:
    """Look at the sources, if there are any; without them the spec must name every column."""
    from discovery.intake.heads import look

    events, accounts = sources[0] or spec.events.source, sources[1] or spec.accounts.source
    if not events and not accounts:
        return None
    try:
        with console.working() as progress:
            progress("Looking at the columns")
            return look(events, accounts, spec, milestone.events, [p for p in milestone.properties if p != BY_OTHER])
    except SourceError as error:
        if any(sources) or not has_all_columns(spec):
            raise
        console.say(f"{on_one_line(str(error))} What the columns hold is assumed; the comment on top says what.")
        return None
