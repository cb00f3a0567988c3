"""The landmark, maturity and the account flow, case by case and as properties."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.outcome import Lifetimes, last_day, read_outcome
from discovery.spec import Day, OutcomeSpec

NEVER = int(np.iinfo(np.int64).min)
RETAINED = OutcomeSpec(kind="retained", by_day=90)


def lives(rows, *, log_start=0, has_departures=True, active=None, excluded=None):
    """Build lifetimes from rows of days: (signup, churned or None, observed_until[, converted])."""

    def column(index):
        values = [row[index] if len(row) > index else None for row in rows]
        return np.array([NEVER if v is None else int(v * Day) for v in values], dtype=np.int64)

    return Lifetimes(
        signup=column(0),
        churned=column(1),
        observed_until=column(2),
        converted=column(3),
        excluded=np.zeros(len(rows), bool) if excluded is None else np.array(excluded),
        log_start=int(log_start * Day),
        unknown=NEVER,
        has_departures=has_departures,
        active=None if active is None else np.array(active),
    )


def test_a_departure_on_the_landmark_counts_as_alive_at_it_and_one_before_does_not():
    outcome = read_outcome(lives([(0, 14, 400), (0, 13.999, 400)]), RETAINED, window_days=14)
    assert outcome.positions.tolist() == [0]
    assert outcome.population.decided_before_landmark == 1
    assert outcome.duration.tolist() == [0]
    assert outcome.departed.tolist() == [True]


def test_a_departure_exactly_at_the_horizon_is_retained():
    outcome = read_outcome(lives([(0, 90, 400), (0, 89.99, 400)]), RETAINED, window_days=14)
    assert outcome.retained.tolist() == [True, False]


def test_maturity_follows_the_end_of_observation_and_never_the_departure():
    outcome = read_outcome(lives([(0, 20, 89), (0, 20, 90), (0, None, 90)]), RETAINED, window_days=14)
    assert outcome.mature.tolist() == [False, True, True]
    assert outcome.retained.tolist() == [False, False, True]


def test_a_departure_after_the_end_of_observation_was_not_observed():
    outcome = read_outcome(lives([(0, 60, 50)]), RETAINED, window_days=14)
    assert outcome.departed.tolist() == [False]
    assert outcome.duration.tolist() == [36]


def test_each_account_is_counted_under_its_first_reason():
    rows = [(None, None, 400), (20, 10, 400), (20, None, 400), (1, None, 400), (20, 25, 400), (390, None, 400)]
    rows += [(20, None, 400), (20, 60, 400)]
    excluded = [False, False, True, False, False, False, False, False]
    population = read_outcome(lives(rows, log_start=5, excluded=excluded), RETAINED, window_days=14).population
    assert (population.unusable, population.excluded, population.before_log) == (2, 1, 1)
    assert (population.decided_before_landmark, population.not_observed_to_landmark) == (1, 1)
    assert (population.landmark, population.mature, population.retained) == (2, 2, 1)


def test_signups_on_the_first_day_of_the_log_are_kept():
    population = read_outcome(lives([(5.1, None, 400)], log_start=5.9), RETAINED, window_days=14).population
    assert population.before_log == 0


def test_a_churn_date_plays_no_part_in_an_active_outcome():
    spec = OutcomeSpec(kind="active", active_days=(21, 28))
    outcome = read_outcome(lives([(0, 3, 400), (0, None, 27)], active=[True, True]), spec, window_days=14)
    assert outcome.positions.tolist() == [0, 1]
    assert outcome.retained.tolist() == [True, False]
    assert outcome.mature.tolist() == [True, False]
    assert outcome.duration is None


@pytest.mark.parametrize(("kind", "day"), [("retained", 90), ("converted", 90), ("active", 28)])
def test_an_account_is_mature_once_the_last_day_of_its_outcome_was_observed(kind, day):
    spec = OutcomeSpec(kind=kind, by_day=90, active_days=(21, 28))
    assert last_day(spec) == day
    observed = lives([(0, None, day - 0.01), (0, None, day)], active=[True, True])
    assert read_outcome(observed, spec, window_days=14).mature.tolist() == [False, True]


def test_silence_is_not_a_departure():
    silent = lives([(0, 3, 400), (0, 40, 400)], has_departures=False)
    outcome = read_outcome(silent, RETAINED, window_days=14)
    assert outcome.population.landmark == 2
    assert outcome.retained.all()
    assert outcome.duration is None


def test_a_conversion_inside_the_window_is_decided_before_the_landmark():
    rows = [(0, None, 400, 3), (0, None, 400, 60), (0, None, 400, 95), (0, None, 400, None)]
    outcome = read_outcome(lives(rows), OutcomeSpec(kind="converted", by_day=90), window_days=14)
    assert outcome.population.decided_before_landmark == 1
    assert outcome.retained.tolist() == [True, False, False]


days = st.one_of(st.none(), st.integers(-5, 200))
accounts = st.lists(st.tuples(days, days, st.integers(0, 300)), min_size=1, max_size=30)


@given(accounts, st.integers(0, 60))
def test_the_flow_adds_up(rows, log_start):
    p = read_outcome(lives(rows, log_start=log_start), RETAINED, window_days=14).population
    parts = p.unusable + p.excluded + p.before_log + p.decided_before_landmark + p.not_observed_to_landmark
    assert parts + p.landmark == p.accounts
    assert p.retained <= p.mature <= p.landmark


@given(accounts, st.integers(15, 200))
def test_a_departure_after_the_horizon_never_changes_the_binary_outcome(rows, later):
    """Nothing after the horizon is looked at: moving a late departure changes neither side."""
    before = read_outcome(lives(rows), RETAINED, window_days=14)
    moved = [(s, c + later if s is not None and c is not None and c >= s + 90 else c, o) for s, c, o in rows]
    after = read_outcome(lives(moved), RETAINED, window_days=14)
    assert before.positions.tolist() == after.positions.tolist()
    assert before.retained.tolist() == after.retained.tolist()


def test_accounts_go_by_signup_and_their_arrays_with_them():
    rows = [(30, None, 400), (10, 40, 400), (20, None, 60), (10, None, 400)]
    outcome = read_outcome(lives(rows), RETAINED, window_days=14)
    assert outcome.positions.tolist() == [1, 3, 2, 0]
    assert outcome.mature.tolist() == [True, True, False, True]
    assert outcome.retained.tolist() == [False, True, False, True]
    assert outcome.departed.tolist() == [True, False, False, False]
    assert outcome.duration.tolist() == [16, 376, 26, 356]


def test_an_active_outcome_needs_activity():
    with pytest.raises(ValueError, match="active"):
        read_outcome(replace(lives([(0, None, 400)])), OutcomeSpec(kind="active"), window_days=14)
