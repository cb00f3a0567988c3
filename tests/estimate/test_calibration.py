"""Residual confounding is read from the other families and taken off; without it nothing changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.estimate import calibrate, leverage
from discovery.estimate.calibration import FAMILIES

FEW = FAMILIES - 1


def families(count, each=3):
    return np.repeat(np.arange(count), each)


def calibrated(score, lever, family_of=None, named=None):
    score = np.asarray(score, dtype=float)
    family_of = np.arange(len(score)) if family_of is None else family_of
    named = np.zeros(len(score), dtype=bool) if named is None else named
    return calibrate(score, np.broadcast_to(np.asarray(lever, dtype=float), score.shape), family_of, named)


def test_leverage_is_the_correlation_with_the_prognosis():
    rng = np.random.default_rng(0)
    flags = (rng.random((5, 400)) < rng.random((5, 1))).astype(np.uint8)
    prognosis = rng.normal(size=400) + flags[0]
    expected = [np.corrcoef(flag, prognosis)[0, 1] for flag in flags]
    np.testing.assert_allclose(leverage(flags.sum(axis=1), flags @ prognosis, prognosis), expected, atol=1e-12)


def test_what_does_not_vary_has_no_leverage():
    flags = np.array([[0] * 10, [1] * 10], dtype=np.uint8)
    days = np.arange(10.0)
    np.testing.assert_allclose(leverage(flags.sum(axis=1), flags @ days, days), 0, atol=1e-12)
    np.testing.assert_allclose(leverage(np.ones(10), np.ones(10), np.ones(10)), 0)


def test_few_families_are_left_as_they_are():
    score = np.random.default_rng(1).normal(3, 2, size=FEW)
    np.testing.assert_array_equal(calibrated(score, 0.5), score)


def test_scores_of_chance_are_left_nearly_as_they_are():
    """Over many null sets: no slope and no spread beyond that of chance is read where there is none."""
    rng = np.random.default_rng(2)
    ratio, moved = [], []
    for _ in range(200):
        score, lever = rng.normal(size=60), rng.uniform(0, 0.6, size=60)
        after = calibrated(score, lever)
        ratio.append(after.std() / score.std())
        moved.append(np.mean(after - score))
    assert np.mean(ratio) == pytest.approx(0.95, abs=0.05)
    assert -0.2 < np.mean(moved) <= 0


def test_a_slope_on_leverage_is_taken_off():
    rng = np.random.default_rng(3)
    lever = rng.uniform(0, 0.8, size=80)
    score = 6 * lever + rng.normal(size=80)
    assert np.corrcoef(score, lever)[0, 1] > 0.7
    after = calibrated(score, lever)
    assert abs(np.corrcoef(after, lever)[0, 1]) < 0.25
    assert np.abs(after).mean() < 1.2


def test_a_true_effect_stands_out_of_the_confounded():
    rng = np.random.default_rng(4)
    lever = rng.uniform(0.2, 0.8, size=60)
    score = 5 * lever + rng.normal(size=60)
    lever[0], score[0] = 0.5, 12.0
    after = calibrated(score, lever)
    assert int(np.argmax(after)) == 0
    assert after[0] > 6


@pytest.mark.parametrize("sign", [1, -1])
def test_no_family_is_judged_by_itself(sign):
    """What is taken off and divided by comes from the others alone: a straight line in the own score."""
    rng = np.random.default_rng(4)
    lever = rng.uniform(0.2, 0.8, size=25)
    score = 5 * lever + rng.normal(scale=3, size=25)
    family_of = np.r_[np.arange(25), np.zeros(30, dtype=int)]
    own = [
        calibrated(
            np.r_[sign * size, score[1:], np.full(30, sign * size)], np.r_[lever, np.full(30, lever[0])], family_of
        )[0]
        for size in (1.0, 11.0, 21.0)
    ]
    assert own[2] - own[1] == pytest.approx(own[1] - own[0], rel=1e-9)
    assert abs(own[1] - own[0]) < 10


def test_a_negative_slope_is_no_confounding():
    lever = np.linspace(0.1, 0.8, 40)
    score = -4 * lever + np.random.default_rng(5).normal(scale=0.1, size=40)
    assert (calibrated(score, lever) >= score).all()
    quiet = -0.5 * lever
    np.testing.assert_allclose(calibrated(quiet, lever), quiet)


def test_a_spread_beyond_chance_shrinks_every_score_and_a_smaller_one_none():
    rng = np.random.default_rng(6)
    wide = rng.normal(scale=4, size=100)
    assert (np.abs(calibrated(wide, 0.0)) < 0.6 * np.abs(wide)).all()
    narrow = rng.normal(scale=0.2, size=100)
    np.testing.assert_array_equal(calibrated(narrow, 0.0), narrow)


def test_true_effects_upwards_do_not_widen_the_spread_they_are_judged_by():
    """The spread is that of the negative side: half of the families with an effect change nothing."""
    rng = np.random.default_rng(7)
    score = rng.normal(size=80)
    some = score.copy()
    some[score > 0] += 8
    np.testing.assert_allclose(calibrated(some, 0.0), some, rtol=0.25)


def test_a_family_of_many_rules_counts_as_one():
    rng = np.random.default_rng(8)
    lever = rng.uniform(0.1, 0.8, size=30)
    score = rng.normal(size=30)
    once = calibrated(score, lever, np.arange(30))
    repeated = np.concatenate([score, np.full(50, score[0])])
    levers = np.concatenate([lever, np.full(50, lever[0])])
    often = calibrated(repeated, levers, np.concatenate([np.arange(30), np.zeros(50, dtype=int)]))
    np.testing.assert_allclose(often[:30], once)


def test_named_controls_count_twice():
    lever = np.full(40, 0.5)
    score = np.r_[np.full(20, 3.0), np.full(20, 0.0)]
    upper = np.arange(40) < 20
    plain, named = calibrated(score, lever), calibrated(score, lever, named=upper)
    assert (named < plain).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5))
def test_the_order_of_candidates_is_irrelevant(seed, each):
    rng = np.random.default_rng(seed)
    family_of = families(25, each)
    score, lever = rng.normal(1, 2, size=len(family_of)), rng.uniform(-0.2, 0.8, size=len(family_of))
    order = rng.permutation(len(family_of))
    np.testing.assert_allclose(
        calibrated(score[order], lever[order], family_of[order]), calibrated(score, lever, family_of)[order], atol=1e-6
    )


def test_no_candidates_are_no_candidates():
    assert len(calibrated(np.zeros(0), np.zeros(0))) == 0
