"""Activity whatever it consists of, and the event that only sums up others, against plain Python."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from discovery.exposure.query import clock_query, company_query, rhythm_query
from discovery.exposure.rhythm import Rhythm, account_rhythm, volume_axes
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, Log, Row, SmallBatches, lay, logs

DIALECTS = ("duckdb", "postgres", "spark", "clickhouse", "snowflake", "bigquery", "trino")
SECOND = 1_000_000
NASTY = 'x"; DROP TABLE `y` --'
QUERIES = {
    "rhythm": rhythm_query(NASTY, "accounts", 14 * Day, NAMES),
    "company": company_query(NASTY, "accounts", 14 * Day),
    "clock": clock_query(NASTY),
}
INT_COLUMNS = ("actions", "moments", "days")


def measured(engine: SmallBatches, log: Log, left_out: tuple[str, ...] = ()) -> Rhythm:
    lay(engine, log)
    return account_rhythm(engine, EVENTS, ACCOUNTS, log.n_accounts, log.observation_us, left_out)


def rows_inside(log: Log, left_out: tuple[str, ...]) -> list[tuple[int, str, str | None, int]]:
    frame = log.frame()
    frame = frame[(frame["lag"] >= 0) & (frame["lag"] < log.observation_us) & ~frame["event"].isin(left_out)]
    return list(frame.itertuples(index=False, name=None))


@settings(max_examples=25, deadline=None)
@given(log=logs(), left_out=st.sampled_from([(), NAMES[:1], NAMES[1:3], NAMES]))
def test_rhythm_equals_a_walk_through_the_rows(engine: SmallBatches, log: Log, left_out: tuple[str, ...]) -> None:
    found = measured(engine, log, left_out)
    by_account = defaultdict(list)
    for account, _, user, lag in rows_inside(log, left_out):
        by_account[account].append((user, lag))
    for account in range(log.n_accounts):
        rows = by_account[account]
        assert found.actions[account] == len(rows)
        assert found.moments[account] == len({lag // SECOND for _, lag in rows})
        assert found.days[account] == len({lag // Day for _, lag in rows})
        assert found.last_days[account] == max((lag for _, lag in rows), default=0) / Day
    assert all(getattr(found, name).dtype == np.int64 for name in INT_COLUMNS)


@settings(max_examples=25, deadline=None)
@given(log=logs(), coarse=st.sampled_from([1, 5 * Day]))
def test_company_equals_a_walk_through_the_rows(engine: SmallBatches, log: Log, coarse: int) -> None:
    """Coarse times make events meet, which in a small log they seldom do otherwise."""
    log = Log(tuple((a, e, u, t // coarse * coarse) for a, e, u, t in log.events), log.signups)
    lay(engine, log)
    found = engine.rows(company_query(EVENTS, ACCOUNTS, log.observation_us).sql(dialect="duckdb"))
    met = defaultdict(set)
    for account, event, _, lag in rows_inside(log, ()):
        met[account, lag // SECOND].add(event)
    expected = {(None, len(met), sum(len(events) > 1 for events in met.values()))}
    for name in {event for events in met.values() for event in events}:
        company = [len(events) for events in met.values() if name in events]
        expected.add((name, len(company), sum(size > 1 for size in company)))
    assert len(found) == len(expected)
    assert set(found) == expected


def test_rows_without_a_user_are_actions_of_nobody(engine: SmallBatches) -> None:
    rows: list[Row] = [("a0", "x", None, 5), ("a0", "x", None, 6), ("a1", "x", None, 7), ("a1", "y", "u", 2 * SECOND)]
    found = measured(engine, Log(tuple(rows), (0, 0, None)))
    assert found.actions.tolist() == [2, 2, 0]
    assert found.moments.tolist() == [1, 2, 0]


def test_an_event_named_null_is_not_taken_for_the_total(engine: SmallBatches) -> None:
    lay(engine, Log((("a0", "NULL", None, 5),), (0,)))
    found = engine.rows(company_query(EVENTS, ACCOUNTS, Day).sql(dialect="duckdb"))
    assert sorted(found, key=str) == [("NULL", 1, 0), (None, 1, 0)]


def worked(seed: int = 0, accounts: int = 30, moments: int = 8, parts: int = 4, axis: float = 1.0) -> list[Row]:
    """Files changed at some moments; a `commit` written in their second with chance `axis`, a `login` before."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for account in range(accounts):
        for start in rng.integers(0, 14 * Day, moments):
            second = int(start) // SECOND * SECOND
            files = rng.choice(parts, size=min(parts, 1 + int(rng.integers(2))), replace=False)
            rows += [(f"a{account}", f"file_{i}", "u", second + int(rng.integers(SECOND))) for i in files]
            if rng.random() < axis:
                rows.append((f"a{account}", "commit", "u", second + int(rng.integers(SECOND))))
            rows.append((f"a{account}", "login", "u", second - (0 if rng.random() < 0.3 else 40 * SECOND)))
    return rows


