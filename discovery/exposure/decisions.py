"""When events happen beside the decision to stay or go, counted over the whole life of the accounts.

The observation window is not enough for this: leaving mostly comes after it. One group-by returns the first
and the last time of every account and event; everything else is counted from those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.aggregated import Aggregated
from discovery.engines.expressions import Relation, column, identifier
from discovery.exposure import from_aggregates
from discovery.exposure.query import lags
from discovery.exposure.ranges import accounts_at, enough_of
from discovery.spec import Day


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionCounts:
    """How every event lies around one kind of moment: departure, or conversion.

    Only accounts that have the moment and at least one other event count.

    Attributes
    ----------
    events : tuple of str, length E
        Event names, sorted.
    having : int64[E]
        Accounts that ever did the event.
    near : int64[E]
        Those whose first time was within `within_days` before or after the moment.
    after : int64[E]
        Those whose first time was after the moment.
    last : int64[E]
        Those for whom it was the very last thing in the log; ties count for each.
    expected : float64[E]
        Share of the same accounts for whom the *typical other event* was first done near the moment: the
        median over other events that at least `min_shared` of them did. NaN where there is none.
    within_days : float
        How near is near.
    """

    events: tuple[str, ...]
    having: NDArray[np.int64]
    near: NDArray[np.int64]
    after: NDArray[np.int64]
    last: NDArray[np.int64]
    expected: NDArray[np.float64]
    within_days: float


def decision_times(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    *moments: NDArray[np.float64],
    within_days: float = 2.0,
    min_shared: int = 20,
) -> tuple[DecisionCounts, ...]:
    """Count for every event how its first and last times lie around the moments of a decision.

    Only accounts that have a moment count. Of more than 50,000 that have one kind of it, about as many are looked at:
    what is asked of the counts are shares.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    *moments : float64[A]
        One array for each kind of moment: days from signup to the departure (or the conversion) of each
        account, inf or NaN where there was none. Departures must be recorded ones: dates that repeat the
        last event of an account say nothing here.
    within_days : float
        How near is near, in days before and after the moment.
    min_shared : int
        Least number of accounts that did both events for one to be compared with the other.

    Returns
    -------
    tuple of DecisionCounts
        One for each of `moments`, over the events of the accounts that have the moment.

    Raises
    ------
    EngineError
        If the engine fails the query.
    """
    if not moments:
        return ()
    moments = tuple(_of_enough(moment) for moment in moments)
    decided = np.flatnonzero(np.logical_or.reduce([np.isfinite(moment) for moment in moments]))
    deciding = accounts_at(engine, accounts_table, len(moments[0]), decided, "deciding")
    lived = _Lives.read(engine, lives_query(events_table, deciding), moments)
    return tuple(_around(lived, moment, within_days, min_shared) for moment in moments)


def _of_enough(moment: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the moments with those of some accounts alone, where more than enough have one."""
    some = enough_of(np.flatnonzero(np.isfinite(moment)))
    kept = np.full(len(moment), np.inf)
    kept[some] = moment[some]
    return kept


def lives_query(events_table: Relation, accounts_table: Relation) -> exp.Select:
    """Build `account, event, first_lag, last_lag` (microseconds since signup) over the whole log."""
    if isinstance(events_table, Aggregated):
        return from_aggregates.life_rows(events_table, accounts_table)

    def named(value: exp.Expression, name: str) -> exp.Alias:
        return exp.Alias(this=value, alias=identifier(name))

    return (
        exp.select(
            column("account"),
            column("event"),
            named(exp.Min(this=column("lag")), "first_lag"),
            named(exp.Max(this=column("lag")), "last_lag"),
        )
        .from_(lags(events_table, accounts_table, ("event",)).subquery(identifier("lags")))
        .group_by(column("account"), column("event"))
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lives:
    """One row per account and event: positions, and days since signup."""

    events: tuple[str, ...]
    account: NDArray[np.int64]
    event: NDArray[np.int64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]

    @classmethod
    def read(cls, engine: Engine, query: exp.Select, moments: tuple[NDArray[np.float64], ...]) -> _Lives:
        decided = np.logical_or.reduce([np.isfinite(moment) for moment in moments])
        codes: dict[str, int] = {}
        parts: list[tuple[NDArray[Any], ...]] = []
        for batch in engine.batches(query.sql(dialect=engine.dialect)):
            account, first, last = (batch.column(i).to_numpy(zero_copy_only=False) for i in (0, 2, 3))
            names = batch.column(1).dictionary_encode()
            known = np.array([codes.setdefault(n, len(codes)) for n in names.dictionary.to_pylist()], dtype=np.int64)
            kept = decided[account]
            parts.append((account[kept], known[names.indices.to_numpy()][kept], first[kept] / Day, last[kept] / Day))
        columns = [np.concatenate(c) for c in zip(*parts, strict=True)] or [np.empty(0)] * 4
        events = tuple(sorted(codes))
        rank = {name: place for place, name in enumerate(events)}
        place = np.array([rank[name] for name in codes], dtype=np.int64)
        return cls(
            events=events,
            account=columns[0].astype(np.int64),
            event=place[columns[1].astype(np.int64)],
            first=columns[2],
            last=columns[3],
        )

    def where(self, rows: NDArray[np.bool_]) -> _Lives:
        return _Lives(
            events=self.events,
            account=self.account[rows],
            event=self.event[rows],
            first=self.first[rows],
            last=self.last[rows],
        )


def _around(lives: _Lives, moment: NDArray[np.float64], within_days: float, min_shared: int) -> DecisionCounts:
    several = np.bincount(lives.account, minlength=len(moment)) > 1
    lives = lives.where((np.isfinite(moment) & several)[lives.account])
    apart = lives.first - moment[lives.account]
    near = np.abs(apart) <= within_days
    final = np.full(len(moment), -np.inf)
    np.maximum.at(final, lives.account, lives.last)

    def counted(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(lives.event[rows], minlength=len(lives.events)).astype(np.int64)

    return DecisionCounts(
        events=lives.events,
        having=counted(np.ones(len(apart), dtype=bool)),
        near=counted(near),
        after=counted(apart > 0),
        last=counted(lives.last == final[lives.account]),
        expected=_typical_share(lives, near, len(moment), min_shared),
        within_days=within_days,
    )


def _typical_share(lives: _Lives, near: NDArray[np.bool_], n_accounts: int, min_shared: int) -> NDArray[np.float64]:
    """Return for every event the median, over other events of its accounts, of the share done near the moment."""
    shape = (n_accounts, len(lives.events))
    cells = (lives.account, lives.event)
    did = sparse.csr_array((np.ones(len(near), dtype=np.int32), cells), shape=shape)
    did_near = sparse.csr_array((near.astype(np.int32), cells), shape=shape)
    both, both_near = (did.T @ did).toarray(), (did.T @ did_near).toarray()
    compared = both >= min_shared
    np.fill_diagonal(compared, False)
    typical = np.full(len(lives.events), np.nan)
    for event in np.flatnonzero(compared.any(axis=1)):
        others = compared[event]
        typical[event] = np.median(both_near[event, others] / both[event, others])
    return typical
