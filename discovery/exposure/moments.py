"""The second family of queries, over events: exact times of reach, and activity in a later window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from discovery.engines import Engine
from discovery.engines.expressions import Relation
from discovery.exposure.acts import PLAIN, EventColumns
from discovery.exposure.arrays import array_batches
from discovery.exposure.query import active_query, names_query
from discovery.exposure.reach import reached_query
from discovery.milestone import Milestone
from discovery.spec import Day


def reach_times(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    milestone: Milestone,
    observation_us: int,
    columns: EventColumns = PLAIN,
) -> NDArray[np.float64]:
    """Return the exact moment at which every account reached a milestone.

    A condition is reached at the earliest moment at which both the k-th row and the u-th distinct user's
    first row have occurred, inside the condition's own window. `and` is reached with its last part, `or`
    with its first. The time is finite exactly where `discovery.exposure.flag` is true.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    n_accounts : int
        Number A of accounts.
    milestone : Milestone
        Conditions with windows no longer than the observation; none means the observation window.
    observation_us : int
        The observation window in microseconds.
    columns : EventColumns
        The properties that the events table holds, for conditions that test some.

    Returns
    -------
    float64[A]
        Days since signup; inf where the account never reached it.

    Raises
    ------
    InputError
        If a window outlasts the observation, or a property that is tested is not among the columns.
    """
    query = reached_query(events_table, accounts_table, milestone, observation_us, columns)
    days = np.full(n_accounts, np.inf)
    for account, reached in array_batches(engine, query):
        days[account] = reached / Day
    return days


def active_between(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    start_us: int,
    end_us: int,
    activity: Sequence[str] = (),
    passive: Sequence[str] = (),
) -> NDArray[np.bool_]:
    """Return which accounts were active in a window counted from signup.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    n_accounts : int
        Number A of accounts.
    start_us, end_us : int
        The window `start_us <= lag < end_us`, in microseconds since signup.
    activity : sequence of str
        Events that count as activity; if empty, all but `passive` do.
    passive : sequence of str
        Events that happen to the account; only read where `activity` is empty.

    Returns
    -------
    bool[A]
        False also for accounts without a usable signup.
    """
    query = active_query(events_table, accounts_table, start_us, end_us, activity, passive)
    active = np.zeros(n_accounts, dtype=bool)
    for (account,) in array_batches(engine, query):
        active[account] = True
    return active


def event_names(engine: Engine, events_table: Relation) -> tuple[str, ...]:
    """Return every event name in the log, sorted, inside observation windows or not."""
    rows = engine.rows(names_query(events_table).sql(dialect=engine.dialect))
    return tuple(sorted(str(row[0]) for row in rows))
