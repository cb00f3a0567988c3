"""What ladders estimate, held to reference libraries."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from discovery import estimate


def two_columns(seed: int, n: int = 900):
    rng = np.random.default_rng(seed)
    stratum = rng.integers(0, 5, n)
    exposed = rng.random(n) < 0.3 + 0.12 * stratum
    outcome = rng.random(n) < np.where(exposed, 0.5, 0.2) * (0.5 + 0.1 * stratum)
    return outcome, exposed, stratum


@pytest.mark.parametrize("seed", range(4))
def test_mantel_haenszel_agrees_with_statsmodels(seed):
    """Sums of products of counts: agreement to rounding."""
    outcome, exposed, stratum = two_columns(seed)
    tables = [
        np.array([[(here & ~exposed & outcome).sum(), (here & ~exposed & ~outcome).sum()],
                  [(here & exposed & outcome).sum(), (here & exposed & ~outcome).sum()]])
        for here in (stratum == s for s in range(5))
    ]  # fmt: skip
    reference = StratifiedTable([table.astype(float) for table in tables])
    ours = estimate.without_over_with(outcome, exposed, stratum, np.ones((len(outcome), 1)))
    assert ours.ratio[0] == pytest.approx(reference.riskratio_pooled, rel=1e-12)
    assert ours.z[0] ** 2 == pytest.approx(reference.test_null_odds(correction=False).statistic, rel=1e-10)
    assert ours.z[0] < 0


@pytest.mark.parametrize("seed", range(3))
def test_many_samples_at_once_are_each_sample_alone(seed):
    outcome, exposed, stratum = two_columns(seed)
    halves = estimate.draw_halves(np.arange(len(outcome)), 4, seed)
    together = estimate.without_over_with(outcome, exposed, stratum, halves)
    for column in range(halves.shape[1]):
        inside = halves[:, column] > 0
        alone = estimate.without_over_with(
            outcome[inside], exposed[inside], stratum[inside], np.ones((int(inside.sum()), 1))
        )
        assert together.ratio[column] == pytest.approx(alone.ratio[0], rel=1e-12)
        assert together.z[column] == pytest.approx(alone.z[0], rel=1e-12)


def test_nothing_to_compare_is_no_number_and_no_evidence():
    ones = np.ones(6, bool)
    ours = estimate.without_over_with(ones, ones, np.zeros(6, int), np.ones((6, 1)))
    assert np.isnan(ours.ratio[0])
    assert ours.z[0] == 0
    empty = estimate.without_over_with(ones[:0], ones[:0], np.zeros(0, int), np.ones((0, 1)))
    assert np.isnan(empty.ratio[0])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=80))
def test_deciles_keep_the_order_and_equal_values_together(values):
    numbers = np.array(values, dtype=float)
    placed = estimate.deciles(numbers)
    assert placed.min() == 0
    assert placed.max() <= 9
    assert set(np.unique(placed)) == set(range(placed.max() + 1))
    for one, two in ((0, -1), (-1, 0)):
        assert (numbers[one] < numbers[two]) <= (placed[one] <= placed[two])
        assert (numbers[one] == numbers[two]) <= (placed[one] == placed[two])


@pytest.mark.parametrize("seed", range(4))
def test_going_on_agrees_with_a_time_varying_cox_model(seed):
    """The same partial likelihood by two optimisers, without ties: agreement to their tolerance."""
    from lifelines import CoxTimeVaryingFitter

    rng = np.random.default_rng(seed)
    n = 400
    met = np.where(rng.random(n) < 0.5, rng.exponential(1.0, n), np.inf)
    quick, slow = rng.exponential(1.2, n), rng.exponential(3.0, n)
    time = np.where(quick < met, quick, met + slow)
    went_on = time < 2.5
    time = np.minimum(time, 2.5)
    ours = estimate.going_on(time, went_on, met, 0.05)
    rows = []
    for i in range(n):
        if met[i] < time[i]:
            rows += [(i, 0.0, met[i], 0, 0), (i, met[i], time[i], 1, int(went_on[i]))]
        else:
            rows.append((i, 0.0, time[i], 0, int(went_on[i])))
    frame = pd.DataFrame(rows, columns=["id", "start", "stop", "met", "event"])
    fitted = CoxTimeVaryingFitter().fit(frame, id_col="id", event_col="event", start_col="start", stop_col="stop")
    assert np.log(ours.ratio) == pytest.approx(fitted.params_["met"], abs=2e-5)
    interval = np.exp(fitted.confidence_intervals_.loc["met"].to_numpy())
    assert [ours.ci_lower, ours.ci_upper] == pytest.approx(interval.tolist(), rel=1e-3)
    assert not ours.separated
    assert ours.n_met == int((met < time).sum())


@pytest.mark.parametrize("seed", range(3))
def test_going_on_within_strata_agrees_with_a_stratified_cox_model(seed):
    """Strata change over time: the level of activity so far, and a group."""
    from lifelines import CoxTimeVaryingFitter

    rng = np.random.default_rng(seed)
    n = 500
    group = rng.integers(0, 2, n)
    met = np.where(rng.random(n) < 0.6, rng.exponential(1.0, n), np.inf)
    busier = np.sort(rng.exponential(1.5, (2, n)), axis=0)
    time = rng.exponential(1.5 + group, n)
    went_on = time < 2.5
    time = np.minimum(time, 2.5)
    ours = estimate.going_on(time, went_on, met, 0.05, busier=busier, group=group)
    rows = []
    for i in range(n):
        cuts = sorted({0.0, time[i], *(c for c in (met[i], *busier[:, i]) if c < time[i])})
        for start, stop in pairwise(cuts):
            level = int((busier[:, i] <= start).sum())
            ends = int(went_on[i] and stop == time[i])
            rows.append((i, start, stop, int(met[i] <= start), ends, 10 * group[i] + level))
    frame = pd.DataFrame(rows, columns=["id", "start", "stop", "met", "event", "stratum"])
    fitted = CoxTimeVaryingFitter().fit(
        frame, id_col="id", event_col="event", start_col="start", stop_col="stop", strata="stratum"
    )
    assert np.log(ours.ratio) == pytest.approx(fitted.params_["met"], abs=5e-5)


def test_those_who_stop_and_so_meet_more_are_not_held_back_by_it():
    """Who stops is exposed for longer; a comparison of shares is fooled, this one is not."""
    rng = np.random.default_rng(5)
    n = 6000
    time, met = rng.exponential(2.0, n), rng.exponential(6.0, n)
    went_on = time < 7
    time = np.minimum(time, 7)
    share = [(met < time)[went_on].mean(), (met < time)[~went_on].mean()]
    assert share[1] > share[0] + 0.2
    ours = estimate.going_on(time, went_on, met, 0.05)
    assert ours.ci_lower < 1 < ours.ci_upper


def test_nobody_goes_on_after_it_is_finite_and_said():
    time = np.concatenate([np.linspace(0.1, 1, 40), np.full(30, 2.0)])
    went_on = time < 2
    met = np.where(went_on, np.inf, 0.05)
    ours = estimate.going_on(time, went_on, met, 0.05)
    assert ours.separated
    assert 0 < ours.ratio < 0.1
    assert ours.p < 1e-4
    never = estimate.going_on(time, went_on, np.full(70, np.inf), 0.05)
    assert never.p == 1
    assert np.isnan(never.ratio)


@example([(12, 5), (12, 5)])
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=5))
def test_the_same_share_is_pearsons_test_where_it_may_be_used(pairs):
    yes, no = (np.array([pair[i] for pair in pairs]) for i in (0, 1))
    ours = estimate.same_share(yes, yes + no)
    table = np.array([yes, no])
    if table.sum() == 0 or (table.sum(axis=1) == 0).any():
        assert ours is None
    elif (table.sum(axis=0) > 0).all() and chi2_contingency(table, correction=False).expected_freq.min() >= 5:
        assert ours == pytest.approx(chi2_contingency(table, correction=False).pvalue, rel=1e-9)


@settings(max_examples=25)  # the reference collects garbage at every call: a tenth of a second
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_agrees_with_statsmodels(p):
    assert estimate.holm(np.array(p)) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-12)


@pytest.mark.parametrize(("part", "whole"), [(0, 7), (3, 7), (7, 7), (812, 1000)])
def test_a_share_has_wilsons_interval(part, whole):
    ours = estimate.share(part, whole, 0.05)
    assert (ours.ci_lower, ours.ci_upper) == pytest.approx(proportion_confint(part, whole, method="wilson"), abs=1e-12)
    assert estimate.share(0, 0, 0.05).status == "too_few"
