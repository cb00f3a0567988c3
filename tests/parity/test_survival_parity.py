"""Log-rank and exact Efron Cox against lifelines, and Firth's estimate against brute force.

lifelines stops when its Newton decrement is small rather than at the root; asked for 1e-14 it lands within some
1e-7 of it, so 1e-6 is its accuracy, not ours. Against our own brute force (a loop over tied departures, maximised
by scipy) the agreement is 1e-7 for estimates; the log-rank is a closed form and agrees to 1e-9.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from lifelines.statistics import logrank_test
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2 as chi2_distribution

from discovery.estimate import pack, scan

LIFELINES = 1e-6
BRUTE = 1e-7


def _lifelines(duration, departed, flag):
    frame = pd.DataFrame({"T": duration, "E": departed, "x": flag.astype(float)})
    options = {"precision": 1e-14, "r_precision": 1e-14}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CoxPHFitter().fit(frame, "T", "E", fit_options=options).summary.loc["x"]


@pytest.mark.parametrize(("n", "days"), [(60, 3), (300, 12), (2500, 76)])
def test_cox_and_log_rank_equal_lifelines_with_heavy_ties(n, days):
    rng = np.random.default_rng(n)
    flags = rng.random((6, n)) < rng.uniform(0.1, 0.9, (6, 1))
    duration = rng.integers(0, days, n) + (flags[0] & (rng.random(n) < 0.5)) * rng.integers(0, days, n)
    departed = rng.random(n) < 0.6
    found = scan(pack(flags), n, duration, departed)
    for i, flag in enumerate(flags):
        assert found.status[i] == "ok"
        row = _lifelines(duration, departed, flag)
        assert found.log_hazard_ratio[i] == pytest.approx(row["coef"], abs=LIFELINES)
        assert found.hazard_ratio[i] == pytest.approx(row["exp(coef)"], abs=LIFELINES)
        assert found.se[i] == pytest.approx(row["se(coef)"], abs=LIFELINES)
        assert found.ci_lower[i] == pytest.approx(row["coef lower 95%"], abs=LIFELINES)
        assert found.ci_upper[i] == pytest.approx(row["coef upper 95%"], abs=LIFELINES)
        assert found.p_value[i] == pytest.approx(row["p"], abs=LIFELINES)
        rank = logrank_test(duration[flag], duration[~flag], departed[flag], departed[~flag])
        assert found.log_rank[i] == pytest.approx(rank.test_statistic, rel=1e-9, abs=1e-12)
        assert found.log_rank_p[i] == pytest.approx(rank.p_value, rel=1e-9, abs=1e-12)


class BruteForce:
    """Efron's partial likelihood by a loop over every tied departure."""

    def __init__(self, duration, departed, flag):
        self.departures = int((departed & flag).sum())
        self.terms = []
        for day in np.unique(duration[departed]):
            leaving, at_risk = departed & (duration == day), duration >= day
            d, d1 = leaving.sum(), (leaving & flag).sum()
            n1, n0 = (at_risk & flag).sum(), (at_risk & ~flag).sum()
            self.terms += [(n0 - share * (d - d1), n1 - share * d1) for share in np.arange(d) / d]

    def likelihood(self, b):
        return self.departures * b - sum(np.log(m0 + m1 * np.exp(b)) for m0, m1 in self.terms)

    def information(self, b):
        shares = [m1 * np.exp(b) / (m0 + m1 * np.exp(b)) for m0, m1 in self.terms]
        return sum(p * (1 - p) for p in shares)

    def penalised(self, b):
        return self.likelihood(b) + 0.5 * np.log(self.information(b))

    def best(self, function):
        found = minimize_scalar(lambda b: -function(b), bounds=(-12, 12), method="bounded", options={"xatol": 1e-11})
        slope = lambda b: (function(b + 1e-4) - function(b - 1e-4)) / 2e-4
        return brentq(slope, found.x - 1e-2, found.x + 1e-2, xtol=1e-13)


accounts = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), min_size=4, max_size=30)


@settings(max_examples=60, deadline=None)
@given(rows=accounts)
def test_small_tied_cases_equal_a_loop_over_ties(rows):
    duration, departed, flag = (np.array(column) for column in zip(*rows, strict=True))
    found = scan(pack(flag[None]), len(flag), duration, departed)
    brute = BruteForce(duration, departed, flag)
    assume(found.status[0] == "ok")
    best = brute.best(brute.likelihood)
    assert found.log_hazard_ratio[0] == pytest.approx(best, abs=BRUTE)
    assert found.se[0] == pytest.approx(brute.information(found.log_hazard_ratio[0]) ** -0.5, rel=BRUTE)


@settings(max_examples=60, deadline=None)
@given(rows=accounts, who=st.booleans())
def test_separated_cases_equal_brute_force_firth_with_its_profile_interval(rows, who):
    duration, departed, flag = (np.array(column) for column in zip(*rows, strict=True))
    departed = departed & (flag != who)
    found = scan(pack(flag[None]), len(flag), duration, departed)
    assume(found.status[0] == "separated")
    brute = BruteForce(duration, departed, flag)
    best = brute.best(brute.penalised)
    top = brute.penalised(best)
    drop = chi2_distribution.isf(0.05, 1) / 2
    profile = lambda b: brute.penalised(b) - top + drop
    assert found.log_hazard_ratio[0] == pytest.approx(best, abs=BRUTE)
    assert found.se[0] == pytest.approx(brute.information(best) ** -0.5, rel=1e-6)
    assert found.ci_lower[0] == pytest.approx(brentq(profile, best - 14, best, xtol=1e-12), abs=1e-6)
    assert found.ci_upper[0] == pytest.approx(brentq(profile, best, best + 14, xtol=1e-12), abs=1e-6)
    ratio = 2 * (top - brute.penalised(0.0))
    assert found.p_value[0] == pytest.approx(chi2_distribution.sf(ratio, 1), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(rows=accounts)
def test_status_says_whether_the_likelihood_has_a_finite_maximum(rows):
    duration, departed, flag = (np.array(column) for column in zip(*rows, strict=True))
    found = scan(pack(flag[None]), len(flag), duration, departed)
    brute = BruteForce(duration, departed, flag)
    if not any(m0 > 0 and m1 > 0 for m0, m1 in brute.terms):
        assert found.status[0] == "too_few"
        return
    slopes = [(brute.likelihood(b + 0.5) - brute.likelihood(b - 0.5)) for b in (-16.0, 16.0)]
    finite = slopes[0] > 1e-5 and slopes[1] < -1e-5
    assert found.status[0] == ("ok" if finite else "separated")
