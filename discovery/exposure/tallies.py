"""Rows of the observation window into aggregates, in NumPy: for engines in this process, and many events.

Such an engine hands its rows over for less than it takes to count them in hash tables. One 64-bit number says of a row
which account, event, user and window it is of; sorted, the numbers are counted in one sweep. The result is that of
`exposure_query`, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import Relation, aliased, column, named
from discovery.exposure.arrays import arrays_of
from discovery.exposure.query import names_query
from discovery.exposure.ranges import MOST_RANGES, HandsOverRows, has_positions, ranges_needed, rows_of, signups

_MOST_CELLS = 1 << 24
_MOST = np.iinfo(np.int32).max
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Aggregates of some accounts, one row per account and event that occurred, in any order.

    Attributes
    ----------
    event : int32[G]
        The event, as a number that the maker of the tally gives it.
    account : int32[G]
        Position of the account.
    counts, users : sequence of W arrays of length G
        Rows, and distinct users, inside each window.
    first_lag : int64[G]
        Microseconds from signup to the first row.
    """

    event: NDArray[np.int32]
    account: NDArray[np.int32]
    counts: Sequence[NDArray[np.unsignedinteger[Any]]]
    users: Sequence[NDArray[np.unsignedinteger[Any]]]
    first_lag: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """How rows are read range by range, and how the number of a row is laid out.

    Attributes
    ----------
    names : tuple of str
        The events of the log, sorted; their places are their numbers.
    accounts : int
        Accounts in a range, a multiple of eight.
    user_bits, window_bits : int
        Bits of a row's number that say the user (0 for none) and the first window it lies in; account and event are
        above them.
    least_user : int
        The smallest user there is.
    signup : int64[A]
        Microseconds since 1970; where it is not known, one that nothing comes after.
    """

    names: tuple[str, ...]
    accounts: int
    user_bits: int
    window_bits: int
    least_user: int
    signup: NDArray[np.int64]

    @property
    def cells(self) -> int:
        """Return how many pairs of event and account a range has."""
        return self.accounts * len(self.names)


