"""Events whose volume changes from one week to the next and stays so, and events that follow on each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.intake.quiet import AccountDays, Quiet
from discovery.intake.sql import literal
from discovery.intake.volume import Log, Volume
from discovery.naming import folded, words_of
from discovery.spec import Day

_WEEK = 7 * Day
_FACTOR = 5.0
_STAYS = 3.0  # between the weeks that are nearest to each other, before and after
_FEWEST_WEEKS, _MOST_WEEKS = 3, 6
FEWEST_WEEKS_IN_ALL = 2 * _FEWEST_WEEKS + 1
"""Weeks of a log in which a jump can be told."""

_ROWS = 50.0  # expected on the quieter side at the other's rate
_ONE_ACCOUNT = 0.3  # of the rows of the busier side: then it is that account's doing
_SAME_TIME = 7 * Day
_SIMILAR = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """An event whose rows per active account change by a factor (below one: fewer) in the week that begins at `at`."""

    event: str
    at: int
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """An event that ends where another begins, about as often: perhaps one event renamed."""

    before: str
    after: str
    at: int


def jumps(log: Log, volume: Volume, ages: AccountDays) -> tuple[Jump, ...]:
    """Return the events whose volume per active account jumps by a factor of five or more, and stays.

    Rows are compared with the activity of all accounts in the same weeks, and then with that of accounts of the age
    at which the event happens: where fewer sign up, fewer set up.
    """
    weeks = volume.days // 7
    if weeks < FEWEST_WEEKS_IN_ALL:
        return ()
    activity = _by_week(np.arange(volume.days), volume.activity, weeks)
    found = []
    for event in volume.frequent(_ROWS / 5):
        where = volume.of(event)
        days = volume.day[where] - volume.start
        rows, own = (_by_week(days, counts[where], weeks) for counts in (volume.rows, volume.account_days))
        jump = _largest(rows, np.maximum(activity - own, 1))
        if jump:
            at = (volume.start + 7 * jump[0]) * Day
            found.append(Jump(event=volume.names[event], at=at, factor=jump[1]))
    return tuple(_confirmed(log, found, ages))


def successions(volume: Volume, quiet: Sequence[Quiet]) -> tuple[Succession, ...]:
    """Return the pairs of events of which one ends within a week of the other's launch, at a similar rate."""
    place = {name: i for i, name in enumerate(volume.names)}
    ended = [place[q.event] for q in quiet if q.kind == "end"]
    began = [place[q.event] for q in quiet if q.kind == "launch"]
    fitting = [
        (_unlike(volume, old, new), old, new)
        for old in ended
        for new in began
        if abs(int(volume.first[new]) - int(volume.last[old])) <= _SAME_TIME
        and max(ratio := _rate(volume, new) / _rate(volume, old), 1 / ratio) <= _SIMILAR
    ]
    found: list[Succession] = []
    taken: set[int] = set()
    for _, old, new in sorted(fitting):
        if old not in taken and new not in taken:
            taken |= {old, new}
            at = int(volume.first[new])
            found.append(Succession(before=volume.names[old], after=volume.names[new], at=at))
    return tuple(found)


def _by_week(days: NDArray[np.int64], counts: NDArray[np.int64], weeks: int) -> NDArray[np.float64]:
    whole = days < 7 * weeks
    summed: NDArray[np.float64] = np.bincount(days[whole] // 7, weights=counts[whole], minlength=weeks).astype(float)
    return summed


def _largest(rows: NDArray[np.float64], active: NDArray[np.float64]) -> tuple[int, float] | None:
    """Return the week of the clearest lasting jump and its factor; the week itself is on neither side."""
    best: tuple[float, int, float] | None = None
    rates = rows / active
    for week in _far_apart(rates):
        sides = (slice(max(0, week - _MOST_WEEKS), week), slice(week + 1, week + 1 + _MOST_WEEKS))
        before, after = (rates[side] for side in sides)
        if after.min() < _STAYS * before.max() and before.min() < _STAYS * after.max():
            continue
        low, high = sorted((before, after), key=lambda side: float(np.median(side)))
        apart = float(high.min() / low.max()) if low.min() > 0 else 0.0
        if apart < _STAYS or (best is not None and apart <= best[0]):
            continue
        factor = float(np.median(after) / np.median(before))
        enough = float(np.median(high)) * active[sides[0] if low is before else sides[1]].sum() >= _ROWS
        if enough and max(factor, 1 / factor) >= _FACTOR:
            best = (apart, week, factor)
    return None if best is None else best[1:]


def _far_apart(rates: NDArray[np.float64]) -> list[int]:
    """Return the weeks whose nearest neighbours on one side all lie far above those on the other."""
    windows = np.lib.stride_tricks.sliding_window_view(rates, _FEWEST_WEEKS)
    low, high, between = windows.min(axis=1), windows.max(axis=1), _FEWEST_WEEKS + 1
    rises, falls = low[between:] >= _STAYS * high[:-between], low[:-between] >= _STAYS * high[between:]
    weeks: list[int] = (np.flatnonzero(rises | falls) + _FEWEST_WEEKS).tolist()
    return weeks


def _confirmed(log: Log, found: Sequence[Jump], ages: AccountDays) -> Iterator[Jump]:
    """Yield the jumps that are seen among accounts of the same age, and are not one account's."""
    for jump in found:
        _, low, high = ages.of_event(jump.event)
        sides = ((jump.at - _MOST_WEEKS * _WEEK, jump.at), (jump.at + _WEEK, jump.at + (_MOST_WEEKS + 1) * _WEEK))
        active = [ages.between(low, high, start, end)[0] for start, end in sides]
        (before, _), (after, _) = counted = [_rows_between(log, jump.event, start, end) for start, end in sides]
        if not (before and after and all(active)):
            continue
        factor = after / active[1] / (before / active[0])
        busier, quieter = (1, 0) if jump.factor > 1 else (0, 1)
        rows, most = counted[busier]
        enough = rows / active[busier] * active[quieter] >= _ROWS
        same = _size(factor) >= _size(_FACTOR) and (factor > 1) is (jump.factor > 1)
        if same and enough and most <= _ONE_ACCOUNT * rows:
            yield jump


def _size(factor: float) -> float:
    return abs(float(np.log(factor)))


def _rows_between(log: Log, event: str, start: int, end: int) -> tuple[int, int]:
    """Return the rows of an event in a stretch, and those of the account with most."""
    rows, most = log.engine.rows(
        f"SELECT coalesce(sum(n), 0), coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM {log.looked_at} "
        f"WHERE event = {literal(event)} AND t >= {start} AND t < {end} GROUP BY account_id)"
    )[0]
    return int(rows), int(most)


def _rate(volume: Volume, event: int) -> float:
    """Return the account-days of an event per account-day of activity in its own life."""
    low, high = int(volume.first[event]) // Day - volume.start, int(volume.last[event]) // Day - volume.start
    return float(volume.totals[event] / max(volume.before[high + 1] - volume.before[low], 1))


def _unlike(volume: Volume, old: int, new: int) -> tuple[int, float]:
    """Return how little two events have in common: words first, then rates."""
    words = [{folded(word) for word in words_of(volume.names[event])} for event in (old, new)]
    return -len(words[0] & words[1]), abs(float(np.log(_rate(volume, new) / _rate(volume, old))))
