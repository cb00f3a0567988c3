"""Rows counted range by range in NumPy equal the one query, and a walk through the log, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import aliased
from discovery.exposure import (
    COUNTING,
    Exposure,
    account_rhythm,
    candidate_flags,
    decision_times,
    measure,
    ranges,
    volume_axes,
)
from discovery.exposure.ranges import HandsOverRows, enough_accounts, enough_of, ranges_needed
from discovery.exposure.tallies import layout_of
from discovery.milestone import Milestone
from discovery.spec import Day

from .naive_log import NAMES, Log, Row, SmallBatches, logs
from .test_measure import as_dict, naive

EVENTS, ACCOUNTS = 'coded "events"', "coded;accounts"
ARRAYS = ("offsets", "account", "counts", "users", "first_lag")


class Rows(SmallBatches):
    """DuckDB that says how often its rows were read as they are, and hands over few at a time."""

    read = 0

    def streamed(self, sql: str) -> Iterator[pa.RecordBatch]:
        self.read += 1
        yield from self.batches(sql)


class Counts:
    """The same DuckDB as any other engine: it is asked to count."""

    dialect = "duckdb"

    def __init__(self, engine: SmallBatches) -> None:
        self.rows, self.batches, self.columns = engine.rows, engine.batches, engine.columns


@pytest.fixture(scope="module")
def rows() -> Iterator[Rows]:
    with Rows(threads=1) as opened:
        yield opened


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every log one of many rows, in ranges of a few."""
    monkeypatch.setattr(ranges, "FEW_ROWS", 0)
    monkeypatch.setattr(ranges, "RANGE_ROWS", 12)


def lay(engine: Rows, log: Log, users: tuple[int, ...] = (1, 2, 3, 4), kind: str = "int32") -> None:
    """Register a log as intake writes a large one: accounts by their positions, users by numbers."""
    codes = dict(zip(("u1", "u2", "u3", "Ü'"), users, strict=True)) | {"u": users[0]}
    positions = [int(row[0][1:]) for row in log.events]
    known = [(i, signup) for i, signup in enumerate(log.signups) if signup is not None]
    account = [i if i in dict(known) else -1 - i for i in positions]
    events = {
        "account_id": pa.array(account, pa.int64()),
        "event": pa.array([row[1] for row in log.events], pa.string()),
        "user_id": pa.array([None if row[2] is None else codes[row[2]] for row in log.events], kind),
        "t": pa.array([row[3] for row in log.events], pa.int64()),
    }
    accounts = {
        "account": pa.array([i for i, _ in known], pa.int32()),
        "account_id": pa.array([i for i, _ in known], pa.int64()),
        "signup": pa.array([signup for _, signup in known], pa.int64()),
    }
    engine.register(EVENTS, pa.table(events))
    engine.register(ACCOUNTS, pa.table(accounts))


def counted(engine: Engine | Counts, log: Log, **how: object) -> Exposure:
    return measure(engine, EVENTS, ACCOUNTS, log.n_accounts, log.windows_us, log.observation_us, **how)


def assert_same(one: Exposure, other: Exposure) -> None:
    assert (one.events, one.windows_us, one.n_accounts) == (other.events, other.windows_us, other.n_accounts)
    for name in ARRAYS:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
        assert not mine.flags.writeable


USERS = st.sampled_from([(1, 2, 3, 4), (-7, 0, 5, 2**31 - 1), (-(2**31), 1, 2, 2**31 - 1)])


