"""Covariates and designs from hostile traits, dates and volumes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.estimate import Covariates, descendants, design, static_covariates, volume_covariates
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


def test_the_calendar_spline_spans_a_natural_cubic():
    """The reference is the cardinal basis: scipy's natural interpolation of one at each knot, nought elsewhere."""
    from scipy.interpolate import CubicSpline

    signup = np.sort(np.random.default_rng(1).integers(0, 400 * Day, 600))
    built = static_covariates(signup, {}, None)
    x = (signup - signup.min()) / np.ptp(signup)
    knots = np.quantile(x, [0, 0.25, 0.5, 0.75, 1])
    reference = CubicSpline(knots, np.eye(5), bc_type="natural")(x)
    ours = np.column_stack([np.ones(600), built.values])
    assert np.linalg.matrix_rank(ours) == 5
    projected = ours @ np.linalg.lstsq(ours, reference, rcond=None)[0]
    np.testing.assert_allclose(projected, reference, atol=1e-8)


def test_volume_is_standardised_and_collinear_columns_go():
    rng = np.random.default_rng(2)
    total = rng.poisson(20, 300)
    assert volume_covariates(total, rng.poisson(4, 300)).names == (
        "log volume",
        "log volume squared",
        "distinct events",
    )
    assert volume_covariates(total, np.full(300, 3)).names == ("log volume", "log volume squared")
    assert volume_covariates(np.full(300, 7), np.full(300, 3)).names == ()
    assert volume_covariates(np.resize([0, 9], 300), np.resize([0, 2], 300)).names == ("log volume",)


def _full_design(n: int = 1000, seed: int = 3):
    rng = np.random.default_rng(seed)
    plan = rng.choice(np.array(["a", "b", "c", "d"], dtype=object), n, p=[0.6, 0.25, 0.1, 0.05])
    signup = rng.integers(0, 300 * Day, n)
    static = static_covariates(signup, {"plan": plan}, rng.poisson(9, n).astype(float), {"age": rng.normal(size=n)})
    return static, volume_covariates(rng.poisson(30, n), rng.poisson(5, n))


def test_columns_go_in_the_stated_order():
    static, volume = _full_design()
    everything = design(static, volume, 50)
    assert everything.dropped == ()
    assert everything.names[0] == "intercept"
    order, kept = [], set(everything.names)
    for limit in range(len(everything.names) - 1, -1, -1):
        now = set(design(static, volume, limit).names)
        order += sorted(kept - now)
        kept = now
    calendar = [f"signup date {i}" for i in (4, 3, 2, 1)]
    volume_names = ["distinct events", "log volume squared", "log volume"]
    assert order == ["plan=d", "plan=c", "plan=b", *calendar, "age", "log seats", *volume_names]
    assert kept == {"intercept"}


def test_a_trait_told_twice_enters_once():
    n = 400
    plan = np.resize(np.array(["a", "b", "c"], dtype=object), n)
    static = static_covariates(np.zeros(n, dtype=np.int64), {"plan": plan, "tier": plan}, None)
    built = design(static, None, 40)
    assert len(built.names) == 3
    assert len(built.dropped) == 2
    assert np.linalg.matrix_rank(built.values) == 3


def test_rows_on_which_a_column_is_constant_cost_that_column():
    static, volume = _full_design()
    few = np.flatnonzero(static.values[:, static.names.index("plan=d")] < 0)
    some = Covariates(names=static.names, values=static.values[few])
    built = design(some, Covariates(names=volume.names, values=volume.values[few]), 50)
    assert built.dropped == ("plan=d",)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 60), seed=st.integers(0, 1000), limit=st.integers(0, 12))
def test_every_design_has_full_rank_and_respects_its_limit(n, seed, limit):
    rng = np.random.default_rng(seed)
    plan = rng.choice(np.array(["a", "b", None], dtype=object), n)
    static = static_covariates(rng.integers(0, 4, n) * Day, {"plan": plan}, rng.integers(0, 3, n).astype(float))
    built = design(static, volume_covariates(rng.integers(0, 3, n), rng.integers(0, 2, n)), limit)
    assert built.values.shape == (n, len(built.names))
    assert len(built.names) <= max(1, limit)
    assert np.linalg.matrix_rank(built.values) == len(built.names)


def test_what_mostly_follows_is_a_descendant_and_nothing_else():
    rng = np.random.default_rng(4)
    n = 2000
    create = np.where(rng.random(n) < 0.2, rng.random(n) * 5, np.inf)
    share = np.where(rng.random(n) < 0.6, create + rng.random(n), np.inf)
    visit = np.where(rng.random(n) < 0.7, rng.random(n) * 9, np.inf)
    same_moment = np.where(rng.random(n) < 0.9, create, np.inf)
    assert descendants(np.stack([create, share, visit, same_moment])).tolist() == [
        [False, True, False, False],
        [False, False, False, False],
        [False, False, False, False],
        [False, True, False, False],
    ]


@pytest.mark.parametrize(("both", "expected"), [(19, False), (20, True)])
def test_a_descendant_needs_twenty_accounts_with_both(both, expected):
    first = np.full((2, 500), np.inf)
    first[0, :both], first[1, :both] = 1.0, 2.0
    assert descendants(first)[0, 1] == expected


def test_descendants_of_nothing():
    assert descendants(np.full((3, 10), np.inf)).sum() == 0
    assert descendants(np.empty((0, 10))).shape == (0, 0)
    assert descendants(np.empty((2, 0))).sum() == 0
