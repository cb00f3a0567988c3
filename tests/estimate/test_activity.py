"""How busy an account is: found where it is planted, not found where it is not, and enough to adjust for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import binom

from discovery.estimate import activity as activity_module
from discovery.estimate import activity_covariates, activity_factors, evenly_spaced, fit_null, score_test
from discovery.estimate.activity import INDICATOR_ACCOUNTS, LEVEL_ACCOUNTS, factor_analysis, number_of_factors

NOTHING_KNOWN = 0


def factors_of(counts, usable=None, known=None):
    n, events = counts.shape
    return activity_factors(
        sparse.csc_array(counts),
        np.ones(events, dtype=bool) if usable is None else usable,
        np.empty((n, NOTHING_KNOWN)) if known is None else known,
    )


def busy_counts(rng, n=1000, events=25, loading=(0.3, 0.8)):
    """Overdispersed counts, some common and some rare, behind which one factor lies."""
    factor = rng.normal(size=n)
    pull = np.outer(factor, rng.uniform(*loading, events)) + rng.normal(0, 1, events)
    return factor, rng.poisson(rng.gamma(1.0, 1.0, (n, events)) * np.exp(pull))


def planted(rng, n, columns, factors):
    loadings = rng.uniform(0.5, 0.8, (columns, factors)) * (np.arange(columns)[:, None] % factors == np.arange(factors))
    values = rng.normal(size=(n, factors)) @ loadings.T + rng.normal(size=(n, columns)) * 0.7
    return np.corrcoef(values.T)


@pytest.mark.parametrize(("n", "columns"), [(150, 10), (300, 25), (100, 45)])
def test_independent_columns_show_no_factor(n, columns):
    found = [
        number_of_factors(np.corrcoef(np.random.default_rng([n, run]).normal(size=(columns, n))), n) > 0
        for run in range(100)
    ]
    assert sum(found) <= binom.ppf(0.999, 100, 0.05)


def test_the_bound_is_that_of_johnstone():
    """Equal correlations: one eigenvalue is put just above, and just below, the 95 % point of the law."""
    n, p = 200, 10
    centre = (np.sqrt(n - 1) + np.sqrt(p)) ** 2
    scale = (np.sqrt(n - 1) + np.sqrt(p)) * (1 / np.sqrt(n - 1) + 1 / np.sqrt(p)) ** (1 / 3)
    for point, expected in [(0.96, 0), (1.0, 1)]:
        shared = ((centre + point * scale) / n - 1) / (p - 1)
        assert number_of_factors((1 - shared) * np.eye(p) + shared, n) == expected


@pytest.mark.parametrize("factors", [1, 2, 3])
def test_as_many_factors_are_found_as_there_are(factors):
    runs = [number_of_factors(planted(np.random.default_rng(run), 500, 18, factors), 500) for run in range(40)]
    assert sum(found == factors for found in runs) >= binom.ppf(1e-3, 40, 0.95)


def test_the_number_of_factors_leaves_columns_to_identify_them():
    """Of independent blocks of equals, every one is a factor; a model of E columns knows (E - 1) / 2, and at most 5."""
    blocks = np.kron(np.eye(9), np.full((3, 3), 0.9)) + 0.1 * np.eye(27)
    assert number_of_factors(blocks, 1000) == 5
    assert number_of_factors(blocks[:3, :3], 1000) == 1
    assert number_of_factors(np.kron(np.eye(3), np.full((2, 2), 0.9)) + 0.1 * np.eye(6), 1000) == 2


@pytest.mark.parametrize(("n", "events", "runs"), [(300, 10, 60), (600, 25, 40)])
def test_independent_counts_show_no_factor(n, events, runs):
    """Heavy tails and all: what is scaled to follow the others must not count as following them."""
    found = 0
    for run in range(runs):
        counts = np.random.default_rng([n, run]).negative_binomial(0.7, 0.3, (n, events))
        result = factors_of(counts)
        found += result.scores.shape[1] > 0
        assert result.scores.shape[1] > 0 or (result.uniqueness == 1).all()
    assert found <= binom.ppf(0.999, runs, 0.05)


def _reliability(result, factor):
    basis = np.column_stack([np.ones(len(factor)), result.scores])
    left = factor - basis @ np.linalg.lstsq(basis, factor, rcond=None)[0]
    return np.sqrt(1 - left.var() / factor.var())


def _used_or_not(rng, n=1000, events=25):
    """Whether an event is used follows the factor; how often is a matter of taste."""
    factor = rng.normal(size=n)
    used = rng.random((n, events)) < 1 / (1 + np.exp(-(rng.normal(-0.5, 0.7, events) + factor[:, None])))
    return factor, used * (1 + rng.poisson(rng.gamma(0.3, 25.0, (n, events))))


def _total(counts, factor):
    return np.corrcoef(np.log1p(counts.sum(axis=1)), factor)[0, 1]


@pytest.mark.parametrize(("world", "gain"), [(busy_counts, -0.05), (_used_or_not, 0.15)])
def test_a_planted_factor_is_recovered(world, gain):
    """Where the common events say most, their total says as much; where use itself tells, it says little."""
    for seed in range(8):
        factor, counts = world(np.random.default_rng(seed))
        result = factors_of(counts)
        assert result.scores.shape[1] == 1
        assert np.corrcoef(result.scores[:, 0], factor)[0, 1] > 0.78
        assert _reliability(result, factor) - _total(counts, factor) > gain


def test_scaling_helps_where_it_is_use_that_tells_and_not_how_much(monkeypatch):
    worlds = [_used_or_not(np.random.default_rng(seed)) for seed in range(5)]
    scaled = [_reliability(factors_of(counts), factor) for factor, counts in worlds]
    monkeypatch.setattr(activity_module, "SCALINGS", 0)
    logarithms = [_reliability(factors_of(counts), factor) for factor, counts in worlds]
    assert min(np.subtract(scaled, logarithms)) > 0.02


def test_scaling_costs_little_where_logarithms_are_right(monkeypatch):
    """A count that one account has is no level of its own: it would be the whole variance of its column."""
    worlds = [busy_counts(np.random.default_rng(seed), n=500, loading=(0.6, 0.6)) for seed in range(5)]
    scaled = [_reliability(factors_of(counts), factor) for factor, counts in worlds]
    monkeypatch.setattr(activity_module, "SCALINGS", 0)
    logarithms = [_reliability(factors_of(counts), factor) for factor, counts in worlds]
    assert max(np.subtract(logarithms, scaled)) < 0.05


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 300), mean=st.sampled_from([0.2, 3.0, 30.0]), shift=st.integers(0, 2), seed=st.integers(0, 99))
@example(n=90, mean=30.0, shift=0, seed=2)
def test_levels_keep_the_order_and_are_filled(n, mean, shift, seed):
    rng = np.random.default_rng(seed)
    counts = shift + rng.poisson(mean * rng.gamma(0.5, 2.0, n))
    levels = activity_module._levels(counts)
    order = np.argsort(counts, kind="stable")
    assert (np.diff(levels[order]) >= 0).all()
    for count in np.unique(np.minimum(counts, activity_module.HIGHEST_COUNT)):
        assert len(np.unique(levels[np.minimum(counts, activity_module.HIGHEST_COUNT) == count])) == 1
    _, held = np.unique(levels, return_counts=True)
    assert len(held) == 1 or held.min() >= LEVEL_ACCOUNTS


def _score(covariates, flag, stays):
    return score_test(fit_null(np.column_stack([np.ones(len(stays)), covariates]), stays), flag[None]).score[0]


def test_a_flag_that_only_follows_hidden_engagement_scores_nothing_beside_the_factors():
    """Staying depends on the hidden factor alone. Beside the total of the other events, flags go with it all the same.

    The scores of one world's flags are correlated by little, so the mean of 150 standard normal scores lies within
    0.3 almost surely.
    """
    beside_factors, beside_total, beside_truth = [], [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        factor, counts = busy_counts(rng)
        stays = rng.random(len(factor)) < 1 / (1 + np.exp(-(0.3 + factor)))
        spline = activity_covariates(factors_of(counts).scores).values
        for event in range(15):
            flag = counts[:, event] > np.median(counts[:, event])
            if not 0.05 < flag.mean() < 0.95:
                continue
            total = np.log1p(counts.sum(axis=1) - counts[:, event])[:, None]
            beside_factors.append(_score(spline, flag, stays))
            beside_total.append(_score(total, flag, stays))
            beside_truth.append(_score(factor[:, None], flag, stays))
    assert len(beside_factors) > 120
    assert abs(np.mean(beside_truth)) < 0.3
    assert abs(np.mean(beside_factors)) < 0.3
    assert np.mean(beside_total) > 0.8
    assert 0.8 < np.std(beside_factors) < 1.2


def test_what_is_known_at_signup_is_no_factor():
    rng = np.random.default_rng(1)
    seats = rng.normal(size=800)
    counts = rng.poisson(np.exp(0.35 * seats[:, None] + rng.normal(0, 0.5, 12)))
    assert factors_of(counts).scores.shape[1] >= 1
    beside = factors_of(counts, known=seats[:, None])
    assert beside.scores.shape[1] == 0
    factor, busy = busy_counts(rng, n=800)
    found = factors_of(busy, known=seats[:, None])
    assert np.abs(seats @ found.scores).max() < 1e-8 * 800
    assert _reliability(found, factor) > 0.75


def test_neither_the_order_of_accounts_nor_that_of_events_matters():
    rng = np.random.default_rng(2)
    _, counts = busy_counts(rng, n=600, events=15)
    known = rng.normal(size=(600, 2))
    usable = np.arange(15) != 4
    rows, columns = rng.permutation(600), rng.permutation(15)
    one = factors_of(counts, usable, known)
    two = factors_of(counts[rows][:, columns], usable[columns], known[rows])
    assert one.scores.shape[1] >= 1
    np.testing.assert_allclose(one.scores[rows], two.scores, atol=1e-5)
    np.testing.assert_allclose(one.loadings[columns], two.loadings, atol=1e-5)
    np.testing.assert_allclose(one.uniqueness[columns], two.uniqueness, atol=1e-5)


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
def test_the_kind_of_integer_does_not_matter(kind):
    _, counts = busy_counts(np.random.default_rng(3), n=400, events=12)
    counts = np.minimum(counts, 255)
    one, two = factors_of(counts), factors_of(counts.astype(kind))
    np.testing.assert_array_equal(one.scores, two.scores)


def test_scores_are_standardised_and_follow_use():
    _, counts = busy_counts(np.random.default_rng(4))
    found = factors_of(counts)
    np.testing.assert_allclose(found.scores.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.scores.std(axis=0), 1)
    assert (found.loadings.sum(axis=0) > 0).all()
    np.testing.assert_allclose((found.loadings**2).sum(axis=1) + found.uniqueness, 1, atol=1e-3)


def test_events_that_are_no_indicator_have_no_loading():
    rng = np.random.default_rng(5)
    _, counts = busy_counts(rng, n=500, events=12)
    counts[:, 0] = 0
    counts[:, 1] = 3
    counts[:, 2] = np.arange(500) < INDICATOR_ACCOUNTS - 1
    counts[:, 3] = np.arange(500) >= INDICATOR_ACCOUNTS - 1
    counts[:, 4] = (np.arange(500) < INDICATOR_ACCOUNTS - 1) + 1
    usable = np.arange(12) != 5
    found = factors_of(counts, usable)
    assert found.scores.shape[1] >= 1
    np.testing.assert_array_equal(found.loadings[:6], 0)
    np.testing.assert_array_equal(found.uniqueness[:6], 1)
    assert (found.uniqueness[6:] < 1).all()
    np.testing.assert_array_equal(found.scores, factors_of(counts[:, 6:]).scores)


@pytest.mark.parametrize(("n", "events"), [(0, 0), (0, 5), (5, 0), (1, 4), (40, 30), (1000, 2)])
def test_too_little_to_learn_from_gives_no_factor(n, events):
    counts = np.random.default_rng(6).poisson(3.0, (n, events))
    found = factors_of(counts)
    assert found.scores.shape == (n, 0)
    assert found.loadings.shape == (events, 0)
    np.testing.assert_array_equal(found.uniqueness, np.ones(events))
    assert activity_covariates(found.scores).values.shape == (n, 0)


def test_fewer_than_two_accounts_an_indicator_say_nothing():
    factor = np.random.default_rng(10).normal(size=49)
    counts = np.random.default_rng(11).poisson(np.exp(1 + factor[:, None]), (49, 25))
    assert factors_of(counts).scores.shape[1] == 0
    assert factors_of(counts[:, :15]).scores.shape[1] == 1


def test_an_event_that_goes_against_the_others_loads_against_them():
    rng = np.random.default_rng(9)
    factor, counts = busy_counts(rng, n=800, events=12)
    counts[:, 0] = rng.poisson(np.exp(0.5 - 0.8 * factor))
    found = factors_of(counts)
    assert found.loadings[0, 0] < -0.3
    assert (found.loadings[1:, 0] > 0).all()


def test_events_that_always_come_together_do_no_harm():
    _, counts = busy_counts(np.random.default_rng(7), n=400, events=10)
    twice = np.concatenate([counts, counts[:, :3], 2 * counts[:, :1]], axis=1)
    found = factors_of(twice)
    assert np.isfinite(found.scores).all()
    assert np.isfinite(found.loadings).all()
    assert (found.uniqueness > 0).all()


def test_no_factor_is_a_model_too():
    correlation = planted(np.random.default_rng(8), 300, 6, 1)
    loadings, own = factor_analysis(correlation, 0)
    assert loadings.shape == (6, 0)
    np.testing.assert_array_equal(own, np.ones(6))


@pytest.fixture
def many(monkeypatch):
    """Counts of 4,000 accounts, of which 1,500 are learned from; what is known at signup has a say in them."""
    monkeypatch.setattr(activity_module, "LEARNED_ON", 1500)
    rng = np.random.default_rng(12)
    known = rng.normal(size=(4000, 2))
    factor = rng.normal(size=4000)
    pull = np.outer(factor, rng.uniform(0.3, 0.8, 20)) + known @ rng.normal(0, 0.3, (2, 20))
    return rng.poisson(np.exp(pull)), known, factor, evenly_spaced(4000, 1500)


def test_accounts_that_were_learned_from_have_the_scores_that_they_would_have_alone(many):
    counts, known, _, some = many
    found, alone = factors_of(counts, known=known), factors_of(counts[some], known=known[some])
    np.testing.assert_array_equal(found.loadings, alone.loadings)
    for mine, theirs in zip(found.scores[some].T, alone.scores.T, strict=True):
        assert np.corrcoef(mine, theirs)[0, 1] == pytest.approx(1, abs=1e-9)


def test_accounts_that_were_not_learned_from_are_scored_as_well(many):
    counts, known, factor, some = many
    scores = factors_of(counts, known=known).scores[:, 0]
    others = np.setdiff1d(np.arange(len(counts)), some)
    assert np.corrcoef(scores[others], factor[others])[0, 1] > np.corrcoef(scores[some], factor[some])[0, 1] - 0.02
    assert scores[others].std() == pytest.approx(scores[some].std(), rel=0.1)


def test_a_level_known_of_nobody_learned_from_and_a_count_never_seen_do_no_harm(many):
    counts, known, _, some = many
    other = np.setdiff1d(np.arange(len(counts)), some)[:3]
    rare = np.zeros(len(counts))
    rare[other], counts[other[0], 0] = 40.0, 10_000
    scores = factors_of(counts, known=np.column_stack([known, rare])).scores
    assert np.abs(scores[other]).max() < 6
