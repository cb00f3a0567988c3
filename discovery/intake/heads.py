"""What the columns are, from the first rows of the events alone: for SQL that reads the same tables elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import ColumnError, SourceError
from discovery.intake.columns import Table, filled_in
from discovery.intake.event_columns import recognise_events
from discovery.intake.loading import opened_accounts, opened_events, reads_accounts_off
from discovery.intake.looking import Seen, account_roll, event_sample
from discovery.intake.sql import is_fractional, is_number, is_text, literal, plain_text
from discovery.intake.times import Clock
from discovery.spec import FORMAT_NAMES, Day, StudySpec, build_spec

Stored = Literal["", "text", "integer", "float", "boolean"]
"""How a column's values are kept; "" for what is none of these, such as a time."""

_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """What was seen of two sources.

    Attributes
    ----------
    spec : StudySpec
        What was asked, with every recognised column filled in.
    clocks : mapping
        How times are written, by "events.time" and "accounts.signup".
    stored : mapping
        What every column with a role holds, by names like "events.account"; text for all of a text file.
    whole_text : frozenset of str
        Columns of identifiers in which whole numbers are written like 12.0.
    reached_by_path : tuple of str
        Columns that are a path into nested records, which a table elsewhere does not have.
    dates_only : bool
        Event times are dates.
    absent : tuple of str
        Events asked for that never occur.
    properties : mapping
        What the properties of events that were asked for hold, by the names of their columns.
    """

    spec: StudySpec
    clocks: Mapping[str, Clock]
    stored: Mapping[str, Stored]
    whole_text: frozenset[str]
    reached_by_path: tuple[str, ...]
    dates_only: bool
    absent: tuple[str, ...]
    properties: Mapping[str, Stored] = field(default_factory=dict)


def look(
    events: object, accounts: object, spec: StudySpec, asked: Sequence[str] = (), properties: Sequence[str] = ()
) -> Heads:
    """Recognise the columns of two sources as a study would, without reading the events as a whole.

    All events are read only where the first rows alone cannot tell: whether times that look like dates are dates
    throughout, and whether an event of `asked` that is not among the first rows occurs later.

    Parameters
    ----------
    events, accounts
        As for `discovery.intake.load`.
    spec
        What is asked. Columns it names are used as they are; others are recognised.
    asked
        Names of events to look for.
    properties
        Names of properties of events that must be there.

    Raises
    ------
    SourceError
        If a file, folder or table is missing, empty or unreadable, or is no plain table of events with one of accounts.
    ColumnError
        If a column that is needed is not found, holds no times, or one named in the spec does not exist.
    """
    number = next(_NUMBERS)
    _require_table_of_accounts(reads_accounts_off(events, accounts, spec), spec)
    with closing(DuckDBEngine()) as engine:
        account_source = opened_accounts(engine, events, accounts, spec, number)
        event_source = opened_events(engine, events, accounts, spec, number)
        found = account_roll(engine, account_source, spec, f"accounts_{number}_head")
        roll, segments = found.table, found.segments
        seen = event_sample(engine, event_source, spec, f"events_{number}_head", properties)
        log = seen.log
        _require_plain(seen)
        recognise_events(log, spec.events, roll, seen.layout)
        sides = (("events", log), ("accounts", roll))
        held = {name: at for name, at in zip(seen.names, seen.columns, strict=True) if name in properties}
        return Heads(
            spec=_filled(spec, log, roll, segments),
            clocks={"events.time": _clock(log, "time"), "accounts.signup": _clock(roll, "signup")},
            stored={
                f"{side}.{role}": _stored(table.kind(name))
                for side, table in sides
                for role, name in table.roles.items()
            },
            whole_text=frozenset(
                f"{side}.{role}" for side, table in sides for role in ("account", "user") if _is_whole(table, role)
            ),
            reached_by_path=tuple(
                name
                for table, names in ((log, (*log.roles.values(), *held.values())), (roll, tuple(roll.roles.values())))
                for name in names
                if name in table.source.derived
            ),
            dates_only=_dates_only(log, spec.events.timezone),
            absent=tuple(name for name in asked if not _occurs(log, name)),
            properties={name: _stored(log.kind(column)) for name, column in held.items()},
        )