def layout_of(
    engine: Engine, events_table: Relation, accounts_table: Relation, n_accounts: int, n_windows: int
) -> Layout | None:
    """Return how to tally a log row by row; None where its engine had better count.

    That is where there are no ranges to read, or too many for the events there are, and where the log names accounts
    not by their positions, or users not by numbers.
    """
    ranges = ranges_needed(engine, events_table)
    if ranges is None or not has_positions(engine, events_table) or not _numbered(engine, events_table):
        return None
    ends = (exp.Min(this=column("user_id", "e")), exp.Max(this=column("user_id", "e")))
    least, most = _first_row(engine, exp.select(*ends).from_(aliased(events_table, "e")))
    events = sorted(str(row[0]) for row in engine.rows(names_query(events_table).sql(dialect=engine.dialect)))
    ranges = max(ranges, -(-n_accounts * len(events) // _MOST_CELLS))
    layout = Layout(
        names=tuple(events),
        accounts=8 * -(-n_accounts // (8 * ranges)),
        user_bits=0 if least is None else int(most - least + 1).bit_length(),
        window_bits=(n_windows - 1).bit_length(),
        least_user=least or 0,
        signup=signups(engine, accounts_table, n_accounts),
    )
    bits = layout.cells.bit_length() + layout.user_bits + layout.window_bits
    return layout if ranges <= MOST_RANGES and bits < 64 else None


def numbered_rows(
    engine: HandsOverRows, events_table: Relation, layout: Layout, first: int, windows_us: Sequence[int]
) -> NumberedRows:
    """Read the rows of one range of accounts, whose first is given."""
    query = rows_query(events_table, layout, first)
    batches = arrays_of(engine.streamed(query.sql(dialect=engine.dialect)))
    return NumberedRows.read(batches, layout, first, windows_us)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumberedRows:
    """The rows of one range: a number each, and the first lag of every pair of event and account."""

    layout: Layout
    first: int
    windows: int
    numbers: NDArray[np.int64]
    first_lag: NDArray[np.int64]

    @classmethod
    def read(
        cls, batches: Iterator[tuple[NDArray[Any], ...]], layout: Layout, first: int, windows_us: Sequence[int]
    ) -> NumberedRows:
        """Give a number to every row `account, t, user, event` of a range that lies in the last window."""
        first_lag = np.full(layout.cells, windows_us[-1], dtype=np.int64)
        numbers = [np.empty(0, dtype=np.int64)]
        for account, time, user, event in batches:
            lag = time - layout.signup[account]
            inside = np.flatnonzero((lag >= 0) & (lag < windows_us[-1]))
            lag = lag[inside]
            cell = event[inside].astype(np.int64) * layout.accounts + (account[inside] - first)
            np.minimum.at(first_lag, cell, lag)
            cell <<= layout.user_bits
            cell += user[inside]
            cell <<= layout.window_bits
            for window in windows_us[:-1]:
                cell += lag >= window
            numbers.append(cell)
        return cls(
            layout=layout,
            first=first,
            windows=len(windows_us),
            numbers=np.concatenate(numbers),
            first_lag=first_lag,
        )

    def counted(self) -> Tally:
        """Sort the numbers, once and in place, and count the rows and the users of every pair."""
        layout, numbers = self.layout, self.numbers
        numbers.sort()
        cell = numbers >> (layout.user_bits + layout.window_bits)
        starts = _starts(cell)
        cells = cell[starts]
        of_cell = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(cell)))
        del cell
        of_cell *= self.windows
        of_cell += numbers & ((1 << layout.window_bits) - 1)
        counts = self._up_to(of_cell, len(starts))
        user = numbers >> layout.window_bits
        came = _starts(user)
        came = came[user[came] & ((1 << layout.user_bits) - 1) > 0]
        users = self._up_to(of_cell[came], len(starts))
        event, account = np.divmod(cells, layout.accounts)
        return Tally(
            event=event.astype(np.int32),
            account=(account + self.first).astype(np.int32),
            counts=counts,
            users=users,
            first_lag=self.first_lag[cells],
        )

    def _up_to(self, of_cell: NDArray[np.int64], n_cells: int) -> tuple[NDArray[np.unsignedinteger[Any]], ...]:
        """Count in every pair what lies in each window and those before it, W arrays of length G."""
        each = np.bincount(of_cell, minlength=n_cells * self.windows).reshape(n_cells, self.windows)
        return tuple(narrowed(column) for column in np.cumsum(each, axis=1).T)


def narrowed(values: NDArray[np.int64]) -> NDArray[np.unsignedinteger[Any]]:
    """Return counts in as few bytes as hold them, 2^31 - 1 at most."""
    values = np.minimum(values, _MOST)
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def rows_query(events_table: Relation, layout: Layout, first: int) -> exp.Select:
    """Build `account, t, user, event` of the rows of one range of accounts.

    Events and users are numbers: a user's is one more than its distance from the least, and 0 is nobody.
    """
    end = min(first + layout.accounts, len(layout.signup))
    rows = rows_of(events_table, first, end, "user_id", "event").subquery("rows")
    pairs = [(name, place) for place, name in enumerate(layout.names)]
    names = exp.values(pairs, alias="names", columns=["name", "place"])
    user = exp.cast(column("user_id", "rows"), exp.DataType.Type.BIGINT)
    number = exp.Sub(this=user, expression=exp.Literal.number(layout.least_user)) + exp.Literal.number(1)
    return (
        exp.select(column("account_id", "rows"), column("t", "rows"))
        .select(named(exp.Coalesce(this=number, expressions=[exp.Literal.number(0)]), "user"))
        .select(column("place", "names"))
        .from_(rows)
        .join(names, on=column("event", "rows").eq(column("name", "names")))
    )


def _starts(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where every run of equal values begins."""
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return np.concatenate(([0], changes)) if len(ordered) else changes


def _first_row(engine: Engine, query: exp.Select) -> tuple[Any, ...]:
    return engine.rows(query.sql(dialect=engine.dialect))[0]


def _numbered(engine: Engine, events_table: Relation) -> bool:
    """Tell whether the users of a log are whole numbers."""
    user = exp.select(column("user_id", "e")).from_(aliased(events_table, "e"))
    return engine.columns(f"({user.sql(dialect=engine.dialect)})").get("user_id") in _INTEGERS
