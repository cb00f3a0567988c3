"""Flags equal conditions judged row by row, and the grid keeps one of each kind."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.errors import InputError
from discovery.exposure import Exposure, Flags, candidate_flags, flag
from discovery.milestone import Condition, Milestone
from discovery.spec import Day

from .naive_log import Log, logs, naive_moment

Measured = Callable[[Log], Exposure]
GRID = ((1, 2, 3, 5), (1, 3, 7, 14), (1, 2, 3))


def naive_grid(log: Log, positions: np.ndarray) -> dict[tuple[str, bytes], Condition]:
    """Every distinct indicator of the grid and the simplest condition for it, judged account by account."""
    frame = log.frame()
    frame = frame[frame["lag"] >= 0]
    found: dict[tuple[str, bytes], Condition] = {}
    for event, rows in frame[frame["lag"] < log.observation_us].groupby("event"):
        inside = {d: rows[rows["lag"] < d * Day].groupby("account")["user_id"] for d in GRID[1]}
        sizes = {d: users.size().to_dict() for d, users in inside.items()}
        broad = {d: users.nunique().to_dict() for d, users in inside.items()}
        for u, k, d in itertools.product(GRID[2], GRID[0], GRID[1][::-1]):
            met = [sizes[d].get(p, 0) >= k and (u == 1 or broad[d].get(p, 0) >= u) for p in positions]
            if any(met) and not all(met):
                found.setdefault((event, np.array(met).tobytes()), Condition(event, k, 24 * d, u))
    return found


@settings(max_examples=40, deadline=None)
@given(log=logs(), seed=st.integers(0, 99))
def test_the_grid_holds_every_distinct_indicator_once_in_its_simplest_form(
    measured: Measured, log: Log, seed: int
) -> None:
    positions = np.random.default_rng(seed).permutation(log.n_accounts)[: 1 + seed % log.n_accounts]
    exposure = measured(log)
    flags = candidate_flags(exposure, positions, *GRID)
    expected = naive_grid(log, positions)
    assert flags.conditions == tuple(expected.values())
    assert [row.tobytes() for row in flags.dense(slice(None))] == [met for _, met in expected]
    assert [exposure.events[e] for e in flags.event_of] == [c.event for c in flags.conditions]
    for condition, row in zip(flags.conditions, flags.dense(slice(None)), strict=True):
        np.testing.assert_array_equal(flag(exposure, positions, Milestone((condition,))), row)


def some_flags(n: int = 83, c: int = 300) -> tuple[Flags, np.ndarray]:
    dense = np.random.default_rng(0).random((c, n)) < 0.4
    conditions = tuple(Condition("x", k + 1, 24) for k in range(c))
    packed = np.packbits(dense, axis=1)
    return Flags(conditions=conditions, packed=packed, n_accounts=n, event_of=np.zeros(c, np.int32)), dense


@pytest.mark.parametrize("n", [1, 7, 8, 63, 64, 65, 83, 1000])
def test_bits_are_counted_and_unpacked_right(n: int) -> None:
    flags, dense = some_flags(n)
    mask = np.random.default_rng(1).random(n) < 0.5
    np.testing.assert_array_equal(flags.reached(), dense.sum(axis=1))
    np.testing.assert_array_equal(flags.among(mask), dense[:, mask].sum(axis=1))
    np.testing.assert_array_equal(flags.dense(slice(3, 9)), dense[3:9])
    np.testing.assert_array_equal(flags.dense(np.array([5, 2])), dense[[5, 2]])
    tiles = list(flags.tiles(128))
    assert [rows for rows, _ in tiles] == [slice(0, 128), slice(128, 256), slice(256, 300)]
    np.testing.assert_array_equal(np.concatenate([tile for _, tile in tiles]), dense)
    assert tiles[0][1].dtype == bool


def test_rows_of_conditions_are_found() -> None:
    flags, _ = some_flags()
    assert flags.where(Condition("x", 4, 24)).tolist() == [3]
    assert flags.where(Milestone.parse("x >= 2 within 1d and y")).tolist() == [1, -1]
    assert flags.where(Milestone.parse("x >= 2")).tolist() == [-1]


def test_users_imply_rows_so_the_lowest_count_is_kept(measured: Measured) -> None:
    rows = [
        ("a0", "x", "u1", 1),
        ("a0", "x", "u2", 2),
        ("a1", "x", "u1", 1),
        ("a1", "x", "u1", 2),
        ("a1", "x", "u1", 3),
    ]
    flags = candidate_flags(measured(Log(tuple(rows), (0, 0, 0))), np.arange(3), (1, 2, 3), (14,), (1, 2))
    assert [str(c) for c in flags.conditions] == ["x within 14d", "x >= 3 within 14d", "x within 14d by 2 users"]


@pytest.mark.parametrize("most", [255, 256, 300, 70_000])
def test_thresholds_beyond_a_byte(measured: Measured, most: int) -> None:
    exposure = measured(Log((("a0", "x", None, 1), ("a1", "x", None, 1), ("a2", "x", None, 1)), (0, 0, 0)))
    counts = np.tile(np.array([most - 1, most, 2**31 - 1], dtype=np.int32), (4, 1))
    grown = Exposure(**{name: getattr(exposure, name) for name in exposure.__slots__} | {"counts": counts})
    flags = candidate_flags(grown, np.arange(3), (1, most), (14,), (1,))
    assert flags.dense(slice(None)).tolist() == [[False, True, True]]


def test_no_events_no_candidates(measured: Measured) -> None:
    flags = candidate_flags(measured(Log((), (0, 0))), np.arange(2), *GRID)
    assert (len(flags), flags.packed.shape, list(flags.tiles())) == (0, (0, 1), [])
    assert flags.reached().shape == flags.among(np.ones(2, dtype=bool)).shape == (0,)


@settings(max_examples=20, deadline=None)
@given(log=logs())
def test_any_nesting_is_judged_like_its_moments(measured: Measured, log: Log) -> None:
    milestone = Milestone.parse(
        'report_shared >= 2 within 3d by 2 users or ("Deal Created" within 168h and (report_shared or never))'
    )
    met = flag(measured(log), np.arange(log.n_accounts), milestone)
    np.testing.assert_array_equal(met, np.isfinite(naive_moment(log, milestone)))


def test_a_window_that_was_not_measured_is_refused(measured: Measured) -> None:
    exposure = measured(Log((("a0", "x", None, 1),), (0,), windows_us=(Day // 2, Day)))
    assert flag(exposure, np.array([0]), Milestone.parse("x within 12h and x")).all()
    for refused in ("x within 2d", "x and (y within 36h)", "x within 15d"):
        with pytest.raises(InputError, match=r"was not measured; available windows: 12h, 1d, 14d"):
            flag(exposure, np.array([0]), Milestone.parse(refused))
    with pytest.raises(InputError, match="The window 3d was not measured"):
        candidate_flags(exposure, np.array([0]), (1,), (3,), (1,))


def test_an_event_that_never_occurs_is_met_by_none(measured: Measured) -> None:
    exposure = measured(Log((("a0", "x", None, 1),), (0, 0)))
    assert flag(exposure, np.array([1, 0]), Milestone.parse("x")).tolist() == [False, True]
    assert not flag(exposure, np.array([1, 0]), Milestone.parse("y")).any()


def test_flags_are_never_held_twice() -> None:
    n, events = 8_000, 300
    rng = np.random.default_rng(5)
    counts = rng.integers(1, 9, (1, n * events)).astype(np.uint8)
    exposure = Exposure(
        events=tuple(f"e{place:03}" for place in range(events)),
        n_accounts=n,
        windows_us=(14 * Day,),
        offsets=np.arange(events + 1) * n,
        account=np.tile(np.arange(n, dtype=np.int32), events),
        counts=counts,
        users=np.ones_like(counts),
        first_lag=np.zeros(n * events, dtype=np.int64),
    )
    tracemalloc.start()
    flags = candidate_flags(exposure, np.arange(n), range(1, 9), (14,), (1,))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(flags) == 7 * events
    assert peak < 1.5 * flags.packed.nbytes
