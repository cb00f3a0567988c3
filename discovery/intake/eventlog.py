"""The events as one typed relation: account, event, user, time; what was lost on the way is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from re import DOTALL, escape, fullmatch

from discovery.engines.duckdb import Done, DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import EngineError
from discovery.intake.coding import Coding, encode
from discovery.intake.identity import Identity, identify
from discovery.intake.names import matching_nothing, spelled
from discovery.intake.rows import Reading
from discovery.intake.sources import copy_rows, unreadable_source
from discovery.intake.sql import literal
from discovery.spec import Day, EventsSpec

LARGE = 2_000_000
"""Logs with more rows than this are kept in compact form, and read in place until then where that is cheap."""

USABLE = "account_id IS NOT NULL AND event IS NOT NULL AND t IS NOT NULL AND passed_over IS NULL"
_BLANK = (
    "account_id IS NULL AND event IS NULL AND t IS NULL AND unread IS NULL AND user_id IS NULL AND passed_over IS NULL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """The typed events in the engine.

    `typed` holds every row that was read, duplicates apart: `account_id`, `event`, `user_id`, `t`, `unread`, the time
    as written where it could not be read, and `passed_over`, why the row is no behaviour (NULL where it is one: the
    kind of record, "left out" or "user left out"). Where `has_sent` and `has_received` say so it has `sent` and
    `received` (microseconds). Rows passed over are in no other count than `passed_over`. `usable` holds the rows a
    study can use. `start` and `end` are those of all usable rows until `with_span` narrows them. In a large log
    `coding` says what the numbers stand for that `account_id`, `user_id` and `creator_id` are there.

    `renamed` counts the rows of each other spelling in `events.aliases`; `absent` are the spellings and the patterns
    of `leave_out` and `leave_out_users` that match nothing. `mapped` rows were given the account of their user,
    `merged` ones a user id replaced by its person; `ambiguous_users` are in
    several accounts at once, for which their events have none.
    """

    typed: str
    usable: str
    rows_read: int
    rows: int  # after duplicates were dropped, those passed over apart
    duplicates_dropped: int
    by_id: bool
    blank: int  # rows with nothing in them, counted nowhere else
    rows_unread: int
    examples_unread: tuple[str, ...]
    date_only: bool
    start: int | None
    end: int | None
    usable_rows: int
    missing_account: int
    missing_event: int
    missing_time: int
    unreadable_time: int
    has_users: bool
    strays: int = 0  # usable rows of known accounts, far from all others in time
    examples_stray: tuple[str, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    renamed: Mapping[str, int] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    mapped: int = 0
    has_members: bool = False  # something says which account a user belongs to
    before_joining: int = 0  # rows without an account, of users who joined their first one more than a day later
    merged: int = 0
    ambiguous_users: int = 0
    examples_ambiguous: tuple[str, ...] = ()
    has_sent: bool = False
    has_received: bool = False
    coding: Coding = field(default_factory=Coding)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRows:
    """The rows of the events as read: the table, or the view where they are read in place, and the lines lost."""

    reading: Reading
    name: str
    in_place: bool
    lost: int
    examples: tuple[str, ...]

    @property
    def table(self) -> str:
        """The relation with every row."""
        return f"{self.name}_typed"


def type_rows(reading: Reading, name: str, done: Done | None = None) -> TypedRows:
    """Read the source once, into the table `name_typed`.

    `done` is called with the share that is read, as in `DuckDBEngine.execute`; never for a source read in place.

    Raises
    ------
    SourceError
        If the source cannot be read.
    """
    table, duplicates = reading.table, reading.spec.duplicates
    by_id = duplicates == "by_id" and "id" in table.roles
    large = table.source.in_place and (table.source.known_rows(table.engine) or 0) > LARGE
    in_place = large and not by_id and duplicates != "exact"
    lost, examples = _type_rows(replace(reading, by_id=by_id), f"{name}_typed", in_place, done)
    return TypedRows(reading=replace(reading, by_id=by_id), name=name, in_place=in_place, lost=lost, examples=examples)


def build_events(rows: TypedRows, identity: Identity, known: str = "") -> EventLog:
    """Say who did what in the rows read, drop repeated ones, and count what could not be used.

    `known` is a SELECT of `account_id` of every account; without it accounts are read off the events.

    Raises
    ------
    SourceError
        If the source cannot be read.
    """
    reading, typed, name = rows.reading, rows.table, rows.name
    table, spec = reading.table, reading.spec
    engine, zone = table.engine, spec.timezone
    known_rows = table.source.known_rows(engine) if rows.in_place else None
    rows_read = known_rows or int(engine.rows(f"SELECT count(*) FROM {quoted(typed)}")[0][0])
    users_absent = matching_nothing(engine, typed, ["user_id"], spec.leave_out_users)
    found = identify(engine, typed, identity, in_place=rows.in_place, has_creator="creator" in table.roles)
    rule = "id" if reading.by_id else spec.duplicates
    dropped = _drop_duplicates(engine, typed, rows_read, rule, reading.further)
    coding = _coded(rows, known, in_place=rows.in_place and not found.rewritten) if rows_read > LARGE else Coding()
    dates = table.clock(table.roles["time"]).writing in ("date", "day number")
    log = _counts(engine, name, typed, dates, zone)
    if log.date_only and zone != "UTC":
        _on_wall(engine, typed, zone)
        log = _counts(engine, name, typed, True, "UTC")
    engine.execute(
        f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT {', '.join(reading.handed_on)} FROM {quoted(typed)} "
        f"WHERE {USABLE}"
    )
    renamed = spelled(engine, typed, spec.aliases)
    return replace(
        log,
        rows_read=rows_read - log.blank + rows.lost,
        duplicates_dropped=dropped,
        by_id=reading.by_id,
        rows_unread=rows.lost,
        examples_unread=rows.examples,
        renamed=renamed,
        absent=_absent(engine, typed, spec, renamed, users_absent),
        mapped=found.mapped,
        has_members=bool(identity.members),
        before_joining=found.before_joining,
        merged=found.merged,
        ambiguous_users=found.ambiguous,
        examples_ambiguous=found.examples,
        has_sent="sent" in table.roles,
        has_received="received" in table.roles,
        coding=coding,
    )


def _coded(rows: TypedRows, known: str, *, in_place: bool) -> Coding:
    table = rows.reading.table
    try:
        return encode(
            table.engine,
            rows.table,
            in_place=in_place,
            usable=USABLE,
            known=known,
            has_creator="creator" in table.roles,
        )
    except EngineError as error:
        raise unreadable_source(table.source.label, error) if in_place else error from error


def _type_rows(reading: Reading, typed: str, in_place: bool, done: Done | None) -> tuple[int, tuple[str, ...]]:
    table, selected = reading.table, reading.fields()
    if not in_place:
        return copy_rows(table.engine, table.source, typed, selected, done)
    try:
        table.engine.execute(f"CREATE OR REPLACE VIEW {quoted(typed)} AS SELECT {selected} FROM {table.source.table()}")
    except EngineError as error:
        raise unreadable_source(table.source.label, error) from error
    return 0, ()


def _absent(
    engine: DuckDBEngine, typed: str, spec: EventsSpec, renamed: Mapping[str, int], users_absent: set[str]
) -> tuple[str, ...]:
    """Return the spellings, events and users named in the spec that never occur, in the spec's order."""
    names = ["event", "spelling"] if spec.aliases else ["event"]
    events_absent = matching_nothing(engine, typed, names, spec.leave_out)
    still = users_absent and matching_nothing(engine, typed, ["user_id"], sorted(users_absent))
    spellings = (spelling for spelling, count in renamed.items() if not count and not _is_left_out(spelling, spec))
    return (
        *spellings,
        *(pattern for pattern in spec.leave_out if pattern in events_absent),
        *(pattern for pattern in spec.leave_out_users if pattern in still),
    )


