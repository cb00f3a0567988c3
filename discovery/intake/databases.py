"""Databases as sources: one opener for each kind of address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import SourceError
from discovery.intake.addresses import IN_PLACE, is_in_place, scheme_of, without_secrets
from discovery.intake.duckdb_files import open_duckdb
from discovery.intake.source import Source
from discovery.spec import AccountsSpec, EventsSpec, IdentitySpec

FILES = ("http", "https", "s3", "gs", "gcs", "az", "abfss", "hdfs", "ftp")
"""Addresses of files rather than of databases."""

NOT_YET = (
    "snowflake",
    "bigquery",
    "databricks",
    "trino",
    "redshift",
    "mysql",
    "sqlite",
    "md",
    "motherduck",
)
"""Databases that are known and not read."""


class Opener(Protocol):
    """How one kind of database is opened; credentials come from the environment or the driver's own profile."""

    def __call__(self, engine: DuckDBEngine, location: str, table: str, sql: str, role: str) -> Source:
        """Return a table, or the answer of a query, as a source.

        Parameters
        ----------
        engine
            Where its rows are read from or copied to.
        location
            What follows `scheme://`, without secrets.
        table, sql
            The table or the query; both empty where none was named.
        role
            "events", "accounts", "users" or "persons".

        Raises
        ------
        SourceError
            If it cannot be reached or read, or if it is not clear which table is meant.
        """
        ...


OPENERS: dict[str, Opener] = {"duckdb": open_duckdb}
"""The kinds of databases that are read, by the scheme of their addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a database is asked for: a table or a query; neither where it may be chosen by name."""

    table: str = ""
    sql: str = ""

    @classmethod
    def named_in(cls, section: EventsSpec | AccountsSpec | IdentitySpec) -> Part:
        """Return what a section of the spec names."""
        return cls(table=section.table, sql=section.sql)

    def __bool__(self) -> bool:
        return bool(self.table or self.sql)


def open_database(engine: DuckDBEngine, address: str, role: str, part: Part) -> Source:
    """Open a database by its address.

    Raises
    ------
    SourceError
        If its kind is not read, if the address holds a password, or as the opener says.
    """
    scheme = scheme_of(address)
    _, slashes, location = address.strip().partition("://")
    if scheme in FILES:
        raise SourceError(
            f"The {role} are at {without_secrets(address)}; only files are read. Download them, and give the path."
        )
    if scheme in NOT_YET:
        raise SourceError(
            f"The {role} are in a database of the kind {scheme!r}, which is not read directly. Export the table as "
            "Parquet and give its path; or run there what discover export --exposure writes, and give its answer to "
            "discover run --exposure."
        )
    known = ", ".join(f"{name}://" for name in (*OPENERS, *IN_PLACE))
    if is_in_place(address):
        return _copied(engine, address, role, part)
    if not scheme or scheme in IN_PLACE or (scheme in OPENERS and not slashes):
        raise SourceError(
            f"The {role} were given as a connection string ({without_secrets(address)}), or there is no such file. "
            f"Give a path, or a database: {known}. Credentials belong in the environment or the profile of the driver."
        )
    if scheme not in OPENERS:
        raise SourceError(
            f"The {role} have an address of an unknown kind, {scheme}://. Give a path, or a database: {known}."
        )
    if without_secrets(address) != address:
        raise SourceError(
            f"The address of the {role} holds a user name, a password or options ({without_secrets(address)}); a "
            f"{scheme}:// address is a path alone. Give credentials in the environment or the profile of the driver."
        )
    return OPENERS[scheme](engine, location, part.table, part.sql, role)


def _copied(engine: DuckDBEngine, address: str, role: str, part: Part) -> Source:
    """Copy what is small out of a database of another engine."""
    if role == "events":
        raise SourceError(
            f"The events are in a database ({without_secrets(address)}), where discover run, check and validate ask "
            "about them; nothing else reads them there. Give a sample of them as a file instead."
        )
    from discovery.intake.warehouse.copied import open_copied

    return open_copied(engine, address, part, role)
