"""Covariates and designs from hostile traits, dates, scores and counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from discovery.estimate import Covariates, activity_covariates, design, inertia_covariates, static_covariates
from discovery.spec import Day


def _levels(*counted: tuple[object, int]) -> np.ndarray:
    return np.array([level for level, count in counted for _ in range(count)], dtype=object)


def test_the_most_common_level_is_left_out_and_unknown_is_a_level():
    plan = _levels(("free", 200), ("team", 80), (None, 40), (float("nan"), 10))
    built = static_covariates(np.zeros(330, dtype=np.int64), {"plan": plan}, None)
    assert built.names == ("plan=team", "plan=unknown")
    np.testing.assert_allclose(built.values.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(built.values.std(axis=0), 1)
    assert np.sum(built.values[:, 1] > 0) == 50


def test_rare_levels_are_pooled_whatever_their_number():
    country = _levels(("US", 2500), ("DE", 300), *((f"rare {i}", 7) for i in range(60)))
    built = static_covariates(np.zeros(len(country), dtype=np.int64), {"country": country}, None)
    assert built.names == ("country=DE", "country=other")
    assert np.sum(built.values[:, 1] > 0) == 420


def test_unknown_seats_have_their_own_indicator_and_do_not_move_the_known():
    seats = np.array([1, 5, np.nan, 20, -3, np.inf] * 10, dtype=float)
    built = static_covariates(np.zeros(60, dtype=np.int64), {}, seats)
    assert built.names == ("log seats", "seats unknown")
    assert np.isfinite(built.values).all()
    known = np.isfinite(seats) & (seats >= 0)
    assert np.ptp(built.values[~known, 0]) == pytest.approx(0)
    assert np.corrcoef(built.values[known, 0], np.log1p(seats[known]))[0, 1] == pytest.approx(1)


def test_seats_and_extras_that_nobody_knows_leave_no_column():
    built = static_covariates(np.zeros(9, dtype=np.int64), {}, np.full(9, np.nan), {"age": np.full(9, np.nan)})
    assert built.names == ()
    assert built.values.shape == (9, 0)


@pytest.mark.parametrize(
    ("accounts", "days", "columns"),
    [(1000, 300, 4), (150, 100, 2), (1000, 1, 0), (1000, 2, 1), (1000, 3, 2), (2, 2, 1)],
)
def test_the_calendar_has_fewer_columns_than_distinct_days(accounts, days, columns):
    signup = np.random.default_rng(0).permutation(np.resize(np.arange(days), accounts)) * Day
    built = static_covariates(signup.astype(np.int64), {}, None)
    assert built.names == tuple(f"signup date {i}" for i in range(1, columns + 1))


def _spans_a_natural_cubic(values, x, knots):
    """The reference is the cardinal basis: scipy's natural interpolation of one at each knot, nought elsewhere."""
    reference = CubicSpline(knots, np.eye(len(knots)), bc_type="natural")(x)
    # beyond the outer knots, of which there are none here, a natural spline would be linear and scipy's is not
    assert knots[0] == x.min()
    assert knots[-1] == x.max()
    ours = np.column_stack([np.ones(len(x)), values])
    assert np.linalg.matrix_rank(ours) == len(knots) == ours.shape[1]
    projected = ours @ np.linalg.lstsq(ours, reference, rcond=None)[0]
    np.testing.assert_allclose(projected, reference, atol=1e-8)


def test_the_calendar_spline_spans_a_natural_cubic():
    signup = np.sort(np.random.default_rng(1).integers(0, 400 * Day, 600))
    built = static_covariates(signup, {}, None)
    x = (signup - signup.min()) / np.ptp(signup)
    knots = np.quantile(x, [0, 0.25, 0.5, 0.75, 1])
    _spans_a_natural_cubic(built.values, x, knots)


