"""Corrections with missing values, and what a number of accounts can show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from discovery.estimate import accounts_needed, benjamini_hochberg, bonferroni, critical_z, minimum_detectable


def test_missing_p_values_stay_missing_and_are_not_counted():
    p = np.array([np.nan, 0.01, 0.04, np.nan, 0.5])
    np.testing.assert_array_equal(np.isnan(benjamini_hochberg(p)), np.isnan(p))
    np.testing.assert_allclose(benjamini_hochberg(p)[[1, 2, 4]], benjamini_hochberg(p[[1, 2, 4]]))
    np.testing.assert_array_equal(np.isnan(bonferroni(p, 100)), np.isnan(p))
    assert benjamini_hochberg(np.array([])).shape == (0,)
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()


@given(effect=st.floats(0.005, 0.5), base=st.floats(0.05, 0.95), reach=st.floats(0.05, 0.95), m=st.integers(1, 5000))
def test_accounts_needed_inverts_minimum_detectable(effect, base, reach, m):
    needed = accounts_needed(effect, base, reach, 0.05, m)
    assume(needed is not None and needed > 1)
    assert minimum_detectable(needed, base, reach, 0.05, m) <= effect * (1 + 1e-9)
    assert minimum_detectable(needed - 1, base, reach, 0.05, m) > effect * (1 - 1e-9)


def test_the_stated_power_is_what_a_simulation_shows():
    rng = np.random.default_rng(11)
    n, base, reach, alpha, m = 1500, 0.4, 0.3, 0.05, 200
    effect = minimum_detectable(n, base, reach, alpha, m)
    flag = np.arange(n) < reach * n
    chance = np.where(flag, base + (1 - reach) * effect, base - reach * effect)
    retained = rng.random((4000, n)) < chance
    overall = retained.mean(axis=1)
    z = (retained[:, flag].mean(axis=1) - retained[:, ~flag].mean(axis=1)) / np.sqrt(
        overall * (1 - overall) / (n * reach * (1 - reach))
    )
    assert np.mean(np.abs(z) > critical_z(alpha, m)) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("n", "base", "reach"), [(0, 0.5, 0.5), (100, 0.0, 0.5), (100, 1.0, 0.5), (100, 0.5, 0.0)])
def test_without_variation_nothing_can_be_seen(n, base, reach):
    assert minimum_detectable(n, base, reach, 0.05, 1) == math.inf
    if n:
        assert accounts_needed(0.1, base, reach, 0.05, 1) is None


def test_differences_that_cannot_exist_are_not_offered():
    assert minimum_detectable(12, 0.5, 0.5, 0.05, 1000) == math.inf
    assert accounts_needed(0.9, 0.05, 0.5, 0.05, 1) is None
    assert accounts_needed(0.0, 0.5, 0.5, 0.05, 1) is None
