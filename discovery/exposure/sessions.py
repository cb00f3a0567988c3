"""In which of its sessions an account did something; a pause begins a new one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import Relation, column, identifier, named
from discovery.exposure.arrays import Among
from discovery.exposure.query import between, lags, without
from discovery.spec import Day

PAUSE = 30 * 60 * 1_000_000
"""Microseconds between neighbouring rows of an account; a longer pause begins a new session."""
MOST = 20
"""Sessions that are told apart; the last stands for all after it."""


def session_numbers(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    some: Among,
    observation_us: int,
    moments: NDArray[np.float64],
    left_out: Sequence[str] = (),
) -> NDArray[np.float64]:
    """Return the number of the session in which each moment lies, counted from the account's first.

    Sessions are the account's, all its users together, over the rows of its observation window. In a log
    whose times are dates, the days with any row are its sessions.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    some : Among
        The n accounts that are asked; others in `accounts_table` are passed over.
    observation_us : int
        The observation window in microseconds.
    moments : float64[R, n]
        Days since signup, inf where the account never got there; compared in whole microseconds.
    left_out : sequence of str
        Events that begin and prolong no session: passive ones, and those of the decision to stay or go.

    Returns
    -------
    float64[R, n]
        Whole numbers from 1 to `MOST`; NaN where never. A moment between two sessions, as that of an event
        left out may be, belongs to the earlier; one before the first session belongs to the first.

    Raises
    ------
    EngineError
        If the engine fails the query.
    """
    query = sessions_query(events_table, accounts_table, observation_us, left_out)
    moments_us = np.rint(np.asarray(moments, dtype=np.float64) * Day)
    numbers = np.where(np.isfinite(moments_us), 1.0, np.nan)
    for batch in engine.batches(query.sql(dialect=engine.dialect)):
        account, started, later = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
        places = some.places(account)
        for number in np.unique(later):  # an account has one row of each, so no addition is lost
            rows = (later == number) & (places >= 0)
            numbers[:, places[rows]] += moments_us[:, places[rows]] >= started[rows]
    return numbers


def sessions_query(
    events_table: Relation, accounts_table: Relation, observation_us: int, left_out: Sequence[str]
) -> exp.Select:
    """Build `account, started, later`: when sessions after the first begin, in microseconds, and which they are."""
    rows = between(without(lags(events_table, accounts_table), left_out), 0, observation_us)
    by_time = {
        "partition_by": [column("account")],
        "order": exp.Order(expressions=[exp.Ordered(this=column("lag"), nulls_first=False)]),
    }
    # After an account's last row some engines say null and some zero; neither is beyond a pause.
    neighbours = rows.select(
        column("account"), column("lag"), named(exp.Window(this=exp.Lead(this=column("lag")), **by_time), "next")
    )
    pause = exp.Paren(this=exp.Sub(this=column("next"), expression=column("lag")))
    begun = (
        exp.select(column("account"), named(column("next"), "started"))
        .select(named(exp.Window(this=exp.RowNumber(), **by_time), "later"))
        .from_(neighbours.subquery(identifier("neighbours")))
        .where(pause > exp.Literal.number(PAUSE))
    )
    return (
        exp.select(column("account"), column("started"), column("later"))
        .from_(begun.subquery(identifier("begun")))
        .where(column("later") < exp.Literal.number(MOST))
    )
