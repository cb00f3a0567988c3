"""Stretches of the log without an event that was expected there: launches, ends and gaps of its tracking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from discovery.engines.expressions import quoted
from discovery.intake.sql import literal
from discovery.intake.volume import Log, Volume
from discovery.spec import Day

EXPECTED = 10.0
"""Account-days that make a silence surprising: under a Poisson law none at all then has probability 0.00005."""

_LONG = 0.1  # of the log's span
_SHORTEST_GAP = 2  # days; on a single day a holiday of one market is enough
_OUTSTANDING = 4.0  # times the third longest silence of the event
_LIVED = 0.5  # of the gap, that the event must have lived on each side of it
_WEEKS = 4
SHORTEST_LOG = 10 * Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A silence of an event: where, from when until when (microseconds), and how many account-days were expected.

    A launch ends with the event's first time, an end starts with its last. `event` is empty where the whole log is
    silent.
    """

    kind: Literal["launch", "end", "gap"]
    event: str
    start: int
    end: int
    expected: float


def quiet_stretches(log: Log, volume: Volume, ages: AccountDays) -> tuple[Quiet, ...]:
    """Return the launches, ends and gaps of the events of a log.

    An event is taken to have begun (or ended) where the silent part is at least a tenth of the log's span, and where
    at least ten of the account-days with the event would be expected there if they were spread over the log like all
    activity, and still if compared with the activity of accounts of the same age alone: events late in an account's
    life are rightly absent from a young log. A gap, of two days or more, asks the same, and stands out among the
    event's own silences: an event that comes in bursts has several.
    """
    if log.end - log.start < SHORTEST_LOG:
        return ()
    suspects = [quiet for event in volume.frequent(EXPECTED) for quiet in _of_event(log, volume, event)]
    return tuple(_confirmed(suspects, ages))


def empty_days(volume: Volume) -> tuple[Quiet, ...]:
    """Return the stretches of whole days without any event where the same weekdays around them had some."""
    empty = np.flatnonzero(volume.activity == 0)
    found = []
    for run in np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1):
        expected = [_usual(volume.activity, int(day), int(run[0]), int(run[-1])) for day in run]
        counted = [(int(day), usual) for day, usual in zip(run, expected, strict=True) if usual >= EXPECTED]
        if counted:
            low, high = counted[0][0] + volume.start, counted[-1][0] + volume.start + 1
            total = sum(usual for _, usual in counted)
            found.append(Quiet(kind="gap", event="", start=low * Day, end=high * Day, expected=total))
    return tuple(found)


def _usual(activity: NDArray[np.int64], day: int, first: int, last: int) -> float:
    """Return the lower median of the same weekday in the weeks before and after a stretch; 0 where a few are quiet."""
    before = [d for d in range(day, -1, -7) if d < first][:_WEEKS]
    after = [d for d in range(day, len(activity), 7) if d > last][:_WEEKS]
    around = sorted(int(activity[d]) for d in (*before, *after))
    enough = len(before) >= 2 and len(after) >= 2 and around[1] >= EXPECTED
    return float(around[(len(around) - 1) // 2]) if enough else 0.0


def _of_event(log: Log, volume: Volume, event: int) -> Iterator[Quiet]:
    span, before = log.end - log.start, volume.before
    first, last = int(volume.first[event]), int(volume.last[event])
    low, high = first // Day - volume.start, last // Day - volume.start
    rate = volume.totals[event] / max(before[-1], 1)
    name = volume.names[event]
    early, late = rate * before[low], rate * (before[-1] - before[high + 1])
    if first - log.start >= _LONG * span and early >= EXPECTED:
        yield Quiet(kind="launch", event=name, start=log.start, end=first, expected=float(early))
    if log.end - last >= _LONG * span and late >= EXPECTED:
        yield Quiet(kind="end", event=name, start=last, end=log.end, expected=float(late))
    yield from _gaps(volume, event, low, high)


def _gaps(volume: Volume, event: int, low: int, high: int) -> Iterator[Quiet]:
    """Yield the silences inside an event's life that stand out among them."""
    days, before = volume.day[volume.of(event)] - volume.start, volume.before
    silent = before[days[1:]] - before[days[:-1] + 1]
    if not len(silent):
        return
    life = before[high + 1] - before[low]
    rate = volume.totals[event] / max(life, 1)
    usual = np.sort(silent)[-3] if len(silent) >= 3 else silent.min()
    long = (np.diff(days) > _SHORTEST_GAP) & (rate * silent >= EXPECTED) & (silent >= _OUTSTANDING * usual)
    for i in np.flatnonzero(long):
        lived = min(before[days[i] + 1] - before[low], before[high + 1] - before[days[i + 1]])
        if lived >= _LIVED * silent[i]:
            start, end = (int(days[i]) + 1 + volume.start) * Day, (int(days[i + 1]) + volume.start) * Day
            expected = float(rate * silent[i])
            yield Quiet(kind="gap", event=volume.names[event], start=start, end=end, expected=expected)


def _confirmed(suspects: Sequence[Quiet], ages: AccountDays) -> Iterator[Quiet]:
    """Yield those whose silence is surprising for accounts of the age at which the event happens."""
    for quiet in suspects:
        days, low, high = ages.of_event(quiet.event)
        start = -np.inf if quiet.kind == "launch" else quiet.start
        silent, all_days = ages.between(low, high, start, np.inf if quiet.kind == "end" else quiet.end)
        if days * silent >= EXPECTED * max(all_days, 1):
            yield quiet


class AccountDays:
    """The days of age on which accounts were active, and when in the calendar each began; read when first asked."""

    def __init__(self, log: Log) -> None:
        self._log, self._name = log, quoted(f"{log.events}_aged")
        self._read = False
        self._known: dict[str, tuple[int, float, float]] = {}
        self._days = (
            f"SELECT DISTINCT a.account, a.signup, (e.t - a.signup) // {Day} AS age FROM {log.looked_at} e "
            f"JOIN {quoted(log.accounts)} a ON e.account_id = a.account_id WHERE e.t >= a.signup"
        )

    def of_event(self, event: str) -> tuple[int, float, float]:
        """Return on how many account-days an event happens, and the ages between which nine in ten of them lie."""
        if event not in self._known:
            days, low, high = self._log.engine.rows(
                f"SELECT count(*), quantile_cont(age, 0.05), quantile_cont(age, 0.95) "
                f"FROM ({self._days} AND e.event = {literal(event)})"
            )[0]
            self._known[event] = int(days), float(low or 0), float(high or 0)
        return self._known[event]

    def between(self, low: float, high: float, start: float, end: float) -> tuple[int, int]:
        """Return how many active account-days of these ages lie in a stretch as a whole, and how many there are.

        An account's day of age reaches over two days of the calendar.
        """
        if not self._read:
            self._log.engine.execute(
                f"CREATE OR REPLACE TABLE {self._name} AS SELECT age, signup + age * {Day} AS begun FROM ({self._days})"
            )
            self._read = True
        conditions = [f"begun > {int(start)}"] if np.isfinite(start) else []
        conditions += [f"begun + {Day} <= {int(end)}"] if np.isfinite(end) else []
        silent, of = self._log.engine.rows(
            f"SELECT coalesce(count_if({' AND '.join(conditions)}), 0), count(*) FROM {self._name} "
            f"WHERE age BETWEEN {low} AND {high}"
        )[0]
        return int(silent), int(of)

    def close(self) -> None:
        """Drop what was read."""
        self._log.engine.execute(f"DROP TABLE IF EXISTS {self._name}")
