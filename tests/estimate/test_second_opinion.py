"""The lasso's order of admission: what matters first, deterministically, the same as without screening."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from discovery.estimate import evenly_spaced, pack, second_opinion
from discovery.estimate.second_opinion import LIGHTEST, PENALTIES


def _world(seed: int = 0, n: int = 1500):
    rng = np.random.default_rng(seed)
    flags = rng.random((12, n)) < rng.uniform(0.1, 0.6, (12, 1))
    flags[5] = flags[4] & (rng.random(n) < 0.8)
    chance = 1 / (1 + np.exp(0.5 - 1.6 * flags[4] + 0.9 * flags[8]))
    return flags, rng.random(n) < chance, rng.random(n) < 0.9


FAMILY = np.arange(12) // 2


def test_the_families_that_matter_enter_first_with_their_signs():
    flags, retained, mature = _world()
    order = second_opinion(pack(flags), mature, retained, FAMILY)
    assert [(a.family, a.candidate, a.sign) for a in order[:2]] == [(2, 4, 1), (4, 8, -1)]
    assert len({a.family for a in order}) == len(order)
    assert [a.penalty for a in order] == sorted((a.penalty for a in order), reverse=True)


def test_the_same_call_gives_the_same_answer_and_most_cuts_it():
    flags, retained, mature = _world(1)
    once = second_opinion(pack(flags), mature, retained, FAMILY)
    assert once == second_opinion(pack(flags), mature, retained, FAMILY)
    assert once[:2] == second_opinion(pack(flags), mature, retained, FAMILY, most=2)


def test_some_rules_are_asked_as_if_there_were_no_others():
    flags, retained, mature = _world(1)
    some = np.array([1, 4, 5, 8, 11], dtype=np.intp)
    alone = second_opinion(pack(flags[some]), mature, retained, FAMILY[some])
    assert second_opinion(pack(flags), mature, retained, FAMILY[some], rules=some) == alone


def test_immature_accounts_do_not_speak():
    flags, retained, mature = _world(2)
    other = np.where(mature, retained, ~retained)
    assert second_opinion(pack(flags), mature, retained, FAMILY) == second_opinion(pack(flags), mature, other, FAMILY)


def test_screening_finds_what_a_path_over_everything_finds():
    flags, retained, mature = _world(3)
    x = flags[:, mature].T.astype(float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = retained[mature].astype(float)
    heaviest = np.abs(x.T @ (y - y.mean())).max()
    first: dict[int, float] = {}
    for share in np.geomspace(0.999, LIGHTEST, PENALTIES):
        model = LogisticRegression(l1_ratio=1.0, C=1 / (heaviest * share), solver="saga", max_iter=5000, tol=1e-7)
        for j in np.flatnonzero(np.abs(model.fit(x, y).coef_[0]) > 1e-7):
            first.setdefault(int(FAMILY[j]), share)
    found = {a.family: a.penalty for a in second_opinion(pack(flags), mature, retained, FAMILY)}
    assert found.keys() == first.keys()
    step = np.log(1 / LIGHTEST) / (PENALTIES - 1)
    for family, penalty in found.items():
        assert np.log(penalty) == pytest.approx(np.log(first[family]), abs=1.01 * step)


def test_nothing_to_say_is_an_empty_answer():
    flags, retained, mature = _world(4)
    nobody = np.zeros_like(mature)
    assert second_opinion(pack(flags), nobody, retained, FAMILY) == ()
    assert second_opinion(pack(flags), mature, np.ones_like(retained), FAMILY) == ()
    assert second_opinion(pack(np.ones_like(flags)), mature, retained, FAMILY) == ()
    assert second_opinion(pack(flags), mature, retained, FAMILY[:0], rules=np.zeros(0, dtype=np.intp)) == ()
    assert second_opinion(pack(flags)[:0], mature, retained, FAMILY[:0]) == ()


def test_above_the_limit_evenly_spaced_accounts_are_used(monkeypatch):
    flags, retained, mature = _world(5)
    thinned = np.zeros_like(mature)
    most = int(mature.sum()) // 3
    thinned[np.flatnonzero(mature)[evenly_spaced(int(mature.sum()), most)]] = True
    expected = second_opinion(pack(flags), thinned, retained, FAMILY)
    monkeypatch.setattr(sys.modules["discovery.estimate.second_opinion"], "MAX_ACCOUNTS", most)
    assert second_opinion(pack(flags), mature, retained, FAMILY) == expected