@pytest.mark.parametrize(("accounts", "first"), [(1000, 5), (999, 3), (400, 3), (399, 2), (30, 2)])
def test_activity_bends_as_far_as_the_accounts_allow(accounts, first):
    scores = np.random.default_rng(2).normal(size=(accounts, 3))
    built = activity_covariates(scores)
    expected = [f"activity 1.{term}" for term in range(first)]
    expected += [f"activity {factor}.{term}" for factor in (2, 3) for term in range(min(first, 3))]
    assert list(built.names) == expected
    np.testing.assert_allclose(built.values.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(built.values.std(axis=0), 1)
    assert abs(np.corrcoef(built.values[:, 0], scores[:, 0])[0, 1]) == pytest.approx(1)
    knots = np.quantile(scores[:, 0], np.linspace(0, 1, first + 1))
    _spans_a_natural_cubic(built.values[:, :first], scores[:, 0], knots)


@pytest.mark.parametrize("scores", [np.empty((50, 0)), np.zeros((50, 1)), np.empty((0, 2))])
def test_scores_that_tell_nothing_leave_no_column(scores):
    built = activity_covariates(scores)
    assert built.names == ()
    assert built.values.shape == (len(scores), 0)


def test_scores_of_two_values_leave_one_column():
    assert activity_covariates(np.resize([0.0, 1.0], (300, 1))).names == ("activity 1.0",)


def _inertia(rng, n):
    days = 1 + rng.integers(0, 14, n)
    moments = days + rng.poisson(5, n)
    last = np.minimum(13.9, days + rng.random(n))
    return inertia_covariates(moments + rng.poisson(5, n), moments, days, last)


def test_inertia_says_how_much_on_how_many_days_and_how_recently():
    built = _inertia(np.random.default_rng(3), 800)
    assert all(name.startswith("inertia ") for name in built.names)
    for word in ("moments", "days 2", "days 3", "days 4", "log days", "recency", "actions"):
        assert any(word in name for name in built.names)
    np.testing.assert_allclose(built.values.std(axis=0), 1)
    assert len(set(built.names)) == len(built.names)


def test_inertia_tells_returning_apart_from_doing_much_at_once():
    """Two actions on one day and on two: the same number, another column."""
    n = 400
    actions = np.full(n, 2)
    days = np.resize([1, 2], n)
    built = inertia_covariates(actions, actions, days, np.resize([0.5, 1.5], n))
    assert built.values.shape[1] >= 1
    assert abs(np.corrcoef(built.values[:, built.names.index("inertia days 2")], days)[0, 1]) == pytest.approx(1)


def test_accounts_that_did_nothing_have_no_inertia():
    nothing = np.zeros(50, dtype=np.int64)
    built = inertia_covariates(nothing, nothing, nothing, np.zeros(50))
    assert built.names == ()
    assert built.values.shape == (50, 0)


def _full_design(n: int = 1000, seed: int = 3):
    rng = np.random.default_rng(seed)
    plan = rng.choice(np.array(["a", "b", "c", "d"], dtype=object), n, p=[0.6, 0.25, 0.1, 0.05])
    signup = rng.integers(0, 300 * Day, n)
    static = static_covariates(signup, {"plan": plan}, rng.poisson(9, n).astype(float), {"age": rng.normal(size=n)})
    return activity_covariates(rng.normal(size=(n, 2))), static


def test_columns_go_in_the_stated_order():
    activity, static = _full_design()
    everything = design([activity, static], 50)
    assert everything.dropped == ()
    assert everything.names[0] == "intercept"
    assert design([static, activity], 50).dropped == ()
    order, kept = [], set(everything.names)
    for limit in range(len(everything.names) - 1, -1, -1):
        now = set(design([activity, static], limit).names)
        order += sorted(kept - now)
        kept = now
    calendar = [f"signup date {i}" for i in (4, 3, 2, 1)]
    activity_names = [*(f"activity 2.{i}" for i in (2, 1, 0)), *(f"activity 1.{i}" for i in (4, 3, 2, 1, 0))]
    assert order == ["plan=d", "plan=c", "plan=b", *calendar, "age", "log seats", *activity_names]
    assert kept == {"intercept"}


def test_inertia_stays_as_long_as_activity():
    _, static = _full_design()
    inertia = _inertia(np.random.default_rng(4), 1000)
    names = set(design([static, inertia], 1 + len(inertia.names)).names)
    assert not names & {"log seats", "age", "plan=b", "signup date 1"}


def test_activity_stays_where_a_trait_says_the_same():
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(300, 1))
    static = static_covariates(np.zeros(300, dtype=np.int64), {}, None, {"visits": scores[:, 0]})
    built = design([static, activity_covariates(scores)], 15)
    assert built.dropped == ("visits",)
    assert built.names == ("intercept", "activity 1.0", "activity 1.1")


def test_a_trait_told_twice_enters_once():
    n = 400
    plan = np.resize(np.array(["a", "b", "c"], dtype=object), n)
    static = static_covariates(np.zeros(n, dtype=np.int64), {"plan": plan, "tier": plan}, None)
    built = design([static], 40)
    assert len(built.names) == 3
    assert len(built.dropped) == 2
    assert np.linalg.matrix_rank(built.values) == 3


def test_rows_on_which_a_column_is_constant_cost_that_column():
    activity, static = _full_design()
    few = np.flatnonzero(static.values[:, static.names.index("plan=d")] < 0)
    parts = [Covariates(names=part.names, values=part.values[few]) for part in (activity, static)]
    assert design(parts, 50).dropped == ("plan=d",)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 60), seed=st.integers(0, 1000), limit=st.integers(0, 12))
def test_every_design_has_full_rank_and_respects_its_limit(n, seed, limit):
    rng = np.random.default_rng(seed)
    plan = rng.choice(np.array(["a", "b", None], dtype=object), n)
    static = static_covariates(rng.integers(0, 4, n) * Day, {"plan": plan}, rng.integers(0, 3, n).astype(float))
    activity = activity_covariates(rng.choice([rng.normal(size=(n, 2)), rng.integers(0, 3, (n, 2)) * 1.0]))
    actions, days = rng.integers(0, 4, n), rng.integers(0, 3, n)
    inertia = inertia_covariates(actions, np.minimum(actions, 2), days, rng.integers(0, 3, n) / 2)
    built = design([activity, inertia, static], limit)
    assert built.values.shape == (n, len(built.names))
    assert len(built.names) <= max(1, limit)
    assert np.linalg.matrix_rank(built.values) == len(built.names)
