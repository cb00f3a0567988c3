"""The events as one typed relation: account, event, user, time; what was lost on the way is counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import EngineError
from discovery.intake.columns import Table
from discovery.intake.sources import ParquetFiles, copy_rows, unreadable_source
from discovery.intake.sql import id_text, is_missing, literal, plain_text, quoted
from discovery.spec import Day

LARGE = 5_000_000
"""Parquet files with more rows than this are read in place rather than copied, unless rows must be dropped."""

USABLE = "account_id IS NOT NULL AND event IS NOT NULL AND t IS NOT NULL"
_BLANK = "account_id IS NULL AND event IS NULL AND t IS NULL AND unread IS NULL AND user_id IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """The typed events in the engine.

    `typed` holds every row that was read, duplicates apart: `account_id`, `event`, `user_id`, `t`, and
    `unread`, the time as written where it could not be read. `usable` holds the rows a study can use.
    `start` and `end` are those of all usable rows until `with_span` narrows them.
    """

    typed: str
    usable: str
    rows_read: int
    rows: int  # after duplicates were dropped
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


def build_events(table: Table, name: str, timezone: str, duplicates: Literal["by_id", "exact", "keep"]) -> EventLog:
    """Type the events into the tables `name` and `name_typed` and count what could not be used.

    Raises
    ------
    SourceError
        If the source cannot be read.
    """
    engine, typed = table.engine, f"{name}_typed"
    by_id = duplicates == "by_id" and "id" in table.roles
    in_place = _is_large_parquet(table) and not by_id and duplicates != "exact"
    lost, examples = _type_rows(table, typed, timezone, by_id=by_id, in_place=in_place)
    rows_read = int(engine.rows(f"SELECT count(*) FROM {quoted(typed)}")[0][0])
    dropped = _drop_duplicates(engine, typed, rows_read, "id" if by_id else duplicates)
    log = _counts(engine, name, typed, table.clocks[table.roles["time"]].writing in ("date", "day number"), timezone)
    if log.date_only and timezone != "UTC":
        _type_rows(table, typed, timezone, by_id=by_id, in_place=in_place, wall=True)
        _drop_duplicates(engine, typed, rows_read, "id" if by_id else duplicates)
        log = _counts(engine, name, typed, True, "UTC")
    engine.execute(
        f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT account_id, event, user_id, t FROM {quoted(typed)} "
        f"WHERE {USABLE}"
    )
    return replace(
        log,
        rows_read=rows_read - log.blank + lost,
        duplicates_dropped=dropped,
        by_id=by_id,
        rows_unread=lost,
        examples_unread=examples,
    )


def _is_large_parquet(table: Table) -> bool:
    return isinstance(table.source, ParquetFiles) and (table.source.known_rows(table.engine) or 0) > LARGE


def _type_rows(
    table: Table, typed: str, timezone: str, *, by_id: bool, in_place: bool, wall: bool = False
) -> tuple[int, tuple[str, ...]]:
    roles = table.roles
    user = id_text(roles["user"], table.kind(roles["user"])) if "user" in roles else "CAST(NULL AS VARCHAR)"
    micros = table.clocks[roles["time"]].micros(timezone, wall)
    fields = [
        f"{id_text(roles['account'], table.kind(roles['account']))} AS account_id",
        f"{plain_text(roles['event'])} AS event",
        f"{user} AS user_id",
        f"{micros} AS t",
        f"CASE WHEN {micros} IS NULL AND NOT {is_missing(roles['time'])} "
        f"THEN CAST({quoted(roles['time'])} AS VARCHAR) END AS unread",
    ]
    if by_id:
        fields.append(f"{plain_text(roles['id'])} AS row_id")
    selected = ", ".join(fields)
    if not in_place:
        return copy_rows(table.engine, table.source, typed, selected)
    try:
        table.engine.execute(f"CREATE OR REPLACE VIEW {quoted(typed)} AS SELECT {selected} FROM {table.source.table()}")
        table.engine.rows(f"SELECT count(event), count(t) FROM {quoted(typed)}")
    except EngineError as error:
        raise unreadable_source(table.source.label, error) from error
    return 0, ()


def _drop_duplicates(engine: DuckDBEngine, typed: str, rows: int, rule: str) -> int:
    name = quoted(typed)
    if rule == "id":
        repeated = int(engine.rows(f"SELECT count(row_id) - count(DISTINCT row_id) FROM {name}")[0][0])
        # One row per id: the earliest usable one, ties broken by everything else, so that row order is irrelevant.
        order = f"({USABLE}) DESC, t, account_id, event, user_id NULLS LAST, unread"
        kept = (
            f"SELECT * FROM {name} WHERE row_id IS NULL UNION ALL (SELECT * FROM {name} WHERE row_id IS NOT NULL "
            f"QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY {order}) = 1)"
        )
        kept = f"SELECT * EXCLUDE (row_id) FROM ({kept if repeated else f'SELECT * FROM {name}'})"
    elif rule == "exact":
        usable = f"SELECT DISTINCT * FROM {name} WHERE {USABLE}"
        kept = f"({usable}) UNION ALL (SELECT * FROM {name} WHERE NOT ({USABLE}))"
    else:
        return 0
    engine.execute(f"CREATE OR REPLACE TABLE {name} AS {kept}")
    return rows - int(engine.rows(f"SELECT count(*) FROM {name}")[0][0])


def _counts(engine: DuckDBEngine, name: str, typed: str, dates: bool, timezone: str) -> EventLog:
    local = "t" if timezone == "UTC" or dates else f"epoch_us(timezone({literal(timezone)}, make_timestamptz(t)))"
    blank, rows, account, event, unread, time, usable, start, end, off_midnight, users = engine.rows(
        f"SELECT count_if({_BLANK}), count(*), count(*) - count(account_id), count(*) - count(event), count(unread), "
        f"count(*) - count(t) - count(unread), count_if(ok), "
        f"min(CASE WHEN ok THEN t END), max(CASE WHEN ok THEN t END), "
        f"count_if(ok AND {local} % {Day} <> 0), count(user_id) FROM (SELECT *, {USABLE} AS ok FROM {quoted(typed)})"
    )[0]
    return EventLog(
        typed=typed,
        usable=name,
        rows_read=rows - blank,
        rows=rows - blank,
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
    )
