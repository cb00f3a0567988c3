"""Null model, score test and refit against statsmodels.

Both maximise the same concave likelihood by Newton's method to convergence, so they agree far below 1e-6: fitted
probabilities and statistics are held to 1e-8.
"""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from discovery.estimate import fit_null, logit_refit, score_test

CLOSE = 1e-8


def _world(seed: int, n: int = 500):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 3)), rng.random(n) < 0.2])
    flags = rng.random((8, n)) < 1 / (1 + np.exp(-design[:, 1] - rng.normal(size=(8, 1))))
    chance = 1 / (1 + np.exp(-(0.3 + 0.8 * design[:, 1] - 0.5 * design[:, 4] + 0.4 * flags[0])))
    return design, flags, rng.random(n) < chance


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_null_model_equals_statsmodels_logit(seed):
    design, _, retained = _world(seed)
    null, reference = fit_null(design, retained, ridge=0.0), sm.Logit(retained.astype(float), design).fit(disp=0)
    assert null.converged
    assert null.status == "ok"
    np.testing.assert_allclose(null.coefficients, reference.params, atol=CLOSE)
    np.testing.assert_allclose(null.fitted, reference.predict(), atol=CLOSE)
    assert null.log_likelihood == pytest.approx(reference.llf, abs=CLOSE)
    inverse = np.linalg.inv(null.cholesky @ null.cholesky.T)
    np.testing.assert_allclose(inverse, reference.cov_params(), atol=CLOSE)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", [bool, np.uint8, float])
def test_score_test_equals_statsmodels_glm(seed, kind):
    design, flags, retained = _world(seed)
    found = score_test(fit_null(design, retained, ridge=0.0), flags.astype(kind))
    reference = sm.GLM(retained.astype(float), design, family=sm.families.Binomial()).fit(tol=1e-14)
    for i, flag in enumerate(flags):
        statistic, p = reference.score_test(exog_extra=flag.astype(float)[:, None])[:2]
        assert found.score[i] ** 2 == pytest.approx(np.squeeze(statistic), rel=1e-7)
        assert found.p_two_sided[i] == pytest.approx(np.squeeze(p), rel=1e-6)
        full = sm.Logit(retained.astype(float), np.column_stack([design, flag])).fit(disp=0)
        assert np.sign(found.score[i]) == np.sign(full.params[-1])


def test_score_test_of_a_continuous_column_equals_statsmodels():
    design, _, retained = _world(4)
    column = np.random.default_rng(4).normal(size=(1, len(retained))) + design[:, 2]
    found = score_test(fit_null(design, retained, ridge=0.0), column)
    reference = sm.GLM(retained.astype(float), design, family=sm.families.Binomial()).fit(tol=1e-14)
    statistic = np.squeeze(reference.score_test(exog_extra=column.T)[0])
    assert found.score[0] ** 2 == pytest.approx(statistic, rel=1e-7)


def test_the_default_ridge_changes_nothing_that_is_printed():
    design, flags, retained = _world(5)
    exact, default = (score_test(fit_null(design, retained, ridge=r), flags) for r in (0.0, 1e-6))
    np.testing.assert_allclose(exact.score, default.score, atol=1e-5)


def test_refit_equals_statsmodels_logit():
    design, flags, retained = _world(6)
    found = logit_refit(design, retained, flags[0], alpha=0.1)
    reference = sm.Logit(retained.astype(float), np.column_stack([flags[0], design])).fit(disp=0, tol=1e-12)
    assert found.status == "ok"
    assert found.odds_ratio == pytest.approx(np.exp(reference.params[0]), rel=CLOSE)
    assert (found.ci_lower, found.ci_upper) == pytest.approx(tuple(np.exp(reference.conf_int(0.1)[0])), rel=CLOSE)
    assert found.p_value == pytest.approx(reference.pvalues[0], rel=1e-6)


@pytest.mark.parametrize(("accounts", "base"), [(17_000, 1.0), (30_000, -2.0)])
def test_null_model_equals_statsmodels_logit_where_there_are_many_accounts(accounts, base):
    rng = np.random.default_rng(accounts)
    design = np.column_stack([np.ones(accounts), rng.normal(size=(accounts, 11))])
    retained = rng.random(accounts) < 1 / (1 + np.exp(-design @ np.concatenate([[base], 0.3 * rng.normal(size=11)])))
    null, reference = fit_null(design, retained, ridge=0.0), sm.Logit(retained.astype(float), design).fit(disp=0)
    assert null.status == "ok"
    np.testing.assert_allclose(null.coefficients, reference.params, atol=1e-6)
