"""Times of reach equal a walk over each account's rows, and are finite exactly where the flag is set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.errors import InputError
from discovery.exposure import Exposure, active_between, flag, reach_times
from discovery.milestone import Milestone
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, Log, SmallBatches, lay, logs, milestones, naive_moment


@settings(max_examples=25, deadline=None)
@given(log=logs(), milestone=milestones)
def test_moments_equal_a_walk_and_agree_with_flags(
    engine: SmallBatches, measured: Callable[[Log], Exposure], log: Log, milestone: Milestone
) -> None:
    exposure = measured(log)
    moments = reach_times(engine, EVENTS, ACCOUNTS, log.n_accounts, milestone, log.observation_us)
    np.testing.assert_array_equal(moments, naive_moment(log, milestone))
    np.testing.assert_array_equal(np.isfinite(moments), flag(exposure, np.arange(log.n_accounts), milestone))


def test_count_and_users_are_both_waited_for(engine: SmallBatches) -> None:
    rows = [("a0", "x", "u1", 1), ("a0", "x", "u1", 2), ("a0", "x", "u1", 3), ("a0", "x", "u2", 9)]
    rows += [("a1", "x", "u1", 1), ("a1", "x", "u2", 2), ("a1", "x", None, 7)]
    lay(engine, Log(tuple(rows), (0, 0)))
    moments = reach_times(engine, EVENTS, ACCOUNTS, 2, Milestone.of("x", 3, 24, 2), 14 * Day)
    assert (moments * Day).round().tolist() == [9, 7]


def test_a_window_beyond_the_observation_is_refused(engine: SmallBatches) -> None:
    lay(engine, Log((("a0", "x", None, 1),), (0,)))
    with pytest.raises(InputError, match="beyond the observation window of 14 days"):
        reach_times(engine, EVENTS, ACCOUNTS, 1, Milestone.parse("x within 15d"), 14 * Day)


@settings(max_examples=25, deadline=None)
@given(
    log=logs(),
    activity=st.sets(st.sampled_from(NAMES)).map(tuple),
    passive=st.sets(st.sampled_from(NAMES)).map(tuple),
    start=st.sampled_from([0, Day, 14 * Day]),
)
def test_activity_equals_rows_filtered_one_by_one(
    engine: SmallBatches, log: Log, activity: tuple[str, ...], passive: tuple[str, ...], start: int
) -> None:
    lay(engine, log)
    frame = log.frame()
    frame = frame[(frame["lag"] >= start) & (frame["lag"] < start + 3 * Day)]
    frame = frame[frame["event"].isin(activity) if activity else ~frame["event"].isin(passive)]
    expected = np.isin(np.arange(log.n_accounts), frame["account"])
    found = active_between(engine, EVENTS, ACCOUNTS, log.n_accounts, start, start + 3 * Day, activity, passive)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_hostile_event_names_are_only_names(
    engine: SmallBatches, measured: Callable[[Log], Exposure], name: str
) -> None:
    log = Log((("a0", name, "u", Day), ("a1", "x", "u", Day)), (0, 0))
    assert measured(log).events == tuple(sorted((name, "x")))
    assert reach_times(engine, EVENTS, ACCOUNTS, 2, Milestone.of(name), 14 * Day).tolist() == [1.0, np.inf]
    assert active_between(engine, EVENTS, ACCOUNTS, 2, 0, 2 * Day, (name,), ()).tolist() == [True, False]
