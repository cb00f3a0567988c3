"""The tail of the score against exact distributions, where outcomes are rare and where they are not.

With an intercept alone the score of a flag is a difference of two binomial counts, so that its distribution can be
added up. The approximation has no correction for continuity: what it is held to is the mid-p value.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, log_ndtr, ndtr
from scipy.stats import binom, hypergeom

from discovery.estimate import critical_z, fit_null, pack, score_all, score_test
from discovery.estimate.saddlepoint import FAR, RARE_CELL, calibrated, log_tail, tail


def _counts(accounts: int, positives: int, reached: int):
    """Return the intercept-only null, one flag, and z and U of every number of positives among the flagged."""
    null = fit_null(np.ones((accounts, 1)), np.arange(accounts) < positives, ridge=0.0)
    flag = (np.arange(accounts) < reached)[None]
    share, mu = reached / accounts, positives / accounts
    u = np.arange(min(positives, reached) + 1) - reached * mu
    return null, flag, u / np.sqrt(accounts * mu * (1 - mu) * share * (1 - share)), u


def _mid_p_of_two_binomials(accounts: int, positives: int, reached: int, u: float) -> float:
    share, mu = reached / accounts, positives / accounts
    inside = binom.pmf(np.arange(reached + 1), reached, mu)[:, None]
    outside = binom.pmf(np.arange(accounts - reached + 1), accounts - reached, mu)
    score = np.abs((1 - share) * np.arange(reached + 1)[:, None] - share * np.arange(accounts - reached + 1))
    chance = inside * outside
    return float(chance[score > abs(u) + 1e-9].sum() + chance[np.abs(score - abs(u)) <= 1e-9].sum() / 2)


RARE = [(1000, 20, 300), (1000, 20, 500), (1000, 20, 100), (1000, 980, 300), (500, 40, 200), (400, 360, 100)]


@pytest.mark.parametrize(("accounts", "positives", "reached"), RARE)
def test_the_tail_is_the_exact_one_of_a_difference_of_binomials(accounts, positives, reached):
    null, flag, z, u = _counts(accounts, positives, reached)
    compared = 0
    for score, beyond in zip(z, u, strict=True):
        exact = _mid_p_of_two_binomials(accounts, positives, reached, beyond)
        if 1e-7 < exact < 0.05:
            assert tail(null, flag, np.array([score]))[0] == pytest.approx(exact, rel=0.1)
            compared += 1
    assert compared >= 4


def test_the_tail_is_near_the_one_of_permuted_outcomes():
    null, flag, z, _ = _counts(1000, 20, 100)
    exact = hypergeom(1000, 20, 100)
    for count in (6, 7, 8):
        found = tail(null, flag, z[[count]])[0]
        assert found == pytest.approx(exact.sf(count) + exact.pmf(count) / 2, rel=0.15)
        assert found > 2 * 2 * ndtr(-z[count])


def test_the_tail_is_the_normal_one_for_common_outcomes():
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(20_000), rng.normal(size=(20_000, 3))])
    null = fit_null(design, rng.random(20_000) < expit(design[:, 1]))
    flags, z = rng.random((3, 20_000)) < 0.4, np.array([2.5, -3.5, 4.5])
    np.testing.assert_allclose(tail(null, flags, z), 2 * ndtr(-np.abs(z)), rtol=0.03)


def _rare_world(seed: int = 0, accounts: int = 800):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(accounts), rng.normal(size=(accounts, 3))])
    return rng, design, rng.random(accounts) < expit(0.5 * design[:, 1] - 3.3)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_tail_falls_with_the_statistic(sign):
    rng, design, retained = _rare_world()
    null, z = fit_null(design, retained), np.linspace(0.2, 8, 60)
    for share in (0.05, 0.3, 0.7):
        flags = np.repeat(rng.random((1, 800)) < share, len(z), axis=0)
        assert (np.diff(log_tail(null, flags, sign * z)) < 0).all()


def test_swapping_the_outcome_or_the_flag_with_the_sign_changes_nothing():
    rng, design, retained = _rare_world()
    flags, z = rng.random((6, 800)) < 0.3, np.array([2.5, 3.0, 4.0, -2.5, -3.0, 5.0])
    null = fit_null(design, retained, ridge=0.0)
    p = tail(null, flags, z)
    np.testing.assert_allclose(tail(fit_null(design, ~retained, ridge=0.0), flags, -z), p, rtol=1e-6)
    np.testing.assert_allclose(tail(null, ~flags, -z), p, rtol=1e-6)


def test_blocks_change_nothing(monkeypatch):
    rng, design, retained = _rare_world()
    flags, z, null = rng.random((30, 800)) < 0.3, rng.normal(size=30) * 3, fit_null(design, retained)
    whole = tail(null, flags, z)
    monkeypatch.setattr("discovery.estimate.saddlepoint.BLOCK_CELLS", 1000)
    np.testing.assert_allclose(tail(null, flags, z), whole, rtol=1e-6)


def test_the_tail_is_a_probability_however_far_and_however_little_there_is():
    rng, design, retained = _rare_world()
    flags = np.concatenate([rng.random((4, 800)) < 0.3, np.ones((2, 800), bool), np.zeros((2, 800), bool)])
    nulls = [fit_null(design, y) for y in (retained, retained | True, retained & False, retained | (design[:, 1] > 0))]
    for null in nulls:
        for z in (0.0, 1e-9, 0.09, 0.11, 3.0, 30.0, 300.0, -1e9):
            p = tail(null, flags, np.full(len(flags), z))
            assert ((p > 0) & (p <= 1)).all()
            assert np.isfinite(log_tail(null, flags, np.full(len(flags), z))).all()


def test_what_cannot_happen_gets_the_normal_tail():
    null, flag, _, _ = _counts(1000, 20, 300)
    assert tail(null, flag, np.array([150.0]))[0] == np.finfo(float).tiny
    assert log_tail(null, flag, np.array([150.0]))[0] == pytest.approx(np.log(2) + log_ndtr(-150.0))
    assert log_tail(null, flag, np.array([100.0]))[0] > np.log(2) + log_ndtr(-50.0)
    assert tail(null, flag, np.array([0.05]))[0] == pytest.approx(2 * ndtr(-0.05))


def test_a_flag_that_the_covariates_already_say_gets_the_normal_tail():
    rng, design, retained = _rare_world()
    design[:, 3] = rng.random(800) < 0.3
    flags = np.stack([np.ones(800, bool), design[:, 3] > 0, design[:, 3] == 0])
    np.testing.assert_allclose(tail(fit_null(design, retained), flags, np.full(3, 3.0)), 2 * ndtr(-3.0))


def test_far_out_the_tail_keeps_its_digits():
    rng = np.random.default_rng(2)
    retained = np.arange(6000) < 900
    design = np.column_stack([np.ones(6000), rng.normal(size=6000)])
    null = fit_null(design, retained)
    flags = np.stack([retained ^ (rng.random(6000) < noise) for noise in (0.0, 0.002, 0.01)])
    plain = score_test(null, flags)
    logs = log_tail(null, flags, plain.score)
    assert (np.diff(logs) > 0).all()
    assert (logs < np.log(1e-300)).all()
    assert (calibrated(null, flags, plain)[0] > 30).all()


def test_only_far_scores_of_small_cells_change_and_score_and_p_agree():
    rng, design, retained = _rare_world()
    flags = np.concatenate([rng.random((300, 800)) < rng.uniform(0.05, 0.9, (300, 1)), retained[None]])
    flags = np.concatenate([~retained[None] & (rng.random((3, 800)) < 0.7), flags])
    null = fit_null(design, retained)
    plain = score_test(null, flags)
    score, p = calibrated(null, flags, plain)
    changed = np.abs(plain.score) > FAR
    assert 5 < changed.sum() < 40
    assert (plain.score[:3] < -FAR).all()
    np.testing.assert_array_equal(score[~changed], plain.score[~changed])
    np.testing.assert_array_equal(p[~changed], plain.p_two_sided[~changed])
    assert (score[changed] != plain.score[changed]).all()
    assert (np.sign(score) == np.sign(plain.score)).all()
    np.testing.assert_allclose(p[:-1], 2 * ndtr(-np.abs(score[:-1])), rtol=1e-9)
    large = fit_null(np.ones((2000, 1)), np.arange(2000) % 2 == 0)
    wide = rng.random((200, 2000)) < 0.5
    assert wide.sum(axis=1).min() / 2 > RARE_CELL
    np.testing.assert_array_equal(calibrated(large, wide, score_test(large, wide))[0], score_test(large, wide).score)


def test_permuted_rare_outcomes_seldom_give_a_lead():
    """Two in a hundred stayed; thresholds on the counts of forty correlated events; outcomes permuted."""
    rng = np.random.default_rng(3)
    accounts, runs = 1000, 400
    busy = np.exp(0.5 * rng.normal(size=accounts))
    counts = rng.poisson(busy[:, None] * np.linspace(0.1, 1.2, 40))
    flags = np.concatenate([(counts >= at_least).T for at_least in (1, 2, 3, 4)])
    flags = flags[(flags.mean(axis=1) >= 0.05) & (flags.mean(axis=1) <= 0.95)]
    design = np.column_stack([np.ones(accounts), np.log1p(counts.sum(axis=1)), (counts > 0).sum(axis=1)])
    critical, plain_leads, leads = critical_z(0.05, len(flags)), 0, 0
    for _ in range(runs):
        null = fit_null(design, rng.permutation(accounts) < 20)
        plain = score_test(null, flags)
        plain_leads += bool(plain.score.max() > critical)
        leads += bool(calibrated(null, flags, plain)[0].max() > critical)
    assert leads <= 0.05 * runs
    assert plain_leads > max(2 * leads, 0.06 * runs)


def test_scoring_all_reports_the_calibrated_score_and_its_p():
    rng, design, retained = _rare_world(accounts=1000)
    flags = retained[None] & (rng.random((4, 1000)) < 0.5) | (rng.random((4, 1000)) < 0.1)
    null, rows = fit_null(design, retained), np.arange(1000)
    plain = score_test(null, flags)
    found = score_all(null, pack(flags), 1000, rows)
    np.testing.assert_allclose(found.p_value, tail(null, flags, plain.score), rtol=1e-9)
    assert (found.score < plain.score).all()
    np.testing.assert_allclose(found.p_value, 2 * ndtr(-found.score), rtol=1e-9)
    np.testing.assert_array_equal(score_all(null, pack(flags), 1000, rows, tails=False).score, plain.score)