def _is_left_out(spelling: str, spec: EventsSpec) -> bool:
    """Say whether a spelling has no events because these are left out."""
    names = (spelling, next(name for name, listed in spec.aliases.items() if spelling in listed))
    return any(fullmatch(".*".join(map(escape, p.split("*"))), name, DOTALL) for p in spec.leave_out for name in names)


def _drop_duplicates(engine: DuckDBEngine, typed: str, rows: int, rule: str, further: tuple[str, ...]) -> int:
    name, rest = quoted(typed), "".join(f", {column}" for column in further)
    if rule == "id":
        repeated = int(engine.rows(f"SELECT count(row_id) - count(DISTINCT row_id) FROM {name}")[0][0])
        if not repeated:
            engine.execute(f"ALTER TABLE {name} DROP COLUMN row_id")
            return 0
        # One row per id: the earliest usable one, ties broken by everything else, so that row order is irrelevant.
        order = f"({USABLE}) DESC, t, account_id, event, user_id NULLS LAST, unread, passed_over{rest}"
        kept = (
            f"SELECT * FROM {name} WHERE row_id IS NULL UNION ALL (SELECT * FROM {name} WHERE row_id IS NOT NULL "
            f"QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY {order}) = 1)"
        )
        kept = f"SELECT * EXCLUDE (row_id) FROM ({kept})"
    elif rule == "exact":
        usable = f"SELECT DISTINCT * FROM {name} WHERE {USABLE}"
        if further:
            same = f"PARTITION BY account_id, event, user_id, t ORDER BY {', '.join(further)}"
            usable = f"SELECT * FROM {name} WHERE {USABLE} QUALIFY row_number() OVER ({same}) = 1"
        kept = f"({usable}) UNION ALL (SELECT * FROM {name} WHERE NOT ({USABLE}))"
    else:
        return 0
    engine.execute(f"CREATE OR REPLACE TABLE {name} AS {kept}")
    return rows - int(engine.rows(f"SELECT count(*) FROM {name}")[0][0])


