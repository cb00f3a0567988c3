"""All sums of one pass beside what each function finds by a pass of its own."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.estimate import Beside, draw_halves, fit_cox_null, fit_null, flag_sums, pack, score_packed
from discovery.estimate.effect import regressed_on
from discovery.estimate.max_t import bootstrap_packed

N, M = 1900, 1500


@pytest.fixture(scope="module")
def world():
    """Accounts of which some count and some of these are mature, a survival and a logistic model of them."""
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(N)[:M])
    mature = rng.random(M) < 0.7
    busy = rng.normal(size=N)
    flags = busy + rng.normal(size=(70, N)) > np.linspace(-1, 3, 70)[:, None]
    design = np.column_stack([np.ones(M), busy[rows], rng.normal(size=M)])
    days, left = rng.integers(1, 60, M).astype(float), rng.random(M) < 0.4
    cox = fit_cox_null(design, days, left)
    logistic = fit_null(design[mature], rng.random(mature.sum()) < 0.5)
    return pack(flags), rows, mature, cox, logistic, draw_halves(np.arange(M), 4, 1)


@pytest.fixture(scope="module")
def found(world):
    packed, rows, mature, cox, logistic, halves = world
    asked = [Beside(null=cox, halves=halves, scores_only=True), Beside(null=logistic, inside=mature)]
    return flag_sums(packed, N, asked, rows)


def test_scores_are_those_of_either_model_by_itself(world, found):
    packed, rows, mature, cox, logistic, _ = world
    for sums, null, among in zip(found, (cox, logistic), (rows, rows[mature]), strict=True):
        alone = score_packed(null, packed, N, among)
        np.testing.assert_allclose(sums.scores.score, alone.score, atol=1e-10)
        np.testing.assert_allclose(sums.scores.information, alone.information, rtol=1e-10)


def test_what_the_covariates_leave_is_that_among_its_own_accounts(world, found):
    packed, rows, mature, _, logistic, _ = world
    alone, left = regressed_on(logistic, packed, N, rows[mature]), found[1].left
    for name in ("own", "slopes", "square", "product"):
        np.testing.assert_allclose(getattr(left, name), getattr(alone, name), atol=1e-8)
    flags = np.unpackbits(packed, axis=1, count=N)[:, rows[mature]]
    np.testing.assert_array_equal(found[1].met, flags.sum(axis=1))
    beta = np.array([0.3, 2.0, -1.0])
    np.testing.assert_allclose(found[1].along(beta), flags @ (logistic.design @ beta), atol=1e-9)


def test_a_half_and_its_complement_score_as_if_drawn(world, found):
    """Drawn in single precision: the scores, of order 1, agree to some millionths."""
    packed, rows, _, cox, _, halves = world
    some = np.array([3, 20, 41])
    drawn = bootstrap_packed(cox, packed[some], N, rows, halves).score_draws
    np.testing.assert_allclose(found[0].of(some).half_scores, drawn, atol=2e-5)


def test_halves_that_were_not_asked_for_are_not_given(found):
    with pytest.raises(ValueError, match="not asked for"):
        _ = found[1].half_scores
