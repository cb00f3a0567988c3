"""ClickHouse, embedded: chdb runs the real engine in this process, over a folder of its tables or in memory."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pyarrow as pa
from sqlglot import exp

from discovery.engines.answers import first_line, interruptible, plain_batches, tuples
from discovery.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ClickHouseEngine:
    """Run SQL in an embedded ClickHouse.

    A process can open one folder at a time. Settings, the time zone among them, are left as they are.

    Parameters
    ----------
    path
        The folder that holds its tables, made if it is not there; None keeps tables in memory.
    session
        A `chdb.session.Session` to use instead; it is not closed.

    Raises
    ------
    EngineError
        If chdb is not installed, or cannot open the folder.
    """

    dialect = "clickhouse"

    def __init__(self, path: str | None = None, session: Any = None) -> None:
        self._make = _sessions()
        self._path = ":memory:" if path is None else os.path.abspath(path)
        if "?" in self._path:
            raise EngineError("ClickHouse cannot open a folder with a question mark in its name. Rename it.")
        self._is_ours = session is None
        self._session = session or self._answer(lambda: self._make(self._path), "", "ClickHouse could not be started")

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run a query and yield its rows as Arrow record batches, never all at once.

        Raises
        ------
        EngineError
            If ClickHouse refuses or fails the query, also midway.
        """
        marked, mark = _marked(sql)
        with closing(self._answer(lambda: self._session.send_query(marked, "Arrow"), mark)) as chunks:
            found = iter(lambda: self._answer(lambda: _next(chunks), mark), None)
            yield from plain_batches(batch for chunk in found for batch in chunk)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query whose answer is small, or a statement without one, and return its rows.

        Raises
        ------
        EngineError
            If ClickHouse refuses or fails the query.
        """
        marked, mark = _marked(sql)
        answer = self._answer(lambda: _read(self._session.query(marked, "Arrow").bytes()), mark)
        return tuples(plain_batches(answer))

    def columns(self, relation: str) -> dict[str, str]:
        """Return the columns of a table, a view or a SELECT in parentheses, with their types.

        Raises
        ------
        EngineError
            If there is no such relation.
        """
        return {str(row[0]): str(row[1]) for row in self.rows(f"DESCRIBE TABLE (SELECT * FROM {relation})")}

    def bring(self, name: str, table: pa.Table) -> exp.Table:
        """Copy a small table into a temporary one called `name`, and return what queries read it as.

        Raises
        ------
        EngineError
            If ClickHouse cannot read it.
        """
        found = exp.Table(this=exp.to_identifier(name, quoted=True))
        with tempfile.TemporaryDirectory(prefix="discovery-") as folder:
            path = os.path.join(folder, "brought.arrow")
            with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as written:
                written.write_table(table)
            source = exp.Literal.string(path).sql(dialect=self.dialect)
            self.rows(
                f"CREATE OR REPLACE TEMPORARY TABLE {found.sql(dialect=self.dialect)} ENGINE = Memory "
                f"AS SELECT * FROM file({source}, 'Arrow')"
            )
        return found

    def close(self) -> None:
        """Close a session of our own; closing twice does nothing."""
        if self._is_ours:
            self._session.close()

    def _answer(self, ask: Callable[[], T], mark: str, failed: str = "ClickHouse could not answer") -> T:
        try:
            return interruptible(ask, lambda: self._cancel(mark))
        except KeyboardInterrupt:
            # The next answer after a query that was killed begins with what is left of the killed one.
            with suppress(RuntimeError):
                self._session.query("SELECT 1", "Arrow")
            raise
        except AttributeError as error:
            raise EngineError(f"{failed}: it is closed.") from error
        except (RuntimeError, pa.ArrowException, OSError) as error:
            raise EngineError(f"{failed}: {_said(error)}.") from error

    def _cancel(self, mark: str) -> None:
        """End a query from another session: its own is busy with it."""
        if not mark:
            return
        with suppress(RuntimeError), closing(self._make(self._path)) as other:
            other.query(f"KILL QUERY WHERE endsWith(query, '{mark}') ASYNC")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ClickHouseEngine(path={self._path!r})"


def _sessions() -> Any:
    try:
        from chdb.session import Session
    except ImportError as error:
        raise EngineError(
            'ClickHouse needs chdb, which is not installed: pip install "milestone-discovery[clickhouse]".'
        ) from error
    return Session


def _marked(sql: str) -> tuple[str, str]:
    """Return a query with a mark by which it can be found among those that run, and the mark."""
    mark = f"/* {uuid.uuid4().hex} */"
    return f"{sql}\n{mark}", mark


def _next(chunks: Any) -> list[pa.RecordBatch] | None:
    chunk = chunks.fetch()
    return None if chunk is None else _read(chunk.bytes())


def _read(answer: bytes) -> list[pa.RecordBatch]:
    return pa.ipc.open_file(answer).read_all().to_batches() if answer else []


def _said(error: BaseException) -> str:
    return first_line(str(error).rpartition("DB::Exception: ")[2] or error)