def _on_wall(engine: DuckDBEngine, typed: str, timezone: str) -> None:
    """Count the times of the typed events as what the calendar showed, as if that were UTC: whole days."""
    shown = f"epoch_us(timezone({literal(timezone)}, make_timestamptz(t))) // {Day} * {Day}"
    engine.execute(f"CREATE TABLE {quoted(typed + '_next')} AS SELECT * REPLACE ({shown} AS t) FROM {quoted(typed)}")
    kind = engine.rows(f"SELECT table_type FROM information_schema.tables WHERE table_name = {literal(typed)}")[0][0]
    engine.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {quoted(typed)}")
    engine.execute(f"ALTER TABLE {quoted(typed + '_next')} RENAME TO {quoted(typed)}")


def _counts(engine: DuckDBEngine, name: str, typed: str, dates: bool, timezone: str) -> EventLog:
    local = "t" if timezone == "UTC" or dates else f"epoch_us(timezone({literal(timezone)}, make_timestamptz(t)))"
    blank, all_rows, over, account, event, unread, time, usable, start, end, off_midnight, users = engine.rows(
        f"SELECT count_if({_BLANK}), count(*), count(passed_over), count_if(own AND account_id IS NULL), "
        "count_if(own AND event IS NULL), count_if(own AND unread IS NOT NULL), "
        "count_if(own AND t IS NULL AND unread IS NULL), count_if(ok), "
        f"min(CASE WHEN ok THEN t END), max(CASE WHEN ok THEN t END), "
        f"count_if(ok AND {local} % {Day} <> 0), count_if(own AND user_id IS NOT NULL) "
        f"FROM (SELECT *, {USABLE} AS ok, passed_over IS NULL AS own FROM {quoted(typed)})"
    )[0]
    kinds = (
        engine.rows(
            f"SELECT passed_over, count(*) AS n FROM {quoted(typed)} WHERE passed_over IS NOT NULL "
            "GROUP BY passed_over ORDER BY n DESC, passed_over"
        )
        if over
        else []
    )
    rows = all_rows - over - blank
    return EventLog(
        typed=typed,
        usable=name,
        rows_read=rows,
        rows=rows,
        blank=blank,
        duplicates_dropped=0,
        by_id=False,
        rows_unread=0,
        examples_unread=(),
        date_only=dates or (usable > 1 and off_midnight == 0),
        start=start,
        end=end,
        usable_rows=usable,
        missing_account=account - blank,
        missing_event=event - blank,
        missing_time=time - blank,
        unreadable_time=unread,
        has_users=users > 0,
        passed_over={str(kind): int(count) for kind, count in kinds},
    )
