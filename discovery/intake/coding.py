"""A large log in compact form: numbers in place of the ids of accounts and users, and the ids they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """Tables of `code` and `id` for the accounts and the users of the typed events; empty: these hold the ids.

    Known accounts are numbered from 0 in the order of their ids, as in `Accounts`; those of others are below 0. Users
    are numbered in the order of their ids, so that comparing and sorting mean the same as with the ids.

    Ids meet their numbers by a hash of 64 bits, which all known ones are seen to have of their own. That an unknown
    account has the hash of a known one is the one thing left to chance: less than 1 in 10 million for a million each.
    """

    accounts: str = ""
    users: str = ""

    def __bool__(self) -> bool:
        return bool(self.accounts)

    def known(self, column: str, known: str) -> str:
        """Return the condition that an account of the events is known, `known` being every account with its id."""
        ids = f"SELECT account_id FROM {quoted(known)} WHERE account_id IS NOT NULL"
        return f"{column} >= 0" if self else f"{column} IN ({ids})"

    def with_account_ids(self, relation: str) -> str:
        """Return a relation over the events in which `account_id` is the id itself."""
        if not self:
            return relation
        codes = f"LEFT JOIN {quoted(self.accounts)} c ON e.account_id = c.code"
        return f"(SELECT e.* REPLACE (c.id AS account_id) FROM {relation} e {codes})"

    def drop(self, engine: DuckDBEngine) -> None:
        """Drop the tables."""
        for table in filter(None, (self.accounts, self.users)):
            engine.execute(f"DROP TABLE IF EXISTS {quoted(table)}")


def encode(
    engine: DuckDBEngine, typed: str, *, in_place: bool, usable: str, known: str = "", has_creator: bool = False
) -> Coding:
    """Rewrite the typed events, a view where they are read `in_place`, as a table with numbers for ids.

    Parameters
    ----------
    engine, typed
        Where they are.
    usable
        The condition that a row is an event that can be used.
    known
        SELECT of `account_id` of every known account; without it these are the accounts of usable events.
    has_creator
        Whether events have a creator, which is a user too.
    """
    name, coding = quoted(typed), Coding(accounts=f"{typed}_accounts", users=f"{typed}_users")
    accounts, users, written = quoted(coding.accounts), quoted(coding.users), quoted(f"{typed}_coded")
    _number(engine, accounts, known or f"SELECT account_id FROM {name} WHERE {usable}", "BIGINT")
    creators = f" UNION ALL SELECT creator_id FROM {name}" if has_creator else ""
    _number(engine, users, f"SELECT user_id FROM {name}{creators}", "INTEGER")
    salt = next(number for number in count() if all(_tells_apart(engine, table, number) for table in (accounts, users)))
    tables = {"account_id": accounts, "user_id": users} | ({"creator_id": users} if has_creator else {})
    engine.execute(f"CREATE OR REPLACE TABLE {written} AS {_with_codes(name, tables, salt)}")
    if engine.rows(f"SELECT 1 FROM {written} WHERE account_id < 0 LIMIT 1"):
        engine.execute(
            f"INSERT INTO {accounts} SELECT {_account(_hash('account_id', salt), 'NULL')}, account_id FROM (SELECT "
            f"DISTINCT account_id FROM {name} WHERE account_id IS NOT NULL) e ANTI JOIN {accounts} a "
            "ON e.account_id = a.id"
        )
    engine.execute(f"DROP {'VIEW' if in_place else 'TABLE'} {name}")
    engine.execute(f"ALTER TABLE {written} RENAME TO {name}")
    return coding


def _with_codes(typed: str, tables: Mapping[str, str], salt: int) -> str:
    """Build the typed events with codes for ids; `tables` says of every column where its codes are."""
    hashes, codes, joins = [], [], []
    for column, table in tables.items():
        hashed, code = f"{column}_hash", f"{column}_code.code"
        hashes.append(f"CASE WHEN {column} IS NOT NULL THEN {_hash(column, salt)} END AS {hashed}")
        codes.append(f"{_account(hashed, code) if column == 'account_id' else code} AS {column}")
        coded = f"(SELECT code, {_hash('id', salt)} AS hash FROM {table}) {column}_code"
        joins.append(f"LEFT JOIN {coded} ON {hashed} = {column}_code.hash")
    without = ", ".join(f"{column}_hash" for column in tables)
    return (
        f"SELECT e.* EXCLUDE ({without}) REPLACE ({', '.join(codes)}) "
        f"FROM (SELECT *, {', '.join(hashes)} FROM {typed}) e {' '.join(joins)}"
    )


def _number(engine: DuckDBEngine, table: str, ids: str, kind: str) -> None:
    """Give ids numbers from 0, in their order."""
    engine.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT CAST(row_number() OVER (ORDER BY id) - 1 AS {kind}) AS code, id "
        f"FROM (SELECT DISTINCT id FROM ({ids}) t(id) WHERE id IS NOT NULL)"
    )


def _tells_apart(engine: DuckDBEngine, table: str, salt: int) -> bool:
    """Say whether no two ids have the same hash."""
    return bool(engine.rows(f"SELECT count(*) = count(DISTINCT {_hash('id', salt)}) FROM {table}")[0][0])


def _hash(column: str, salt: int) -> str:
    # As a second argument the salt would part nothing: DuckDB joins the hashes of both.
    return f"hash({column} || '#{salt}')" if salt else f"hash({column})"


def _account(hashed: str, code: str) -> str:
    """Return the code of an account: its number, else one below 0 that its hash alone decides."""
    return f"coalesce({code}, -1 - CAST({hashed} >> 1 AS BIGINT))"
