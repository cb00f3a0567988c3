"""Fewer accounts, evenly spaced by no period, seen as all of them were fitted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.estimate import evenly_spaced, fit_cox_null, fit_null, pack, score_test, thinned, unpack
from discovery.estimate.thinning import flags_of


@given(st.integers(0, 300), st.integers(2, 80))
def test_one_place_lies_in_each_of_as_many_equal_stretches(n, most):
    places = evenly_spaced(n, most)
    assert len(places) == min(n, most)
    assert (np.diff(places) > 0).all()
    edges = np.arange(len(places) + 1) * n // max(1, len(places))
    assert ((edges[:-1] <= places) & (places < edges[1:])).all()


@pytest.mark.parametrize("period", [2, 3, 4, 7, 20])
@pytest.mark.parametrize("n", [100_001, 199_997, 200_000, 1_000_000])
def test_what_recurs_every_so_many_accounts_is_met_as_often_as_it_is_there(n, period):
    places = evenly_spaced(n, 50_000)
    for stretch in np.array_split(places, 5):
        shares = np.bincount(stretch % period, minlength=period) / len(stretch)
        np.testing.assert_allclose(shares, 1 / period, atol=0.025)


@given(st.integers(1, 90), st.integers(0, 1000))
def test_flags_of_some_accounts_are_theirs(n, seed):
    rng = np.random.default_rng(seed)
    flags = rng.random((3, n)) < 0.5
    some = np.flatnonzero(rng.random(n) < 0.6)
    np.testing.assert_array_equal(unpack(flags_of(pack(flags), some), len(some)), flags[:, some])
    rules = np.array([2, 0])
    np.testing.assert_array_equal(unpack(flags_of(pack(flags), some, rules), len(some)), flags[rules][:, some])


@pytest.mark.parametrize("survival", [False, True])
def test_a_thinned_null_scores_flags_by_the_accounts_that_are_left(survival):
    """By hand: the flag less its weighted least-squares fit among them, over what all accounts left unexplained."""
    rng = np.random.default_rng(1)
    n = 900
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    flags = (rng.random((5, n)) < 0.4).astype(np.uint8)
    stayed = rng.random(n) < 1 / (1 + np.exp(-design[:, 1]))
    null = fit_cox_null(design, rng.integers(1, 60, n).astype(float), ~stayed) if survival else fit_null(design, stayed)
    some = evenly_spaced(n, 400)
    seen = thinned(null, some)
    found = score_test(seen, flags[:, some])
    z, w, r = design[some], null.weights[some], null.residual[some]
    for place, flag in enumerate(flags[:, some].astype(float)):
        left = flag - z @ np.linalg.solve(z.T @ (z * w[:, None]), z.T @ (w * flag))
        assert found.score[place] == pytest.approx(left @ r / np.sqrt(w @ left**2), rel=1e-8)
        assert found.information[place] == pytest.approx(w @ left**2, rel=1e-8)
    assert thinned(null, np.arange(n)) is null
