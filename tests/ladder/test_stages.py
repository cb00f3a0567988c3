"""A ladder beside the benchmarks: thresholds, targets by motion, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.ladder.stages import BENCHMARKS, Cohort, ends_setup, stages, targets
from discovery.milestone import Milestone

from .climbs import QUICKLY

NO = "\u202f%"


def done_by(share, n=1000, day=0.5):
    """Return days of n signups of which a share gets there on a day."""
    return np.where(np.arange(n) < round(share * n), day, np.inf)


def read(setup=None, aha=0.5, habit=None, window=14.0, motion="", no_habit="It cannot be seen."):
    """Return the three stages; shares stand for days on which that share gets there at once."""
    as_days = lambda given: done_by(given) if isinstance(given, float) else given
    cohort = Cohort(
        setup=as_days(setup),
        aha=as_days(aha),
        habit=None if habit is None else np.arange(1000) < round(1000 * habit),
        no_habit=no_habit,
        window_days=window,
    )
    return stages(cohort, None if setup is None else "a", "report_shared", "3 or more users", motion, 0.05)


@pytest.mark.parametrize(
    ("share", "status"),
    [(0.0, "problem"), (0.499, "problem"), (0.5, "below"), (0.699, "below"), (0.7, "met"), (1.0, "met")],
)
def test_setup_is_judged_at_70_and_50_percent(share, status):
    assert read(setup=share)[0].status == status


@pytest.mark.parametrize(
    ("share", "status"), [(0.299, "problem"), (0.3, "below"), (0.399, "below"), (0.4, "met"), (0.401, "met")]
)
def test_aha_is_judged_at_40_and_30_percent(share, status):
    assert read(aha=share)[1].status == status


@pytest.mark.parametrize(
    ("share", "status"), [(0.0, "problem"), (0.199, "problem"), (0.2, "below"), (0.249, "below"), (0.25, "met")]
)
def test_habit_is_judged_at_25_and_20_percent(share, status):
    assert read(habit=share)[2].status == status


@QUICKLY
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["", "plg", "sales"]))
def test_advice_is_given_where_a_stage_falls_short_and_only_there(setup, aha, habit, motion):
    for stage in read(setup=setup, aha=aha, habit=habit, motion=motion):
        assert bool(stage.advice) == (stage.reached.estimate < stage.benchmark)
        assert ("points to" in stage.sentence) == (stage.status == "problem") == (stage.reached.estimate < stage.floor)
        assert stage.reached.ci_lower <= stage.reached.estimate <= stage.reached.ci_upper
        assert (stage.benchmark, stage.floor) == BENCHMARKS[stage.name]


@pytest.mark.parametrize(
    ("motion", "setup", "aha"), [("", 3, 7), ("plg", 1, 1), ("sales", 3, 7), ("enterprise", 3, 56)]
)
def test_targets_follow_how_the_product_is_sold(motion, setup, aha):
    assert targets(motion) == {"setup": setup, "aha": aha, "habit": 30}
    by_hand = read(setup=0.9, habit=0.3, motion=motion, window=90.0)
    assert [stage.target_days for stage in by_hand] == [3, max(7, aha), 30]


@pytest.mark.parametrize(("day", "share"), [(6.999, 0.6), (7.0, 0.0)])
def test_the_day_of_the_target_itself_is_too_late(day, share):
    assert read(aha=done_by(0.6, day=day))[1].reached.estimate == share


def test_days_after_the_target_do_not_count():
    days = np.where(np.arange(100) < 30, 2.0, 8.0)
    assert read(aha=days, motion="sales")[1].reached.estimate == 0.3
    assert read(aha=days, motion="enterprise", window=60.0)[1].reached.estimate == 1.0


def test_a_window_shorter_than_the_target_gives_a_lower_limit():
    short = read(aha=0.25, motion="enterprise")[1]
    assert (short.status, short.advice, short.target_days) == ("unknown", (), 56)
    assert short.sentence == (
        f"25{NO} of signups get there within the 14 days that were read; the target allows 56 days, so the share to "
        "compare with the benchmark is at least that."
    )
    assert read(aha=0.4, motion="enterprise")[1].status == "met"


def test_a_window_of_one_day_is_said_so():
    setup = read(setup=0.1, aha=0.1, window=1.0)[0]
    assert setup.status == "unknown"
    assert "within the 1 day that was read; the target allows 3 days" in setup.sentence


def test_a_window_as_long_as_the_target_is_enough():
    assert read(aha=0.1, window=7.0)[1].status == "problem"


def test_without_a_step_before_the_milestone_there_is_no_setup():
    setup = read(setup=None)[0]
    assert (setup.status, setup.milestone, setup.reached.estimate, setup.advice) == ("unknown", None, None, ())
    assert setup.sentence == "The ladder has no rung before the milestone, so set-up cannot be told from first value."


def test_a_habit_that_cannot_be_seen_says_why():
    habit = read()[2]
    assert (habit.status, habit.milestone, habit.reached.status) == ("unknown", None, "too_few")
    assert habit.sentence == "It cannot be seen."


def test_nobody_to_look_at():
    nobody = np.zeros(0)
    cohort = Cohort(setup=nobody, aha=nobody, habit=nobody.astype(bool), no_habit="", window_days=14.0)
    for stage in stages(cohort, "a", "b", "c", "", 0.05):
        assert (stage.status, stage.reached.n_accounts) == ("unknown", 0)
        assert stage.sentence == "There is no signup to look at."


def test_each_stage_names_what_stands_for_it():
    assert [stage.milestone for stage in read(setup=0.5, habit=0.5)] == ["a", "report_shared", "3 or more users"]


@pytest.mark.parametrize(
    ("place", "given", "sentence"),
    [
        (0, {"setup": 0.72}, f"72{NO} of signups get through set-up within 72 hours; the benchmark is 70{NO}."),
        (
            0,
            {"setup": 0.31, "motion": "plg"},
            f"31{NO} of signups get through set-up within 72 hours; the benchmark is 70{NO}. Under 50{NO} points to "
            "friction in onboarding.",
        ),
        (1, {"aha": 0.35}, f"35{NO} of signups reach the milestone within 7 days; the benchmark is 40{NO}."),
        (
            1,
            {"aha": 0.0, "motion": "enterprise", "window": 60.0},
            f"0{NO} of signups reach the milestone within 56 days; the benchmark is 40{NO}. Under 30{NO} points to an "
            "unclear path from set-up to value.",
        ),
        (
            2,
            {"habit": 0.12},
            f"12{NO} of signups have a team habit by day 30; the benchmark is 25{NO}. Under 20{NO} points to "
            "dependency on a single user.",
        ),
        (
            0,
            {"setup": 0.698},
            f"Just under 70{NO} of signups get through set-up within 72 hours; the benchmark is 70{NO}.",
        ),
    ],
)
def test_sentences_as_they_are_read(place, given, sentence):
    assert read(**given)[place].sentence == sentence


def test_a_share_just_under_the_floor_does_not_read_like_it():
    setup = read(setup=0.499)[0]
    assert setup.sentence.startswith(f"Just under 50{NO} of signups")
    assert setup.sentence.endswith(f"Under 50{NO} points to friction in onboarding.")


def test_a_handful_of_signups_is_not_held_against_a_benchmark():
    def aha(signups):
        seen = Cohort(setup=None, aha=np.zeros(signups), habit=None, no_habit="", window_days=14.0)
        return stages(seen, None, "share", None, "", 0.05)[1]

    assert (aha(29).status, aha(29).reached.estimate) == ("unknown", 1)
    assert aha(29).sentence == "Only 29 signups could be followed, too few to hold against a benchmark."
    assert aha(1).sentence.startswith("Only 1 signup could")
    assert aha(30).status == "met"


def test_setup_ends_with_the_last_step_called_setup_else_with_the_last_before_the_milestone():
    rungs = [Milestone.parse(text) for text in ("connect", "csv or api", "build", "share >= 2")]
    assert ends_setup(rungs, {}) == 2
    assert ends_setup(rungs, {"api": "setup", "connect": "setup"}) == 1
    assert ends_setup(rungs, {"share": "setup"}) == 2
    assert ends_setup(rungs[-1:], {}) is None


@pytest.mark.parametrize(("days", "risky"), [([89.0, 90.0, 91.0], False), ([90.5, 91.0, np.inf], True), ([], False)])
def test_first_value_after_ninety_days_is_called_a_risk(days, risky):
    seen = Cohort(setup=None, aha=np.array(days * 10), habit=None, no_habit="", window_days=120.0)
    aha = stages(seen, None, "share", None, "enterprise", 0.05)[1]
    assert ("more than 90 days, which is said to be a churn risk" in aha.sentence) == risky


@pytest.mark.parametrize(
    ("parts", "said", "advised"),
    [
        ((0.04, 0.11), "points to dependency on a single user. 4\u202f% had the users", True),
        ((0.11, 0.04), "4\u202f% the core action often enough. Regular use is the rarer of the two.", False),
    ],
)
def test_a_rare_habit_is_put_down_to_its_rarer_part(parts, said, advised):
    has = np.arange(100) < 2
    seen = Cohort(setup=None, aha=np.zeros(100), habit=has, no_habit="", window_days=14.0, habit_parts=parts)
    habit = stages(seen, None, "share", "a habit", "", 0.05)[2]
    assert habit.status == "problem"
    assert said in habit.sentence
    assert bool(habit.advice) == advised
    assert ("single user" in habit.sentence) == advised
