"""DuckDB, the default engine: in process, bounded memory, nothing to set up."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeAlias

import duckdb
import pyarrow as pa
from sqlglot import exp

from discovery.engines.answers import first_line, interruptible
from discovery.engines.ceiling import limit_at_rest
from discovery.engines.expressions import identifier, quoted
from discovery.errors import EngineError

Done: TypeAlias = Callable[[float], object]
"""What is told the share of a statement that is done, 0 to 1."""
DATABASE = "study.duckdb"
"""The file in an engine's folder that holds its tables."""
_BATCH_ROWS = 131_072
_SHARE_OF_MEMORY = 70  # in percent; older releases take no percentage themselves
_PROGRESS_UNPRINTED = (  # printed, it would go to standard output, among the JSON
    "SET enable_progress_bar_print = false",
    "SET enable_progress_bar = true",  # without it no progress is known
)
_UNSYNCED = "SET fsync_mode = 'NONE'"  # what is removed on close need not outlive a power cut
_UNKNOWN_MEMORY = 4 << 30
_LEAST_HELD = "20MB"


class DuckDBEngine:
    """Run SQL in a DuckDB database of its own, with a memory limit and a private folder for what does not fit.

    Tables lie in a file in that folder, compressed, and only what is being read is in memory. Batches are read on
    cursors of their own, so that other queries may run before the last is read. Everything is UTC; nothing is
    downloaded.

    Parameters
    ----------
    memory_limit
        What DuckDB may hold in memory before it spills to disk, such as "2GB"; None is 70 % of the
        machine's memory.
    threads
        Number of threads; None is one per core.
    folder
        An empty folder for the tables, which outlives the engine; None is one that is removed on close.

    Raises
    ------
    EngineError
        If the limit is not understood.
    """

    dialect = "duckdb"

    def __init__(self, memory_limit: str | None = None, threads: int | None = None, folder: str | None = None) -> None:
        spill = tempfile.mkdtemp(prefix="discovery-")
        self._folder = spill
        self._release = weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
        try:
            database = os.path.join(folder or spill, DATABASE)
            config = _config(spill, memory_limit, threads)
            self._limit = config["memory_limit"]
            self._connection = duckdb.connect(database, config=config)
            self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
            _keep_progress(self._connection)
            if folder is None:
                with suppress(duckdb.CatalogException):  # older releases always wait for the disk
                    self._connection.execute(_UNSYNCED)
        except duckdb.Error as error:
            self._release()
            raise EngineError(f"DuckDB could not be started: {first_line(error)}.") from error

    @property
    def temp_directory(self) -> str:
        """The private folder that large queries spill to; it is removed on close."""
        return self._folder

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run a query and yield its rows as Arrow record batches, never all at once.

        Raises
        ------
        EngineError
            If DuckDB refuses or fails the query, also midway.
        """
        cursor = self._cursor()
        try:
            reader = _answer(lambda: _reader(cursor.sql(sql)))
            while True:
                batch = _answer(lambda: next(reader, None))
                if batch is None:
                    return
                yield batch
        finally:
            cursor.close()

    def streamed(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run a query whose answer is long, and cheap to ask for again, and yield its rows as `batches` does."""
        return DuckDBEngine.batches(self, sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query whose answer is small and return its rows.

        Raises
        ------
        EngineError
            If DuckDB refuses or fails the query.
        """
        found: list[tuple[Any, ...]] = _answer(lambda: self._connection.execute(sql).fetchall())
        return found

    def table(self, sql: str) -> pa.Table:
        """Run a query and return its whole answer as one Arrow table."""
        cursor = self._cursor()
        try:
            return _answer(lambda: _reader(cursor.sql(sql)).read_all())
        finally:
            cursor.close()

    def columns(self, relation: str) -> dict[str, str]:
        """Return the columns of a table, a view or a SELECT in parentheses, with their types.

        Raises
        ------
        EngineError
            If there is no such relation.
        """
        return {str(row[0]): str(row[1]) for row in self.rows(f"DESCRIBE SELECT * FROM {relation}")}

    def bring(self, name: str, table: pa.Table) -> exp.Table:
        """Copy a small table into one called `name`, and return what queries read it as."""
        self.register(name, table)
        return exp.Table(this=identifier(name))

    def execute(self, sql: str, done: Done | None = None) -> None:
        """Run a statement that has no answer.

        Parameters
        ----------
        sql
            The statement.
        done
            Called a few times a second, in this thread, with the share that is done, where DuckDB knows it. That is
            true of one pass over a source, from DuckDB 2.0 on; of a join it counts in what it would do with rows that
            did not fit.

        Raises
        ------
        EngineError
            If DuckDB refuses or fails it.
        """
        if done is None:
            _answer(lambda: self._connection.execute(sql))
            return
        connection, said = self._connection, [0.0]

        def look() -> None:
            share = min(connection.query_progress() / 100, 1.0)
            if share > said[-1]:
                said.append(share)
                done(share)

        _answer(lambda: interruptible(lambda: connection.execute(sql), connection.interrupt, look))

    def register(self, name: str, relation: object) -> None:
        """Copy an Arrow table, record batch reader or data frame into a table called `name`, streaming.

        Raises
        ------
        EngineError
            If DuckDB cannot read it.
        """
        cursor = self._cursor()
        try:
            _answer(lambda: cursor.register("discovery_incoming", relation))
            made = f"CREATE OR REPLACE TABLE {quoted(name)} AS SELECT * FROM discovery_incoming"
            _answer(lambda: cursor.execute(made))
        finally:
            cursor.close()

    def give_back(self) -> None:
        """Give back to the system what is held of tables that lie on disk, and memory that is not in use.

        DuckDB does so when its limit is lowered, as far as nothing is being read.
        """
        with suppress(duckdb.OutOfMemoryException):  # refused where more than that is in use
            self._connection.execute(f"SET memory_limit = '{_LEAST_HELD}'")
        _answer(lambda: self._connection.execute(f"SET memory_limit = '{self._limit}'"))

    def rest(self) -> None:
        """Hold a quarter of the limit from now on, for the events are counted, and others need the memory."""
        told = str(self.rows("SELECT current_setting('memory_limit')")[0][0])
        self._limit = limit_at_rest(told)
        self.give_back()

    def close(self) -> None:
        """Close the database and remove its temporary folder; closing twice does nothing."""
        self._connection.close()
        self._release()

    def _cursor(self) -> Any:
        cursor = _answer(self._connection.cursor)
        return _keep_progress(cursor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"DuckDBEngine(temp_directory={self._folder!r})"


def _keep_progress(connection: Any) -> Any:
    # In a notebook without ipywidgets the bar can neither be shown nor be set.
    with suppress(duckdb.Error):
        for setting in _PROGRESS_UNPRINTED:
            connection.execute(setting)
    return connection


def _config(folder: str, memory_limit: str | None, threads: int | None) -> dict[str, Any]:
    config: dict[str, Any] = {
        "memory_limit": memory_limit or f"{_SHARE_OF_MEMORY * _memory() // 100}B",
        "temp_directory": folder,
        "preserve_insertion_order": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
    }
    return config if threads is None else config | {"threads": threads}


def _memory() -> int:
    """Return how many bytes of memory this process may use: the machine's, or its container's where that is less."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else _UNKNOWN_MEMORY
    limits = [machine if machine > 0 else _UNKNOWN_MEMORY]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            limits.append(int(file.read()))
    return min(limits)


def _reader(relation: Any) -> pa.RecordBatchReader:
    # DuckDB 2.0 deprecates fetch_arrow_reader, which is the only name that older releases know.
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return read(_BATCH_ROWS)


def _answer(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except duckdb.OutOfMemoryException as error:
        raise EngineError(
            f"DuckDB ran out of memory ({first_line(error)}). Raise memory_limit, or free disk space for spilling."
        ) from error
    except (duckdb.InterruptException, RuntimeError) as error:
        # A signal's exception is lost inside DuckDB; this is what it says then.
        if "interrupted" not in str(error).lower():
            raise EngineError(f"DuckDB could not answer: {first_line(error)}.") from error
        raise KeyboardInterrupt from error
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise EngineError(f"DuckDB could not answer: {first_line(error)}.") from error
