"""PostgreSQL, through ADBC: the events stay on the server, aggregates leave it as Arrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pyarrow as pa
from sqlglot import exp

from discovery.engines.answers import first_line, interruptible, plain_batches, tuples
from discovery.engines.expressions import quoted
from discovery.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_FOR_AGGREGATES = "SELECT set_config('enable_nestloop', 'off', false), set_config('jit', 'off', false)"
"""Of the events as they are read here the planner takes a handful of rows to remain, and would compare every row with
every account; and planning for that costs so much on paper that every small query would be compiled first."""
MOST_INLINED = 5_000
"""Rows that are written into a query where no temporary table may be made."""
_NO_RIGHT = {"42501": "the right TEMPORARY on the database", "25006": "a connection that may write temporary tables"}
_SAID = re.compile(r"(?:ERROR|FATAL|PANIC):\s+(.*)")
_LOGIN = re.compile(r"postgres(?:ql)?://(?:[\w.~!$&'()*+,;=:%-]*@)?[^@?#]*([?#].*)?", re.IGNORECASE)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TYPES = (
    (pa.types.is_integer, "BIGINT"),
    (pa.types.is_floating, "DOUBLE"),
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_date, "DATE"),
)


class PostgresEngine:
    """Run SQL on a PostgreSQL server over one connection, whose temporary tables every query sees.

    One answer is read at a time: to its end, or until its iterator is closed. Of the session's settings only two are
    changed, which keep its planner to joins that stay linear; its time zone is left as it is.

    Parameters
    ----------
    uri
        Address as libpq reads it, such as `postgresql://host/database`. The password may come from PGPASSWORD,
        ~/.pgpass or a service file instead.

    Raises
    ------
    EngineError
        If the driver is not installed, the address cannot be read, or the server does not let us in.
    """

    dialect = "postgres"

    def __init__(self, uri: str) -> None:
        self._driver = _driver()
        _check(uri)
        self._connection: Any = self._answer(
            lambda: self._driver.connect(uri, autocommit=True), lambda: None, "PostgreSQL could not be reached"
        )
        self._reading = False
        try:
            self.rows(_FOR_AGGREGATES)
        except BaseException:
            self.close()
            raise

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run a query and yield its rows as Arrow record batches, never all at once.

        Raises
        ------
        EngineError
            If PostgreSQL refuses or fails the query, also midway, or another answer is still being read.
        """
        if self._reading:
            raise EngineError("PostgreSQL could not answer: another answer of this connection is still being read.")
        cursor = self._answer(lambda: self._connection.cursor(), lambda: None)
        self._reading = True
        try:
            self._answer(lambda: cursor.execute(sql), cursor.adbc_cancel)
            with closing(cursor.fetch_record_batch()) as reader:
                found = iter(lambda: self._answer(lambda: next(reader, None), cursor.adbc_cancel), None)
                yield from plain_batches(found)
        finally:
            self._reading = False
            with suppress(self._driver.Error):
                cursor.close()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query whose answer is small, or a statement without one, and return its rows.

        Raises
        ------
        EngineError
            If PostgreSQL refuses or fails the query.
        """
        return tuples(self.batches(sql))

    def columns(self, relation: str) -> dict[str, str]:
        """Return the columns of a table, a view or a SELECT in parentheses, with their types.

        Raises
        ------
        EngineError
            If there is no such relation.
        """
        nothing = f"(SELECT * FROM {relation} AS asked LIMIT 0)"
        with closing(self._connection.cursor()) as cursor:
            self._answer(lambda: cursor.execute(f"SELECT * FROM {nothing} AS r"), cursor.adbc_cancel)
            names = [str(each[0]) for each in cursor.description]
        if not names:
            return {}
        types = ", ".join(f"CAST(pg_typeof(r.{quoted(name)}) AS TEXT)" for name in names)
        found = self.rows(f"SELECT {types} FROM (SELECT 1) AS one LEFT JOIN {nothing} AS r ON TRUE")
        return dict(zip(names, map(str, found[0]), strict=True))

    def bring(self, name: str, table: pa.Table) -> exp.Table | exp.Select:
        """Copy a small table into a temporary one, or write its rows into the query where none may be made.

        Raises
        ------
        EngineError
            If it has too many rows for that, or PostgreSQL fails for another reason.
        """
        try:
            with closing(self._connection.cursor()) as cursor:
                self._answer(
                    lambda: cursor.adbc_ingest(name, table, mode="replace", temporary=True), cursor.adbc_cancel
                )
        except EngineError as error:
            right = _NO_RIGHT.get(_state(error.__cause__))
            if right is None:
                raise
            if table.num_rows > MOST_INLINED:
                raise EngineError(
                    f"{table.num_rows:,} rows had to be brought to PostgreSQL, which asks for {right}; without it, at "
                    f"most {MOST_INLINED:,} can be. Ask for GRANT TEMPORARY ON DATABASE, or for a primary server."
                ) from error
            return _inlined(table)
        self.rows(f"ANALYZE {quoted(name)}")
        return exp.Table(this=exp.to_identifier(name, quoted=True))

    def close(self) -> None:
        """Close the connection; closing twice does nothing."""
        with suppress(self._driver.Error):
            self._connection.close()

    def _answer(
        self, ask: Callable[[], T], cancel: Callable[[], object], failed: str = "PostgreSQL could not answer"
    ) -> T:
        def cancelled() -> None:
            with suppress(self._driver.Error):
                cancel()

        try:
            return interruptible(ask, cancelled)
        except (self._driver.Error, pa.ArrowException, OSError) as error:
            raise EngineError(f"{failed}: {_said(error)}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "PostgresEngine()"


def _driver() -> Any:
    try:
        import adbc_driver_postgresql.dbapi
    except ImportError as error:
        raise EngineError(
            'PostgreSQL needs the driver ADBC, which is not installed: pip install "milestone-discovery[postgres]".'
        ) from error
    return adbc_driver_postgresql.dbapi


def _check(uri: str) -> None:
    """Refuse an address that libpq would misread: its message would show pieces of the password."""
    if _LOGIN.fullmatch(uri) is None or _BROKEN_ESCAPE.search(uri):
        raise EngineError(
            "The address of the PostgreSQL server cannot be read. Write it as postgresql://user@host:5432/database, "
            "with every special character of a user or password percent-encoded (@ is %40, % is %25), or leave the "
            "password to PGPASSWORD or ~/.pgpass."
        )


def _said(error: BaseException) -> str:
    """Return what the server said, without what driver and protocol wrap around it."""
    found = _SAID.search(str(error))
    return first_line(found[1] if found else str(error).split("\n\tIs the server")[0].rpartition("[libpq] ")[2])


def _state(error: BaseException | None) -> str:
    """Return the SQLSTATE of an error; of one without, that of a missing right where driver or server says so."""
    said = str(error)
    told = {"42501": said.startswith("UNAUTHORIZED"), "25006": "in a read-only transaction" in said}
    return str(getattr(error, "sqlstate", None) or next((state for state, holds in told.items() if holds), ""))


def _inlined(table: pa.Table) -> exp.Select:
    """Write rows as text that is cast to the types of their columns."""
    names = [exp.to_identifier(f"c{place}", quoted=True) for place in range(table.num_columns)]
    columns = [
        exp.alias_(exp.cast(exp.column(held.copy()), _type(field.type)), field.name, quoted=True)
        for held, field in zip(names, table.schema, strict=True)
    ]
    rows = tuples(table.to_batches()) or [(None,) * table.num_columns]
    values = exp.Values(
        expressions=[exp.Tuple(expressions=[_text(value) for value in row]) for row in rows],
        alias=exp.TableAlias(this=exp.to_identifier("brought", quoted=True), columns=names),
    )
    found = exp.select(*columns).from_(values)
    return found if table.num_rows else found.where(exp.false())


def _text(value: object) -> exp.Expression:
    if value is None:
        return exp.null()
    return exp.Literal.string(str(value).lower() if isinstance(value, bool) else str(value))


def _type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ" if kind.tz else "TIMESTAMP"
    return next((name for holds, name in _TYPES if holds(kind)), "TEXT")
