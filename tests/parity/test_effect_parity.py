"""The adjusted difference against statsmodels' least squares.

Same linear algebra in float64 on well-conditioned designs: 1e-8 relative. The null model is fitted without a
ridge, because only then are its residuals exactly orthogonal to the covariates and HC3 exactly statsmodels'.
"""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from discovery.estimate import adjusted_difference, fit_null


@pytest.mark.parametrize("seed", [0, 1])
def test_estimate_and_hc3_error_equal_least_squares(seed):
    rng = np.random.default_rng(seed)
    n = 300
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    flags = rng.random((5, n)) < 1 / (1 + np.exp(-design[:, 1] - rng.normal(size=(5, 1))))
    retained = rng.random(n) < 1 / (1 + np.exp(-design[:, 1] - 0.5 * flags[0]))
    null = fit_null(design, retained, ridge=0.0)
    found = adjusted_difference(null, flags, alpha=0.05)
    for i, flag in enumerate(flags):
        partialled = flag - sm.OLS(flag.astype(float), design).fit().predict()
        residual_on_residual = sm.OLS(retained - null.fitted, partialled).fit()
        assert found.estimate[i] == pytest.approx(residual_on_residual.params[0], rel=1e-8)
        whole = sm.OLS(retained - null.fitted, np.column_stack([flag, design])).fit(cov_type="HC3")
        assert found.estimate[i] == pytest.approx(whole.params[0], rel=1e-8)
        assert found.se[i] == pytest.approx(whole.bse[0], rel=1e-8)
        assert (found.ci_lower[i], found.ci_upper[i]) == pytest.approx(tuple(whole.conf_int()[0]), rel=1e-7)
