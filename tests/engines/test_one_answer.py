"""The query of the aggregates, run on real servers, answers as DuckDB does; and a study goes on from it."""

from __future__ import annotations

import dataclasses
import functools
from contextlib import closing
from typing import Any

import pyarrow as pa
import pytest

from discovery import simulate, study
from discovery.export.exposure import exposure_select
from discovery.exposure.one_answer import one_answer
from discovery.spec import build_spec
from tests.exposure.asked import answer_of, from_aggregates, said, settings_of
from tests.exposure.portable_world import raw_world

_RAW = (("raw_events", "events"), ("raw_accounts", "accounts"))


def on(engine: Any, sql: str) -> pa.Table:
    return pa.Table.from_batches(list(engine.batches(sql)))


@pytest.mark.parametrize("holds", ["timestamptz", "text"])
def test_every_question_has_the_answer_of_duckdb(engine: Any, holds: str) -> None:
    world = raw_world(holds, seed=11)
    named = {table: engine.bring(table, getattr(world, side)) for table, side in _RAW}
    names = {side: named[table].sql(dialect=engine.dialect) for table, side in _RAW}
    here = dataclasses.replace(world, tables=dataclasses.replace(world.tables, **names))
    spec = build_spec(world.spec)
    answer = on(engine, one_answer(here.tables, settings_of(here, spec), engine.dialect))
    found, expected = from_aggregates(world, answer), from_aggregates(world, answer_of(world))
    with closing(found.engine), closing(expected.engine):
        assert said(found) == said(expected)


@functools.cache
def _world() -> simulate.World:
    return simulate.simulate_world("easy", accounts=300, seed=1)


_SPEC = {
    "events": {"account": "account_id", "event": "event", "time": "timestamp", "user": "user_id", "id": "event_id"},
    "accounts": {"account": "account_id", "signup": "signup_at"},
    "outcome": {"by_day": 60},
}


@functools.cache
def _of_events() -> Any:
    return study.Study(_world().events, _world().accounts, _SPEC).run()


def test_a_study_of_the_answer_finds_what_the_events_show(engine: Any) -> None:
    world = _world()
    for name, table in (("events", world.events), ("accounts", world.accounts)):
        engine.bring(name, table)
    types = {"events.time": "timestamptz", "accounts.signup": "timestamptz"}
    select = exposure_select(build_spec(_SPEC), engine.dialect, types=types)
    found = study.Study(None, world.accounts, _SPEC, exposure=on(engine, select.sql)).run()
    expected = _of_events()
    for name in ("verdict", "population", "outcome", "personas", "second_opinion", "curves", "adjusted_for"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.candidates.to_frame().equals(expected.candidates.to_frame())
    ranked = [dataclasses.replace(each, median_days_to_reach=None) for each in expected.ranking]
    assert [dataclasses.replace(each, median_days_to_reach=None) for each in found.ranking] == ranked
