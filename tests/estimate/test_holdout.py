"""Halves that part neighbours, and intervals that hold whether a rule was fixed or found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from discovery.estimate import draw_halves, fit_null, held_out_packed, pack, products
from discovery.estimate.holdout import on_other_halves

SPLITS = 10


@settings(max_examples=40, deadline=None)
@given(order=st.lists(st.integers(-3, 9), min_size=0, max_size=31), splits=st.integers(1, 5), seed=st.integers(0, 99))
def test_of_two_neighbours_one_falls_on_either_side(order, splits, seed):
    halves = draw_halves(np.array(order, dtype=np.int64), splits, seed)
    assert halves.shape == (len(order), 2 * splits)
    assert halves.dtype == np.float32
    np.testing.assert_array_equal(halves[:, :splits] + halves[:, splits:], 1)
    ranked = halves[np.argsort(order, kind="stable")]
    even = len(order) // 2 * 2
    np.testing.assert_array_equal(ranked[0:even:2] + ranked[1:even:2], 1)
    np.testing.assert_array_equal(halves, draw_halves(np.array(order, dtype=np.int64), splits, seed))


def test_halves_are_random_and_differ_between_splits_and_seeds():
    order = np.random.default_rng(0).permutation(400)
    halves = draw_halves(order, 200, seed=1)
    assert abs(halves[:, :200].mean(axis=1) - 0.5).max() < 0.2
    assert len(np.unique(halves, axis=1).T) == 400
    together = np.corrcoef(halves[np.argsort(order)][::2, :200])[np.triu_indices(200, 1)]
    assert abs(together.mean()) < 0.01
    assert (halves != draw_halves(order, 200, seed=2)).any()


def _world(rng, m=400, rules=1, effect=0.0):
    """The chance of staying is linear in a trait and the first rule; the rules follow the trait."""
    trait = rng.random(m)
    flags = (rng.random((rules, m)) < 0.2 + 0.5 * trait).astype(np.uint8)
    stays = rng.random(m) < 0.25 + 0.3 * trait + effect * flags[0]
    design = np.column_stack([np.ones(m), (trait - trait.mean()) / trait.std()])
    return fit_null(design, stays), flags


def _held_out(null, flags, chosen, halves, alpha=0.05):
    return held_out_packed(null, pack(flags), flags.shape[1], None, chosen, halves, alpha)


def _covered(found, truth):
    return found.ci_lower <= truth <= found.ci_upper


def test_the_interval_of_a_fixed_rule_covers_as_it_says():
    runs, covered, estimates = 400, 0, []
    for run in range(runs):
        null, flags = _world(np.random.default_rng([1, run]), effect=0.15)
        halves = draw_halves(np.arange(400), SPLITS, run)
        (found,) = _held_out(null, flags, [np.zeros(2 * SPLITS, dtype=np.intp)], halves)
        covered += _covered(found, 0.15)
        estimates.append(found.estimate)
    assert binom.ppf(5e-4, runs, 0.95) <= covered <= binom.ppf(1 - 5e-4, runs, 0.95)
    assert abs(np.mean(estimates) - 0.15) < 4 * np.std(estimates) / np.sqrt(runs)


def test_the_interval_of_a_rule_found_among_twenty_covers_too():
    """The same choice, estimated where it was made, hardly ever covers: this is what the halves are for."""
    runs, covered, naively, estimates = 250, 0, 0, []
    columns = np.arange(2 * SPLITS)
    for run in range(runs):
        null, flags = _world(np.random.default_rng([2, run]), rules=20)
        halves = draw_halves(np.arange(400), SPLITS, run)
        inside, variance = on_other_halves(null, flags, halves, (columns + SPLITS) % len(columns))
        best = np.argmax(inside / np.sqrt(variance), axis=0)
        (found,) = _held_out(null, flags, [best], halves)
        covered += _covered(found, 0.0)
        estimates.append(found.estimate)
        naively += abs(inside[best[0], 0]) < 1.96 * np.sqrt(variance[best[0], 0])
    assert covered >= binom.ppf(1e-3, runs, 0.95)
    assert abs(np.mean(estimates)) < 4 * np.std(estimates) / np.sqrt(runs)
    assert naively < 0.75 * runs


def test_a_half_never_judges_the_rule_it_chose():
    """The first rule goes with staying in one half only, where it is chosen: on the other it shows nothing."""
    rng = np.random.default_rng(3)
    flag = np.tile([0, 1], 200).astype(np.uint8)
    stays = np.concatenate([flag[:200] == 1, rng.permutation(flag[200:]) == 1])
    first = np.repeat([1, 0], 200).astype(np.float32)
    halves = np.column_stack([first, 1 - first])
    estimates, _ = on_other_halves(fit_null(np.ones((400, 1)), stays), flag[None], halves, np.arange(2))
    assert abs(estimates[0, 0]) < 0.2
    assert estimates[0, 1] == pytest.approx(1.0)


def test_families_take_their_own_rows_and_columns():
    rng = np.random.default_rng(4)
    null, flags = _world(rng, rules=3, effect=0.3)
    halves = draw_halves(np.arange(400), 4, 0)
    mixed = np.array([0, 1, 2, 0, 1, 2, 0, 1])
    fixed = [np.full(8, rule) for rule in range(3)]
    all_found = _held_out(null, flags, [*fixed, mixed], halves, alpha=0.2)
    assert all_found[0].estimate == max(found.estimate for found in all_found)
    for rule, found in enumerate(all_found[:3]):
        (alone,) = _held_out(null, flags[[rule]], [np.zeros(8, dtype=np.intp)], halves, alpha=0.2)
        assert (alone.estimate, alone.se) == pytest.approx((found.estimate, found.se))
        assert found.ci_upper - found.estimate == pytest.approx(1.2815515655 * found.se)
    estimates, variances = on_other_halves(null, flags, halves, np.arange(8))
    theta = np.array([(estimates[mixed[s], s] + estimates[mixed[s + 4], s + 4]) / 2 for s in range(4)])
    variance = np.array([(variances[mixed[s], s] + variances[mixed[s + 4], s + 4]) / 4 for s in range(4)])
    assert all_found[3].estimate == pytest.approx(np.median(theta))
    assert all_found[3].se == pytest.approx(np.sqrt(np.median(variance + (theta - np.median(theta)) ** 2)))


def test_the_sign_of_a_strong_rule_holds_everywhere_and_of_none_only_by_half():
    null, flags = _world(np.random.default_rng(5), effect=0.45)
    halves = draw_halves(np.arange(400), SPLITS, 0)
    chosen = [np.zeros(2 * SPLITS, dtype=np.intp)]
    assert _held_out(null, flags, chosen, halves)[0].same_sign == 1.0
    noise = (np.random.default_rng(6).random((40, 400)) < 0.5).astype(np.uint8)
    all_found = _held_out(null, noise, [np.full(2 * SPLITS, rule) for rule in range(40)], halves)
    assert 0.5 <= np.mean([found.same_sign for found in all_found]) <= 0.85


@pytest.mark.parametrize("flag", ["nobody", "everybody", "what the covariates say"])
def test_a_rule_that_the_covariates_tell_has_no_estimate(flag):
    rng = np.random.default_rng(7)
    plan = rng.random(200) < 0.4
    null = fit_null(np.column_stack([np.ones(200), plan]), rng.random(200) < 0.5)
    row = {"nobody": np.zeros(200), "everybody": np.ones(200), "what the covariates say": plan}[flag]
    halves = draw_halves(np.arange(200), 3, 0)
    (found,) = _held_out(null, row[None].astype(np.uint8), [np.zeros(6, dtype=np.intp)], halves)
    assert np.isnan([found.estimate, found.ci_lower, found.ci_upper, found.se, found.same_sign]).all()


def test_splits_without_an_estimate_do_not_take_part():
    null, flags = _world(np.random.default_rng(8))
    halves = draw_halves(np.arange(400), 3, 0)
    rules = np.stack([flags[0], np.ones(400, dtype=np.uint8)])
    (found,) = _held_out(null, rules, [np.array([0, 0, 1, 0, 0, 0])], halves)
    (without,) = _held_out(null, rules[:1], [np.zeros(4, dtype=np.intp)], halves[:, [0, 1, 3, 4]])
    assert (found.estimate, found.se) == pytest.approx((without.estimate, without.se))
    assert np.isfinite(found.same_sign)


def test_the_order_of_accounts_does_not_matter():
    null, flags = _world(np.random.default_rng(9), effect=0.2)
    halves = draw_halves(np.arange(400), 3, 0)
    shuffled = np.random.default_rng(10).permutation(400)
    again = fit_null(null.design[shuffled], null.outcome[shuffled])
    chosen = [np.zeros(6, dtype=np.intp)]
    (one,) = _held_out(null, flags, chosen, halves)
    (two,) = _held_out(again, flags[:, shuffled], chosen, halves[shuffled])
    assert (one.estimate, one.se, one.same_sign) == pytest.approx((two.estimate, two.se, two.same_sign), rel=1e-9)


def test_single_precision_hardly_moves_an_estimate(monkeypatch):
    """Sums of some hundred products of order 1 with seven digits each, beside their standard error."""
    null, flags = _world(np.random.default_rng(11), rules=3, effect=0.2)
    halves = draw_halves(np.arange(400), 4, 0)
    estimates, variances = on_other_halves(null, flags, halves, np.arange(8))
    monkeypatch.setattr(products, "EXACT", 100)
    fast, spread = on_other_halves(null, flags, halves, np.arange(8))
    np.testing.assert_allclose((fast - estimates) / np.sqrt(variances), 0, atol=1e-5)
    np.testing.assert_allclose(spread, variances, rtol=1e-5)
    assert not np.array_equal(fast, estimates)


def test_estimates_rest_on_all_accounts_and_variances_hardly_on_who_stands_for_others(monkeypatch):
    rng = np.random.default_rng(13)
    n = 6000
    trait = rng.random(n)
    flags = (rng.random((3, n)) < np.array([[0.05], [0.2], [0.4]]) * trait).astype(np.uint8)
    null = fit_null(np.column_stack([np.ones(n), trait]), rng.random(n) < 0.3 + 0.3 * trait + 0.1 * flags[1])
    halves = draw_halves(np.arange(n), 4, 0)
    estimates, variances = on_other_halves(null, flags, halves, np.arange(8))
    monkeypatch.setattr(products, "EXACT", 100)
    monkeypatch.setattr(products, "ENOUGH_ACCOUNTS", 500)
    fast, spread = on_other_halves(null, flags, halves, np.arange(8))
    np.testing.assert_allclose((fast - estimates) / np.sqrt(variances), 0, atol=1e-4)
    np.testing.assert_allclose(spread, variances, rtol=5e-3)


def test_packed_flags_of_some_accounts_are_estimated_among_them_alone():
    null, flags = _world(np.random.default_rng(12), rules=2, effect=0.2)
    rows = np.arange(400) * 2
    wider = np.ones((2, 800), dtype=np.uint8)
    wider[:, rows] = flags
    halves = draw_halves(np.arange(400), 3, 0)
    chosen = [np.array([0, 1, 0, 1, 0, 1])]
    (dense,) = _held_out(null, flags, chosen, halves)
    (packed,) = held_out_packed(null, pack(wider), 800, rows, chosen, halves)
    assert (packed.estimate, packed.se) == pytest.approx((dense.estimate, dense.se), rel=1e-9)
