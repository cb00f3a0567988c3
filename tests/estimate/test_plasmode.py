"""If only inertia is at work, the drawn maxima are those that real outcomes of inertia would show."""

import importlib

import numpy as np
import pytest
from scipy.special import expit

from discovery.estimate import fit_null, inertia_chance, pack, plasmode_maxima, plasmode_packed, score_test

max_t = importlib.import_module("discovery.estimate.max_t")


def world(seed, accounts=900, curved=0.0):
    """Return a generator, an inertia design, flags that follow it, and the chance of being active later."""
    rng = np.random.default_rng(seed)
    busy = rng.normal(size=(accounts, 2))
    design = np.column_stack([np.ones(accounts), busy])
    flags = (busy[:, [0]] + rng.normal(size=(accounts, 12)) > np.linspace(-1, 1.5, 12)).T.astype(np.uint8)
    chance = expit(-0.3 + 0.8 * busy[:, 0] + curved * (busy[:, 0] ** 2 - 1) + curved * busy[:, 0] * busy[:, 1])
    return rng, design, flags, chance


def test_the_draws_are_the_distribution_of_the_largest_score():
    """Beside outcomes drawn from the same chances and scored in full, each with a model of its own."""
    rng, design, flags, chance = world(0)
    outcome = rng.random(len(chance)) < chance
    drawn = plasmode_maxima(fit_null(design, outcome), flags, chance, 600, seed=1)
    full = [score_test(fit_null(design, rng.random(len(chance)) < chance), flags).score.max() for _ in range(300)]
    assert drawn.shape == (600,)
    for level in (0.5, 0.9, 0.95):
        assert np.quantile(drawn, level) == pytest.approx(np.quantile(full, level), abs=0.25)


def test_what_the_null_model_misses_moves_the_bound_up():
    """Activity that goes with later activity in a curve: a null model of straight lines lets flags score by it."""
    rng, design, flags, chance = world(2, curved=0.6)
    outcome = rng.random(len(chance)) < chance
    straight = fit_null(design, outcome)
    rich = inertia_chance(design, outcome)
    missed = np.quantile(plasmode_maxima(straight, flags, rich, 300, seed=3), 0.95)
    known = np.quantile(plasmode_maxima(straight, flags, straight.fitted, 300, seed=3), 0.95)
    assert missed > known + 0.4


def test_the_richer_model_knows_curves_and_products():
    rng, design, _, chance = world(4, accounts=4000, curved=0.6)
    outcome = rng.random(len(chance)) < chance
    rich, straight = inertia_chance(design, outcome), fit_null(design, outcome).fitted
    assert np.abs(rich - chance).mean() < 0.5 * np.abs(straight - chance).mean()
    assert rich.mean() == pytest.approx(outcome.mean(), abs=0.005)
    assert ((rich > 0) & (rich < 1)).all()


def test_a_design_without_covariates_gives_everyone_the_same_chance():
    outcome = np.arange(100) < 30
    np.testing.assert_allclose(inertia_chance(np.ones((100, 1)), outcome), 0.3, atol=0.01)


def test_the_same_seed_gives_the_same_maxima_and_another_does_not():
    rng, design, flags, chance = world(5)
    null = fit_null(design, rng.random(len(chance)) < chance)
    one = plasmode_maxima(null, flags, chance, 50, seed=1)
    np.testing.assert_array_equal(one, plasmode_maxima(null, flags, chance, 50, seed=1))
    assert (one != plasmode_maxima(null, flags, chance, 50, seed=2)).any()


def test_flags_of_which_nothing_is_left_never_set_the_bound():
    rng, design, flags, chance = world(6)
    null = fit_null(design, rng.random(len(chance)) < chance)
    beside = np.concatenate([flags, np.ones_like(flags[:1]), np.zeros_like(flags[:1])])
    np.testing.assert_allclose(
        plasmode_maxima(null, beside, chance, 40, seed=1), plasmode_maxima(null, flags, chance, 40, seed=1)
    )


def test_the_observed_outcome_plays_no_part_but_for_the_design():
    """Maxima depend on the chances alone: scores of the data must not set their own bound."""
    rng, design, flags, chance = world(7)
    one = fit_null(design, rng.random(len(chance)) < chance)
    other = fit_null(design, flags[5] > 0)
    np.testing.assert_allclose(
        plasmode_maxima(one, flags, chance, 40, seed=1), plasmode_maxima(other, flags, chance, 40, seed=1)
    )


def test_outcomes_of_some_accounts_show_what_all_of_them_would():
    """What inertia moves scores by rests on all accounts: from a third alone it would be 1.7 times too small."""
    rng, design, flags, chance = world(8, accounts=6000, curved=0.6)
    straight = fit_null(design, rng.random(len(chance)) < chance)
    packed, some = pack(flags), np.arange(0, 6000, 3)
    whole = plasmode_packed(straight, packed, 6000, None, chance, 400, 1)
    fewer = plasmode_packed(straight, packed, 6000, None, chance, 400, 1, some)
    third = plasmode_maxima(fit_null(design[some], chance[some]), flags[:, some], chance[some], 400, 1)
    for level in (0.1, 0.5, 0.9):
        assert np.quantile(fewer, level) == pytest.approx(np.quantile(whole, level), abs=0.3)
    assert np.median(third) < np.median(whole) - 1


def test_many_accounts_have_the_chances_that_all_of_them_teach(monkeypatch):
    """What a few thousand teach errs by chance, and the shift of every score grows with the accounts it errs for."""
    rng, design, _, chance = world(9, accounts=3000, curved=0.6)
    outcome = rng.random(3000) < chance
    whole = inertia_chance(design, outcome)
    monkeypatch.setattr(max_t, "MANY_ACCOUNTS", 2000)
    monkeypatch.setattr(max_t, "BOOTSTRAP_ACCOUNTS", 700)
    some = max_t.bootstrap_rows(3000)
    np.testing.assert_allclose(inertia_chance(design, outcome), whole, atol=0.002)
    assert np.abs(inertia_chance(design[some], outcome[some]) - whole[some]).max() > 0.02
