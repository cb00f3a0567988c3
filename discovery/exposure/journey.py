"""What accounts do on the way from one milestone to another: which events they meet, and when first."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import Relation, aliased, column, identifier, named
from discovery.exposure.acts import PLAIN, EventColumns
from discovery.exposure.arrays import Among
from discovery.exposure.query import between, lags, without
from discovery.exposure.reach import earliest, reached_query
from discovery.milestone import Milestone
from discovery.spec import Day


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Met:
    """The first occurrence of every event between two moments, one row per account and event that occurred.

    Attributes
    ----------
    events : tuple of str, length E
        Names that occur between the two moments of some account, sorted.
    n_accounts : int
        Number A of accounts; positions run from 0 to A - 1.
    account : int32[G]
        Position of the account, ascending within an event.
    event : int32[G]
        Place in `events`, ascending.
    days : float64[G]
        Days from the first moment to the first occurrence after it.
    """

    events: tuple[str, ...]
    n_accounts: int
    account: NDArray[np.int32]
    event: NDArray[np.int32]
    days: NDArray[np.float64]

    def first_days(self, event: str) -> NDArray[np.float64]:
        """Return the days from the first moment to the first `event` of every account, float64[A]; inf where never."""
        return self.first_days_among(event, Among(np.arange(self.n_accounts), self.n_accounts))

    def first_days_among(self, event: str, some: Among) -> NDArray[np.float64]:
        """Return the same of some accounts, float64[n]."""
        place = bisect_left(self.events, event)
        if place == len(self.events) or self.events[place] != event:
            return np.full(len(some), np.inf)
        ends = np.array([place, place + 1], dtype=self.event.dtype)  # of another type, all would be converted
        rows = slice(*np.searchsorted(self.event, ends))
        return some.days(self.account[rows], self.days[rows])


def met_between(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    start: Milestone | None,
    end: Milestone | None,
    observation_us: int,
    left_out: Sequence[str] = (),
    columns: EventColumns = PLAIN,
) -> Met:
    """Find which events every account meets on the way from one milestone to another, and when first.

    Only accounts that reached `start` are looked at. An account that never reached `end`, or reached it no later
    than `start`, is followed to the end of its observation window, or not at all.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    n_accounts : int
        Number A of accounts.
    start : Milestone or None
        Rows strictly after its moment count; None is signup, and rows at signup itself count.
    end : Milestone or None
        Rows strictly before its moment count; None is the end of the observation window.
    observation_us : int
        The observation window in microseconds.
    left_out : sequence of str
        Events that are not looked at. They still count for reaching `start` and `end`.
    columns : EventColumns
        The properties that the events table holds, for conditions that test some.

    Returns
    -------
    Met

    Raises
    ------
    InputError
        If a window of `start` or `end` outlasts the observation, or a property it tests is not among the columns.
    EngineError
        If the engine fails the query.
    """
    query = met_query(events_table, accounts_table, start, end, observation_us, left_out, columns)
    codes: dict[str, int] = {}
    parts: list[tuple[NDArray[Any], ...]] = [(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int64))]
    for batch in engine.batches(query.sql(dialect=engine.dialect)):
        names = batch.column(1).dictionary_encode()
        known = np.array([codes.setdefault(n, len(codes)) for n in names.dictionary.to_pylist()], dtype=np.int32)
        account, first = (batch.column(place).to_numpy(zero_copy_only=False) for place in (0, 2))
        parts.append((account.astype(np.int32), known[names.indices.to_numpy()], first))
    account, code, first = (np.concatenate(column) for column in zip(*parts, strict=True))
    events = tuple(sorted(codes))
    rank = np.empty(len(events), dtype=np.int32)
    rank[[codes[name] for name in events]] = np.arange(len(events))
    event = rank[code]
    order = np.lexsort((account, event))
    return Met(
        events=events, n_accounts=n_accounts, account=account[order], event=event[order], days=first[order] / Day
    )


def met_query(
    events_table: Relation,
    accounts_table: Relation,
    start: Milestone | None,
    end: Milestone | None,
    observation_us: int,
    left_out: Sequence[str],
    columns: EventColumns = PLAIN,
) -> exp.Select:
    """Build `account, event, first`: microseconds from `start` to the first row after it and before `end`."""
    rows = between(without(lags(events_table, accounts_table, ("event",)), left_out), 0, observation_us)
    since: exp.Expression = column("lag")
    if start is not None:
        began = column("reached", "began")
        rows = _joined(rows, reached_query(events_table, accounts_table, start, observation_us, columns), "began")
        rows = rows.where(column("lag") > began)
        since = exp.Sub(this=column("lag"), expression=began.copy())
    if end is not None:
        reached = reached_query(events_table, accounts_table, end, observation_us, columns)
        rows = _joined(rows, earliest(reached, _observed_query(accounts_table, observation_us)), "ended")
        rows = rows.where(column("lag") < column("reached", "ended"))
    account = column("account", "lags")
    return rows.select(account, column("event"), named(exp.Min(this=since), "first")).group_by(
        account.copy(), column("event")
    )


def _joined(rows: exp.Select, moments: exp.Select, alias: str) -> exp.Select:
    same_account = column("account", "lags").eq(column("account", alias))
    return rows.join(moments.subquery(identifier(alias)), on=same_account)


def _observed_query(accounts_table: Relation, observation_us: int) -> exp.Select:
    """Build `account, reached` of every account at the end of its observation window."""
    end = exp.cast(exp.Literal.number(observation_us), exp.DataType.Type.BIGINT)
    return exp.select(column("account", "a"), named(end, "reached")).from_(aliased(accounts_table, "a"))
