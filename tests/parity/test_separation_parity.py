"""Separation against scipy, statsmodels and scikit-learn.

Both sides are closed forms in float64 of the same four counts, so they agree to rounding: 1e-9 relative.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from scipy.stats.contingency import odds_ratio as scipy_odds_ratio
from scipy.stats.contingency import relative_risk
from sklearn.metrics import matthews_corrcoef, precision_score, recall_score, roc_auc_score
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from discovery.estimate import pack, separate

TIGHT = {"rel": 1e-9, "abs": 1e-12}
ALPHAS = (0.05, 0.01)


def _world(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 900))
    flags = rng.random((12, n)) < rng.uniform(0.1, 0.9, (12, 1))
    retained = rng.random(n) < 0.3 + 0.4 * flags[0]
    return flags, retained, rng.random(n) < 0.8


@pytest.fixture(params=[(seed, alpha) for seed in (0, 1, 2) for alpha in ALPHAS], ids=str)
def case(request):
    seed, alpha = request.param
    flags, retained, mature = _world(seed)
    found = separate(pack(flags), retained, mature, alpha)
    assert (found.status == "ok").all()
    return flags[:, mature], retained[mature], found, alpha


def _cells(found, i):
    return (
        int(found.reached_retained[i]),
        int(found.reached_left[i]),
        int(found.missed_retained[i]),
        int(found.missed_left[i]),
    )


def test_counts_are_those_of_a_plain_cross_table(case):
    flags, retained, found, _ = case
    for i, flag in enumerate(flags):
        expected = tuple(int(np.sum((flag == f) & (retained == r))) for f in (True, False) for r in (True, False))
        assert _cells(found, i) == expected


def test_wilson_intervals_equal_statsmodels(case):
    _, _, found, alpha = case
    for i in range(len(found.reach)):
        a, b, c, d = _cells(found, i)
        inside = (found.retained_if_reached_lower[i], found.retained_if_reached_upper[i])
        outside = (found.retained_if_not_lower[i], found.retained_if_not_upper[i])
        assert inside == pytest.approx(proportion_confint(a, a + b, alpha, method="wilson"), **TIGHT)
        assert outside == pytest.approx(proportion_confint(c, c + d, alpha, method="wilson"), **TIGHT)


def test_difference_has_newcombes_interval_of_statsmodels(case):
    _, _, found, alpha = case
    for i in range(len(found.reach)):
        a, b, c, d = _cells(found, i)
        expected = confint_proportions_2indep(a, a + b, c, c + d, method="newcomb", compare="diff", alpha=alpha)
        assert (found.difference_lower[i], found.difference_upper[i]) == pytest.approx(expected, **TIGHT)
        assert found.difference[i] == pytest.approx(a / (a + b) - c / (c + d), **TIGHT)


def test_newcombe_reproduces_the_papers_own_example():
    """Newcombe (1998), table II, contrast (a): 56/70 against 48/80 gives 0.0524 to 0.3339 by method 10."""
    flag = np.repeat([True, False], [70, 80])
    retained = np.concatenate([np.arange(70) < 56, np.arange(80) < 48])
    found = separate(pack(flag[None]), retained, np.ones(150, bool))
    assert (found.difference_lower[0], found.difference_upper[0]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_lift_has_katz_interval_of_scipy(case):
    _, _, found, alpha = case
    for i in range(len(found.reach)):
        a, b, c, d = _cells(found, i)
        expected = relative_risk(a, a + b, c, c + d)
        interval = expected.confidence_interval(1 - alpha)
        assert found.lift[i] == pytest.approx(expected.relative_risk, **TIGHT)
        assert (found.lift_lower[i], found.lift_upper[i]) == pytest.approx(tuple(interval), **TIGHT)


def test_odds_ratio_equals_statsmodels_and_scipy(case):
    _, _, found, alpha = case
    for i in range(len(found.reach)):
        a, b, c, d = _cells(found, i)
        table = Table2x2([[a, b], [c, d]], shift_zeros=False)
        interval = (found.odds_ratio_lower[i], found.odds_ratio_upper[i])
        assert found.odds_ratio[i] == pytest.approx(table.oddsratio, **TIGHT)
        assert interval == pytest.approx(table.oddsratio_confint(alpha), **TIGHT)
        sample = scipy_odds_ratio([[a, b], [c, d]], kind="sample")
        assert interval == pytest.approx(tuple(sample.confidence_interval(1 - alpha)), **TIGHT)


def test_classification_measures_equal_scikit_learn(case):
    flags, retained, found, _ = case
    for i, flag in enumerate(flags):
        assert found.phi[i] == pytest.approx(matthews_corrcoef(retained, flag), **TIGHT)
        assert found.auc[i] == pytest.approx(roc_auc_score(retained, flag), **TIGHT)
        assert found.ppv[i] == pytest.approx(precision_score(retained, flag), **TIGHT)
        assert found.npv[i] == pytest.approx(precision_score(~retained, ~flag), **TIGHT)
        assert found.sensitivity[i] == pytest.approx(recall_score(retained, flag), **TIGHT)
        assert found.specificity[i] == pytest.approx(recall_score(~retained, ~flag), **TIGHT)


def test_auc_interval_equals_delongs_structural_components(case):
    """The variance is computed here account by account from the kernel 1 / 0.5 / 0, as in the paper."""
    from scipy.stats import norm

    flags, retained, found, alpha = case
    for i, flag in enumerate(flags):
        stayed, left = flag[retained].astype(float), flag[~retained].astype(float)
        kernel = (stayed[:, None] > left) + 0.5 * (stayed[:, None] == left)
        variance = kernel.mean(axis=1).var(ddof=1) / len(stayed) + kernel.mean(axis=0).var(ddof=1) / len(left)
        half = norm.isf(alpha / 2) * np.sqrt(variance)
        assert found.auc_lower[i] == pytest.approx(found.auc[i] - half, **TIGHT)
        assert found.auc_upper[i] == pytest.approx(found.auc[i] + half, **TIGHT)


def test_p_value_is_pearsons_without_correction(case):
    _, _, found, _ = case
    for i in range(len(found.reach)):
        a, b, c, d = _cells(found, i)
        expected = chi2_contingency([[a, b], [c, d]], correction=False).pvalue
        assert found.p_value[i] == pytest.approx(expected, **TIGHT)


def test_haldane_anscombe_is_firths_logistic_estimate():
    """For the saturated model Firth's penalty adds half an account to each cell; maximised here by brute force."""
    from scipy.optimize import minimize

    cells = np.array([[9.0, 0.0], [4.0, 11.0]])

    def penalised(beta):
        p = 1 / (1 + np.exp(-np.array([beta[0] + beta[1], beta[0]])))
        weights = cells.sum(axis=1) * p * (1 - p)
        likelihood = (cells[:, 0] * np.log(p) + cells[:, 1] * np.log1p(-p)).sum()
        return -(likelihood + 0.5 * np.log(weights[0] * weights[1]))

    best = minimize(penalised, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14})
    flag, retained = np.repeat([True, False], [9, 15]), np.concatenate([np.ones(9, bool), np.arange(15) < 4])
    found = separate(pack(flag[None]), retained, np.ones(24, bool))
    assert found.status[0] == "separated"
    assert np.log(found.odds_ratio[0]) == pytest.approx(best.x[1], abs=1e-6)
