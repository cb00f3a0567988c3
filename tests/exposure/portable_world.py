"""A small raw world with everything in it that differs between engines, and when our own intake says it was reached."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from discovery import intake
from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.raw_tables import IdColumn, RawTables, TimeColumn
from discovery.exposure import reach_times
from discovery.milestone import Milestone
from discovery.spec import Day, build_spec

BERLIN = "Europe/Berlin"
EVENTS = ("report_shared", "Deal Created", 'it\'s \\ "odd"; -- {0}', "zażółć 🦆")
MILESTONES = (
    "report_shared",
    "report_shared >= 3 within 7d",
    "report_shared >= 2 within 7d by 2 users",
    "report_shared within 12h",
    '"Deal Created" >= 2 within 3d and report_shared by 3 users',
    '("Deal Created" and report_shared) within 7d or "zażółć 🦆" >= 4',
    '"it\'s \\\\ \\"odd\\"; -- {0}" >= 2 within 36h',
    "never_happens and report_shared",
)
_EDGES = [days * Day for days in (0, 0.5, 1.5, 3, 7, 14)]
_HOUR = Day // 24
# The nights on which clocks in Berlin go forward and back: before, after, and in the hour that is skipped or repeated.
_NIGHTS = [
    datetime(2024, 3, 31, 1, 59, 59, 999_999),
    datetime(2024, 3, 31, 2, 30),
    datetime(2024, 3, 31, 3),
    datetime(2024, 10, 27, 1, 59, 59, 999_999),
    datetime(2024, 10, 27, 2, 30),
    datetime(2024, 10, 27, 3, 0, 0, 1),
]
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class RawWorld:
    """Two Arrow tables, what their columns hold, and the spec that says the same to a study."""

    events: pa.Table
    accounts: pa.Table
    tables: RawTables
    spec: dict[str, Any]

    def expected(self, milestone: Milestone) -> dict[str, tuple[int, float]]:
        """Return by account when our intake and exposure have it reach: microseconds since 1970, days since signup."""
        relations = self._relations()
        tables = (relations.events_table, relations.accounts_table)
        days = reach_times(relations.engine, *tables, len(relations.accounts), milestone, 14 * Day)
        known = relations.accounts
        return {
            str(known.account_id[i]): (int(known.signup[i]) + round(days[i] * Day), float(days[i]))
            for i in np.flatnonzero(np.isfinite(days) & ~known.excluded)
        }

    @functools.cache  # noqa: B019
    def _relations(self) -> intake.Relations:
        return intake.load(self.events, self.accounts, build_spec(self.spec), engine=DuckDBEngine(threads=1))


@functools.cache
def raw_world(
    holds: str = "timestamp",
    *,
    seed: int = 0,
    zone: str = BERLIN,
    duplicates: str = "by_id",
    midnights: bool = False,
) -> RawWorld:
    """Make a world whose times are written as `holds`, a type of `TIME_TYPES`; events at midnight alone, if asked."""
    draw = random.Random(seed)
    signups = {f"a{i}": _signup(draw) for i in range(120)}
    rows = _rows(draw, signups)
    if midnights:
        rows = [(*row[:4], row[4] and datetime(row[4].year, row[4].month, row[4].day)) for row in rows]
    people = _accounts(draw, signups)
    events = pa.table(
        {
            "row": pa.array([row[0] for row in rows], pa.string()),
            "Workspace Id": pa.array([row[1] for row in rows], pa.string()),
            "person": pa.array([row[2] for row in rows], pa.string()),
            "event": pa.array([row[3] for row in rows], pa.string()),
            "timestamp": times([row[4] for row in rows], holds, zone, draw),
        }
    )
    accounts = pa.table(
        {
            "id": pa.array([row[0] for row in people], pa.string()),
            "signup": times([row[1] for row in people], holds, zone, draw),
            "internal": pa.array([row[2] for row in people], pa.bool_()),
        }
    )
    by_date = midnights or holds in ("date", "yyyymmdd")
    stored = "integer" if holds in ("milliseconds", "microseconds", "nanoseconds", "yyyymmdd") else "float"
    tables = RawTables(
        events="raw_events",
        accounts="raw_accounts",
        event_account=IdColumn(name="Workspace Id", stored="text"),
        event_name="event",
        event_time=TimeColumn(name="timestamp", holds=holds, stored=stored),
        event_user=IdColumn(name="person", stored="text"),
        event_id="row",
        account=IdColumn(name="id", stored="text"),
        signup=TimeColumn(name="signup", holds=holds, stored=stored),
        exclude="internal",
        timezone=zone,
        duplicates=duplicates,
        dates_only=by_date,
    )
    named = {"account": "Workspace Id", "user": "person", "event": "event", "time": "timestamp", "id": "row"}
    spec = {
        "events": {**named, "timezone": zone, "duplicates": duplicates},
        "accounts": {"account": "id", "signup": "signup", "exclude": "internal"},
    }
    return RawWorld(events, accounts, tables, spec)


def _signup(draw: random.Random) -> datetime | None:
    if draw.random() < 0.05:
        return None
    if draw.random() < 0.3:
        return draw.choice(_NIGHTS) - timedelta(microseconds=draw.choice(_EDGES))
    return datetime(2024, 3, 1) + timedelta(microseconds=draw.randrange(250 * Day))


def _rows(draw: random.Random, signups: dict[str, datetime | None]) -> list[tuple[Any, ...]]:
    """Return id, account, user, event and time; some ids repeat, some fields are missing or blank."""
    rows: list[tuple[Any, ...]] = []
    for account, signup in [*signups.items(), ("unknown", datetime(2024, 5, 1)), ("", datetime(2024, 5, 1))]:
        for _ in range(draw.randrange(25)):
            start = signup or datetime(2024, 5, 1)
            lag = draw.choice(_EDGES) + draw.choice([-_HOUR, -1, 0, 1, _HOUR])
            time = start + timedelta(microseconds=draw.choice([lag, draw.randrange(-2 * Day, 16 * Day)]))
            if draw.random() < 0.1:
                time = draw.choice(_NIGHTS)
            user = draw.choice([None, "", "u1", "u2", "u3", "Ü'"])
            event = draw.choice([*EVENTS, EVENTS[0], EVENTS[0]])
            fields = [f"r{len(rows)}", account, user, event, time]
            if draw.random() < 0.03:
                fields[draw.choice([1, 3, 4])] = None
            if draw.random() < 0.05:
                fields[0] = draw.choice([None, ""])
            rows.append(tuple(fields))
            if draw.random() < 0.15:
                rows.append(_repeated(draw, fields))
    draw.shuffle(rows)
    return rows


def _repeated(draw: random.Random, fields: list[Any]) -> tuple[Any, ...]:
    """Return the row again, under its id: the same, later, earlier, of another event, user or account, or unusable."""
    copy = list(fields)
    place = draw.choice([0, 1, 2, 3, 4, 4, 5])
    if place == 5 and copy[4] is not None:
        copy[1], copy[4] = draw.choice(["a1", "a99"]), copy[4] + timedelta(microseconds=draw.choice([-1, 1]))
    elif place == 4 and copy[4] is not None:
        copy[4] += timedelta(microseconds=draw.choice([-1, 1, -Day, Day]))
    elif 0 < place < 5:
        copy[place] = draw.choice([None, {1: "a1", 2: "u9", 3: "Deal Created", 4: None}[place]])
    return tuple(copy)


def _accounts(draw: random.Random, signups: dict[str, datetime | None]) -> list[tuple[Any, ...]]:
    """Return id, signup and mark; some accounts stand in several rows, which may disagree."""
    rows: list[tuple[Any, ...]] = [(None, datetime(2024, 5, 1), None), ("", datetime(2024, 5, 1), False)]
    for account, signup in signups.items():
        rows.append((account, signup, draw.choice([None, False, False, False, True])))
        if draw.random() < 0.2:
            other = draw.choice([None, signup, signup and signup + timedelta(microseconds=draw.choice([1, -1, Day]))])
            rows.append((account, other, draw.choice([None, False, True])))
    draw.shuffle(rows)
    return rows


def times(walls: list[datetime | None], holds: str, zone: str, draw: random.Random) -> pa.Array:
    """Write wall times of a zone as one column."""
    per_second = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
    if holds == "timestamp":
        return pa.array(walls, pa.timestamp("us"))
    if holds == "timestamptz":
        return pa.array([wall and _instant(wall, zone) for wall in walls], pa.timestamp("us", "UTC"))
    if holds == "date":
        return pa.array([wall and wall.date() for wall in walls], pa.date32())
    if holds == "yyyymmdd":
        return pa.array([wall and int(f"{wall:%Y%m%d}") for wall in walls], pa.int64())
    if holds == "text":
        return pa.array([_text(wall, zone, draw) for wall in walls], pa.string())
    counts = [
        wall and (_instant(wall, zone) - _EPOCH.replace(tzinfo=UTC)) // timedelta(microseconds=1) for wall in walls
    ]
    if holds == "seconds":
        return pa.array([count and count / 10**6 for count in counts], pa.float64())
    return pa.array([count and count * per_second[holds] // 10**6 for count in counts], pa.int64())


def _instant(wall: datetime, zone: str) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _text(wall: datetime | None, zone: str, draw: random.Random) -> str | None:
    if wall is None:
        return draw.choice([None, "", "n/a", "soon", "03/04/2024"])
    instant = _instant(wall, zone)
    return draw.choice(
        [
            wall.isoformat(),
            f" {wall:%Y-%m-%d %H:%M:%S.%f}",
            f"{instant:%Y-%m-%dT%H:%M:%S.%f}Z",
            f"{instant:%Y-%m-%d %H:%M:%S.%f}+00",
            instant.astimezone(ZoneInfo("Asia/Kolkata")).isoformat(),
        ]
    )


def as_micros(moment: datetime | date) -> int:
    """Return a moment, or the start of a date, in microseconds since 1970."""
    if not isinstance(moment, datetime):
        return (moment - _EPOCH.date()).days * Day
    return (moment - _EPOCH.replace(tzinfo=UTC)) // timedelta(microseconds=1)
