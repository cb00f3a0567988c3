"""The aggregates equal a row-by-row computation, whatever the log and the order of its rows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from discovery.errors import InputError
from discovery.exposure import Exposure, events_at_signup, measure
from discovery.exposure.measuring import _assembled
from discovery.exposure.tallies import Tally
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, Log, SmallBatches, lay, logs

Measured = Callable[[Log], Exposure]


def naive(log: Log) -> dict[tuple[str, int], tuple[int, list[int], list[int]]]:
    """(event, account) -> first lag, rows and distinct users in every window, by pandas."""
    frame = log.frame()
    frame = frame[(frame["lag"] >= 0) & (frame["lag"] < log.observation_us)]
    answer = {}
    for key, rows in frame.groupby(["event", "account"]):
        inside = [rows[rows["lag"] < window] for window in (*log.windows_us, log.observation_us)]
        answer[key] = (rows["lag"].min(), [len(r) for r in inside], [r["user_id"].nunique() for r in inside])
    return answer


def as_dict(exposure: Exposure) -> dict[tuple[str, int], tuple[int, list[int], list[int]]]:
    return {
        (exposure.events[e], int(exposure.account[g])): (
            int(exposure.first_lag[g]),
            exposure.counts[:, g].tolist(),
            exposure.users[:, g].tolist(),
        )
        for e in range(len(exposure.events))
        for g in range(exposure.offsets[e], exposure.offsets[e + 1])
    }


@settings(max_examples=40, deadline=None)
@given(log=logs())
def test_equals_rows_walked_one_by_one(measured: Measured, log: Log) -> None:
    exposure = measured(log)
    assert as_dict(exposure) == naive(log)
    assert list(exposure.events) == sorted({event for event, _ in naive(log)})
    assert all(np.all(np.diff(exposure.account[exposure.event_rows(e)]) > 0) for e in exposure.events)


@settings(max_examples=15, deadline=None)
@given(log=logs())
def test_order_of_rows_changes_no_byte(measured: Measured, log: Log) -> None:
    one, other = measured(log), measured(Log(log.events[::-1], log.signups))
    assert one.events == other.events
    for name in ("offsets", "account", "counts", "users", "first_lag"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_order_of_batches_changes_no_byte(engine: SmallBatches) -> None:
    log = Log(tuple((f"a{i % 5}", NAMES[i % 3], None, i * Day // 3) for i in range(40)), (0,) * 5)
    lay(engine, log)

    class Backwards:
        dialect = "duckdb"

        def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
            yield from list(engine.batches(sql))[::-1]

    one, other = (measure(e, EVENTS, ACCOUNTS, 5, log.windows_us, log.observation_us) for e in (engine, Backwards()))
    assert as_dict(one) == as_dict(other)
    assert one.account.tobytes() == other.account.tobytes()


@pytest.mark.parametrize("lag", [-1, 14 * Day])
def test_nothing_inside_any_window_is_an_answer(measured: Measured, lag: int) -> None:
    exposure = measured(Log((("a0", "x", None, lag),), (0, None)))
    assert exposure.events == ()
    assert exposure.offsets.tolist() == [0]
    assert exposure.counts.shape == (4, 0)
    assert exposure.counts_among(np.array([1, 0])).shape == (2, 0)
    assert exposure.first_lags("x", np.array([0, 1])).tolist() == [np.inf, np.inf]
    assert events_at_signup(exposure, np.array([0, 1])) == ()


def test_window_edges_to_the_microsecond(measured: Measured) -> None:
    exposure = measured(Log(tuple(("a0", "x", "u", lag) for lag in (0, Day - 1, Day, 14 * Day - 1, 14 * Day)), (0,)))
    assert exposure.counts[:, 0].tolist() == [2, 3, 3, 4]


def test_rows_without_a_user_count_as_rows_only(measured: Measured) -> None:
    exposure = measured(Log((("a0", "x", None, 1), ("a0", "x", None, 2), ("a0", "x", "u", 2 * Day)), (0,)))
    assert exposure.counts[:, 0].tolist() == [2, 3, 3, 3]
    assert exposure.users[:, 0].tolist() == [0, 1, 1, 1]
    assert exposure.first_lag.tolist() == [1]


def test_windows_are_ordered_and_end_with_the_observation(engine: SmallBatches) -> None:
    lay(engine, Log((("a0", "x", None, 1),), (0,)))
    windows = [7 * Day, Day, 14 * Day, Day]
    assert measure(engine, EVENTS, ACCOUNTS, 1, windows, 14 * Day).windows_us == (Day, 7 * Day, 14 * Day)
    with pytest.raises(InputError, match=r"2 of the windows lie outside .* 14d \(first: 15d, 0d\)"):
        measure(engine, EVENTS, ACCOUNTS, 1, [15 * Day, Day, 0], 14 * Day)


def test_counts_among_follow_the_positions_given(measured: Measured) -> None:
    rows = [("a0", "x", None, 1)] * 3 + [("a2", "x", None, 1)] + [("a2", "y", None, 1)] * 2 + [("a3", "y", None, 1)]
    exposure = measured(Log(tuple(rows), (0, 0, 0, 0)))
    counts = exposure.counts_among(np.array([2, 0, 1]))
    assert counts.dtype == np.int32
    assert counts.has_sorted_indices
    assert counts.toarray().tolist() == [[1, 2], [3, 0], [0, 0]]
    for wrong in ([0, 0], [4], [-1]):
        with pytest.raises(ValueError, match="positions must"):
            exposure.counts_among(np.array(wrong))


def test_first_lags_and_names(measured: Measured) -> None:
    exposure = measured(Log((("a1", "share", None, Day // 2), ("a1", "share", None, Day)), (0, 0)))
    assert exposure.first_lags("share", np.array([1, 0, 1])).tolist() == [0.5, np.inf, 0.5]
    assert exposure.event_index("share") == 0
    (some,) = exposure.every_first_lags(np.array([1, 0]))
    assert some.tolist() == [0.5, np.inf]
    (one,) = exposure.every_first_lags(np.array([0]))
    assert one.tolist() == [np.inf]
    with pytest.raises(InputError, match=r"'shares' never occurs inside .* nearest names are 'share'"):
        exposure.event_index("shares")


def test_events_at_signup_need_nine_in_ten_of_twenty(measured: Measured) -> None:
    minute = 60_000_000
    rows = [(f"a{i}", "born", None, minute if i < 18 else Day) for i in range(20)]
    rows += [(f"a{i}", "later", None, minute if i < 17 else Day) for i in range(20)]
    rows += [(f"a{i}", "few", None, minute) for i in range(19)]
    rows += [(f"a{i}", "edge", None, 5 * minute) for i in range(20)]
    exposure = measured(Log(tuple(rows), (0,) * 20))
    assert events_at_signup(exposure, np.arange(20)) == ("born",)
    assert events_at_signup(exposure, np.arange(19)) == ()
    assert events_at_signup(exposure, np.arange(20), share=0.85) == ("born", "later")


def test_arrays_are_read_only(measured: Measured) -> None:
    exposure = measured(Log((("a0", "x", None, 1),), (0,)))
    with pytest.raises(ValueError, match="read-only"):
        exposure.counts[0, 0] = 9


def test_tallies_are_let_go_of_as_they_are_ordered() -> None:
    rng, rows = np.random.default_rng(3), 300_000

    def tally(first: int) -> Tally:
        event, account = np.divmod(rng.permutation(20 * 20_000)[:rows], 20_000)
        columns = [tuple(rng.integers(1, 90, rows).astype(np.uint8) for _ in range(6)) for _ in "cu"]
        lag = rng.integers(0, Day, rows)
        event, account = event.astype(np.int32), (account + first).astype(np.int32)
        return Tally(event=event, account=account, counts=columns[0], users=columns[1], first_lag=lag)

    tracemalloc.start()
    tallies = [tally(first) for first in range(0, 80_000, 20_000)]
    given, _ = tracemalloc.get_traced_memory()
    made = _assembled(tallies, tuple(f"e{place:02}" for place in range(20)), 80_000, tuple(range(1, 7)))
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.counts.shape == (6, 4 * rows)
    assert not tallies
    assert left < 1.1 * given
