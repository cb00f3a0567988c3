"""What it takes to explain a difference away: planted, it does exactly that."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from discovery.estimate import e_value, robustness

GROUPS = {"plan": (1, 2), "seats": (3,), "age": (4,)}


def _world(seed, m=500, effect=0.2):
    rng = np.random.default_rng(seed)
    plan, seats, age = rng.integers(0, 3, m), rng.normal(size=m), rng.normal(size=m)
    design = np.column_stack([np.ones(m), plan == 1, plan == 2, seats, age])
    flag = rng.random(m) < 1 / (1 + np.exp(-(0.4 * seats + 0.5 * (plan == 2))))
    stays = rng.random(m) < 0.3 + 0.1 * (plan == 2) + 0.05 * np.tanh(seats) + effect * flag
    return design, flag, stays


def _coefficient(design, flag, outcome, *unmeasured):
    return sm.OLS(outcome.astype(float), np.column_stack([flag, design, *unmeasured])).fit().params[0]


def _unmeasured(design, flag, outcome, with_flag, with_outcome, sign=1.0):
    """A trait with exactly these partial R2 with the flag (given the design) and the outcome (given both)."""
    rng = np.random.default_rng(99)
    d = sm.OLS(flag.astype(float), design).fit().resid
    e = sm.OLS(outcome.astype(float), np.column_stack([flag, design])).fit().resid
    w = sm.OLS(rng.normal(size=len(d)), np.column_stack([design, flag, outcome])).fit().resid
    d, e, w = (v / np.linalg.norm(v) for v in (d, e, w))
    left = 1 - with_flag
    return np.sqrt(with_flag) * d + np.sqrt(left) * (sign * np.sqrt(with_outcome) * e + np.sqrt(1 - with_outcome) * w)


@pytest.mark.parametrize("effect", [0.2, -0.25, 0.02])
def test_a_trait_as_strong_as_the_robustness_value_takes_exactly_everything_away(effect):
    design, flag, stays = _world(1, effect=effect)
    estimate = _coefficient(design, flag, stays)
    value = robustness(design, GROUPS, flag, stays, estimate).robustness_value
    trait = _unmeasured(design, flag, stays, value, value, np.sign(estimate))
    assert _coefficient(design, flag, stays, trait) == pytest.approx(0, abs=1e-9)
    weaker = _unmeasured(design, flag, stays, 0.9 * value, 0.9 * value, np.sign(estimate))
    assert np.sign(_coefficient(design, flag, stays, weaker)) == np.sign(estimate)


@pytest.mark.parametrize("effect", [0.2, -0.25])
@pytest.mark.parametrize("name", ["plan", "seats", "age"])
def test_a_trait_as_strong_as_a_measured_one_leaves_exactly_what_is_said(effect, name):
    """The bound on the unmeasured trait, from the measured one's partial R2, is planted and regressed on."""
    design, flag, stays = _world(2, effect=effect)
    group = list(GROUPS[name])
    others = np.delete(design, group, axis=1)
    x, y = flag.astype(float), stays.astype(float)
    without, within = sm.OLS(x, others).fit().ssr, sm.OLS(x, design).fit().ssr
    odds = without / within - 1
    before = sm.OLS(y, np.column_stack([others, x])).fit().ssr
    outcome_odds = before / sm.OLS(y, np.column_stack([design, x])).fit().ssr - 1
    with_outcome = (1 + odds) ** 2 / (1 - odds**2) * outcome_odds
    estimate = _coefficient(design, flag, stays)
    found = robustness(design, {name: GROUPS[name]}, flag, stays, estimate)
    trait = _unmeasured(design, flag, stays, odds, with_outcome, np.sign(estimate))
    assert found.strongest == name
    assert found.left_over == pytest.approx(_coefficient(design, flag, stays, trait), abs=1e-9)