def axes(engine: SmallBatches, rows: list[Row], accounts: int = 30) -> tuple[str, ...]:
    """Signups lie at whole seconds, so that seconds since signup are seconds of the clock."""
    log = Log(tuple(rows), tuple(977 * SECOND * i for i in range(accounts)))
    log = Log(tuple((a, e, u, t + log.signups[int(a[1:])]) for a, e, u, t in rows), log.signups)
    lay(engine, log)
    return volume_axes(engine, EVENTS, ACCOUNTS, 14 * Day)


def test_a_sum_written_in_the_second_of_its_parts_is_an_axis(engine: SmallBatches) -> None:
    assert axes(engine, worked()) == ("commit",)


@pytest.mark.parametrize("chance", [0.0, 0.5])
def test_what_accompanies_only_some_moments_is_none(engine: SmallBatches, chance: float) -> None:
    assert axes(engine, worked(axis=chance)) == ()


def test_a_companion_of_one_event_is_none(engine: SmallBatches) -> None:
    """Two events that always come together: neither sums up several."""
    rows = [row for row in worked(parts=1) if row[1] != "login"]
    assert axes(engine, rows) == ()


def test_a_login_in_the_second_of_the_first_action_is_none(engine: SmallBatches) -> None:
    rng = np.random.default_rng(3)
    rows: list[Row] = []
    for account in range(30):
        for start in rng.integers(0, 14 * Day, 6):
            second = int(start) // SECOND * SECOND
            rows.append((f"a{account}", "login", "u", second))
            later = second + np.concatenate([[0], rng.integers(1, 3600, 4)]) * SECOND
            rows += [(f"a{account}", f"act_{rng.integers(4)}", "u", int(t)) for t in later]
    assert axes(engine, rows) == ()


@pytest.mark.parametrize("unit", [60 * SECOND, 3600 * SECOND, Day])
def test_times_no_finer_than_a_minute_name_no_axis(engine: SmallBatches, unit: int) -> None:
    """On one day of a log of dates, everything happens together: a daily login most of all."""
    rows = [(a, e, u, t // unit * unit) for a, e, u, t in worked(axis=0.0) if t >= 0]
    logins = sorted({(a, "login", u, t) for a, _, u, t in rows})
    log = Log((*(row for row in rows if row[1] != "login"), *logins), (0,) * 30)
    lay(engine, log)
    assert volume_axes(engine, EVENTS, ACCOUNTS, 14 * Day) == ()


@pytest.mark.parametrize(("accounts", "expected"), [(6, ()), (7, ("commit",))])
def test_fewer_than_fifty_shared_moments_say_nothing(engine: SmallBatches, accounts: int, expected: tuple) -> None:
    rows = worked(accounts=accounts)
    met = defaultdict(set)
    for account, event, _, t in rows:
        if t >= 0:
            met[account, t // SECOND].add(event)
    assert (sum(len(events) > 1 for events in met.values()) >= 50) == bool(expected)
    assert axes(engine, rows, accounts) == expected


def test_an_empty_log_names_none(engine: SmallBatches) -> None:
    lay(engine, Log((), (0,)))
    assert volume_axes(engine, EVENTS, ACCOUNTS, Day) == ()
    assert measured(engine, Log((), (0, None))).actions.tolist() == [0, 0]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_the_queries_read_back_in_every_dialect(query: exp.Select, dialect: str) -> None:
    text = query.sql(dialect=dialect)
    back = sqlglot.parse(text, dialect=dialect)
    assert len(back) == 1
    assert back[0].sql(dialect=dialect) == text
    assert all(name.args["quoted"] for name in back[0].find_all(exp.Identifier))
    assert {table.name for table in back[0].find_all(exp.Table)} <= {NASTY, "accounts"}
