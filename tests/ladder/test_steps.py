"""What came first, also where moments are equal."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.ladder.steps import came_first


def test_equal_moments_fall_as_the_unequal_ones_do():
    one = np.concatenate([np.full(60, 1.0), np.full(40, 2.0)])
    other = np.full(100, 2.0)
    assert came_first(one, other)[60:] == pytest.approx(np.full(40, (60 + 5) / (60 + 10)))
    assert came_first(other, one)[60:] == pytest.approx(np.full(40, 5 / (60 + 10)))


def test_where_all_moments_are_equal_each_came_first_by_half():
    same = np.full(30, 3.0)
    assert came_first(same, same).tolist() == [0.5] * 30


def test_what_never_happened_did_not_come_first():
    never, always = np.full(5, np.inf), np.zeros(5)
    assert came_first(never, always).tolist() == [0.0] * 5
    assert came_first(always, never).tolist() == [1.0] * 5
    assert came_first(never, never).tolist() == [0.0] * 5
