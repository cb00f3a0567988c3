"""The methods that predict, beside reference fits and on data in which the answer is known."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from benchmarks.accuracy.ladders.baselines import (
    BASELINES,
    HELD_OUT,
    Used,
    best_subset,
    bic,
    greedy_likelihood,
    in_time,
    logistic,
    top_phi,
)
from benchmarks.accuracy.ladders.judge import Planted
from benchmarks.accuracy.ladders.perform import asked

N = 4000


@pytest.fixture(scope="module")
def seen() -> Used:
    """Return six events: `late` and `early` raise staying, `echo` follows early, the others say nothing."""
    rng = np.random.default_rng(3)
    used = rng.random((N, 6)) < 0.4
    used[:, 2] = np.where(rng.random(N) < 0.85, used[:, 1], used[:, 2])
    stayed = rng.random(N) < 1 / (1 + np.exp(0.9 - 1.6 * used[:, 0] - 1.1 * used[:, 1]))
    days = np.where(used, rng.random((N, 6)) + np.array([5.0, 1.0, 2.0, 3.0, 4.0, 0.0]), np.inf)
    return Used(events=("late", "early", "echo", "x", "y", "z"), used=used, first_days=days, stayed=stayed)


def test_newton_finds_the_maximum_likelihood(seen):
    design = np.column_stack([np.ones(N), seen.used]).astype(float)
    reference = LogisticRegression(C=1e4, tol=1e-8, max_iter=1000).fit(design[:, 1:], seen.stayed)
    beta = logistic(design, seen.stayed.astype(float), np.ones(N))
    assert beta[0] == pytest.approx(reference.intercept_[0], abs=1e-3)
    np.testing.assert_allclose(beta[1:], reference.coef_[0], atol=1e-3)


def test_a_separated_flag_stays_finite():
    flag = np.repeat([0.0, 1.0], 50)
    beta = logistic(np.column_stack([np.ones(100), flag]), flag, np.ones(100))
    assert np.isfinite(beta).all()
    assert beta[1] > 5


def test_bic_is_that_of_the_rows_one_by_one(seen):
    for subset in ((), (0,), (0, 2, 5)):
        chance = np.full(N, seen.stayed.mean())
        if subset:
            fit = LogisticRegression(C=1e6, tol=1e-9, max_iter=1000).fit(seen.used[:, subset], seen.stayed)
            chance = fit.predict_proba(seen.used[:, subset])[:, 1]
        likelihood = np.log(np.where(seen.stayed, chance, 1 - chance)).sum()
        assert bic(seen, subset) == pytest.approx((len(subset) + 1) * np.log(N) - 2 * likelihood, abs=0.01)


def test_the_best_subset_is_the_one_of_lowest_bic(seen):
    every = [subset for size in range(6) for subset in itertools.combinations(range(6), size)]
    best = min(every, key=lambda subset: bic(seen, subset))
    assert set(best_subset(seen)) == {seen.events[place] for place in best} == {"late", "early"}


def test_chosen_events_come_in_the_order_of_their_median_first_use(seen):
    assert best_subset(seen) == ("early", "late")
    assert in_time(seen, [0, 3, 5, 1]) == ("z", "early", "x", "late")


def test_greedy_takes_what_predicts_and_stops(seen):
    chosen = greedy_likelihood(seen)
    assert {"late", "early"} <= set(chosen)
    held = np.random.default_rng(0).random(N) < HELD_OUT

    def held_out(names):
        flags = seen.used[:, [seen.events.index(name) for name in names]]
        fit = LogisticRegression(C=1e6, tol=1e-9, max_iter=1000).fit(flags[~held], seen.stayed[~held])
        return -log_loss(seen.stayed[held], fit.predict_proba(flags[held])[:, 1])

    reached = held_out(chosen)
    assert all(held_out([*chosen, name]) <= reached + 1e-7 for name in set(seen.events) - set(chosen))
    assert all(held_out([name]) < reached for name in chosen)


def test_top_phi_takes_four_whatever_they_are_worth(seen):
    chosen = top_phi(seen)
    assert len(chosen) == 4
    assert {"late", "early", "echo"} <= set(chosen)


def test_every_method_copes_with_no_events_at_all():
    empty = Used(
        events=(), used=np.zeros((9, 0), dtype=bool), first_days=np.zeros((9, 0)), stayed=np.arange(9) % 2 == 0
    )
    assert [method(empty) for method in BASELINES.values()] == [(), (), ()]


def test_the_milestone_is_taken_out_before_judging(seen):
    rivals = asked(seen, Planted(family="late", rungs=(("early",), ("echo",))))
    assert [rival.name for rival in rivals] == list(BASELINES)
    assert not any(("late",) in rival.said for rival in rivals)
    assert {rival.name: rival.score.found for rival in rivals}["best subset by BIC"] == 1
    assert all(rival.score is None for rival in asked(seen, Planted(family="late", rungs=())))
