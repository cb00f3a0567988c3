"""Users of the observation window, and those who did something, equal a walk through each account's rows."""

from __future__ import annotations

import numpy as np
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from discovery.exposure import UserCounts, user_counts
from discovery.exposure.user_counts import users_query
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, Log, Row, SmallBatches, lay, logs, naive_rows

DIALECTS = ("duckdb", "postgres", "spark", "clickhouse", "snowflake", "bigquery", "trino")
NASTY = 'x"; DROP TABLE `y` --'


def counts(engine: SmallBatches, log: Log, events: tuple[str, ...]) -> UserCounts:
    lay(engine, log)
    return user_counts(engine, EVENTS, ACCOUNTS, log.n_accounts, events, log.observation_us)


@settings(max_examples=40, deadline=None)
@given(log=logs(), events=st.sampled_from([(), NAMES[:1], NAMES[1:3], NAMES, ("absent",)]))
def test_counts_equal_a_walk_through_the_log(engine: SmallBatches, log: Log, events: tuple[str, ...]) -> None:
    found = counts(engine, log, events)
    for account, rows in naive_rows(log).items():
        lived = [(event, user) for lag, event, user in rows if 0 <= lag < log.observation_us and user is not None]
        assert found.users[account] == len({user for _, user in lived})
        assert found.did[account] == len({user for event, user in lived if event in events})
    assert found.users.dtype == found.did.dtype == np.int64


def test_only_users_inside_the_observation_count(engine: SmallBatches) -> None:
    rows: list[Row] = [
        ("a0", "x", "u1", -1),
        ("a0", "x", "u2", 0),
        ("a0", "y", "u3", 14 * Day - 1),
        ("a0", "x", "u4", 14 * Day),
        ("a0", "x", None, 5),
        ("a1", "y", "u2", 5),
        ("a1", "x", "u2", 14 * Day),
    ]
    found = counts(engine, Log(tuple(rows), (0, 0, 0, None)), ("x",))
    assert (found.users.tolist(), found.did.tolist()) == ([2, 1, 0, 0], [1, 0, 0, 0])


def test_a_user_with_several_events_counts_once(engine: SmallBatches) -> None:
    rows: list[Row] = [(account, event, "u", 1) for account in ("a0", "a1") for event in ("x", "y", "x")]
    found = counts(engine, Log(tuple(rows), (0, 0)), ("x", "y"))
    assert (found.users.tolist(), found.did.tolist()) == ([1, 1], [1, 1])


def test_accounts_of_several_batches_are_kept(engine: SmallBatches) -> None:
    rows: list[Row] = [(f"a{account}", "x", f"u{user}", 1) for account in range(20) for user in range(account)]
    found = counts(engine, Log(tuple(rows), (0,) * 20), ("x",))
    assert found.users.tolist() == found.did.tolist() == list(range(20))


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_only_names(engine: SmallBatches, name: str) -> None:
    found = counts(engine, Log((("a0", name, "u", 1), ("a0", "x", "v", 1)), (0,)), (name,))
    assert (found.users.tolist(), found.did.tolist()) == ([2], [1])


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("events", [NAMES, ()], ids=["events", "none"])
def test_the_query_reads_back_in_every_dialect(events: tuple[str, ...], dialect: str) -> None:
    text = users_query(NASTY, "accounts", events, 14 * Day).sql(dialect=dialect)
    back = sqlglot.parse(text, dialect=dialect)
    assert len(back) == 1
    assert back[0].sql(dialect=dialect) == text
    assert all(name.args["quoted"] for name in back[0].find_all(exp.Identifier))
    assert {table.name for table in back[0].find_all(exp.Table)} == {NASTY, "accounts"}
