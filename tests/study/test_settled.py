from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.intake import UNKNOWN_TIME
from discovery.spec import Day, build_spec
from discovery.study.settled import as_day, judged_through, moment_of, settled, signups_per_week, weeks_until

SPEC = build_spec({"outcome": {"kind": "retained", "by_day": 90}})


def log(signup, end, spec=SPEC):
    signup = np.asarray(signup, dtype=np.int64)
    accounts = SimpleNamespace(signup=signup, observed_until=np.full(len(signup), end, dtype=np.int64))
    return SimpleNamespace(accounts=accounts, spec=spec, log_start=0, log_end=int(end))


def outcome(signup, mature):
    from discovery.outcome import Outcome
    from discovery.results import OutcomeSummary, Population

    n = len(signup)
    return Outcome(
        positions=np.arange(n),
        decided=np.empty(0, dtype=np.int64),
        mature=np.asarray(mature),
        retained=np.ones(n, dtype=bool),
        duration=np.arange(n),
        departed=None,
        population=Population(
            accounts=n, excluded=0, before_log=0, not_observed_to_landmark=0, decided_before_landmark=0, landmark=n,
            mature=int(np.sum(mature)), retained=n, base_rate=1.0,
        ),
        summary=OutcomeSummary(
            kind="retained", stayed="", left="", inferred=False, by_day=90, active_days=None, window_days=14,
            has_departures=True,
        ),
    )  # fmt: skip


@given(st.integers(0, 40_000 * Day))
def test_judging_ends_on_a_monday_that_is_a_horizon_ago(end):
    through = judged_through(log([0], end))
    assert through % Day == 0
    assert (through // Day + 3) % 7 == 0  # 5 January 1970, day 4, was a Monday
    assert end - 97 * Day < through <= end - 90 * Day


def test_a_known_monday():
    end = moment_of_text("2025-12-14")
    assert as_day(judged_through(log([0], end))) == "2025-09-15"


def moment_of_text(text):
    from datetime import date

    return moment_of(date.fromisoformat(text))


def test_unknown_ends_of_observation_are_left_aside():
    relations = log([0, 1], 1000 * Day)
    relations.accounts.observed_until[0] = UNKNOWN_TIME
    assert judged_through(relations) == judged_through(log([0], 1000 * Day))


def test_only_known_outcomes_of_whole_weeks_are_kept():
    signup = np.array([0, 10, 20, 30]) * Day
    kept = settled(outcome(signup, [True, False, True, True]), log(signup, 500 * Day), 25 * Day)
    assert kept.positions.tolist() == [0, 2]
    assert kept.mature.all()
    assert kept.duration.tolist() == [0, 2]
    assert kept.population.mature == 2


def test_signups_per_week_are_those_of_late():
    signup = np.concatenate([np.arange(0, 700, 7), np.arange(700, 800)]) * Day
    per_week = signups_per_week(outcome(signup, np.ones(len(signup), dtype=bool)), log(signup, 900 * Day))
    assert per_week == pytest.approx(7.0, abs=0.2)


def test_the_weeks_until_enough_are_judged():
    signup = np.arange(200) * Day
    relations = log(signup, 200 * Day)
    people = outcome(signup, np.ones(200, dtype=bool))
    on_their_way, weeks = weeks_until(10, people, relations, 150 * Day, 7.0)
    assert on_their_way == 50
    assert weeks == pytest.approx((159 + 90 - 200) / 7)
    assert weeks_until(0, people, relations, 150 * Day, 7.0)[1] == 0
    assert weeks_until(57, people, relations, 150 * Day, 7.0)[1] == pytest.approx(1 + 90 / 7)
    assert weeks_until(57, people, relations, 150 * Day, 0.0)[1] == np.inf