def _require_table_of_accounts(derived: bool, spec: StudySpec) -> None:
    asked = {
        "accounts that are read off the events": derived,
        "[identity]": bool(spec.identity.source or spec.identity.persons),
        "events.aliases": bool(spec.events.aliases),
        "events.leave_out": bool(spec.events.leave_out),
        "events.leave_out_users": bool(spec.events.leave_out_users),
    }
    unknown = [name for name, given in asked.items() if given]
    if unknown:
        raise SourceError(
            f"SQL of a milestone reads one plain table of events and one of accounts, and knows nothing of "
            f"{', '.join(unknown)}. Make views in which that is done already, and give a sample of these to "
            "discover export."
        )


def _require_plain(seen: Seen) -> None:
    """Raise unless every event is one row of a table, with its account, name and time in columns of their own."""
    layout = seen.layout
    computed = [told.column for told in layout.roles.values() if told.column in seen.log.source.derived]
    if layout.passed_over or computed or layout.wall_numbers:
        raise SourceError(
            f"{seen.log.source.label} is an export of {FORMAT_NAMES[layout.format]} ({layout.reason}), in which "
            "not every row is an event with its account, name and time in columns of their own, and SQL of a milestone "
            "over it is not written. Make a view of the events with these columns, and give a sample of it to "
            "discover export, with --set events.format=table."
        )


def _filled(spec: StudySpec, log: Table, roll: Table, segments: tuple[str, ...]) -> StudySpec:
    values = spec.model_dump(by_alias=True)
    values["events"] = {**filled_in(spec.events, log.roles), **log.source.located}
    values["accounts"] = {**filled_in(spec.accounts, roll.roles), **roll.source.located, "segments": segments}
    return build_spec(values)


def _clock(table: Table, role: str) -> Clock:
    clock = table.clock(table.roles[role])
    if clock.writing == "nothing":
        raise ColumnError(
            f"The column {clock.column!r} of {table.source.label} holds nothing that reads as a time. Name another: "
            f"--set {table.side}.{role}=COLUMN."
        )
    return clock


def _is_whole(table: Table, role: str) -> bool:
    column = table.roles.get(role)
    if column is None or not is_text(table.kind(column)):
        return False
    found = table.engine.rows(
        f"SELECT count(*) FROM {quoted(table.rows)} "
        f"WHERE regexp_full_match(CAST({quoted(column)} AS VARCHAR), '-?[0-9]+[.]0')"
    )
    return bool(found[0][0])


def _dates_only(log: Table, zone: str) -> bool:
    clock = log.clock(log.roles["time"])
    if clock.writing in ("date", "day number"):
        return True
    off_midnight = f"WHERE {clock.micros(zone, wall=True)} % {Day} <> 0 LIMIT 1"
    filled, some = log.engine.rows(
        f"SELECT count({clock.micros(zone, wall=True)}), "
        f"(SELECT count(*) FROM (SELECT 1 FROM {quoted(log.rows)} {off_midnight})) FROM {quoted(log.rows)}"
    )[0]
    if some or filled < 2:
        return False
    return not log.engine.rows(f"SELECT 1 FROM {log.source.table(strict=False)} {off_midnight}")


def _occurs(log: Table, name: str) -> bool:
    where = f"WHERE {plain_text(log.roles['event'])} = {literal(name)} LIMIT 1"
    return any(
        log.engine.rows(f"SELECT 1 FROM {rows} {where}") for rows in (quoted(log.rows), log.source.table(strict=False))
    )


def _stored(kind: str) -> Stored:
    """Return what an engine type holds."""
    if is_text(kind):
        return "text"
    if is_fractional(kind):
        return "float"
    if is_number(kind):
        return "integer"
    return "boolean" if kind == "BOOLEAN" else ""