@settings(max_examples=60, deadline=None)
@given(log=logs(), users=USERS, windows=st.sampled_from([(), (Day,), (Day, 3 * Day, 7 * Day)]))
def test_rows_counted_here_equal_those_counted_there(
    rows: Rows, log: Log, users: tuple[int, ...], windows: tuple[int, ...]
) -> None:
    log = replace(log, windows_us=windows)
    lay(rows, log, users)
    before = rows.read
    found = counted(rows, log)
    assert (rows.read > before) == bool(log.events)
    assert_same(found, counted(Counts(rows), log))
    assert as_dict(found) == naive(log)
    grid = ((1, 2, 3), tuple(window // Day for window in found.windows_us), (1, 2))
    flags = [candidate_flags(each, np.arange(log.n_accounts), *grid) for each in (found, counted(Counts(rows), log))]
    assert flags[0].conditions == flags[1].conditions
    assert flags[0].packed.tobytes() == flags[1].packed.tobytes()


@settings(max_examples=40, deadline=None)
@given(
    log=logs(),
    left_out=st.sampled_from([(), NAMES[:1], NAMES]),
    window=st.sampled_from([14 * Day, Day, Day // 2, 5 * Day + 1]),
)
def test_the_rhythm_counted_here_equals_that_counted_there(
    rows: Rows, log: Log, left_out: tuple[str, ...], window: int
) -> None:
    lay(rows, log)
    before = rows.read
    here = account_rhythm(rows, EVENTS, ACCOUNTS, log.n_accounts, window, left_out)
    assert (rows.read > before) == bool(log.events)
    there = account_rhythm(Counts(rows), EVENTS, ACCOUNTS, log.n_accounts, window, left_out)
    for name in here.__slots__:
        np.testing.assert_array_equal(getattr(here, name), getattr(there, name))
        assert getattr(here, name).dtype == getattr(there, name).dtype


def test_accounts_without_a_signup_have_no_rhythm(rows: Rows) -> None:
    """Their rows name them, but nothing says when their observation begins."""
    lay(rows, busy(12))
    known = exp.select("*").from_(aliased(ACCOUNTS, "k")).where("account % 3 <> 1")
    before = rows.read
    here = account_rhythm(rows, EVENTS, known, 12, 14 * Day)
    assert rows.read > before
    assert here.actions.tolist() == [3, 0, 3] * 4
    assert here.last_days.tolist() == [2.0, 0.0, 2.0] * 4
    there = account_rhythm(Counts(rows), EVENTS, known, 12, 14 * Day)
    for name in here.__slots__:
        np.testing.assert_array_equal(getattr(here, name), getattr(there, name))


def test_accounts_that_are_named_by_ids_are_counted_by_the_engine(rows: Rows) -> None:
    lay(rows, busy())
    by_id = (
        exp.select("* REPLACE (CAST(account_id AS VARCHAR) AS account_id)", dialect="duckdb").from_(aliased(name, "n"))
        for name in (EVENTS, ACCOUNTS)
    )
    before = rows.read
    found = account_rhythm(rows, *by_id, 40, 14 * Day)
    assert rows.read == before
    assert found.days.tolist() == [3] * 40


def busy(accounts: int = 40, each: int = 3) -> Log:
    found: list[Row] = []
    for i in range(accounts):
        found += [(f"a{i}", NAMES[(i + j) % 3], f"u{1 + j % 3}", j * Day) for j in range(each)]
    return Log(tuple(found), (0,) * accounts)


def test_ranges_are_as_many_as_the_rows_ask_for(rows: Rows) -> None:
    log = busy()
    lay(rows, log)
    layout = layout_of(rows, EVENTS, ACCOUNTS, 40, 4)
    assert layout is not None
    assert layout.accounts == 8
    assert ranges_needed(rows, EVENTS) == 10
    said: list[tuple[str, float | None]] = []
    before = rows.read
    counted(rows, log, progress=lambda stage, share=None: said.append((stage, share)))
    assert rows.read - before == 5
    assert said == [(COUNTING, i / 5) for i in range(5)]


def test_the_engine_counts_what_is_not_worth_it_or_does_not_fit(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    log = busy()
    lay(rows, log, kind="int64")
    assert isinstance(rows, HandsOverRows)
    assert not isinstance(Counts(rows), HandsOverRows)
    assert layout_of(rows, EVENTS, ACCOUNTS, 40, 4) is not None
    assert layout_of(Counts(rows), EVENTS, ACCOUNTS, 40, 4) is None
    lay(rows, log, (-(2**62), 1, 2, 2**62), kind="int64")  # users of 63 bits leave none for events and accounts
    assert layout_of(rows, EVENTS, ACCOUNTS, 40, 4) is None
    assert as_dict(counted(rows, log)) == naive(log)
    as_text = exp.select("* REPLACE (CAST(user_id AS VARCHAR) AS user_id)", dialect="duckdb").from_(
        aliased(EVENTS, "e")
    )
    assert layout_of(rows, as_text, ACCOUNTS, 40, 4) is None
    lay(rows, log)
    monkeypatch.setattr(ranges, "FEW_ROWS", 120)
    assert layout_of(rows, EVENTS, ACCOUNTS, 40, 4) is None
    monkeypatch.setattr(ranges, "FEW_ROWS", 119)
    monkeypatch.setattr(ranges, "RANGE_ROWS", 1)
    assert ranges_needed(rows, EVENTS) is None  # 120 ranges


def test_nobody_named_and_unknown_accounts(rows: Rows) -> None:
    log = Log((("a0", "x", None, 1), ("a0", "x", None, Day), ("a1", "x", None, 5), ("a9", "x", "u", 5)), (0, None))
    lay(rows, log)
    found = counted(rows, log)
    assert as_dict(found) == naive(log) == {("x", 0): (1, [1, 2, 2, 2], [0, 0, 0, 0])}


@pytest.mark.parametrize("n", [255, 256, 65_536])
def test_counts_take_the_bytes_they_need(rows: Rows, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "RANGE_ROWS", 100_000)
    log = Log((*(("a0", "x", "u1", i) for i in range(n)), ("a1", "x", "u2", 0)), (0, 0))
    lay(rows, log)
    found = counted(rows, log)
    assert found.counts[-1].tolist() == [n, 1]
    assert found.counts.dtype == np.min_scalar_type(n)
    assert found.users.dtype == np.uint8
    assert found.counts_among(np.array([0, 1])).dtype == np.int32
    flags = candidate_flags(found, np.arange(2), (1, 2, n), (14,), (1,))
    assert [c.at_least for c in flags.conditions] == [2]
    assert_same(found, counted(Counts(rows), log))


def test_what_fails_midway_says_so(rows: Rows) -> None:
    class Failing(Rows):
        def streamed(self, sql: str) -> Iterator[pa.RecordBatch]:
            if self.read:
                raise MemoryError("no more")
            return super().streamed(sql)

    log = busy()
    with Failing(threads=1) as failing:
        lay(failing, log)
        with pytest.raises(MemoryError, match="no more"):
            counted(failing, log)


def test_of_many_accounts_enough_are_asked(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(rows, busy())
    assert enough_accounts(rows, ACCOUNTS) is ACCOUNTS
    monkeypatch.setattr(ranges, "ENOUGH", 40)
    assert enough_accounts(rows, ACCOUNTS) is ACCOUNTS
    for enough in (39, 20, 13, 5):
        monkeypatch.setattr(ranges, "ENOUGH", enough)
        some = enough_accounts(rows, ACCOUNTS)
        asked = sorted(row[0] for row in rows.rows(some.sql(dialect="duckdb")))
        assert abs(len(asked) - enough) <= 2
        assert asked == enough_of(np.arange(40)).tolist()


@pytest.mark.parametrize("period", [2, 3, 4, 7, 20])
@pytest.mark.parametrize("n", [51_000, 200_000, 1_000_000])
def test_what_recurs_every_so_many_accounts_is_asked_as_often_as_it_is_there(n: int, period: int) -> None:
    asked = enough_of(np.arange(n))
    assert abs(len(asked) - 50_000) < 10
    for stretch in range(5):
        own = asked[asked * 5 // n == stretch]
        np.testing.assert_allclose(np.bincount(own % period, minlength=period) / len(own), 1 / period, atol=0.01)


def test_shares_are_taken_from_the_accounts_asked(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    log = busy()
    lay(rows, log)
    left = np.full(40, 2.0)
    (every,) = decision_times(rows, EVENTS, ACCOUNTS, left)
    monkeypatch.setattr(ranges, "ENOUGH", 20)
    (some,) = decision_times(rows, EVENTS, ACCOUNTS, left)
    assert every.having.sum() == 120
    assert some.having.tolist() == 3 * [len(enough_of(np.arange(40)))]
    assert volume_axes(rows, EVENTS, ACCOUNTS, 14 * Day) == ()


def test_acts_are_counted_beside_the_rows(rows: Rows) -> None:
    log = busy()
    lay(rows, log)
    acts = Milestone.parse("report_shared[by_other = true]").acts
    found, expected = (counted(engine, log, acts=acts) for engine in (rows, Counts(rows)))
    assert found.acts == expected.acts == acts
    assert_same(found, counted(rows, log))
    assert found.of_acts is not None
    assert expected.of_acts is not None
    assert found.of_acts.account.size > 0
    assert_same(found.of_acts, expected.of_acts)
