"""Curves and refits: what lifelines gives, and what happens where it gives nothing."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter

from discovery.estimate import cox_refit, evenly_spaced, kaplan_meier, survival_models


def _world(seed: int = 0, n: int = 300):
    rng = np.random.default_rng(seed)
    flag, trait = rng.random(n) < 0.4, rng.normal(size=n)
    leaves = rng.exponential(40 * np.exp(0.6 * flag + 0.3 * trait))
    until = rng.integers(20, 90, n)
    return np.minimum(leaves, until).astype(int), leaves <= until, flag, trait[:, None]


def test_curve_steps_by_hand():
    curve = kaplan_meier(np.array([1, 2, 2, 3]), np.array([True, True, False, False]), "all")
    assert curve.days == (0.0, 1.0, 2.0, 3.0)
    assert curve.survival == pytest.approx((1.0, 3 / 4, 3 / 4 * 2 / 3, 1 / 2))
    assert curve.ci_lower[0] == curve.ci_upper[0] == 1.0
    assert dict(zip(curve.at_risk_days, curve.at_risk, strict=True)) == {0.0: 4, 1.0: 4, 2.0: 3, 3.0: 1}


def test_curve_equals_lifelines_and_has_no_gaps():
    duration, departed, *_ = _world()
    curve = kaplan_meier(duration, departed, "all", alpha=0.1)
    reference = KaplanMeierFitter(alpha=0.1).fit(duration, departed)
    np.testing.assert_allclose(curve.survival, reference.survival_function_.iloc[:, 0])
    np.testing.assert_allclose(curve.ci_lower[5:], reference.confidence_interval_.iloc[5:, 0])
    assert np.isfinite([*curve.ci_lower, *curve.ci_upper]).all()
    assert 3 <= len(curve.at_risk_days) <= 8


def test_a_curve_that_falls_to_zero_is_finite():
    curve = kaplan_meier(np.array([1, 2, 3]), np.ones(3, bool), "all")
    assert curve.survival[-1] == 0
    assert curve.ci_lower[-1] == 0
    assert 0 < curve.ci_upper[-1] <= 1


def test_no_accounts_have_an_empty_curve():
    assert kaplan_meier(np.array([], dtype=int), np.array([], dtype=bool), "none").days == ()


@pytest.mark.parametrize("adjusted", [False, True])
def test_refit_equals_lifelines(adjusted):
    import pandas as pd

    duration, departed, flag, trait = _world()
    found = cox_refit(duration, departed, flag, trait if adjusted else None)
    frame = pd.DataFrame({"T": duration, "E": departed, "flag": flag.astype(float)})
    if adjusted:
        frame["trait"] = trait[:, 0]
    row = CoxPHFitter().fit(frame, "T", "E").summary.loc["flag"]
    assert found.status == "ok"
    assert found.adjusted is adjusted
    numbers = (found.hazard_ratio, found.ci_lower, found.ci_upper, found.p_value)
    expected = row[["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%", "p"]]
    assert numbers == pytest.approx(tuple(expected), rel=1e-6)


def test_a_ratio_that_changes_over_time_is_seen():
    rng = np.random.default_rng(1)
    flag = np.arange(1500) < 750
    steady = rng.exponential(30, 1500)
    turning = np.where(flag, 30 * rng.weibull(4, 1500), steady)
    proportional = np.where(flag, 2 * steady, steady)
    everyone = np.ones(1500, bool)
    assert cox_refit(turning.astype(int), everyone, flag).proportional_hazards_p < 1e-6
    assert cox_refit(proportional.astype(int), everyone, flag).proportional_hazards_p > 1e-3


def test_separation_is_a_status_and_says_nothing_aloud(capfd):
    duration, departed, flag, trait = _world()
    departed &= ~flag
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone, adjusted = cox_refit(duration, departed, flag), cox_refit(duration, departed, flag, trait)
    assert alone.status == "separated"
    assert 0 < alone.ci_lower < alone.hazard_ratio < alone.ci_upper < 1
    assert adjusted.status == "not_converged"
    assert adjusted.hazard_ratio is None
    assert capfd.readouterr() == ("", "")


def test_a_covariate_that_copies_the_flag_is_a_status():
    duration, departed, flag, _ = _world()
    copied = cox_refit(duration, departed, flag, flag.astype(float)[:, None])
    assert copied.status == "not_converged"
    assert copied.hazard_ratio is None


@pytest.mark.parametrize("reached", [True, False])
def test_no_comparison_is_too_few(reached):
    duration, departed, *_ = _world()
    assert cox_refit(duration, departed, np.full(300, reached)).status == "too_few"
    assert cox_refit(duration, np.zeros(300, bool), np.arange(300) < 100).status == "too_few"


def test_beyond_some_accounts_the_ratio_is_that_of_all_and_proportionality_that_of_some(monkeypatch):
    duration, departed, flag = _world(seed=3, n=900)[:3]
    whole = cox_refit(duration, departed, flag)
    monkeypatch.setattr(survival_models, "MAX_ACCOUNTS", 300)
    some = evenly_spaced(900, 300)
    part, told = cox_refit(duration[some], departed[some], flag[some]), cox_refit(duration, departed, flag)
    for name in ("hazard_ratio", "ci_lower", "ci_upper", "p_value"):
        assert getattr(told, name) == pytest.approx(getattr(whole, name), rel=1e-5)
    assert (told.status, told.n_accounts) == ("ok", 900)
    assert told.proportional_hazards_p == pytest.approx(part.proportional_hazards_p)
    assert told.proportional_hazards_p != pytest.approx(whole.proportional_hazards_p)
    with pytest.raises(ValueError, match="at most 300 accounts, and there are 900"):
        cox_refit(duration, departed, flag, flag.astype(float)[:, None])
