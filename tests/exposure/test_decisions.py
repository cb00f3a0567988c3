"""Counts around a departure, and what timing may and may not say about an event."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
import sqlglot

from discovery.engines.duckdb import DuckDBEngine
from discovery.estimate.timing import TimingEvidence, after_decision
from discovery.exposure import ranges
from discovery.exposure.decisions import DecisionCounts, decision_times, lives_query
from discovery.simulate import simulate_world
from discovery.spec import Day

Row = tuple[int, str, float]
WORLDS = ("easy", "confounded", "chain", "leaky", "null", "confounded_null")


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine(threads=1) as opened:
        yield opened


def counted(engine: DuckDBEngine, rows: list[Row], *moments: np.ndarray, **how: float) -> tuple[DecisionCounts, ...]:
    """Count rows of (account, event, days since signup); every account signed up at another time."""
    n = len(moments[0])
    account = [row[0] for row in rows]
    signup = 1_600_000_000_000_000 + 977 * Day * np.arange(n)
    events = {
        "account_id": pa.array([f"a{i}" for i in account], pa.string()),
        "event": pa.array([row[1] for row in rows], pa.string()),
        "user_id": pa.nulls(len(rows), pa.string()),
        "t": pa.array([int(signup[i] + round(days * Day)) for i, _, days in rows], pa.int64()),
    }
    known = {"account": pa.array(range(n), pa.int32()), "account_id": [f"a{i}" for i in range(n)], "signup": signup}
    engine.register("lived", pa.table(events))
    engine.register("known", pa.table(known))
    return decision_times(engine, "lived", "known", *moments, **how)


def judged(counts: DecisionCounts) -> TimingEvidence:
    return after_decision(counts.having, counts.near, counts.expected)


def followers(counts: DecisionCounts) -> set[str]:
    return {event for event, follows in zip(counts.events, judged(counts).follows, strict=True) if follows}


def test_counts_equal_those_taken_by_hand(engine: DuckDBEngine) -> None:
    rows = [
        (0, "login", 0.0), (0, "login", 29.0), (0, "goodbye", 28.5), (0, "late", 33.0),
        (1, "login", 1.0), (1, "goodbye", 7.9), (1, "goodbye", 12.0), (1, "login", 12.0),
        (2, "login", -1.0), (2, "login", 90.0), (2, "goodbye", 90.0),
        (3, "goodbye", 5.0),
    ]  # fmt: skip
    left = np.array([30.0, 10.0, np.inf, 5.0])
    paid = np.array([np.inf, np.nan, 90.5, np.inf])
    leaving, paying = counted(engine, rows, left, paid, min_shared=1)
    assert leaving.events == paying.events == ("goodbye", "late", "login")
    assert leaving.having.tolist() == [2, 1, 2]  # account 3 did nothing else, account 2 did not leave
    assert leaving.near.tolist() == [1, 0, 0]
    assert leaving.after.tolist() == [0, 1, 0]
    assert leaving.last.tolist() == [1, 1, 1]
    assert leaving.expected.tolist() == [0.0, 0.5, 0.25]
    assert (paying.having.tolist(), paying.near.tolist()) == ([1, 0, 1], [1, 0, 0])
    (near,) = counted(engine, rows, left, min_shared=1, within_days=2.1)
    assert near.near.tolist() == [2, 0, 0]


def test_nothing_to_count(engine: DuckDBEngine) -> None:
    nobody = np.full(3, np.inf)
    assert decision_times(engine, "lived", "known") == ()
    for rows in ([], [(0, "login", 1.0), (1, "login", 2.0)]):
        (counts,) = counted(engine, rows, nobody)
        assert counts.having.sum() == 0
        assert followers(counts) == set()


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "spark", "clickhouse", "snowflake", "bigquery", "trino"])
def test_the_query_reads_back_in_every_dialect(dialect: str) -> None:
    text = lives_query('e"v', "a").sql(dialect=dialect)
    assert sqlglot.parse_one(text, dialect=dialect).sql(dialect=dialect) == text


def departures(world: object) -> tuple[dict[str, int], np.ndarray]:
    accounts = world.accounts
    place = {account: i for i, account in enumerate(accounts["account_id"].to_pylist())}
    signup = accounts["signup_at"].cast(pa.int64()).to_numpy()
    churned = accounts["churned_at"].cast(pa.int64()).fill_null(0).to_numpy()
    return place, np.where(churned > 0, (churned - signup) / Day, np.inf)


def rows_of(world: object) -> list[Row]:
    place, _ = departures(world)
    signup = world.accounts["signup_at"].cast(pa.int64()).to_numpy()
    account = [place[i] for i in world.events["account_id"].to_pylist()]
    time = world.events["timestamp"].cast(pa.int64()).to_numpy()
    days = (time - signup[account]) / Day
    return list(zip(account, world.events["event"].to_pylist(), days.tolist(), strict=True))


@pytest.mark.parametrize("name", WORLDS)
def test_no_ordinary_event_is_ever_taken_for_a_consequence(engine: DuckDBEngine, name: str) -> None:
    world = simulate_world(name, accounts=700, seed=11)
    (counts,) = counted(engine, rows_of(world), departures(world)[1])
    assert (counts.having >= 20).sum() > 15
    assert followers(counts) == set()


@pytest.mark.parametrize("renamed", [1, 4])
def test_leaving_is_caught_under_any_name_where_timing_shows_it(engine: DuckDBEngine, renamed: int) -> None:
    world = simulate_world("leaky", accounts=700, seed=12)
    rng, left = np.random.default_rng(5), departures(world)[1]
    rows = [row for row in rows_of(world) if row[1] != "subscription_cancelled"]
    for step in range(renamed):  # a form, a survey, a goodbye: several events of one decision
        shows = np.flatnonzero(np.isfinite(left) & (rng.random(700) < 0.6))
        rows += [
            (int(i), f"step_{step}", left[i] - wait) for i, wait in zip(shows, rng.exponential(0.4, 700), strict=False)
        ]
    rows += [(int(i), "step_0", 9.0) for i in rng.choice(700, 12)]  # a few changed their minds, weeks before
    (counts,) = counted(engine, rows, left)
    assert followers(counts) == {f"step_{step}" for step in range(renamed)}


def test_neither_a_daily_login_nor_a_logout_is_a_consequence(engine: DuckDBEngine) -> None:
    """They are the last thing of nearly every account, but they began long before."""
    rows, left = [], np.linspace(15, 80, 60)
    for account, end in enumerate(left):
        for day in np.arange(0, end, 1.0):
            rows += [(account, "login", day), (account, "work", day + 0.1), (account, "logout", day + 0.2)]
    (counts,) = counted(engine, rows, left)
    assert counts.last[counts.events.index("logout")] == 60
    assert followers(counts) == set()


def test_in_a_life_of_two_days_everything_is_near_the_end(engine: DuckDBEngine) -> None:
    rows = [(account, event, 0.1 * i) for account in range(80) for i, event in enumerate(("login", "look", "quit"))]
    (counts,) = counted(engine, rows, np.full(80, 1.5))
    assert counts.near.tolist() == [80, 80, 80]
    assert followers(counts) == set()


def test_of_many_accounts_those_that_decided_are_all_asked(
    engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows a rare decision is seen however many accounts there are that never took it."""
    rng, n = np.random.default_rng(3), 3000
    left, paid = np.full(n, np.inf), np.full(n, np.inf)
    leaving = rng.choice(n, 200, replace=False)
    left[leaving] = rng.uniform(30, 90, 200)
    paid[rng.choice(n, 1500, replace=False)] = 20.0
    rows = [(i, event, float(day)) for i in range(n) for event, day in zip("abc", rng.uniform(0, 14, 3), strict=True)]
    rows += [(int(i), "seat_wizard", left[i] - 0.2) for i in leaving[:25]]
    whole, of_paying = counted(engine, rows, left, paid)
    monkeypatch.setattr(ranges, "ENOUGH", 300)
    found, fewer = counted(engine, rows, left, paid)
    assert followers(found) == {"seat_wizard"}
    for name in ("having", "near", "after", "last", "expected"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    assert of_paying.having[0] == 1500
    assert fewer.having[0] == pytest.approx(300, abs=2)  # not also those that are asked for having left
