"""Some of the accounts at a time: ranges, so that memory does not grow with the events, and even samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.aggregated import Aggregated
from discovery.engines.expressions import Relation, aliased, column
from discovery.exposure.arrays import array_batches

FEW_ROWS = 2_000_000
"""Rows of the log up to which an engine counts by itself: below, nothing is gained."""
RANGE_ROWS = 8_000_000
"""Rows of the log in one range of accounts, about; what is in memory grows with these."""
MOST_RANGES = 64
"""Ranges beyond which looking for the rows of each takes longer than is gained."""
ENOUGH = 50_000
"""Accounts that are asked where the question is only of shares; of more, about as many are."""
_MOST = np.iinfo(np.int64).max
_CIRCLE = 2_147_483_647
_GOLDEN = 1_327_217_884
"""The golden section of `_CIRCLE`: small enough for products in 64 bits, and literals in 32, on every engine."""

_Counted = TypeVar("_Counted")
_Integer = TypeVar("_Integer", bound=np.integer[Any])


@runtime_checkable
class HandsOverRows(Engine, Protocol):
    """An engine in this process, which hands rows over as they are for less than it takes to count them."""

    def streamed(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run a query whose answer is long, and cheap to ask for again, and yield its rows."""
        ...

    def give_back(self) -> None:
        """Give memory back to the system that is not needed until the next query."""
        ...

    def rest(self) -> None:
        """Make do with less memory from now on."""
        ...


def ranges_needed(engine: Engine, events_table: Relation) -> int | None:
    """Return in how many ranges of accounts to read the rows of a log; None where its engine had better count.

    That is one outside this process, and a log of few rows, or of so many that there would be too many ranges.
    """
    if not isinstance(engine, HandsOverRows) or isinstance(events_table, Aggregated):
        return None
    rows = row_count(engine, events_table)
    needed = -(-rows // RANGE_ROWS)
    return needed if rows > FEW_ROWS and needed <= MOST_RANGES else None


def rest(engine: Engine) -> None:
    """Let an engine of this process leave its memory to others: the events are counted."""
    if isinstance(engine, HandsOverRows):
        engine.rest()


def has_positions(engine: Engine, events_table: Relation) -> bool:
    """Tell whether a log names accounts by their positions, as a large one does that intake wrote; not by ids."""
    account = exp.select(column("account_id", "e")).from_(aliased(events_table, "e"))
    return engine.columns(f"({account.sql(dialect=engine.dialect)})").get("account_id") == "BIGINT"


def signups(engine: Engine, accounts_table: Relation, n_accounts: int) -> NDArray[np.int64]:
    """Return the signups of all accounts in microseconds; where it is not known, one that nothing comes after."""
    query = exp.select(column("account", "a"), column("signup", "a")).from_(aliased(accounts_table, "a"))
    signup = np.full(n_accounts, _MOST // 2)
    for account, moment in array_batches(engine, query):
        signup[account] = moment
    return signup


def rows_of(events_table: Relation, first: int, end: int, *others: str) -> exp.Select:
    """Build `account_id, t` and other columns of the rows of the accounts from one position up to another."""
    account = column("account_id", "e")
    rows = exp.select(account, column("t", "e"), *(column(name, "e") for name in others))
    mine = account.copy() >= exp.Literal.number(first), account.copy() < exp.Literal.number(end)
    return rows.from_(aliased(events_table, "e")).where(*mine)


def row_count(engine: Engine, relation: Relation) -> int:
    """Return how many rows a relation has."""
    query = exp.select(exp.Count(this=exp.Star())).from_(aliased(relation, "r"))
    rows: list[tuple[Any, ...]] = engine.rows(query.sql(dialect=engine.dialect))
    return int(rows[0][0])


def one_by_one(read: Callable[[int], Callable[[], _Counted]], firsts: Iterable[int]) -> Iterator[_Counted]:
    """Read range by range, and count the rows of each while those of the next are read.

    Parameters
    ----------
    read
        Reads the rows of the range that begins with an account, and returns what counts them.
    firsts
        The first account of each range.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        ahead: Future[_Counted] | None = None
        for first in firsts:
            count = read(first)
            if ahead is not None:
                yield ahead.result()
            ahead = beside.submit(count)
            del count
        if ahead is not None:
            yield ahead.result()


def enough_accounts(engine: Engine, accounts_table: Relation) -> Relation:
    """Return the accounts, or of more than enough about as many as are, spread evenly and by no period.

    An account is asked where its number, times the golden section, has a small fraction: of every stretch of accounts,
    and of every n-th, the same share is.
    """
    n = row_count(engine, accounts_table)
    if n <= ENOUGH:
        return accounts_table
    number = exp.Cast(this=column("account", "a"), to=exp.DataType.build("BIGINT"))
    product = exp.Paren(this=exp.Mul(this=number, expression=exp.Literal.number(_GOLDEN)))
    place = exp.Mod(this=product, expression=exp.Literal.number(_CIRCLE))
    return _accounts(accounts_table).where(place < exp.Literal.number(ENOUGH * _CIRCLE // n))


def enough_of(places: NDArray[_Integer]) -> NDArray[_Integer]:
    """Return some places, or of more than enough about as many as are, chosen as `enough_accounts` does.

    Examples
    --------
    >>> len(enough_of(np.arange(0, 80_000, 2))), abs(len(enough_of(np.arange(0, 800_000, 2))) - ENOUGH) < 10
    (40000, True)
    """
    if len(places) <= ENOUGH:
        return places
    return places[np.arange(len(places)) * _GOLDEN % _CIRCLE < ENOUGH * _CIRCLE // len(places)]


def accounts_at(
    engine: Engine, accounts_table: Relation, n_accounts: int, positions: NDArray[np.integer[Any]], name: str
) -> Relation:
    """Return the accounts at some positions; of few accounts all, since asking them takes no longer.

    Parameters
    ----------
    engine : Engine
        What holds the accounts.
    accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relation as described at `discovery.exposure.query.exposure_query`.
    n_accounts : int
        Number A of accounts.
    positions : int[k]
        Those that are asked.
    name : str
        What the positions are brought to the engine as; the next that go by it take their place.
    """
    if n_accounts <= ENOUGH:
        return accounts_table
    chosen = engine.bring(f"discovery_{name}", pa.table({"account": positions}))
    of_chosen = exp.select(column("account", "c")).from_(aliased(chosen, "c"))
    return _accounts(accounts_table).where(column("account", "a").isin(query=of_chosen))


def _accounts(accounts_table: Relation) -> exp.Select:
    rows = exp.select(*(column(name, "a") for name in ("account", "account_id", "signup")))
    return rows.from_(aliased(accounts_table, "a"))
