"""Separation on hostile tables: empty cells, empty margins, padding, immature accounts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.estimate import flags as flags_module
from discovery.estimate import pack, separate


def _table(a: int, b: int, c: int, d: int):
    flag = np.repeat([True, True, False, False], [a, b, c, d])
    retained = np.repeat([True, False, True, False], [a, b, c, d])
    return separate(pack(flag[None]), retained, np.ones(len(flag), bool))


def test_posthogs_odds_ratio_adds_one_account_to_each_cell():
    assert _table(7, 2, 3, 9).odds_ratio_smoothed.item() == pytest.approx((8 * 10) / (3 * 4))


@given(cells=st.tuples(*[st.integers(0, 40)] * 4))
def test_numbers_are_finite_exactly_where_a_comparison_exists(cells):
    found = _table(*cells)
    a, b, c, d = cells
    margins = (a + b, c + d, a + c, b + d)
    expected = "too_few" if 0 in margins else "separated" if 0 in cells else "ok"
    assert found.status.item() == expected
    compared = ("lift", "difference", "odds_ratio", "odds_ratio_smoothed", "phi", "auc", "p_value", "ppv", "npv")
    for name in compared:
        assert np.isfinite(getattr(found, name).item()) == (expected != "too_few"), name
    if expected == "too_few":
        return
    for name in ("lift", "difference", "odds_ratio", "auc", "retained_if_reached", "retained_if_not"):
        lower, point, upper = (getattr(found, name + end).item() for end in ("_lower", "", "_upper"))
        assert lower - 1e-12 <= point <= upper + 1e-12, name
        assert lower < upper, name


@given(cells=st.tuples(*[st.integers(1, 30)] * 4))
def test_exchanging_the_outcome_negates_phi_and_difference(cells):
    a, b, c, d = cells
    one, other = _table(a, b, c, d), _table(b, a, d, c)
    assert other.phi.item() == pytest.approx(-one.phi.item())
    assert other.difference_lower.item() == pytest.approx(-one.difference_upper.item())
    assert other.odds_ratio.item() == pytest.approx(1 / one.odds_ratio.item())


def test_one_side_without_accounts_keeps_the_other_sides_retention():
    found = _table(0, 0, 6, 4)
    assert found.retained_if_not.item() == pytest.approx(0.6)
    assert np.isnan(found.retained_if_reached.item())


def test_immature_accounts_count_nowhere():
    rng = np.random.default_rng(5)
    flags, retained, mature = rng.random((4, 61)) < 0.4, rng.random(61) < 0.5, rng.random(61) < 0.6
    all_of_them = separate(pack(flags), retained, mature)
    only_mature = separate(pack(flags[:, mature]), retained[mature], np.ones(mature.sum(), bool))
    for field in dataclasses.fields(all_of_them):
        np.testing.assert_array_equal(getattr(all_of_them, field.name), getattr(only_mature, field.name))


def test_tiles_change_nothing(monkeypatch):
    rng = np.random.default_rng(6)
    flags, retained = rng.random((9, 40)) < 0.4, rng.random(40) < 0.5
    whole = separate(pack(flags), retained, np.ones(40, bool))
    monkeypatch.setattr(flags_module, "TILE_CELLS", 11)
    tiled = separate(pack(flags), retained, np.ones(40, bool))
    np.testing.assert_array_equal(whole.phi, tiled.phi)


def test_no_candidates_give_empty_arrays():
    found = separate(np.empty((0, 2), dtype=np.uint8), np.ones(9, bool), np.ones(9, bool))
    assert found.phi.shape == (0,)
    assert found.status.shape == (0,)
