"""The one interface to whatever holds the events; one file per engine behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

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
