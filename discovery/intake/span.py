"""Where the log begins and ends: set by the events of known accounts, and by none that stand far apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.eventlog import EventLog
from discovery.intake.wording import moment
from discovery.spec import Day

APART = 60
"""Days without events that set a few events apart from all others."""

_FEW = 0.001  # of the account-days
_ENOUGH = 100  # account-days; fewer say nothing about what is usual


def with_span(engine: DuckDBEngine, events: EventLog, known: str = "") -> EventLog:
    """Return the events with the log's start and end, and with the stray events that set neither.

    `known` is a relation with the `account_id` of every known account; without it all are. Events of unknown accounts
    are passed over, unless no account is known. Stray events are at most one
    account-day in a thousand (or one in all), with `APART` days or more between them and all others.
    """
    if not events.usable_rows:
        return events
    relation = quoted(events.usable) + (f" WHERE {events.coding.known('account_id', known)}" if known else "")
    found = _by_day(engine, relation)
    if not found:
        relation = quoted(events.usable)
        found = _by_day(engine, relation)
    return span_of_days(events, np.array(found, dtype=np.int64), lambda: _account_days(engine, relation))


def span_of_days(
    events: EventLog, by_day: NDArray[np.int64], account_days: Callable[[], NDArray[np.int64]]
) -> EventLog:
    """Return the events with the log's start and end, and with the stray events that set neither.

    Parameters
    ----------
    events
        What is known of them but for this.
    by_day : array of shape (D, 4)
        The days with events of known accounts, ascending: the day since 1970, how many rows, the first and the last
        time in microseconds.
    account_days
        Asked where a day stands apart: how many accounts have events on each of the days, an array of length D.
    """
    days, rows, first, last = by_day.T
    inside = np.ones(len(days), dtype=bool)
    if (np.diff(days) >= APART).any():
        inside = _together(days, account_days())
    return replace(
        events,
        start=int(first[inside][0]),
        end=int(last[inside][-1]),
        strays=int(rows[~inside].sum()),
        examples_stray=tuple(moment(int(day) * Day) for day in days[~inside]),
    )


def _together(days: NDArray[np.int64], account_days: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each day whether it belongs to the log proper."""
    total = account_days.sum()
    inside = np.ones(len(days), dtype=bool)
    if total < _ENOUGH:
        return inside
    few = max(1.0, _FEW * total)
    for i in np.flatnonzero(np.diff(days) >= APART):
        if account_days[: i + 1].sum() <= few:
            inside[: i + 1] = False
        elif account_days[i + 1 :].sum() <= few:
            inside[i + 1 :] = False
    return inside


def _by_day(engine: DuckDBEngine, relation: str) -> list[tuple[int, int, int, int]]:
    found = engine.rows(f"SELECT t // {Day} AS day, count(*), min(t), max(t) FROM {relation} GROUP BY day ORDER BY day")
    return [(int(day), int(rows), int(first), int(last)) for day, rows, first, last in found]


def _account_days(engine: DuckDBEngine, relation: str) -> NDArray[np.int64]:
    found = engine.rows(
        f"SELECT t // {Day} AS day, count(DISTINCT account_id) FROM {relation} GROUP BY day ORDER BY day"
    )
    return np.array([accounts for _, accounts in found], dtype=np.int64)
