"""The same ladder by segment: what differs, and what only seems to."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.ladder.funnels import FEWEST, MOST_VALUES, funnels

from .climbs import HOSTILE, QUICKLY

ALPHA = 0.05
NO = "\u202f%"


def strides(going_on, seed=0, names="abcdef"):
    """Return the steps of accounts that go on with a chance of their own at every step; going_on[steps][n]."""
    rng = np.random.default_rng(seed)
    here, made = np.ones(len(going_on[0]), dtype=bool), []
    for name, chance in zip(names, going_on, strict=False):
        could, here = here, here & (rng.random(len(here)) < chance)
        made.append((name, could, here))
    return made


def counted(*steps, names="abcdef"):
    """Return the steps of two values, `free` and `pro`, with given counts: (could, did) of each, for each step."""
    n = max(free[0] for free, _ in steps), max(pro[0] for _, pro in steps)
    made = []
    for name, counts in zip(names, steps, strict=False):
        could, did = (
            np.concatenate([np.arange(size) < count[which] for size, count in zip(n, counts, strict=True)])
            for which in (0, 1)
        )
        made.append((name, could, did))
    return made, {"plan": np.array(["free"] * n[0] + ["pro"] * n[1], dtype=object)}


def plans(n, kinds=("free", "pro", "team")):
    return np.array([kinds[number % len(kinds)] for number in range(n)], dtype=object)


def test_segments_with_the_same_funnel_are_called_the_same():
    """Two segments, three steps, 200 draws: chance may find a difference in at most one of twenty ladders."""
    wrong = 0
    for seed in range(200):
        rng = np.random.default_rng(10_000 + seed)
        segments = {"plan": plans(600), "channel": rng.choice(np.array(["ads", "search"], dtype=object), 600)}
        found = funnels(strides([np.full(600, 0.7)] * 3, seed), segments, ALPHA)
        wrong += any(funnel.differs_at for funnel in found)
    assert wrong <= 10


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_a_difference_is_named_at_its_own_step_and_segment(step, seed):
    plan = plans(1800)
    chances = [np.full(1800, 0.75) for _ in range(3)]
    chances[step] = np.where(plan == "free", 0.4, 0.8)
    segments = {
        "plan": plan,
        "device": np.random.default_rng(seed).choice(np.array(["web", "app"], dtype=object), 1800),
    }
    by_plan, by_device = funnels(strides(chances, seed), segments, ALPHA)
    assert by_plan.differs_at == ("abc"[step],)
    assert by_device.differs_at == ()
    assert by_plan.p_adjusted[0] is None
    assert [p is not None and p <= ALPHA for p in by_plan.p_adjusted[1:]] == [number == step for number in range(3)]
    assert f"the step to “{'abc'[step]}” (" in by_plan.sentence
    assert by_device.sentence == "No step differs by device beyond noise."


@QUICKLY
@given(st.integers(0, 2**32 - 1), st.integers(0, 160), st.integers(1, 4))
def test_rows_count_their_accounts_and_fall(seed, n, steps):
    rng = np.random.default_rng(seed)
    values = rng.choice(np.array(["free", "pro", None], dtype=object), n)
    made = strides([rng.random(n) for _ in range(steps)], seed)
    for funnel in funnels(made, {"plan": values}, ALPHA):
        assert len(funnel.p_adjusted) == steps + 1
        assert all(p is None or 0 <= p <= 1 for p in funnel.p_adjusted)
        for row in funnel.rows:
            assert row.n_reached[0] == (values == row.value).sum() >= FEWEST
            assert row.conversion[0] is None
            for (before, here), share in zip(itertools.pairwise(row.n_reached), row.conversion[1:], strict=True):
                assert here <= before == share.n_accounts
                assert share.estimate == (here / before if before else None)


@QUICKLY
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_accounts_is_irrelevant(seed):
    rng = np.random.default_rng(seed)
    values, shuffled = plans(150), rng.permutation(150)
    made = strides([rng.random(150) for _ in range(2)], seed)
    other = [(name, could[shuffled], did[shuffled]) for name, could, did in made]
    assert funnels(made, {"plan": values}, ALPHA) == funnels(other, {"plan": values[shuffled]}, ALPHA)


def test_small_and_unknown_values_have_no_funnel_and_the_largest_come_first():
    sizes = {"b": FEWEST, "a": FEWEST, "large": 90, "small": FEWEST - 1, "": 50}
    values = np.array([name for name, size in sizes.items() for _ in range(size)] + [None, np.nan] * 40, dtype=object)
    (found,) = funnels(strides([np.full(len(values), 0.5)]), {"plan": values}, ALPHA)
    assert [row.value for row in found.rows] == ["large", "a", "b"]


def test_at_most_eight_values_are_shown():
    values = np.array([f"v{number}" for number in range(12) for _ in range(FEWEST + number)], dtype=object)
    (found,) = funnels(strides([np.full(len(values), 0.5)]), {"plan": values}, ALPHA)
    assert [row.value for row in found.rows] == [f"v{number}" for number in range(11, 11 - MOST_VALUES, -1)]


@pytest.mark.parametrize("values", [["free"] * 100, [None] * 100, ["free"] * 71 + ["pro"] * 29, []])
def test_a_segment_without_two_large_values_has_no_funnel(values):
    made = strides([np.full(len(values), 0.5)])
    assert funnels(made, {"plan": np.array(values, dtype=object)}, ALPHA) == ()


def test_no_segments_and_values_that_are_no_texts():
    assert funnels(strides([np.full(90, 0.5)]), {}, ALPHA) == ()
    (found,) = funnels(strides([np.full(90, 0.5)]), {"seats": np.array([1, 2] * 45, dtype=object)}, ALPHA)
    assert [row.value for row in found.rows] == ["1", "2"]


def test_every_segment_and_step_is_paid_for():
    steps, segments = counted(((100, 30), (100, 60)))
    (alone,) = funnels(steps, segments, ALPHA)
    both, other = funnels(steps, segments | {"device": plans(200, ("web", "app"))}, ALPHA)
    assert both.p_adjusted[1] == pytest.approx(2 * alone.p_adjusted[1])
    assert other.p_adjusted[1] == 1.0 or other.p_adjusted[1] > both.p_adjusted[1]


def test_one_difference_in_a_sentence():
    (found,) = funnels(*counted(((200, 40), (200, 120))), ALPHA)
    assert found.sentence == f"By plan, the step to “a” (20{NO} of “free” go on, 60{NO} of “pro”) differs beyond noise."


def test_several_differences_in_a_sentence():
    (found,) = funnels(*counted(((900, 300), (900, 600)), ((300, 60), (600, 400)), ((60, 20), (400, 300))), ALPHA)
    assert found.differs_at == ("a", "b", "c")
    assert found.sentence == (
        f"By plan, the step to “a” (33{NO} of “free” go on, 67{NO} of “pro”), the step to “b” (20{NO} of “free” go on, "
        f"67{NO} of “pro”) and the step to “c” (33{NO} of “free” go on, 75{NO} of “pro”) differ beyond noise."
    )


def test_the_sentence_compares_two_values_even_where_only_one_is_large_at_the_step():
    (found,) = funnels(*counted(((40, 28), (200, 200)), ((28, 2), (200, 150))), ALPHA)
    assert "b" in found.differs_at
    assert f"the step to “b” (7.1{NO} of “free”" not in found.sentence
    assert f"the step to “b” (7{NO} of “free” go on, 75{NO} of “pro”)" in found.sentence


@pytest.mark.parametrize("did", [(100, 100), (0, 0), (2, 3)])
def test_where_all_or_none_go_on_there_is_nothing_to_compare(did):
    (found,) = funnels(*counted(((100, did[0]), (100, did[1]))), ALPHA)
    assert found.p_adjusted == (None, None)
    assert found.sentence == "Too few accounts go on, or stop, to compare the steps by plan."


def test_nobody_left_at_a_step_is_no_share():
    (found,) = funnels(*counted(((100, 0), (100, 60)), ((0, 0), (60, 30))), ALPHA)
    free = next(row for row in found.rows if row.value == "free")
    assert (free.n_reached, free.conversion[2].estimate, free.conversion[2].status) == ((100, 0, 0), None, "too_few")
    assert found.differs_at == ("a",)
    assert f"(0{NO} of “free” go on, 60{NO} of “pro”)" in found.sentence


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_kept(name):
    steps, segments = counted(((200, 40), (200, 120)), names=[name])
    renamed = {name: np.where(segments["plan"] == "free", name, "pro").astype(object)}
    (found,) = funnels(steps, renamed, ALPHA)
    assert (found.segment, found.differs_at) == (name, (name,))
    assert {row.value for row in found.rows} == {name, "pro"}
    assert f"20{NO} of “{name}” go on" in found.sentence
