"""Small logs with everything in them that can go wrong at an edge, and answers computed row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from discovery.engines.duckdb import DuckDBEngine
from discovery.milestone import Condition, Milestone
from discovery.spec import Day

Row = tuple[str, str, "str | None", int]

EVENTS, ACCOUNTS = 'ev"ents', "acc;ounts"

NAMES = (
    "report_shared",
    "Deal Created",
    "it's; DROP TABLE events; --",
    'quote " back \\ tick ` %s {0} $1',
    "zażółć 🦆\n\t",
    "NULL",
)


class SmallBatches(DuckDBEngine):
    """DuckDB handing out few rows at a time, so that even a small log comes in several batches."""

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        for batch in super().batches(sql):
            yield from pa.Table.from_batches([batch]).to_batches(max_chunksize=7)


@dataclass(frozen=True)
class Log:
    """Events and accounts as plain rows. `signups` None: the account has no usable signup."""

    events: tuple[Row, ...]
    signups: tuple[int | None, ...]
    windows_us: tuple[int, ...] = (Day, 3 * Day, 7 * Day)
    observation_us: int = 14 * Day

    @property
    def n_accounts(self) -> int:
        return len(self.signups)

    def frame(self) -> pd.DataFrame:
        """Every row of a known account, with its lag; those outside the observation included."""
        position = {f"a{i}": i for i, signup in enumerate(self.signups) if signup is not None}
        rows = [(position[a], e, u, t - self.signups[position[a]]) for a, e, u, t in self.events if a in position]
        frame = pd.DataFrame(rows, columns=["account", "event", "user_id", "lag"])
        return frame.astype({"account": "int64", "lag": "int64"})


def naive_rows(log: Log, left_out: Sequence[str] = ()) -> dict[int, list[tuple[int, str, str | None]]]:
    """The rows of every account as (lag, event, user), in order of time; before signup and late ones included."""
    rows: dict[int, list[tuple[int, str, str | None]]] = {account: [] for account in range(log.n_accounts)}
    for account_id, event, user, t in log.events:
        account = int(account_id[1:])
        if account < log.n_accounts and log.signups[account] is not None and event not in left_out:
            rows[account].append((t - log.signups[account], event, user))
    return {account: sorted(walked, key=lambda row: row[0]) for account, walked in rows.items()}


def naive_moment(log: Log, part: Condition | Milestone) -> np.ndarray:
    """The moment of reach in days, walking each account's rows in order of time."""
    if isinstance(part, Milestone):
        moments = [naive_moment(log, inner) for inner in part.parts]
        return (np.max if part.joined == "and" else np.min)(moments, axis=0)
    window = log.observation_us if part.within_hours is None else part.within_hours * Day // 24
    reached = np.full(log.n_accounts, np.inf)
    frame = log.frame()
    for account, rows in frame[frame["event"] == part.event].groupby("account"):
        count, users = 0, set()
        for lag, user in sorted(zip(rows["lag"], rows["user_id"], strict=True), key=lambda row: row[0]):
            if not 0 <= lag < window:
                continue
            count += 1
            users |= {user} if isinstance(user, str) else set()
            if count >= part.at_least and (part.min_users == 1 or len(users) >= part.min_users):
                reached[account] = lag / Day
                break
    return reached


conditions = st.builds(
    Condition, st.sampled_from(NAMES[:4]), st.integers(1, 4), st.sampled_from([None, 24, 72, 168]), st.integers(1, 3)
)
milestones = st.recursive(
    conditions,
    lambda inner: st.builds(
        Milestone, st.lists(inner, min_size=1, max_size=3).map(tuple), st.sampled_from(["and", "or"])
    ),
    max_leaves=4,
).map(lambda part: part if isinstance(part, Milestone) else Milestone((part,)))


def ties(draw: st.DrawFn) -> int:
    """A lag at a boundary, a microsecond off one, or anywhere near the observation window."""
    edge = draw(st.sampled_from([0, 1, 3, 7, 14])) * Day
    return draw(st.one_of(st.sampled_from([edge - 1, edge, edge + 1]), st.integers(-2 * Day, 20 * Day)))


@st.composite
def logs(draw: st.DrawFn, lag: Callable[[st.DrawFn], int] = ties) -> Log:
    """A small log with everything that can go wrong at an edge in it; `lag` draws the times since signup."""
    signup = st.one_of(st.none(), st.sampled_from([0, -5 * Day, 1_700_000_000_000_000, 1_700_000_000_000_001]))
    signups = tuple(draw(st.lists(signup, min_size=1, max_size=6)))
    events: list[Row] = []
    for _ in range(draw(st.integers(0, 40))):
        account = draw(st.integers(0, len(signups)))  # one past the end: unknown to the accounts
        start = signups[account] if account < len(signups) and signups[account] is not None else 0
        user = draw(st.sampled_from([None, "u1", "u2", "u3", "Ü'"]))
        row = (f"a{account}", draw(st.sampled_from(NAMES[:4])), user, start + lag(draw))
        events += [row] * draw(st.sampled_from([1, 1, 1, 2, 4]))
    return Log(tuple(draw(st.permutations(events))), signups)


def lay(engine: SmallBatches, log: Log) -> None:
    """Register a log's two relations on the engine, under names that need quoting."""
    events = {"account_id": pa.string(), "event": pa.string(), "user_id": pa.string(), "t": pa.int64()}
    accounts = {"account": pa.int32(), "account_id": pa.string(), "signup": pa.int64()}
    known = [(i, f"a{i}", signup) for i, signup in enumerate(log.signups) if signup is not None]
    engine.register(EVENTS, _table(log.events, events))
    engine.register(ACCOUNTS, _table(known, accounts))


def _table(rows: Sequence[tuple[object, ...]], kinds: dict[str, pa.DataType]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
    return pa.table({name: pa.array(column, kind) for (name, kind), column in zip(kinds.items(), columns, strict=True)})
