"""A made-up log of any size: accounts with habits of their own, each file in the order of time, one planted effect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

EVENTS_PER_ACCOUNT = 100
NAMES = 200
NAMES_PER_ACCOUNT = 24
EVENTS_PER_FILE = 4_000_000
_DAY_US = 86_400_000_000
_WHOLE = 18446744073709551616.0


@dataclass(frozen=True, slots=True)
class Log:
    """A log on disk: Parquet files of events, and a CSV of accounts."""

    folder: Path
    events: int
    accounts: int

    @property
    def pattern(self) -> str:
        """The events, as a glob."""
        return str(self.folder / "events_*.parquet")

    @property
    def roll(self) -> str:
        """The file of the accounts."""
        return str(self.folder / "accounts.csv")


def written(folder: Path, events: int, accounts: int | None = None) -> Log:
    """Write a log of that many events, unless it is there; by default an account for every hundred events.

    65 % of the events lie in the 14 days after signup, the others in the 90 days after those. An account uses up to 24
    of 200 names, by habits of its own, and has one to six users. Some of those who would do `event_007` do something
    else, and leave more often.
    """
    accounts = accounts or max(1, events // EVENTS_PER_ACCOUNT)
    home = folder / f"{events}x{accounts}"
    log = Log(home, events, accounts)
    done = home / "complete"
    if done.exists():
        return log
    home.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"preserve_insertion_order": "false"}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(
            _ACCOUNTS.format(accounts=accounts, **_random("i", signup=1, plan=2, loyal=4, size=5, left=6, day=9))
        )
        engine.execute(f"COPY ({_ROLL}) TO '{log.roll}' (HEADER)")
        for place, start in enumerate(range(0, events, EVENTS_PER_FILE)):
            rows = _EVENTS.format(
                start=start,
                end=min(events, start + EVENTS_PER_FILE),
                accounts=accounts,
                names=NAMES,
                own=NAMES_PER_ACCOUNT,
                day=_DAY_US,
                whole=_WHOLE,
                **_random("k", which=11, habit=12, early=13, user=14, when=15, lapse=16),
            )
            engine.execute(f"COPY ({rows}) TO '{home}/events_{place:03d}.parquet' (FORMAT parquet, COMPRESSION zstd)")
    done.touch()
    return log


def _random(row: str, **salts: int) -> dict[str, str]:
    """Return SQL of numbers in [0, 1) that depend on the row and a salt alone, so that a log is always the same."""
    return {name: f"(hash(CAST({row} AS BIGINT) * 64 + {salt}) / {_WHOLE})" for name, salt in salts.items()}


_ACCOUNTS = """
CREATE TABLE accounts AS
SELECT i, 'acct_' || lpad(CAST(i AS VARCHAR), 8, '0') AS account_id,
    TIMESTAMP '2025-01-01' + to_seconds(CAST({signup} * 22032000 AS BIGINT)) AS signup_at,
    ['free', 'team', 'business'][1 + CAST(floor({plan} * 3) AS INTEGER)] AS plan,
    {size} AS size, {loyal} > 0.6 AS loyal, {left} AS leaves, {day} AS day
FROM range({accounts}) AS r(i)"""

_ROLL = """
SELECT account_id, signup_at, plan,
    CASE WHEN leaves < (CASE WHEN loyal THEN 0.25 ELSE 0.45 END)
    THEN signup_at + to_seconds(CAST((15 + 75 * day) * 86400 AS BIGINT)) END AS churned_at
FROM accounts ORDER BY i"""

_EVENTS = """
SELECT account_id,
    'event_' || lpad(CAST(CASE WHEN name = 7 AND NOT loyal AND lapse < 0.7 THEN 8 ELSE name END AS VARCHAR), 3, '0')
        AS event,
    'user_' || lpad(CAST(i AS VARCHAR), 8, '0') || '_' || CAST(floor(who * (1 + 5 * size)) AS INTEGER) AS user_id,
    signup_at + to_microseconds(lag) AS timestamp
FROM (
    SELECT account, who, lapse, lag,
        CAST(floor(pow(hash(account * 32 + habit + 7777777777777) / {whole}, 2.5) * {names}) AS INTEGER) AS name
    FROM (
        SELECT CAST(floor(pow({which}, 1.4) * {accounts}) AS BIGINT) AS account,
            CAST(floor(pow({habit}, 1.6) * {own}) AS BIGINT) AS habit, {user} AS who, {lapse} AS lapse,
            CAST(CASE WHEN {early} < 0.65 THEN {when} * 14 ELSE 14 + {when} * 90 END * {day} AS BIGINT) AS lag
        FROM range({start}, {end}) AS r(k))
) AS e JOIN accounts AS a ON a.i = e.account
ORDER BY timestamp"""
