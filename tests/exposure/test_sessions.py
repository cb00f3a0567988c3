"""Numbers of sessions equal a walk that begins a new one after every long pause."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.exposure import Among, session_numbers
from discovery.exposure.sessions import MOST, PAUSE
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, Log, Row, SmallBatches, lay, logs, naive_rows


def visits(draw: st.DrawFn) -> int:
    """A lag among few, so that rows tie, lie a pause apart, or a microsecond more."""
    edge = draw(st.sampled_from([0, 0, 0, 14 * Day - 3 * PAUSE]))
    return edge + draw(st.integers(-1, 6)) * PAUSE + draw(st.sampled_from([-1, 0, 0, 1]))


def naive_number(log: Log, account: int, moment: float, left_out: tuple[str, ...]) -> float:
    number, last = 1, None
    for lag, _, _ in naive_rows(log, left_out)[account]:
        if not 0 <= lag < log.observation_us:
            continue
        if last is not None and lag - last > PAUSE and lag <= round(moment * Day):
            number += 1
        last = lag
    return min(number, MOST)


def numbers(engine: SmallBatches, log: Log, moments: list[list[float]], left_out: tuple[str, ...] = ()) -> np.ndarray:
    lay(engine, log)
    asked = np.array(moments, dtype=float).reshape(-1, log.n_accounts)
    every = Among(np.arange(log.n_accounts), log.n_accounts)
    return session_numbers(engine, EVENTS, ACCOUNTS, every, log.observation_us, asked, left_out)


@settings(max_examples=60, deadline=None)
@given(log=logs(lag=visits), left_out=st.sampled_from([(), NAMES[:1], NAMES[1:3]]), seed=st.integers(0, 999))
def test_numbers_equal_a_walk_through_the_log(
    engine: SmallBatches, log: Log, left_out: tuple[str, ...], seed: int
) -> None:
    """Moments are those of rows, some in between, and some that never came."""
    rng, rows = np.random.default_rng(seed), naive_rows(log)
    moments = np.full((4, log.n_accounts), np.inf)
    for account in range(log.n_accounts):
        lags = [lag for lag, _, _ in rows[account]] + [PAUSE // 2, 3 * PAUSE]
        moments[:3, account] = rng.choice(lags, 3) / Day
    moments[rng.random(moments.shape) < 0.2] = np.inf
    found = numbers(engine, log, moments.tolist(), left_out)
    assert found.shape == moments.shape
    for (row, account), moment in np.ndenumerate(moments):
        expected = naive_number(log, account, moment, left_out) if np.isfinite(moment) else np.nan
        np.testing.assert_equal(found[row, account], expected)


def test_only_a_longer_pause_begins_a_session(engine: SmallBatches) -> None:
    half_an_hour = 1_800_000_000
    lags = [7, 7 + half_an_hour, 7 + 2 * half_an_hour + 1, 7 + 2 * half_an_hour + 1]
    log = Log(tuple(("a0", "x", f"u{i}", lag) for i, lag in enumerate(lags)), (0,))
    assert numbers(engine, log, [[lag / Day] for lag in lags]).ravel().tolist() == [1, 1, 2, 2]
    assert numbers(engine, log, [[(lags[2] - 1) / Day], [0.0], [-1.0]]).ravel().tolist() == [1, 1, 1]


def test_days_become_microseconds_again(engine: SmallBatches) -> None:
    """Days lose digits: some moments come back a little before the row that they are of."""
    lags = [lag for lag in range(5 * Day, 6 * Day, 977_777_777) if lag / Day * Day < lag]
    assert lags
    log = Log(tuple((f"a{i}", "x", None, t) for i, lag in enumerate(lags) for t in (0, lag)), (0,) * len(lags))
    assert (numbers(engine, log, [[lag / Day for lag in lags]]) == 2).all()


def test_later_sessions_count_as_the_last_one_told_apart(engine: SmallBatches) -> None:
    lags = [i * 2 * PAUSE for i in range(MOST + 5)]
    log = Log(tuple(("a1", "x", None, lag) for lag in lags), (0, 0))
    found = numbers(engine, log, [[np.inf, lag / Day] for lag in lags])
    assert np.isnan(found[:, 0]).all()
    assert found[:, 1].tolist() == [*range(1, MOST + 1), *[MOST] * 5]


def test_in_a_log_of_dates_days_are_sessions(engine: SmallBatches) -> None:
    rows: list[Row] = [("a0", f"x{i % 7}", f"u{i % 3}", day * Day) for day in (0, 1, 1, 4) for i in range(30)]
    log = Log(tuple(rows), (0,))
    assert numbers(engine, log, [[0.0], [1.0], [4.0]]).ravel().tolist() == [1, 2, 3]


def test_rows_before_signup_and_after_the_observation_begin_none(engine: SmallBatches) -> None:
    rows = [("a0", "x", None, lag) for lag in (-2 * PAUSE, 0, 14 * Day)]
    assert numbers(engine, Log(tuple(rows), (0,)), [[0.0], [14.0]]).ravel().tolist() == [1, 1]


def test_without_rows_every_moment_is_in_the_first(engine: SmallBatches) -> None:
    found = numbers(engine, Log((), (0, None)), [[1.0, np.inf], [np.nan, 2.0]])
    np.testing.assert_array_equal(found, [[1, np.nan], [np.nan, 1]])
    assert numbers(engine, Log((), (0, None)), []).shape == (0, 2)


def test_some_accounts_are_asked_in_any_order(engine: SmallBatches) -> None:
    lay(engine, Log(tuple((f"a{i}", "x", None, day * Day) for i in range(5) for day in range(i + 1)), (0,) * 5))
    some, moments = np.array([4, 1]), np.array([[3.5, 3.5], [np.inf, 0.5]])
    found = session_numbers(engine, EVENTS, ACCOUNTS, Among(some, 5), 14 * Day, moments)
    np.testing.assert_array_equal(found, [[4, 2], [np.nan, 1]])


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_only_names(engine: SmallBatches, name: str) -> None:
    log = Log((("a0", "x", None, 0), ("a0", name, None, 2 * PAUSE), ("a0", "x", None, 9 * PAUSE)), (0,))
    assert numbers(engine, log, [[1.0]]).tolist() == [[3]]
    assert numbers(engine, log, [[1.0]], (name,)).tolist() == [[2]]
