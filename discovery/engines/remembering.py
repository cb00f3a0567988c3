"""DuckDB on tables kept by an earlier run: they are only read, and what they were asked before is not asked again."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
from sqlglot import TokenType, tokenize
from sqlglot.errors import TokenError

from discovery.engines.duckdb import Done, DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT = "kept_reading"
_PASSING = re.compile(
    r"\b(?:now|today|age|current_\w+|get_current_\w+|localtime\w*|transaction_timestamp|random|\w*uuid\w*|nextval|"
    r"(?:table)?sample|getenv|read_\w+|parquet_scan|glob|sniff_csv)\b",
    re.IGNORECASE,
)
"""Words that may make an answer depend on more than the tables: on the clock, on chance, on files."""


class Remembered(Protocol):
    """Answers by question, a digest in hexadecimal."""

    def batches(self, question: str) -> Iterator[pa.RecordBatch] | None:
        """Return the batches kept for a question, or None."""
        ...

    def rows(self, question: str) -> list[tuple[Any, ...]] | None:
        """Return the rows kept for a question, or None."""
        ...

    def keeping(self, question: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on, and keep them."""
        ...

    def keep_rows(self, question: str, rows: list[tuple[Any, ...]]) -> None:
        """Keep rows."""
        ...


class RememberingEngine(DuckDBEngine):
    """A DuckDB engine whose tables are those of a kept database, which several processes may read at once.

    New tables go to a database of its own. An answer is known by the text of its query, by every statement run before
    it and by the content of the tables brought that it names. One that depends on the clock, on chance or on a file is
    not kept, nor is any that is asked for after a statement that does.

    Parameters
    ----------
    database
        The file of the kept database; it is opened read-only.
    answers
        Where answers are kept.
    memory_limit, threads
        As for `DuckDBEngine`.
    on_close
        Called once the engine is closed.

    Raises
    ------
    EngineError
        If the database cannot be opened.
    """

    def __init__(
        self,
        database: str,
        answers: Remembered,
        memory_limit: str | None = None,
        threads: int | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(memory_limit, threads)
        self._answers = answers
        self._on_close = on_close
        self._statements = hashlib.sha256()
        self._lasting = True
        self._brought: dict[str, str] = {}
        try:
            super().execute(f"ATTACH '{database.replace(chr(39), chr(39) * 2)}' AS {_KEPT} (READ_ONLY)")
            for name in self._kept_names():
                super().execute(f"CREATE VIEW {quoted(name)} AS SELECT * FROM {_KEPT}.main.{quoted(name)}")
        except EngineError:
            super().close()
            raise

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query as Arrow record batches: as kept, else as the database answers.

        Raises
        ------
        EngineError
            If DuckDB refuses or fails the query, also midway.
        """
        question = self._question(sql)
        if question is None:
            yield from super().batches(sql)
            return
        kept = self._answers.batches(question)
        yield from self._answers.keeping(question, super().batches(sql)) if kept is None else kept

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query whose answer is small: as kept, else as the database answers.

        Raises
        ------
        EngineError
            If DuckDB refuses or fails the query.
        """
        question = self._question(sql)
        if question is None:
            return super().rows(sql)
        found = self._answers.rows(question)
        if found is None:
            found = super().rows(sql)
            self._answers.keep_rows(question, found)
        return found

    def execute(self, sql: str, done: Done | None = None) -> None:
        """Run a statement that has no answer; those to later questions may depend on it.

        Raises
        ------
        EngineError
            If DuckDB refuses or fails it.
        """
        self._statements.update(sql.encode())
        self._lasting = self._lasting and self._lasts(sql)
        super().execute(sql, done)

    def register(self, name: str, relation: object) -> None:
        """Copy an Arrow table, record batch reader or data frame into a table called `name`.

        Raises
        ------
        EngineError
            If DuckDB cannot read it.
        """
        self._brought[name] = _digest(relation)
        super().register(name, relation)

    def close(self) -> None:
        """Close the database, and leave the kept one as it is; closing twice does nothing."""
        super().close()
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    def _kept_names(self) -> list[str]:
        return [
            str(name)
            for (name,) in super().rows(
                f"SELECT table_name FROM information_schema.tables WHERE table_catalog = '{_KEPT}' ORDER BY table_name"
            )
        ]

    def _question(self, sql: str) -> str | None:
        """Return the digest that a question is known by; None where its answer depends on something else."""
        if not (self._lasting and self._lasts(sql)):
            return None
        asked = self._statements.copy()
        for name, content in sorted(self._brought.items()):
            if name in sql:
                asked.update(f"{name}\0{content}\0".encode())
        asked.update(sql.encode())
        return asked.hexdigest()

    def _lasts(self, sql: str) -> bool:
        return self.temp_directory not in sql and not (_PASSING.search(sql) and _is_passing(sql))


def _is_passing(sql: str) -> bool:
    """Say whether one of the words is more than text or the name of a column."""
    try:
        tokens = tokenize(sql, dialect="duckdb")
    except TokenError:
        return True
    for token, after in zip_longest(tokens, tokens[1:]):
        called = after is not None and after.token_type is TokenType.L_PAREN
        name = token.token_type is TokenType.IDENTIFIER and not called
        if token.token_type is not TokenType.STRING and not name and _PASSING.fullmatch(token.text):
            return True
    return False


def _digest(relation: object) -> str:
    if not isinstance(relation, pa.Table):
        return uuid.uuid4().hex  # reading it to know it would use it up
    digest = hashlib.sha256()
    table = relation.combine_chunks()
    with pa.BufferOutputStream() as sink:
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        digest.update(sink.getvalue())
    return digest.hexdigest()
