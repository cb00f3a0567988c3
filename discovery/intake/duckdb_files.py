"""A DuckDB database file: attached to read only, one table or one query of it as a source."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import EngineError, SourceError
from discovery.intake.lexicon import normalised
from discovery.intake.queries import Named, qualified
from discovery.intake.source import Source, unreadable_source
from discovery.intake.sql import literal
from discovery.intake.wording import listed

_USUAL = {
    "events": ("events", "event", "tracks", "event_log", "events_log", "raw_events", "fct_events", "stg_events"),
    "accounts": (
        *("accounts", "account", "customers", "companies", "organizations", "organisations", "workspaces"),
        *("tenants", "teams", "groups", "dim_accounts", "stg_accounts"),
    ),
    "users": ("users", "user", "members", "memberships", "account_users", "identities", "identity"),
    "persons": ("persons", "person_distinct_ids", "person_distinct_id", "distinct_ids", "aliases", "identities"),
}
"""Names of tables by what they hold, the most usual first."""

_MAGIC, _MAGIC_AT = b"DUCK", 8
_TROUBLE = (
    ("set lock on file", "is open in another program that writes to it. Close that, or give a copy of the file"),
    ("already attached", "is open in this program already. Close that connection, or hand over its relations instead"),
    ("encrypt", "is encrypted. Copy the tables into a database without a key, or export them as Parquet"),
    ("version", "was written by another version of DuckDB. Install that version, or export the tables as Parquet"),
    ("not a valid duckdb", "is no DuckDB database. Check what it is"),
    ("permission", "may not be read. Check its permissions"),
)
"""What DuckDB says when it cannot attach a file, and what to do then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseTable(Source):
    """A table or view of an attached database, or the answer of a query over them."""

    engine: DuckDBEngine
    expression: str
    name: str = ""
    sql: str = ""

    def base(self, strict: bool, rejects: str) -> str:
        """Return the table expression."""
        return self.expression

    @property
    def located(self) -> dict[str, str]:
        """What a spec says to read the same again."""
        return {"from": self.path, "table": self.name, "sql": self.sql}

    @property
    def in_place(self) -> bool:
        """Whether reading again is cheap: a table is, a query may not be."""
        return not self.sql

    def digest(self) -> str:
        """Return the SHA-256 of the names and types of columns and of all rows, in whatever order they are stored."""
        rows, total = (
            self.engine.table(
                f"SELECT count(*) AS rows, CAST(sum(CAST(hash(held) AS HUGEINT)) AS VARCHAR) AS total "
                f"FROM {self.expression} AS held"
            )
            .to_pylist()[0]
            .values()
        )
        own = {name: kind for name, kind in self.columns.items() if name not in self.derived}
        return hashlib.sha256(repr((sorted(own.items()), rows, total)).encode()).hexdigest()

    def known_rows(self, engine: DuckDBEngine) -> int | None:
        """Return the number of rows of a table; None for a query."""
        return None if self.sql else int(engine.rows(f"SELECT count(*) FROM {self.expression}")[0][0])


def open_duckdb(engine: DuckDBEngine, location: str, table: str, sql: str, role: str) -> Source:
    """Attach a database file and return a table of it, or the answer of a query, as a source.

    Raises
    ------
    SourceError
        If the file cannot be attached, if there is no such table, if it is not clear which one is meant, or if the
        query is no single SELECT over the tables of this file.
    """
    path = _file(location, role)
    catalog = _attached(engine, path, role)
    there = _tables(engine, catalog)
    if sql:
        expression = f"({qualified(sql, catalog, path.stem, there, f'{role}.sql')})"
        name = ""
    else:
        chosen = _chosen(table, there, path, role)
        expression, name = ".".join(map(quoted, (catalog, *chosen))), _written(chosen)
    label = f"the answer of {role}.sql" if sql else f"the table {name} of {path.name}"
    try:
        described = engine.rows(f"DESCRIBE SELECT * FROM {expression}")
    except EngineError as error:
        if not sql:
            raise unreadable_source(label, error) from error
        raise SourceError(f"{_capital(label)} cannot be had: {error} Mend the query.") from error
    return DatabaseTable(
        label=label,
        path=f"duckdb://{path}",
        columns={str(row[0]): str(row[1]) for row in described},
        engine=engine,
        expression=expression,
        name=name,
        sql=sql,
    )


