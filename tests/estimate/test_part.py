import numpy as np
import pytest
import statsmodels.api as sm

from discovery.estimate import difference_among, difference_within, fit_null, shared_fit


def drawn(n=3000, seed=1, lift=0.2):
    rng = np.random.default_rng(seed)
    busy = rng.normal(size=n)
    met = rng.random(n) < 1 / (1 + np.exp(-busy))
    stayed = rng.random(n) < np.clip(0.4 + 0.1 * busy + lift * met, 0, 1)
    return np.column_stack([np.ones(n), busy]), met, stayed


def test_equals_a_regression_with_three_terms():
    design, met, stayed = drawn()
    null, flag = fit_null(design, stayed), met.astype(np.uint8)[None]
    among = np.arange(len(met)) % 3 == 0
    shared = shared_fit(null, flag)
    terms = np.column_stack([met, np.ones(len(met)), shared.outcome, shared.reaching])[among].astype(float)
    fitted = sm.OLS(null.residual[among], terms).fit(cov_type="HC3")
    theta, se = difference_within(shared, among)
    assert theta == pytest.approx(fitted.params[0])
    assert se >= fitted.bse[0] * (1 - 1e-9)
    assert se == pytest.approx(fitted.bse[0], rel=0.1)
    found = difference_among(null, flag, among)
    assert found.ci_upper - found.estimate == pytest.approx(1.959963984540054 * se)
    assert found.n_accounts == among.sum()


def test_the_error_is_no_smaller_where_all_on_one_side_stayed():
    """Ten that reached it all stayed: by their residuals alone that side would have no error."""
    n = 120
    met = np.arange(n) < 10
    stayed = met | (np.arange(n) % 2 == 0)
    shared = shared_fit(fit_null(np.ones((n, 1)), stayed), met.astype(np.uint8)[None])
    assert difference_within(shared, np.ones(n, dtype=bool))[1] > 0.14


def test_a_part_where_everyone_reached_it_is_too_few():
    design, met, stayed = drawn()
    design = np.column_stack([np.ones(len(met)), met])
    found = difference_among(fit_null(design, stayed), met.astype(np.uint8)[None], met)
    assert found.status == "too_few"
    assert found.estimate is None


def test_the_difference_of_one_part_is_not_that_of_another():
    design, met, stayed = drawn(n=8000, lift=0.0)
    first = np.arange(len(met)) < 4000
    stayed = np.where(first, stayed | met, stayed)
    null = fit_null(design, stayed)
    flag = met.astype(np.uint8)[None]
    assert difference_among(null, flag, first).ci_lower > 0.2
    assert abs(difference_among(null, flag, ~first).estimate) < 0.06
