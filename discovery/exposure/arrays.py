"""Answers of the engine as NumPy arrays: batch by batch, or scattered to the accounts they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discovery.engines import Engine

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp


def array_batches(engine: Engine, query: exp.Select) -> Iterator[tuple[NDArray[Any], ...]]:
    """Run a query and yield its columns as arrays, one tuple for each batch of rows.

    Raises
    ------
    EngineError
        If the engine refuses or fails the query, also midway.
    """
    return arrays_of(engine.batches(query.sql(dialect=engine.dialect)))


def arrays_of(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[NDArray[Any], ...]]:
    """Yield the columns of every batch as arrays."""
    for batch in batches:
        yield tuple(column.to_numpy(zero_copy_only=False) for column in batch.columns)


def by_account(engine: Engine, query: exp.Select, n_accounts: int) -> NDArray[np.int64]:
    """Run a query of one row per account and lay its whole numbers out by account.

    Parameters
    ----------
    engine : Engine
        What holds the relations of the query.
    query : sqlglot.exp.Select
        `account` first, then C columns of whole numbers without nulls.
    n_accounts : int
        Number A of accounts.

    Returns
    -------
    int64[C, A]
        Zero for accounts without a row.

    Raises
    ------
    EngineError
        If the engine refuses or fails the query.
    """
    values = np.zeros((len(query.selects) - 1, n_accounts), dtype=np.int64)
    for account, *columns in array_batches(engine, query):
        for place, column in enumerate(columns):
            values[place, account] = column
    return values
