"""Sums over packed flags beside plain products of unpacked ones, however tiles and blocks fall.

Sums of some thousand terms of order 1 are the same to 1e-10 in double and to 1e-4 in single precision.
"""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.estimate import pack
from discovery.estimate import products as module
from discovery.estimate.products import cores_for, counted, in_parallel, products, products_of, sweep, together


def world(seed=0, candidates=70, n=1003, density=0.1):
    """Return a generator and flags of which some accounts meet none."""
    rng = np.random.default_rng(seed)
    return rng, rng.random((candidates, n)) < 2 * density * rng.random((candidates, 1)) * (rng.random(n) < 0.7)


@pytest.fixture(params=["one block", "many blocks", "always all accounts"])
def blocks(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(module, "ACCOUNTS", 64)
        monkeypatch.setattr(module, "SWEPT", 24)
        monkeypatch.setattr(module, "SORTED", 40)
        monkeypatch.setattr(module, "CANDIDATES", 9)
    if request.param == "always all accounts":
        monkeypatch.setattr(module, "DENSE", 0.0)
    return request.param


@pytest.mark.parametrize("density", [0.002, 0.1, 0.5])
@pytest.mark.parametrize("share", [None, 0.05, 0.9])
def test_products_equal_those_of_unpacked_flags(blocks, density, share):
    rng, flags = world(density=density)
    rows = None if share is None else np.flatnonzero(rng.random(1003) < share)
    members = np.arange(1003) if rows is None else rows
    right = rng.normal(size=(len(members), 4))
    expected = flags[:, members].astype(float) @ right
    np.testing.assert_allclose(products(pack(flags), 1003, right, rows), expected, atol=1e-10)
    single = products(pack(flags), 1003, right.astype(np.float32), rows)
    assert single.dtype == np.float64
    np.testing.assert_allclose(single, expected, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 70), candidates=st.integers(0, 5), seed=st.integers(0, 99), every=st.integers(1, 4))
def test_no_account_and_no_padding_bit_is_lost_or_added(n, candidates, seed, every):
    flags = np.random.default_rng(seed).random((candidates, n)) < 0.5
    rows = np.arange(0, n, every)
    right = (np.arange(len(rows)) + 1.0)[:, None]
    np.testing.assert_array_equal(products(pack(flags), n, right, rows), flags[:, rows] @ right)


def test_nobody_counted_is_nothing(blocks):
    _, flags = world()
    nobody = np.zeros(0, dtype=np.intp)
    assert (products(pack(flags), 1003, np.zeros((0, 3)), nobody) == 0).all()
    assert (counted(pack(flags), 1003, np.full(1003, -1), 4) == 0).all()
    assert products(pack(flags[:0]), 1003, np.ones((1003, 2))).shape == (0, 2)


@pytest.mark.parametrize("share", [None, 0.3])
def test_a_sweep_hands_out_every_flag_once_and_in_place(blocks, share):
    rng, flags = world()
    rows = None if share is None else np.flatnonzero(rng.random(1003) < share)
    members = np.arange(1003) if rows is None else rows
    seen = np.zeros((len(flags), len(members)))

    def look(tile, found):
        for among, x, times in found:
            assert times is None
            seen[tile, among] += x + 1
            x[:] = -1

    sweep(pack(flags), 1003, look, rows)
    np.testing.assert_array_equal(seen, flags[:, members] + 1)


@pytest.mark.parametrize(("accounts", "precision"), [(40, np.float64), (41, np.float32)])
def test_sweeps_are_in_double_precision_up_to_a_stated_number_of_accounts(monkeypatch, accounts, precision):
    monkeypatch.setattr(module, "EXACT", 40)
    flags, kinds = np.ones((2, 50), dtype=bool), set()
    sweep(pack(flags), 50, lambda _, found: kinds.update(x.dtype.type for _, x, _ in found), np.arange(accounts))
    assert kinds == {precision}


