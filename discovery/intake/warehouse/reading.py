"""From a database that keeps the events to two checked relations, in the order it happens."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import Relation, aliased, column
from discovery.errors import SourceError
from discovery.intake.addresses import is_in_place
from discovery.intake.checked import Checked
from discovery.intake.columns import Table, filled_in
from discovery.intake.databases import Part
from discovery.intake.digest import combined
from discovery.intake.event_columns import recognise_events
from discovery.intake.eventlog import EventLog
from discovery.intake.formats import Layout
from discovery.intake.loading import opened, outcome_kind, reads_accounts_off
from discovery.intake.looking import Roll, account_roll, assigned
from discovery.intake.observation import with_end_of_observation
from discovery.intake.properties import asked_for
from discovery.intake.relations import UNKNOWN_TIME, Accounts, Relations
from discovery.intake.roster import Roster, build_accounts
from discovery.intake.silence import silence_in_words
from discovery.intake.sources import Source
from discovery.intake.span import span_of_days
from discovery.intake.warehouse.checks import Seen, checked_in_place
from discovery.intake.warehouse.copied import copied, open_copied
from discovery.intake.warehouse.place import Place, opened_place
from discovery.intake.warehouse.rows import TypedEvents, typed_events
from discovery.intake.warehouse.stand_in import counts_of, stand_in
from discovery.intake.warehouse.summary import (
    SECOND,
    Cube,
    at_leaving,
    cube,
    known_days,
    lives,
    totals,
    unknown_accounts,
)
from discovery.progress import Progress
from discovery.spec import Day, StudySpec, build_spec

LOOKED_AT = 10_000
"""Rows of the events that columns are recognised from."""

_MOST = 0.9
_EXAMPLES = 5
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The accounts, here and over there."""

    roll: Roll
    roster: Roster
    there: exp.Table | exp.Select


def load_in_place(
    here: DuckDBEngine,
    events: object,
    accounts: object,
    spec: StudySpec,
    *,
    progress: Progress,
    properties: tuple[str, ...] = (),
) -> Relations:
    """Check events where they are, and read the accounts.

    Parameters
    ----------
    here
        Where the accounts are read and a few rows are looked at; nothing that is returned needs it.
    events
        The address of their database; None takes that of the spec.
    accounts
        As for `discovery.intake.load`; a database is one source among others.
    spec
        What is asked. Columns it names are used as they are; others are recognised.
    progress
        Called with a few words when a stage begins.
    properties
        Properties of events to keep, beside those of `candidates.properties`.

    Returns
    -------
    Relations
        On the engine that keeps the events; its tables are SELECTs there.

    Raises
    ------
    SourceError
        If the database cannot be reached or read, or the spec asks for what is not done there.
    ColumnError
        If a column that is needed is not found, or one named in the spec does not exist.
    """
    _refuse_what_is_not_done(accounts, spec)
    address = str(spec.events.source if events is None else events)
    progress("Looking at the events")
    place = opened_place(address, Part.named_in(spec.events), "events")
    try:
        return _load(here, place, accounts, spec, properties, progress)
    except BaseException:
        place.engine.close()
        raise


def _load(
    here: DuckDBEngine, place: Place, accounts: object, spec: StudySpec, properties: tuple[str, ...], progress: Progress
) -> Relations:
    number = next(_NUMBERS)
    sample = copied(place, here, f"events_{number}_sample", LOOKED_AT)
    log = Table(here, "events", sample, sample.name)
    progress("Reading the accounts")
    source = _accounts_source(here, accounts, spec, place, number)
    roll = account_roll(here, source, spec, f"accounts_{number}_rows")
    recognise_events(log, spec.events, roll.table, _layout(sample))
    names = asked_for(properties, spec.candidates.properties)
    progress("Counting the events")
    typed, events, days = _counted(typed_events(place, log, spec.events, names), log, f"events_{number}")
    known = _known(here, typed, roll, spec, events.date_only, number)
    living = lives(typed, known.there)
    unknown = events.usable_rows - int(living.n.sum())
    events = _with_span(typed, events, known.there, unknown)
    stand_in(here, events.usable, known.roster.accounts, living, np.unique(days.day))
    roster = with_end_of_observation(here, known.roster, events, spec.accounts, spec.events.timezone)
    examples = unknown_accounts(typed, known.there, _EXAMPLES) if unknown else ()
    progress("Checking the rows")
    relations = _checked(
        log,
        replace(known, roster=roster),
        events,
        Seen(events=typed, cube=days, lives=living, unknown=unknown, examples=examples),
        spec,
    )
    return replace(relations, input_sha256=combined([days.digest(), source.digest()]), properties=names)


def _checked(log: Table, known: _Known, events: EventLog, seen: Seen, spec: StudySpec) -> Relations:
    roll, roster = known.roll, known.roster
    silence = silence_in_words(roll.table, events, roster)
    if silence and "after" not in silence and _departure_is_logged(seen.events, known, seen.cube.names):
        silence = ""
    departures = bool((roster.accounts.churned != UNKNOWN_TIME).any()) and not silence
    resolved = _resolved(spec, log, roll, outcome_kind(spec, roster, departures))
    checked = Checked(
        log.engine,
        events,
        roster,
        resolved,
        silence,
        roll.lost,
        roll.table.source.guessed_encoding,
        roll=roll.table,
        layout=_layout(log.source),
        time=log.roles["time"],
        counts=seen.cube.names,
    )
    quality, rules = checked_in_place(checked, seen)
    return Relations(
        engine=seen.events.place.engine,
        events_table=seen.events.usable,
        accounts_table=_with_signup(known.there),
        accounts=roster.accounts,
        spec=resolved,
        recognised=(*log.recognised, *roll.table.recognised),
        quality=quality,
        rules=rules,
        log_start=events.start if events.start is not None else 0,
        log_end=events.end if events.end is not None else 0,
        events_rows=events.rows_read,
        events_used=events.usable_rows,
        date_only=events.date_only,
        has_users=events.has_users and "user" in log.roles,
        churn_is_silence=bool(silence),
        has_departures=departures,
        input_sha256="",
        has_creator="creator" in log.roles,
    )


