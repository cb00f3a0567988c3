"""Whether an account became a team with a habit: who was lately active, and how regularly its core action occurs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import Relation, column, counted, identifier, named
from discovery.exposure.arrays import by_account
from discovery.exposure.query import between, lags
from discovery.spec import Day

_WEEK = 7 * Day


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Habit:
    """How many users an account had, and how regularly it was used, before a day of its life.

    Attributes
    ----------
    users : int32[A]
        Distinct users active in the last days; rows without a user name none.
    core_weeks : int32[A]
        In how many of the last weeks a core event occurred.
    """

    users: NDArray[np.int32]
    core_weeks: NDArray[np.int32]


def team_habit(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    core: Sequence[str],
    left_out: Sequence[str] = (),
    end_day: int = 30,
    active_days: int = 14,
    weeks: int = 4,
) -> Habit:
    """Count the users lately active and the weeks with a core event, as of a day after signup.

    The days counted may lie beyond the observation window: a habit describes and never scores.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    n_accounts : int
        Number A of accounts.
    core : sequence of str
        Events of which any makes a week count.
    left_out : sequence of str
        Events that make no user active: passive ones, and those of the decision to stay or go.
    end_day : int
        Days after signup (24 hours each) up to which, exclusively, is counted.
    active_days : int
        Days before `end_day` in which a user counts as active. Nothing before signup counts.
    weeks : int
        How many blocks of seven days before `end_day` are looked at.

    Returns
    -------
    Habit
        Zero for accounts without a row.

    Raises
    ------
    EngineError
        If the engine fails the query.
    """
    query = habit_query(events_table, accounts_table, core, left_out, end_day, active_days, weeks)
    counts = by_account(engine, query, n_accounts)
    return Habit(users=counts[0].astype(np.int32), core_weeks=np.sum(counts[1:] > 0, axis=0, dtype=np.int32))


def habit_query(
    events_table: Relation,
    accounts_table: Relation,
    core: Sequence[str],
    left_out: Sequence[str],
    end_day: int,
    active_days: int,
    weeks: int,
) -> exp.Select:
    """Build `account, users, week_0, week_1, ...`: users lately active, and core rows in each of the last weeks.

    Two levels, as in the exposure query: by account and user first, by account then.
    """
    end_us, active_us = end_day * Day, (end_day - active_days) * Day
    starts_us = [end_us - week * _WEEK for week in range(1, weeks + 1)] if core else []
    is_core = column("event").isin(*map(exp.Literal.string, core))
    is_activity = column("event").isin(*map(exp.Literal.string, left_out)).not_() if left_out else None
    active = exp.and_(_within(active_us, end_us), is_activity)
    core_rows = [counted(exp.and_(is_core.copy(), _within(start, start + _WEEK))) for start in starts_us]
    first_us = max(0, min([active_us, *starts_us]))
    rows = between(lags(events_table, accounts_table, ("event", "user_id")), first_us, end_us)
    per_user = rows.select(
        column("account"),
        column("user_id"),
        named(counted(active), "active"),
        *(named(uses, f"uses_{week}") for week, uses in enumerate(core_rows)),
    ).group_by(column("account"), column("user_id"))
    is_user = exp.and_(column("user_id").is_(exp.null()).not_(), column("active") > exp.Literal.number(0))
    return (
        exp.select(column("account"), named(counted(is_user), "users"))
        .select(*(named(exp.Max(this=column(f"uses_{week}")), f"week_{week}") for week in range(len(core_rows))))
        .from_(per_user.subquery(identifier("per_user")))
        .group_by(column("account"))
    )


def _within(start_us: int, end_us: int) -> exp.Condition:
    return exp.and_(column("lag") >= exp.Literal.number(start_us), column("lag") < exp.Literal.number(end_us))
