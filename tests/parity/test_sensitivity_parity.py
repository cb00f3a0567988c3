"""The published analysis of harm and attitudes to peace in Darfur (Cinelli & Hazlett 2020, section 5).

The survey is not here; its numbers are, as R's sensemakr checks them in its own tests: the estimate, its standard
error and degrees of freedom, and for a trait as strong as `female` the bounds and what they leave. A small data set is
built that has exactly these partial R2, so that what we find in it has to be what they found.
"""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from discovery.estimate import robustness

ESTIMATE, SE, FREEDOM = 0.09731582, 0.02325654, 783
ROBUSTNESS_VALUE = 0.138776
FEMALE_WITH_FLAG, FEMALE_WITH_OUTCOME = 0.00916428667504862, 0.12464092303637
LEFT_OVER = 0.0752202712144491


def _orthonormal(count, m=60):
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(np.column_stack([np.ones(m), rng.normal(size=(m, count))]))[0]
    return basis[:, 1:].T


def _darfur():
    """Harm, attitude and female with the published partial R2: of the bounds, those of female itself are solved for."""
    female, rest, error = _orthonormal(3)
    with_flag = FEMALE_WITH_FLAG / (1 + FEMALE_WITH_FLAG)
    harmed = np.sqrt(with_flag) * female + np.sqrt(1 - with_flag) * rest
    strength = (1 + FEMALE_WITH_FLAG) ** 2 / (1 - FEMALE_WITH_FLAG**2)
    with_outcome = FEMALE_WITH_OUTCOME / strength
    size = SE * np.sqrt(FREEDOM) * np.sqrt(1 - with_flag)  # of the error beside a flag of length one
    # what female leaves of the flag shortens what it can explain of the outcome
    slope = size * np.sqrt(with_outcome / (1 - with_flag))
    attitude = ESTIMATE * harmed + slope * female + size * error
    return np.column_stack([np.ones(len(female)), female]), harmed, attitude


def test_the_built_data_have_the_published_partial_r2():
    design, harmed, attitude = _darfur()
    with_flag = 1 - sm.OLS(harmed, design).fit().ssr / (harmed @ harmed)
    assert with_flag / (1 - with_flag) == pytest.approx(FEMALE_WITH_FLAG, rel=1e-9)
    full = sm.OLS(attitude, np.column_stack([harmed, design])).fit()
    with_outcome = 1 - full.ssr / sm.OLS(attitude, np.column_stack([harmed, design[:, 0]])).fit().ssr
    assert with_outcome == pytest.approx(0.10903, abs=1e-5)
    assert full.params[0] == pytest.approx(ESTIMATE)
    assert full.bse[0] * np.sqrt(full.df_resid) == pytest.approx(SE * np.sqrt(FREEDOM))


@pytest.mark.parametrize("sign", [1, -1])
def test_harm_and_peace_in_darfur(sign):
    design, harmed, attitude = _darfur()
    found = robustness(design, {"female": (1,)}, harmed, sign * attitude, sign * ESTIMATE)
    assert found.robustness_value == pytest.approx(ROBUSTNESS_VALUE, abs=1e-6)
    assert found.strongest == "female"
    assert found.left_over == pytest.approx(sign * LEFT_OVER, abs=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_formulas_from_t_and_f_statistics(seed):
    """Partial R2 as sensemakr takes them, from the t of the flag and the F of each group of a fitted regression."""
    rng = np.random.default_rng(seed)
    m = 300
    design = np.column_stack([np.ones(m), rng.normal(size=(m, 4))])
    flag = rng.random(m) < 1 / (1 + np.exp(-0.5 * design[:, 1] - 0.3 * design[:, 3]))
    stays = rng.random(m) < 1 / (1 + np.exp(-0.7 * flag - 0.4 * design[:, 2] - 0.4 * design[:, 1]))
    groups = {"pair": (1, 2), "third": (3,), "fourth": (4,)}
    full = sm.OLS(stays.astype(float), np.column_stack([flag, design])).fit()
    treat = sm.OLS(flag.astype(float), design).fit()
    left = {}
    for name, columns in groups.items():
        chosen = np.eye(5)[list(columns)]
        f_flag = float(np.squeeze(treat.f_test(chosen).fvalue)) * len(columns) / treat.df_resid
        f_outcome = float(np.squeeze(full.f_test(np.pad(chosen, ((0, 0), (1, 0)))).fvalue)) * len(columns)
        strength = (1 + f_flag) ** 2 / (1 - f_flag**2)
        with_outcome = strength * f_outcome / full.df_resid
        bias = full.bse[0] * np.sqrt(full.df_resid * with_outcome * f_flag / (1 - f_flag))
        left[name] = np.sign(full.params[0]) * (abs(full.params[0]) - bias)
    f2 = full.tvalues[0] ** 2 / full.df_resid
    found = robustness(design, groups, flag, stays, full.params[0])
    assert found.robustness_value == pytest.approx((np.sqrt(f2**2 + 4 * f2) - f2) / 2, rel=1e-9)
    weakest = min(left, key=lambda name: left[name] * np.sign(full.params[0]))
    assert (found.strongest, found.left_over) == (weakest, pytest.approx(left[weakest], rel=1e-8))
