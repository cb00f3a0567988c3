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


class Among:
    """Some of the accounts, by whom days of any accounts are laid out.

    Parameters
    ----------
    positions : int64[n]
        Distinct positions of the accounts, in the order that is wanted.
    n_accounts : int
        Number A of all accounts.
    """

    def __init__(self, positions: NDArray[np.int64], n_accounts: int) -> None:
        self._n = len(positions)
        self._places = np.full(n_accounts, -1, dtype=np.int32)
        self._places[positions] = np.arange(self._n, dtype=np.int32)

    def __len__(self) -> int:
        return self._n

    def places(self, account: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """Return the place of each of some accounts among these; -1 where it is none of them."""
        places: NDArray[np.int32] = self._places[account]
        return places

    def days(self, account: NDArray[np.integer[Any]], days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the days of each of these accounts, float64[n], out of those of any accounts; inf where not given."""
        places = self.places(account)
        mine = places >= 0
        found = np.full(self._n, np.inf)
        found[places[mine]] = days[mine]
        return found


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
