"""The one interface to whatever holds the events; one file per engine behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from discovery.errors import EngineError

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp


class Engine(Protocol):
    """What the rooms above ask of an engine.

    `dialect` is the SQLGlot name of the engine's SQL. Queries are given as SQL text in that dialect.
    """

    dialect: str

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run a query and yield its rows as Arrow record batches, never all at once.

        Raises
        ------
        EngineError
            If the engine refuses or fails the query.
        """
        ...

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Run a query whose answer is small and return its rows."""
        ...

    def columns(self, relation: str) -> dict[str, str]:
        """Return the columns of a table, a view or a SELECT in parentheses, with their types as the engine names them.

        Raises
        ------
        EngineError
            If there is no such relation.
        """
        ...

    def bring(self, name: str, table: pa.Table) -> exp.Table | exp.Select:
        """Make a small table readable to queries of this engine, and return what they read it as.

        It becomes a temporary table called `name`; where the user may create none, its rows are written into the
        query itself, as far as they fit.

        Raises
        ------
        EngineError
            If neither can be done; the message says what right is missing, and for how many rows.
        """
        ...

    def close(self) -> None:
        """Release the engine's resources, temporary files included."""
        ...


SCHEMES = ("postgresql", "postgres", "spark", "clickhouse")
"""The beginnings of the addresses that `open_engine` knows, of databases in which events stay."""


def open_engine(address: str) -> Engine:
    """Open the engine at an address.

    Parameters
    ----------
    address
        `postgresql://host/database`; `spark` for the active session or a local one, `spark://host:7077` for a
        cluster; `clickhouse://` followed by the whole path of a folder of an embedded ClickHouse, or by nothing for
        one in memory.

    Raises
    ------
    EngineError
        If there is no such engine, what it needs is not installed, it is a ClickHouse server, or it cannot be reached.
        The message has no part of the address but its beginning.
    """
    scheme, _, place = address.strip().partition("://")
    scheme = scheme.lower()
    if scheme in ("postgresql", "postgres"):
        from discovery.engines.postgres import PostgresEngine

        return PostgresEngine(address.strip())
    if scheme == "spark":
        from discovery.engines.spark import SparkEngine

        return SparkEngine(master=f"spark://{place}" if place else None)
    if scheme == "clickhouse":
        from discovery.engines.clickhouse import ClickHouseEngine

        if place and not place.startswith("/"):
            raise EngineError(
                "A ClickHouse server is not read; clickhouse:///FOLDER is the embedded one. For a server, run there "
                "what discover export --exposure --dialect clickhouse writes, and give its answer to discover run "
                "--exposure."
            )
        return ClickHouseEngine(place or None)
    known = ", ".join(sorted(SCHEMES))
    beginning = f"There is no engine {scheme}://" if scheme.isalnum() else "The address names no engine"
    raise EngineError(f"{beginning}; known are {known}. Write it as in postgresql://host/database.")
