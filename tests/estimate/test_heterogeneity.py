"""Cochran's Q and the variance between estimates, by hand and as statsmodels has them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2
from statsmodels.stats.meta_analysis import combine_effects

from discovery.estimate import heterogeneity


def test_two_estimates_by_hand():
    """Weights 100 and 25: mean 0.12, Q = 100 x 0.02^2 + 25 x 0.08^2 = 0.2; both far from a chi-squared tail."""
    p, between = heterogeneity(np.array([0.1, 0.2]), np.array([0.1, 0.2]))
    assert p == pytest.approx(chi2.sf(0.2, 1))
    assert between == 0


@pytest.mark.parametrize("seed", range(4))
def test_equals_a_meta_analysis(seed):
    rng = np.random.default_rng(seed)
    theta, se = rng.normal(0.1, 0.1, 5), rng.uniform(0.02, 0.1, 5)
    meta = combine_effects(theta, se**2, method_re="dl")
    p, between = heterogeneity(theta, se)
    assert p == pytest.approx(chi2.sf(meta.q, 4))
    assert between == pytest.approx(max(0.0, meta.tau2))


def test_differences_that_are_the_same_seldom_differ():
    rng = np.random.default_rng(5)
    se = np.array([0.02, 0.05, 0.08, 0.03])
    p = [heterogeneity(0.1 + se * rng.normal(size=4), se)[0] for _ in range(2000)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.015)
