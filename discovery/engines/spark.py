"""Spark, in a session that is there already or in a local one: answers are streamed, whatever their size."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import reduce
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import uuid4

import pyarrow as pa
from sqlglot import exp

from discovery.engines.answers import first_line, interruptible, plain_batches, tuples
from discovery.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_CHUNK = 1_000_000  # rows sent to Spark at a time; a task's share of them must stay below 128 MB
_PACKED = "packed binary"


class SparkEngine:
    """Run SQL in a Spark session.

    A session that was given, or that is active, is used as it is and is never stopped; its settings, the time zone
    among them, are not changed. Without one a local session is made, and stopped on close.

    Parameters
    ----------
    session
        The session to use; None is the active one, if there is any.
    master
        Where to make one otherwise, such as `spark://host:7077`; None is this machine, all its cores.

    Raises
    ------
    EngineError
        If PySpark or Java is not installed, or the session cannot be made.
    """

    dialect = "spark"

    def __init__(self, session: Any = None, master: str | None = None) -> None:
        spark = _pyspark()
        self._failures = (spark.errors.PySparkException, _py4j_error(), pa.ArrowException, OSError)
        active = session or self._told(spark.sql.SparkSession.getActiveSession)
        self._is_ours = active is None
        self._session = active or self._told(lambda: _made(spark, master), "Spark could not be started")
        self._brought: set[str] = set()

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run a query and yield its rows as Arrow record batches, never all at once.

        The workers compute the answer at once and keep it packed on their disks, from where it is fetched part by
        part: the driver holds two parts at most.

        Raises
        ------
        EngineError
            If Spark refuses or fails the query, also midway.
        """
        frame = self._answer(lambda: self._session.sql(_literal(sql)))
        if frame.columns:
            yield from plain_batches(self._parts(frame))

    def _parts(self, frame: Any) -> Iterator[pa.RecordBatch]:
        packed = self._answer(lambda: frame.mapInArrow(_packing(), _PACKED).persist(_pyspark().StorageLevel.DISK_ONLY))
        try:
            self._answer(packed.count)
            parts = self._answer(lambda: packed.toLocalIterator(prefetchPartitions=True))
            while (part := self._answer(lambda: next(parts, None))) is not None:
                yield from pa.ipc.open_stream(part[0])
        finally:
            with suppress(*self._failures):
                packed.unpersist()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query whose answer is small, or a statement without one, and return its rows.

        Raises
        ------
        EngineError
            If Spark refuses or fails the query.
        """
        frame = self._answer(lambda: self._session.sql(_literal(sql)))
        if not frame.columns:
            return []
        return tuples(plain_batches(self._answer(lambda: frame.toArrow().to_batches())))

    def columns(self, relation: str) -> dict[str, str]:
        """Return the columns of a table, a view or a SELECT in parentheses, with their types.

        Raises
        ------
        EngineError
            If there is no such relation.
        """
        fields = self._answer(lambda: self._session.sql(_literal(f"SELECT * FROM {relation}")).schema.fields)
        return {str(field.name): str(field.dataType.simpleString()) for field in fields}

    def bring(self, name: str, table: pa.Table) -> exp.Table:
        """Make a temporary view of a small table, in place of an earlier one, and return what queries read it as.

        Raises
        ------
        EngineError
            If Spark cannot read it.
        """
        chunks = [table.slice(start, _CHUNK) for start in range(0, max(1, table.num_rows), _CHUNK)]
        quoted = "`" + name.replace("`", "``") + "`"

        def view() -> None:
            frames = [self._session.createDataFrame(chunk) for chunk in chunks]
            reduce(lambda one, other: one.unionAll(other), frames).createOrReplaceTempView(quoted)

        self._answer(view)
        self._brought.add(name)
        return exp.Table(this=exp.to_identifier(name, quoted=True))

    def close(self) -> None:
        """Stop a session of our own; from any other, remove what was brought. Closing twice does nothing."""
        with suppress(*self._failures):
            for name in self._brought:
                self._session.catalog.dropTempView(name)
            if self._is_ours:
                self._session.stop()
        self._brought.clear()

    def _answer(self, ask: Callable[[], T]) -> T:
        """Ask in a thread of its own: one that Ctrl-C meets while it speaks with Spark reads the next answer wrong."""
        tag = f"discovery-{uuid4().hex}"

        def tagged() -> T:
            self._session.addTag(tag)
            return ask()

        def answered() -> T:
            here: Callable[[], T] = _pyspark().inheritable_thread_target(self._session)(tagged)
            return interruptible(here, lambda: self._session.interruptTag(tag))

        return self._told(answered)

    def _told(self, ask: Callable[[], T], failed: str = "Spark could not answer") -> T:
        try:
            return ask()
        except self._failures as error:
            raise EngineError(f"{failed}: {_said(error)}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "SparkEngine()"


def _pyspark() -> Any:
    try:
        import pyspark
        import pyspark.errors
        import pyspark.sql
    except ImportError as error:
        raise EngineError(
            'Spark needs PySpark 4, which is not installed: pip install "milestone-discovery[spark]".'
        ) from error
    return pyspark


def _py4j_error() -> Any:
    from py4j.protocol import Py4JError

    return Py4JError


def _made(spark: Any, master: str | None) -> Any:
    home = os.environ.get("JAVA_HOME", "")
    if not (home and shutil.which("java", path=os.path.join(home, "bin"))) and shutil.which("java") is None:
        raise EngineError(
            "Spark needs Java 17 or newer, and none was found. Install it (on Debian, openjdk-17-jre-headless), or set "
            "JAVA_HOME to where it is."
        )
    builder = spark.sql.SparkSession.builder.appName("milestone-discovery").master(master or "local[*]")
    builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    if master is None:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers must run the Python that is running
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    session = builder.getOrCreate()
    # What fails is said in an EngineError; a log would repeat it, traceback and all.
    session.sparkContext.setLogLevel("OFF")
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    return session


def _packing() -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    # A function inside another travels by value: the workers need pyarrow, and nothing of this package.
    def pack(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow

        for batch in batches:
            sink = pyarrow.BufferOutputStream()
            with pyarrow.ipc.new_stream(sink, batch.schema) as stream:
                stream.write_batch(batch)
            packed = pyarrow.array([sink.getvalue().to_pybytes()], pyarrow.binary())
            yield pyarrow.RecordBatch.from_arrays([packed], ["packed"])

    return pack


def _literal(sql: str) -> str:
    """Write ${ in such a way that Spark does not put a variable in its place."""
    return sql.replace("${", "\\u0024{")


def _said(error: BaseException) -> str:
    """Return the first line of what Spark said; of what a Python worker said the last, where the reason stands."""
    text = str(error).split("\n\nJVM stacktrace")[0]
    if "Traceback (most recent call last)" not in text:
        return first_line(text)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("SQLSTATE")]
    return f"a Python worker failed: {first_line(lines[-1])}"
