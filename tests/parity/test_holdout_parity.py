"""Held-out differences against statsmodels and DoubleML.

With nuisances given, a half's estimate is ordinary least squares of the residual on the residualised flag, and its
variance the sandwich: sums of some hundred products, so they agree far below 1e-9. The DoubleML values are
those of `DoubleMLPLR` (0.11.4) on the held-out half, given this world's nuisances:

    plr = DoubleMLPLR(DoubleMLData(frame, "y", "d"), LinearRegression(), LinearRegression(), n_folds=2)
    plr.fit(external_predictions={"d": {"ml_l": fitted[held, None], "ml_m": predicted_flag[held, None]}})

Its variance lacks the factor m / (m - p).
"""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from discovery.estimate import draw_halves, fit_null
from discovery.estimate.holdout import on_other_halves, residualised

CLOSE = 1e-9
M, P = 400, 4
DOUBLEML = (  # coefficient and standard error, one row per half that chose
    (0.20692126876851524, 0.07658066649221906),
    (0.18664920284338252, 0.07867492348365025),
    (0.09470070711088925, 0.0750979027211378),
    (0.14358707155906594, 0.07968887550575862),
    (0.16058886306036294, 0.07771556081176383),
    (0.261298362825834, 0.07987888030279679),
)


def _world():
    rng = np.random.default_rng(7)
    design = np.column_stack([np.ones(M), rng.normal(size=(M, P - 1))])
    flags = (design[:, 1] + rng.normal(size=(2, M)) > 0).astype(np.uint8)
    stays = rng.random(M) < 1 / (1 + np.exp(-(0.3 + 0.8 * design[:, 1] + 0.5 * flags[0])))
    return fit_null(design, stays), flags, draw_halves(np.arange(M), 3, seed=5)


def test_a_residualised_flag_is_the_residual_of_least_squares():
    null, flags, _ = _world()
    for flag, rest in zip(flags, residualised(null.design, flags), strict=True):
        np.testing.assert_allclose(rest, sm.OLS(flag.astype(float), null.design).fit().resid, atol=CLOSE)


def test_each_half_equals_statsmodels_ols_with_a_sandwich():
    null, flags, halves = _world()
    estimates, variances = on_other_halves(null, flags, halves, np.arange(6))
    for rule, flag in enumerate(flags):
        rest = sm.OLS(flag.astype(float), null.design).fit().resid
        for chose in range(6):
            held = halves[:, chose] == 0
            reference = sm.OLS(null.residual[held], rest[held]).fit(cov_type="HC0")
            assert estimates[rule, chose] == pytest.approx(reference.params[0], abs=CLOSE)
            assert variances[rule, chose] == pytest.approx(reference.bse[0] ** 2 * M / (M - P), rel=CLOSE)


def test_each_half_equals_doubleml():
    """To 1e-7: the nuisance was fitted with a ridge of 1e-6, to a Newton decrement."""
    null, flags, halves = _world()
    estimates, variances = on_other_halves(null, flags[:1], halves, np.arange(6))
    found = np.column_stack([estimates[0], np.sqrt(variances[0] * (M - P) / M)])
    np.testing.assert_allclose(found, DOUBLEML, atol=1e-7)
