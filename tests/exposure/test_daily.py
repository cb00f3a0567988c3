"""Rows per account and day since signup equal a walk through each account's rows."""

from __future__ import annotations

import numpy as np
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from discovery.exposure import daily_actions
from discovery.exposure.daily import daily_query
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, Log, Row, SmallBatches, lay, logs, naive_rows

DIALECTS = ("duckdb", "postgres", "spark", "clickhouse", "snowflake", "bigquery", "trino")
NASTY = 'x"; DROP TABLE `y` --'


def daily(engine: SmallBatches, log: Log, days: int, left_out: tuple[str, ...] = ()) -> np.ndarray:
    lay(engine, log)
    return daily_actions(engine, EVENTS, ACCOUNTS, log.n_accounts, days, left_out)


@settings(max_examples=40, deadline=None)
@given(
    log=logs(), days=st.sampled_from([0, 1, 7, 14, 30]), left_out=st.sampled_from([(), NAMES[:1], NAMES[1:3], NAMES])
)
def test_counts_equal_a_walk_through_the_log(
    engine: SmallBatches, log: Log, days: int, left_out: tuple[str, ...]
) -> None:
    found = daily(engine, log, days, left_out)
    expected = np.zeros((log.n_accounts, days), dtype=np.int64)
    for account, rows in naive_rows(log, left_out).items():
        for lag, _, _ in rows:
            if 0 <= lag < days * Day:
                expected[account, lag // Day] += 1
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.int64


def test_a_day_begins_with_its_first_microsecond(engine: SmallBatches) -> None:
    lags = (-1, 0, 0, Day - 1, Day, 2 * Day - 1, 3 * Day - 1, 3 * Day)
    rows: list[Row] = [("a1", "x", None, 7 + lag) for lag in lags]
    found = daily(engine, Log(tuple(rows), (0, 7, None, 7)), 3)
    assert found.tolist() == [[0, 0, 0], [3, 2, 1], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_only_names(engine: SmallBatches, name: str) -> None:
    log = Log((("a0", name, "u", 1), ("a0", "x", "u", 1), ("a0", "x", "u", 1)), (0,))
    assert daily(engine, log, 1, (name,)).tolist() == [[2]]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_query_reads_back_in_every_dialect(dialect: str) -> None:
    text = daily_query(NASTY, "accounts", 14, NAMES).sql(dialect=dialect)
    back = sqlglot.parse(text, dialect=dialect)
    assert len(back) == 1
    assert back[0].sql(dialect=dialect) == text
    assert all(name.args["quoted"] for name in back[0].find_all(exp.Identifier))
    assert {table.name for table in back[0].find_all(exp.Table)} == {NASTY, "accounts"}
