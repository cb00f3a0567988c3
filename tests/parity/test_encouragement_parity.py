"""First stage, intention to treat and the effect among those moved, against statsmodels and linearmodels.

Tolerance 1e-8: both sides solve the same least-squares problems, by other factorisations. The bounds of the
Anderson-Rubin set are compared with a search for the effects at which statsmodels' own robust test is critical.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import statsmodels.api as sm
from requirements import require
from scipy.optimize import brentq
from scipy.stats import chi2

from discovery.estimate import complier_set, contrasts


def one_test(seed: int, n: int = 700):
    rng = np.random.default_rng(seed)
    hidden = rng.random(n) < 0.5
    design = np.column_stack([rng.normal(size=(n, 2)), rng.random(n) < 0.3])
    variant = rng.random(n) < 0.4
    met = rng.random(n) < 0.1 + 0.3 * hidden + 0.2 * variant + 0.1 * design[:, 2]
    stayed = rng.random(n) < 0.3 + 0.3 * hidden + 0.1 * met + 0.1 * design[:, 2]
    return variant, met.astype(float), stayed.astype(float), design


@pytest.mark.parametrize("seed", range(3))
def test_differences_are_those_of_least_squares_with_hc2(seed):
    variant, met, stayed, design = one_test(seed)
    seen = contrasts(variant, np.column_stack([met, stayed]), design)
    assert seen is not None
    x = sm.add_constant(np.column_stack([variant.astype(float), design]))
    for which, outcome in enumerate((met, stayed)):
        fit = sm.OLS(outcome, x).fit(cov_type="HC2")
        assert seen.difference[which] == pytest.approx(fit.params[1], abs=1e-8)
        assert seen.se[which] == pytest.approx(fit.bse[1], abs=1e-8)
        assert seen.p_value[which] == pytest.approx(fit.pvalues[1], abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_ratio_is_two_stage_least_squares(seed):
    require("linearmodels", find_spec("linearmodels") is not None)
    from linearmodels.iv import IV2SLS

    variant, met, stayed, design = one_test(seed)
    seen = contrasts(variant, np.column_stack([met, stayed]), design)
    assert seen is not None
    fit = IV2SLS(stayed, sm.add_constant(design), met, variant.astype(float)).fit(cov_type="robust")
    assert seen.difference[1] / seen.difference[0] == pytest.approx(float(fit.params["endog"]), abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_set_is_the_inverted_robust_test(seed):
    variant, met, stayed, design = one_test(seed)
    seen = contrasts(variant, np.column_stack([met, stayed]), design)
    assert seen is not None
    effects = complier_set(*seen.difference, seen.covariance, 0.05)
    x = sm.add_constant(np.column_stack([variant.astype(float), design]))

    def above(effect: float) -> float:
        fit = sm.OLS(stayed - effect * met, x).fit(cov_type="HC2")
        return float((fit.params[1] / fit.bse[1]) ** 2 - chi2.ppf(0.95, 1))

    assert effects.shape == "interval"
    wald = float(seen.difference[1] / seen.difference[0])
    lower, upper = brentq(above, wald - 3, wald, xtol=1e-12), brentq(above, wald, wald + 3, xtol=1e-12)
    assert (effects.lower, effects.upper) == pytest.approx((lower, upper), abs=1e-8)
