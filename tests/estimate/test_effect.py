"""The adjusted difference recovers a planted one that the naive difference misses, with honest intervals."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.estimate import adjusted_difference, adjusted_differences, fit_null, pack, products, separate

REPETITIONS, ACCOUNTS, PLANTED = 400, 600, 0.12


@pytest.fixture(scope="module")
def repetitions():
    """Busy accounts reach the rule and stay; the rule adds 12 points at any given level of business."""
    rng = np.random.default_rng(2024)
    naive, adjusted, covered = [], [], []
    for _ in range(REPETITIONS):
        busy, size = rng.normal(size=(2, ACCOUNTS))
        flag = rng.random(ACCOUNTS) < 1 / (1 + np.exp(0.8 - 1.2 * busy))
        chance = np.clip(0.45 + 0.12 * np.tanh(busy) + 0.05 * np.tanh(size) + PLANTED * flag, 0, 1)
        retained = rng.random(ACCOUNTS) < chance
        null = fit_null(np.column_stack([np.ones(ACCOUNTS), busy, busy**2, size]), retained)
        found = adjusted_difference(null, flag[None])
        naive.append(separate(pack(flag[None]), retained, np.ones(ACCOUNTS, bool)).difference[0])
        adjusted.append(found.estimate[0])
        covered.append(found.ci_lower[0] <= PLANTED <= found.ci_upper[0])
    return np.array(naive), np.array(adjusted), np.array(covered)


def test_the_naive_difference_is_biased_and_the_adjusted_is_not(repetitions):
    naive, adjusted, _ = repetitions
    assert naive.mean() - PLANTED > 0.06
    assert adjusted.mean() == pytest.approx(PLANTED, abs=0.015)


def test_intervals_of_a_fixed_flag_cover_as_often_as_they_say(repetitions):
    covered = repetitions[2].mean()
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / REPETITIONS)


def test_nothing_left_to_compare_is_too_few():
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(200), rng.random(200) < 0.3])
    retained = rng.random(200) < 0.5
    flags = np.stack([design[:, 1] > 0, np.ones(200, bool), np.zeros(200, bool), rng.random(200) < 0.4])
    found = adjusted_difference(fit_null(design, retained), flags.astype(np.uint8))
    assert found.status.tolist() == ["too_few"] * 3 + ["ok"]
    assert np.isnan(found.estimate[:3]).all()
    assert (found.scale, found.estimand, found.n) == ("risk difference", "overlap-weighted", 200)


def test_an_outcome_without_variation_is_too_few():
    flags = np.random.default_rng(1).random((2, 100)) < 0.5
    found = adjusted_difference(fit_null(np.ones((100, 1)), np.ones(100, bool)), flags)
    assert found.status.tolist() == ["too_few"] * 2


def test_with_an_intercept_alone_it_is_the_naive_difference():
    rng = np.random.default_rng(2)
    flag, retained = rng.random(150) < 0.4, rng.random(150) < 0.6
    found = adjusted_difference(fit_null(np.ones((150, 1)), retained, ridge=0.0), flag[None])
    assert found.estimate[0] == pytest.approx(retained[flag].mean() - retained[~flag].mean(), abs=1e-10)


def test_few_accounts_that_all_stayed_are_no_proof():
    """Forty of 1,000 reached it and all stayed, of a base of 93 %: by their residuals alone z would be beyond 7."""
    n = 1000
    met = np.arange(n) < 40
    stayed = met | (np.arange(n) % 14 != 0)
    fitted = adjusted_difference(fit_null(np.ones((n, 1)), stayed), met.astype(np.uint8)[None])
    assert 0 < fitted.estimate[0] / fitted.se[0] < 2.5


def test_single_precision_moves_no_estimate_and_hardly_a_standard_error(monkeypatch):
    """A standard error rests on sums of products of order 1 with seven digits each."""
    rng = np.random.default_rng(31)
    rows = np.flatnonzero(rng.random(6000) < 0.7)
    design = np.column_stack([np.ones(len(rows)), rng.normal(size=(len(rows), 4))])
    null = fit_null(design, rng.random(len(rows)) < 1 / (1 + np.exp(-design[:, 1])))
    busy = rng.normal(size=6000)
    busy[rows] += design[:, 1]
    packed = pack(busy > np.linspace(-1, 3, 40)[:, None])
    exact = adjusted_differences(null, packed, 6000, rows)
    monkeypatch.setattr(products, "EXACT", 100)
    fast = adjusted_differences(null, packed, 6000, rows)
    np.testing.assert_array_equal(fast.estimate, exact.estimate)
    np.testing.assert_allclose(fast.se, exact.se, rtol=3e-6)
    assert not np.array_equal(fast.se, exact.se)


@pytest.mark.parametrize("most", [600, 2000])
def test_variances_hardly_hang_on_who_stands_for_those_who_met_no_rule(monkeypatch, most):
    """What is read from some is what accounts without the rule add beyond a closed form: below a hundredth of it."""
    rng = np.random.default_rng(32)
    n = 6000
    busy, size = rng.normal(size=(2, n))
    design = np.column_stack([np.ones(n), busy, busy**2, size])
    null = fit_null(design, rng.random(n) < 1 / (1 + np.exp(-0.5 * busy)))
    packed = pack(busy + 0.5 * rng.normal(size=n) > np.linspace(0.2, 2.5, 12)[:, None])
    exact = adjusted_differences(null, packed, n)
    monkeypatch.setattr(products, "EXACT", 100)
    monkeypatch.setattr(products, "ENOUGH_ACCOUNTS", most)
    fast = adjusted_differences(null, packed, n)
    np.testing.assert_array_equal(fast.estimate, exact.estimate)
    np.testing.assert_allclose(fast.se, exact.se, rtol=3e-3)
    assert not np.allclose(fast.se, exact.se, rtol=1e-7)
