"""How many users an account had in its observation window, and how many of them did something in particular."""

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UserCounts:
    """Distinct users inside the observation window; rows without a user name none.

    Attributes
    ----------
    users : int64[A]
        Users with any row.
    did : int64[A]
        Those among them with a row of the events asked for.
    """

    users: NDArray[np.int64]
    did: NDArray[np.int64]


def user_counts(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    events: Sequence[str],
    observation_us: int,
) -> UserCounts:
    """Count the users of every account, and those who did any of some events.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    n_accounts : int
        Number A of accounts.
    events : sequence of str
        Events of which any counts.
    observation_us : int
        The observation window in microseconds.

    Returns
    -------
    UserCounts
        Zero for accounts without a row.

    Raises
    ------
    EngineError
        If the engine fails the query.
    """
    query = users_query(events_table, accounts_table, events, observation_us)
    users, did = by_account(engine, query, n_accounts)
    return UserCounts(users=users, did=did)


def users_query(
    events_table: Relation, accounts_table: Relation, events: Sequence[str], observation_us: int
) -> exp.Select:
    """Build `account, users, did`, in two levels: by account and user first, by account then."""
    own = counted(column("event").isin(*map(exp.Literal.string, events))) if events else exp.Literal.number(0)
    per_user = (
        between(lags(events_table, accounts_table, ("event", "user_id")), 0, observation_us)
        .where(column("user_id").is_(exp.null()).not_())
        .select(column("account"), column("user_id"), named(own, "uses"))
        .group_by(column("account"), column("user_id"))
    )
    return (
        exp.select(column("account"), named(exp.Count(this=exp.Star()), "users"))
        .select(named(counted(column("uses") > exp.Literal.number(0)), "did"))
        .from_(per_user.subquery(identifier("per_user")))
        .group_by(column("account"))
    )
