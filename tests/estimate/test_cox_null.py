"""The Cox null model: what its residuals mean, what leaves it unchanged, and where regression breaks."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from discovery.estimate.cox_null import fit_cox_null
from discovery.estimate.logistic import score_test

cox_null = importlib.import_module("discovery.estimate.cox_null")


def _world(seed: int = 0, n: int = 400):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 2)), rng.random(n) < 0.3])
    left, seen = rng.exponential(60 * np.exp(-0.7 * design[:, 1])), rng.uniform(20, 120, n)
    return rng, design, np.floor(np.minimum(left, seen)), left <= seen


def test_staying_longer_than_expected_is_positive():
    rng, design, duration, departed = _world()
    stayed = duration > np.median(duration)
    null = fit_cox_null(design, duration, departed)
    assert null.residual[~departed].min() >= 0
    scored = score_test(null, np.stack([stayed, ~stayed, rng.random(400) < 0.5]))
    assert scored.score[0] > 5
    assert scored.score[1] < -5
    assert abs(scored.score[2]) < 4


def test_expected_departures_are_as_many_as_were_seen():
    _, design, duration, departed = _world()
    null = fit_cox_null(design, duration, departed)
    assert null.weights.sum() == pytest.approx(np.count_nonzero(departed), abs=1e-8)
    assert null.weights.min() >= 0
    np.testing.assert_allclose(null.cholesky @ null.cholesky.T, design.T @ np.diag(null.weights) @ design, atol=1e-9)


def test_a_design_of_the_intercept_alone_gives_the_cumulative_hazard():
    duration = np.array([1.0, 2.0, 2.0, 3.0, 0.5])
    null = fit_cox_null(np.ones((5, 1)), duration, np.array([True, True, True, False, False]))
    efron_first, efron_second = 1 / 4, 1 / 3 + 1 / 2
    leaving = efron_first + 1 / 3 + 1 / 2 * 1 / 2
    assert null.status == "ok"
    np.testing.assert_allclose(null.weights, [efron_first, leaving, leaving, efron_first + efron_second, 0.0])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(3, 60), st.integers(1, 8))
def test_row_order_and_the_unit_of_time_do_not_matter(seed, n, days):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=n)])
    duration, departed = rng.integers(0, days, n).astype(float), rng.random(n) < 0.6
    order = rng.permutation(n)
    one = fit_cox_null(design, duration, departed, ridge=1e-3)
    other = fit_cox_null(design[order], 3 + duration[order] ** 2 / 24, departed[order], ridge=1e-3)
    np.testing.assert_allclose(other.weights, one.weights[order], atol=1e-7)
    np.testing.assert_allclose(other.residual, one.residual[order], atol=1e-7)


def test_shifting_a_covariate_changes_no_residual():
    _, design, duration, departed = _world()
    moved = design + np.array([0.0, 1e3, -50.0, 0.0])
    one, other = (fit_cox_null(each, duration, departed, ridge=0.0) for each in (design, moved))
    np.testing.assert_allclose(one.residual, other.residual, atol=1e-8)


def test_a_level_that_nobody_leaves_is_labelled_and_stays_finite():
    rng, design, duration, departed = _world()
    departed = departed & (design[:, 3] == 0)
    null = fit_cox_null(design, duration, departed)
    assert null.converged
    assert null.status == "separated"
    assert np.abs(null.coefficients).max() < 50
    assert np.isfinite(score_test(null, rng.random((3, 400)) < 0.5).score).all()


def test_without_a_ridge_separation_is_not_passed_off_as_a_fit():
    _, design, duration, departed = _world()
    assert fit_cox_null(design, duration, departed & (design[:, 3] == 0), ridge=0.0).status != "ok"


def test_an_ordinary_fit_is_not_called_separated():
    _, design, duration, departed = _world()
    assert fit_cox_null(design, duration, departed).status == "ok"


@pytest.mark.parametrize("columns", [1, 4])
def test_without_departures_no_flag_has_a_score(columns):
    rng, design, duration, _ = _world()
    null = fit_cox_null(design[:, :columns], duration, np.zeros(400, dtype=bool))
    found = score_test(null, rng.random((3, 400)) < 0.5)
    assert null.status == "separated"
    assert found.status.tolist() == ["too_few"] * 3
    assert found.score.tolist() == [0.0] * 3


@pytest.mark.parametrize("everyone", [True, False])
def test_departures_on_one_day_still_fit(everyone):
    _, design, _, departed = _world()
    null = fit_cox_null(design, np.zeros(400), departed | everyone)
    assert null.converged
    assert np.isfinite(null.residual).all()
    assert null.weights.sum() == pytest.approx(np.count_nonzero(departed | everyone))


def test_a_step_that_lowers_the_likelihood_is_not_taken():
    """At each accepted step the likelihood rises: fits stopped after more steps are never worse."""
    rng = np.random.default_rng(1)
    design = np.column_stack([np.ones(400), rng.standard_t(1.2, size=(400, 2))])
    left = rng.exponential(60 * np.exp(-np.clip(2 * design[:, 1], -8, 8)))
    stopped = [fit_cox_null(design, np.minimum(left, 100), left < 100, max_iter=k) for k in range(7)]
    assert (np.diff([fit.log_likelihood for fit in stopped]) > -1e-6).all()
    assert [stopped[k].status for k in (1, 6)] == ["not_converged", "ok"]


def test_scores_of_flags_that_say_nothing_have_unit_variance():
    """Flags and censoring follow the covariates; 300 worlds of 4 flags, two-sided bound of 1 in 500."""
    scores = []
    for seed in range(300):
        rng, design, duration, departed = _world(seed, n=250)
        flags = rng.random((4, 250)) < 1 / (1 + np.exp(-design[:, 1]))
        scores.append(score_test(fit_cox_null(design, duration, departed), flags).score)
    z = np.concatenate(scores)
    assert chi2.ppf(0.001, len(z)) < (z**2).sum() < chi2.ppf(0.999, len(z))
    assert abs(z.mean()) * np.sqrt(len(z)) < 3.1


@pytest.mark.parametrize("whole_days", [True, False])
def test_many_accounts_start_from_the_fit_to_some_and_end_where_they_would_have(monkeypatch, whole_days):
    rng = np.random.default_rng(21)
    design = np.column_stack([np.ones(3000), rng.normal(size=(3000, 3))])
    left = rng.exponential(50 * np.exp(0.4 * design[:, 1]))
    duration, departed = np.minimum(np.floor(left) if whole_days else left, 60), left < 60
    cold = fit_cox_null(design, duration, departed)
    monkeypatch.setattr(cox_null, "FIRST_ACCOUNTS", 400)
    warm = fit_cox_null(design, duration, departed)
    assert warm.status == "ok"
    np.testing.assert_allclose(warm.coefficients, cold.coefficients, atol=1e-8)
    np.testing.assert_allclose(warm.residual, cold.residual, atol=1e-7)


def test_nearly_fitted_it_scores_as_fitted(monkeypatch):
    """Two steps from the fit to a twentieth of the accounts: what is left to go no longer moves a score."""
    monkeypatch.setattr(cox_null, "FIRST_ACCOUNTS", 400)
    rng = np.random.default_rng(17)
    n = 4000
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    duration = rng.exponential(np.exp(-0.7 * design[:, 1]))
    departed = rng.random(n) < 0.6
    flags = (rng.random((5, n)) < 1 / (1 + np.exp(-design[:, 1]))).astype(np.uint8)
    whole, nearly = (fit_cox_null(design, duration, departed, nearly=each) for each in (False, True))
    assert whole.converged
    np.testing.assert_allclose(score_test(nearly, flags).score, score_test(whole, flags).score, atol=2e-3)
    assert not np.array_equal(nearly.coefficients, whole.coefficients)
