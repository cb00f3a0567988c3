"""The one interface to whatever holds the events; one file per engine behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


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

    def close(self) -> None:
        """Release the engine's resources, temporary files included."""
        ...
