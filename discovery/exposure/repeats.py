"""Whether accounts came back to a milestone after they had reached it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import Relation, column, counted, identifier, named
from discovery.exposure.acts import PLAIN, EventColumns, with_acts
from discovery.exposure.arrays import by_account
from discovery.exposure.query import lags
from discovery.exposure.reach import reached_query
from discovery.milestone import Milestone
from discovery.spec import Day

_WEEK = 7 * Day


def used_again(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    milestone: Milestone,
    observation_us: int,
    weeks: int = 4,
    columns: EventColumns = PLAIN,
) -> NDArray[np.bool_]:
    """Return in which weeks after reaching a milestone every account did any of its events, tests of properties met.

    The weeks may lie beyond the observation window and beyond the log: this describes and never scores.

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
    weeks : int
        How many weeks; the first begins 24 hours after the milestone was reached.
    columns : EventColumns
        The properties that the events table holds, for conditions that test some.

    Returns
    -------
    bool[A, weeks]
        False for accounts that never reached it.

    Raises
    ------
    InputError
        If a window outlasts the observation, or a property that is tested is not among the columns.
    EngineError
        If the engine fails the query.
    """
    query = again_query(events_table, accounts_table, milestone, observation_us, weeks, columns)
    return by_account(engine, query, n_accounts).T > 0


def again_query(
    events_table: Relation,
    accounts_table: Relation,
    milestone: Milestone,
    observation_us: int,
    weeks: int,
    columns: EventColumns = PLAIN,
) -> exp.Select:
    """Build `account, week_0, week_1, ...`: rows of the milestone's events in the weeks after it was reached."""
    own = column("event", "e").isin(*(exp.Literal.string(act.act_name) for act in milestone.acts))
    rows = (
        lags(with_acts(events_table, milestone.acts, columns), accounts_table).where(own).subquery(identifier("lags"))
    )
    reached = reached_query(events_table, accounts_table, milestone, observation_us, columns).subquery(
        identifier("began")
    )
    since = exp.Sub(this=column("lag", "lags"), expression=column("reached", "began"))
    after = (
        exp.select(named(column("account", "lags"), "account"), named(since, "since"))
        .from_(rows)
        .join(reached, on=column("account", "lags").eq(column("account", "began")))
    )
    begins = [Day + week * _WEEK for week in range(weeks)]
    return (
        exp.select(column("account"))
        .select(*(named(counted(_within(start, start + _WEEK)), f"week_{i}") for i, start in enumerate(begins)))
        .from_(after.subquery(identifier("after")))
        .where(_within(Day, Day + weeks * _WEEK))
        .group_by(column("account"))
    )


def _within(start_us: int, end_us: int) -> exp.Condition:
    return exp.and_(column("since") >= exp.Literal.number(start_us), column("since") < exp.Literal.number(end_us))
