"""Stated sizes are the sizes that do: against the closed form, and in simulated tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from discovery.estimate import accounts_per_arm, design_effect, intraclass_correlation


def test_twelve_points_on_ten_points_more_activation():
    assert accounts_per_arm(0.5, 0.5 + 0.12 * 0.10) == pytest.approx(27_000, rel=0.02)


@given(st.floats(0.05, 0.9), st.floats(0.003, 0.08))
@settings(max_examples=60, deadline=None)
def test_size_is_cohens(base, rise):
    h = 2 * np.arcsin(np.sqrt(base + rise)) - 2 * np.arcsin(np.sqrt(base))
    closed = 2 * ((ndtri(0.975) + ndtri(0.8)) / h) ** 2
    assert accounts_per_arm(base, base + rise) == pytest.approx(closed, rel=1e-3, abs=1)


@pytest.mark.parametrize(("base", "raised"), [(0.5, 0.5), (0.0, 0.1), (1.0, 0.9), (0.9, 1.0), (0.9, 1.2), (0.5, -0.1)])
def test_what_no_number_would_show(base, raised):
    assert accounts_per_arm(base, raised) is None


def test_differences_too_small_for_any_product():
    assert accounts_per_arm(0.5, 0.5 + 1e-5) is None
    assert accounts_per_arm(0.5, 0.5 + 1e-12) is None


def clustered(rng, accounts: int, mean: float, icc: float, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Users per account and those that did it, alike within accounts by a beta-binomial."""
    users = 1 + rng.poisson(mean - 1, accounts)
    spread = (1 - icc) / icc
    own = rng.beta(share * spread, (1 - share) * spread, accounts)
    return users, rng.binomial(users, own)


@pytest.mark.parametrize("icc", [0.05, 0.2, 0.5])
def test_the_correlation_that_was_put_in_comes_out(icc):
    users, did = clustered(np.random.default_rng(3), 20_000, 4, icc, 0.3)
    assert intraclass_correlation(did, users) == pytest.approx(icc, abs=0.015)


def test_correlation_by_hand():
    """Two accounts of two users, (2, 0) did it: all variance lies between accounts."""
    assert intraclass_correlation(np.array([2, 0]), np.array([2, 2])) == pytest.approx(1.0)
    users, did = np.array([3, 2, 4, 0]), np.array([2, 0, 1, 0])
    groups = [np.array([1, 1, 0]), np.array([0, 0]), np.array([1, 0, 0, 0])]
    whole = np.concatenate(groups)
    between = sum(len(g) * (g.mean() - whole.mean()) ** 2 for g in groups) / 2
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / 6
    size = (9 - (9 + 4 + 16) / 9) / 2
    by_hand = max(0.0, (between - within) / (between + (size - 1) * within))
    assert intraclass_correlation(did, users) == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("did", "users"),
    [([], []), ([1], [2]), ([1, 0, 1], [1, 1, 1]), ([0, 0], [2, 3]), ([2, 3], [2, 3]), ([0, 0], [0, 0])],
)
def test_no_correlation_where_nothing_tells(did, users):
    assert intraclass_correlation(np.array(did, dtype=np.int64), np.array(users, dtype=np.int64)) is None


def test_design_effect():
    assert design_effect(np.array([1, 1, 1]), 0.4) == pytest.approx(1)
    assert design_effect(np.array([5, 5, 0]), 0.1) == pytest.approx(1.4)
    uneven = np.array([1, 9])
    assert design_effect(uneven, 0.1) == pytest.approx(1 + ((16 / 25 + 1) * 5 - 1) * 0.1)
    assert design_effect(np.array([], dtype=np.int64), 0.3) == 1


def test_stated_power_is_met_and_alpha_kept():
    """2,000 encouragement tests: the help lifts activation by 20 points, the milestone lifts staying by 50."""
    rng, tests = np.random.default_rng(7), 2000
    rise, effect, activation, base = 0.2, 0.5, 0.3, 0.5
    n = accounts_per_arm(base, base + rise * effect)
    assert n is not None

    def rejected(rise: float) -> float:
        arms = []
        for reach in (activation, activation + rise):
            met = rng.random((tests, n)) < reach
            arms.append((rng.random((tests, n)) < base + effect * (met - activation)).mean(axis=1))
        pooled = (arms[0] + arms[1]) / 2
        z = (arms[1] - arms[0]) / np.sqrt(2 * pooled * (1 - pooled) / n)
        return float((np.abs(z) > ndtri(0.975)).mean())

    assert rejected(rise) == pytest.approx(0.80, abs=3 * np.sqrt(0.8 * 0.2 / tests))
    assert rejected(0.0) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / tests))


def test_stated_power_is_met_where_whole_accounts_are_assigned():
    rng, tests, icc, base = np.random.default_rng(8), 1000, 0.2, 0.3
    pilot_users, pilot_did = clustered(rng, 5000, 4, icc, base)
    found = intraclass_correlation(pilot_did, pilot_users)
    alone = accounts_per_arm(base, base + 0.1)
    assert found is not None
    assert alone is not None
    accounts = int(np.ceil(alone * design_effect(pilot_users, found) / pilot_users.mean()))

    def rejected(shares: tuple[float, float]) -> float:
        means, variances = [], []
        for share in shares:
            users, did = (a.reshape(tests, accounts) for a in clustered(rng, tests * accounts, 4, icc, share))
            mean = did.sum(axis=1) / users.sum(axis=1)
            left = did - users * mean[:, None]
            means.append(mean)
            variances.append((left**2).sum(axis=1) / users.sum(axis=1) ** 2 * accounts / (accounts - 1))
        z = (means[1] - means[0]) / np.sqrt(variances[0] + variances[1])
        return float((np.abs(z) > ndtri(0.975)).mean())

    assert rejected((base, base + 0.1)) >= 0.78
    assert rejected((base, base)) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / tests)
