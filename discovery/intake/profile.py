"""A first look at what was read: every event counted, and the first rows asked for what else they could say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, cast

import pyarrow as pa

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import EngineError, InputError, SourceError
from discovery.intake.addresses import is_in_place
from discovery.intake.columns import Table
from discovery.intake.databases import Part
from discovery.intake.lexicon import ACCOUNT_ROLES, EVENT_ROLES, by_preference, why_left_out
from discovery.intake.loading import opened, paths_among
from discovery.intake.looking import Seen, event_sample
from discovery.intake.reaching import pointer
from discovery.intake.relations import UNKNOWN_TIME, Relations
from discovery.intake.sql import id_text, is_text, literal
from discovery.results import RecognisedColumn
from discovery.spec import StudySpec

MOST_PROPERTIES = 60
"""Properties that are looked at, those that most rows have first."""
Holds = Literal["text", "number", "yes or no", "lists or records"]
_EXAMPLES = 5
_SHOWN = 200  # signs of an example
_ZONED = 0.5
_NO_ZONE = "the times of the events name no time zone"
_ZONE = r":[0-9]{2}([.][0-9]+)?\s*([+-][0-9]|[A-Za-z])"
_SECOND = 1_000_000
_ELSEWHERE = {
    "there": "The events stay in a database, and a first look needs their rows. Give a sample of them as a file, and "
    "name the database in events.from of the discover.toml that is written.",
    "aggregates": "Only aggregates of the events were given, and a first look needs their rows. Give a sample of them.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """One event of the accounts that are studied; times in microseconds since 1970 UTC.

    `users` counts a person once in every account; `users_per_account` is their mean among accounts where any is named,
    `shared` the share of its accounts in which at least two users did it. All three are None where no user is named.
    """

    event: str
    rows: int
    accounts: int
    rows_per_account: float
    users: int | None
    users_per_account: float | None
    shared: float | None
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCount:
    """How many users the log names, a person once in every account; None where it names none.

    `shared` is the share of accounts with at least two, `named` that of the rows that name one.
    """

    users: int | None
    shared: float
    named: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountColumn:
    """A column of the events that may hold the account: how many there are, and the share that are in the accounts."""

    column: str
    different: int
    known: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyLook:
    """What a property holds among the first rows; `examples` are its most frequent values.

    Of the accounts with two or more of these rows, `several`, `same` counts those with one value on all of them, and
    `commonest` those with the one value that most of them have. All three are 0 where no column names the account.
    """

    name: str
    holds: Holds
    filled: float
    distinct: int
    examples: tuple[str, ...]
    several: int = 0
    same: int = 0
    commonest: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRows:
    """What the first rows of the events say beyond what is read from them.

    `zoneless` says why the zone of the times has to be asked for; empty where it has not.
    """

    format_reason: str = "a plain table"
    zoneless: str = ""
    account_columns: tuple[AccountColumn, ...] = ()
    properties: tuple[PropertyLook, ...] = ()


def count_events(relations: Relations) -> tuple[EventCount, ...]:
    """Count the rows, accounts and users of every event of the accounts that are studied, most rows first."""
    cells = (
        "SELECT event, account_id, user_id, count(*) AS n, min(t) AS a, max(t) AS z "
        f"FROM {_of_known_accounts(relations)} GROUP BY event, account_id, user_id"
    )
    of_accounts = (
        "SELECT event, account_id, sum(n) AS n, count(user_id) AS u, min(a) AS a, max(z) AS z "
        f"FROM ({cells}) GROUP BY event, account_id"
    )
    found = relations.engine.rows(
        "SELECT event, CAST(sum(n) AS BIGINT), count(*), CAST(median(n) AS DOUBLE), CAST(sum(u) AS BIGINT), "
        "avg(CASE WHEN u > 0 THEN u END), avg(CASE WHEN u > 0 THEN CASE WHEN u > 1 THEN 1.0 ELSE 0.0 END END), "
        f"min(a), max(z) FROM ({of_accounts}) GROUP BY event ORDER BY 2 DESC, event"
    )
    return tuple(_counted(row) for row in found)


def count_users(relations: Relations) -> UserCount:
    """Count the users of the accounts that are studied."""
    table = _of_known_accounts(relations)
    users, shared = relations.engine.rows(
        "SELECT CAST(sum(u) AS BIGINT), avg(CASE WHEN u > 1 THEN 1.0 ELSE 0.0 END) FROM (SELECT count(DISTINCT user_id)"
        f" AS u FROM {table} GROUP BY account_id)"
    )[0]
    if not users or not relations.has_users:
        return UserCount(users=None, shared=0.0, named=0.0)
    named = relations.engine.rows(f"SELECT count(user_id) / count(*) FROM {table}")[0][0]
    return UserCount(users=int(str(users)), shared=float(str(shared)), named=float(str(named)))


def together(relations: Relations, event: str, other: str) -> float:
    """Return the share of the rows of `other` that have a row of `event` in the same account and second."""
    table = quoted(str(relations.events_table))
    moments = f"SELECT account_id, t // {_SECOND} AS s FROM {table} WHERE event = "
    found = relations.engine.rows(
        f"SELECT (SELECT count(*) FROM ({moments}{literal(other)}) SEMI JOIN ({moments}{literal(event)}) "
        f"USING (account_id, s)) / count(*) FROM {table} WHERE event = {literal(other)}"
    )
    return float(str(found[0][0] or 0.0))


def seat_columns(relations: Relations) -> tuple[str, ...]:
    """Return the columns of the accounts that are named like a number of seats and not used as such."""
    free = tuple(c.column for c in relations.recognised if c.role == "segment" and c.column is not None)
    return tuple(by_preference(free, ACCOUNT_ROLES["seats"]))


def may_be_trait(column: RecognisedColumn) -> bool:
    """Say whether a column that was left out as a segment would do as one if it holds the value at signup."""
    return (
        column.role == "segment"
        and column.source == "left out"
        and column.column is not None
        and why_left_out(column.column).startswith("may be")
    )


def refuse_in_place(events: object, asked: StudySpec) -> None:
    """Refuse events that stay in a database, before anything is asked about them.

    Raises
    ------
    SourceError
        If the events, as given or as the spec names them, are at the address of one.
    """
    if is_in_place(asked.events.source if events is None else events):
        raise SourceError(_ELSEWHERE["there"])


def look_at_first_rows(relations: Relations, events: object, asked: StudySpec) -> FirstRows:
    """Look at the first rows of the events again, for what the typed relation no longer holds.

    Parameters
    ----------
    relations
        What was read from the same events.
    events
        As given to `discovery.intake.load`.
    asked
        The spec as given, before anything was recognised.

    Returns
    -------
    FirstRows
        Empty where the events can be read once only.

    Raises
    ------
    SourceError
        If the events stay in a database of another engine, or only aggregates of them were given.
    """
    if relations.where != "here":
        raise SourceError(_ELSEWHERE[relations.where])
    if isinstance(events, pa.RecordBatchReader):
        return FirstRows()
    engine = cast(DuckDBEngine, relations.engine)
    given, rows = f"{relations.events_table}_again", f"{relations.events_table}_first"
    with suppress(InputError):
        who = relations.spec.identity
        apart = paths_among(relations.spec.accounts.source, who.source, who.persons)
        source = opened(engine, events, asked.events.source, "events", given, Part.named_in(asked.events), apart)
        seen = event_sample(engine, source, asked, rows, derived=relations.accounts_derived)
        return FirstRows(
            format_reason=seen.layout.reason,
            zoneless=_zoneless(seen, relations.spec.events.time),
            account_columns=_account_columns(relations, seen.log),
            properties=_properties(seen, relations.spec),
        )
    return FirstRows()


def _of_known_accounts(relations: Relations) -> str:
    known = f"SELECT account_id FROM {quoted(str(relations.accounts_table))}"
    return f"(SELECT * FROM {quoted(str(relations.events_table))} SEMI JOIN ({known}) USING (account_id))"


def _counted(row: Sequence[object]) -> EventCount:
    event, rows, accounts, median, users, mean, shared, first, last = row
    named = mean is not None
    return EventCount(
        event=str(event),
        rows=int(str(rows)),
        accounts=int(str(accounts)),
        rows_per_account=float(str(median)),
        users=int(str(users)) if named else None,
        users_per_account=float(str(mean)) if named else None,
        shared=float(str(shared)) if named else None,
        first=int(str(first)),
        last=int(str(last)),
    )


def _zoneless(seen: Seen, time: str) -> str:
    """Say why the zone of the times has to be asked for; empty where they name it, or the tool is known to use UTC."""
    table, tool = seen.log, seen.layout.format
    if time not in table.source.columns or tool not in ("table", "mixpanel"):
        return ""
    clock = table.clock(time)
    if tool == "mixpanel":
        return (
            "Mixpanel counts the seconds of the clock in the project's time zone" if clock.writing == "number" else ""
        )
    if clock.writing == "naive":
        return _NO_ZONE
    if clock.writing != "text":
        return ""
    zoned, filled = table.engine.rows(
        f"SELECT count_if(regexp_matches(trim({quoted(time)}), {literal(_ZONE)})), count({quoted(time)}) "
        f"FROM {quoted(table.rows)}"
    )[0]
    return _NO_ZONE if filled and zoned < _ZONED * filled else ""


def _account_columns(relations: Relations, table: Table) -> tuple[AccountColumn, ...]:
    """Return the columns named like an account, and the one in use, with what speaks for each."""
    used, ids, accounts = relations.spec.events.account, f"{relations.accounts_table}_ids", relations.accounts
    begun = accounts.account_id[accounts.signup != UNKNOWN_TIME]
    table.engine.register(ids, pa.table({"account_id": pa.array(begun, type=pa.string())}))
    known = f"SELECT account_id FROM {quoted(ids)}"
    found = []
    for column in dict.fromkeys([used, *by_preference(table.names, EVENT_ROLES["account"])]):
        if column not in table.source.columns or (column != used and column in _roles(relations.spec)):
            continue
        different, share = table.engine.rows(
            f"SELECT count(DISTINCT k), coalesce(avg(CASE WHEN k IN ({known}) THEN 1.0 ELSE 0.0 END), 0.0) FROM "
            f"(SELECT {id_text(column, table.kind(column))} AS k FROM {quoted(table.rows)}) WHERE k IS NOT NULL"
        )[0]
        if column == used or (different > 1 and (share > 0 or relations.accounts_derived)):
            found.append(AccountColumn(column=column, different=int(different), known=float(share)))
    table.engine.execute(f"DROP TABLE {quoted(ids)}")
    return tuple(found)


def _roles(spec: StudySpec) -> set[str]:
    events = spec.events
    return {events.account, events.user, events.event, events.time, events.id, events.creator} - {""}


def _properties(seen: Seen, spec: StudySpec) -> tuple[PropertyLook, ...]:
    table = seen.log
    taken = {*_roles(spec), *(role.column for role in seen.layout.roles.values()), *seen.under}
    own = seen.layout.format == "table" or not seen.under  # else a tool's columns are about the tool
    values = {c: f"NULLIF(CAST({quoted(c)} AS VARCHAR), '')" for c in table.names if own and c not in taken}
    for column in seen.under:
        values |= {key: value for key, value in _members(table, column).items() if key not in values}
    key = spec.events.account if spec.events.account in table.source.columns else ""
    looks = [look for name, value in values.items() if (look := _property(table, name, value, key)) is not None]
    return tuple(sorted(looks, key=lambda look: (-look.filled, look.name))[:MOST_PROPERTIES])


def _members(table: Table, column: str) -> dict[str, str]:
    """Return the keys of a nested column, those that most of the first rows have, with an expression of each value."""
    if column not in table.source.columns:
        return {}
    record = quoted(column)
    record = (
        f"CASE WHEN json_valid({record}) THEN {record} END" if is_text(table.kind(column)) else f"to_json({record})"
    )
    with suppress(EngineError):
        found = table.engine.rows(
            f"SELECT k, count(*) AS n FROM (SELECT unnest(json_keys({record})) AS k FROM {quoted(table.rows)}) "
            f"WHERE k <> '' GROUP BY k ORDER BY n DESC, k LIMIT {2 * MOST_PROPERTIES}"
        )
        return {
            str(key): f"NULLIF(json_extract_string({record}, {literal(pointer([str(key)]))}), '')" for key, _ in found
        }
    return {}


def _property(table: Table, name: str, value: str, key: str) -> PropertyLook | None:
    """Look at one property; None where no row has it. `key` is the column of the account, empty where none is."""
    try:
        rows, filled, distinct, numbers, answers, nested = table.engine.rows(
            "SELECT count(*), count(v), count(DISTINCT v), count_if(isfinite(TRY_CAST(v AS DOUBLE))), "
            "count_if(lower(v) IN ('true', 'false')), count_if(v[1] IN ('{', '[')) "
            f"FROM (SELECT {value} AS v FROM {quoted(table.rows)})"
        )[0]
    except EngineError:
        return None
    if not filled:
        return None
    holds: Holds = "number" if numbers == filled else "yes or no" if answers == filled else "text"
    holds = "lists or records" if nested else holds
    common = table.engine.rows(
        f"SELECT v[:{_SHOWN}] FROM (SELECT {value} AS v FROM {quoted(table.rows)}) WHERE v IS NOT NULL GROUP BY v "
        f"ORDER BY count(*) DESC, v LIMIT {_EXAMPLES}"
    )
    several, same, commonest = _sameness(table, value, key) if key else (0, 0, 0)
    return PropertyLook(
        name=name,
        holds=holds,
        filled=filled / rows,
        distinct=int(distinct),
        examples=tuple(str(row[0]) for row in common),
        several=several,
        same=same,
        commonest=commonest,
    )


def _sameness(table: Table, value: str, key: str) -> tuple[int, int, int]:
    """Count the accounts with several rows of a property, those with one value on all, and those with its commonest."""
    pairs = f"SELECT {id_text(key, table.kind(key))} AS k, {value} AS v FROM {quoted(table.rows)}"
    of_account = (
        f"SELECT CASE WHEN min(v) = max(v) THEN min(v) END AS v FROM ({pairs}) WHERE k IS NOT NULL AND v IS NOT NULL "
        "GROUP BY k HAVING count(*) > 1"
    )
    several, same, commonest = table.engine.rows(
        "SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (v IS NOT NULL), 0), "
        "coalesce(max(n) FILTER (v IS NOT NULL), 0) "
        f"FROM (SELECT v, count(*) AS n FROM ({of_account}) GROUP BY v)"
    )[0]
    return int(several), int(same), int(commonest)
