"""One small made-up log in plain form, from which the exports of every tool are written.

Times are whole seconds, because one of the tools has no finer ones; users belong to one account.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from discovery.exposure import candidate_flags, measure
from discovery.intake import UNKNOWN_TIME, Relations, load
from discovery.simulate import simulate_world
from discovery.spec import Day, StudySpec, build_spec

CHANNELS = ("email", "link", "slack", "größe/日本")
RENAMED, RENAMED_ON = "report_shared", datetime(2025, 4, 1, tzinfo=UTC)
"""The event that some products gave this name on that day; how they called it before is `Export.former`."""


@dataclass(frozen=True)
class Event:
    account: str
    user: str
    name: str
    time: datetime  # UTC, whole seconds
    id: str
    properties: Mapping[str, Any]  # channel (text, sometimes missing), size (number), automatic (yes or no)


@dataclass(frozen=True)
class Account:
    id: str
    signup: datetime
    churned: datetime | None
    plan: str
    channel: str
    seats: int


@dataclass(frozen=True)
class PlainLog:
    """The log as lived: no duplicates, no noise, in order of time."""

    events: tuple[Event, ...]
    accounts: tuple[Account, ...]

    def of(self, account: str) -> Iterator[Event]:
        return (event for event in self.events if event.account == account)

    def soon_followed(self) -> frozenset[str]:
        """Return the ids of the first events of users who did the next thing within a day, as after a login."""
        first: dict[str, list[Event]] = {}
        for event in self.events:
            first.setdefault(event.user, []).append(event)
        pairs = (own[:2] for own in first.values() if len(own) > 1)
        return frozenset(one.id for one, two in pairs if two.time - one.time < timedelta(days=1))


@dataclass(frozen=True)
class Export:
    """One shape in which a tool exports its events.

    `written_by` puts a log into a folder and returns where the events and the accounts are: paths that `discover` can
    be given. None for the accounts: they are read off the events.
    """

    name: str  # tool and shape, as in "posthog/parquet": the folder of the shipped fixture
    written_by: Callable[[PlainLog, Path], tuple[Path, Path | None]]
    former: str = ""  # the name of the event RENAMED before RENAMED_ON, where the product had another

    def write(self, log: PlainLog, folder: Path) -> tuple[Path, Path | None]:
        """Write the log as this tool recorded it: an event that was renamed has its former name before that day."""
        return self.written_by(formerly(log, self.former) if self.former else log, folder)

    @property
    def settings(self) -> dict[str, Any]:
        """What a spec has to say for the export to be read as the plain log: which name was once another."""
        return {"events": {"aliases": {RENAMED: [self.former]}}} if self.former else {}


@cache
def plain_log(accounts: int = 120, seed: int = 3) -> PlainLog:
    world = simulate_world("easy", accounts=accounts, seed=seed)
    rng = random.Random(seed)
    events = [
        Event(
            row["account_id"],
            row["user_id"],
            row["event"],
            row["timestamp"].astimezone(UTC).replace(microsecond=0),
            row["event_id"],
            _properties(rng),
        )
        for row in world.events.to_pylist()
    ]
    roll = [
        Account(
            row["account_id"],
            row["signup_at"].astimezone(UTC).replace(microsecond=0),
            row["churned_at"].astimezone(UTC).replace(microsecond=0) if row["churned_at"] else None,
            row["plan"],
            row["channel"],
            row["seats"],
        )
        for row in world.accounts.to_pylist()
    ]
    return PlainLog(tuple(sorted(events, key=lambda event: (event.time, event.id))), tuple(roll))


def formerly(log: PlainLog, name: str) -> PlainLog:
    """Return the log with the renamed event under its former name before the day of the renaming."""
    old = {event.id for event in log.events if event.name == RENAMED and event.time < RENAMED_ON}
    return replace(log, events=tuple(replace(e, name=name) if e.id in old else e for e in log.events))


def write_plain(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write events.csv and accounts.csv."""
    events, accounts = folder / "events.csv", folder / "accounts.csv"
    with events.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["account_id", "user_id", "event", "timestamp", "event_id", "channel", "size", "automatic"])
        for event in log.events:
            p = event.properties
            values = [p.get("channel", ""), p["size"], str(p["automatic"]).lower()]
            out.writerow([event.account, event.user, event.name, event.time.isoformat(), event.id, *values])
    write_accounts(log, accounts)
    return events, accounts


def write_accounts(log: PlainLog, path: Path) -> Path:
    """Write the table of accounts as a customer system would export it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["account_id", "signup_at", "churned_at", "plan", "channel", "seats"])
        for account in log.accounts:
            churned = account.churned.isoformat() if account.churned else ""
            out.writerow(
                [account.id, account.signup.isoformat(), churned, account.plan, account.channel, account.seats]
            )
    return path


def flags_of(relations: Relations) -> dict[str, frozenset[str]]:
    """Return which accounts met which candidate, by the text of the candidate."""
    windows = tuple(days * Day for days in (1, 3, 7))
    accounts = relations.accounts
    exposure = measure(
        relations.engine, relations.events_table, relations.accounts_table, len(accounts), windows, 14 * Day
    )
    positions = np.flatnonzero(accounts.signup != UNKNOWN_TIME)
    flags = candidate_flags(exposure, positions, (1, 2, 3, 5, 10), (1, 3, 7, 14), (1, 2, 3))
    ids = accounts.account_id[positions]
    return {str(condition): frozenset(ids[flags.dense([row])[0]]) for row, condition in enumerate(flags.conditions)}


def loaded_flags(events: object, accounts: object, spec: StudySpec | None = None) -> dict[str, frozenset[str]]:
    """Return the flags of two sources, read as a study reads them."""
    relations = load(events, accounts, spec or build_spec({}))
    try:
        return flags_of(relations)
    finally:
        relations.engine.close()


def _properties(rng: random.Random) -> dict[str, Any]:
    values: dict[str, Any] = {"size": rng.choice([1, 2, 3, 5, 8, 13, 21.5]), "automatic": rng.random() < 0.2}
    if rng.random() < 0.9:
        values["channel"] = rng.choice(CHANNELS)
    return values
