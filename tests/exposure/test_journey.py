"""What is met between two milestones equals a walk through each account's rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.errors import InputError
from discovery.exposure import Among, Met, met_between
from discovery.milestone import Milestone
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, Log, Row, SmallBatches, lay, logs, milestones, naive_moment, naive_rows


def met(engine: SmallBatches, log: Log, start: str | None, end: str | None, left_out: tuple[str, ...] = ()) -> Met:
    asked = (Milestone.parse(text) if text else None for text in (start, end))
    lay(engine, log)
    return met_between(engine, EVENTS, ACCOUNTS, log.n_accounts, *asked, log.observation_us, left_out)


def rows_of(found: Met) -> list[tuple[str, int, float]]:
    names = (found.events[event] for event in found.event)
    return list(zip(names, found.account.tolist(), found.days.tolist(), strict=True))


def naive_met(log: Log, start: Milestone | None, end: Milestone | None, left_out: tuple[str, ...]) -> list[object]:
    never = np.full(log.n_accounts, np.inf)
    started = np.zeros(log.n_accounts) if start is None else naive_moment(log, start)
    ended = never if end is None else naive_moment(log, end)
    first: dict[tuple[str, int], float] = {}
    for account, rows in naive_rows(log, left_out).items():
        for lag, event, _ in rows:
            after = np.isfinite(started[account]) and (lag >= 0 if start is None else lag / Day > started[account])
            if after and lag < log.observation_us and lag / Day < ended[account]:
                first.setdefault((event, account), (lag - round(started[account] * Day)) / Day)
    return [(*place, days) for place, days in sorted(first.items())]


@settings(max_examples=60, deadline=None)
@given(
    log=logs(),
    start=st.one_of(st.none(), milestones),
    end=st.one_of(st.none(), milestones),
    left_out=st.sampled_from([(), NAMES[:1], NAMES[1:3]]),
)
def test_rows_equal_a_walk_through_the_log(
    engine: SmallBatches, log: Log, start: Milestone | None, end: Milestone | None, left_out: tuple[str, ...]
) -> None:
    lay(engine, log)
    found = met_between(engine, EVENTS, ACCOUNTS, log.n_accounts, start, end, log.observation_us, left_out)
    expected = naive_met(log, start, end, left_out)
    assert rows_of(found) == expected
    assert found.events == tuple(sorted({event for event, _, _ in expected}))
    assert (found.account.dtype, found.event.dtype, found.days.dtype) == (np.int32, np.int32, np.float64)
    for name in NAMES:
        first = np.full(log.n_accounts, np.inf)
        for event, account, days in expected:
            if event == name:
                first[account] = days
        np.testing.assert_array_equal(found.first_days(name), first)
        some = np.arange(log.n_accounts)[::-2]
        np.testing.assert_array_equal(found.first_days_among(name, Among(some, log.n_accounts)), first[some])


WALK: tuple[Row, ...] = (
    ("a0", "early", None, -1),
    ("a0", "login", None, 0),
    ("a0", "start", None, 5),
    ("a0", "at_start", None, 5),
    ("a0", "between", None, 6),
    ("a0", "between", None, 7),
    ("a0", "end", None, 9),
    ("a0", "at_end", None, 9),
    ("a0", "late", None, 14 * Day - 1),
    ("a0", "too_late", None, 14 * Day),
)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (
            None,
            None,
            {"login": 0, "start": 5, "at_start": 5, "between": 6, "end": 9, "at_end": 9, "late": 14 * Day - 1},
        ),
        (None, "end", {"login": 0, "start": 5, "at_start": 5, "between": 6}),
        ("start", "end", {"between": 1}),
        ("start", "never", {"between": 1, "end": 4, "at_end": 4, "late": 14 * Day - 6}),
        ("end", "start", {}),
        ("never", None, {}),
        (None, "login", {}),
    ],
)
def test_moments_themselves_belong_to_neither_side(
    engine: SmallBatches, start: str | None, end: str | None, expected: dict[str, int]
) -> None:
    found = met(engine, Log(WALK, (0, 0)), start, end)
    assert rows_of(found) == [(event, 0, lag / Day) for event, lag in sorted(expected.items())]


def test_an_event_left_out_still_begins_and_ends_the_way(engine: SmallBatches) -> None:
    found = met(engine, Log(WALK, (0,)), "start", "end", ("start", "end", "at_end"))
    assert found.events == ("between",)


def test_nothing_met(engine: SmallBatches) -> None:
    found = met(engine, Log((), (0, None)), None, None)
    assert (found.events, found.account.size, found.event.size, found.days.size) == ((), 0, 0, 0)
    assert found.first_days("x").tolist() == [np.inf, np.inf]


def test_a_window_beyond_the_observation_is_refused(engine: SmallBatches) -> None:
    with pytest.raises(InputError, match="beyond the observation window"):
        met(engine, Log(WALK, (0,)), "start", "end within 15d")
