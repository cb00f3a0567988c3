"""How often every event happens on every day of the log, and how busy the days are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.spec import Day

_SAMPLE = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Usable events in the engine, with the accounts whose they are, and the ends of the log.

    `sample` is a table of the events of some accounts, that a very large log is judged by; empty: all are looked at.
    """

    engine: DuckDBEngine
    events: str
    accounts: str
    start: int
    end: int
    rows: int
    sample: str = ""

    @property
    def inside(self) -> str:
        """The condition that an event is no stray."""
        return f"t BETWEEN {self.start} AND {self.end}"

    @property
    def parts(self) -> int:
        """How many times larger the log is than what is looked at."""
        return max(1, self.rows // _SAMPLE)

    @property
    def looked_at(self) -> str:
        """The events that are looked at."""
        return quoted(self.sample or self.events)

    def close(self) -> None:
        """Drop the sample."""
        if self.sample:
            self.engine.execute(f"DROP TABLE IF EXISTS {quoted(self.sample)}")


@dataclass(frozen=True)
class Volume:
    """The days of every event, in the order of `names` and of the days; strays are left out.

    Attributes
    ----------
    names : list of str
        The E events, in order.
    first, last : arrays of shape (E,)
        Times of the first and last row, in microseconds since 1970.
    offsets : array of shape (E + 1,)
        Where the days of each event begin in the arrays of length N.
    day : array of shape (N,)
        Day since 1970 on which the event happens.
    rows, account_days : arrays of shape (N,)
        Rows on that day, and accounts with the event; both of a sample where the log is very large.
    start, days : int
        The log's first day since 1970, and how many days it spans.
    """

    names: list[str]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    offsets: NDArray[np.int64]
    day: NDArray[np.int64]
    rows: NDArray[np.int64]
    account_days: NDArray[np.int64]
    start: int
    days: int

    def of(self, event: int) -> slice:
        """Return where the days of an event are."""
        return slice(int(self.offsets[event]), int(self.offsets[event + 1]))

    @cached_property
    def activity(self) -> NDArray[np.int64]:
        """Account-days of all events on each day of the log."""
        return np.bincount(self.day - self.start, weights=self.account_days, minlength=self.days).astype(np.int64)

    @cached_property
    def before(self) -> NDArray[np.int64]:
        """Account-days of all events before each day of the log, and before its end."""
        return np.concatenate([[0], np.cumsum(self.activity)])

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """Account-days of each event."""
        return self._summed(self.account_days)

    def frequent(self, least: float) -> Iterator[int]:
        """Yield the events with at least so many account-days."""
        yield from map(int, np.flatnonzero(self.totals >= least))

    def _summed(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        so_far = np.concatenate([[0], np.cumsum(counts)])
        summed: NDArray[np.int64] = so_far[self.offsets[1:]] - so_far[self.offsets[:-1]]
        return summed


def with_sample(log: Log) -> Log:
    """Return the log with a table of what is looked at, where that is not all of it."""
    if log.parts == 1:
        return log
    name = f"{log.events}_some"
    log.engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(name)} AS SELECT account_id, event, t FROM {quoted(log.events)} "
        f"WHERE hash(account_id) % {log.parts} = 0"
    )
    return replace(log, sample=name)


def read_volume(log: Log) -> Volume:
    """Read the days of every event."""
    found = log.engine.table(
        f"SELECT event, day, CAST(sum(n) AS BIGINT) AS rows, count(*) AS accounts, min(first) AS first, "
        f"max(last) AS last FROM (SELECT event, account_id, t // {Day} AS day, count(*) AS n, min(t) AS first, "
        f"max(t) AS last FROM {log.looked_at} WHERE {log.inside} GROUP BY event, account_id, day) "
        "GROUP BY event, day ORDER BY event, day"
    )
    coded = found.column("event").combine_chunks().dictionary_encode()
    names = [str(name) for name in coded.dictionary.to_pylist()]
    offsets = np.searchsorted(coded.indices.to_numpy(), np.arange(len(names) + 1))
    first, last = (_extremes(found.column(end).to_numpy(), offsets, end) for end in ("first", "last"))
    if log.parts > 1:
        first, last = _ends(log, names, first, last)
    start = log.start // Day
    return Volume(
        names=names,
        first=first,
        last=last,
        offsets=offsets,
        day=found.column("day").to_numpy(),
        rows=found.column("rows").to_numpy(),
        account_days=found.column("accounts").to_numpy(),
        start=start,
        days=log.end // Day - start + 1,
    )


def _extremes(times: NDArray[np.int64], offsets: NDArray[np.int64], end: str) -> NDArray[np.int64]:
    extreme: NDArray[np.int64] = times[offsets[:-1] if end == "first" else offsets[1:] - 1]
    return extreme


def _ends(
    log: Log, names: list[str], first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and last times of all rows, not of the sample alone."""
    found = log.engine.rows(f"SELECT event, min(t), max(t) FROM {quoted(log.events)} WHERE {log.inside} GROUP BY event")
    whole = {str(name): (low, high) for name, low, high in found}
    ends = [whole.get(name, (first[i], last[i])) for i, name in enumerate(names)]
    return np.array([low for low, _ in ends], dtype=np.int64), np.array([high for _, high in ends], dtype=np.int64)
