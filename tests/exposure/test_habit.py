"""Users lately active and weeks with a core event equal a walk through each account's rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.exposure import active_users, core_weeks
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, Log, Row, SmallBatches, lay, logs, naive_rows


def edges(draw: st.DrawFn) -> int:
    """A lag at the edge of a week or of the active days, a microsecond off one, or anywhere in six weeks."""
    edge = draw(st.sampled_from([0, 2, 9, 16, 23, 30])) * Day
    return draw(st.one_of(st.sampled_from([edge - 1, edge, edge + 1]), st.integers(-2 * Day, 40 * Day)))


def habit(
    engine: SmallBatches,
    log: Log,
    core: tuple[str, ...],
    left_out: tuple[str, ...] = (),
    end_day: int = 30,
    active_days: int = 14,
    weeks: int = 4,
) -> tuple[list[int], list[int]]:
    lay(engine, log)
    tables = (EVENTS, ACCOUNTS, log.n_accounts)
    users = active_users(engine, *tables, left_out, end_day, active_days)
    core_in = core_weeks(engine, *tables, core, end_day, weeks)
    assert users.dtype == core_in.dtype == np.int32
    return users.tolist(), core_in.tolist()


def naive_habit(
    log: Log, core: tuple[str, ...], left_out: tuple[str, ...], end_day: int = 30, active_days: int = 14, weeks: int = 4
) -> tuple[list[int], list[int]]:
    end, users, core_weeks = end_day * Day, [], []
    for rows in naive_rows(log).values():
        lived = [(lag, event, user) for lag, event, user in rows if 0 <= lag < end]
        recent = [row for row in lived if row[0] >= end - active_days * Day and row[1] not in left_out]
        users.append(len({user for _, _, user in recent if user is not None}))
        weeks_back = {(end - 1 - lag) // (7 * Day) for lag, event, _ in lived if event in core}
        core_weeks.append(len(weeks_back & set(range(weeks))))
    return users, core_weeks


@settings(max_examples=60, deadline=None)
@given(
    log=logs(lag=edges),
    core=st.sampled_from([(), NAMES[:1], NAMES[1:4]]),
    left_out=st.sampled_from([(), NAMES[:1], NAMES[2:4]]),
    how=st.sampled_from(
        [{}, {"end_day": 16}, {"active_days": 3, "weeks": 1}, {"end_day": 9, "weeks": 6}, {"weeks": 0}]
    ),
)
def test_counts_equal_a_walk_through_the_log(
    engine: SmallBatches, log: Log, core: tuple[str, ...], left_out: tuple[str, ...], how: dict[str, int]
) -> None:
    assert habit(engine, log, core, left_out, **how) == naive_habit(log, core, left_out, **how)


def test_edges_belong_to_what_they_begin(engine: SmallBatches) -> None:
    rows: list[Row] = [
        ("a0", "core", "u1", 30 * Day),
        ("a0", "x", "u2", 16 * Day - 1),
        ("a1", "core", "u1", 16 * Day),
        ("a1", "core", "u1", 23 * Day - 1),
        ("a1", "core", "u2", 30 * Day - 1),
        ("a1", "core", "u2", 2 * Day - 1),
        ("a2", "core", None, 2 * Day),
        ("a2", "core", None, 9 * Day - 1),
        ("a2", "core", None, 29 * Day),
    ]
    users, weeks = habit(engine, Log(tuple(rows), (0, 0, 0, 0, None)), ("core",))
    assert users == [0, 2, 0, 0, 0]
    assert weeks == [0, 2, 2, 0, 0]


def test_a_user_of_several_accounts_counts_in_each_and_once(engine: SmallBatches) -> None:
    rows: list[Row] = [(account, event, "u", 20 * Day) for account in ("a0", "a1") for event in ("x", "y", "x")]
    assert habit(engine, Log(tuple(rows), (0, 0)), ())[0] == [1, 1]


def test_a_core_event_counts_also_where_it_makes_nobody_active(engine: SmallBatches) -> None:
    assert habit(engine, Log((("a0", "core", "u", 20 * Day),), (0,)), ("core",), ("core",)) == ([0], [1])


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_only_names(engine: SmallBatches, name: str) -> None:
    log = Log((("a0", name, "u", 20 * Day), ("a1", "x", "u", 20 * Day)), (0, 0))
    assert habit(engine, log, (name,), (name,))[0] == [0, 1]
    assert habit(engine, log, (name,))[1] == [1, 0]


def test_nothing_before_signup_counts(engine: SmallBatches) -> None:
    rows: list[Row] = [("a0", "core", "u", -1), ("a1", "core", "u", 0)]
    assert habit(engine, Log(tuple(rows), (0, 0)), ("core",), end_day=9) == ([0, 1], [0, 1])
