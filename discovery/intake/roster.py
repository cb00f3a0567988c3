"""The accounts as arrays and as a relation: one row per account, in the order of their ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import SourceError
from discovery.intake.columns import Table
from discovery.intake.names import matches_any, matching_nothing
from discovery.intake.relations import UNKNOWN_TIME, Accounts
from discovery.intake.sql import TRUE_WORDS, id_text, is_missing, plain_text, word_list
from discovery.spec import Day

TIMES = ("signup", "churned", "converted", "observed_until")
_NO_VARIANT = ("", "null", "nan", "<na>", "\\n", "n/a")
"""What exports write where an account was in no test; the word `none` is not among them: it may be the control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEnd:
    """Accounts whose `observed_until` is only their own churn date or last event, among those compared."""

    what: Literal["churn date", "last event"]
    same: NDArray[np.bool_]
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The accounts, and what was found while reading them.

    `unread` counts, for each time role, the values that are there but could not be read, with examples;
    `unusable_seats` the seats that are no number above zero. `own_end` is set where `observed_until` is no
    end of observation and was left aside. `signup_from` says what signups are: of a "table", a "column" of the events,
    the first "signup event", the "first event", or as the named format tells. `left_out` counts the accounts that
    `accounts.leave_out` excludes, `absent` are its patterns that match none. Where accounts are `numbered`, the
    `account_id` of `table` is the position in `accounts`, as in the events.
    """

    accounts: Accounts
    table: str  # the relation of accounts with a usable signup
    typed: str  # every row of the accounts, typed
    rows: int
    blank: int  # rows with nothing in them, counted nowhere else
    without_id: int
    repeated: int  # account ids that stand in several rows
    conflicting: tuple[str, ...]  # those whose rows disagree about signup or leaving
    examples_repeated: tuple[str, ...]
    unread: Mapping[str, tuple[int, tuple[str, ...]]]
    unusable_seats: tuple[int, tuple[str, ...]]
    churn_dates_only: bool
    observed_dates_only: bool
    own_end: OwnEnd | None = None
    crossed: Mapping[str, tuple[str, ...]]  # by assignment column: accounts whose rows name different variants
    signup_from: str = "table"
    numbered: bool = False
    left_out: int = 0
    absent: tuple[str, ...] = ()

    def keys(self, which: NDArray[np.int64]) -> pa.Array:
        """Return what the events call the accounts at these positions: their ids, or in a large log their numbers."""
        return _keys(self.accounts, which, self.numbered)


def build_accounts(
    table: Table,
    name: str,
    segments: tuple[str, ...],
    assigned: tuple[str, ...],
    *,
    timezone: str,
    date_only: bool,
    leave_out: tuple[str, ...] = (),
    signup_from: str = "table",
    numbered: bool = False,
) -> Roster:
    """Type the accounts, collapse repeated ones, and number them in the order of their ids.

    Their `observed_until` is as written, unknown where the account has none.

    Parameters
    ----------
    table
        The accounts with their columns recognised.
    name
        Name of the relation to create.
    segments
        Names of the segment columns.
    assigned
        Names of the columns with the variants of past tests. An account whose rows name different ones has none.
    timezone
        Zone of times without one.
    date_only
        Event times are dates: signups are floored to their day, and every time is what the calendar shows.
    leave_out
        Ids of accounts to exclude; `*` stands for any text.
    signup_from
        Where signups are from.
    numbered
        The events hold the numbers of accounts in place of their ids.

    Raises
    ------
    SourceError
        If there is no account at all.
    """
    engine, typed = table.engine, f"{name}_typed"
    _type_rows(table, typed, segments, assigned, timezone, date_only)
    if not engine.rows(f"SELECT 1 FROM {quoted(typed)} LIMIT 1"):
        raise SourceError(
            f"No account was found in {table.source.label}. Check that it holds accounts and that its format is the "
            "right one (--set events.format=...), or leave the accounts out: then they are read off the events."
        )
    left_out = _exclude(engine, typed, leave_out)
    nothing = " AND ".join(["account_id IS NULL", *(f"{role} IS NULL" for role in TIMES), "unread_signup IS NULL"])
    blank, without_id, rows = engine.rows(
        f"SELECT count_if({nothing}), count(*) - count(account_id), count(*) FROM {quoted(typed)}"
    )[0]
    repeated = engine.rows(
        f"SELECT account_id, count(DISTINCT coalesce(signup, 0)) > 1 OR count(DISTINCT coalesce(churned, 0)) > 1 "
        f"FROM {quoted(typed)} WHERE account_id IS NOT NULL GROUP BY account_id HAVING count(*) > 1 ORDER BY account_id"
    )
    arrow = engine.table(
        f"SELECT * FROM {quoted(typed)} WHERE account_id IS NOT NULL "
        f"QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY signup NULLS LAST, ALL_THE_REST) = 1 "
        "ORDER BY account_id".replace("ALL_THE_REST", _all_columns(table, segments))
    )
    variants = _variants(engine, typed, len(assigned))
    accounts = _arrays(arrow, segments, dict(zip(assigned, variants, strict=True)), date_only)
    on_utc = timezone == "UTC" or date_only
    _relation(engine, name, accounts, numbered)
    return Roster(
        accounts=accounts,
        table=name,
        typed=typed,
        rows=rows - blank,
        blank=blank,
        without_id=without_id - blank,
        repeated=len(repeated),
        conflicting=tuple(str(key) for key, conflict in repeated if conflict),
        examples_repeated=tuple(str(key) for key, _ in repeated[:5]),
        unread={role: _unread(engine, typed, role) for role in TIMES if role in table.roles},
        unusable_seats=_unread(engine, typed, "seats") if "seats" in table.roles else (0, ()),
        crossed=_crossed(engine, typed, assigned),
        signup_from=signup_from,
        numbered=numbered,
        left_out=left_out,
        absent=tuple(p for p in leave_out if p in matching_nothing(engine, typed, ["account_id"], leave_out)),
        churn_dates_only=_all_midnight(accounts.churned) if on_utc else _is_dates(table, "churned"),
        observed_dates_only=_all_midnight(accounts.observed_until) if on_utc else _is_dates(table, "observed_until"),
    )


def _type_rows(
    table: Table, typed: str, segments: tuple[str, ...], assigned: tuple[str, ...], timezone: str, date_only: bool
) -> None:
    roles = table.roles
    fields = [f"{id_text(roles['account'], table.kind(roles['account']))} AS account_id"]
    for role in TIMES:
        column = roles.get(role)
        micros = table.clock(column).micros(timezone, wall=date_only) if column else "CAST(NULL AS BIGINT)"
        fields.append(f"{micros} AS {role}")
        if column:
            fields.append(
                f"CASE WHEN {micros} IS NULL AND NOT {is_missing(column)} "
                f"THEN CAST({quoted(column)} AS VARCHAR) END AS unread_{role}"
            )
    marks = f"lower(trim(CAST({quoted(roles['exclude'])} AS VARCHAR)))" if "exclude" in roles else ""
    fields.append(f"coalesce({marks} IN {word_list(TRUE_WORDS)}, false) AS excluded" if marks else "false AS excluded")
    fields += _seats(roles["seats"]) if "seats" in roles else ["CAST(NULL AS DOUBLE) AS seats"]
    fields += [f"{plain_text(column)} AS segment_{i}" for i, column in enumerate(segments)]
    fields += [f"{_variant(column, table.kind(column))} AS variant_{i}" for i, column in enumerate(assigned)]
    table.engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(typed)} AS SELECT {', '.join(fields)} FROM {quoted(table.rows)}"
    )


def _exclude(engine: DuckDBEngine, typed: str, leave_out: tuple[str, ...]) -> int:
    """Mark the accounts that are left out by their id as excluded, and return how many there are."""
    if not leave_out:
        return 0
    named = matches_any("account_id", leave_out)
    engine.execute(f"UPDATE {quoted(typed)} SET excluded = true WHERE {named}")
    return int(engine.rows(f"SELECT count(DISTINCT account_id) FROM {quoted(typed)} WHERE {named}")[0][0])


def _variant(column: str, kind: str) -> str:
    text = f"trim({id_text(column, kind)})"
    return f"CASE WHEN lower({text}) NOT IN {word_list(_NO_VARIANT)} THEN {text} END"


def _variants(engine: DuckDBEngine, typed: str, count: int) -> list[NDArray[np.object_]]:
    """Return the variant of every account, in the order of their ids, for each of `count` past tests."""
    fields = [f"CASE WHEN min(variant_{i}) = max(variant_{i}) THEN min(variant_{i}) END AS v{i}" for i in range(count)]
    arrow = engine.table(
        f"SELECT {', '.join(['account_id', *fields])} FROM {quoted(typed)} WHERE account_id IS NOT NULL "
        "GROUP BY account_id ORDER BY account_id"
    )
    return [_objects(arrow.column(f"v{i}")) for i in range(count)]


def _crossed(engine: DuckDBEngine, typed: str, assigned: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found = {}
    for i, column in enumerate(assigned):
        rows = engine.rows(
            f"SELECT account_id FROM {quoted(typed)} WHERE account_id IS NOT NULL "
            f"GROUP BY account_id HAVING count(DISTINCT variant_{i}) > 1 ORDER BY account_id"
        )
        found[column] = tuple(str(key) for (key,) in rows)
    return found


def _seats(column: str) -> list[str]:
    number = f"TRY_CAST({quoted(column)} AS DOUBLE)"
    usable = f"coalesce({number} > 0 AND isfinite({number}), false)"
    return [
        f"CASE WHEN {usable} THEN {number} END AS seats",
        f"CASE WHEN NOT {usable} AND NOT {is_missing(column)} THEN CAST({quoted(column)} AS VARCHAR) END "
        "AS unread_seats",
    ]


def _all_columns(table: Table, segments: tuple[str, ...]) -> str:
    columns = [*TIMES[1:], "excluded", "seats", *(f"segment_{i}" for i in range(len(segments)))]
    return ", ".join(f"{column} NULLS LAST" for column in columns)


def _arrays(
    arrow: pa.Table, segments: tuple[str, ...], assignments: Mapping[str, NDArray[np.object_]], date_only: bool
) -> Accounts:
    times = {role: _times(arrow.column(role)) for role in TIMES}
    signup = times["signup"]
    if date_only:
        signup = np.where(signup == UNKNOWN_TIME, UNKNOWN_TIME, signup // Day * Day)
    return Accounts(
        account_id=_objects(arrow.column("account_id")),
        signup=signup,
        churned=times["churned"],
        converted=times["converted"],
        observed_until=times["observed_until"],
        excluded=arrow.column("excluded").to_numpy().astype(bool),
        seats=arrow.column("seats").to_numpy().astype(np.float64),
        segments={column: _objects(arrow.column(f"segment_{i}")) for i, column in enumerate(segments)},
        assignments=assignments,
    )


def _keys(accounts: Accounts, which: NDArray[np.int64], numbered: bool) -> pa.Array:
    return pa.array(which.astype(np.int64)) if numbered else pa.array(accounts.account_id[which], type=pa.string())


def _relation(engine: DuckDBEngine, name: str, accounts: Accounts, numbered: bool) -> None:
    usable = np.flatnonzero(accounts.signup != UNKNOWN_TIME)
    columns = {
        "account": pa.array(usable.astype(np.int32)),
        "account_id": _keys(accounts, usable, numbered),
        "signup": pa.array(accounts.signup[usable]),
    }
    engine.register(name, pa.table(columns))


def _times(column: Any) -> NDArray[np.int64]:
    filled: NDArray[np.int64] = column.fill_null(UNKNOWN_TIME).to_numpy().astype(np.int64)
    return filled


def _objects(column: Any) -> NDArray[np.object_]:
    coded = column.combine_chunks().dictionary_encode()
    values = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    found: NDArray[np.object_] = values[coded.indices.fill_null(len(values) - 1).to_numpy()]
    return found


def _unread(engine: DuckDBEngine, typed: str, role: str) -> tuple[int, tuple[str, ...]]:
    value = f"unread_{role}"
    count = int(engine.rows(f"SELECT count({value}) FROM {quoted(typed)}")[0][0])
    if not count:
        return 0, ()
    found = engine.rows(
        f"SELECT DISTINCT {value} FROM {quoted(typed)} WHERE {value} IS NOT NULL ORDER BY {value} LIMIT 5"
    )
    return count, tuple(str(text) for (text,) in found)


def _all_midnight(times: NDArray[np.int64]) -> bool:
    known = times[times != UNKNOWN_TIME]
    return bool(len(known)) and bool(np.all(known % Day == 0))


def _is_dates(table: Table, role: str) -> bool:
    return role in table.roles and table.clock(table.roles[role]).writing in ("date", "day number")
