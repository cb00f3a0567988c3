"""All that a study asks of the events, as one tall table: its columns, its parts, and the name it has in an engine.

One side writes the SELECT that makes it where the events are, the other reads the answer.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from discovery.spec import StudySpec

FORMAT = "1"
"""The number of this layout; another one is refused."""

PARTS = ("setting", "count", "account", "event", "day", "cell", "burst")
TEXTS = ("part", "account_id", "event")
NUMBERS = ("code", "n", "users", "first_us", "last_us", "ever_n", "ever_first", "ever_last", "later", "alone")
COUNTS = (
    *("rows", "no_account", "no_event", "no_time", "passed_over", "with_user"),
    *("usable", "seconds", "off_midnight", "joined"),
)
"""What is counted over all rows; `moments` is counted over the windows."""

DAYS_IN_ONE = 60
"""Days of the observation window in one column of `days_0`, `days_1`, ...: a bit each."""


@dataclass(frozen=True, slots=True)
class Aggregated:
    """Aggregates that stand in an engine in the place of a table of events.

    `cells` has a row for every account and event that ever occurred: `account` (the position), `event`, `n`, `users`,
    `first_us`, `last_us` inside the window, `ever_first`, `ever_last`, `later`, `alone`, and the windows' and days'
    columns. `bursts` has `account`, `events` (a list) and `n`, the seconds in which just these were done together.

    Attributes
    ----------
    name : str
        What the names of all their tables begin with; it is no table itself.
    """

    name: str

    @property
    def cells(self) -> str:
        """The table of accounts and events."""
        return f"{self.name}_cells"

    @property
    def bursts(self) -> str:
        """The table of seconds with several events."""
        return f"{self.name}_bursts"

    @property
    def names(self) -> str:
        """The table of every name in the log: `event`, `code` (of the bursts), `n`."""
        return f"{self.name}_names"

    @property
    def clock(self) -> str:
        """The table with how many of the sixty seconds of a minute occur: `seconds`."""
        return f"{self.name}_clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the aggregates were asked for; another spec may need others.

    Attributes
    ----------
    window_days : int
        The observation window.
    within_days : tuple of int
        Shorter windows, ascending.
    active_days : tuple of int
        The later window that the outcome `active` looks at.
    timezone, duplicates : str
        As in the spec.
    dates_only, has_users : bool
        Whether event times are dates, and whether a column names the user.
    rewritten : str
        Digest of the aliases and of what is left out of the events.
    """

    window_days: int
    within_days: tuple[int, ...]
    active_days: tuple[int, int]
    timezone: str
    duplicates: str
    dates_only: bool
    has_users: bool
    rewritten: str

    @classmethod
    def of(cls, spec: StudySpec, *, dates_only: bool, has_users: bool) -> Settings:
        """Return what a spec asks for."""
        events, window = spec.events, spec.candidates.window_days
        named = [sorted((k, sorted(v)) for k, v in events.aliases.items()), sorted(events.leave_out)]
        text = json.dumps([*named, sorted(events.leave_out_users)], ensure_ascii=True)
        return cls(
            window_days=window,
            within_days=tuple(days for days in spec.candidates.within_days if days < window),
            active_days=spec.outcome.active_days,
            timezone=events.timezone,
            duplicates=events.duplicates,
            dates_only=dates_only,
            has_users=has_users,
            rewritten=hashlib.sha256(text.encode()).hexdigest()[:16],
        )

    @property
    def words(self) -> dict[str, str]:
        """Every setting as text."""
        return {
            "format": FORMAT,
            "candidates.window_days": str(self.window_days),
            "candidates.within_days": _listed(self.within_days),
            "outcome.active_days": _listed(self.active_days),
            "events.timezone": self.timezone,
            "events.duplicates": self.duplicates,
            "dates_only": str(self.dates_only).lower(),
            "has_users": str(self.has_users).lower(),
            "rewritten": self.rewritten,
        }

    @property
    def masks(self) -> tuple[str, ...]:
        """The columns of days."""
        return tuple(f"days_{place}" for place in range(-(-self.window_days // DAYS_IN_ONE)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column, those of text first."""
        windows = (f"{count}_{days}d" for days in self.within_days for count in ("n", "u"))
        return (*TEXTS, *NUMBERS, *windows, *self.masks)


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def window_columns(held: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return those of some columns that are windows' and days', in their order."""
    windows = [name for name in held if re.fullmatch("[nu]_[0-9]+d", name)]
    return windows, [name for name in held if re.fullmatch("days_[0-9]+", name)]