def _file(location: str, role: str) -> Path:
    path = Path(os.path.abspath(os.path.expanduser(location)))
    if not location or path.is_dir() or not path.exists():
        what = "a folder" if location and path.is_dir() else "no database"
        raise SourceError(
            f"There is {what} at {path if location else 'duckdb://'} (the {role}). Give the path of a file, as in "
            "duckdb://crm.duckdb, or in duckdb:///srv/crm.duckdb from the root."
        )
    with path.open("rb") as file:
        start = file.read(_MAGIC_AT + len(_MAGIC))
    if start[_MAGIC_AT:] != _MAGIC:
        raise SourceError(f"{path.name} (the {role}) is no DuckDB database. Check what it is.")
    return path


def _attached(engine: DuckDBEngine, path: Path, role: str) -> str:
    """Return the name under which the file is attached: that of the file, which its own views may use."""
    attached = {
        str(name): str(file) for name, file in engine.rows("SELECT database_name, path FROM duckdb_databases()")
    }
    known = next((name for name, file in attached.items() if file == str(path)), None)
    if known is not None:
        return known
    taken = {name.lower() for name in attached}
    name, number = path.stem, 1
    while name.lower() in taken:
        name, number = f"{path.stem}_{number}", number + 1
    try:
        engine.execute(f"ATTACH {literal(str(path))} AS {quoted(name)} (READ_ONLY)")
    except EngineError as error:
        said = str(error).lower()
        trouble = next((words for sign, words in _TROUBLE if sign in said), None)
        if trouble is None:
            raise unreadable_source(f"{path.name} (the {role})", error) from error
        raise SourceError(f"The database {path.name} (the {role}) {trouble}.") from error
    return name


def _tables(engine: DuckDBEngine, catalog: str) -> tuple[Named, ...]:
    """Return the schema and name of every table and view of a database."""
    found = engine.rows(
        f"SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = {literal(catalog)} "
        f"UNION ALL SELECT schema_name, view_name FROM duckdb_views() "
        f"WHERE database_name = {literal(catalog)} AND NOT internal ORDER BY ALL"
    )
    return tuple((str(schema), str(name)) for schema, name in found)


def _chosen(asked: str, there: Sequence[Named], path: Path, role: str) -> Named:
    if not there:
        raise SourceError(f"The database {path.name} (the {role}) holds no tables. Check the path.")
    if asked:
        return _asked(asked, there, path, role)
    if len(there) == 1:
        return there[0]
    usual = _USUAL.get(role, ())
    ranked = sorted((usual.index(normalised(n)), (s, n)) for s, n in there if normalised(n) in usual)
    best = [named for rank, named in ranked if rank == ranked[0][0]]
    if len(best) == 1:
        return best[0]
    raise SourceError(
        f"The database {path.name} holds {len(there)} tables ({listed([_written(named) for named in there], 20)}); "
        f"which are the {role}? Name one: {_setting(role)}=TABLE."
    )


def _asked(asked: str, there: Sequence[Named], path: Path, role: str) -> Named:
    wanted = asked.replace('"', "").lower()
    hits = [named for named in there if wanted in _spellings(named, path.stem)]
    hits = [named for named in hits if named[0] == "main"] or hits
    if len(hits) == 1:
        return hits[0]
    written = [_written(named) for named in there]
    near = difflib.get_close_matches(asked, written, n=1, cutoff=0.5)
    near = near or [_written(named) for named in there if difflib.get_close_matches(asked, [named[1]], n=1)][:1]
    hint = f" Did you mean {near[0]!r}?" if near and not hits else ""
    problem = "has no table" if not hits else "has several tables"
    raise SourceError(
        f"The database {path.name} {problem} {asked!r} (the {role}).{hint} There are: {listed(written, 20)}. Name one: "
        f"{_setting(role)}=TABLE."
    )


def _spellings(named: Named, stem: str) -> tuple[str, ...]:
    schema, name = (part.replace('"', "").lower() for part in named)
    return name, f"{schema}.{name}", f"{stem.lower()}.{schema}.{name}"


def _written(named: Named) -> str:
    """Return a table's name as a spec names it."""
    return named[1] if named[0] == "main" and "." not in named[1] else ".".join(named)


def _setting(role: str) -> str:
    return f"--set {role if role in ('events', 'accounts') else 'identity'}.table"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
