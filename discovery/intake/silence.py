"""Whether a churn date is a recorded departure, or only the day an account was last seen."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.columns import Table
from discovery.intake.derived import CHURNED
from discovery.intake.eventlog import EventLog
from discovery.intake.lexicon import normalised
from discovery.intake.relations import UNKNOWN_TIME
from discovery.intake.roster import Roster
from discovery.intake.sql import id_text
from discovery.intake.wording import counted
from discovery.spec import Day

_ENOUGH = 5
_MOST = 0.9
_SECOND = 1_000_000


def silence_in_words(roll: Table, events: EventLog, roster: Roster, silence_days: int = 0) -> str:
    """Say, after "At least 90 % of them ...", how churn dates repeat an account's last sign of life.

    Parameters
    ----------
    roll, events, roster
        The accounts as given, the events, and the accounts as read.
    silence_days
        Days after the last event at which churn dates were set while reading; 0: they are as recorded.

    Returns
    -------
    str
        Empty where a departure was recorded. Otherwise at least 90 % of at least 5 churn dates are the
        account's last event (to the second, or to the day where the churn dates are days), the last event
        plus the same number of days, the second of one of its events, or a column such as `last_seen`.
        They are no such repetition where the event they coincide with is itself the departure, as
        `subscription_cancelled` would be.
    """
    if silence_days and roll.roles.get("churned") == CHURNED:
        return f"lie exactly {counted(silence_days, 'day')} after the account's last event"
    churned = roster.accounts.churned
    left = np.flatnonzero(churned != UNKNOWN_TIME)
    if len(left) < _ENOUGH:
        return ""
    column = _last_seen_column(roll)
    if column:
        return f"are the same as {column!r}"
    name = f"{roster.table}_left"
    roll.engine.register(name, pa.table({"account_id": roster.keys(left), "churned": pa.array(churned[left])}))
    unit = Day if roster.churn_dates_only else _SECOND
    words = _after_last_event(roll.engine, events, name, unit, len(left))
    if not words and unit == _SECOND:
        words = _on_an_event(roll.engine, events, name, len(left))
    if words and "after" not in words and _departure_is_logged(roll.engine, events, name, unit, len(left)):
        words = ""
    roll.engine.execute(f"DROP TABLE {quoted(name)}")
    return words


def _last_seen_column(table: Table) -> str | None:
    """Return a column such as `last_seen` that the churn dates repeat."""
    churned = table.roles.get("churned")
    named = [c for c in table.names if normalised(c).startswith("last_") and c not in table.roles.values()]
    if churned is None:
        return None
    own = table.clock(churned).micros("UTC")
    for column in named:
        if table.clock(column).readable < _MOST:
            continue
        key = id_text(table.roles["account"], table.kind(table.roles["account"]))
        left, same = table.engine.rows(
            f"SELECT count(c), count_if(c = l) FROM (SELECT {own} AS c, {table.clock(column).micros('UTC')} AS l "
            f"FROM {quoted(table.rows)} WHERE {key} IS NOT NULL)"
        )[0]
        if left >= _ENOUGH and same >= _MOST * left:
            return column
    return None


def _after_last_event(engine: DuckDBEngine, events: EventLog, name: str, unit: int, left: int) -> str:
    gap = f"any_value(l.churned) // {unit} - max(e.t) // {unit}"
    found = engine.rows(
        f"SELECT gap, count(*) AS n FROM (SELECT {gap} AS gap FROM {quoted(events.usable)} e JOIN {quoted(name)} l "
        "ON e.account_id = l.account_id GROUP BY l.account_id) GROUP BY gap ORDER BY n DESC, gap LIMIT 1"
    )
    if not found or found[0][1] < _MOST * left or found[0][0] < 0 or found[0][0] * unit % Day:
        return ""
    days = int(found[0][0]) * unit // Day
    what = "to the day" if unit == Day else "to the second"
    return (
        f"lie exactly {counted(days, 'day')} after the account's last event"
        if days
        else (f"are the time of the account's last event {what}")
    )


def _on_an_event(engine: DuckDBEngine, events: EventLog, name: str, left: int) -> str:
    found = engine.rows(
        f"SELECT count(*) FROM {quoted(name)} l SEMI JOIN {quoted(events.usable)} e "
        f"ON l.account_id = e.account_id AND l.churned // {_SECOND} = e.t // {_SECOND}"
    )
    return "are the time of one of the account's events to the second" if found[0][0] >= _MOST * left else ""


def _departure_is_logged(engine: DuckDBEngine, events: EventLog, name: str, unit: int, left: int) -> bool:
    """Say whether one event happens to most accounts that left, at their churn date, and hardly ever else."""
    found = engine.rows(
        f"SELECT count(*) FROM (SELECT count(*) AS rows_of_event, count_if(gone) AS rows_at_churn, "
        f"count(DISTINCT CASE WHEN gone THEN account_id END) AS accounts_at_churn FROM (SELECT e.event, e.account_id, "
        f"coalesce(l.churned // {unit} = e.t // {unit}, false) AS gone FROM {quoted(events.usable)} e "
        f"LEFT JOIN {quoted(name)} l ON e.account_id = l.account_id) GROUP BY event) "
        f"WHERE accounts_at_churn >= {_MOST * left} AND rows_at_churn >= {_MOST} * rows_of_event"
    )
    return bool(found[0][0])
