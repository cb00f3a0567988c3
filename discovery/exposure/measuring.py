"""From events to aggregates: one query in the engine, or, for many events in this process, range by range."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from discovery.engines import Engine
from discovery.engines.expressions import Relation
from discovery.errors import InputError
from discovery.exposure.acts import PLAIN, EventColumns, acts_table
from discovery.exposure.aggregates import Exposure, in_days
from discovery.exposure.query import exposure_query
from discovery.exposure.ranges import HandsOverRows, one_by_one
from discovery.exposure.tallies import Layout, Tally, layout_of, narrowed, numbered_rows
from discovery.milestone import Condition
from discovery.progress import Progress, silent

_Counts = NDArray[np.unsignedinteger[Any]]

COUNTING = "Counting what accounts did in their first days"
"""What the counting is called while it goes on."""


def measure(
    engine: Engine,
    events_table: Relation,
    accounts_table: Relation,
    n_accounts: int,
    windows_us: Sequence[int],
    observation_us: int,
    acts: Sequence[Condition] = (),
    columns: EventColumns = PLAIN,
    progress: Progress = silent,
) -> Exposure:
    """Count what every account did inside its observation window.

    One query runs in the engine, and one more of the same form for acts; their rows are read batch by batch. Of many
    events in an engine of this process the rows themselves are read, accounts range by range, and counted here, which
    takes half the time and memory that does not grow with them. Neither the way, nor the order of the events, nor that
    of the batches changes the result.

    Parameters
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
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
    progress : Progress
        Called with `COUNTING`, and with the share that is done where that is known.

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
    layout = layout_of(engine, events_table, accounts_table, n_accounts, len(windows))
    if layout is None or not isinstance(engine, HandsOverRows):
        plain = _counted(engine, events_table, accounts_table, n_accounts, windows)
    else:
        tallies = list(_range_by_range(engine, events_table, n_accounts, windows, layout, progress))
        engine.give_back()
        plain = _assembled(tallies, layout.names, n_accounts, windows)
    tested = acts_table(events_table, acts, columns)
    if tested is None:
        return plain
    return replace(
        plain,
        acts=tuple(dict.fromkeys(act.act for act in acts if act.where)),
        of_acts=_counted(engine, tested, accounts_table, n_accounts, windows),
    )


def _counted(
    engine: Engine, events_table: Relation, accounts_table: Relation, n_accounts: int, windows: tuple[int, ...]
) -> Exposure:
    """Let the engine count."""
    query = exposure_query(events_table, accounts_table, windows[:-1], windows[-1])
    codes: dict[str, int] = {}
    batches = engine.batches(query.sql(dialect=engine.dialect))
    tallies = [_tally(batch, codes) for batch in batches if batch.num_rows]
    return _assembled(tallies, tuple(codes), n_accounts, windows)


def _range_by_range(
    engine: HandsOverRows,
    events_table: Relation,
    n_accounts: int,
    windows: tuple[int, ...],
    layout: Layout,
    progress: Progress,
) -> Iterator[Tally]:
    """Count the rows of one range of accounts while those of the next are read."""

    def read(first: int) -> Callable[[], Tally]:
        progress(COUNTING, first / n_accounts)
        return numbered_rows(engine, events_table, layout, first, windows).counted

    return one_by_one(read, range(0, n_accounts, layout.accounts))


def _ascending(windows_us: Sequence[int], observation_us: int) -> tuple[int, ...]:
    wrong = [window for window in windows_us if not 0 < window <= observation_us]
    if wrong:
        raise InputError(
            f"{len(wrong)} of the windows lie outside the observation window of {in_days(observation_us)} "
            f"(first: {', '.join(map(in_days, wrong[:3]))}). Shorten them, or widen candidates.window_days."
        )
    return tuple(sorted({*map(int, windows_us), int(observation_us)}))


def _tally(batch: pa.RecordBatch, codes: dict[str, int]) -> Tally:
    """Return the rows of the exposure query as arrays, events as codes in the order in which they are met."""
    names = batch.column(1).dictionary_encode()
    known = [codes.setdefault(name, len(codes)) for name in names.dictionary.to_pylist()]
    account, rows, users, first_lag, *windows = (_integers(batch.column(i)) for i in (0, *range(2, batch.num_columns)))
    return Tally(
        event=np.asarray(known, dtype=np.int32)[names.indices.to_numpy()],
        account=account.astype(np.int32),
        counts=tuple(map(narrowed, (*windows[::2], rows))),
        users=tuple(map(narrowed, (*windows[1::2], users))),
        first_lag=first_lag,
    )


def _integers(column: pa.Array) -> NDArray[np.int64]:
    values: NDArray[np.int64] = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return values


def _assembled(tallies: list[Tally], names: tuple[str, ...], n_accounts: int, windows: tuple[int, ...]) -> Exposure:
    """Order the rows by event and account, one column at a time so that only one is ever held twice.

    The tallies are used up: the list is empty afterwards, and every column of theirs is let go of once it is ordered.
    """
    numbers, accounts = [part.event for part in tallies], [part.account for part in tallies]
    counts, users = _by_window([part.counts for part in tallies]), _by_window([part.users for part in tallies])
    first_lags = [part.first_lag for part in tallies]
    tallies.clear()
    event = _joined(numbers, np.int32)
    occurring = np.bincount(event, minlength=len(names))
    events = tuple(sorted(name for name, rows in zip(names, occurring, strict=True) if rows))
    rank = {name: place for place, name in enumerate(events)}
    event = np.array([rank.get(name, 0) for name in names], dtype=np.int64)[event]
    account = _joined(accounts, np.int32)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(event, minlength=len(events))))).astype(np.int64)
    event *= n_accounts
    event += account
    order = np.argsort(event, kind="stable")  # ranges come in order: runs that are merged
    del event
    first_lag = _joined(first_lags, np.int64)[order]  # the widest column first, while little else is there twice
    account = account[order]
    exposure = Exposure(
        events=events,
        n_accounts=n_accounts,
        windows_us=windows,
        offsets=offsets,
        account=account,
        counts=_stacked(counts, order, len(windows)),
        users=_stacked(users, order, len(windows)),
        first_lag=first_lag,
    )
    for name in ("offsets", "account", "counts", "users", "first_lag"):
        getattr(exposure, name).flags.writeable = False
    return exposure


def _by_window(parts: Iterable[Sequence[_Counts]]) -> list[list[_Counts]]:
    """Return the columns of each window, those of the last one first."""
    return [list(columns) for columns in zip(*parts, strict=True)][::-1]


def _stacked(columns: list[list[_Counts]], order: NDArray[np.int64], n_windows: int) -> _Counts:
    kind = np.result_type(np.uint8, *(chunk.dtype for chunks in columns for chunk in chunks))
    stacked = np.empty((n_windows, len(order)), dtype=kind)
    for w in range(len(columns)):
        stacked[w] = _joined(columns.pop(), kind)[order]
    return stacked


def _joined(chunks: list[Any], kind: Any) -> NDArray[Any]:
    """Join the chunks of a column, which is empty afterwards."""
    joined = np.concatenate(chunks) if chunks else np.empty(0, dtype=kind)
    chunks.clear()
    return joined
