"""Some of the accounts at a time: ranges, so that memory does not grow with the events, and even samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.aggregated import Aggregated
from discovery.exposure.query import Relation, aliased, column

if TYPE_CHECKING:
    import pyarrow as pa

FEW_ROWS = 2_000_000
"""Rows of the log up to which an engine counts by itself: below, nothing is gained."""
RANGE_ROWS = 8_000_000
"""Rows of the log in one range of accounts, about; what is in memory grows with these."""
MOST_RANGES = 64
"""Ranges beyond which looking for the rows of each takes longer than is gained."""
ENOUGH = 50_000
"""Accounts that are asked where the question is only of shares; of more, evenly spaced ones are."""

_Counted = TypeVar("_Counted")


@runtime_checkable
class HandsOverRows(Engine, Protocol):
    """An engine in this process, which hands rows over as they are for less than it takes to count them."""

    def streamed(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run a query whose answer is long, and cheap to ask for again, and yield its rows."""
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


def accounts_from(accounts_table: Relation, first: int, n: int) -> exp.Select:
    """Build the rows of `n` accounts from a position on: `account, account_id, signup`."""
    account = column("account", "a")
    return _accounts(accounts_table).where(
        account >= exp.Literal.number(first), account.copy() < exp.Literal.number(first + n)
    )


def evenly_spaced(engine: Engine, accounts_table: Relation) -> Relation:
    """Return the accounts, or of more than enough some at even distances."""
    step = -(-row_count(engine, accounts_table) // ENOUGH)
    if step < 2:
        return accounts_table
    place = exp.Mod(this=column("account", "a"), expression=exp.Literal.number(step))
    return _accounts(accounts_table).where(place.eq(exp.Literal.number(0)))


def _accounts(accounts_table: Relation) -> exp.Select:
    rows = exp.select(*(column(name, "a") for name in ("account", "account_id", "signup")))
    return rows.from_(aliased(accounts_table, "a"))
