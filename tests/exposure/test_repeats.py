"""Weeks of use after a milestone equal a walk through each account's rows."""

from __future__ import annotations

import numpy as np
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from discovery.errors import InputError
from discovery.exposure import used_again
from discovery.exposure.repeats import again_query
from discovery.milestone import Milestone
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, Log, Row, SmallBatches, lay, logs, milestones, naive_moment, naive_rows

DIALECTS = ("duckdb", "postgres", "spark", "clickhouse", "snowflake", "bigquery", "trino")
NASTY = 'x"; DROP TABLE `y` --'
ANY_OF_ALL = Milestone(tuple(map(Milestone.of, NAMES)), "or")


def edges(draw: st.DrawFn) -> int:
    """A lag at signup, at the edge of a week after it, a microsecond off one, or anywhere in fifty days."""
    edge = draw(st.sampled_from([0, 0, 1, 8, 15, 22, 29])) * Day
    return draw(st.one_of(st.sampled_from([edge - 1, edge, edge + 1]), st.integers(-2 * Day, 50 * Day)))


def again(engine: SmallBatches, log: Log, milestone: Milestone, **weeks: int) -> np.ndarray:
    lay(engine, log)
    return used_again(engine, EVENTS, ACCOUNTS, log.n_accounts, milestone, log.observation_us, **weeks)


def naive_again(log: Log, milestone: Milestone, weeks: int) -> np.ndarray:
    used, reached = np.zeros((log.n_accounts, weeks), dtype=bool), naive_moment(log, milestone)
    for account, rows in naive_rows(log).items():
        for lag, event, _ in rows:
            if event in milestone.events and np.isfinite(reached[account]):
                week = (lag - round(reached[account] * Day) - Day) // (7 * Day)
                if 0 <= week < weeks:
                    used[account, week] = True
    return used


@settings(max_examples=40, deadline=None)
@given(
    log=logs(lag=edges),
    milestone=st.one_of(milestones, st.sampled_from([Milestone.of(NAMES[0]), ANY_OF_ALL])),
    weeks=st.sampled_from([0, 1, 4, 4, 6]),
)
def test_weeks_equal_a_walk_through_the_log(engine: SmallBatches, log: Log, milestone: Milestone, weeks: int) -> None:
    found = again(engine, log, milestone, weeks=weeks)
    np.testing.assert_array_equal(found, naive_again(log, milestone, weeks))
    assert found.dtype == bool


@pytest.mark.parametrize(
    ("after", "weeks"),
    [
        (1, []),
        (Day - 1, []),
        (Day, [0]),
        (8 * Day - 1, [0]),
        (8 * Day, [1]),
        (15 * Day, [2]),
        (22 * Day, [3]),
        (29 * Day - 1, [3]),
        (29 * Day, []),
    ],
)
def test_a_week_begins_with_its_first_microsecond(engine: SmallBatches, after: int, weeks: list[int]) -> None:
    """Reached with the second row, on the last microsecond of the observation."""
    reached = 14 * Day - 1
    rows: list[Row] = [("a1", "x", None, 5), ("a1", "x", None, 5 + reached), ("a1", "x", None, 5 + reached + after)]
    found = again(engine, Log(tuple(rows), (5, 5)), Milestone.of("x", 2))
    assert np.flatnonzero(found[1]).tolist() == weeks
    assert not found[0].any()


def test_any_of_its_events_counts_and_no_other(engine: SmallBatches) -> None:
    first = [(account, event, "u", 1) for account in ("a0", "a1", "a2") for event in ("x", "y")]
    later = [("a0", "x", None, 2 * Day), ("a1", "y", "v", 10 * Day), ("a2", "z", "u", 2 * Day)]
    found = again(engine, Log((*first, *later), (0, 0, 0)), Milestone.parse("x and y"))
    assert found.tolist() == [[True, False, False, False], [False, True, False, False], [False] * 4]


def test_weeks_count_from_the_accounts_own_moment(engine: SmallBatches) -> None:
    """The second account reaches it three days later, the third never; their later rows are the same."""
    rows: list[Row] = [("a0", "x", None, 0), ("a1", "x", None, 3 * Day), ("a0", "y", None, 0), ("a1", "y", None, 0)]
    rows += [(account, "x", None, 16 * Day) for account in ("a0", "a1", "a2")]
    found = again(engine, Log(tuple(rows), (0, 0, 0)), Milestone.parse("x and y"))
    assert [np.flatnonzero(weeks).tolist() for weeks in found] == [[2], [1], []]


def test_who_never_reached_it_never_repeats_it(engine: SmallBatches) -> None:
    """Reached only after the observation, before signup, or by too few users."""
    rows: list[Row] = [("a0", "x", "u", lag) for lag in (14 * Day, 16 * Day)]
    rows += [("a1", "x", "u", -1), ("a3", "x", "u", 5)]
    assert not again(engine, Log(tuple(rows), (0, 0, 0, None)), Milestone.of("x")).any()
    rows = [("a0", "x", user, lag) for user in ("u", None) for lag in (0, 3 * Day)]
    assert not again(engine, Log(tuple(rows), (0,)), Milestone.of("x", min_users=2)).any()


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_only_names(engine: SmallBatches, name: str) -> None:
    log = Log((("a0", name, "u", 0), ("a0", name, "u", Day), ("a0", "x", "u", 9 * Day)), (0,))
    assert again(engine, log, Milestone.of(name)).tolist() == [[True, False, False, False]]


def test_a_window_beyond_the_observation_is_refused(engine: SmallBatches) -> None:
    with pytest.raises(InputError, match="beyond the observation window"):
        again(engine, Log((), (0,)), Milestone.parse("x within 15d"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_query_reads_back_in_every_dialect(dialect: str) -> None:
    milestone = Milestone((Milestone.of(NAMES[2], 3, 72, 2), Milestone.of(NAMES[3])))
    text = again_query(NASTY, "accounts", milestone, 14 * Day, 4).sql(dialect=dialect)
    back = sqlglot.parse(text, dialect=dialect)
    assert len(back) == 1
    assert back[0].sql(dialect=dialect) == text
    assert all(name.args["quoted"] for name in back[0].find_all(exp.Identifier))
    assert {table.name for table in back[0].find_all(exp.Table)} == {NASTY, "accounts"}
