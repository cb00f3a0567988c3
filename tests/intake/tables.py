"""Small tables for the tests of the intake, with nothing wrong in them until a test plants it."""

from __future__ import annotations

import pandas as pd

from discovery.intake import load
from discovery.spec import Day, build_spec

START = pd.Timestamp("2024-01-01")
US = 1_000_000


def clean_events(accounts: int = 20, days: int = 40) -> pd.DataFrame:
    """One event of each of two names per account and day, at a second of its own."""
    rows = [
        (f"a{i:02d}", f"u{i:02d}_{day % 3}", name, START + pd.Timedelta(days=day, seconds=60 * i + k + 1))
        for day in range(days)
        for i in range(accounts)
        for k, name in enumerate(("opened", "shared"))
        if day >= i % 5
    ]
    return pd.DataFrame(rows, columns=["account_id", "user_id", "event", "timestamp"])


def clean_accounts(accounts: int = 20) -> pd.DataFrame:
    """Accounts that signed up on the first days; every fourth left, a day after its last event or later."""
    signup = [START + pd.Timedelta(days=i % 5, seconds=1) for i in range(accounts)]
    return pd.DataFrame(
        {
            "account_id": [f"a{i:02d}" for i in range(accounts)],
            "signup_at": signup,
            "channel": [("ads", "search")[i % 2] for i in range(accounts)],
            "plan": ["free"] * accounts,
        }
    )


def read(events, accounts, /, **spec):
    """Load with a spec given as keywords."""
    return load(events, accounts, build_spec(spec))


def usable(relations) -> list[tuple]:
    """Return the usable events, sorted."""
    found = relations.engine.rows(f'SELECT account_id, event, user_id, t FROM "{relations.events_table}"')
    return sorted(found, key=lambda row: tuple("" if v is None else str(v) for v in row))


def named(relations, plain) -> list[tuple]:
    """Return the usable events of known accounts of a large log, numbers replaced by the ids that they stand for.

    Users are numbered in the order of their ids; `plain` are the usable events of the same log with the ids.
    """
    users, ids = sorted({row[2] for row in plain} - {None}), relations.accounts.account_id
    found = [
        (ids[account], event, None if user is None else users[user], t)
        for account, event, user, t in usable(relations)
        if account >= 0
    ]
    return sorted(found, key=lambda row: tuple("" if v is None else str(v) for v in row))


def codes(relations) -> dict[str, object]:
    """Return the findings by code; a code found twice fails the test."""
    found = {finding.code: finding for finding in relations.quality}
    assert len(found) == len(relations.quality)
    return found


def micros(text: str) -> int:
    """Return a UTC time as microseconds since 1970."""
    return pd.Timestamp(text).value // 1000


__all__ = ["START", "US", "Day", "clean_accounts", "clean_events", "codes", "micros", "read", "usable"]
