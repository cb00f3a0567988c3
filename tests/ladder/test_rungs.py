"""The figures of every rung, held to a count account by account."""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.errors import Caution
from discovery.ladder import rungs
from discovery.milestone import Milestone

from .climbs import HOSTILE, QUICKLY, climb, climbs, days, place

CURVE = np.linspace(0, 14, 8)


def figures(of, number, target=3.0, sessions=None):
    sessions = np.full(len(of), np.nan) if sessions is None else sessions
    return rungs.rung(of, number, CURVE, target, sessions, 0.05)


def all_rungs(of):
    return [rungs.baseline(of, CURVE), *(figures(of, number) for number in range(1, len(of.rungs) + 1))]


def shares_of(rung):
    order = [] if rung.order is None else [rung.order.estimate, rung.order.ci_lower, rung.order.ci_upper]
    branches = [share for branch in rung.alternatives for share in (branch.share, branch.goes_on)]
    given = [rung.reach, rung.step_conversion, rung.in_target, rung.milestone_with, rung.milestone_without]
    return [share for share in (*given, rung.in_first_sessions, *rung.by_day, *order, *branches) if share is not None]


@QUICKLY
@given(climbs())
def test_counts_fall_and_nobody_is_lost_between_rungs(made):
    for before, here in itertools.pairwise(all_rungs(made)):
        assert 0 <= here.n_reached <= before.n_reached
        assert here.dropped + here.n_reached == before.n_reached
        assert 0 <= here.skipped <= here.n_reached
        if before.n_reached:
            assert here.step_conversion == here.n_reached / before.n_reached
        else:
            assert here.step_conversion is None


@QUICKLY
@given(climbs())
def test_shares_are_shares_and_curves_rise_to_those_that_did_it(made):
    for rung, own in zip(all_rungs(made)[1:], made.days, strict=True):
        assert all(0 <= share <= 1 for share in shares_of(rung))
        assert list(rung.by_day) == sorted(rung.by_day)
        assert rung.by_day[-1] == (np.isfinite(own).mean() if len(own) else 0.0)
        assert rung.by_day[0] == ((own == 0).mean() if len(own) else 0.0)


@QUICKLY
@given(climbs())
def test_no_figure_is_infinite_or_not_a_number(made):
    for rung in all_rungs(made):
        flat = [value for value in dataclasses.astuple(rung) if isinstance(value, float)]
        assert all(math.isfinite(value) for value in (*flat, *shares_of(rung), *(rung.quartile_days or ())))


@QUICKLY
@given(climbs())
def test_figures_are_those_of_a_count_account_by_account(made):
    top = made.top.tolist()
    for number, own in enumerate(made.days, start=1):
        rung, target = figures(made, number), 3.0
        did = [day for day in own.tolist() if math.isfinite(day)]
        pairs = list(zip(own.tolist(), top, strict=True))
        having = [math.isfinite(end) for day, end in pairs if math.isfinite(day)]
        without = [math.isfinite(end) for day, end in pairs if not math.isfinite(day)]
        assert rung.median_days == (statistics.median(did) if did else None)
        assert rung.in_target == (sum(day < target for day in did) / len(did) if did else None)
        assert rung.target_met == (statistics.median(did) < target if did else None)
        assert rung.skipped == sum(
            not math.isfinite(row[number - 1]) and any(map(math.isfinite, row[number:]))
            for row in zip(*(column.tolist() for column in made.days), strict=True)
        )
        if rung.role == "required":
            assert rung.milestone_with == (statistics.fmean(having) if having else None)
            assert rung.milestone_without == (statistics.fmean(without) if without else None)


@QUICKLY
@given(climbs(), st.randoms())
def test_the_order_of_the_accounts_is_irrelevant(made, chance):
    shuffled = list(range(len(made)))
    chance.shuffle(shuffled)
    other = climb(made.top[shuffled], *(moved(own, shuffled) for own in made.places))
    for one, two in zip(all_rungs(made), all_rungs(other), strict=True):
        assert dataclasses.replace(one, order=None) == dataclasses.replace(two, order=None)
        if one.order is not None and one.order.estimate is not None:
            assert one.order.estimate == pytest.approx(two.order.estimate, abs=1e-12)


def moved(own, shuffled):
    steps = {step.event: step.first_days[shuffled] for step in own.steps}
    return place(steady=own.steady, routes=own.routes, **steps)


