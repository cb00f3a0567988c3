"""Fewer accounts, evenly spaced, seen as all of them were fitted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.estimate import evenly_spaced, fit_cox_null, fit_null, pack, score_test, thinned, unpack
from discovery.estimate.thinning import flags_of


@given(st.integers(0, 300), st.integers(2, 80))
def test_places_are_distinct_ascending_and_reach_from_end_to_end(n, most):
    places = evenly_spaced(n, most)
    assert len(places) == min(n, most)
    assert (np.diff(places) > 0).all()
    if n > 1:
        assert (places[0], places[-1]) == (0, n - 1)
        assert np.ptp(np.diff(places)) <= 1


@given(st.integers(1, 90), st.integers(0, 1000))
def test_flags_of_some_accounts_are_theirs(n, seed):
    rng = np.random.default_rng(seed)
    flags = rng.random((3, n)) < 0.5
    some = np.flatnonzero(rng.random(n) < 0.6)
    np.testing.assert_array_equal(unpack(flags_of(pack(flags), some), len(some)), flags[:, some])


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
