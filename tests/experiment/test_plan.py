"""The next experiment: sized by what it can move, honest where it cannot be done, complete in its criteria."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from discovery.experiment import last_day, plan_experiment
from discovery.milestone import Milestone

from .worlds import OUTCOME, points

MILESTONE = Milestone.parse("report_shared >= 3 within 7d")


def plan(**changed):
    asked = {
        "milestone": MILESTONE,
        "outcome": OUTCOME,
        "adjusted": points(0.12),
        "base_rate": 0.5,
        "activation": 0.3,
        "signups_per_week": 400.0,
        "minimum_effect": 0.03,
    }
    return plan_experiment(**{**asked, **changed})


def test_ten_points_more_of_twelve_points():
    made = plan()
    assert made.effect == pytest.approx(0.012)
    assert made.per_arm == pytest.approx(27_000, rel=0.02)
    assert made.weeks == pytest.approx(2 * made.per_arm / 400 + 90 / 7)
    assert (made.gain.estimate, made.gain.ci_lower, made.gain.ci_upper) == pytest.approx((0.012, 0.009, 0.015))
    assert made.gain.estimand.startswith("if causal")
    assert made.activation_per_arm == 356
    assert made.activation_weeks == pytest.approx(2 * 356 / 400 + 14 / 7)


def test_rows_are_rises_by_effects():
    made = plan()
    assert [(row.rise, row.effect_share) for row in made.rows] == [
        (rise, part) for rise in (0.05, 0.1, 0.2) for part in (1.0, 0.5)
    ]
    assert all(row.effect == pytest.approx(row.rise * row.effect_share * 0.12) for row in made.rows)
    assert made.rows[2].per_arm == made.per_arm
    halved = [made.rows[i + 1].per_arm / made.rows[i].per_arm for i in (0, 2, 4)]
    assert halved == pytest.approx([4, 4, 4], rel=0.01)


def test_what_cannot_be_done_is_not_promised():
    full = plan(activation=0.93)
    assert [row.per_arm is None for row in full.rows] == [False, False, True, True, True, True]
    assert (full.per_arm, full.weeks, full.activation_per_arm) == (None, None, None)
    assert "not possible" in full.design
    sure = plan(base_rate=0.995)
    assert sure.per_arm is None
    empty = plan(signups_per_week=0.0)
    assert empty.per_arm is not None
    assert empty.weeks is None
    assert empty.activation_weeks is None


@pytest.mark.parametrize("estimate", [None, 0.0, -0.08, 0.001, 0.0299])
def test_below_what_matters_the_smallest_that_does_is_planned(estimate):
    made = plan(adjusted=points(estimate))
    assert made.effect == pytest.approx(0.003)
    assert "so the numbers are for 3.0 points, the smallest effect that would matter" in made.design
    assert "the smallest effect" not in plan().design
    assert "the smallest effect" not in plan(adjusted=points(0.03)).design
    assert made.gain.estimate == (None if estimate is None else pytest.approx(estimate / 10))
    assert "n/a" not in made.design


def test_what_a_past_test_found_is_said_to_be_its():
    made = plan(from_test=True)
    assert "effect among the accounts that a past test moved (+12.0 points [9.0, 15.0])" in made.design
    assert "gained that the test moved before" in made.design
    assert made.gain.estimand == "if accounts that are helped gain what those gained that a past test moved"
    assert made.rows == plan().rows
    small = plan(adjusted=points(0.01), from_test=True).design
    assert "a past test moved (+1.0 points [−2.0, 4.0]) is less than would matter" in small
    assert "past test" not in plan().design


def test_helped_accounts_are_taken_to_gain_like_the_others():
    made = plan()
    assert "gain what those gained that came by themselves" in made.design
    assert "gain what those gained that came by themselves" in made.gain.estimand


def test_beyond_two_years_what_can_be_done_comes_first():
    assert "At 2,000 signups a week it takes 40 weeks with 80" in plan(signups_per_week=2000.0).design
    slow = plan(signups_per_week=300.0, adjusted=points(0.12))
    assert "Feasible at 300 signups a week: help that moves activation by 20 points (58 weeks), or first" in slow.design
    assert "raises activation at all (4 weeks). In staying, 10 points more take 3.7 years" in slow.design


def test_beyond_ten_years_no_date_is_named():
    never = plan(signups_per_week=40.0, adjusted=points(0.03))
    assert "10 points more take more than 10 years" in never.design
    assert "20 points" not in never.design
    assert "raises activation at all (20 weeks)" in never.design
    said = " ".join(never.success)
    assert "too little to show at these signups" in said
    assert f"{never.per_arm:,}" not in said


def test_words_carry_the_numbers():
    made = plan(error_events=("sync_failed",))
    assert f"{made.per_arm:,}" in " ".join(made.success)
    assert "10 points more activation times 12.0 points would be +1.20 points" in " ".join(made.success)
    assert "356" in " ".join(made.rollback)
    assert "“sync_failed”" in " ".join(made.guardrails)
    assert "was still a customer 90 days after signup" in made.primary
    assert "as they were assigned" in made.design
    said = " ".join((made.design, made.primary, *made.secondary, *made.guardrails, *made.success, *made.rollback))
    assert "n/a" not in said
    assert "None" not in said


@pytest.mark.parametrize("kind", ["retained", "active", "converted"])
def test_every_outcome_has_its_last_day(kind):
    days = (21, 28) if kind == "active" else None
    outcome = replace(OUTCOME, kind=kind, active_days=days, by_day=None if days else 60)
    made = plan(outcome=outcome)
    assert last_day(outcome) == (28 if days else 60)
    assert made.weeks == pytest.approx(2 * made.per_arm / 400 + last_day(outcome) / 7)


def test_users_of_one_account_count_less():
    rng = np.random.default_rng(0)
    users = rng.poisson(4, 500)
    did = rng.binomial(users, rng.beta(1.2, 2.8, 500))
    made = plan(users=users, did=did).clusters
    assert made.icc == pytest.approx(0.2, abs=0.06)
    m = users[users > 0]
    assert made.users_per_account == pytest.approx(m.mean())
    assert made.design_effect == pytest.approx(1 + ((m.var() / m.mean() ** 2 + 1) * m.mean() - 1) * made.icc)
    assert made.users_per_arm == pytest.approx(356 * made.design_effect, rel=0.05)
    assert made.accounts_per_arm == math.ceil(made.users_per_arm / made.users_per_account)
    assert "intraclass" in " ".join(plan(users=users, did=did).secondary)


@pytest.mark.parametrize(
    ("users", "did"),
    [
        (None, None),
        (np.full(29, 3), np.full(29, 1)),
        (np.full(500, 1), np.tile([0, 1], 250)),
        (np.repeat([1, 3], [400, 29]), np.tile([0, 1, 0], 143)),
        (np.full(100, 3), np.zeros(100, dtype=np.int64)),
    ],
)
def test_without_enough_users_nothing_is_said_of_them(users, did):
    assert plan(users=users, did=did).clusters is None
