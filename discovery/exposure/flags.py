"""Aggregates into flags: which accounts met which candidate, one bit per account and candidate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.exposure.aggregates import Exposure
from discovery.milestone import Condition, Milestone
from discovery.spec import Day

_HOUR = Day // 24
OPENED_K, OPENED_D = (1, 3), (7, 14)
"""At least how often, and within how many days, acts are searched: a wider grid of each would cost too much power."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flags:
    """The candidates that tell accounts apart, and who met them.

    Attributes
    ----------
    conditions : tuple of Condition, length C
        The candidates, event by event, each with its window written out.
    packed : uint8[C, ceil(n / 8)]
        One bit per account (`numpy.packbits`, first account in the highest bit); padding bits are 0.
    n_accounts : int
        Number n of accounts, in the order in which they were asked for.
    event_of : int32[C]
        Place of each candidate's event in `Exposure.events`.
    """

    conditions: tuple[Condition, ...]
    packed: NDArray[np.uint8]
    n_accounts: int
    event_of: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.conditions)

    def reached(self) -> NDArray[np.int64]:
        """Return how many accounts met each candidate, int64[C]."""
        return _popcount(self.packed)

    def among(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many of the accounts in `mask` (bool[n]) met each candidate, int64[C]."""
        bits = np.packbits(np.asarray(mask, dtype=bool))
        counts = np.empty(len(self), dtype=np.int64)
        for rows in self._slices(256):
            counts[rows] = _popcount(self.packed[rows] & bits)
        return counts

    def dense(self, rows: slice | NDArray[np.integer[Any]] | Sequence[int]) -> NDArray[np.bool_]:
        """Return the flags of some candidates unpacked, bool[len(rows), n]."""
        return np.unpackbits(self.packed[rows], axis=1, count=self.n_accounts).view(np.bool_)

    def tiles(self, size: int = 256) -> Iterator[tuple[slice, NDArray[np.bool_]]]:
        """Yield every candidate unpacked, `size` of them at a time: (their slice, bool[<= size, n])."""
        for rows in self._slices(size):
            yield rows, self.dense(rows)

    def where(self, asked: Condition | Milestone) -> NDArray[np.int64]:
        """Return the row of each condition asked for, in canonical order; -1 where it is no candidate.

        A condition without a window is none of these: candidates have theirs written out.
        """
        conditions = asked.conditions if isinstance(asked, Milestone) else (asked,)
        rows = {condition: row for row, condition in enumerate(self.conditions)}
        return np.array([rows.get(condition, -1) for condition in conditions], dtype=np.int64)

    def _slices(self, size: int) -> Iterator[slice]:
        return (slice(start, min(start + size, len(self))) for start in range(0, len(self), size))


def candidate_flags(
    exposure: Exposure,
    positions: NDArray[np.int64],
    at_least: Sequence[int],
    within_days: Sequence[int],
    min_users: Sequence[int],
    min_side: int = 1,
    opened: Sequence[Condition] = (),
) -> Flags:
    """Evaluate the grid `event at least k times within d days by at least u users` over every event.

    An account meets a candidate if it has at least k rows and at least u distinct users of the event
    within `d x 24 h` of signup; u = 1 asks nothing of users. Candidates that all or none of the accounts
    meet are left out. Candidates of one event met by the same accounts are one candidate, kept in its
    simplest form: fewest users, then lowest k, then longest window. That is also the order of the
    candidates of an event, and events come in the order of `exposure.events`.

    Parameters
    ----------
    exposure : Exposure
        Aggregates of the observation window.
    positions : int64[n]
        Distinct account positions; they give the flags their order.
    at_least, within_days, min_users : sequence of int
        The values of k, d (days, each a measured window) and u.
    min_side : int
        Candidates met by fewer accounts, or by all but fewer, are left out, unless the event has no other;
        then its simplest one stands for it.
    opened : sequence of Condition
        Acts, events with tests of their properties, that are searched too: at least once and three times, within 7
        and 14 days, as far as the grid has these. They are candidates of their event, after its plain ones.

    Returns
    -------
    Flags

    Raises
    ------
    InputError
        If a window, or an act, was not measured.

    Notes
    -----
    Works event by event on dense columns of n bytes (wider only where k or u exceeds 255, above which
    counts are clamped), so the memory beyond the result is a few columns.
    """
    grid = _Grid(exposure, at_least, within_days, min_users)
    narrow = _Grid(exposure, _some(at_least, OPENED_K, 0), _some(within_days, OPENED_D, -1), (1,))
    acts: dict[str, list[Condition]] = {}
    for act in opened:
        acts.setdefault(act.event, []).append(act.act)
    places = exposure.places_among(positions)
    n = len(positions)
    conditions: list[Condition] = []
    event_of: list[int] = []
    packed = _Rows((n + 7) // 8)
    for index, event in enumerate(exposure.events):
        evaluated = [grid.evaluate(exposure, Condition(event), places, n)]
        evaluated += [narrow.evaluate(exposure, act, places, n) for act in sorted(acts.get(event, ()))]
        distinct = _distinct(chain.from_iterable(evaluated), n, min_side)
        if distinct:
            conditions += [condition for condition, _ in distinct]
            event_of += [index] * len(distinct)
            packed.add([bits for _, bits in distinct])
    return Flags(
        conditions=tuple(conditions),
        packed=packed.all(),
        n_accounts=n,
        event_of=np.array(event_of, dtype=np.int32),
    )


def flag(exposure: Exposure, positions: NDArray[np.int64], milestone: Milestone) -> NDArray[np.bool_]:
    """Evaluate any milestone for the accounts at `positions`.

    Parameters
    ----------
    exposure : Exposure
        Aggregates of the observation window.
    positions : int64[n]
        Account positions.
    milestone : Milestone
        Conditions with measured windows, nested in any way; no window means the observation window. A
        condition on an event that never occurs is met by no account.

    Returns
    -------
    bool[n]

    Raises
    ------
    InputError
        If a window was not measured (the message lists those that were), or a test of a property.
    """
    return _met(exposure, milestone)[positions]


def _met(exposure: Exposure, part: Condition | Milestone) -> NDArray[np.bool_]:
    if isinstance(part, Milestone):
        joined = np.logical_and if part.joined == "and" else np.logical_or
        met: NDArray[np.bool_] = joined.reduce([_met(exposure, inner) for inner in part.parts])
        return met
    hours = part.within_hours
    window = len(exposure.windows_us) - 1 if hours is None else exposure.window_index(hours * _HOUR)
    counted, rows = exposure.part_of(part)
    enough = counted.counts[window, rows] >= part.at_least
    if part.min_users > 1:
        enough &= counted.users[window, rows] >= part.min_users
    accounts = np.zeros(exposure.n_accounts, dtype=bool)
    accounts[counted.account[rows][enough]] = True
    return accounts


class _Grid:
    """The thresholds searched for one event, in the order from simple to particular."""

    def __init__(
        self, exposure: Exposure, at_least: Sequence[int], within_days: Sequence[int], min_users: Sequence[int]
    ) -> None:
        self.at_least = sorted(set(at_least))
        self.users = sorted(set(min_users))
        self.windows = [(exposure.window_index(days * Day), 24 * days) for days in sorted(set(within_days))[::-1]]
        # u users are at least u rows: below that, a higher k asks nothing more than the lowest does
        self.pairs = [(k, u) for u in self.users for k in self.at_least if k == self.at_least[0] or k > u]
        self.most = max(*self.at_least, *self.users)
        self.kind = np.dtype(np.uint8 if self.most <= 255 else np.int32)

    def evaluate(
        self, exposure: Exposure, act: Condition, places: NDArray[np.int64], n: int
    ) -> Iterator[tuple[Condition, NDArray[np.uint8]]]:
        """Yield every candidate of an event, or of one with tests, with its packed flags, simplest first."""
        counted, rows = exposure.part_of(act)
        place = places[counted.account[rows]]
        kept = place >= 0
        place = place[kept]
        often: dict[tuple[int, int], NDArray[np.uint8]] = {}
        broad: dict[tuple[int, int], NDArray[np.uint8]] = {}
        column: NDArray[np.integer[Any]] = np.zeros(n, dtype=self.kind)
        for window, _ in self.windows:
            column[place] = self._clamped(counted.counts[window, rows][kept])
            often.update({(k, window): np.packbits(column >= k) for k in self.at_least})
            if self.users[-1] > 1:
                column[place] = self._clamped(counted.users[window, rows][kept])
                broad.update({(u, window): np.packbits(column >= u) for u in self.users if u > 1})
        for k, u in self.pairs:
            for window, hours in self.windows:
                bits = often[k, window] if u == 1 else often[k, window] & broad[u, window]
                yield Condition(act.event, k, hours, u, act.where), bits

    def _clamped(self, counts: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
        return np.minimum(counts, self.most) if np.iinfo(counts.dtype).max > self.most else counts


class _Rows:
    """Rows of bytes in one array, which grows by little at a time: there is never a second copy of them."""

    def __init__(self, width: int) -> None:
        self._held: NDArray[np.uint8] = np.empty((0, width), dtype=np.uint8)
        self._n = 0

    def add(self, rows: Sequence[NDArray[np.uint8]]) -> None:
        needed = self._n + len(rows)
        if needed > len(self._held):
            self._resize(needed + needed // 8)
        for row in rows:
            self._held[self._n] = row
            self._n += 1

    def all(self) -> NDArray[np.uint8]:
        """Return the rows, to be read only."""
        self._resize(self._n)
        self._held.flags.writeable = False
        return self._held

    def _resize(self, rows: int) -> None:
        # Nobody else holds the array. What is as large as this moves without being copied.
        self._held.resize((rows, self._held.shape[1]), refcheck=False)


def _some(values: Sequence[int], wanted: Sequence[int], instead: int) -> list[int]:
    """Return the wanted ones among values; without any, one of them."""
    return [value for value in wanted if value in values] or [sorted(values)[instead]]


def _distinct(
    candidates: Iterator[tuple[Condition, NDArray[np.uint8]]], n: int, min_side: int
) -> list[tuple[Condition, NDArray[np.uint8]]]:
    """Keep the first of the candidates met by the same accounts, and none that too few accounts tell apart."""
    seen: dict[int, list[NDArray[np.uint8]]] = {}
    distinct: list[tuple[Condition, NDArray[np.uint8]]] = []
    rare: list[tuple[Condition, NDArray[np.uint8]]] = []
    every = list(candidates)
    counted = _popcount(np.stack([bits for _, bits in every])).tolist()
    for (condition, bits), reached in zip(every, counted, strict=True):
        twins = seen.setdefault(reached, [])
        if reached in (0, n) or any(np.array_equal(bits, other) for other in twins):
            continue
        twins.append(bits)
        (distinct if min(reached, n - reached) >= min_side else rare).append((condition, bits))
    return distinct or rare[:1]


def _popcount(packed: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the bits along the last axis, eight bytes at a time as far as they go."""
    whole = packed.shape[-1] // 8 * 8
    head = np.bitwise_count(packed[..., :whole].view(np.uint64)).sum(axis=-1, dtype=np.int64)
    tail = np.bitwise_count(packed[..., whole:]).sum(axis=-1, dtype=np.int64)
    return np.asarray(head + tail, dtype=np.int64)
