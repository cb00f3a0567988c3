"""Factor analysis by maximum likelihood against scikit-learn.

Loadings are known up to a rotation: what they reproduce, and the uniqueness, are compared. Both stop short of the
maximum, ours where no loading moves by more than 1e-6 in a step: where EM is slow, some 1e-4 may be left. The
likelihood is flat there.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.decomposition import FactorAnalysis

from discovery.estimate.activity import factor_analysis

CLOSE = 2e-4


def _world(n, columns, factors, seed):
    rng = np.random.default_rng(seed)
    loadings = rng.uniform(0.2, 0.9, (columns, factors)) * rng.choice([1, 1, -1], (columns, factors))
    values = rng.normal(size=(n, factors)) @ loadings.T + rng.normal(size=(n, columns)) * rng.uniform(0.5, 1, columns)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    return values, values.T @ values / n


def _log_likelihood(correlation, loadings, own):
    implied = loadings @ loadings.T + np.diag(own)
    half = np.linalg.slogdet(implied)[1] + np.trace(np.linalg.solve(implied, correlation))
    return -0.5 * (len(own) * np.log(2 * np.pi) + half)


WORLDS = [(2000, 12, 1, 0), (2000, 12, 2, 1), (1500, 20, 3, 2), (300, 8, 1, 3), (500, 30, 2, 4)]


@cache
def _reference(world):
    values, _ = _world(*world)
    return FactorAnalysis(n_components=world[2], tol=1e-9, max_iter=5_000, svd_method="lapack").fit(values)


@pytest.mark.parametrize("world", WORLDS)
def test_factor_analysis_equals_scikit_learn(world):
    values, correlation = _world(*world)
    loadings, own = factor_analysis(correlation, world[2])
    reference = _reference(world)
    np.testing.assert_allclose(loadings @ loadings.T, reference.components_.T @ reference.components_, atol=CLOSE)
    np.testing.assert_allclose(own, reference.noise_variance_, atol=CLOSE)
    theirs = _log_likelihood(correlation, reference.components_.T, reference.noise_variance_)
    assert theirs == pytest.approx(reference.score(values), abs=1e-9)
    assert _log_likelihood(correlation, loadings, own) > theirs - 1e-7


@pytest.mark.parametrize("world", WORLDS)
def test_posterior_means_equal_scikit_learn_up_to_a_rotation(world):
    values, correlation = _world(*world)
    loadings, own = factor_analysis(correlation, world[2])
    implied = loadings @ loadings.T + np.diag(own)
    ours = values @ np.linalg.solve(implied, loadings)
    theirs = _reference(world).transform(values)
    rotation = np.linalg.lstsq(ours, theirs, rcond=None)[0]
    np.testing.assert_allclose(ours @ rotation, theirs, atol=1e-3)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(world[2]), atol=1e-3)


@pytest.mark.parametrize("world", WORLDS)
def test_factors_explain_one_after_the_other(world):
    """Thomson's rotation: `L' inv(psi) L` is diagonal, the largest first, and each column positive in sum."""
    loadings, own = factor_analysis(_world(*world)[1], world[2])
    explained = loadings.T @ (loadings / own[:, None])
    np.testing.assert_allclose(explained, np.diag(np.diag(explained)), atol=1e-8 * explained.max())
    assert (np.diff(np.diag(explained)) <= 0).all()
    assert (loadings.sum(axis=0) >= 0).all()
