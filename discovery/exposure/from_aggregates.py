"""What the queries over events ask, asked of aggregates of them instead: the same columns, the same numbers.

Aggregates stand in a DuckDB engine, so these queries are written in its SQL. Each joins the accounts it is given, as
the queries over events do.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlglot
from sqlglot import exp

from discovery.engines.aggregated import DAYS_IN_ONE, Aggregated
from discovery.engines.expressions import Relation, aliased, quoted
from discovery.errors import InputError
from discovery.spec import Day


def exposure_rows(
    held: Aggregated, accounts_table: Relation, windows_us: Sequence[int], observation_us: int
) -> exp.Select:
    """Build the rows of the exposure query.

    Raises
    ------
    InputError
        If a window is none of whole days: no other one is among the aggregates.
    """
    apart = [window for window in windows_us if window % Day]
    if apart:
        raise InputError(
            f"{len(apart)} of the windows end inside a day ({apart[0] / Day:g} days), and the aggregates hold whole "
            "days alone. Run on the events themselves."
        )
    pairs = "".join(f", c.n_{us // Day}d AS n_{i}, c.u_{us // Day}d AS u_{i}" for i, us in enumerate(windows_us))
    return _select(
        f"SELECT c.account, c.event, c.n, c.users, c.first_us AS first_lag{pairs} "
        f"FROM {_joined(held.cells, 'c', accounts_table)} WHERE c.n > 0"
    )


def rhythm_rows(held: Aggregated, accounts_table: Relation, observation_us: int, left_out: Sequence[str]) -> exp.Select:
    """Build the rows of the rhythm query."""
    masks = range(-(-observation_us // (DAYS_IN_ONE * Day)))
    days = " + ".join(f"CAST(BIT_COUNT(BIT_OR(c.days_{place})) AS BIGINT)" for place in masks)
    listed = ", ".join(map(_text, left_out))
    kept = f" AND NOT c.event IN ({listed})" if left_out else ""
    told = f" WHERE NOT LIST_HAS_ALL([{listed}], b.events)" if left_out else ""
    return _select(
        "SELECT own.account, own.actions, own.alone + COALESCE(met.n, 0) AS moments, own.days, own.last FROM "
        "(SELECT c.account, CAST(SUM(c.n) AS BIGINT) AS actions, CAST(SUM(c.alone) AS BIGINT) AS alone, "
        f"{days} AS days, MAX(c.last_us) AS last FROM {_joined(held.cells, 'c', accounts_table)} "
        f"WHERE c.n > 0{kept} GROUP BY c.account) AS own "
        f"LEFT JOIN (SELECT b.account, CAST(SUM(b.n) AS BIGINT) AS n FROM {quoted(held.bursts)} AS b{told} "
        "GROUP BY b.account) AS met ON own.account = met.account"
    )


def company_rows(held: Aggregated, accounts_table: Relation) -> exp.Select:
    """Build the rows of the company query."""
    cells = f"SELECT c.event, c.alone, 0 AS met FROM {_joined(held.cells, 'c', accounts_table)} WHERE c.n > 0"
    bursts = _joined(held.bursts, "b", accounts_table)
    by_event = f"{cells} UNION ALL SELECT UNNEST(b.events) AS event, 0 AS alone, b.n AS met FROM {bursts}"
    of_all = (
        f"SELECT NULL AS event, alone, met FROM ({cells}) AS cells "
        f"UNION ALL SELECT NULL AS event, 0 AS alone, b.n AS met FROM {bursts}"
    )
    return _select(
        "SELECT event, CAST(SUM(alone + met) AS BIGINT) AS moments, CAST(SUM(met) AS BIGINT) AS shared "
        f"FROM ({by_event} UNION ALL {of_all}) AS company GROUP BY event"
    )


def clock_rows(held: Aggregated) -> exp.Select:
    """Build the row of the clock query."""
    return _select(f"SELECT seconds FROM {quoted(held.clock)}")


def name_rows(held: Aggregated) -> exp.Select:
    """Build the rows of the query of names."""
    return _select(f"SELECT event FROM {quoted(held.names)}")


def active_rows(
    held: Aggregated, accounts_table: Relation, activity: Sequence[str], passive: Sequence[str]
) -> exp.Select:
    """Build the rows of the query of later activity, in the one later window that was asked for."""
    which = ""
    if activity or passive:
        which = f" AND {'' if activity else 'NOT '}c.event IN ({', '.join(map(_text, activity or passive))})"
    return _select(
        f"SELECT c.account FROM {_joined(held.cells, 'c', accounts_table)} WHERE c.later > 0{which} GROUP BY c.account"
    )


def life_rows(held: Aggregated, accounts_table: Relation) -> exp.Select:
    """Build the rows of the query of first and last times over the whole log."""
    return _select(
        "SELECT c.account, c.event, c.ever_first AS first_lag, c.ever_last AS last_lag "
        f"FROM {_joined(held.cells, 'c', accounts_table)}"
    )


def _joined(table: str, alias: str, accounts_table: Relation) -> str:
    accounts = aliased(accounts_table, "a").sql(dialect="duckdb")
    return f"{quoted(table)} AS {alias} JOIN {accounts} ON {alias}.account = a.account"


def _text(value: str) -> str:
    written: str = exp.Literal.string(value).sql(dialect="duckdb")
    return written


def _select(sql: str) -> exp.Select:
    query = sqlglot.parse_one(sql, dialect="duckdb")
    assert isinstance(query, exp.Select)
    return query
