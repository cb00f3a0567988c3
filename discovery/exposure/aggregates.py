"""Account x event aggregates of the observation window, as sparse arrays: all that ever leaves the engine."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from discovery.engines import Engine
from discovery.errors import InputError
from discovery.exposure.acts import PLAIN, EventColumns, acts_table
from discovery.exposure.query import COUNTED, Relation, exposure_query
from discovery.milestone import Condition
from discovery.spec import Day

if TYPE_CHECKING:
    from sqlglot import exp

_MOST = np.iinfo(np.int32).max


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
    counts : int32[W, G]
        Rows of the event with `0 <= lag < windows_us[w]`.
    users : int32[W, G]
        Distinct users among them; rows without a user name none.
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
    counts: NDArray[np.int32]
    users: NDArray[np.int32]
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
        measured = ", ".join(map(_in_days, self.windows_us))
        raise InputError(
            f"The window {_in_days(window_us)} was not measured; available windows: {measured}. "
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
        place = self.places_among(positions)[self.account]
        kept = place >= 0
        starts = np.concatenate(([0], np.cumsum(kept)))[self.offsets]
        shape = (len(positions), len(self.events))
        table = sparse.csc_array((self.counts[-1][kept], place[kept], starts), shape=shape)
        table.sort_indices()
        return table

    def first_lags(self, event: str, positions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the days from signup to the first `event` of each account, float64[n]; inf where never."""
        rows = self.event_rows(event)
        days = np.full(self.n_accounts, np.inf)
        days[self.account[rows]] = self.first_lag[rows] / Day
        return days[positions]


def measure(
    engine: Engine,
    events_table: str | exp.Table,
    accounts_table: str | exp.Table,
    n_accounts: int,
    windows_us: Sequence[int],
    observation_us: int,
    acts: Sequence[Condition] = (),
    columns: EventColumns = PLAIN,
) -> Exposure:
    """Count what every account did inside its observation window.

    One query runs in the engine, and one more of the same form for acts; their rows are read batch by batch. Neither
    the order of the events nor that of the batches changes the result.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str or sqlglot.exp.Table
        Relations as described at `discovery.exposure.query.exposure_query`.
    n_accounts : int
        Number A of accounts, those without a usable signup included.
    windows_us : sequence of int
        Windows in microseconds since signup, none longer than the observation; it is added if absent.
    observation_us : int
        The observation window in microseconds: rows with `0 <= lag < observation_us` count.
    acts : sequence of Condition
        Events with tests of their properties to measure too; what else the conditions ask, is not looked at.
    columns : EventColumns
        The properties that the events table holds.

    Returns
    -------
    Exposure
        With no event at all where nothing happened inside any window.

    Raises
    ------
    InputError
        If a window is not positive or outlasts the observation, or a property is not among the columns.
    EngineError
        If the engine fails the query.
    """
    windows = _ascending(windows_us, observation_us)
    plain = _counted(engine, events_table, accounts_table, n_accounts, windows)
    tested = acts_table(events_table, acts, columns)
    if tested is None:
        return plain
    return replace(
        plain,
        acts=tuple(dict.fromkeys(act.act for act in acts if act.where)),
        of_acts=_counted(engine, tested, accounts_table, n_accounts, windows),
    )


def _counted(
    engine: Engine,
    events_table: Relation,
    accounts_table: str | exp.Table,
    n_accounts: int,
    windows: tuple[int, ...],
) -> Exposure:
    query = exposure_query(events_table, accounts_table, windows[:-1], windows[-1])
    columns: list[list[NDArray[Any]]] = [[] for _ in range(len(COUNTED) + 2 * (len(windows) - 1))]
    codes: dict[str, int] = {}
    for batch in engine.batches(query.sql(dialect=engine.dialect)):
        if batch.num_rows:
            _append(columns, batch, codes)
    return _assemble(columns, codes, n_accounts, windows)


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


def _ascending(windows_us: Sequence[int], observation_us: int) -> tuple[int, ...]:
    wrong = [window for window in windows_us if not 0 < window <= observation_us]
    if wrong:
        raise InputError(
            f"{len(wrong)} of the windows lie outside the observation window of {_in_days(observation_us)} "
            f"(first: {', '.join(map(_in_days, wrong[:3]))}). Shorten them, or widen candidates.window_days."
        )
    return tuple(sorted({*map(int, windows_us), int(observation_us)}))


def _append(columns: list[list[NDArray[Any]]], batch: pa.RecordBatch, codes: dict[str, int]) -> None:
    """Append the batch's columns, events as codes in the order in which they are met."""
    names = batch.column(1).dictionary_encode()
    known = [codes.setdefault(name, len(codes)) for name in names.dictionary.to_pylist()]
    columns[0].append(_integers(batch.column(0), np.int32))
    columns[1].append(np.asarray(known, dtype=np.int32)[names.indices.to_numpy()])
    for place in range(2, batch.num_columns):
        kind: type[np.integer[Any]] = np.int64 if COUNTED[place : place + 1] == ("first_lag",) else np.int32
        columns[place].append(_integers(batch.column(place), kind))


def _integers(column: pa.Array, kind: type[np.integer[Any]]) -> NDArray[Any]:
    values: NDArray[np.int64] = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return values if kind is np.int64 else np.minimum(values, _MOST).astype(kind)


def _assemble(
    columns: list[list[NDArray[Any]]], codes: dict[str, int], n_accounts: int, windows: tuple[int, ...]
) -> Exposure:
    """Order the rows by event and account, one column at a time so that only one is ever held twice."""
    events = tuple(sorted(codes))
    rank = np.empty(len(events), dtype=np.int64)
    rank[[codes[name] for name in events]] = np.arange(len(events))
    account = _joined(columns[0], np.int32)
    event = rank[_joined(columns[1], np.int32)]
    order = np.argsort(event * n_accounts + account)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(event, minlength=len(events))))).astype(np.int64)
    del event
    counts = np.empty((len(windows), account.size), dtype=np.int32)
    users = np.empty_like(counts)
    for w in range(len(windows) - 1):
        counts[w] = _joined(columns[len(COUNTED) + 2 * w], np.int32)[order]
        users[w] = _joined(columns[len(COUNTED) + 2 * w + 1], np.int32)[order]
    counts[-1] = _joined(columns[2], np.int32)[order]
    users[-1] = _joined(columns[3], np.int32)[order]
    first_lag = _joined(columns[4], np.int64)[order]
    account = account[order]
    for array in (offsets, account, counts, users, first_lag):
        array.flags.writeable = False
    return Exposure(
        events=events,
        n_accounts=n_accounts,
        windows_us=windows,
        offsets=offsets,
        account=account,
        counts=counts,
        users=users,
        first_lag=first_lag,
    )


def _joined(chunks: list[NDArray[Any]], kind: type[np.integer[Any]]) -> NDArray[Any]:
    joined = np.concatenate(chunks) if chunks else np.empty(0, dtype=kind)
    chunks.clear()
    return joined


def _in_days(window_us: int) -> str:
    hours, rest = divmod(window_us, Day // 24)
    if rest:
        return f"{window_us / Day:g} days"
    return f"{hours}h" if hours % 24 else f"{hours // 24}d"