def _layout(source: Source) -> Layout:
    return Layout(format="table", reason="a table of a database", source=source)


def _refuse_what_is_not_done(accounts: object, spec: StudySpec) -> None:
    """Refuse a spec that asks for more than is done where the events are."""
    if reads_accounts_off("a database", accounts, spec):
        raise SourceError(
            "The events are in a database, and there is no table of accounts. Name one in accounts.from, a file or a "
            "table, or make one by a query of the database that holds the events: accounts.sql = "
            '"SELECT account_id, min(time) AS signup_at FROM events GROUP BY account_id", with accounts.from as '
            "events.from."
        )
    if spec.events.format not in ("auto", "table"):
        raise SourceError(
            f"events.format = {spec.events.format!r} is of exported files; the events are in a database. Leave it out, "
            "and name a table or a view with an account, an event name and a time in columns of their own."
        )
    if spec.identity.source or spec.identity.persons:
        raise SourceError(
            "[identity] says which account a user belongs to, which is not looked up in a database that keeps the "
            "events. Make a view in which every event has its account and its person, and name it in events.table."
        )


def _accounts_source(here: DuckDBEngine, accounts: object, spec: StudySpec, place: Place, number: int) -> Source:
    asked = spec.accounts.source if accounts is None else accounts
    part = Part.named_in(spec.accounts)
    if is_in_place(asked):
        return open_copied(here, str(asked), part, "accounts", place)
    return opened(here, accounts, spec.accounts.source, "accounts", f"accounts_given_{number}", part)


def _counted(typed: TypedEvents, log: Table, name: str) -> tuple[TypedEvents, EventLog, Cube]:
    """Count the events, as dates where they are dates throughout."""
    found, days = totals(typed), cube(typed)
    dates = log.clock(log.roles["time"]).writing in ("date", "day number")
    events = counts_of(found, days, typed, name, dates=dates)
    if events.date_only and typed.raw.timezone != "UTC":
        typed = typed.with_dates()
        days = cube(typed)
        events = counts_of(found, days, typed, name, dates=True)
    return typed if events.duplicates_dropped else typed.with_all_rows(), events, days


def _known(here: DuckDBEngine, typed: TypedEvents, roll: Roll, spec: StudySpec, date_only: bool, number: int) -> _Known:
    """Read the accounts, and make them known over there: `account, account_id, signup, churned`."""
    roster = build_accounts(
        roll.table,
        f"accounts_{number}",
        roll.segments,
        assigned(spec),
        timezone=spec.events.timezone,
        date_only=date_only,
        leave_out=spec.accounts.leave_out,
    )
    there = typed.place.engine.bring(f"discovery_accounts_{number}", _as_table(roster.accounts))
    return _Known(roll=roll, roster=roster, there=there)


def _as_table(accounts: Accounts) -> pa.Table:
    def times(held: NDArray[np.int64]) -> pa.Array:
        return pa.array(held, mask=held == UNKNOWN_TIME)

    return pa.table(
        {
            "account": pa.array(np.arange(len(accounts), dtype=np.int32)),
            "account_id": pa.array(accounts.account_id, type=pa.string()),
            "signup": times(accounts.signup),
            "churned": times(accounts.churned),
        }
    )


def _with_signup(known: Relation) -> exp.Select:
    names = ("account", "account_id", "signup")
    signed_up = column("signup").is_(exp.null()).not_()
    return exp.select(*map(column, names)).from_(aliased(known, "k")).where(signed_up)


def _with_span(typed: TypedEvents, events: EventLog, known: Relation, unknown: int) -> EventLog:
    """Return the events with the log's start and end, which known accounts set, and no stray events."""
    if not events.usable_rows or unknown == events.usable_rows:
        return events
    by_day = known_days(typed, known)[:, :4]
    by_day[:, 0] //= Day
    return span_of_days(events, by_day, lambda: known_days(typed, known, accounts=True)[:, 4])


def _departure_is_logged(typed: TypedEvents, known: _Known, rows: dict[str, int]) -> bool:
    """Say whether one event happens to most accounts that left, when they left, and hardly ever else."""
    left = int((known.roster.accounts.churned != UNKNOWN_TIME).sum())
    found = at_leaving(typed, known.there, Day if known.roster.churn_dates_only else SECOND)
    return any(accounts >= _MOST * left and n >= _MOST * rows[event] for event, (n, accounts) in found.items())


def _resolved(spec: StudySpec, log: Table, roll: Roll, kind: str) -> StudySpec:
    values: dict[str, Any] = spec.model_dump(by_alias=True)
    values["events"] = {**filled_in(spec.events, log.roles), **log.source.located, "format": "table"}
    values["accounts"] = {
        **filled_in(spec.accounts, roll.table.roles),
        **roll.table.source.located,
        "segments": roll.segments,
    }
    values["outcome"] = {**values["outcome"], "kind": kind}
    return build_spec(values)
