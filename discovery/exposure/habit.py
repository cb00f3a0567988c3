"""Whether an account became a team with a habit: who was lately active, and how regularly its core action occurs.

The days counted may lie beyond the observation window: a habit describes and never scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import Relation, column, counted, identifier, named
from discovery.exposure.arrays import by_account
from discovery.exposure.query import between, lags, without
from discovery.spec import Day

_WEEK = 7 * Day


def active_users(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    left_out: Sequence[str] = (),
    end_day: int = 30,
    active_days: int = 14,
) -> NDArray[np.int32]:
    """Count the users lately active, as of a day after signup.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    n_accounts : int
        Number A of accounts.
    left_out : sequence of str
        Events that make no user active: passive ones, and those of the decision to stay or go.
    end_day : int
        Days after signup (24 hours each) up to which, exclusively, is counted.
    active_days : int
        Days before `end_day` in which a user counts as active. Nothing before signup counts.

    Returns
    -------
    int32[A]
        Distinct users, zero for accounts without a row; rows without a user name none.

    Raises
    ------
    EngineError
        If the engine fails the query.
    """
    start_us, end_us = max(0, end_day - active_days) * Day, end_day * Day
    query = active_users_query(events_table, accounts_table, left_out, start_us, end_us)
    return np.asarray(by_account(engine, query, n_accounts)[0], dtype=np.int32)


def core_weeks(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    core: Sequence[str],
    end_day: int = 30,
    weeks: int = 4,
) -> NDArray[np.int32]:
    """Count the weeks with a core event, as of a day after signup.

    Parameters
    ----------
    engine, events_table, accounts_table, n_accounts, end_day
        As for `active_users`.
    core : sequence of str
        Events of which any makes a week count.
    weeks : int
        How many blocks of seven days before `end_day` are looked at. Nothing before signup counts.

    Returns
    -------
    int32[A]

    Raises
    ------
    EngineError
        If the engine fails the query.
    """
    if not core or not weeks:
        return np.zeros(n_accounts, dtype=np.int32)
    query = core_weeks_query(events_table, accounts_table, core, end_day * Day, weeks)
    return np.asarray((by_account(engine, query, n_accounts) > 0).sum(axis=0), dtype=np.int32)


def active_users_query(
    events_table: Relation, accounts_table: Relation, left_out: Sequence[str], start_us: int, end_us: int
) -> exp.Select:
    """Build `account, users`: distinct users between two lags, by account and user first and by account then."""
    rows = between(without(lags(events_table, accounts_table, ("event", "user_id")), left_out), start_us, end_us)
    pairs = rows.select(column("account"), column("user_id")).group_by(column("account"), column("user_id"))
    users = named(exp.Count(this=column("user_id")), "users")
    return exp.select(column("account"), users).from_(pairs.subquery(identifier("pairs"))).group_by(column("account"))


def core_weeks_query(
    events_table: Relation, accounts_table: Relation, core: Sequence[str], end_us: int, weeks: int
) -> exp.Select:
    """Build `account, week_0, week_1, ...`: core rows in each of the last weeks, the latest first."""
    is_core = column("event", "e").isin(*map(exp.Literal.string, core))
    starts_us = [end_us - week * _WEEK for week in range(1, weeks + 1)]
    rows = between(lags(events_table, accounts_table).where(is_core), max(0, starts_us[-1]), end_us)
    counts = [named(counted(_within(start, start + _WEEK)), f"week_{week}") for week, start in enumerate(starts_us)]
    return rows.select(column("account"), *counts).group_by(column("account"))


def _within(start_us: int, end_us: int) -> exp.Condition:
    return exp.and_(column("lag") >= exp.Literal.number(start_us), column("lag") < exp.Literal.number(end_us))
