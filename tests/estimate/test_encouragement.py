"""Differences as assigned, and the effect among those moved: exact where exact, covering where not."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from discovery.estimate import ComplierSet, arms_alike, complier_set, contrasts, holm, holm_levels, sample_ratio

NO_DESIGN = np.empty((0, 0))


def arms(n: int = 600, seed: int = 0, push: float = 0.25, effect: float = 0.1):
    """One test of n accounts, a hidden trait behind both reaching and staying."""
    rng = np.random.default_rng(seed)
    hidden = rng.random(n) < 0.5
    variant = rng.permutation(np.arange(n) < n // 2)
    met = rng.random(n) < 0.1 + 0.4 * hidden + push * variant
    stayed = rng.random(n) < 0.3 + 0.4 * hidden + effect * met
    return variant, np.column_stack([met, stayed]).astype(float), rng.normal(size=(n, 3))


def holds(effects: ComplierSet, value: float) -> bool:
    """Whether a value is in the set."""
    if effects.hole is not None:
        return value <= effects.hole[0] or value >= effects.hole[1]
    return (effects.lower is None or effects.lower <= value) and (effects.upper is None or value <= effects.upper)


def test_without_a_design_it_is_neyman():
    variant, outcomes, _ = arms()
    seen = contrasts(variant, outcomes, np.empty((600, 0)))
    assert seen is not None
    treated, control = outcomes[variant], outcomes[~variant]
    assert seen.difference == pytest.approx(treated.mean(axis=0) - control.mean(axis=0), abs=1e-12)
    neyman = treated.var(axis=0, ddof=1) / variant.sum() + control.var(axis=0, ddof=1) / (~variant).sum()
    assert seen.se**2 == pytest.approx(neyman, rel=1e-10)


@pytest.mark.parametrize("change", ["intercept", "repeated", "constant", "shifted", "scaled"])
def test_columns_that_say_nothing_new_change_nothing(change):
    variant, outcomes, design = arms()
    more = {
        "intercept": np.column_stack([np.ones(600), design]),
        "repeated": np.column_stack([design, design[:, 0] + 2 * design[:, 1]]),
        "constant": np.column_stack([design, np.full(600, 1e12)]),
        "shifted": design + 1e6,
        "scaled": design * [1e9, 1e-6, 1],
    }[change]
    plain, changed = contrasts(variant, outcomes, design), contrasts(variant, outcomes, more)
    assert plain is not None
    assert changed is not None
    assert changed.difference == pytest.approx(plain.difference, abs=1e-7)
    assert changed.se == pytest.approx(plain.se, rel=1e-6)


def test_swapping_the_arms_turns_the_sign():
    variant, outcomes, design = arms()
    one, other = contrasts(variant, outcomes, design), contrasts(~variant, outcomes, design)
    assert one is not None
    assert other is not None
    assert one.difference == pytest.approx(-other.difference)
    assert one.covariance == pytest.approx(other.covariance)


def test_a_prognostic_trait_sharpens():
    variant, outcomes, _ = arms(2000)
    trait = (outcomes[:, 1] + np.random.default_rng(1).normal(size=2000) * 0.3)[:, None]
    plain, adjusted = contrasts(variant, outcomes, np.empty((2000, 0))), contrasts(variant, outcomes, trait)
    assert plain is not None
    assert adjusted is not None
    assert adjusted.se[1] < 0.7 * plain.se[1]


def test_few_accounts_are_not_adjusted():
    variant, outcomes, _ = arms(60)
    wide = np.random.default_rng(2).normal(size=(60, 20))
    plain, wide_seen = contrasts(variant, outcomes, np.empty((60, 0))), contrasts(variant, outcomes, wide)
    assert plain is not None
    assert wide_seen is not None
    assert wide_seen.difference == pytest.approx(plain.difference)


def test_arms_that_cannot_be_compared():
    variant, outcomes, design = arms()
    assert contrasts(np.ones(600, dtype=bool), outcomes, design) is None
    assert contrasts(np.zeros(600, dtype=bool), outcomes, design) is None
    assert contrasts(variant, outcomes, np.column_stack([design, variant])) is None


def test_an_outcome_that_does_not_vary_has_no_p_value():
    variant, outcomes, design = arms()
    outcomes[:, 0] = 1.0
    seen = contrasts(variant, outcomes, design)
    assert seen is not None
    assert seen.difference[0] == pytest.approx(0, abs=1e-12)
    assert not seen.p_value[0] < 0.05


@given(
    first=st.floats(-0.5, 0.5),
    itt=st.floats(-0.3, 0.3),
    se=st.tuples(st.floats(0.005, 0.1), st.floats(0.005, 0.1)),
    correlation=st.floats(-0.9, 0.9),
    value=st.floats(-1, 1),
)
@settings(max_examples=400, deadline=None)
def test_the_set_is_what_the_test_does_not_reject(first, itt, se, correlation, value):
    both = correlation * se[0] * se[1]
    covariance = np.array([[se[0] ** 2, both], [both, se[1] ** 2]])
    variance = covariance[1, 1] - 2 * value * both + value**2 * covariance[0, 0]
    statistic = (itt - value * first) ** 2 / variance
    assume(abs(statistic - 3.841458820694124) > 1e-6)
    effects = complier_set(first, itt, covariance, 0.05)
    assert holds(effects, value) == (statistic < 3.841458820694124)
    assert (effects.shape == "interval") == (effects.lower is not None and effects.upper is not None)


@pytest.mark.parametrize(
    ("first", "itt", "se", "shape"),
    [
        (0.25, 0.03, (0.02, 0.02), "interval"),
        (0.01, 0.01, (0.02, 0.02), "line"),
        (0.02, 0.30, (0.02, 0.02), "two rays"),
        (0.035, 0.03, (0.02, 0.01), "half-line"),
        (-0.035, 0.03, (0.02, 0.01), "half-line"),
    ],
)
def test_shapes(first, itt, se, shape):
    effects = complier_set(first, itt, np.diag(np.square(se)), 0.05)
    assert effects.shape == shape
    if shape == "half-line":
        assert (effects.lower is None) == (first < 0)
        assert (effects.upper is None) == (first > 0)


def test_an_exactly_critical_first_stage_is_a_half_line():
    limit = 1.959963984540054
    effects = complier_set(limit * 0.02, 0.05, np.diag([0.0004, 0.0001]), 0.05)
    assert effects.shape in ("half-line", "interval")  # whichever side of 0 the rounding fell
    assert effects.lower is not None


@pytest.mark.parametrize(("push", "strength"), [(0.037, "weak"), (0.25, "strong")])
def test_the_set_covers_however_weak_the_push(push, strength):
    """A constant effect of 12 points and a hidden trait that moves both; coverage must be 95 %, F about 2 or 60."""
    truth, tests = 0.12, 1500
    covered, f = 0, []
    for seed in range(tests):
        variant, outcomes, design = arms(800, seed=10_000 + seed, push=push, effect=truth)
        seen = contrasts(variant, outcomes, design[:, :1])
        assert seen is not None
        f.append((seen.difference[0] / seen.se[0]) ** 2)
        covered += holds(complier_set(*seen.difference, seen.covariance, 0.05), truth)
    assert (1 < np.mean(f) < 3.5) if strength == "weak" else np.mean(f) > 40
    assert covered / tests == pytest.approx(0.95, abs=3 * np.sqrt(0.05 * 0.95 / tests))


@given(st.integers(0, 300), st.integers(0, 300), st.sampled_from([0.5, 0.1, 0.9]))
@settings(max_examples=100, deadline=None)
def test_sample_ratio_is_the_binomial_test(variant, control, share):
    assume(variant + control)
    exact = binomtest(variant, variant + control, share).pvalue
    mine = sample_ratio(variant, control, share)
    if share == 0.5:
        assert mine == pytest.approx(exact, rel=1e-9)
    assert (mine < 1e-3) <= (exact < 1e-3 * (1 + 1e-9))


def test_levels_step_down_until_the_first_that_stays():
    assert holm_levels(np.array([0.02, 0.001, 0.4]), 0.06) == pytest.approx([0.03, 0.02, 0.06])
    assert holm_levels(np.array([0.04, 0.03, 0.4]), 0.06) == pytest.approx([0.02, 0.02, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_levels_reject_as_holm_does(p):
    p = np.array(p)
    assert ((p <= holm_levels(p, 0.05)) == (holm(p) <= 0.05)).all()


def test_arms_are_alike_as_a_joint_f_test_says():
    rng = np.random.default_rng(2)
    design = rng.normal(size=(500, 4))
    variant = rng.random(500) < 0.5 + 0.1 * np.tanh(design[:, 0])
    by_hand = sm.OLS(variant.astype(float), sm.add_constant(design)).fit().f_pvalue
    assert arms_alike(variant, design) == pytest.approx(by_hand, rel=1e-9)
    assert arms_alike(variant, np.column_stack([design, variant])) == 0.0
    assert arms_alike(np.zeros(500, dtype=bool), design) is None
    assert arms_alike(variant, np.ones((500, 1))) is None
