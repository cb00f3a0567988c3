"""A small table here that stands in for the events, for checks that ask when an account was seen, not how often."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake.eventlog import EventLog
from discovery.intake.names import LEFT_OUT, USER_LEFT_OUT
from discovery.intake.relations import UNKNOWN_TIME, Accounts
from discovery.intake.warehouse.rows import TypedEvents
from discovery.intake.warehouse.summary import Cube, Lives, Totals
from discovery.spec import Day


def counts_of(totals: Totals, cube: Cube, events: TypedEvents, name: str, *, dates: bool) -> EventLog:
    """Return what is known of the events once they are counted; `name` is that of the table that stands in for them.

    `dates` says that their column holds dates.
    """
    usable = cube.total("n")
    by_id = events.raw.duplicates == "by_id"
    return EventLog(
        typed=name,
        usable=name,
        rows_read=totals.rows,
        rows=totals.rows - totals.passed_over,
        duplicates_dropped=totals.complete - usable,
        by_id=by_id,
        blank=totals.blank,
        rows_unread=0,
        examples_unread=(),
        date_only=dates or (usable > 1 and not cube.total("off_midnight")),
        start=int(cube.numbers["first"].min()) if usable else None,
        end=int(cube.numbers["last"].max()) if usable else None,
        usable_rows=usable,
        missing_account=totals.missing_account,
        missing_event=totals.missing_event,
        missing_time=totals.missing_time,
        unreadable_time=totals.unreadable_time,
        has_users=cube.total("users") > 0,
        passed_over={LEFT_OUT if events.raw.leave_out else USER_LEFT_OUT: totals.passed_over},
    )


def stand_in(engine: DuckDBEngine, name: str, accounts: Accounts, lives: Lives, days: np.ndarray) -> None:
    """Make the table `name` with `account_id, event, user_id, t`.

    It has the first and the last event of every account, one in the second in which it left if there is one, and one
    on each of the `days` (of no account). Events are called after their account, so that no name is common to many.
    """
    left = accounts.churned[lives.account]
    gone = (lives.at_leaving > 0) & (left != UNKNOWN_TIME)
    position = np.concatenate([lives.account, lives.account, lives.account[gone]])
    times = np.concatenate([lives.first, lives.last, np.minimum(left[gone], lives.last[gone])])
    ids = pa.array([*accounts.account_id[position], *([None] * len(days))], type=pa.string())
    table = {
        "account_id": ids,
        "event": ids.fill_null(""),
        "user_id": pa.nulls(len(ids), pa.string()),
        "t": pa.array(np.concatenate([times, days // Day * Day]).astype(np.int64)),
    }
    engine.register(name, pa.table(table))
