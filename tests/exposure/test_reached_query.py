"""The query of a milestone names every account that reached it once, with the exact microsecond."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from discovery.errors import InputError
from discovery.exposure import reached_query
from discovery.milestone import Milestone
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, Log, SmallBatches, lay, logs, milestones, naive_moment


def reached(engine: SmallBatches, log: Log, milestone: Milestone) -> list[tuple[int, int]]:
    lay(engine, log)
    query = reached_query(EVENTS, ACCOUNTS, milestone, log.observation_us)
    assert query.named_selects == ["account", "reached"]
    return sorted(engine.rows(query.sql(dialect=engine.dialect)))


@settings(max_examples=30, deadline=None)
@given(log=logs(), milestone=milestones)
def test_rows_equal_a_walk_through_the_log(engine: SmallBatches, log: Log, milestone: Milestone) -> None:
    moments = naive_moment(log, milestone)
    expected = [(int(a), round(moments[a] * Day)) for a in np.flatnonzero(np.isfinite(moments))]
    assert reached(engine, log, milestone) == expected


def test_and_waits_for_all_its_parts_and_or_for_any(engine: SmallBatches) -> None:
    rows = [
        ("a0", "x", None, 5),
        ("a0", "y", None, 3),
        ("a0", "z", None, 9),
        ("a1", "x", None, 7),
        ("a1", "y", None, 7),
    ]
    log = Log(tuple(rows), (0, 0, 0))
    assert reached(engine, log, Milestone.parse("x and y")) == [(0, 5), (1, 7)]
    assert reached(engine, log, Milestone.parse("x or z")) == [(0, 5), (1, 7)]
    assert reached(engine, log, Milestone.parse("x and y and z")) == [(0, 9)]
    assert reached(engine, log, Milestone.parse("z or (x and y)")) == [(0, 5), (1, 7)]
    assert reached(engine, log, Milestone.parse("x and (z or never)")) == [(0, 9)]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_only_names(engine: SmallBatches, name: str) -> None:
    log = Log((("a0", name, "u", 5), ("a1", "x", "u", 5)), (0, 0))
    assert reached(engine, log, Milestone.of(name)) == [(0, 5)]


def test_a_window_beyond_the_observation_is_refused() -> None:
    with pytest.raises(InputError, match="beyond the observation window of 14 days"):
        reached_query(EVENTS, ACCOUNTS, Milestone.parse("x or (y and (z within 15d))"), 14 * Day)
