"""The same SELECT on a real PostgreSQL server equals our intake and exposure account by account."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from discovery.engines.raw_tables import TIME_TYPES
from discovery.exposure.portable import milestone_sql
from discovery.milestone import Milestone
from discovery.spec import Day
from tests.requirements import require

from .portable_world import MILESTONES, RawWorld, as_micros, raw_world
from .postgres import lay, programs, running


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    folder = programs()
    require("PostgreSQL", folder is not None)
    require("psycopg", importlib.util.find_spec("psycopg") is not None)
    import psycopg

    with running(str(folder)) as address, psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        yield connection


def on_postgres(server: Any, world: RawWorld, milestone: Milestone) -> dict[str, tuple[int, float]]:
    lay(server, "raw_events", world.events)
    lay(server, "raw_accounts", world.accounts)
    answer = server.execute(milestone_sql(world.tables, milestone, 14 * Day, "postgres"))
    assert [column.name for column in answer.description] == ["account_id", "reached_at", "days_since_signup"]
    rows = answer.fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    return {account: (as_micros(moment), days) for account, moment, days in rows}


@pytest.mark.parametrize("milestone", MILESTONES)
def test_many_milestones_equal_our_own_times(milestone: str, server: Any) -> None:
    world, asked = raw_world(), Milestone.parse(milestone)
    assert on_postgres(server, world, asked) == world.expected(asked)


@pytest.mark.parametrize("holds", TIME_TYPES)
def test_every_way_of_writing_times_equals_our_own_times(holds: str, server: Any) -> None:
    world, asked = raw_world(holds, seed=TIME_TYPES.index(holds)), Milestone.parse(MILESTONES[2])
    assert on_postgres(server, world, asked) == world.expected(asked)


@pytest.mark.parametrize("holds", ["timestamp", "timestamptz", "text", "milliseconds"])
def test_times_that_are_midnights_throughout_are_calendar_days(holds: str, server: Any) -> None:
    world, asked = raw_world(holds, midnights=True), Milestone.parse(MILESTONES[2])
    assert on_postgres(server, world, asked) == world.expected(asked)


@pytest.mark.parametrize("duplicates", ["exact", "keep"])
def test_repeated_rows_are_treated_as_the_spec_says(duplicates: str, server: Any) -> None:
    world, asked = raw_world(duplicates=duplicates, zone="UTC"), Milestone.parse(MILESTONES[1])
    assert on_postgres(server, world, asked) == world.expected(asked)