def test_the_strongest_trait_is_the_one_that_leaves_least():
    design, flag, stays = _world(3)
    alone = {name: robustness(design, {name: columns}, flag, stays, 0.2) for name, columns in GROUPS.items()}
    together = robustness(design, GROUPS, flag, stays, 0.2)
    assert together.strongest == min(alone, key=lambda name: alone[name].left_over)
    assert together == alone[together.strongest]
    assert together.left_over < 0.2


def test_the_judged_estimate_need_not_be_that_of_the_regression():
    design, flag, stays = _world(4)
    strong, weak = (robustness(design, GROUPS, flag, stays, estimate) for estimate in (0.3, 0.1))
    assert strong.robustness_value > weak.robustness_value > 0
    assert strong.left_over - weak.left_over == pytest.approx(0.2)
    turned = robustness(design, GROUPS, flag, stays, -0.3)
    assert (turned.robustness_value, turned.left_over) == (strong.robustness_value, -strong.left_over)


def test_without_a_difference_there_is_nothing_to_explain():
    design, flag, stays = _world(5)
    assert robustness(design, GROUPS, flag, stays, 0.0).robustness_value == 0.0


@pytest.mark.parametrize("groups", [{}, {"plan": ()}])
def test_where_no_trait_is_known_there_is_nothing_to_compare_with(groups):
    design, flag, stays = _world(6)
    found = robustness(design[:, :1], groups, flag, stays, 0.2)
    assert (found.strongest, found.left_over) == (None, None)
    assert 0 < found.robustness_value < 1


@pytest.mark.parametrize("flag", ["nobody", "everybody", "a trait"])
def test_a_flag_that_the_covariates_tell_withstands_nothing(flag):
    design, _, stays = _world(7)
    row = {"nobody": np.zeros(500), "everybody": np.ones(500), "a trait": design[:, 1]}[flag] > 0
    assert robustness(design, GROUPS, row, stays, 0.2).robustness_value == 0.0


def test_a_flag_that_tells_the_outcome_withstands_everything():
    """The error's variance is nought, or its rounding."""
    design, flag, _ = _world(8)
    assert robustness(design, {}, flag, flag, 1.0).robustness_value == pytest.approx(1.0)
    assert robustness(design[:, :1], {}, flag, flag, 1.0).robustness_value == pytest.approx(1.0)


def test_more_of_a_trait_that_tells_most_of_the_flag_could_be_anything():
    rng = np.random.default_rng(9)
    plan = rng.random(500) < 0.5
    flag = plan ^ (rng.random(500) < 0.05)
    design = np.column_stack([np.ones(500), plan])
    assert robustness(design, {"plan": (1,)}, flag, rng.random(500) < 0.5, 0.2).left_over == -np.inf


@pytest.mark.parametrize(("ratio", "published"), [(3.9, 7.26), (1.8, 3.0), (1 / 0.80, 1.81), (1 / 0.91, 1.43)])
@pytest.mark.parametrize("protects", [False, True])
def test_e_values_of_vander_weele_and_ding(ratio, published, protects):
    """Their examples (breast feeding, 2017): 3.9 with lower limit 1.8, and 0.80 with upper limit 0.91."""
    low, reach = 0.2, 0.3
    without, reached = (low * ratio, low) if protects else (low, low * ratio)
    base = without + (reached - without) * reach
    assert e_value(reached - without, base, reach) == pytest.approx(published, abs=0.006)


@given(base=st.floats(0.02, 0.98), reach=st.floats(0.02, 0.98), difference=st.floats(-1, 1))
def test_an_e_value_exists_where_the_margins_allow_it_and_grows(base, reach, difference):
    found, twice = e_value(difference, base, reach), e_value(2 * difference, base, reach)
    without, reached = base - difference * reach, base + difference * (1 - reach)
    if found is None:
        assert min(without, reached) <= 1e-9 or max(without, reached) >= 1 - 1e-9
        assert twice is None
    else:
        assert found >= 1
        assert twice is None or twice >= found


def test_no_difference_needs_nothing():
    assert e_value(0.0, 0.4, 0.2) == 1.0