@pytest.mark.parametrize("share", [None, 0.6])
def test_beyond_that_many_those_who_met_none_are_stood_for_by_some(blocks, monkeypatch, share):
    """Whoever met a candidate of the tile is there as one; the others' number is right to within chance."""
    monkeypatch.setattr(module, "EXACT", 40)
    monkeypatch.setattr(module, "ENOUGH_ACCOUNTS", 300)
    rng, flags = world(density=0.02)
    rows = None if share is None else np.flatnonzero(rng.random(1003) < share)
    members = np.arange(1003) if rows is None else rows
    met, fewest = np.zeros((len(flags), len(members))), []

    def look(tile, found):
        counted = np.zeros(len(members))
        for among, x, times in found:
            met[tile, among] += x
            counted[among] += times
        any_of_tile = flags[tile][:, members].any(axis=0)
        np.testing.assert_array_equal(counted[any_of_tile], 1)
        fewest.append(np.count_nonzero(counted) < len(members))
        assert counted.sum() == pytest.approx(len(members), rel=0.15)

    sweep(pack(flags), 1003, look, rows)
    np.testing.assert_array_equal(met, flags[:, members])
    assert all(fewest)


@pytest.mark.parametrize("narrow", [False, True])
def test_several_sets_of_columns_are_summed_at_once(blocks, narrow):
    rng, flags = world()
    rows = np.flatnonzero(rng.random(1003) < 0.5)
    wide, single = rng.normal(size=(len(rows), 7)), rng.random((len(rows), 2)).astype(np.float32)
    found = products_of(pack(flags), 1003, lambda among: (wide[among], single[among]), rows, narrow=narrow)
    np.testing.assert_allclose(found[0], flags[:, rows] @ wide, atol=1e-10)
    np.testing.assert_allclose(found[1], flags[:, rows] @ single, atol=1e-4)


def test_counts_by_group_equal_bincounts(blocks):
    rng, flags = world(density=0.3)
    group = rng.integers(-1, 12, 1003)
    expected = [np.bincount(group[flag & (group >= 0)], minlength=15) for flag in flags]
    np.testing.assert_array_equal(counted(pack(flags), 1003, group, 15), expected)


def test_more_groups_than_small_integers_hold():
    flags, group = np.ones((1, 3), dtype=bool), np.array([40_000, 0, 40_000])
    found = counted(pack(flags), 3, group, 40_001)
    assert (found[0, 0], found[0, 40_000], found.sum()) == (1, 2, 3)


def test_both_of_every_two_are_counted(blocks):
    _, flags = world(density=0.4)
    np.testing.assert_array_equal(together(pack(flags), 1003), flags.astype(float) @ flags.T)


def test_threads_change_no_bit_and_each_multiplies_alone(monkeypatch):
    rng, flags = world(candidates=200)
    right = rng.normal(size=(1003, 5))
    monkeypatch.setattr(module, "_threads", lambda: 1)
    alone = products(pack(flags), 1003, right)
    monkeypatch.setattr(module, "_threads", lambda: 3)
    monkeypatch.setattr(module, "SMALL", 0)
    np.testing.assert_array_equal(products(pack(flags), 1003, right), alone)
    threads = set()

    def work(tile):
        threads.add((threading.current_thread() is threading.main_thread(), blas_threads()))

    before = blas_threads()
    in_parallel(work, 6, 1, 1)
    assert threads == {(False, 1)}
    assert blas_threads() == before


def test_what_is_small_is_done_on_the_core_that_asks():
    threads = set()
    in_parallel(
        lambda tile: threads.add((threading.current_thread() is threading.main_thread(), blas_threads())), 6, 1, 1
    )
    assert threads == {(True, 1)}


def test_few_accounts_keep_products_on_one_core_and_threads_as_they_are(monkeypatch):
    before, threads = blas_threads(), module._threads()
    with cores_for(module.FEW + 1):
        assert blas_threads() == before
    with cores_for(module.FEW):
        assert (blas_threads(), module._threads()) == (1, threads)
    assert blas_threads() == before


def blas_threads():
    libraries = module._libraries().select(user_api="blas").lib_controllers
    return max((library.get_num_threads() for library in libraries), default=1)


def test_what_goes_wrong_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(module, "_threads", lambda: 2)

    def fail(tile):
        raise ValueError(f"candidate {tile.start}")

    with pytest.raises(ValueError, match="candidate 0"):
        in_parallel(fail, 4, 1, module.SMALL)
