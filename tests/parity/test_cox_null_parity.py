"""Cox null model against statsmodels, lifelines and Efron's definition, and its score test against the exact one.

All maximise the same concave likelihood by Newton's method to convergence, so estimates agree far below 1e-6 and are
held to 1e-8. Martingale residuals are compared with lifelines where no departures are tied (with ties it pairs
Efron's estimate with Breslow's baseline), and with a loop over Efron's terms where they are.

The score test of the Poisson working model has the exact numerator and an information that is never below the exact
one, so |z| is never above; the two differ by the variance over time of the flag's mean in the risk set. That is below
2 % of the information (1 % of z) for flags with a log hazard ratio up to 1/2, under administrative censoring by signup
date and heavy ties.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from statsmodels.duration.hazard_regression import PHReg

from discovery.estimate.cox_null import fit_cox_null
from discovery.estimate.logistic import score_test

CLOSE = 1e-8
STEPS = {"continuous": 0.0, "days": 1.0, "months": 30.0}


def _world(seed: int, step: float, effect: float = 0.0, n: int = 700):
    rng = np.random.default_rng(seed)
    signed_up = rng.random(n)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 2)), rng.random(n) < 0.2, (signed_up - 0.5) * 12**0.5])
    flags = rng.random((3, n)) < 1 / (1 + np.exp(-design[:, 1] - 2 * design[:, 4]))
    left = rng.exponential(60 * np.exp(-(design[:, 1:3] @ [0.6, -0.4]) - 0.5 * design[:, 3] + effect * flags[0]))
    seen = 30 + 150 * (1 - signed_up)
    duration = np.minimum(left, seen)
    return design, np.floor(duration / step) * step if step else duration, left <= seen, flags


def _model(design, duration, departed):
    return PHReg(duration, design[:, 1:], status=departed.astype(float), ties="efron")


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("seed", [0, 1])
def test_coefficients_and_likelihood_equal_statsmodels(seed, step):
    design, duration, departed, _ = _world(seed, step)
    null, reference = fit_cox_null(design, duration, departed, ridge=0.0), _model(design, duration, departed).fit()
    assert null.converged
    assert null.status == "ok"
    assert null.coefficients[0] == 0.0
    np.testing.assert_allclose(null.coefficients[1:], reference.params, atol=CLOSE)
    assert null.log_likelihood == pytest.approx(reference.llf, rel=CLOSE)


def test_fit_and_martingale_residuals_equal_lifelines():
    design, duration, departed, _ = _world(2, 0.0)
    frame = pd.DataFrame(design[:, 1:]).assign(T=duration, E=departed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = CoxPHFitter().fit(frame, "T", "E", fit_options={"precision": 1e-14, "r_precision": 1e-14})
        martingale = fitted.compute_residuals(frame, "martingale")["martingale"].reindex(frame.index)
    null = fit_cox_null(design, duration, departed, ridge=0.0)
    np.testing.assert_allclose(null.coefficients[1:], fitted.params_, atol=CLOSE)
    np.testing.assert_allclose(null.residual, -martingale, atol=CLOSE)


def test_expected_hazards_with_ties_equal_a_loop_over_efrons_terms():
    design, duration, departed, _ = _world(3, 30.0, n=120)
    null = fit_cox_null(design, duration, departed, ridge=0.0)
    hazard = np.exp(design @ null.coefficients)
    expected = np.zeros(len(duration))
    for time in np.unique(duration[departed]):
        at_risk, leaving = duration >= time, departed & (duration == time)
        ties = np.count_nonzero(leaving)
        for term in range(ties):
            share = hazard * (at_risk - term / ties * leaving)
            expected += share / share.sum()
    np.testing.assert_allclose(null.weights, expected, atol=CLOSE)
    np.testing.assert_allclose(null.residual, expected - departed, atol=CLOSE)
    np.testing.assert_allclose(design.T @ null.residual, 0.0, atol=1e-7)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("effect", [0.0, 0.5])
def test_score_test_is_the_exact_one_with_at_most_two_percent_more_information(effect, step):
    design, duration, departed, flags = _world(4, step, effect)
    found = score_test(fit_cox_null(design, duration, departed, ridge=0.0), flags)
    for i, flag in enumerate(flags):
        wide = np.column_stack([design, flag])
        model = _model(wide, duration, departed)
        at_null = np.append(_model(design, duration, departed).fit().params, 0.0)
        gradient, hessian = model.score(at_null), -model.hessian(at_null)
        information = hessian[-1, -1] - hessian[-1, :-1] @ np.linalg.solve(hessian[:-1, :-1], hessian[:-1, -1])
        assert found.score[i] * np.sqrt(found.information[i]) == pytest.approx(-gradient[-1], abs=1e-6)
        assert 1 - CLOSE < found.information[i] / information < 1.02
        wald = model.fit()
        assert found.score[i] == pytest.approx(-wald.params[-1] / wald.bse[-1], rel=0.02, abs=0.02)


def test_the_default_ridge_changes_nothing_that_is_printed():
    design, duration, departed, flags = _world(5, 1.0)
    exact, default = (score_test(fit_cox_null(design, duration, departed, ridge=r), flags) for r in (0.0, 1e-6))
    np.testing.assert_allclose(exact.score, default.score, atol=1e-5)
