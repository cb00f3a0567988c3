"""How much every account did on each of its first days."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import Relation, column, identifier, named
from discovery.exposure.arrays import array_batches
from discovery.exposure.query import between, lags, without
from discovery.spec import Day


def daily_actions(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    days: int,
    left_out: Sequence[str] = (),
) -> NDArray[np.int64]:
    """Count the rows of every account on each day since signup.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    n_accounts : int
        Number A of accounts.
    days : int
        How many days of 24 hours, the first beginning at signup.
    left_out : sequence of str
        Events that are not counted.

    Returns
    -------
    int64[A, days]
        Rows with `j Day <= lag < (j + 1) Day` in column j; zero for accounts without any.

    Raises
    ------
    EngineError
        If the engine fails the query.
    """
    actions = np.zeros((n_accounts, days), dtype=np.int64)
    for account, since, rows in array_batches(engine, daily_query(events_table, accounts_table, days, left_out)):
        actions[account, since // Day] = rows
    return actions


def daily_query(
    events_table: Relation, accounts_table: Relation, days: int, left_out: Sequence[str] = ()
) -> exp.Select:
    """Build `account, since, actions`: rows of each day that has any; it begins `since` microseconds after signup."""
    rows = between(without(lags(events_table, accounts_table, ("event",)), left_out), 0, days * Day)
    of_day = exp.Mod(this=column("lag"), expression=exp.Literal.number(Day))
    dated = rows.select(column("account"), named(exp.Sub(this=column("lag"), expression=of_day), "since"))
    return (
        exp.select(column("account"), column("since"), named(exp.Count(this=exp.Star()), "actions"))
        .from_(dated.subquery(identifier("dated")))
        .group_by(column("account"), column("since"))
    )
