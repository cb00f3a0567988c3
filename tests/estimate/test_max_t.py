"""The multiplier bootstrap of the maximum against brute force, and what it promises.

Contributions and multipliers are float32: a draw is a sum of some hundreds of products of order 1 / sqrt(n), so it is
within 1e-5 of the same sum in float64.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from discovery.estimate import flags as flags_module
from discovery.estimate.cox_null import fit_cox_null
from discovery.estimate.logistic import fit_null, score_test
from discovery.estimate.max_t import bootstrap_block, draw_multipliers, max_t

CLOSE = 1e-5


def _world(seed: int = 0, n: int = 300, candidates: int = 12):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    busy = design[:, 1] + rng.normal(size=n)
    flags = busy + rng.normal(size=(candidates, n)) > rng.normal(size=(candidates, 1))
    return rng, design, flags


def _logistic(seed: int = 0, n: int = 300):
    rng, design, flags = _world(seed, n)
    return fit_null(design, rng.random(n) < 1 / (1 + np.exp(-0.5 * design[:, 1]))), flags


def _cox(seed: int = 0, n: int = 300):
    rng, design, flags = _world(seed, n)
    left = rng.exponential(50 * np.exp(0.5 * design[:, 1]))
    return fit_cox_null(design, np.floor(np.minimum(left, 76)), left < 76), flags


def _brute_force(null, flags, multipliers, rows):
    """Contributions by explicit weighted least squares, one candidate at a time."""
    root = np.sqrt(null.weights)
    for flag in flags.astype(float):
        slopes = np.linalg.lstsq(null.design * root[:, None], flag * root, rcond=None)[0]
        psi = (flag - null.design @ slopes) * null.residual
        yield multipliers.astype(float).T @ psi[rows] / np.sqrt((psi[rows] ** 2).sum())


@pytest.mark.parametrize("world", [_logistic, _cox])
@pytest.mark.parametrize("kind", [bool, np.uint8, float])
def test_draws_equal_explicit_contributions(world, kind):
    null, flags = world()
    multipliers = draw_multipliers(300, 50, seed=1)
    found = bootstrap_block(null, flags.astype(kind), multipliers)
    np.testing.assert_allclose(found.draws, list(_brute_force(null, flags, multipliers, slice(None))), atol=CLOSE)
    np.testing.assert_allclose(found.score, score_test(null, flags).score, atol=1e-10)


@pytest.mark.parametrize("world", [_logistic, _cox])
def test_a_subsample_draws_its_own_contributions_and_observes_all(world):
    null, flags = world(n=400)
    rows = np.sort(np.random.default_rng(2).choice(400, 150, replace=False))
    multipliers = draw_multipliers(150, 50, seed=1)
    found, whole = bootstrap_block(null, flags, multipliers, rows), score_test(null, flags)
    np.testing.assert_allclose(found.draws, list(_brute_force(null, flags, multipliers, rows)), atol=CLOSE)
    np.testing.assert_allclose(found.score, whole.score, atol=1e-10)
    assert ((found.scale > 0.6) & (found.scale < 1.5)).all()


def test_scale_is_the_spread_of_contributions_over_the_information():
    null, flags = _logistic()
    found = bootstrap_block(null, flags, draw_multipliers(300, 2, seed=0))
    information = score_test(null, flags).information
    for flag, scale, known in zip(flags, found.scale, information, strict=True):
        slopes = np.linalg.solve(
            null.design.T @ (null.design * null.weights[:, None]), null.design.T @ (null.weights * flag)
        )
        psi = (flag - null.design @ slopes) * null.residual
        assert scale == pytest.approx(np.sqrt((psi**2).sum() / known), rel=1e-5)
    np.testing.assert_allclose(found.score_draws, found.draws * found.scale[:, None], atol=CLOSE)
    assert found.score_draws.dtype == np.float32


def test_tiles_change_nothing(monkeypatch):
    null, flags = _logistic()
    multipliers = draw_multipliers(300, 40, seed=1)
    whole = bootstrap_block(null, flags, multipliers)
    at_once = max_t(whole.score, whole.draws)
    monkeypatch.setattr(flags_module, "TILE_CELLS", 1500)
    parts = bootstrap_block(null, flags, multipliers)
    np.testing.assert_allclose(parts.draws, whole.draws, atol=CLOSE)
    monkeypatch.setattr(flags_module, "TILE_CELLS", 100)
    np.testing.assert_array_equal(max_t(whole.score, whole.draws).p_step_down, at_once.p_step_down)


def test_flags_that_the_covariates_already_say_are_never_drawn():
    null, flags = _logistic()
    flags[0], flags[1] = True, False
    found = bootstrap_block(null, flags, draw_multipliers(300, 20, seed=0))
    assert (found.draws[:2] == 0).all()
    assert found.score[:2].tolist() == [0.0, 0.0]
    assert found.scale[:2].tolist() == [1.0, 1.0]
    assert (found.draws[2:] != 0).all()


def test_blocks_share_their_multipliers():
    """The same flags under two null models of one world are almost the same score, in every draw."""
    null, flags = _logistic()
    smaller = fit_null(null.design[:, :3], null.outcome)
    multipliers = draw_multipliers(300, 200, seed=3)
    one, other = (bootstrap_block(model, flags, multipliers).draws for model in (null, smaller))
    assert all(np.corrcoef(a, b)[0, 1] > 0.98 for a, b in zip(one, other, strict=True))
    joined = max_t(np.zeros(24), (block for block in (one, other)))
    np.testing.assert_array_equal(joined.maxima, np.sort(np.concatenate([one, other]).max(axis=0)))


@pytest.mark.parametrize(("law", "third"), [("normal", 0.0), ("mammen", 1.0)])
def test_multipliers_have_the_moments_they_promise(law, third):
    drawn = draw_multipliers(1000, 400, 5, law).astype(float)
    assert drawn.shape == (1000, 400)
    assert [np.mean(drawn**k) for k in (1, 2, 3)] == pytest.approx([0.0, 1.0, third], abs=0.02)


@pytest.mark.parametrize("law", ["normal", "mammen"])
def test_the_same_seed_gives_the_same_bytes(law):
    null, flags = _logistic()

    def drawn(seed):
        return bootstrap_block(null, flags, draw_multipliers(300, 30, seed, law)).draws.tobytes()

    assert drawn(4) == drawn(4)
    assert drawn(4) != drawn(5)


def test_critical_value_of_a_grid_lies_well_between_one_test_and_bonferroni():
    rng, design, _ = _world(n=600)
    grid = rng.negative_binomial(2, 0.2, 600) >= np.arange(3, 18)[:, None]
    found = bootstrap_block(fit_null(design, rng.random(600) < 0.4), grid, draw_multipliers(600, 4000, seed=0))
    for two_sided in (False, True):
        critical = max_t(found.score, found.draws, two_sided).critical(0.05)
        alpha = 0.05 / (1 + two_sided)
        assert -norm.ppf(alpha) + 0.2 < critical < -norm.ppf(alpha / len(grid)) - 0.2


def test_copies_of_one_candidate_cost_nothing():
    null, flags = _logistic()
    multipliers = draw_multipliers(300, 500, seed=0)
    one, many = (bootstrap_block(null, np.repeat(flags[:1], k, axis=0), multipliers) for k in (1, 30))
    assert max_t(many.score, many.draws).critical(0.05) == pytest.approx(
        max_t(one.score, one.draws).critical(0.05), abs=CLOSE
    )


@pytest.mark.parametrize("law", ["normal", "mammen"])
def test_family_wise_error_of_correlated_nulls_is_near_alpha(law):
    """600 worlds of 12 related flags that say nothing; two-sided exact binomial bound of 1 in 500."""
    worlds, alpha = 600, 0.1
    multipliers = draw_multipliers(300, 299, 7, law)
    single = step_down = 0
    for seed in range(worlds):
        found = bootstrap_block(*_logistic(1000 + seed), multipliers)
        adjusted = max_t(found.score, found.score_draws)
        single += adjusted.p_single_step.min() <= alpha
        step_down += adjusted.p_step_down.min() <= alpha
    assert single == step_down
    assert binom.ppf(0.001, worlds, alpha) <= single <= binom.ppf(0.999, worlds, alpha)


def test_family_wise_error_holds_where_one_outcome_is_rare():
    """300 worlds with some 10 to 40 of the rarer outcome among those that reach a flag: the long tail and the short.

    Bounds as above. Scores standardised by their own contributions exceed the upper one.
    """
    worlds, alpha, n = 300, 0.05, 800
    false = {"score": 0, "standardised": 0}
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        stayed = rng.random(n) < (0.9 if seed % 2 else 0.1)
        grid = np.concatenate([rng.negative_binomial(1, 0.25, n) >= np.array([[5], [7], [10]]) for _ in range(5)])
        found = bootstrap_block(fit_null(np.ones((n, 1)), stayed), grid, draw_multipliers(n, 199, seed))
        false["score"] += max_t(found.score, found.score_draws).p_single_step.min() <= alpha
        false["standardised"] += max_t(found.score / found.scale, found.draws).p_single_step.min() <= alpha
    assert binom.ppf(0.001, worlds, alpha) <= false["score"] <= binom.ppf(0.999, worlds, alpha)
    assert false["standardised"] > binom.ppf(0.999, worlds, alpha)


@st.composite
def _searches(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    c, b = draw(st.integers(1, 8)), draw(st.integers(1, 60))
    draws = rng.normal(size=(c, b)).round(draw(st.sampled_from([0, 1, 6]))).astype(np.float32)
    return rng, rng.normal(scale=2, size=c).round(1), draws, draw(st.booleans())


@settings(deadline=None, max_examples=100)
@given(_searches(), st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5]))
def test_exceeding_the_critical_value_is_having_a_small_p(search, alpha):
    _, observed, draws, two_sided = search
    found = max_t(observed, draws, two_sided)
    size = np.abs(observed) if two_sided else observed
    np.testing.assert_array_equal(found.p_single_step <= alpha + 1e-9, size > found.critical(alpha))


@settings(deadline=None, max_examples=100)
@given(_searches())
def test_p_values_equal_their_definition(search):
    rng, observed, draws, two_sided = search
    found = max_t(observed, draws, two_sided)
    size, drawn = (np.abs(observed), np.abs(draws)) if two_sided else (observed, draws)
    ranked = np.argsort(-size[::-1], kind="stable")
    ranked, before = len(size) - 1 - ranked, 0.0
    for step, i in enumerate(ranked):
        assert found.p_single_step[i] == (1 + (drawn.max(axis=0) >= size[i]).sum()) / (draws.shape[1] + 1)
        before = max(before, (1 + (drawn[ranked[step:]].max(axis=0) >= size[i]).sum()) / (draws.shape[1] + 1))
        assert found.p_step_down[i] == before
    assert (found.p_step_down <= found.p_single_step).all()
    order = rng.permutation(len(size))
    np.testing.assert_array_equal(
        max_t(observed[order], draws[order], two_sided).p_single_step, found.p_single_step[order]
    )


def test_a_candidate_without_a_score_is_not_searched():
    draws = np.array([[9.0, 9.0, 9.0], [0.0, 1.0, 2.0]], dtype=np.float32)
    found = max_t(np.array([np.nan, 1.5]), draws)
    assert np.isnan([found.p_single_step[0], found.p_step_down[0]]).all()
    assert found.p_single_step[1] == found.p_step_down[1] == 0.5
    assert found.searched == 1


def test_too_few_draws_have_no_critical_value():
    assert max_t(np.zeros(1), np.zeros((1, 18), dtype=np.float32)).critical(0.05) == np.inf
    assert max_t(np.zeros(1), np.zeros((1, 19), dtype=np.float32)).critical(0.05) == 0.0


@pytest.mark.parametrize(("alpha", "rank"), [(0.05, 95), (0.41, 59), (0.45, 55)])
def test_rounding_does_not_move_the_rank_of_the_critical_value(alpha, rank):
    """In floats `(1 - .41) * 100` lies above 59."""
    assert max_t(np.zeros(1), np.arange(1, 100, dtype=np.float32)[None]).critical(alpha) == rank


def test_draws_of_other_candidates_are_refused():
    with pytest.raises(ValueError, match="3 observed scores but draws of 2"):
        max_t(np.zeros(3), np.zeros((2, 5), dtype=np.float32))


def test_nothing_searched_is_nothing_found():
    found = max_t(np.empty(0), np.empty((0, 5), dtype=np.float32))
    assert found.searched == 0
    assert len(found.p_single_step) == 0
