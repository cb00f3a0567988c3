"""The adjusted odds ratio where maximum likelihood does not exist."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pytest

from discovery.estimate import logit_refit, pack, separate

logit_refit_module = importlib.import_module("discovery.estimate.logit_refit")


def _world(n: int = 200):
    rng = np.random.default_rng(0)
    return np.column_stack([np.ones(n), rng.normal(size=n)]), rng.random(n) < 0.5, rng.random(n) < 0.4


def test_a_flag_nobody_left_with_is_separated_finite_and_silent(capfd):
    design, retained, flag = _world()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = logit_refit(design, retained | flag, flag)
    assert found.status == "separated"
    assert 1 < found.ci_lower < found.odds_ratio < found.ci_upper < np.inf
    assert found.p_value < 0.05
    assert capfd.readouterr() == ("", "")


def test_separated_without_covariates_is_haldane_anscombe():
    _, retained, flag = _world()
    retained = retained | flag
    found = logit_refit(np.ones((200, 1)), retained, flag)
    table = separate(pack(flag[None]), retained, np.ones(200, bool))
    assert found.odds_ratio == pytest.approx(table.odds_ratio[0], rel=1e-6)


def test_covariates_that_predict_perfectly_are_separated_not_an_error():
    design, _, flag = _world()
    retained = design[:, 1] > 0
    found = logit_refit(design, retained, flag)
    assert found.status in ("separated", "not_converged")
    assert (found.odds_ratio is None) == (found.status == "not_converged")


def test_no_variation_or_a_copied_flag_is_too_few():
    design, retained, flag = _world()
    assert logit_refit(design, np.ones(200, bool), flag).status == "too_few"
    assert logit_refit(design, retained, np.zeros(200, bool)).status == "too_few"
    copied = logit_refit(np.column_stack([design, flag]), retained, flag)
    assert copied.status == "too_few"
    assert copied.odds_ratio is None


@pytest.mark.parametrize("separated", [False, True])
def test_beyond_some_accounts_newton_steps_find_the_same(monkeypatch, separated):
    rng = np.random.default_rng(5)
    design = np.column_stack([np.ones(800), rng.normal(size=(800, 3))])
    flag = rng.random(800) < 0.3
    outcome = rng.random(800) < 1 / (1 + np.exp(-design[:, 1] - 0.5 * flag))
    if separated:
        outcome = design[:, 2] > 0.1 * flag
    reference = logit_refit(design, outcome, flag)
    monkeypatch.setattr(logit_refit_module, "MAX_ACCOUNTS", 100)
    found = logit_refit(design, outcome, flag)
    assert found.status == reference.status == ("separated" if separated else "ok")
    for name in ("odds_ratio", "ci_lower", "ci_upper", "p_value"):
        assert getattr(found, name) == pytest.approx(getattr(reference, name), rel=1e-7)
