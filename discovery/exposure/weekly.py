"""How steadily events are recorded: rows per week of the calendar, repeated rows, rows without a user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import Relation, aliased, column, counted, identifier, named
from discovery.exposure.acts import EventColumns
from discovery.exposure.arrays import array_batches
from discovery.exposure.query import between
from discovery.milestone import BY_OTHER
from discovery.spec import Day

_WEEK = 7 * Day
_A_MONDAY = 4 * Day  # 5 January 1970


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeeklyRows:
    """Rows of the log in every whole week, Monday to Sunday UTC, and what is wrong with those of some events.

    Attributes
    ----------
    days : int64[W]
        First day of each week, since 1970, ascending.
    counts : int64[E, W]
        Rows of each event that was asked for.
    everything : int64[W]
        Rows of whatever event.
    repeated : float
        Share of the events' rows that repeat another one: same account, user, event and time. Of m such rows, m - 1
        repeat. Rows without a user are the same user's here. Over the whole log; 0 without rows.
    unknown_users : float
        Share of the events' rows without a user; over the whole log; 0 without rows.
    """

    days: NDArray[np.int64]
    counts: NDArray[np.int64]
    everything: NDArray[np.int64]
    repeated: float
    unknown_users: float


def weekly_rows(
    engine: Engine, events_table: Relation, events: Sequence[str], start_us: int, end_us: int
) -> WeeklyRows:
    """Count the rows of some events, and of all, in every whole week between two moments.

    Parameters
    ----------
    engine : Engine
        What holds the relation.
    events_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relation as described at `discovery.exposure.query.exposure_query`; rows of unknown accounts count too.
    events : sequence of str, length E
        The events that are looked at.
    start_us, end_us : int
        First and last microsecond, since 1970 UTC. A week counts if all of it lies between them, both included.

    Returns
    -------
    WeeklyRows

    Raises
    ------
    EngineError
        If the engine fails a query.
    """
    days, counts = _by_week(engine, events_table, events, start_us, end_us)
    repeated, unknown_users = _faulty(engine, events_table, events)
    return WeeklyRows(
        days=days,
        counts=counts[1:],
        everything=counts[0],
        repeated=repeated,
        unknown_users=unknown_users,
    )


def weekly_presence(
    engine: Engine,
    events_table: Relation,
    test: tuple[str, str],
    columns: EventColumns,
    start_us: int,
    end_us: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the rows of an event, and those of them that have a property, in every whole week between two moments.

    Parameters
    ----------
    engine, events_table, start_us, end_us
        As in `weekly_rows`.
    test : tuple of str
        The event and the property; `by_other` asks for the creator.
    columns : EventColumns
        The properties that the events table holds.

    Returns
    -------
    tuple of int64[W]
    """
    event, name = test
    value = column("creator_id" if name == BY_OTHER else f"property_{columns.place(name)}", "e")
    known = exp.Case().when(value.is_(exp.null()).not_(), exp.Literal.string("known"))
    rows = exp.select(named(known.else_(exp.Literal.string("unknown")), "event"), column("t", "e"))
    rows = rows.from_(aliased(events_table, "e")).where(column("event", "e").eq(exp.Literal.string(event)))
    _, counts = _by_week(engine, rows, ("known",), start_us, end_us)
    return counts[0], counts[1]


def _by_week(
    engine: Engine, events_table: Relation, events: Sequence[str], start_us: int, end_us: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the weeks' first days, and the rows of whatever event and of some, int64[1 + E, W]."""
    first_us = start_us + (_A_MONDAY - start_us) % _WEEK
    weeks = max(0, (end_us + 1 - first_us) // _WEEK)
    counts = np.zeros((1 + len(events), weeks), dtype=np.int64)
    for since, *columns in array_batches(engine, weekly_query(events_table, events, first_us, weeks)):
        for place, rows in enumerate(columns):
            counts[place, since // _WEEK] = rows
    return first_us // Day + 7 * np.arange(weeks, dtype=np.int64), counts


def weekly_query(events_table: Relation, events: Sequence[str], first_us: int, weeks: int) -> exp.Select:
    """Build `since, everything, event_0, ...`: rows of each week that has any; it begins `since` after `first_us`."""
    lag = exp.Sub(this=column("t", "e"), expression=exp.Literal.number(first_us))
    rows = exp.select(column("event", "e"), named(lag, "lag")).from_(aliased(events_table, "e"))
    of_week = exp.Mod(this=column("lag"), expression=exp.Literal.number(_WEEK))
    dated = between(rows, 0, weeks * _WEEK).select(
        column("event"), named(exp.Sub(this=column("lag"), expression=of_week), "since")
    )
    own = (counted(column("event").eq(exp.Literal.string(event))) for event in events)
    return (
        exp.select(column("since"), named(exp.Count(this=exp.Star()), "everything"))
        .select(*(named(rows_of, f"event_{place}") for place, rows_of in enumerate(own)))
        .from_(dated.subquery(identifier("dated")))
        .group_by(column("since"))
    )


def copies_query(events_table: Relation, events: Sequence[str]) -> exp.Select:
    """Build `rows, kinds, unknown`: rows of the events, how many differ from each other, and those without a user."""
    parts = ("account_id", "event", "user_id", "t")
    alike = (
        exp.select(*(column(part, "e") for part in parts), named(exp.Count(this=exp.Star()), "copies"))
        .from_(aliased(events_table, "e"))
        .where(column("event", "e").isin(*map(exp.Literal.string, events)))
        .group_by(*(column(part, "e") for part in parts))
    )
    nobody = exp.Case().when(column("user_id").is_(exp.null()), column("copies")).else_(exp.Literal.number(0))
    return exp.select(
        named(exp.Sum(this=column("copies")), "rows"),
        named(exp.Count(this=exp.Star()), "kinds"),
        named(exp.Sum(this=nobody), "unknown"),
    ).from_(alike.subquery(identifier("alike")))


def _faulty(engine: Engine, events_table: Relation, events: Sequence[str]) -> tuple[float, float]:
    """Return the shares of the events' rows that repeat another one, and that have no user."""
    if not events:
        return 0.0, 0.0
    answer: list[tuple[Any, ...]] = engine.rows(copies_query(events_table, events).sql(dialect=engine.dialect))
    rows, kinds, unknown = (int(value or 0) for value in answer[0])  # a sum over nothing is null
    return ((rows - kinds) / rows, unknown / rows) if rows else (0.0, 0.0)
