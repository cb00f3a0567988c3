"""Until when each account was observed: an administrative end, never the account's own last day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.columns import as_date
from discovery.intake.eventlog import EventLog
from discovery.intake.relations import UNKNOWN_TIME
from discovery.intake.roster import OwnEnd, Roster
from discovery.spec import AccountsSpec, Day

_ENOUGH = 5
_MOST = 0.9
_SECOND = 1_000_000


def with_end_of_observation(
    engine: DuckDBEngine, roster: Roster, events: EventLog, spec: AccountsSpec, timezone: str
) -> Roster:
    """Return the accounts with the end of observation of each.

    It is the account's `observed_until`; where it has none, the date in the spec; else the log's end. Where
    the column repeats each account's own churn date or last event, it is no such end and the log's end
    stands in for all: an account that left early would otherwise never be mature, and only stayers would be.
    """
    accounts = roster.accounts
    observed = accounts.observed_until
    own = _churn_dates(roster) or _last_events(engine, roster, events)
    if own:
        observed = np.full_like(observed, UNKNOWN_TIME)
    if events.date_only:  # a date includes its day
        observed = np.where((observed != UNKNOWN_TIME) & (observed % Day == 0), observed + Day, observed)
    known = accounts.signup[accounts.signup != UNKNOWN_TIME]
    end = _shared_end(spec, timezone, events)
    last = end if end is not None else int(known.max()) if len(known) else 0
    observed = np.where(observed == UNKNOWN_TIME, last, observed)
    return replace(roster, accounts=replace(accounts, observed_until=observed), own_end=own)


def _churn_dates(roster: Roster) -> OwnEnd | None:
    """Return the leavers whose observation is said to end the day they left, if most are."""
    observed, churned = roster.accounts.observed_until, roster.accounts.churned
    both = (observed != UNKNOWN_TIME) & (churned != UNKNOWN_TIME)
    apart = np.abs(np.where(both, observed, 0) - np.where(both, churned, 0))
    return _own_end("churn date", both, both & (apart < Day), observed)


def _last_events(engine: DuckDBEngine, roster: Roster, events: EventLog) -> OwnEnd | None:
    """Return the accounts whose observation is said to end with their last event, if most do."""
    observed = roster.accounts.observed_until
    given = observed != UNKNOWN_TIME
    if given.sum() < _ENOUGH or np.ptp(observed[given] // Day) == 0:
        return None
    found = engine.rows(
        f"SELECT a.account, max(e.t) FROM {quoted(events.usable)} e JOIN {quoted(roster.table)} a "
        "ON e.account_id = a.account_id GROUP BY a.account"
    )
    last = np.full_like(observed, UNKNOWN_TIME)
    if found:
        positions, times = np.array(found, dtype=np.int64).T
        last[positions] = times
    both = given & (last != UNKNOWN_TIME)
    if roster.observed_dates_only:
        later = np.where(both, last, 0) - np.where(both, observed, 0)
        return _own_end("last event", both, both & (later >= 0) & (later < Day), observed)
    return _own_end("last event", both, both & (observed // _SECOND == last // _SECOND), observed)


def _own_end(
    what: Literal["churn date", "last event"],
    compared: NDArray[np.bool_],
    same: NDArray[np.bool_],
    observed: NDArray[np.int64],
) -> OwnEnd | None:
    of = int(compared.sum())
    if of < _ENOUGH or same.sum() < _MOST * of:
        return None
    # One day for all is an administrative end, whatever else happened on it.
    one_day = np.ptp(observed[same] // Day) == 0
    return None if one_day else OwnEnd(what=what, same=same, of=of)


def _shared_end(spec: AccountsSpec, timezone: str, events: EventLog) -> int | None:
    """Return the end for accounts that name none: the date in the spec, else the log's end."""
    given = spec.observed_until
    moment = as_date(given) if isinstance(given, str) else given
    if not given or moment is None:
        return None if events.end is None else events.end + Day if events.date_only else events.end
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    zone = ZoneInfo(timezone)
    if events.date_only:
        wall = moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
        micros = (wall - datetime(1970, 1, 1)) // timedelta(microseconds=1)
        return micros + Day if micros % Day == 0 else micros
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