def test_nobody_at_all():
    made = all_rungs(climb(days(), place(a=days())))
    assert [rung.n_reached for rung in made] == [0, 0, 0]
    assert [rung.step_conversion for rung in made] == [None, None, None]
    assert made[1].median_days is None
    assert made[1].milestone_with is None
    assert made[2].order.status == "too_few"


def test_one_account():
    made = all_rungs(climb(days(2), place(a=days(1))))
    assert [rung.reach for rung in made] == [1, 1, 1]
    assert (made[1].milestone_with, made[1].milestone_without) == (1.0, None)
    assert made[1].quartile_days == (1, 1)


def test_a_place_on_record_for_nobody_is_reached_through_the_next():
    rung = figures(climb(days(2, 3, None), place(a=days(None, None, None))), 1)
    assert (rung.n_reached, rung.skipped, rung.reach) == (2, 2, 2 / 3)
    assert (rung.median_days, rung.quartile_days, rung.in_target, rung.target_met) == (None, None, None, None)
    assert (rung.milestone_with, rung.milestone_without) == (None, 2 / 3)


def test_everything_at_the_same_moment_has_no_order():
    rung = figures(climb(np.ones(40), place(a=np.ones(40)), place(b=np.ones(40))), 2)
    assert (rung.order.status, rung.order.n_accounts) == ("too_few", 0)


def test_the_first_rung_has_no_order_and_later_ones_have_that_of_both_done():
    made = climb(days(3, 1, None, 5), place(a=days(1, 2, 1, None)))
    assert figures(made, 1).order is None
    assert figures(made, 2).order.n_accounts == 2
    assert figures(made, 2).order.estimate == 0.5


def test_on_the_day_itself_the_target_is_missed():
    rung = figures(climb(days(3, 3), place(a=days(3, 2.999))), 1)
    assert rung.in_target == 0.5
    assert rung.target_met is True
    assert figures(climb(days(3, 3), place(a=days(3, 3))), 1).target_met is False


@pytest.mark.parametrize(("steady", "warned"), [([1] * 4 + [0], False), ([1] * 39 + [0] * 11, True), ([], False)])
def test_a_rung_is_unsteady_below_four_of_five_half_samples(steady, warned):
    rung = figures(climb(days(3), place(a=days(1), steady=steady)), 1)
    assert (Caution.UNSTEADY_RUNG in rung.warnings) is warned
    assert rung.stability == (np.mean(steady) if steady else None)


def test_sessions_count_where_it_was_done():
    sessions = np.array([1, 3, 4, 9, np.nan])
    rung = figures(climb(days(1, 1, 1, 1, None)), 1, sessions=sessions)
    assert (rung.sessions, rung.in_first_sessions) == (3.5, 0.5)
    nobody = figures(climb(days(None)), 1, sessions=np.array([np.nan]))
    assert (nobody.sessions, nobody.in_first_sessions) == (None, None)


def test_alternatives_come_by_use_and_with_who_goes_on():
    """Two accounts take the second way alone, one the first, one both; the milestone ends it for one of each."""
    made = climb(days(5, None, 6, None), place(a=days(1, None, None, 4), b=days(None, 2, 3, 2), routes=(1, 2)))
    often, seldom = figures(made, 1).alternatives
    assert (often.milestone, often.n_reached, often.share, often.route) == ("b", 3, 0.75, 2)
    assert (seldom.milestone, seldom.n_reached, seldom.share, seldom.route) == ("a", 2, 0.5, 1)
    assert (often.goes_on, seldom.goes_on) == (1 / 3, 1 / 2)
    assert (often.median_days, seldom.median_days) == (2, 2.5)


@pytest.mark.parametrize("name", HOSTILE)
def test_every_alternative_keeps_its_own_figures_whatever_its_name(name):
    """Names that need quotation marks sort elsewhere among milestones than among events."""
    made = climb(days(9, 9, 9), place(**{name: days(1, 1, None), "middle": days(None, None, 4)}))
    found = {branch.milestone: branch.n_reached for branch in figures(made, 1).alternatives}
    assert found == {str(Milestone.of(name)): 2, "middle": 1}


def test_routes_are_optional():
    made = climb(days(9, 9), place(a=days(1, None), b=days(None, 1), routes=()))
    assert [branch.route for branch in figures(made, 1).alternatives] == [None, None]


def test_one_step_alone_has_no_alternatives():
    assert figures(climb(days(9), place(a=days(1))), 1).alternatives == ()
