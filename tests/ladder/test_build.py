"""Whole ladders: their rungs, their sentences, and that nothing in them is left unsaid or said wrongly."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.errors import Caution
from discovery.ladder import Habit, in_rank
from discovery.ladder.build import FEWEST_HABITS
from discovery.milestone import Milestone
from discovery.results import Estimate

from .climbs import HOSTILE, QUICKLY, built, chain, climb, climbs, cohort, days, goal, leg, place, plain_leg

NO = "\u202f%"
NOT_KNOWN = Estimate(
    estimate=None, ci_lower=None, ci_upper=None, scale="risk difference", n_accounts=0, status="too_few"
)


def values(of):
    """Yield every value in a result, however deep."""
    if dataclasses.is_dataclass(of):
        for field in dataclasses.fields(of):
            yield from values(getattr(of, field.name))
    elif isinstance(of, tuple):
        for part in of:
            yield from values(part)
    else:
        yield of


def sentences(of):
    """Return every text of a ladder that is more than a name."""
    said = [of.sentence, *(stage.sentence for stage in of.stages), *(a for stage in of.stages for a in stage.advice)]
    said += [funnel.sentence for funnel in of.funnels]
    return [*said, *(rule.sentence for rung in of.rungs for rule in rung.rules)]


def habit(followed, has, text="3 or more users active"):
    return Habit(text=text, followed=np.asarray(followed, bool), has=np.asarray(has, bool))


def test_signup_below_the_steps_in_between_and_the_milestone_on_top():
    ladder = built(chain(1), motion="sales")
    assert [rung.role for rung in ladder.rungs] == ["baseline", "required", "required", "milestone"]
    assert [rung.milestone for rung in ladder.rungs] == ["signed up", "step_1", "step_2", "report_shared"]
    assert [rung.target_days for rung in ladder.rungs] == [None, 3, 3, 7]
    assert [rung.order is None for rung in ladder.rungs] == [True, True, False, False]
    assert all(len(rung.by_day) == len(ladder.days) for rung in ladder.rungs)
    assert (ladder.days[0], ladder.days[-1]) == (0.0, 14.0)
    assert all(len(rung.rules) == 5 for rung in ladder.rungs[1:])
    assert (ladder.rank, ladder.warnings) == (0, ())


def test_a_planted_chain_has_its_own_conversions():
    ladder = built(chain(2, n=20_000, going_on=(0.8, 0.7, 0.6)))
    assert [rung.step_conversion for rung in ladder.rungs[1:]] == pytest.approx([0.8, 0.7, 0.6], abs=0.02)
    assert ladder.rungs[2].order.estimate == 1.0
    assert ladder.rungs[1].milestone_with == pytest.approx(0.42, abs=0.02)
    assert ladder.rungs[1].milestone_without == 0


@QUICKLY
@given(climbs(), st.sampled_from(["", "plg", "sales", "enterprise"]), st.sampled_from(["found", "lead"]), st.booleans())
def test_any_climb_is_a_ladder_without_a_number_that_is_none(made, motion, status, estimated):
    to = goal(status, **({} if estimated else {"adjusted": NOT_KNOWN}))
    plan = {"plan": np.array(["free", "pro"] * len(made), dtype=object)[: len(made)]}
    of = built(made, to, motion=motion, segments=plan, alike=0.5 if estimated else None)
    numbers = [value for value in values(of) if isinstance(value, float)]
    assert all(math.isfinite(number) for number in numbers)
    for said in sentences(of):
        assert said.endswith((".", "?"))
        assert not re.search(r"\b(None|nan|inf|n/a|causes?|drives?)\b", said)
    for before, here in itertools.pairwise(of.rungs):
        assert here.n_reached + here.dropped == before.n_reached


@QUICKLY
@given(climbs(most=60), st.integers(0, 1000))
def test_whatever_is_met_on_the_way_counts_add_up_and_numbers_are_numbers(made, seed):
    rng, n = np.random.default_rng(seed), len(made)
    legs = [
        dataclasses.replace(
            plain_leg(own),
            met={
                name: np.where(rng.random(n) < 0.6, 9 * rng.random(n), np.inf) for name in ("a", "b_failed", "c_failed")
            },
        )
        for own in made.on_the_way
    ]
    has = rng.random(n) < 0.7
    ladder = built(made, legs=tuple(legs), failures={"b_failed", "c_failed"}, habit=habit(rng.random(n) < 0.9, has))
    assert all(math.isfinite(value) for value in values(ladder) if isinstance(value, float))
    for rung in ladder.rungs:
        assert {b.event for b in rung.between} <= {"a", "b_failed", "c_failed"} - made.names
        assert {error.event for error in rung.errors_at_drop} <= {b.event for b in rung.between}
        assert all(0 <= share <= 1 for b in rung.between for share in (b.went_on, b.stopped) if share is not None)
        assert rung.n_reached <= rung.n_accounts <= n


@pytest.mark.parametrize(
    ("steps", "alike", "said"),
    [
        (0, None, "It leads to a finding. No step was found to be required on the way to it."),
        (
            1,
            0.62,
            f"It leads to a finding. One step is required on the way; the same one comes out in 62{NO} of random "
            "halves of the accounts.",
        ),
        (
            2,
            0.0,
            f"It leads to a finding. 2 steps are required on the way; the same come out in 0{NO} of random halves of "
            "the accounts.",
        ),
        (2, None, "It leads to a finding. 2 steps are required on the way."),
    ],
)
def test_the_sentence_of_a_ladder(steps, alike, said):
    made = climb(days(3, 4), *(place(**{f"step_{number}": days(1, 2)}) for number in range(steps)))
    assert built(made, alike=alike).sentence == said


@pytest.mark.parametrize(("steps", "short"), [(0, True), (1, True), (2, False)])
def test_a_ladder_of_few_rungs_says_so(steps, short):
    made = climb(days(3), *(place(**{f"step_{number}": days(1)}) for number in range(steps)))
    assert (Caution.FEW_RUNGS in built(made, fewest_rungs=3).warnings) is short


def test_a_ladder_of_later_cohorts_says_so():
    ladder = built(chain(3), since="2024-03-01")
    assert ladder.since == "2024-03-01"
    assert Caution.LATER_COHORTS in ladder.warnings


def test_nobody_at_all():
    ladder = built(climb(days(), place(a=days())))
    assert (ladder.n_accounts, [rung.n_reached for rung in ladder.rungs]) == (0, [0, 0, 0])
    assert {stage.status for stage in ladder.stages} == {"unknown"}


def test_stages_are_of_all_signups_not_of_the_ladders_accounts():
    made = chain(4)
    everyone = cohort(np.concatenate([made.top, np.full(1500, np.inf)]), np.full(3000, 1.0))
    setup, aha, _ = built(made, cohort=everyone).stages
    assert (setup.reached.n_accounts, aha.reached.n_accounts) == (3000, 3000)
    assert aha.reached.estimate == (made.top < 7).sum() / 3000
    assert (setup.milestone, aha.milestone) == ("step_2", "report_shared")


def test_a_habit_is_a_rung_of_those_at_the_milestone_that_were_followed():
    """100 accounts: 60 at the milestone, 50 of them followed, 25 of those with the habit; five have it without."""
    number = np.arange(100)
    made = climb(np.where(number < 60, 1.0, np.inf))
    top = built(made, habit=habit(number >= 10, (number < 35) | (number >= 95))).rungs[-1]
    assert (top.role, top.milestone) == ("habit", "3 or more users active")
    assert (top.n_accounts, top.n_reached, top.dropped) == (90, 25, 25)
    assert top.step_conversion == 0.5
    assert top.reach == 25 / 90
    assert (top.median_days, top.target_days, top.rules, top.by_day) == (None, 30, (), ())


@pytest.mark.parametrize(
    ("having", "rungs"),
    [(FEWEST_HABITS - 1, ["baseline", "milestone"]), (FEWEST_HABITS, ["baseline", "milestone", "habit"])],
)
def test_a_habit_of_few_is_no_rung(having, rungs):
    made = climb(np.ones(100))
    plan = {"plan": np.array(["free", "pro"] * 50, dtype=object)}
    ladder = built(made, habit=habit(np.ones(100), np.arange(100) < having), segments=plan)
    assert [rung.role for rung in ladder.rungs] == rungs
    assert all(len(row.n_reached) == len(rungs) for row in ladder.funnels[0].rows)
    assert len(ladder.funnels[0].p_adjusted) == len(rungs)


def test_a_habit_of_nobody_followed_is_no_rung():
    ladder = built(climb(np.ones(100)), habit=habit(np.zeros(100), np.ones(100)))
    assert [rung.role for rung in ladder.rungs] == ["baseline", "milestone"]


def test_the_funnel_by_segment_adds_up_to_the_rungs():
    made = chain(5)
    number = np.arange(1500)
    plan = {"plan": np.array(["free", "pro", "team"] * 500, dtype=object)}
    ladder = built(made, segments=plan, habit=habit(number < 1200, number % 2 == 0))
    assert ladder.rungs[-1].role == "habit"
    together = np.sum([row.n_reached for row in ladder.funnels[0].rows], axis=0)
    assert together.tolist() == [rung.n_reached for rung in ladder.rungs]


def test_errors_are_named_at_their_own_rung_and_shown_first_between():
    made = chain(6)
    legs = (plain_leg(made.on_the_way[0]), leg(1, hindered=0.2, others=["opened"]), plain_leg(made.on_the_way[2]))
    ladder = built(made, legs=legs, failures={"sync_failed"})
    assert [[error.event for error in rung.errors_at_drop] for rung in ladder.rungs] == [[], [], ["sync_failed"], []]
    assert ladder.rungs[2].between[0].event == "sync_failed"
    assert ladder.rungs[2].between_days is not None


def test_an_error_that_is_a_rung_itself_is_no_error_at_the_drop():
    """For a product that watches for errors, catching one may be first value."""
    made = dataclasses.replace(chain(6), milestone=Milestone.parse("error_caught >= 3"))
    hindering = leg(1, hindered=0.2, event="error_caught")
    ladder = built(made, legs=(hindering,) * 3, failures={"error_caught"})
    assert [rung.errors_at_drop for rung in ladder.rungs] == [()] * 4
    assert [rung.between for rung in ladder.rungs] == [()] * 4


def test_events_that_are_hidden_are_not_between_rungs():
    made = chain(6)
    ladder = built(made, legs=(leg(1, others=["opened"]),) * 3, hidden={"opened"})
    assert {b.event for rung in ladder.rungs for b in rung.between} == {"sync_failed"}


def test_steps_lost_are_a_share_of_the_accounts_further_up():
    """40 accounts, 20 at the milestone, four of those without the step on record."""
    number = np.arange(40)
    ladder = built(climb(np.where(number < 20, 2.0, np.inf), place(a=np.where(number >= 4, 1.0, np.inf))))
    trackable = next(rule for rule in ladder.rungs[1].rules if rule.name == "trackable")
    assert (trackable.status, trackable.value) == ("warn", 0.2)


def test_a_lead_says_that_it_is_one():
    rule = next(rule for rule in built(chain(7), goal("lead")).rungs[-1].rules if rule.name == "towards value")
    assert rule.status == "warn"
    assert rule.sentence.endswith("it failed some of the checks, so it is a lead only.")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_what_they_are(name):
    milestone = str(Milestone.of(name, 2))
    made = climb(days(3, 4, 5), place(**{f"{name}!": days(1, None, None), "b": days(None, 1, 2)}), milestone=milestone)
    ladder = built(made)
    assert ladder.rungs[-1].milestone == milestone
    assert Milestone.parse(ladder.rungs[1].milestone) == made.places[0].milestone
    assert {branch.milestone for branch in ladder.rungs[1].alternatives} == {str(Milestone.of(f"{name}!")), "b"}
    assert ladder.stages[0].milestone == ladder.rungs[1].milestone


@QUICKLY
@given(st.integers(0, 10_000))
def test_the_order_of_the_accounts_is_irrelevant(seed):
    made = chain(seed, n=200)
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(200)
    plan = np.array(["free", "pro"] * 100, dtype=object)
    moved = [place(**{own.steps[0].event: own.first_days[shuffled]}) for own in made.places]
    one = built(made, segments={"plan": plan}, habit=habit(plan == "free", np.ones(200)))
    two = built(
        climb(made.top[shuffled], *moved),
        segments={"plan": plan[shuffled]},
        habit=habit(plan[shuffled] == "free", np.ones(200)),
    )
    assert one == two


def test_the_first_ladder_stays_then_all_accounts_come_before_personas_and_findings_before_leads():
    plain = built(chain(8))

    def ladders(*kinds):
        return [
            dataclasses.replace(plain, status=status, persona=persona, milestone=name)
            for name, (status, persona) in zip("abcdef", kinds, strict=False)
        ]

    kinds = [
        ("lead", None),
        ("found", "plan=pro"),
        ("found", None),
        ("lead", "plan=pro"),
        ("found", None),
        ("lead", None),
    ]
    found = in_rank(ladders(*kinds))
    assert "".join(each.milestone for each in found) == "acefbd"
    assert [each.rank for each in found] == [1, 2, 3, 4, 5, 6]
    assert in_rank([]) == ()
