"""Corrections for searching against scipy and statsmodels: the same arithmetic, to 1e-12."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, norm
from statsmodels.stats.multitest import multipletests

from discovery.estimate import benjamini_hochberg, bonferroni, critical_z

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=40).map(np.array)


@given(p=p_values)
def test_benjamini_hochberg_equals_scipy_and_statsmodels(p):
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p), atol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], atol=1e-12)


@given(p=p_values)
def test_bonferroni_equals_statsmodels(p):
    np.testing.assert_allclose(bonferroni(p, len(p)), multipletests(p, method="bonferroni")[1], atol=1e-12)


@pytest.mark.parametrize("m", [1, 20, 5000])
def test_critical_z_is_the_normal_quantile_at_the_bound(m):
    assert critical_z(0.05, m) == pytest.approx(norm.isf(0.05 / (2 * m)), abs=1e-12)
