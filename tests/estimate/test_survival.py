"""The survival scan: what it does at the edges, and what must not matter to it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.estimate import flags as flags_module
from discovery.estimate import pack, scan, survival


def _world(seed: int, n: int = 200, c: int = 7):
    rng = np.random.default_rng(seed)
    flags = rng.random((c, n)) < rng.uniform(0.05, 0.95, (c, 1))
    return flags, rng.integers(0, 20, n), rng.random(n) < 0.4


def _same(one, other):
    for field in dataclasses.fields(one):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, np.ndarray) and left.dtype.kind == "f":
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12)
        else:
            np.testing.assert_array_equal(left, right)


def test_nobody_leaving_is_too_few_everywhere():
    flags, duration, _ = _world(0)
    found = scan(pack(flags), 200, duration, np.zeros(200, bool))
    assert set(found.status) == {"too_few"}
    assert np.isnan(found.hazard_ratio).all()
    assert (found.log_rank_p == 1).all()
    assert found.departures == 0


def test_a_flag_that_everyone_or_nobody_reached_is_too_few():
    _, duration, departed = _world(1)
    found = scan(pack(np.stack([np.ones(200, bool), np.zeros(200, bool)])), 200, duration, departed)
    assert found.status.tolist() == ["too_few", "too_few"]


def test_nobody_who_reached_it_left_is_separated_and_finite():
    flags, duration, departed = _world(2)
    departed &= ~flags[0]
    found = scan(pack(flags[:1]), 200, duration, departed)
    assert found.status.item() == "separated"
    assert np.isfinite([found.log_hazard_ratio[0], found.ci_lower[0], found.ci_upper[0], found.se[0]]).all()
    assert found.ci_lower[0] < found.log_hazard_ratio[0] < found.ci_upper[0] < 0


def test_separation_by_order_alone_is_recognised():
    """Both sides see departures, but no other account is at risk when the second side does."""
    duration, flag = np.array([1, 1, 5, 6]), np.array([True, True, False, False])
    found = scan(pack(flag[None]), 4, duration, np.ones(4, bool))
    assert found.status.item() == "separated"
    assert np.isfinite(found.log_hazard_ratio[0])
    assert found.log_hazard_ratio[0] > 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_negating_a_flag_negates_its_log_hazard_ratio(seed):
    flags, duration, departed = _world(seed, n=40)
    one, other = scan(pack(flags), 40, duration, departed), scan(pack(~flags), 40, duration, departed)
    np.testing.assert_array_equal(one.status, other.status)
    np.testing.assert_allclose(one.log_hazard_ratio, -other.log_hazard_ratio, atol=1e-7)
    np.testing.assert_allclose(one.ci_lower, -other.ci_upper, atol=1e-6)
    np.testing.assert_allclose(one.log_rank, other.log_rank, atol=1e-9)


def test_row_order_and_tiles_do_not_matter(monkeypatch):
    flags, duration, departed = _world(3)
    whole = scan(pack(flags), 200, duration, departed)
    order = np.random.default_rng(9).permutation(200)
    _same(whole, scan(pack(flags[:, order]), 200, duration[order], departed[order]))
    monkeypatch.setattr(flags_module, "TILE_CELLS", 500)
    _same(whole, scan(pack(flags), 200, duration, departed))


def test_a_censored_account_is_at_risk_on_its_last_day():
    duration, departed = np.array([3, 3, 4]), np.array([True, False, True])
    flag = np.array([False, True, False])
    found = scan(pack(flag[None]), 3, duration, departed)
    assert found.log_rank[0] == pytest.approx((0 - 1 / 3) ** 2 / (1 / 3 * 2 / 3))


def test_a_million_accounts_converge_on_a_rare_flag():
    """Counts of a large study, made directly: rounding in the polygamma differences must not stop Newton."""
    k = 60
    at_risk = np.linspace(1_000_000, 700_000, k).round()
    leaving = np.full(k, 1.0)
    reached = np.stack([np.linspace(900, 600, k).round(), np.linspace(300_000, 200_000, k).round()])
    leaving_reached = np.stack([(np.arange(k) % 20 == 0).astype(float), (np.arange(k) % 3 == 0).astype(float)])
    days = survival._Days(at_risk=at_risk, leaving=leaving, at_risk_reached=reached, leaving_reached=leaving_reached)
    fit, converged = survival._fit(days, 0.05)
    assert converged.all()
    share = reached / at_risk
    rough = np.log(leaving_reached.sum(axis=1) / (share.sum(axis=1) - (leaving_reached * share).sum(axis=1)))
    assert fit[0] == pytest.approx(rough, abs=0.5)


def test_no_candidates_give_empty_arrays():
    _, duration, departed = _world(4)
    found = scan(np.empty((0, 25), dtype=np.uint8), 200, duration, departed)
    assert found.status.shape == found.hazard_ratio.shape == (0,)
