"""Who climbed how far."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from discovery.milestone import Milestone

from .climbs import QUICKLY, climb, climbs, days, place


def test_who_did_a_later_rung_got_to_the_earlier_one():
    """The first account skips, the second did all, the third stops half-way, the fourth never begins."""
    made = climb(days(5, 4, None, None), place(a=days(None, 1, 2, None)), place(b=days(3, 2, None, None)))
    assert [row.tolist() for row in made.arrived] == [
        [True] * 4,
        [True, True, True, False],
        [True, True, False, False],
        [True, True, False, False],
    ]
    assert made.on_the_way[0].tolist() == [3, 1, 2, np.inf]


def test_rungs_are_the_places_and_the_milestone():
    made = climb(days(1), place(b=days(1), a=days(2)), milestone="x >= 3 within 7d")
    assert made.rungs == (Milestone.parse("a or b"), Milestone.parse("x >= 3 within 7d"))
    assert made.names == {"a", "b", "x"}


def test_a_ladder_without_steps_is_signup_and_milestone():
    made = climb(days(1, None))
    assert [row.tolist() for row in made.arrived] == [[True, True], [True, False]]


@QUICKLY
@given(climbs())
def test_each_rung_is_reached_by_some_of_those_at_the_rung_before(made):
    assert len(made.arrived) == len(made.rungs) + 1
    for before, here in itertools.pairwise(made.arrived):
        assert not (here & ~before).any()


@QUICKLY
@given(climbs())
def test_on_the_way_is_known_of_those_that_arrived_and_never_runs_backward(made):
    for own, here, earliest in zip(made.days, made.arrived[1:], made.on_the_way, strict=True):
        assert (np.isfinite(earliest) == here).all()
        assert (earliest <= own).all()
    for before, after in itertools.pairwise(made.on_the_way):
        assert (before <= after).all()


@QUICKLY
@given(climbs(), st.randoms())
def test_some_of_the_accounts_are_those_accounts(made, chance):
    kept = np.array([chance.random() < 0.6 for _ in range(len(made))], dtype=bool)
    some = made.among(kept)
    assert len(some) == kept.sum()
    assert some.rungs == made.rungs
    for mine, all_of_them in zip((*some.days, *some.arrived), (*made.days, *made.arrived), strict=True):
        assert mine.tolist() == all_of_them[kept].tolist()
    for mine, theirs in zip(some.places, made.places, strict=True):
        assert [s.first_days.tolist() for s in mine.steps] == [s.first_days[kept].tolist() for s in theirs.steps]
    everyone = made.among(np.ones(len(made), dtype=bool))
    assert [own.tolist() for own in everyone.days] == [own.tolist() for own in made.days]
