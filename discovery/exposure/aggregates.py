"""Account x event aggregates of the observation window, as sparse arrays: all that ever leaves the engine."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from discovery.errors import InputError
from discovery.exposure.arrays import Among
from discovery.milestone import Condition
from discovery.spec import Day


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposure:
    """What every account did inside its observation window, one row per account and event that occurred.

    Attributes
    ----------
    events : tuple of str, length E
        Names that occur inside at least one observation window, sorted.
    n_accounts : int
        Number A of accounts; positions run from 0 to A - 1.
    windows_us : tuple of int, length W
        Windows in microseconds since signup, ascending; the last is the observation window.
    offsets : int64[E + 1]
        Rows `offsets[e]:offsets[e + 1]` belong to `events[e]`.
    account : int32[G]
        Position of the account, ascending within an event.
    counts : uint[W, G]
        Rows of the event with `0 <= lag < windows_us[w]`, in as few bytes as hold them, 2^31 - 1 at most.
    users : uint[W, G]
        Distinct users among them, likewise; rows without a user name none.
    first_lag : int64[G]
        Microseconds from signup to the first of them.
    acts : tuple of Condition
        Events with tests of their properties that were measured too.
    of_acts : Exposure or None
        The same aggregates of the rows that meet them, by the names of the acts; none of those rows counts twice here.
    """

    events: tuple[str, ...]
    n_accounts: int
    windows_us: tuple[int, ...]
    offsets: NDArray[np.int64]
    account: NDArray[np.int32]
    counts: NDArray[np.unsignedinteger[Any]]
    users: NDArray[np.unsignedinteger[Any]]
    first_lag: NDArray[np.int64]
    acts: tuple[Condition, ...] = ()
    of_acts: Exposure | None = None

    def part_of(self, condition: Condition) -> tuple[Exposure, slice]:
        """Return the aggregates that a condition is read from, and its rows in them.

        Raises
        ------
        InputError
            If its tests of properties were not measured.
        """
        if not condition.where:
            return self, self.event_rows(condition.event)
        if self.of_acts is None or condition.act not in self.acts:
            raise InputError(
                f"{condition.act_name} was not measured: only the tests of properties that the search opens, or that "
                "a milestone names from the start, are. Name the property in candidates.properties."
            )
        return self.of_acts, self.of_acts.event_rows(condition.act_name)

    def event_index(self, name: str) -> int:
        """Return the place of `name` in `events`.

        Raises
        ------
        InputError
            If the event never occurs inside an observation window; the nearest names are given.
        """
        place = bisect_left(self.events, name)
        if place < len(self.events) and self.events[place] == name:
            return place
        near = difflib.get_close_matches(name, self.events, n=3)
        hint = f"the nearest names are {', '.join(map(repr, near))}" if near else "check its spelling"
        raise InputError(f"The event {name!r} never occurs inside the observation window; {hint}.")

    def event_rows(self, name: str) -> slice:
        """Return the rows of an event, none where it never occurs."""
        place = bisect_left(self.events, name)
        if place == len(self.events) or self.events[place] != name:
            return slice(0, 0)
        return slice(int(self.offsets[place]), int(self.offsets[place + 1]))

    def window_index(self, window_us: int) -> int:
        """Return the place of a window in `windows_us`.

        Raises
        ------
        InputError
            If the window was not measured; the message lists those that were.
        """
        if window_us in self.windows_us:
            return self.windows_us.index(window_us)
        measured = ", ".join(map(in_days, self.windows_us))
        raise InputError(
            f"The window {in_days(window_us)} was not measured; available windows: {measured}. "
            "Use one of them, or add it to candidates.within_days."
        )

    def event_of_row(self) -> NDArray[np.int32]:
        """Return the place in `events` of every row, int32[G]."""
        return np.repeat(np.arange(len(self.events), dtype=np.int32), np.diff(self.offsets))

    def places_among(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return for every account its place in `positions`, -1 for those left out; int64[A].

        Raises
        ------
        ValueError
            If a position is repeated or does not exist.
        """
        positions = np.asarray(positions, dtype=np.int64)
        if positions.size and (positions.min() < 0 or positions.max() >= self.n_accounts):
            raise ValueError(f"positions must lie between 0 and {self.n_accounts - 1}")
        places = np.full(self.n_accounts, -1, dtype=np.int64)
        places[positions] = np.arange(positions.size)
        if np.count_nonzero(places >= 0) < positions.size:
            raise ValueError("positions must not repeat")
        return places

    def counts_among(self, positions: NDArray[np.int64]) -> sparse.csc_array[Any]:
        """Return how often each account did each event inside the observation window.

        Parameters
        ----------
        positions : int64[n]
            Distinct account positions, in the order of the rows wanted.

        Returns
        -------
        scipy.sparse.csc_array of int32, shape (n, E)
        """
        place = self.places_among(positions).astype(np.int32)[self.account]
        kept = place >= 0
        starts = np.concatenate(([0], np.cumsum(kept)))[self.offsets].astype(np.int32)
        shape = (len(positions), len(self.events))
        table = sparse.csc_array((self.counts[-1][kept].astype(np.int32), place[kept], starts), shape=shape)
        table.sort_indices()
        return table

    def first_lags(self, event: str, positions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the days from signup to the first `event` of each account, float64[n]; inf where never."""
        rows = self.event_rows(event)
        days = np.full(self.n_accounts, np.inf)
        days[self.account[rows]] = self.first_lag[rows] / Day
        return days[positions]

    def every_first_lags(self, positions: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
        """Yield for each of `events` the days from signup to its first, float64[n]; positions may not repeat."""
        among = Among(positions, self.n_accounts)
        for start, end in pairwise(self.offsets.tolist()):
            yield among.days(self.account[start:end], self.first_lag[start:end] / Day)


def events_at_signup(
    exposure: Exposure, positions: NDArray[np.int64], within_us: int = 300_000_000, share: float = 0.9
) -> tuple[str, ...]:
    """Name the events that come with signing up: they say who came, not what they did.

    Parameters
    ----------
    exposure : Exposure
        Aggregates of the observation window.
    positions : int64[n]
        Distinct positions of the accounts to judge by.
    within_us : int
        How soon after signup the first occurrence must lie, in microseconds (five minutes).
    share : float
        Least share of the accounts having the event for which that holds. An event that fewer than 20
        accounts have is not judged.

    Returns
    -------
    tuple of str
        Sorted event names.
    """
    kept = exposure.places_among(positions)[exposure.account] >= 0
    event = exposure.event_of_row()
    having = np.bincount(event[kept], minlength=len(exposure.events))
    soon = np.bincount(event[kept & (exposure.first_lag < within_us)], minlength=len(exposure.events))
    chosen = (having >= 20) & (soon >= share * having)
    return tuple(name for name, at_signup in zip(exposure.events, chosen, strict=True) if at_signup)


def in_days(window_us: int) -> str:
    """Return a window as people say it: `7d`, `36h`."""
    hours, rest = divmod(window_us, Day // 24)
    if rest:
        return f"{window_us / Day:g} days"
    return f"{hours}h" if hours % 24 else f"{hours // 24}d"
