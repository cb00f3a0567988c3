"""The aggregates that one query answers with say what the events say, to the bit."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from typing import Any

import pyarrow.compute as pc
import pytest
import sqlglot
from sqlglot import exp

from discovery import intake
from discovery.engines.aggregated import PARTS, Aggregated
from discovery.engines.dialects import DIALECTS
from discovery.engines.raw_tables import TIME_TYPES
from discovery.errors import InputError, SourceError
from discovery.exposure import daily_actions
from discovery.exposure.one_answer import one_answer
from discovery.exposure.query import exposure_query
from discovery.intake.profile import look_at_first_rows
from discovery.intake.timeline import timeline_of
from discovery.spec import Day, build_spec

from .asked import answer_of, from_aggregates, said, settings_of
from .portable_world import EVENTS, RawWorld, raw_world


def assert_says_the_same(world: RawWorld, **sections: dict[str, Any]) -> None:
    spec = build_spec({**world.spec, **{k: {**world.spec.get(k, {}), **v} for k, v in sections.items()}})
    tables = dataclasses.replace(
        world.tables,
        aliases={old: name for name, spellings in spec.events.aliases.items() for old in spellings},
        leave_out=spec.events.leave_out,
        leave_out_users=spec.events.leave_out_users,
    )
    world = dataclasses.replace(world, tables=tables)
    events = intake.load(world.events, world.accounts, spec)
    aggregates = from_aggregates(world, answer_of(world, spec), spec)
    with closing(events.engine), closing(aggregates.engine):
        expected = said(events)
        assert sum(map(sum, expected["counts"])) > 100
        assert said(aggregates) == expected


@pytest.mark.parametrize("holds", TIME_TYPES)
def test_every_way_of_writing_times(holds: str) -> None:
    assert_says_the_same(raw_world(holds, seed=TIME_TYPES.index(holds)))


@pytest.mark.parametrize("duplicates", ["by_id", "exact", "keep"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_repeated_rows(duplicates: str, zone: str) -> None:
    assert_says_the_same(raw_world("text", seed=3, zone=zone, duplicates=duplicates))


@pytest.mark.parametrize("holds", ["timestamp", "timestamptz"])
def test_times_that_are_midnights_throughout(holds: str) -> None:
    assert_says_the_same(raw_world(holds, seed=4, midnights=True))


@pytest.mark.parametrize(
    "sections",
    [
        {"candidates": {"window_days": 1, "within_days": [1]}, "outcome": {"kind": "active", "active_days": [1, 9]}},
        {"candidates": {"window_days": 75, "within_days": [2, 61]}, "outcome": {"by_day": 90, "active_days": [80, 90]}},
        {"events": {"aliases": {"shared": [EVENTS[0], EVENTS[2]]}, "leave_out": ["Deal*", "nobody"]}},
        {"events": {"leave_out": ["*ó*", "rep*sh*"], "leave_out_users": ["u1", "Ü*"]}},
    ],
)
def test_other_windows_and_other_names(sections: dict[str, dict[str, Any]]) -> None:
    assert_says_the_same(raw_world(seed=5), **sections)


def test_several_events_in_a_second_are_told_apart() -> None:
    answer = answer_of(raw_world(seed=6))
    bursts = answer.filter(pc.equal(answer["part"], "burst"))
    assert max(len(codes.split(",")) for codes in bursts["event"].to_pylist()) > 1
    assert bursts.num_rows > 5


def test_no_id_of_a_user_and_no_row_leaves() -> None:
    world = raw_world()
    answer = answer_of(world)
    users = {user for user in world.events["person"].to_pylist() if user}
    texts = {text for name in ("account_id", "event") for text in answer[name].to_pylist()}
    assert users
    assert not users & texts
    assert set(answer["part"].to_pylist()) == set(PARTS)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("holds", TIME_TYPES)
def test_every_dialect_reads_what_is_written_for_it(dialect: str, holds: str) -> None:
    world = raw_world(holds, seed=TIME_TYPES.index(holds))
    settings = settings_of(world, build_spec(world.spec))
    sql = one_answer(world.tables, settings, dialect)
    query = sqlglot.parse_one(sql, dialect=dialect)
    assert isinstance(query, exp.Union)
    assert [each.alias for each in query.selects] == list(settings.columns)
    written = {table.name for table in query.find_all(exp.Table)} - {cte.alias for cte in query.find_all(exp.CTE)}
    assert {name.lower() for name in written} == {"raw_events", "raw_accounts"}


def test_windows_inside_a_day_are_refused() -> None:
    with pytest.raises(InputError, match="end inside a day"):
        exposure_query(Aggregated("held"), "accounts", (Day // 2,), 14 * Day)


def test_a_question_that_aggregates_do_not_answer_fails() -> None:
    world = raw_world()
    relations = from_aggregates(world, answer_of(world))
    with closing(relations.engine), pytest.raises(InputError, match="needs the events themselves"):
        daily_actions(relations.engine, relations.events_table, relations.accounts_table, 5, 14, [])


def test_relations_say_where_the_events_are() -> None:
    world = raw_world()
    whole = intake.load(world.events, world.accounts, build_spec(world.spec))
    relations = from_aggregates(world, answer_of(world))
    with closing(whole.engine), closing(relations.engine):
        assert whole.where == "here"
        assert relations.where == "aggregates"
        assert not isinstance(relations.events_table, str)
        assert timeline_of(relations) is None
        with pytest.raises(SourceError, match="Only aggregates"):
            look_at_first_rows(relations, None, relations.spec)
