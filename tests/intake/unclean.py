"""Small worlds with much wrong in them, for checks that are asked in more than one way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

START = datetime(2024, 3, 4)
ACCOUNTS = 120
SPEC: dict[str, Any] = {
    "events": {
        "account": "account_id",
        "event": "event",
        "user": "user_id",
        "time": "time",
        "leave_out": ["Heart*"],
    },
    "accounts": {
        "account": "account_id",
        "signup": "signup_at",
        "churned": "churned_at",
        "segments": ["plan", "channel"],
        "seats": "seats",
    },
    "kinds": {"value": ["no such event"]},
    "outcome": {"by_day": 28},
}
PAST_THE_LOG = {**SPEC, "accounts": {**SPEC["accounts"], "observed_until": "2024-12-31"}}

_NAMES = ("opened", "shared", "Shared", "Heartbeat")
_Event = tuple[str | None, str | None, str | None, datetime | None]


def unclean(*, silent: bool) -> tuple[pa.Table, pa.Table]:
    """Return events and accounts; accounts that left did so with their last event if `silent`, else days before."""
    signups = [START + timedelta(hours=7 * i, seconds=i) for i in range(ACCOUNTS)]
    events: list[_Event] = [
        (f"a{i}", _NAMES[(i + day) % 4], f"u{i}" if day % 9 else None, at + timedelta(days=day, hours=5))
        for i, at in enumerate(signups)
        if i % 10
        for day in range(12 + i % 5)
    ]
    last = {key: at for key, name, _, at in events if key and at and name != "Heartbeat"}
    moved = timedelta(0 if silent else -3)
    left = [last[f"a{i}"] + moved if i % 3 == 0 and i % 10 else None for i in range(ACCOUNTS)]
    known = len(events)
    events += [(None, name, user, at) for _, name, user, at in events[: known // 10]]
    events += [(key, None, user, at) for key, _, user, at in events[:7]]
    events += [(key, name, user, None) for key, name, user, _ in events[7:18]]
    events += [("nobody", name, user, at) for _, name, user, at in events[20:45]]
    events.append(("a1", "opened", "u1", START - timedelta(days=400)))
    rows: list[tuple[Any, ...]] = [
        (f"a{i}", at, left[i], "same", ("ads", "search")[i % 2], "-3" if i % 4 == 0 else "5")
        for i, at in enumerate(signups)
    ]
    rows.append(rows[3])
    rows.append((None, START, None, "same", "ads", "5"))
    rows.append(("late", START + timedelta(days=300), None, "same", "ads", "5"))
    rows.append(("early", START - timedelta(days=30), None, "same", "ads", "5"))
    rows.append(("odd", START + timedelta(days=5), START + timedelta(days=1), "same", "ads", "5"))
    rows.append(("test", START + timedelta(days=2), None, "same", "ads", "5"))
    rows.append(("unsigned", None, None, "same", "ads", "5"))
    return (
        _table(events, ("account_id", "event", "user_id", "time")),
        _table(rows, ("account_id", "signup_at", "churned_at", "plan", "channel", "seats")),
    )


def _table(rows: list[Any], names: tuple[str, ...]) -> pa.Table:
    return pa.table(
        {
            name: pa.array(held, pa.timestamp("us") if name == "time" or name.endswith("_at") else pa.string())
            for name, held in zip(names, zip(*rows, strict=True), strict=True)
        }
    )
