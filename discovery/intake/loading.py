"""From what was given to two checked relations, in the order it happens."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from discovery.engines import Engine
from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import ColumnError, EngineError, SourceError, SpecError
from discovery.intake.addresses import is_address, is_in_place
from discovery.intake.checks import Checked, check_rules
from discovery.intake.columns import Table, filled_in, widened
from discovery.intake.databases import Part
from discovery.intake.derived import ACCOUNT, CHURNED, SIGNUP, Traits, derive_accounts, find_traits
from discovery.intake.digest import combined
from discovery.intake.event_columns import recognise_events
from discovery.intake.eventlog import build_events, type_rows
from discovery.intake.formats import Layout
from discovery.intake.identity import Identity, members_of, persons_of
from discovery.intake.looking import LOOKED_AT, Roll, Seen, account_roll, assigned, event_sample
from discovery.intake.memory import open_source
from discovery.intake.observation import with_end_of_observation
from discovery.intake.properties import require
from discovery.intake.relations import UNKNOWN_TIME, Relations
from discovery.intake.roster import Roster, build_accounts
from discovery.intake.rows import Reading
from discovery.intake.silence import silence_in_words
from discovery.intake.sources import Source, copy_rows
from discovery.intake.span import with_span
from discovery.intake.telling import columns_that_tell, forget, told, told_by, with_answers
from discovery.progress import Progress, silent
from discovery.spec import StudySpec, build_spec
from discovery.spec.sources import DERIVED

__all__ = ["LOOKED_AT", "load", "opened"]

_NUMBERS = itertools.count(1)
_READING = "Reading the events"


def load(
    events: object,
    accounts: object,
    spec: StudySpec,
    *,
    engine: Engine | None = None,
    progress: Progress | None = None,
    properties: Sequence[str] = (),
) -> Relations:
    """Read events and accounts, recognise their columns, and check every row.

    Parameters
    ----------
    events, accounts
        Each a file, folder or glob (CSV, TSV, JSON lines, each also as .gz, or Parquet), a pandas,
        Polars or Arrow table, an Arrow record batch reader, a DuckDB relation, or the address of a database. Events
        in PostgreSQL, Spark or ClickHouse stay there. None takes the `from` of the spec. Where events are given and no
        accounts, nor any in the spec, these are read off the events.
    spec
        What is asked. Columns it names are used as they are; others are recognised.
    engine
        A `DuckDBEngine`, which stays open; one is created where none is given. Events that stay in a database are on
        an engine of their own.
    progress
        Called with a few words when a stage begins.
    properties
        Properties of events to keep, beside those of `candidates.properties`.

    Returns
    -------
    Relations
        Also where a check found an error in the rows: its `quality` then holds a finding of severity
        "error", and the caller decides whether to go on.

    Raises
    ------
    SourceError
        If a file, folder or table is missing, empty or unreadable.
    ColumnError
        If a column that is needed is not found, one named in the spec does not exist, or no event has a property.
    SpecError
        If the inferred outcome does not fit the rest of the spec.
    """
    held = engine if engine is not None else DuckDBEngine()
    if not isinstance(held, DuckDBEngine):
        raise EngineError(
            f"Events are read with DuckDB; the engine given speaks {held.dialect!r}. Give a DuckDBEngine."
        )
    used: Engine | None = None
    try:
        reading = _load_in_place if is_in_place(spec.events.source if events is None else events) else _load
        relations = reading(held, events, accounts, spec, properties, progress or silent)
        used = relations.engine
        return relations
    finally:
        if engine is None and used is not held:
            held.close()


def _load_in_place(
    engine: DuckDBEngine,
    events: object,
    accounts: object,
    spec: StudySpec,
    properties: Sequence[str],
    progress: Progress,
) -> Relations:
    from discovery.intake.warehouse.reading import load_in_place

    return load_in_place(engine, events, accounts, spec, progress=progress, properties=tuple(properties))


def _load(
    engine: DuckDBEngine,
    events: object,
    accounts: object,
    spec: StudySpec,
    properties: Sequence[str],
    progress: Progress,
) -> Relations:
    number = next(_NUMBERS)
    derived = reads_accounts_off(events, accounts, spec)
    with ThreadPoolExecutor(max_workers=1) as pool:
        progress("Looking at the events" if derived else "Reading the accounts")
        account_source = None if derived else opened_accounts(engine, events, accounts, spec, number)
        event_source = opened_events(engine, events, accounts, spec, number)
        known = identity_tables(engine, spec, number)
        given = [event_source, account_source, *(table.source for table in known.values())]
        digest = pool.submit(lambda: combined([source.digest() for source in given if source is not None]))
        roll = account_roll(engine, account_source, spec, f"accounts_{number}_rows") if account_source else None
        seen = event_sample(engine, event_source, spec, f"events_{number}_sample", properties, derived=derived)
        identity = identity_of(known, seen.layout, spec)
        recognise_events(seen.log, spec.events, roll.table if roll else None, seen.layout, identity.words)
        _require_users(seen.log, identity)
        relations = _checked(seen, roll, identity, spec, digest, number, progress)
    names = [table.rows for table in (seen.log, *known.values())]
    for name in (*names, f"events_given_{number}", f"accounts_given_{number}"):
        engine.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
    engine.give_back()
    return relations


def _checked(
    seen: Seen,
    roll: Roll | None,
    identity: Identity,
    spec: StudySpec,
    digest: Future[str],
    number: int,
    progress: Progress,
) -> Relations:
    log, engine, zone = seen.log, seen.log.engine, spec.events.timezone
    traits = find_traits(log, seen.traits, spec, seen.layout) if roll is None else None
    selects = (identity.members, *identity.persons, seen.layout.accounts if roll is None else "")
    told_in = columns_that_tell(log, seen.layout, [select for select in selects if select in told_by(seen.layout)])
    reading = _reading(seen, spec, traits, told_in)
    progress(_READING)
    rows = type_rows(reading, f"events_{number}", lambda share: progress(_READING, share))
    progress("Matching events, users and accounts")
    answers = told(engine, rows.table, seen.layout, told_in, selects) if told_in else {}
    events = build_events(rows, identity.over(answers), roll.ids if roll is not None else "")
    require(engine, log, events.typed, seen.names, seen.under)
    if traits is not None:
        events = with_span(engine, events)
        table, segments, signup_from = derive_accounts(
            log, events, with_answers(seen.layout, answers), spec, traits, f"accounts_{number}_rows"
        )
        roll = Roll(table, segments, signup_from=signup_from)
    forget(engine, rows.table)
    assert roll is not None
    roster = build_accounts(
        roll.table,
        f"accounts_{number}",
        roll.segments,
        assigned(spec),
        timezone=zone,
        date_only=events.date_only,
        leave_out=spec.accounts.leave_out,
        signup_from=roll.signup_from,
        numbered=bool(events.coding),
    )
    if traits is None:
        events = with_span(engine, events, roster.typed)
    roster = with_end_of_observation(engine, roster, events, spec.accounts, zone)
    progress("Checking the rows")
    silence = silence_in_words(roll.table, events, roster, spec.accounts.silence_days if traits is not None else 0)
    departures = bool((roster.accounts.churned != UNKNOWN_TIME).any()) and not silence
    resolved = _resolved(spec, seen, roll, identity, outcome_kind(spec, roster, departures))
    guessed = (*log.source.guessed_encoding, *roll.table.source.guessed_encoding)
    checked = Checked(
        engine,
        events,
        roster,
        resolved,
        silence,
        roll.lost,
        guessed,
        roll=roll.table,
        layout=seen.layout,
        time=log.roles["time"],
    )
    quality, rules = check_rules(checked)
    return Relations(
        engine=engine,
        events_table=events.usable,
        accounts_table=roster.table,
        accounts=roster.accounts,
        spec=resolved,
        recognised=(*log.recognised, *roll.table.recognised),
        quality=quality,
        rules=rules,
        checked=checked,
        log_start=events.start if events.start is not None else 0,
        log_end=events.end if events.end is not None else 0,
        events_rows=events.rows_read,
        events_used=events.usable_rows,
        date_only=events.date_only,
        has_users=events.has_users and "user" in log.roles,
        churn_is_silence=bool(silence),
        has_departures=departures,
        input_sha256=digest.result(),
        properties=seen.names,
        has_creator="creator" in log.roles,
        layout=seen.layout.format,
        accounts_derived=traits is not None,
        signup_from=roll.signup_from,
    )


def reads_accounts_off(events: object, accounts: object, spec: StudySpec) -> bool:
    """Say whether the accounts are read off the events.

    Raises
    ------
    SourceError
        If neither argument nor spec says where the accounts are, or that there is no table of them.
    SpecError
        If the spec says how to read them off the events, but a table is given.
    """
    _require_used(spec)
    derived = spec.accounts.derived if spec.accounts.source else events is not None
    if accounts is None and derived and spec.accounts.account not in ("", spec.events.account):
        raise SpecError(
            f"accounts.account names {spec.accounts.account!r}, a column of a table of accounts, but the accounts are "
            "read off the events. Name the column of the events with the account instead: events.account."
        )
    asked = [name for name in ("signup_event", "silence_days") if getattr(spec.accounts, name)]
    if accounts is not None and asked:
        raise SpecError(
            f"accounts.{' and accounts.'.join(asked)} are about accounts that are read off the events, but a table of "
            "accounts was given. Leave out one or the other."
        )
    if accounts is not None or spec.accounts.source:
        return accounts is None and spec.accounts.derived
    if events is None and spec.events.source:
        raise SourceError(
            "No accounts were given. Set accounts.from in the spec to the table of accounts, or, where there is none, "
            'to "events": then they are read off the events, and an account signs up with its first event.'
        )
    return events is not None


def _require_used(spec: StudySpec) -> None:
    """Refuse columns of a table of users where no such table is named."""
    named = [name for name in ("user", "account", "since") if getattr(spec.identity, name)]
    if named and not spec.identity.source:
        raise SpecError(
            f"identity.{' and identity.'.join(named)} name columns of a table of users and their accounts, but "
            "identity.from names none. Set identity.from=PATH, or leave them out; columns of the events are named in "
            "events.user and events.account."
        )


def _reading(seen: Seen, spec: StudySpec, traits: Traits | None, told_in: tuple[str, ...]) -> Reading:
    return Reading(
        table=seen.log,
        layout=seen.layout,
        spec=spec.events,
        properties=seen.columns,
        traits=tuple(traits.columns.values()) if traits is not None else (),
        told=told_in,
    )


def _require_users(log: Table, identity: Identity) -> None:
    if "account" not in log.roles and "user" not in log.roles:
        raise ColumnError(
            f"{log.source.label} has neither a column of accounts nor one of users, so {identity.words} say nothing "
            "about its events. Name one: --set events.user=COLUMN."
        )


def paths_among(*given: object) -> tuple[str, ...]:
    """Return the paths among what was given: of what is read for one thing, a folder for another holds none."""
    paths = [os.fspath(each) for each in given if isinstance(each, str | os.PathLike) and each]
    return tuple(str(path) for path in paths if path != DERIVED and not is_address(path))


def opened_accounts(engine: DuckDBEngine, events: object, accounts: object, spec: StudySpec, number: int) -> Source:
    """Open the accounts; files of the other side that lie in the same folder are not theirs."""
    asked, others = spec.accounts, (spec.identity.source, spec.identity.persons)
    beside = paths_among(spec.events.source if events is None else events, *others)
    table, part = f"accounts_given_{number}", Part.named_in(asked)
    return opened(engine, accounts, asked.source, "accounts", table, part, beside)


def opened_events(engine: DuckDBEngine, events: object, accounts: object, spec: StudySpec, number: int) -> Source:
    """Open the events; files of the other side that lie in the same folder are not theirs."""
    asked, others = spec.events, (spec.identity.source, spec.identity.persons)
    beside = paths_among(spec.accounts.source if accounts is None else accounts, *others)
    return opened(engine, events, asked.source, "events", f"events_given_{number}", Part.named_in(asked), beside)


def opened(
    engine: DuckDBEngine,
    given: object,
    named: str,
    role: str,
    table: str,
    of: Part | None = None,
    apart: Sequence[str] = (),
) -> Source:
    """Open what was given, else what the spec names; `role` is "events" or "accounts".

    `of` is the table or query of a database that the spec names; it does not belong to files given in its place.

    Raises
    ------
    SourceError
        If there is neither, or it cannot be read.
    """
    if given is not None and named and not is_address(given):
        of = None
    given = named if given is None else given
    if isinstance(given, str) and not given:
        raise SourceError(
            f"No {role} were given. Give a path, or set {role}.from in the spec: the spec of a study of tables in "
            "memory names none."
        )
    return open_source(engine, given, role, table, of, apart)


def outcome_kind(spec: StudySpec, roster: Roster, departures: bool) -> str:
    """Return the kind of outcome that the spec asks for, else what the accounts allow."""
    if spec.outcome.kind:
        return spec.outcome.kind
    if departures:
        return "retained"
    return "converted" if bool((roster.accounts.converted != UNKNOWN_TIME).any()) else "active"


def _resolved(spec: StudySpec, seen: Seen, roll: Roll, identity: Identity, kind: str) -> StudySpec:
    values: dict[str, Any] = spec.model_dump(by_alias=True)
    log, table = seen.log, roll.table
    real = {role: column for role, column in table.roles.items() if column not in (ACCOUNT, SIGNUP, CHURNED)}
    values["events"] = {**filled_in(spec.events, log.roles), **log.source.located, "format": seen.layout.format}
    values["accounts"] = {**filled_in(spec.accounts, real), **table.source.located, "segments": roll.segments}
    values["identity"] = {**values["identity"], **identity.columns, **identity.paths}
    values["outcome"] = {**values["outcome"], "kind": kind}
    return build_spec(values)


def identity_tables(engine: DuckDBEngine, spec: StudySpec, number: int) -> dict[str, Table]:
    """Copy the tables that the spec names of users' accounts and of persons, by "members" and "persons"."""
    found = {}
    for key, named in (("members", spec.identity.source), ("persons", spec.identity.persons)):
        if named:
            of = Part.named_in(spec.identity) if key == "members" else None
            source = opened(engine, None, named, "users" if of is not None else "persons", f"{key}_given_{number}", of)
            wanted = [spec.identity.user, spec.identity.account, spec.identity.since] if key == "members" else []
            source = widened(engine, source, wanted)
            rows = f"{key}_{number}_rows"
            lost, lines = copy_rows(engine, source, rows, "*")
            if lost:
                raise SourceError(
                    f"{lost:,} lines of {source.label} could not be read (first: {lines[0]!r}); the users in them "
                    "would have no account. Export it again."
                )
            found[key] = Table(engine, "accounts", source, rows)
    return found


def identity_of(known: Mapping[str, Table], layout: Layout, spec: StudySpec) -> Identity:
    """Return who is who: as the spec's tables tell, else as the export itself does."""
    persons = [persons_of(known["persons"])] if "persons" in known else []
    persons += [layout.persons] if layout.persons else []
    columns: Mapping[str, str] = {}
    members, words = layout.members, ""
    if "members" in known:
        named = {"user": spec.identity.user, "account": spec.identity.account, "since": spec.identity.since}
        members, columns, words = members_of(known["members"], named, spec.events.timezone)
    elif members:
        words = "the export itself tells who belongs where"
    return Identity(
        members=members,
        persons=tuple(persons),
        users_left_out=spec.events.leave_out_users,
        words=words,
        columns=columns,
        paths={{"members": "from", "persons": "persons"}[key]: table.source.path for key, table in known.items()},
    )
