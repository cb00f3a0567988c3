"""Rows per calendar week, repeated rows and rows without a user equal a count over the log, row by row."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from discovery.exposure import WeeklyRows, weekly_rows
from discovery.exposure.weekly import copies_query, weekly_query
from discovery.spec import Day

from .naive_log import EVENTS, NAMES, Log, Row, SmallBatches, lay, logs

DIALECTS = ("duckdb", "postgres", "spark", "clickhouse", "snowflake", "bigquery", "trino")
NASTY = 'x"; DROP TABLE `y` --'
MONDAY = (date(2023, 11, 13) - date(1970, 1, 1)).days * Day  # the week of the logs' later signups
QUERIES = {
    "weekly": weekly_query(NASTY, NAMES, MONDAY, 5),
    "before 1970": weekly_query(NASTY, NAMES, -MONDAY, 5),
    "copies": copies_query(NASTY, NAMES),
}


def weekly(engine: SmallBatches, log: Log, events: tuple[str, ...], start_us: int, end_us: int) -> WeeklyRows:
    lay(engine, log)
    return weekly_rows(engine, EVENTS, events, start_us, end_us)


def whole_weeks(start_us: int, end_us: int) -> list[int]:
    """Day by day: those that are a Monday in the calendar and whose week lies inside."""
    epoch = date(1970, 1, 1)
    return [
        day
        for day in range(start_us // Day, end_us // Day + 1)
        if (epoch + timedelta(days=day)).weekday() == 0 and start_us <= day * Day and (day + 7) * Day - 1 <= end_us
    ]


spans = st.builds(
    lambda from_us, begin, length, end: (from_us + begin, from_us + begin + length * 7 * Day + end),
    st.sampled_from([-10 * Day, -3 * Day, 4 * Day, MONDAY]),  # a Monday three times, and a Monday before 1970
    st.one_of(st.sampled_from([-1, 0, 1]), st.integers(-7 * Day, 7 * Day)),
    st.integers(0, 4),
    st.one_of(st.sampled_from([-2, -1, 0, 1]), st.integers(-Day, Day)),
)


@settings(max_examples=40, deadline=None)
@given(log=logs(), events=st.sampled_from([(), NAMES[:1], NAMES[1:4], ("absent", NAMES[0])]), span=spans)
def test_counts_equal_a_count_row_by_row(
    engine: SmallBatches, log: Log, events: tuple[str, ...], span: tuple[int, int]
) -> None:
    found = weekly(engine, log, events, *span)
    days = whole_weeks(*span)
    inside = [(event, day) for _, event, _, t in log.events for day in days if day * Day <= t < (day + 7) * Day]
    assert found.days.tolist() == days
    assert found.everything.tolist() == [sum(week == day for _, week in inside) for day in days]
    assert found.counts.tolist() == [[inside.count((event, day)) for day in days] for event in events]
    assert found.counts.shape == (len(events), len(days))
    assert {found.days.dtype, found.counts.dtype, found.everything.dtype} == {np.dtype(np.int64)}


@settings(max_examples=40, deadline=None)
@given(log=logs(), events=st.sampled_from([(), NAMES[:1], NAMES[:4]]))
def test_shares_equal_a_count_row_by_row(engine: SmallBatches, log: Log, events: tuple[str, ...]) -> None:
    found = weekly(engine, log, events, 0, 0)
    own = [row for row in log.events if row[1] in events]
    repeats = sum(copies - 1 for copies in Counter(own).values())
    assert found.repeated == (repeats / len(own) if own else 0.0)
    assert found.unknown_users == (sum(row[2] is None for row in own) / len(own) if own else 0.0)


def test_a_week_runs_from_monday_to_sunday(engine: SmallBatches) -> None:
    times = (-1, 0, 7 * Day - 1, 7 * Day, 14 * Day - 1, 14 * Day)
    log = Log(tuple(("a0", "x", None, MONDAY + t) for t in times), (0,))
    found = weekly(engine, log, ("x", "y"), MONDAY, MONDAY + 14 * Day - 1)
    assert found.days.tolist() == [MONDAY // Day, MONDAY // Day + 7]
    assert found.counts.tolist() == [[2, 2], [0, 0]]
    assert found.everything.tolist() == [2, 2]


@pytest.mark.parametrize(("start", "end", "weeks"), [(0, 7 * Day - 1, 1), (1, 7 * Day - 1, 0), (0, 7 * Day - 2, 0)])
def test_a_week_that_lacks_a_microsecond_is_not_whole(engine: SmallBatches, start: int, end: int, weeks: int) -> None:
    found = weekly(engine, Log((("a0", "x", None, MONDAY + Day),), (0,)), ("x",), MONDAY + start, MONDAY + end)
    assert (found.days.size, found.counts.shape, found.everything.tolist()) == (weeks, (1, weeks), [1] * weeks)


def test_repeats_agree_in_account_user_event_and_time(engine: SmallBatches) -> None:
    rows: list[Row] = [("a0", "x", None, 1)] * 3 + [("a0", "x", "u", 1)] * 2
    rows += [("a1", "x", "u", 1), ("a0", "y", "u", 1), ("a0", "x", "u", 2), ("a0", "z", None, 1), ("a0", "z", None, 1)]
    found = weekly(engine, Log(tuple(rows), (0, 0)), ("x", "y"), 0, Day)
    assert (found.repeated, found.unknown_users) == (3 / 8, 3 / 8)


def test_rows_of_unknown_accounts_count_as_well(engine: SmallBatches) -> None:
    found = weekly(engine, Log((("a7", "x", "u", 4 * Day),) * 2, (None,)), ("x",), 4 * Day, 11 * Day)
    assert (found.counts.tolist(), found.repeated) == ([[2]], 0.5)


def test_an_empty_log_has_weeks_without_rows(engine: SmallBatches) -> None:
    found = weekly(engine, Log((), (0,)), ("x",), 4 * Day, 18 * Day)
    assert (found.counts.tolist(), found.everything.tolist()) == ([[0, 0]], [0, 0])
    assert (found.repeated, found.unknown_users) == (0.0, 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_only_names(engine: SmallBatches, name: str) -> None:
    log = Log((("a0", name, None, 5 * Day), ("a0", "x", "u", 5 * Day)), (0,))
    found = weekly(engine, log, (name,), 4 * Day, 11 * Day)
    assert (found.counts.tolist(), found.everything.tolist(), found.unknown_users) == ([[1]], [2], 1.0)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_the_queries_read_back_in_every_dialect(query: exp.Select, dialect: str) -> None:
    text = query.sql(dialect=dialect)
    back = sqlglot.parse(text, dialect=dialect)
    assert len(back) == 1
    assert back[0].sql(dialect=dialect) == text
    assert all(name.args["quoted"] for name in back[0].find_all(exp.Identifier))
    assert {table.name for table in back[0].find_all(exp.Table)} == {NASTY}
