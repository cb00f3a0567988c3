"""The rhythm of an account: how much it did, on how many days, how recently; and which event sums up the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.engines import Engine
from discovery.engines.expressions import Relation
from discovery.exposure.arrays import arrays_of, by_account
from discovery.exposure.query import SECOND, clock_query, company_query, rhythm_query, without
from discovery.exposure.ranges import (
    HandsOverRows,
    enough_accounts,
    has_positions,
    one_by_one,
    ranges_needed,
    rows_of,
    signups,
)
from discovery.spec import Day

SHARED = 0.9
"""Share of the moments with several events in which the sum of the others takes part."""
PARTS = 2
"""Events that an axis must accompany, each in most of its moments."""
MOMENTS = 50
"""Moments with several events below which nothing is said."""
SECONDS = 10
"""Of the sixty seconds of a minute: times that know fewer are dates, hours or minutes, and meet in them by chance."""
_MOST = np.iinfo(np.int64).max
_AT_ONCE = 3
"""Ranges of accounts that are read together: a row is one number here, and several where events are counted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rhythm:
    """Activity in the observation window, whatever it consists of; arrays of one value per account.

    Attributes
    ----------
    actions : int64[A]
        Rows.
    moments : int64[A]
        Distinct seconds since signup with any row: a burst written in one second is one action.
    days : int64[A]
        Distinct days since signup (24 hours each) with any row.
    last_days : float64[A]
        Days from signup to the last row; 0 without any.
    """

    actions: NDArray[np.int64]
    moments: NDArray[np.int64]
    days: NDArray[np.int64]
    last_days: NDArray[np.float64]


def account_rhythm(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    observation_us: int,
    left_out: Sequence[str] = (),
) -> Rhythm:
    """Measure how much, on how many days and how recently every account was active in its observation window.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    n_accounts : int
        Number A of accounts.
    observation_us : int
        The observation window in microseconds.
    left_out : sequence of str
        Events that are no activity: passive ones, and those of the decision to stay or go.
    """
    ranges = ranges_needed(engine, events_table)
    if ranges is None or not isinstance(engine, HandsOverRows) or not has_positions(engine, events_table):
        query = rhythm_query(events_table, accounts_table, observation_us, left_out)
        actions, moments, days, last = by_account(engine, query, n_accounts)
    else:
        span = -(-observation_us // Day) * Day  # whole days, so that seconds and days begin with an account's
        size = min(-(-n_accounts * _AT_ONCE // ranges), n_accounts, _MOST // span)
        signup = signups(engine, accounts_table, n_accounts)
        read = _Reader(engine, events_table, signup, size, span, observation_us, tuple(left_out))
        parts = list(one_by_one(read, range(0, n_accounts, size)))
        actions, moments, days, last = np.concatenate(parts, axis=1)[:, :n_accounts]
    return Rhythm(actions=actions, moments=moments, days=days, last_days=last / Day)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the rows of some accounts from a first one on, and returns what counts them as the query does.

    In such a log the events hold positions of accounts, so that nothing need be joined. One 64-bit number says of a row
    whose it is and when: sorted, they are counted in one sweep.
    """

    engine: HandsOverRows
    events_table: Relation
    signup: NDArray[np.int64]
    accounts: int
    span: int
    observation_us: int
    left_out: tuple[str, ...]

    def __call__(self, first: int) -> Callable[[], NDArray[np.int64]]:
        numbers = [np.empty(0, dtype=np.int64)]
        query = without(rows_of(self.events_table, first, min(first + self.accounts, len(self.signup))), self.left_out)
        for account, time in arrays_of(self.engine.streamed(query.sql(dialect=self.engine.dialect))):
            lag = time - self.signup[account]
            inside = np.flatnonzero((lag >= 0) & (lag < self.observation_us))
            numbers.append((account[inside] - first) * self.span + lag[inside])
        return partial(self._counted, np.concatenate(numbers))

    def _counted(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return rows, distinct seconds and days, and the last lag of every account, int64[4, n]; sorts in place."""
        numbers.sort()
        begins = self.span * np.arange(self.accounts + 1)
        ends = np.searchsorted(numbers, begins)
        counts, last = [np.diff(ends)], np.zeros(self.accounts, dtype=np.int64)
        there = np.flatnonzero(counts[0])
        last[there] = numbers[ends[there + 1] - 1] - begins[there]
        for unit in (SECOND, Day // SECOND):
            numbers //= unit
            first = np.ones(len(numbers), dtype=bool)
            np.not_equal(numbers[1:], numbers[:-1], out=first[1:])
            numbers, begins = numbers[first], begins // unit
            counts.append(np.diff(np.searchsorted(numbers, begins)))
        return np.stack((*counts, last))


def volume_axes(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    observation_us: int,
) -> tuple[str, ...]:
    """Name the events that are the sum of others: written in the same second as whatever else is done.

    An event is an axis if it takes part in at least half of all moments and 90 % of those that hold several events,
    and at least two other events occur mostly in its company. Moments are seconds since signup within one account;
    a log whose times are no finer than minutes says nothing. Of more than 50,000 accounts about as many are asked.

    Returns
    -------
    tuple of str
        Sorted names; usually none or one.
    """
    clock: list[tuple[Any, ...]] = engine.rows(clock_query(events_table).sql(dialect=engine.dialect))
    if clock[0][0] < SECONDS:
        return ()
    query = company_query(events_table, enough_accounts(engine, accounts_table), observation_us)
    rows: list[tuple[Any, ...]] = engine.rows(query.sql(dialect=engine.dialect))
    moments, several = next(((int(row[1]), int(row[2])) for row in rows if row[0] is None), (0, 0))
    alone = {str(row[0]): (int(row[1]), int(row[2])) for row in rows if row[0] is not None}
    if several < MOMENTS:
        return ()
    accompanied = {event for event, (own, shared) in alone.items() if shared > own / 2}
    return tuple(
        sorted(
            event
            for event, (own, shared) in alone.items()
            if own >= moments / 2 and shared >= SHARED * several and len(accompanied - {event}) >= PARTS
        )
    )
