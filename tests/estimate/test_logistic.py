"""The null model and the score test where regression breaks: separation, collinear flags, constant outcomes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from discovery.estimate import evenly_spaced, fit_null, logistic, pack, score_packed, score_test
from discovery.estimate import flags as flags_module
from discovery.estimate.logistic import firth


def _world(seed: int = 0, n: int = 400):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 2)), rng.random(n) < 0.3])
    return rng, design, rng.random(n) < 1 / (1 + np.exp(-design[:, 1]))


def test_covariates_that_predict_perfectly_are_labelled_and_stay_finite():
    _, design, retained = _world()
    retained = retained | (design[:, 3] > 0)
    null = fit_null(design, retained)
    assert null.converged
    assert null.status == "separated"
    assert np.abs(null.coefficients).max() < 50
    assert np.isfinite(score_test(null, np.random.default_rng(1).random((3, 400)) < 0.5).score).all()


def test_without_a_ridge_separation_is_not_passed_off_as_a_fit():
    _, design, retained = _world()
    assert fit_null(design, retained | (design[:, 3] > 0), ridge=0.0).status != "ok"


def test_an_ordinary_fit_is_not_called_separated():
    _, design, retained = _world()
    assert fit_null(design, retained).status == "ok"


@pytest.mark.parametrize("everyone", [True, False])
def test_an_outcome_without_variation_gives_no_score(everyone):
    rng, design, _ = _world()
    null = fit_null(design, np.full(400, everyone))
    found = score_test(null, rng.random((3, 400)) < 0.5)
    assert null.status == "separated"
    assert np.isfinite(found.score).all()
    assert (found.p_two_sided > 0.5).all()


def test_flags_that_the_covariates_already_say_score_zero():
    rng, design, retained = _world()
    flags = np.stack(
        [design[:, 3] > 0, design[:, 3] == 0, np.ones(400, bool), np.zeros(400, bool), rng.random(400) < 0.5]
    )
    found = score_test(fit_null(design, retained), flags)
    assert found.status.tolist() == ["too_few"] * 4 + ["ok"]
    assert found.score[:4].tolist() == [0.0] * 4
    assert found.p_two_sided[:4].tolist() == [1.0] * 4
    assert found.information[4] > 1


def test_collinear_covariates_do_not_stop_the_fit():
    _, design, retained = _world()
    once, twice = fit_null(design, retained), fit_null(np.column_stack([design, design[:, 1]]), retained)
    np.testing.assert_allclose(once.fitted, twice.fitted, atol=1e-6)


def test_a_negated_flag_has_the_opposite_score():
    rng, design, retained = _world()
    flags = rng.random((5, 400)) < 0.4
    null = fit_null(design, retained, ridge=0.0)
    np.testing.assert_allclose(score_test(null, flags).score, -score_test(null, ~flags).score, atol=1e-9)


def test_scores_are_standard_normal_when_flags_say_nothing():
    rng, design, retained = _world(3)
    score = score_test(fit_null(design, retained), rng.random((4000, 400)) < 0.3).score
    assert score.mean() == pytest.approx(0, abs=4 / np.sqrt(4000))
    assert score.var() == pytest.approx(1, abs=4 * np.sqrt(2 / 4000))


def test_tiles_change_nothing(monkeypatch):
    rng, design, retained = _world()
    flags, null = rng.random((9, 400)) < 0.4, fit_null(design, retained)
    whole = score_test(null, flags)
    monkeypatch.setattr(flags_module, "TILE_CELLS", 1000)
    np.testing.assert_allclose(whole.score, score_test(null, flags).score, rtol=1e-12)


def test_firth_maximises_the_penalised_likelihood():
    from scipy.optimize import minimize

    _, design, retained = _world(n=80)
    retained = retained | (design[:, 3] > 0)

    def penalised(beta):
        p = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ (design * (p * (1 - p))[:, None])
        likelihood = np.where(retained, np.log(p), np.log1p(-p)).sum()
        return -(likelihood + 0.5 * np.linalg.slogdet(information)[1])

    coefficients, covariance, converged = firth(design, retained)
    best = minimize(penalised, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    assert converged
    np.testing.assert_allclose(coefficients, best.x, atol=1e-5)
    assert (np.diag(covariance) > 0).all()


@pytest.mark.parametrize("accounts", [300, 3_000, 17_000, 30_000])
@pytest.mark.parametrize("base", [-3.0, 0.0, 1.0, 2.0])
def test_the_fit_converges_at_every_size(accounts, base):
    for seed in range(4):
        rng = np.random.default_rng([seed, accounts])
        design = np.column_stack([np.ones(accounts), rng.normal(size=(accounts, 11))])
        coefficients = np.concatenate([[base], 0.4 * rng.normal(size=11)])
        null = fit_null(design, rng.random(accounts) < expit(design @ coefficients), max_iter=15)
        gradient = design.T @ null.residual - 1e-6 * null.coefficients
        standard_errors = np.sqrt(np.diag(np.linalg.inv(null.cholesky @ null.cholesky.T)))
        assert null.converged
        assert null.status == "ok"
        assert np.abs(gradient * standard_errors).max() < 1e-6


def test_many_accounts_start_from_the_fit_to_some_and_end_where_they_would_have(monkeypatch):
    rng = np.random.default_rng(12)
    design = np.column_stack([np.ones(3000), rng.normal(size=(3000, 4))])
    retained = rng.random(3000) < 1 / (1 + np.exp(-design @ [1.0, 0.5, -0.5, 0.2, 0.0]))
    cold = fit_null(design, retained)
    monkeypatch.setattr(logistic, "FIRST_ACCOUNTS", 400)
    warm = fit_null(design, retained)
    assert warm.status == "ok"
    np.testing.assert_allclose(warm.coefficients, cold.coefficients, atol=1e-8)
    np.testing.assert_allclose(warm.cholesky, cold.cholesky, rtol=1e-7, atol=1e-9)


def test_a_first_fit_that_is_separated_is_no_start(monkeypatch):
    """Of the accounts that the first fit rests on, none left that has the trait."""
    rng = np.random.default_rng(13)
    retained = rng.random(2000) < 0.5
    trait = (np.arange(2000) % 7 == 0).astype(float)
    some = evenly_spaced(2000, 100)
    retained[some[trait[some] > 0]] = True
    design = np.column_stack([np.ones(2000), trait])
    cold = fit_null(design, retained)
    monkeypatch.setattr(logistic, "FIRST_ACCOUNTS", 200)
    assert fit_null(design[some], retained[some]).status == "separated"
    np.testing.assert_array_equal(fit_null(design, retained).coefficients, cold.coefficients)


def test_packed_flags_of_some_accounts_score_like_dense_ones():
    rng = np.random.default_rng(14)
    rows = np.flatnonzero(rng.random(700) < 0.6)
    design = np.column_stack([np.ones(len(rows)), rng.normal(size=(len(rows), 3))])
    null = fit_null(design, rng.random(len(rows)) < 0.4)
    flags = rng.random((9, 700)) < rng.random((9, 1))
    packed, dense = score_packed(null, pack(flags), 700, rows), score_test(null, flags[:, rows])
    np.testing.assert_allclose(packed.score, dense.score, atol=1e-10)
    np.testing.assert_allclose(packed.information, dense.information, rtol=1e-10)
    np.testing.assert_array_equal(packed.status, dense.status)
